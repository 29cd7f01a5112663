//! What somebody types to find people.

use super::DisplayName;
use crate::text::{self, Lines};

/// A part of a username or a display name, in NFC, without an `@` in front.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserSearchQuery(String);

impl UserSearchQuery {
    /// The most characters: more than any name has.
    pub const MAX_CHARS: usize = DisplayName::MAX_CHARS;
    /// The fewest characters that are looked for inside names, and not only where they begin.
    pub const MIN_SUBSTRING_CHARS: usize = 3;
    /// How many people are found at most, where nothing is said.
    pub const DEFAULT_LIMIT: i64 = 10;
    /// The most people that are found.
    pub const MAX_LIMIT: i64 = 50;

    /// Takes what was typed. Nothing where it is blank, or nobody's name can have it in it: then nobody is found.
    pub fn parse(raw: &str) -> Option<Self> {
        let name = raw.trim_start().trim_start_matches('@');
        text::optional(name, Lines::Single, Self::MAX_CHARS).ok().flatten().map(Self)
    }

    /// The text to look for.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it is long enough to be looked for inside names too.
    pub fn is_long_enough_for_substring(&self) -> bool {
        Self::MIN_SUBSTRING_CHARS <= self.0.chars().count()
    }

    /// How many people are found at most: what was asked for, within bounds.
    pub fn clamp_limit(asked: Option<i64>) -> i64 {
        asked.unwrap_or(Self::DEFAULT_LIMIT).clamp(1, Self::MAX_LIMIT)
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::space_around(" \tAna \n", "Ana")]
    #[case::space_inside("Ana  Lima", "Ana  Lima")]
    #[case::a_mention("@ana", "ana")]
    #[case::a_mention_behind_space("  @@ ana", "ana")]
    #[case::an_address("ana@lima", "ana@lima")]
    #[case::decomposed_letters("A\u{308}nne", "Änne")]
    #[case::signs_of_patterns(r"%_\", r"%_\")]
    fn what_was_typed_is_looked_for_as_it_is(#[case] raw: &str, #[case] text: &str) {
        assert_eq!(UserSearchQuery::parse(raw).unwrap().as_str(), text);
    }

    #[rstest]
    #[case::nothing("")]
    #[case::space(" \u{3000}\n")]
    #[case::a_sign_alone(" @@ ")]
    #[case::nul("an\0a")]
    #[case::lines("an\na")]
    #[case::too_long(&"x".repeat(101))]
    fn what_is_in_no_name_is_no_query(#[case] raw: &str) {
        assert_eq!(UserSearchQuery::parse(raw), None);
    }

    #[rstest]
    #[case("an", false)]
    #[case("東京", false)]
    #[case("e\u{301}e\u{301}", false)]
    #[case("ana", true)]
    #[case("@an", false)]
    #[case("🙏🙏🙏", true)]
    fn three_characters_are_looked_for_inside_names(#[case] raw: &str, #[case] inside: bool) {
        assert_eq!(UserSearchQuery::parse(raw).unwrap().is_long_enough_for_substring(), inside);
    }

    #[rstest]
    #[case(None, 10)]
    #[case(Some(7), 7)]
    #[case(Some(0), 1)]
    #[case(Some(51), 50)]
    #[case(Some(i64::MIN), 1)]
    #[case(Some(i64::MAX), 50)]
    fn as_many_are_found_as_asked_within_bounds(#[case] asked: Option<i64>, #[case] people: i64) {
        assert_eq!(UserSearchQuery::clamp_limit(asked), people);
    }
}
