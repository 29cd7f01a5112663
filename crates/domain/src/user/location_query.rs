//! Queries of the location search.

use thiserror::Error;

use crate::text::{self, Lines, TextError};

/// The text of a location search: at least two characters, with runs of white space replaced by one space.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct LocationQuery(String);

/// Why a query is invalid.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum LocationQueryError {
    /// The query is too short.
    #[error("must be at least {} characters long", LocationQuery::MIN_CHARS)]
    TooShort,
    /// The text is too long or contains control characters.
    #[error(transparent)]
    Text(#[from] TextError),
}

impl LocationQuery {
    /// The minimum number of characters.
    pub const MIN_CHARS: usize = 2;
    /// The maximum number of characters. No address is longer.
    pub const MAX_CHARS: usize = 200;
    /// The maximum number of results.
    pub const MAX_RESULTS: u8 = 10;

    /// Parses the search text.
    ///
    /// # Errors
    /// The text has fewer than [`LocationQuery::MIN_CHARS`] or more than [`LocationQuery::MAX_CHARS`] characters, or
    /// contains a control character.
    pub fn parse(raw: &str) -> Result<Self, LocationQueryError> {
        let text = match text::required(raw, Lines::Single, Self::MAX_CHARS) {
            Err(TextError::Empty) => return Err(LocationQueryError::TooShort),
            text => text?,
        };
        let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
        if words.chars().count() < Self::MIN_CHARS {
            return Err(LocationQueryError::TooShort);
        }
        Ok(Self(words))
    }

    /// The search text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The cache key: the search text in lower case.
    pub fn to_key(&self) -> String {
        self.0.to_lowercase()
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("  New \t York ", "New York", "new york")]
    #[case("東京", "東京", "東京")]
    #[case("Cafe\u{301}", "Café", "café")]
    fn white_space_and_case_do_not_change_the_key(
        #[case] raw: &str,
        #[case] words: &str,
        #[case] key: &str,
    ) {
        let query = LocationQuery::parse(raw).unwrap();

        assert_eq!((query.as_str(), query.to_key().as_str()), (words, key));
    }

    #[rstest]
    #[case("")]
    #[case(" a ")]
    #[case("\u{3000}")]
    #[case("e\u{301}")]
    fn a_single_character_is_too_short(#[case] raw: &str) {
        assert_eq!(LocationQuery::parse(raw), Err(LocationQueryError::TooShort));
    }

    #[test]
    fn long_texts_and_control_characters_are_rejected() {
        assert!(LocationQuery::parse(&"x".repeat(201)).is_err());
        assert!(LocationQuery::parse("New\0York").is_err());
        assert!(LocationQuery::parse("New\nYork").is_err());
    }
}
