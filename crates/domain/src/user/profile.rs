//! The fields of a profile (docs/rules.md#accounts-and-profiles).

use thiserror::Error;

use super::Location;
use crate::excerpt::excerpt;
use crate::text::{self, Lines, TextError, texts};

texts! {
    /// A short biography. May have several lines.
    Bio,
    /// The city of a user, as free text.
    City,
    /// The name of a profile photo, common to all of its sizes. Older versions may have chosen it in another form.
    ProfilePhoto,
}

/// The name shown instead of the username. It has no bidirectional control characters.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(transparent))]
pub struct DisplayName(String);

impl Bio {
    /// The maximum number of characters.
    pub const MAX_CHARS: usize = 500;

    /// Parses a biography; `None` if it is blank.
    ///
    /// # Errors
    /// The text has more than [`Bio::MAX_CHARS`] characters, or contains a control character other than a line feed.
    pub fn parse(raw: &str) -> Result<Option<Self>, TextError> {
        Ok(text::optional(raw, Lines::Multiple, Self::MAX_CHARS)?.map(Self))
    }
}

impl City {
    /// The maximum number of characters.
    pub const MAX_CHARS: usize = 100;

    /// Parses a city; `None` if it is blank.
    ///
    /// # Errors
    /// The text has more than [`City::MAX_CHARS`] characters, or contains a control character or a line feed.
    pub fn parse(raw: &str) -> Result<Option<Self>, TextError> {
        Ok(text::optional(raw, Lines::Single, Self::MAX_CHARS)?.map(Self))
    }

    /// Parses a city that was sent together with a location.
    ///
    /// The city can be the full name of the location. If it is too long, this takes the city of the location's address, or
    /// else truncates the name.
    ///
    /// # Errors
    /// The text contains a control character or a line feed.
    pub fn parse_with_location(raw: &str, location: &Location) -> Result<Option<Self>, TextError> {
        let normalized = text::normalize(raw, Lines::Single)?;
        if normalized.chars().count() <= Self::MAX_CHARS {
            return Self::parse(&normalized);
        }
        let address_city = location.city().and_then(|city| Self::parse(city).ok()?);
        let truncated = || excerpt(&normalized, Self::MAX_CHARS);
        address_city.map_or_else(|| Self::parse(truncated()), |city| Ok(Some(city)))
    }
}

impl DisplayName {
    /// The maximum number of characters.
    pub const MAX_CHARS: usize = 100;

    /// Parses a display name.
    ///
    /// # Errors
    /// The text is blank, has more than [`DisplayName::MAX_CHARS`] characters, or contains a control character or a
    /// bidirectional control character.
    pub fn parse(raw: &str) -> Result<Self, TextError> {
        let name = text::required(raw, Lines::Single, Self::MAX_CHARS)?;
        if name.contains(text::is_bidirectional_control) {
            return Err(TextError::BidirectionalControl);
        }
        Ok(Self(name))
    }

    /// Wraps a stored name. Removes bidirectional control characters, which older versions accepted, so that the name does
    /// not reverse the sentence it is shown in.
    pub fn from_stored(mut name: String) -> Self {
        name.retain(|character| !text::is_bidirectional_control(character));
        Self(name)
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether the name has no visible character. Older versions accepted such names.
    pub(super) fn is_blank(&self) -> bool {
        text::is_blank(&self.0)
    }
}

impl From<DisplayName> for String {
    fn from(name: DisplayName) -> Self {
        name.0
    }
}

/// Why a list in a profile is invalid.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum EntryListError {
    /// The list has more entries than allowed, not counting blank ones.
    #[error("must have at most {max} entries")]
    TooMany {
        /// The maximum number of entries.
        max: usize,
    },
    /// The text of an entry is invalid.
    #[error("entry {number} {reason}")]
    Entry {
        /// The number of the entry, counted from 1.
        number: usize,
        /// Why it is invalid.
        reason: TextError,
    },
    /// An entry is not an http or https URL, or a label of its host has neither a letter nor a digit.
    #[error("entry {number} must be an http or https URL with a host")]
    Url {
        /// The number of the entry, counted from 1.
        number: usize,
    },
    /// A URL contains a user name or a password.
    #[error("entry {number} must not contain a user name or a password")]
    UserInfo {
        /// The number of the entry, counted from 1.
        number: usize,
    },
}

/// Schools, companies and similar institutions. Blank entries are dropped.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(transparent))]
pub struct Institutions(Vec<String>);

impl Institutions {
    /// The maximum number of entries.
    pub const MAX_ENTRIES: usize = 10;
    /// The maximum number of characters per entry.
    pub const MAX_CHARS: usize = 100;

    /// Parses the names.
    ///
    /// # Errors
    /// There are more than [`Institutions::MAX_ENTRIES`] names that are not blank, or one has more than
    /// [`Institutions::MAX_CHARS`] characters or contains a control character.
    pub fn parse(raw: &[String]) -> Result<Self, EntryListError> {
        parse_entries(raw, Self::MAX_ENTRIES, Self::MAX_CHARS).map(Self)
    }

    /// Wraps stored names without checking them.
    pub fn from_stored(names: Vec<String>) -> Self {
        Self(names)
    }

    /// The names, in the order of the request.
    pub fn as_slice(&self) -> &[String] {
        &self.0
    }
}

pub(super) fn parse_entries(
    raw: &[String],
    max: usize,
    max_chars: usize,
) -> Result<Vec<String>, EntryListError> {
    let mut entries = Vec::new();
    for (index, entry) in raw.iter().enumerate() {
        let entry = text::optional(entry, Lines::Single, max_chars)
            .map_err(|reason| EntryListError::Entry { number: index + 1, reason })?;
        entries.extend(entry);
    }
    if entries.len() <= max { Ok(entries) } else { Err(EntryListError::TooMany { max }) }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::{Value, json};

    use super::*;

    fn strings(raw: &[&str]) -> Vec<String> {
        raw.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn blank_clears_bio_and_city_but_not_a_display_name() {
        assert_eq!(Bio::parse(" \r\n "), Ok(None));
        assert_eq!(City::parse(""), Ok(None));
        assert_eq!(DisplayName::parse("  "), Err(TextError::Empty));
    }

    #[rstest]
    fn a_name_with_a_bidirectional_control_is_rejected_and_a_stored_one_is_cleaned(
        #[values(
            '\u{61c}', '\u{200e}', '\u{200f}', '\u{202a}', '\u{202b}', '\u{202c}', '\u{202d}',
            '\u{202e}', '\u{2066}', '\u{2067}', '\u{2068}', '\u{2069}'
        )]
        control: char,
    ) {
        let name = format!("{control}gnp.evil");

        assert_eq!(DisplayName::parse(&name), Err(TextError::BidirectionalControl));
        assert_eq!(DisplayName::from_stored(name).as_str(), "gnp.evil");
    }

    #[rstest]
    #[case("أحمد")]
    #[case("דוד כהן (David)")]
    #[case("می\u{200c}خواهم")]
    fn names_in_right_to_left_scripts_need_no_controls(#[case] name: &str) {
        assert_eq!(DisplayName::parse(name).unwrap().as_str(), name);
    }

    #[test]
    fn a_city_that_is_too_long_is_taken_from_the_address_or_truncated() {
        let long = "São Paulo, ".repeat(20);
        let location = |address: Value| {
            let raw = json!({"display_name": long, "lat": 0, "lon": 0, "address": address});
            Location::parse(raw.as_object().unwrap().clone()).unwrap()
        };
        let city = |raw: &str, address: Value| {
            City::parse_with_location(raw, &location(address)).unwrap().map(String::from)
        };

        assert_eq!(city(&long, json!({"city": "São Paulo"})).unwrap(), "São Paulo");
        assert_eq!(
            city(&long, json!({"city": long})).unwrap(),
            long.trim()[..].chars().take(100).collect::<String>().trim()
        );
        assert_eq!(city(&long, json!({"city": " "})).unwrap().chars().count(), 100);
        assert_eq!(city(&long, json!({})).unwrap().chars().count(), 100);
        assert_eq!(city("Rio", json!({"city": "São Paulo"})).unwrap(), "Rio");
        assert_eq!(city("", json!({"city": "São Paulo"})), None);
        assert_eq!(
            City::parse_with_location("\0", &location(json!({}))),
            Err(TextError::ControlCharacter)
        );
    }

    #[test]
    fn blank_entries_are_dropped_before_counting() {
        let raw = strings(&["a", " ", "b", "", "c", "d", "e", "f", "g", "h", "i", "j"]);
        assert_eq!(Institutions::parse(&raw).unwrap().as_slice().len(), 10);

        let raw = strings(&["x"; 11]);
        assert_eq!(Institutions::parse(&raw), Err(EntryListError::TooMany { max: 10 }));
    }
}
