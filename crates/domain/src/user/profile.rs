//! What people say of themselves.

use serde_json::{Map, Value};
use thiserror::Error;
use url::Url;

use super::Location;
use crate::text::{self, Lines, TextError, texts};
use crate::{Approval, NotificationType};

texts! {
    /// A few words about oneself, over several lines if need be.
    Bio,
    /// The town somebody lives in, in their own words.
    City,
    /// The name shown in place of the username.
    DisplayName,
}

impl Bio {
    /// The most characters.
    pub const MAX_CHARS: usize = 500;

    /// Checks a biography; a blank one is none.
    ///
    /// # Errors
    /// More than [`Bio::MAX_CHARS`], or a control character other than a line feed.
    pub fn parse(raw: &str) -> Result<Option<Self>, TextError> {
        Ok(text::optional(raw, Lines::Multiple, Self::MAX_CHARS)?.map(Self))
    }
}

impl City {
    /// The most characters.
    pub const MAX_CHARS: usize = 100;

    /// Checks a city; a blank one is none.
    ///
    /// # Errors
    /// More than [`City::MAX_CHARS`], or a control character, a line feed among them.
    pub fn parse(raw: &str) -> Result<Option<Self>, TextError> {
        Ok(text::optional(raw, Lines::Single, Self::MAX_CHARS)?.map(Self))
    }

    /// The city of somebody who sends the place along that they chose. Clients send the whole name of the place for the
    /// city (contract §1): where that is too long, its address knows better, and else the beginning has to do.
    ///
    /// # Errors
    /// A control character.
    pub fn parse_with_location(raw: &str, place: &Location) -> Result<Option<Self>, TextError> {
        let tidy = text::normalize(raw, Lines::Single)?;
        if tidy.chars().count() <= Self::MAX_CHARS {
            return Self::parse(&tidy);
        }
        let of_address = place.city().and_then(|city| Self::parse(city).ok()?);
        let beginning = || tidy.chars().take(Self::MAX_CHARS).collect::<String>();
        of_address.map_or_else(|| Self::parse(&beginning()), |city| Ok(Some(city)))
    }
}

impl DisplayName {
    /// The most characters.
    pub const MAX_CHARS: usize = 100;

    /// Checks a name to be shown.
    ///
    /// # Errors
    /// Nothing but white space, more than [`DisplayName::MAX_CHARS`], or a control character.
    pub fn parse(raw: &str) -> Result<Self, TextError> {
        text::required(raw, Lines::Single, Self::MAX_CHARS).map(Self)
    }
}

/// Why a list of a profile was refused.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum EntryListError {
    /// More entries than allowed, blank ones not counted.
    #[error("must have at most {max} entries")]
    TooMany {
        /// How many there may be.
        max: usize,
    },
    /// One entry is no text that we take.
    #[error("entry {number} {reason}")]
    Entry {
        /// Which one, counted from 1.
        number: usize,
        /// What is wrong with it.
        reason: TextError,
    },
    /// One entry is no link that can be followed safely.
    #[error("entry {number} must be an http or https address with a host")]
    Url {
        /// Which one, counted from 1.
        number: usize,
    },
}

/// Schools, companies and the like, blank entries dropped.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Institutions(Vec<String>);

impl Institutions {
    /// The most entries.
    pub const MAX_ENTRIES: usize = 10;
    /// The most characters in one.
    pub const MAX_CHARS: usize = 100;

    /// Checks the names.
    ///
    /// # Errors
    /// More than [`Institutions::MAX_ENTRIES`] that are not blank, or one of more than [`Institutions::MAX_CHARS`] characters.
    pub fn parse(raw: &[String]) -> Result<Self, EntryListError> {
        entries(raw, Self::MAX_ENTRIES, Self::MAX_CHARS).map(Self)
    }

    /// Takes back what was parsed before it was stored.
    pub fn from_stored(names: Vec<String>) -> Self {
        Self(names)
    }

    /// The names, in the order given.
    pub fn as_slice(&self) -> &[String] {
        &self.0
    }
}

/// Links to elsewhere, blank entries dropped.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Websites(Vec<String>);

impl Websites {
    /// The most entries.
    pub const MAX_ENTRIES: usize = 5;
    /// The most characters in one: what browsers and servers agree to carry.
    pub const MAX_CHARS: usize = 2_000;

    /// Checks the addresses: a browser will be asked to open them, so only web addresses pass.
    ///
    /// # Errors
    /// More than [`Websites::MAX_ENTRIES`] that are not blank, or one that is too long or no http or https address with a host.
    pub fn parse(raw: &[String]) -> Result<Self, EntryListError> {
        let addresses = entries(raw, Self::MAX_ENTRIES, Self::MAX_CHARS)?;
        match addresses.iter().position(|address| !is_web_address(address)) {
            Some(index) => Err(EntryListError::Url { number: index + 1 }),
            None => Ok(Self(addresses)),
        }
    }

    /// Takes back what was parsed before it was stored.
    pub fn from_stored(addresses: Vec<String>) -> Self {
        Self(addresses)
    }

    /// The addresses, in the order given.
    pub fn as_slice(&self) -> &[String] {
        &self.0
    }
}

fn entries(raw: &[String], max: usize, max_chars: usize) -> Result<Vec<String>, EntryListError> {
    let mut kept = Vec::new();
    for (index, entry) in raw.iter().enumerate() {
        let entry = text::optional(entry, Lines::Single, max_chars)
            .map_err(|reason| EntryListError::Entry { number: index + 1, reason })?;
        kept.extend(entry);
    }
    if kept.len() <= max { Ok(kept) } else { Err(EntryListError::TooMany { max }) }
}

fn is_web_address(address: &str) -> bool {
    Url::parse(address).is_ok_and(|url| {
        let host_is_real = url.host_str().is_some_and(|host| !host.is_empty());
        matches!(url.scheme(), "http" | "https") && host_is_real
    })
}

/// How somebody wants to be treated; keys that we do not know are kept for the client that does.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Preferences(Map<String, Value>);

/// Why preferences were refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum PreferencesError {
    /// A known switch has another value than true or false.
    #[error("approve_followers must be true or false")]
    ApproveFollowers,
    /// The switches of notifications are not switches.
    #[error("notifications must be an object of true or false by type")]
    Notifications,
    /// A text has a character that cannot be stored.
    #[error("must not contain NUL characters")]
    Nul,
    /// More than anybody's settings need.
    #[error("must be at most {} bytes of JSON", Preferences::MAX_BYTES)]
    TooLarge,
}

impl Preferences {
    /// The most bytes, as compact JSON.
    pub const MAX_BYTES: usize = 16 * 1024;

    /// Takes back what was parsed before it was stored.
    pub fn from_stored(preferences: Map<String, Value>) -> Self {
        Self(preferences)
    }

    /// Checks the switches that have a meaning here.
    ///
    /// # Errors
    /// A known switch that is none, a NUL in any text, or more than [`Preferences::MAX_BYTES`].
    pub fn parse(raw: Map<String, Value>) -> Result<Self, PreferencesError> {
        let switches =
            |value: &Value| value.as_object().is_some_and(|by| by.values().all(Value::is_boolean));
        if raw.get("approve_followers").is_some_and(|value| !value.is_boolean()) {
            return Err(PreferencesError::ApproveFollowers);
        }
        if raw.get("notifications").is_some_and(|value| !switches(value)) {
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

    /// Whether somebody has to be asked before others follow them.
    pub fn approve_followers(&self) -> bool {
        self.0.get("approve_followers").and_then(Value::as_bool).unwrap_or(false)
    }

    /// What that makes of a follow.
    pub fn approval(&self) -> Approval {
        if self.approve_followers() { Approval::Required } else { Approval::NotRequired }
    }

    /// Whether somebody wants to be told of such acts: they do unless they have said otherwise.
    pub fn allows_notification(&self, kind: NotificationType) -> bool {
        let switches = self.0.get("notifications").and_then(Value::as_object);
        switches.and_then(|by| by.get(kind.code())).and_then(Value::as_bool).unwrap_or(true)
    }

    /// Everything, known or not.
    pub fn as_map(&self) -> &Map<String, Value> {
        &self.0
    }
}

/// The length of the compact JSON text.
pub(super) fn json_len(object: &Map<String, Value>) -> usize {
    serde_json::to_string(object).map_or(usize::MAX, |json| json.len())
}

/// Whether a NUL hides anywhere: `jsonb` cannot hold one.
pub(super) fn has_nul(object: &Map<String, Value>) -> bool {
    fn hides_in(value: &Value) -> bool {
        match value {
            Value::String(text) => text.contains('\0'),
            Value::Array(items) => items.iter().any(hides_in),
            Value::Object(fields) => has_nul(fields),
            Value::Null | Value::Bool(_) | Value::Number(_) => false,
        }
    }
    object.iter().any(|(key, value)| key.contains('\0') || hides_in(value))
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
    fn a_place_that_is_too_long_for_a_city_names_a_shorter_one() {
        let long = "São Paulo, ".repeat(20);
        let place = |address: Value| {
            let raw = json!({"display_name": long, "lat": 0, "lon": 0, "address": address});
            Location::parse(raw.as_object().unwrap().clone()).unwrap()
        };
        let city = |raw: &str, address: Value| {
            City::parse_with_location(raw, &place(address)).unwrap().map(String::from)
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
            City::parse_with_location("\0", &place(json!({}))),
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
    fn web_addresses_pass(#[case] address: &str) {
        assert!(Websites::parse(&strings(&[address])).is_ok());
    }

    #[rstest]
    #[case("javascript:alert(1)")]
    #[case("JaVaScRiPt://example.org/%0aalert(1)")]
    #[case("data:text/html,hi")]
    #[case("ftp://example.org")]
    #[case("example.org")]
    #[case("https://")]
    #[case("https://exa mple.org")]
    fn other_addresses_are_refused(#[case] address: &str) {
        let refused = Websites::parse(&strings(&["https://example.org", address]));
        assert_eq!(refused, Err(EntryListError::Url { number: 2 }));
    }

    #[rstest]
    #[case(json!({"approve_followers": "yes"}), PreferencesError::ApproveFollowers)]
    #[case(json!({"notifications": {"like": 1}}), PreferencesError::Notifications)]
    #[case(json!({"notifications": true}), PreferencesError::Notifications)]
    #[case(json!({"theme": {"a\u{0}": 1}}), PreferencesError::Nul)]
    #[case(json!({"theme": "x".repeat(17_000)}), PreferencesError::TooLarge)]
    fn odd_preferences_are_refused(#[case] raw: Value, #[case] why: PreferencesError) {
        assert_eq!(Preferences::parse(raw.as_object().unwrap().clone()), Err(why));
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
    fn nobody_is_asked_unless_they_say_so() {
        for (raw, approval) in [
            (json!({}), Approval::NotRequired),
            (json!({"approve_followers": false}), Approval::NotRequired),
            (json!({"approve_followers": true}), Approval::Required),
            // As an older installation may have left it.
            (json!({"approve_followers": "yes"}), Approval::NotRequired),
        ] {
            let preferences = Preferences::from_stored(raw.as_object().unwrap().clone());
            assert_eq!(preferences.approval(), approval, "{raw}");
        }
    }

    #[test]
    fn every_notification_is_welcome_but_those_that_are_switched_off() {
        let raw = json!({"notifications": {"like": false, "mention": true}});
        let preferences = Preferences::parse(raw.as_object().unwrap().clone()).unwrap();

        for kind in NotificationType::ALL {
            assert_eq!(preferences.allows_notification(kind), kind != NotificationType::Like);
            assert!(Preferences::from_stored(Map::new()).allows_notification(kind));
        }
    }
}
