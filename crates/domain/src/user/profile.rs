//! The fields of a profile (docs/rules.md#accounts-and-profiles).

use serde_json::{Map, Value};
use thiserror::Error;
use url::Url;

use super::Location;
use super::json::{has_nul, json_len};
use crate::text::{self, Lines, TextError, texts};

texts! {
    /// A short biography. May have several lines.
    Bio,
    /// The city of a user, as free text.
    City,
    /// The name shown instead of the username.
    DisplayName,
}

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
    /// Clients send the full name of the location as the city (docs/http-api.md#web-client-compatibility). If it is too
    /// long, this takes the city of the location's address, or else truncates the name.
    ///
    /// # Errors
    /// The text contains a control character or a line feed.
    pub fn parse_with_location(raw: &str, location: &Location) -> Result<Option<Self>, TextError> {
        let normalized = text::normalize(raw, Lines::Single)?;
        if normalized.chars().count() <= Self::MAX_CHARS {
            return Self::parse(&normalized);
        }
        let address_city = location.city().and_then(|city| Self::parse(city).ok()?);
        let truncated = || normalized.chars().take(Self::MAX_CHARS).collect::<String>();
        address_city.map_or_else(|| Self::parse(&truncated()), |city| Ok(Some(city)))
    }
}

impl DisplayName {
    /// The maximum number of characters.
    pub const MAX_CHARS: usize = 100;

    /// Parses a display name.
    ///
    /// # Errors
    /// The text is blank, has more than [`DisplayName::MAX_CHARS`] characters, or contains a control character.
    pub fn parse(raw: &str) -> Result<Self, TextError> {
        text::required(raw, Lines::Single, Self::MAX_CHARS).map(Self)
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
    /// An entry is not an http or https URL.
    #[error("entry {number} must be an http or https URL with a host")]
    Url {
        /// The number of the entry, counted from 1.
        number: usize,
    },
}

/// Schools, companies and similar institutions. Blank entries are dropped.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
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

/// Links to websites of the user. Blank entries are dropped.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Websites(Vec<String>);

impl Websites {
    /// The maximum number of entries.
    pub const MAX_ENTRIES: usize = 5;
    /// The maximum number of characters per URL, as supported by common browsers and servers.
    pub const MAX_CHARS: usize = 2_000;

    /// Parses the URLs. Only http and https URLs are allowed, since browsers open them.
    ///
    /// # Errors
    /// There are more than [`Websites::MAX_ENTRIES`] URLs that are not blank, or one is too long or not an http or https
    /// URL with a host.
    pub fn parse(raw: &[String]) -> Result<Self, EntryListError> {
        let urls = parse_entries(raw, Self::MAX_ENTRIES, Self::MAX_CHARS)?;
        match urls.iter().position(|url| !is_web_url(url)) {
            Some(index) => Err(EntryListError::Url { number: index + 1 }),
            None => Ok(Self(urls)),
        }
    }

    /// Wraps stored URLs without checking them.
    pub fn from_stored(urls: Vec<String>) -> Self {
        Self(urls)
    }

    /// The URLs, in the order of the request.
    pub fn as_slice(&self) -> &[String] {
        &self.0
    }
}

fn parse_entries(
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

fn is_web_url(text: &str) -> bool {
    Url::parse(text).is_ok_and(|url| {
        let has_host = url.host_str().is_some_and(|host| !host.is_empty());
        matches!(url.scheme(), "http" | "https") && has_host
    })
}

/// Whether a user approves each new follower.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Approval {
    /// Follows take effect immediately.
    NotRequired,
    /// Follows start as requests.
    Required,
}

/// The preferences of a user. Unknown keys are kept for the clients that use them.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Preferences(Map<String, Value>);

/// Why preferences are invalid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum PreferencesError {
    /// `approve_followers` is not a boolean.
    #[error("approve_followers must be true or false")]
    ApproveFollowers,
    /// `notifications` is not an object of booleans.
    #[error("notifications must be an object of true or false by type")]
    Notifications,
    /// A text contains a NUL, which `jsonb` cannot store.
    #[error("must not contain NUL characters")]
    Nul,
    /// The JSON is too large.
    #[error("must be at most {} bytes of JSON", Preferences::MAX_BYTES)]
    TooLarge,
}

impl Preferences {
    /// The maximum size in bytes, as compact JSON.
    pub const MAX_BYTES: usize = 16 * 1024;

    /// Wraps stored preferences without checking them.
    pub fn from_stored(preferences: Map<String, Value>) -> Self {
        Self(preferences)
    }

    /// Validates the known keys.
    ///
    /// # Errors
    /// A known key has an invalid value, a text contains a NUL, or the JSON has more than [`Preferences::MAX_BYTES`].
    pub fn parse(raw: Map<String, Value>) -> Result<Self, PreferencesError> {
        let are_switches = |value: &Value| {
            value.as_object().is_some_and(|switches| switches.values().all(Value::is_boolean))
        };
        if raw.get("approve_followers").is_some_and(|value| !value.is_boolean()) {
            return Err(PreferencesError::ApproveFollowers);
        }
        if raw.get("notifications").is_some_and(|value| !are_switches(value)) {
            return Err(PreferencesError::Notifications);
        }
        if has_nul(&raw) {
            return Err(PreferencesError::Nul);
        }
        if Self::MAX_BYTES < json_len(&raw) {
            return Err(PreferencesError::TooLarge);
        }
        Ok(Self(raw))
    }

    /// Whether the user approves each new follower. `false` by default.
    pub fn approve_followers(&self) -> bool {
        self.0.get("approve_followers").and_then(Value::as_bool).unwrap_or(false)
    }

    /// The approval that a follow of this user needs.
    pub fn approval(&self) -> Approval {
        if self.approve_followers() { Approval::Required } else { Approval::NotRequired }
    }

    /// All keys, known and unknown.
    pub fn as_map(&self) -> &Map<String, Value> {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::json;

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

    #[rstest]
    #[case("https://example.org/a?b#c")]
    #[case("http://localhost:3000")]
    #[case("HTTPS://EXAMPLE.ORG")]
    fn http_and_https_urls_are_allowed(#[case] url: &str) {
        assert!(Websites::parse(&strings(&[url])).is_ok());
    }

    #[rstest]
    #[case("javascript:alert(1)")]
    #[case("JaVaScRiPt://example.org/%0aalert(1)")]
    #[case("data:text/html,hi")]
    #[case("ftp://example.org")]
    #[case("example.org")]
    #[case("https://")]
    #[case("https://exa mple.org")]
    fn invalid_urls_are_rejected(#[case] url: &str) {
        let rejected = Websites::parse(&strings(&["https://example.org", url]));
        assert_eq!(rejected, Err(EntryListError::Url { number: 2 }));
    }

    #[rstest]
    #[case(json!({"approve_followers": "yes"}), PreferencesError::ApproveFollowers)]
    #[case(json!({"notifications": {"like": 1}}), PreferencesError::Notifications)]
    #[case(json!({"notifications": true}), PreferencesError::Notifications)]
    #[case(json!({"theme": {"a\u{0}": 1}}), PreferencesError::Nul)]
    #[case(json!({"theme": "x".repeat(17_000)}), PreferencesError::TooLarge)]
    fn invalid_preferences_are_rejected(#[case] raw: Value, #[case] error: PreferencesError) {
        assert_eq!(Preferences::parse(raw.as_object().unwrap().clone()), Err(error));
    }

    #[test]
    fn unknown_preferences_are_kept() {
        let raw =
            json!({"theme": "dark", "approve_followers": true, "notifications": {"like": false}});
        let preferences = Preferences::parse(raw.as_object().unwrap().clone()).unwrap();

        assert!(preferences.approve_followers());
        assert_eq!(preferences.as_map()["theme"], "dark");
    }

    #[test]
    fn follows_need_no_approval_by_default() {
        for (raw, approval) in [
            (json!({}), Approval::NotRequired),
            (json!({"approve_followers": false}), Approval::NotRequired),
            (json!({"approve_followers": true}), Approval::Required),
            // Older installations may have stored this.
            (json!({"approve_followers": "yes"}), Approval::NotRequired),
        ] {
            let preferences = Preferences::from_stored(raw.as_object().unwrap().clone());
            assert_eq!(preferences.approval(), approval, "{raw}");
        }
    }
}
