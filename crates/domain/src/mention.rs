//! Finding the people whom a text names (rules §6).

use crate::Username;

/// The most people that one text names.
pub const MAX_MENTIONS: usize = 50;

/// The usernames behind an `@` in a text, as they are written there, each once without regard to case, in the order of
/// the text and at most [`MAX_MENTIONS`]. Whether there are such people is another question.
pub fn find_mentions(text: &str) -> Vec<&str> {
    let mut found: Vec<&str> = Vec::new();
    for (at, _) in text.match_indices('@') {
        let Some(name) = name_behind(text, at) else { continue };
        if found.len() < MAX_MENTIONS && !found.iter().any(|it| it.eq_ignore_ascii_case(name)) {
            found.push(name);
        }
    }
    found
}

/// The name behind the `@` at this place, if it is one.
fn name_behind(text: &str, at: usize) -> Option<&str> {
    let before = text[..at].chars().next_back();
    if before.is_some_and(|c| c.is_alphanumeric() || "@/.".contains(c)) {
        return None;
    }
    let behind = &text[at + 1..];
    let end = behind.find(|c| !is_name_character(c)).unwrap_or(behind.len());
    let (run, rest) = behind.split_at(end);
    // A name that goes on in letters of another script is none of ours.
    if rest.chars().next().is_some_and(char::is_alphabetic) {
        return None;
    }
    let name = trimmed(run);
    Username::parse(name).is_ok().then_some(name)
}

/// The name without the signs that a sentence puts behind it: `@cat.` is cat.
pub(crate) fn trimmed(name: &str) -> &str {
    name.trim_end_matches(['.', '-'])
}

fn is_name_character(c: char) -> bool {
    c.is_ascii_alphanumeric() || "_.-".contains(c)
}

/// Whom an edited text names that it did not name before, and the other way round, as they are written there.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MentionDiff<'t> {
    pub added: Vec<&'t str>,
    pub removed: Vec<&'t str>,
}

/// Compares the names before an edit with those after it, without regard to case.
pub fn diff_mentions<'t>(before: &[&'t str], after: &[&'t str]) -> MentionDiff<'t> {
    MentionDiff { added: missing(before, after), removed: missing(after, before) }
}

/// Those of `names` that `from` does not have.
fn missing<'t>(from: &[&str], names: &[&'t str]) -> Vec<&'t str> {
    let is_missing = |name: &&str| !from.iter().any(|it| it.eq_ignore_ascii_case(name));
    names.iter().copied().filter(is_missing).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("For @ben and @Caro_1!", &["ben", "Caro_1"])]
    #[case("@cat.", &["cat"])]
    #[case("(@cat-dog--)", &["cat-dog"])]
    #[case("@ben @BEN @Ben", &["ben"])]
    #[case("\n@ben,@caro", &["ben", "caro"])]
    #[case("„@ben“ — @caro’s", &["ben", "caro"])]
    #[case("@a.b-c_d", &["a.b-c_d"])]
    fn names_are_found(#[case] text: &str, #[case] names: &[&str]) {
        assert_eq!(find_mentions(text), names);
    }

    #[rstest]
    #[case::an_address("ana@example.org")]
    #[case::an_address_in_another_script("анна@example")]
    #[case::two_signs("@@ben")]
    #[case::a_path("/@ben")]
    #[case::behind_a_dot("a.@ben")]
    #[case::too_short("@be")]
    #[case::too_long(&format!("@{}", "b".repeat(51)))]
    #[case::a_sign_in_front("@_ben")]
    #[case::another_script_behind("@benж")]
    #[case::reserved("@admin")]
    #[case::nothing("@ ben @")]
    fn what_is_no_name_is_not_found(#[case] text: &str) {
        assert_eq!(find_mentions(text), [""; 0]);
    }

    #[test]
    fn no_text_names_more_than_fifty() {
        let text = (100..160).map(|n| format!("@user{n}")).collect::<Vec<_>>().join(" ");
        assert_eq!(find_mentions(&text).len(), MAX_MENTIONS);
    }

    #[rstest]
    #[case::nobody("rain", "sun", &[], &[])]
    #[case::others("@ben @caro", "@caro @dan", &["dan"], &["ben"])]
    #[case::the_same_in_another_order("@ben @caro", "@caro @ben", &[], &[])]
    #[case::the_same_in_capitals("@ben", "@BEN, @Ben", &[], &[])]
    #[case::a_name_that_goes_on("@ben", "@benny", &["benny"], &["ben"])]
    #[case::all("", "@ben @caro", &["ben", "caro"], &[])]
    #[case::none("@ben @caro", "", &[], &["ben", "caro"])]
    fn an_edit_names_anew_whom_the_text_did_not_name(
        #[case] before: &str,
        #[case] after: &str,
        #[case] added: &[&str],
        #[case] gone: &[&str],
    ) {
        let anew = diff_mentions(&find_mentions(before), &find_mentions(after));

        assert_eq!(anew, MentionDiff { added: added.to_vec(), removed: gone.to_vec() });
    }

    /// The rule read word by word, character by character.
    fn reference(text: &str) -> Vec<String> {
        let chars: Vec<char> = text.chars().collect();
        let mut found: Vec<String> = Vec::new();
        for at in 0..chars.len() {
            if chars[at] != '@' {
                continue;
            }
            let before = at.checked_sub(1).map(|index| chars[index]);
            if before.is_some_and(|c| c.is_alphabetic() || c.is_numeric() || "@/.".contains(c)) {
                continue;
            }
            let run: Vec<char> = chars[at + 1..]
                .iter()
                .copied()
                .take_while(|c| c.is_ascii_alphabetic() || c.is_ascii_digit() || "_.-".contains(*c))
                .collect();
            if chars.get(at + 1 + run.len()).is_some_and(|c| c.is_alphabetic()) {
                continue;
            }
            let mut name: String = run.into_iter().collect();
            while name.ends_with('.') || name.ends_with('-') {
                name.pop();
            }
            let is_new = !found.iter().any(|it| it.to_lowercase() == name.to_lowercase());
            if Username::parse(&name).is_ok() && is_new && found.len() < MAX_MENTIONS {
                found.push(name);
            }
        }
        found
    }

    proptest! {
        #[test]
        fn whoever_was_named_and_did_not_go_is_named_beside_those_added(
            before in "[@a-cA-C ]{0,40}", after in "[@a-cA-C ]{0,40}",
        ) {
            let (before, after) = (find_mentions(&before), find_mentions(&after));
            let MentionDiff { added, removed: gone } = diff_mentions(&before, &after);
            let lower = |names: &[&str]| names.iter().map(|it| it.to_lowercase()).collect::<BTreeSet<_>>();
            let stayed: BTreeSet<_> = lower(&before).difference(&lower(&gone)).cloned().collect();

            prop_assert!(stayed.is_disjoint(&lower(&added)));
            prop_assert_eq!(&stayed | &lower(&added), lower(&after));
        }

        #[test]
        fn the_parser_agrees_with_the_rule(text in "[@a-cA-C1_./ ж٣é-]{0,60}") {
            prop_assert_eq!(find_mentions(&text), reference(&text));
        }

        #[test]
        fn no_text_makes_the_parser_panic(text in "\\PC{0,200}") {
            prop_assert_eq!(find_mentions(&text), reference(&text));
        }
    }
}
