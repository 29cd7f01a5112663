//! What somebody types to find a place.

use thiserror::Error;

use crate::text::{self, Lines, TextError};

/// The words for a place: at least two characters, white space counted once.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct LocationQuery(String);

/// Why a query was refused.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum LocationQueryError {
    /// Too little to look for.
    #[error("must be at least {} characters long", LocationQuery::MIN_CHARS)]
    TooShort,
    /// No text of at most [`LocationQuery::MAX_CHARS`] characters.
    #[error(transparent)]
    Text(#[from] TextError),
}

impl LocationQuery {
    /// The fewest characters.
    pub const MIN_CHARS: usize = 2;
    /// The most characters: more than any address has.
    pub const MAX_CHARS: usize = 200;
    /// The most places that are looked for at once (contract §5).
    pub const MAX_RESULTS: u8 = 10;

    /// Takes what was typed.
    ///
    /// # Errors
    /// Fewer than [`LocationQuery::MIN_CHARS`], more than [`LocationQuery::MAX_CHARS`], or a control character.
    pub fn parse(raw: &str) -> Result<Self, LocationQueryError> {
        let typed = text::required(raw, Lines::Single, Self::MAX_CHARS);
        let typed = match typed {
            Err(TextError::Empty) => return Err(LocationQueryError::TooShort),
            typed => typed?,
        };
        let words = typed.split_whitespace().collect::<Vec<_>>().join(" ");
        if words.chars().count() < Self::MIN_CHARS {
            return Err(LocationQueryError::TooShort);
        }
        Ok(Self(words))
    }

    /// The words.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The same for all who mean the same: the words without regard to case.
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
    fn words_are_what_counts(#[case] raw: &str, #[case] words: &str, #[case] key: &str) {
        let query = LocationQuery::parse(raw).unwrap();

        assert_eq!((query.as_str(), query.to_key().as_str()), (words, key));
    }

    #[rstest]
    #[case("")]
    #[case(" a ")]
    #[case("\u{3000}")]
    #[case("e\u{301}")]
    fn a_single_character_is_too_little(#[case] raw: &str) {
        assert_eq!(LocationQuery::parse(raw), Err(LocationQueryError::TooShort));
    }

    #[test]
    fn megabytes_and_control_characters_are_refused() {
        assert!(LocationQuery::parse(&"x".repeat(201)).is_err());
        assert!(LocationQuery::parse("New\0York").is_err());
        assert!(LocationQuery::parse("New\nYork").is_err());
    }
}
