//! Where somebody lives, as a geocoder describes it.

use serde_json::{Map, Value};
use thiserror::Error;

use super::profile::{has_nul, json_len};

/// A place with a name and coordinates; other keys of the geocoder are kept as they came.
#[derive(Debug, Clone, PartialEq)]
pub struct Location(Map<String, Value>);

/// Why a location was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum LocationError {
    /// It has no name to show.
    #[error("display_name must be a text that is not blank")]
    DisplayName,
    /// No latitude on this planet.
    #[error("lat must be a number from -90 to 90")]
    Latitude,
    /// No longitude on this planet.
    #[error("lon must be a number from -180 to 180")]
    Longitude,
    /// A text has a character that cannot be stored.
    #[error("must not contain NUL characters")]
    Nul,
    /// More than a place needs.
    #[error("must be at most {} bytes of JSON", Location::MAX_BYTES)]
    TooLarge,
}

impl Location {
    /// The most bytes, as compact JSON.
    pub const MAX_BYTES: usize = 4 * 1024;

    /// Checks the three keys that have a meaning here.
    ///
    /// # Errors
    /// The first key that is missing or out of bounds, then the size, then a NUL in any text.
    pub fn parse(raw: Map<String, Value>) -> Result<Self, LocationError> {
        let named = raw.get("display_name").and_then(Value::as_str);
        if named.is_none_or(|name| name.trim().is_empty()) {
            return Err(LocationError::DisplayName);
        }
        if !within(raw.get("lat"), 90.0) {
            return Err(LocationError::Latitude);
        }
        if !within(raw.get("lon"), 180.0) {
            return Err(LocationError::Longitude);
        }
        if Self::MAX_BYTES < json_len(&raw) {
            return Err(LocationError::TooLarge);
        }
        if has_nul(&raw) {
            return Err(LocationError::Nul);
        }
        Ok(Self(raw))
    }

    /// Takes back what was parsed before it was stored.
    pub fn from_stored(place: Map<String, Value>) -> Self {
        Self(place)
    }

    /// The city of its address, which is short where `display_name` may be a whole line.
    pub fn city(&self) -> Option<&str> {
        self.0.get("address")?.get("city")?.as_str()
    }

    /// Everything, as it came.
    pub fn as_map(&self) -> &Map<String, Value> {
        &self.0
    }
}

fn within(coordinate: Option<&Value>, bound: f64) -> bool {
    coordinate.and_then(Value::as_f64).is_some_and(|degrees| degrees.abs() <= bound)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::json;

    use super::*;

    fn parse(raw: &Value) -> Result<Location, LocationError> {
        Location::parse(raw.as_object().unwrap().clone())
    }

    #[test]
    fn other_keys_are_kept() {
        let raw = json!({
            "display_name": "New York, USA", "lat": 40.7, "lon": -74, "importance": 0.9,
            "address": {"city": "New York"}
        });
        let location = parse(&raw).unwrap();

        assert_eq!(location.city(), Some("New York"));
        assert_eq!(Value::Object(location.as_map().clone()), raw);
    }

    #[rstest]
    #[case(json!({}), LocationError::DisplayName)]
    #[case(json!({"display_name": " ", "lat": 0, "lon": 0}), LocationError::DisplayName)]
    #[case(json!({"display_name": "x", "lat": 90.1, "lon": 0}), LocationError::Latitude)]
    #[case(json!({"display_name": "x", "lat": "1", "lon": 0}), LocationError::Latitude)]
    #[case(json!({"display_name": "x", "lat": -90, "lon": -180.5}), LocationError::Longitude)]
    #[case(json!({"display_name": "x\u{0}", "lat": 0, "lon": 0}), LocationError::Nul)]
    #[case(json!({"display_name": "x".repeat(4_096), "lat": 0, "lon": 0}), LocationError::TooLarge)]
    fn anything_else_is_refused_with_the_reason(#[case] raw: Value, #[case] why: LocationError) {
        assert_eq!(parse(&raw), Err(why));
    }
}
