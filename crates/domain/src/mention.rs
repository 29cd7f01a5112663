//! Finds the mentions in a text (docs/rules.md#mentions).

use crate::Username;

/// The maximum number of mentions in one text.
pub const MAX_MENTIONS: usize = 50;

/// Finds the usernames that follow an `@` in a text: in the order and spelling of the text, without duplicates (ignoring
/// case), and at most [`MAX_MENTIONS`]. Does not check whether these users exist.
pub fn find_mentions(text: &str) -> Vec<&str> {
    let mut found: Vec<&str> = Vec::new();
    for name in text.split_whitespace().filter_map(mention_in_token) {
        if found.len() < MAX_MENTIONS && !contains_ignoring_case(&found, name) {
            found.push(name);
        }
    }
    found
}

/// The mention in a run of text without white space, if there is one. Only its first `@` can be one: what precedes a second
/// `@` makes an address or a handle of another service.
fn mention_in_token(token: &str) -> Option<&str> {
    let (before, after) = token.split_once('@')?;
    if before.ends_with(|c: char| c.is_alphanumeric() || "/.=&#~+-_%".contains(c))
        || token.contains("://")
    {
        return None;
    }
    let (name, rest) = after.split_at(name_end(after));
    // A name that continues with letters of another script is not a username, and one before an `@` is part of an address.
    if rest.starts_with(|c: char| c.is_alphabetic() || c == '@') {
        return None;
    }
    let name = Username::trim_punctuation(name);
    Username::parse(name).is_ok().then_some(name)
}

/// The byte length of the run of name characters at the start of a text. A digit that is the start of an emoji ends it.
fn name_end(text: &str) -> usize {
    let is_emoji = |rest: &str| {
        rest.starts_with(|c: char| c.is_ascii_digit())
            && rest[1..].starts_with(['\u{FE0F}', '\u{20E3}'])
    };
    let mut ends =
        text.char_indices().filter(|(at, c)| !is_name_character(*c) || is_emoji(&text[*at..]));
    ends.next().map_or(text.len(), |(at, _)| at)
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
    #[case("\n@ben, @caro", &["ben", "caro"])]
    #[case("„@ben“ — @caro’s", &["ben", "caro"])]
    #[case("@a.b-c_d", &["a.b-c_d"])]
    #[case::a_keycap("@vic1\u{fe0f}\u{20e3}", &["vic"])]
    #[case::a_keycap_without_selector("@vic12\u{20e3}!", &["vic1"])]
    #[case::a_digit_as_an_emoji("@vic1\u{fe0f}", &["vic"])]
    #[case::punctuation_before_a_keycap("@vic.1\u{fe0f}\u{20e3}", &["vic"])]
    #[case::after_a_keycap("1\u{fe0f}\u{20e3}@vic", &["vic"])]
    #[case::after_an_emoji("🙏@vic🙏", &["vic"])]
    #[case::a_url_in_another_token("https://example.org @vic", &["vic"])]
    #[case::signs_before("!@vic", &["vic"])]
    #[case::a_possessive("@vic's", &["vic"])]
    #[case::a_digit_of_another_script_follows("@vic٣", &["vic"])]
    fn mentions_are_found(#[case] text: &str, #[case] names: &[&str]) {
        assert_eq!(find_mentions(text), names);
    }

    #[rstest]
    #[case::an_email_address("ana@example.org")]
    #[case::an_email_address_in_another_script("анна@example")]
    #[case::two_at_signs("@@ben")]
    #[case::a_path("/@ben")]
    #[case::after_a_dot("a.@ben")]
    #[case::a_query("?user=@ben")]
    #[case::a_further_parameter("x&@ben")]
    #[case::a_fragment("#@ben")]
    #[case::a_home_directory("~@ben/x")]
    #[case::a_tagged_address("team+@ben")]
    #[case::after_a_hyphen("-@ben")]
    #[case::after_an_underscore("first_@ben")]
    #[case::after_a_percent_sign("%@ben")]
    #[case::after_an_escape("mailto:%40@ben")]
    #[case::in_a_url("https://example.org/(@ben)")]
    #[case::before_a_scheme("(@ben)://x")]
    #[case::an_address_follows("@ben@social.example")]
    #[case::an_address_follows_punctuation("@ben.@social.example")]
    #[case::an_earlier_at_sign("git@host:@ben")]
    #[case::an_earlier_lone_at_sign("@,@ben")]
    #[case::an_emoji_in_the_name("@be1\u{fe0f}\u{20e3}nny")]
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
        for at in (0..chars.len()).filter(|at| chars[*at] == '@') {
            if !is_mention_allowed(&chars, at) {
                continue;
            }
            let mut end = at + 1;
            while end < chars.len()
                && (chars[end].is_ascii_alphanumeric() || "_.-".contains(chars[end]))
                && !(chars[end].is_ascii_digit()
                    && matches!(chars.get(end + 1), Some('\u{fe0f}' | '\u{20e3}')))
            {
                end += 1;
            }
            if chars.get(end).is_some_and(|c| c.is_alphabetic() || *c == '@') {
                continue;
            }
            let mut name: String = chars[at + 1..end].iter().collect();
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

    /// Whether a mention may start at this `@`, by the character before it and the characters of its token.
    fn is_mention_allowed(chars: &[char], at: usize) -> bool {
        let is_start = |index: usize| index == 0 || chars[index - 1].is_whitespace();
        let is_end = |index: usize| index == chars.len() || chars[index].is_whitespace();
        let start = (0..=at).rev().find(|index| is_start(*index)).unwrap();
        let end = (at..=chars.len()).find(|index| is_end(*index)).unwrap();
        let is_url = chars[start..end].windows(3).any(|window| window == [':', '/', '/']);
        let is_later = chars[start..at].contains(&'@');
        let before = if start < at { chars[at - 1] } else { ' ' };
        let is_attached = before.is_alphabetic()
            || before.is_numeric()
            || ['@', '/', '.', '=', '&', '#', '~', '+', '-', '_', '%'].contains(&before);
        !is_url && !is_later && !is_attached
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
        fn the_parser_agrees_with_the_reference(text in "[@a-cA-C1_./ ж٣é:=&#~+%!\u{fe0f}\u{20e3}\u{a0}-]{0,60}") {
            prop_assert_eq!(find_mentions(&text), reference(&text));
        }

        #[test]
        fn the_parser_agrees_with_the_reference_in_short_tokens(
            text in "(@?[ab1]{2,4}[1@.]?(\u{fe0f}|\u{20e3}|://|[=~ж])?@?[ab]{0,3}[ \u{3000}]?){0,8}",
        ) {
            prop_assert_eq!(find_mentions(&text), reference(&text));
        }

        #[test]
        fn parsing_any_text_does_not_panic(text in "\\PC{0,200}") {
            prop_assert_eq!(find_mentions(&text), reference(&text));
        }
    }
}
