//! Finds the mentions in a text (docs/rules.md#mentions).

use crate::Username;

/// The maximum number of mentions in one text.
pub const MAX_MENTIONS: usize = 50;

/// Finds the usernames that follow an `@` in a text: in the order and spelling of the text, without duplicates (ignoring
/// case), and at most [`MAX_MENTIONS`]. Does not check whether these users exist.
pub fn find_mentions(text: &str) -> Vec<&str> {
    let mut found: Vec<&str> = Vec::new();
    for (at_sign, _) in text.match_indices('@') {
        let Some(name) = name_after(text, at_sign) else { continue };
        if found.len() < MAX_MENTIONS && !contains_ignoring_case(&found, name) {
            found.push(name);
        }
    }
    found
}

/// The username after the `@` at this byte index, if there is a valid one.
fn name_after(text: &str, at_sign: usize) -> Option<&str> {
    let before = text[..at_sign].chars().next_back();
    if before.is_some_and(|c| c.is_alphanumeric() || "@/.".contains(c)) {
        return None;
    }
    let after = &text[at_sign + 1..];
    let end = after.find(|c| !is_name_character(c)).unwrap_or(after.len());
    let (name, rest) = after.split_at(end);
    // A name that continues with letters of another script is not a username.
    if rest.chars().next().is_some_and(char::is_alphabetic) {
        return None;
    }
    let name = Username::trim_punctuation(name);
    Username::parse(name).is_ok().then_some(name)
}

fn contains_ignoring_case(names: &[&str], name: &str) -> bool {
    names.iter().any(|other| other.eq_ignore_ascii_case(name))
}

fn is_name_character(c: char) -> bool {
    c.is_ascii_alphanumeric() || "_.-".contains(c)
}

/// The mentions that an edit added and removed, in the spelling of the texts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MentionDiff<'t> {
    pub added: Vec<&'t str>,
    pub removed: Vec<&'t str>,
}

/// Compares the mentions before and after an edit, ignoring case.
pub fn diff_mentions<'t>(before: &[&'t str], after: &[&'t str]) -> MentionDiff<'t> {
    MentionDiff { added: without(after, before), removed: without(before, after) }
}

/// The `names` that are not in `others`.
fn without<'t>(names: &[&'t str], others: &[&str]) -> Vec<&'t str> {
    names.iter().copied().filter(|name| !contains_ignoring_case(others, name)).collect()
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
    fn mentions_are_found(#[case] text: &str, #[case] names: &[&str]) {
        assert_eq!(find_mentions(text), names);
    }

    #[rstest]
    #[case::an_email_address("ana@example.org")]
    #[case::an_email_address_in_another_script("анна@example")]
    #[case::two_at_signs("@@ben")]
    #[case::a_path("/@ben")]
    #[case::after_a_dot("a.@ben")]
    #[case::too_short("@be")]
    #[case::too_long(&format!("@{}", "b".repeat(51)))]
    #[case::leading_underscore("@_ben")]
    #[case::letters_of_another_script_follow("@benж")]
    #[case::reserved("@admin")]
    #[case::nothing("@ ben @")]
    fn invalid_mentions_are_ignored(#[case] text: &str) {
        assert_eq!(find_mentions(text), [""; 0]);
    }

    #[test]
    fn at_most_fifty_mentions_are_found() {
        let text = (100..160).map(|n| format!("@user{n}")).collect::<Vec<_>>().join(" ");
        assert_eq!(find_mentions(&text).len(), MAX_MENTIONS);
    }

    #[rstest]
    #[case::no_mentions("rain", "sun", &[], &[])]
    #[case::one_added_and_one_removed("@ben @caro", "@caro @dan", &["dan"], &["ben"])]
    #[case::another_order("@ben @caro", "@caro @ben", &[], &[])]
    #[case::another_case("@ben", "@BEN, @Ben", &[], &[])]
    #[case::a_longer_name("@ben", "@benny", &["benny"], &["ben"])]
    #[case::all_added("", "@ben @caro", &["ben", "caro"], &[])]
    #[case::all_removed("@ben @caro", "", &[], &["ben", "caro"])]
    fn the_diff_has_added_and_removed_mentions(
        #[case] before: &str,
        #[case] after: &str,
        #[case] added: &[&str],
        #[case] removed: &[&str],
    ) {
        let diff = diff_mentions(&find_mentions(before), &find_mentions(after));

        assert_eq!(diff, MentionDiff { added: added.to_vec(), removed: removed.to_vec() });
    }

    /// The rule of docs/rules.md#mentions, implemented character by character.
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
            let is_new = !found.iter().any(|other| other.to_lowercase() == name.to_lowercase());
            if Username::parse(&name).is_ok() && is_new && found.len() < MAX_MENTIONS {
                found.push(name);
            }
        }
        found
    }

    proptest! {
        #[test]
        fn the_mentions_after_an_edit_are_those_kept_and_those_added(
            before in "[@a-cA-C ]{0,40}", after in "[@a-cA-C ]{0,40}",
        ) {
            let (before, after) = (find_mentions(&before), find_mentions(&after));
            let MentionDiff { added, removed } = diff_mentions(&before, &after);
            let lower = |names: &[&str]| names.iter().map(|name| name.to_lowercase()).collect::<BTreeSet<_>>();
            let kept: BTreeSet<_> = lower(&before).difference(&lower(&removed)).cloned().collect();

            prop_assert!(kept.is_disjoint(&lower(&added)));
            prop_assert_eq!(&kept | &lower(&added), lower(&after));
        }

        #[test]
        fn the_parser_agrees_with_the_reference(text in "[@a-cA-C1_./ ж٣é-]{0,60}") {
            prop_assert_eq!(find_mentions(&text), reference(&text));
        }

        #[test]
        fn parsing_any_text_does_not_panic(text in "\\PC{0,200}") {
            prop_assert_eq!(find_mentions(&text), reference(&text));
        }
    }
}
