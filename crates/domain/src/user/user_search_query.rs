//! Queries of the user search (docs/rules.md#search).

use super::DisplayName;
use crate::text::{self, Lines};

/// The text of a user search: part of a username or a display name, in NFC, without a leading `@`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserSearchQuery(String);

impl UserSearchQuery {
    /// The maximum number of characters. No name is longer.
    pub const MAX_CHARS: usize = DisplayName::MAX_CHARS;
    /// The minimum number of characters for matches inside names, after folding case, width and accents. Shorter queries
    /// match only the beginning.
    pub const MIN_SUBSTRING_CHARS: i32 = 3;

    /// Parses the search text. `None` if it is blank or cannot be part of any name, so that there are no results.
    pub fn parse(raw: &str) -> Option<Self> {
        let name = raw.trim_start().trim_start_matches('@');
        text::optional(name, Lines::Single, Self::MAX_CHARS).ok().flatten().map(Self)
    }

    /// The text to look for.
    pub fn as_str(&self) -> &str {
        &self.0
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
    #[case::a_mention_after_space("  @@ ana", "ana")]
    #[case::an_email_address("ana@lima", "ana@lima")]
    #[case::decomposed_letters("A\u{308}nne", "Änne")]
    #[case::pattern_characters(r"%_\", r"%_\")]
    fn the_text_is_searched_literally(#[case] raw: &str, #[case] text: &str) {
        assert_eq!(UserSearchQuery::parse(raw).unwrap().as_str(), text);
    }

    #[rstest]
    #[case::nothing("")]
    #[case::space(" \u{3000}\n")]
    #[case::at_signs_only(" @@ ")]
    #[case::nul("an\0a")]
    #[case::lines("an\na")]
    #[case::nothing_visible("\u{200b}\u{3164}\u{301}")]
    #[case::too_long(&"x".repeat(101))]
    fn text_that_no_name_contains_is_not_a_query(#[case] raw: &str) {
        assert_eq!(UserSearchQuery::parse(raw), None);
    }
}
