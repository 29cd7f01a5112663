//! The usernames and addresses of the older accounts: unique there by exact spelling, and here without regard to case.

use std::collections::{HashMap, HashSet};

use grateful_domain::{Email, Username, UsernameError};
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// A name or an address, and why it differs from the older one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Assigned<T> {
    pub(crate) value: T,
    pub(crate) why: Option<&'static str>,
}

/// The names and addresses of all accounts.
#[derive(Debug, Default)]
pub(crate) struct Accounts {
    usernames: HashMap<i64, Assigned<Username>>,
    emails: HashMap<i64, Assigned<Email>>,
    /// The owner of each older username, by exact spelling.
    by_old_username: HashMap<String, i64>,
    /// The owner of each username of ours, in lower case.
    by_username: HashMap<String, i64>,
    /// The addresses of ours, in lower case.
    taken_emails: HashSet<String>,
}

impl Accounts {
    /// Assigns names and addresses to accounts, which are given as id, username and address, in the order of ids.
    pub(crate) fn assign(accounts: &[(i64, String, String)]) -> Self {
        let mut assigned = Self::default();
        let mut later = Vec::new();
        for (id, username, email) in accounts {
            assigned.by_old_username.insert(username.clone(), *id);
            match Username::parse(username) {
                Ok(name) if assigned.is_free(username) => assigned.take(*id, name, None),
                parsed => later.push((*id, username, parsed.err())),
            }
            assigned.assign_email(*id, email);
        }
        for (id, username, error) in later {
            let why = match error {
                None => "taken without regard to case",
                Some(UsernameError::Reserved) => "reserved",
                Some(_) => "not of the form",
            };
            let name = assigned.renamed(id, username, error.is_none());
            assigned.take(id, name, Some(why));
        }
        assigned
    }

    /// The username of an account.
    pub(crate) fn username(&self, id: i64) -> Option<&Assigned<Username>> {
        self.usernames.get(&id)
    }

    /// The address of an account.
    pub(crate) fn email(&self, id: i64) -> Option<&Assigned<Email>> {
        self.emails.get(&id)
    }

    /// The account that had a username, in exactly this spelling.
    pub(crate) fn of_old_username(&self, name: &str) -> Option<i64> {
        self.by_old_username.get(name).copied()
    }

    /// The account that a mention means.
    pub(crate) fn of_username(&self, name: &str) -> Option<i64> {
        self.by_username.get(&name.to_ascii_lowercase()).copied()
    }

    fn is_free(&self, name: &str) -> bool {
        !self.by_username.contains_key(&name.to_ascii_lowercase())
    }

    fn take(&mut self, id: i64, name: Username, why: Option<&'static str>) {
        self.by_username.insert(name.as_str().to_ascii_lowercase(), id);
        self.usernames.insert(id, Assigned { value: name, why });
    }

    /// The first of the names made from the older one that is lawful and free.
    fn renamed(&self, id: i64, old: &str, is_lawful: bool) -> Username {
        let stem = if is_lawful { old.to_owned() } else { stem(old) };
        let numbered = (2_u64..).map(|number| format!("_{id}_{number}"));
        let suffixes = [String::new(), format!("_{id}")].into_iter().chain(numbered);
        let mut names = suffixes.filter_map(|suffix| {
            let name = Username::parse(&with_suffix(&stem, &suffix)).ok()?;
            self.is_free(name.as_str()).then_some(name)
        });
        names.next().unwrap_or_else(|| Username::from_stored(format!("user_{id}")))
    }

    fn assign_email(&mut self, id: i64, old: &str) {
        let lower = |email: &Email| email.as_str().to_ascii_lowercase();
        let (email, why) = match Email::parse(old) {
            Ok(email) if self.taken_emails.contains(&lower(&email)) => {
                (stand_in(id), Some("taken without regard to case"))
            }
            Ok(email) if email.as_str() != old => (email, Some("space around it")),
            Ok(email) => (email, None),
            Err(_) => (stand_in(id), Some("not an address")),
        };
        self.taken_emails.insert(lower(&email));
        self.emails.insert(id, Assigned { value: email, why });
    }
}

/// An address at a domain that can belong to no one (RFC 2606).
fn stand_in(id: i64) -> Email {
    Email::from_stored(format!("user-{id}@import.invalid"))
}

/// The letters, digits, `_`, `.` and `-` of a name, without accents; what is between them becomes `_`.
fn stem(old: &str) -> String {
    let mut stem = String::new();
    for c in old.nfkd().filter(|c| !is_combining_mark(*c)) {
        if c.is_ascii_alphanumeric() || "_.-".contains(c) {
            stem.push(c);
        } else if !stem.ends_with('\0') {
            stem.push('\0');
        }
    }
    let replaced = stem.replace('\0', "_");
    let stem = replaced.trim_matches(['_', '.', '-']);
    stem.chars().take(Username::MAX_CHARS).collect()
}

/// The stem with the suffix, shortened to fit. Without a stem, `user`.
fn with_suffix(stem: &str, suffix: &str) -> String {
    let stem = if stem.is_empty() && !suffix.is_empty() { "user" } else { stem };
    let room = Username::MAX_CHARS.saturating_sub(suffix.len());
    format!("{}{suffix}", stem.chars().take(room).collect::<String>())
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    /// The accounts are numbered from 1.
    fn names(old: &[&str]) -> Vec<String> {
        let accounts: Vec<_> = (1..)
            .zip(old)
            .map(|(id, name)| (id, (*name).to_owned(), format!("{id}@mail.example")))
            .collect();
        let assigned = Accounts::assign(&accounts);
        let name = |id: &i64| assigned.username(*id).unwrap().value.as_str().to_owned();
        accounts.iter().map(|(id, ..)| name(id)).collect()
    }

    #[rstest]
    #[case::lawful_names_keep_their_spelling(&["Ana.B-9", "_x"], &["Ana.B-9", "x_2"])]
    #[case::the_smaller_id_keeps_the_name(&["DANA", "dana"], &["DANA", "dana_2"])]
    #[case::lawful_names_come_first(&["ca t", "ca_t"], &["ca_t_1", "ca_t"])]
    #[case::accents_and_space(&["élodie", "jean  pierre"], &["elodie", "jean_pierre"])]
    #[case::ends(&["cat.", "party!", "_quiet-"], &["cat", "party", "quiet"])]
    #[case::short(&["ab"], &["ab_1"])]
    #[case::nothing_is_left(&["日本語", "…"], &["user_1", "user_2"])]
    #[case::reserved(&["admin", "Grateful"], &["admin_1", "Grateful_2"])]
    #[case::numbered(&["bob", "bob_3", "bob ", "Bob_3_2"], &["bob", "bob_3", "bob_3_3", "Bob_3_2"])]
    fn unlawful_and_taken_names_are_replaced(#[case] old: &[&str], #[case] new: &[&str]) {
        assert_eq!(names(old), new);
    }

    #[test]
    fn long_names_are_shortened_to_fit_with_their_suffix() {
        let long = "y".repeat(60);
        assert_eq!(names(&[&long, &long]), ["y".repeat(50), format!("{}_2", "y".repeat(48))]);
    }

    #[test]
    fn every_name_is_lawful_and_no_two_are_equal() {
        let long = "x".repeat(90);
        let old = ["me", "ME", "a", "…", "___", "a.b.", "A.B", "root", &long];
        let new = names(&old);

        let lower: HashSet<String> = new.iter().map(|name| name.to_ascii_lowercase()).collect();
        assert_eq!(lower.len(), old.len());
        assert!(new.iter().all(|name| Username::parse(name).is_ok()), "{new:?}");
    }

    #[test]
    fn the_smallest_id_keeps_an_address_and_the_other_one_gets_one_of_no_domain() {
        let account = |id, email: &str| (id, format!("user{id}"), email.to_owned());
        let accounts = [
            account(1, "bob@mail.example"),
            account(2, "BOB@mail.example"),
            account(3, " Ana@Mail.example "),
            account(4, "no address"),
        ];
        let assigned = Accounts::assign(&accounts);

        let email = |id| {
            let email = assigned.email(id).unwrap();
            (email.value.as_str().to_owned(), email.why)
        };
        assert_eq!(email(1), ("bob@mail.example".to_owned(), None));
        let taken = Some("taken without regard to case");
        assert_eq!(email(2), ("user-2@import.invalid".to_owned(), taken));
        assert_eq!(email(3), ("Ana@Mail.example".to_owned(), Some("space around it")));
        assert_eq!(email(4), ("user-4@import.invalid".to_owned(), Some("not an address")));
    }

    #[test]
    fn older_names_are_found_by_exact_spelling_and_ours_without_regard_to_case() {
        let accounts = [
            (1, "DANA".to_owned(), "a@b.example".to_owned()),
            (2, "dana".into(), "c@d.example".into()),
        ];
        let assigned = Accounts::assign(&accounts);

        assert_eq!(assigned.of_old_username("dana"), Some(2));
        assert_eq!(assigned.of_username("dana"), Some(1));
        assert_eq!(assigned.of_username("Dana_2"), Some(2));
        assert_eq!(assigned.of_old_username("Dana_2"), None);
    }
}
