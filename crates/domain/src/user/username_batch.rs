//! Names of which somebody asks whether they are anybody's.

use std::collections::HashSet;

use super::Username;
use crate::mention::trimmed;

/// The names that somebody sent: each spelling once, in their order, and no more than [`UsernameBatch::MAX_LEN`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UsernameBatch(Vec<String>);

/// The same names by whether there is such a person, as they were sent.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UsernameValidation {
    pub valid: Vec<String>,
    pub invalid: Vec<String>,
}

impl UsernameBatch {
    /// The most names that are looked up at once; those behind them are left out.
    pub const MAX_LEN: usize = 50;

    /// Takes what was sent.
    pub fn new(sent: Vec<String>) -> Self {
        let mut met = HashSet::new();
        let new = sent.into_iter().filter(|name| met.insert(name.clone()));
        Self(new.take(Self::MAX_LEN).collect())
    }

    /// Whom these names could mean.
    pub fn usernames(&self) -> Vec<Username> {
        self.0.iter().filter_map(|name| Username::parse_mention(name)).collect()
    }

    /// Sorts them by whether the person that they mean is one of these, whatever the case.
    pub fn validate(self, people: &[Username]) -> UsernameValidation {
        let key = |name: &Username| name.as_str().to_ascii_lowercase();
        let people: HashSet<String> = people.iter().map(key).collect();
        let is_valid = |name: &String| {
            Username::parse_mention(name).is_some_and(|meant| people.contains(&key(&meant)))
        };
        let (valid, invalid) = self.0.into_iter().partition(is_valid);
        UsernameValidation { valid, invalid }
    }
}

impl Username {
    /// Whom a name in a path or a text means: signs that a sentence put behind it do not count. Nothing where nobody can
    /// be called so.
    pub fn parse_mention(raw: &str) -> Option<Self> {
        Self::parse(trimmed(raw)).ok()
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn strings(names: &[&str]) -> Vec<String> {
        names.iter().map(ToString::to_string).collect()
    }

    fn sorted(sent: &[&str], people: &[&str]) -> (Vec<String>, Vec<String>) {
        let people: Vec<_> = people.iter().map(|name| Username::parse(name).unwrap()).collect();
        let UsernameValidation { valid, invalid } =
            UsernameBatch::new(strings(sent)).validate(&people);
        (valid, invalid)
    }

    #[rstest]
    #[case("cat", Some("cat"))]
    #[case("cat.", Some("cat"))]
    #[case("Cat-.-", Some("Cat"))]
    #[case("c.a-t", Some("c.a-t"))]
    #[case("@cat", None)]
    #[case(" cat", None)]
    #[case("cat_", Some("cat_"))]
    #[case("...", None)]
    #[case("search", None)]
    #[case("cat\0", None)]
    fn signs_behind_a_name_do_not_count(#[case] raw: &str, #[case] name: Option<&str>) {
        let meant = Username::parse_mention(raw);
        assert_eq!(meant.as_ref().map(Username::as_str), name);
    }

    #[test]
    fn names_come_back_as_they_were_sent_and_in_their_order() {
        let sent = ["ZOE", "nobody", "ana.", "", "Ana", "ana", "@ana", "zoe"];

        let (valid, invalid) = sorted(&sent, &["Ana", "zoe", "ben"]);

        assert_eq!(valid, ["ZOE", "ana.", "Ana", "ana", "zoe"]);
        assert_eq!(invalid, ["nobody", "", "@ana"]);
    }

    #[test]
    fn a_spelling_that_was_sent_twice_comes_back_once_and_counts_once() {
        let mut sent = strings(&["Ana", "ana", "Ana", "ana", "Ana"]);
        sent.extend((1..60).map(|n| format!("nobody{n}")));

        let UsernameValidation { valid, invalid } =
            UsernameBatch::new(sent).validate(&[Username::parse("ana").unwrap()]);

        assert_eq!(valid, ["Ana", "ana"]);
        assert_eq!(invalid.len(), UsernameBatch::MAX_LEN - 2);
        assert_eq!(invalid.last().unwrap(), "nobody48");
    }

    #[test]
    fn what_nobody_can_be_called_is_not_looked_up() {
        let asked = UsernameBatch::new(strings(&["ana.", "a\0b", "%", "äna", "me", "Ben"]));
        let names: Vec<_> = asked.usernames().into_iter().map(String::from).collect();
        assert_eq!(names, ["ana", "Ben"]);
    }
}
