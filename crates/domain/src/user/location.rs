//! The location of a user, as described by a geocoder.

use serde_json::{Map, Value};
use thiserror::Error;

use super::json::{has_nul, json_len};
use crate::text;

/// A location with a name and coordinates. Other keys of the geocoder are kept unchanged.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(transparent))]
pub struct Location(Map<String, Value>);

/// Why a location is invalid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum LocationError {
    /// The name is missing or blank.
    #[error("display_name must be a string that is not blank")]
    DisplayName,
    /// The latitude is missing or out of range.
    #[error("lat must be a number from -90 to 90")]
    Latitude,
    /// The longitude is missing or out of range.
    #[error("lon must be a number from -180 to 180")]
    Longitude,
    /// A text contains a NUL, which no text of a user may contain.
    #[error("must not contain NUL characters")]
    Nul,
    /// The JSON is too large.
    #[error("must be at most {} bytes of JSON", Location::MAX_BYTES)]
    TooLarge,
}

impl Location {
    /// The maximum size in bytes, as compact JSON.
    pub const MAX_BYTES: usize = 4 * 1024;

    /// Validates the name and the coordinates.
    ///
    /// # Errors
    /// The first problem found: name, latitude, longitude, size, NUL.
    pub fn parse(raw: Map<String, Value>) -> Result<Self, LocationError> {
        let name = raw.get("display_name").and_then(Value::as_str);
        if name.is_none_or(text::is_blank) {
            return Err(LocationError::DisplayName);
        }
        if !is_within(raw.get("lat"), 90.0) {
            return Err(LocationError::Latitude);
        }
        if !is_within(raw.get("lon"), 180.0) {
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

    /// Wraps a stored location without checking it.
    pub fn from_stored(location: Map<String, Value>) -> Self {
        Self(location)
    }

    /// The city of the address. It is short, while `display_name` can be a full address line.
    pub fn city(&self) -> Option<&str> {
        self.0.get("address")?.get("city")?.as_str()
    }

    /// All keys, as received.
    pub fn as_map(&self) -> &Map<String, Value> {
        &self.0
    }
}

fn is_within(coordinate: Option<&Value>, max: f64) -> bool {
    coordinate.and_then(Value::as_f64).is_some_and(|degrees| degrees.abs() <= max)
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
    fn unknown_keys_are_kept() {
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
    #[case(json!({"display_name": "\u{2800}", "lat": 0, "lon": 0}), LocationError::DisplayName)]
    #[case(json!({"display_name": "x", "lat": 90.1, "lon": 0}), LocationError::Latitude)]
    #[case(json!({"display_name": "x", "lat": "1", "lon": 0}), LocationError::Latitude)]
    #[case(json!({"display_name": "x", "lat": -90, "lon": -180.5}), LocationError::Longitude)]
    #[case(json!({"display_name": "x\u{0}", "lat": 0, "lon": 0}), LocationError::Nul)]
    #[case(json!({"display_name": "x".repeat(4_096), "lat": 0, "lon": 0}), LocationError::TooLarge)]
    fn invalid_locations_are_rejected(#[case] raw: Value, #[case] error: LocationError) {
        assert_eq!(parse(&raw), Err(error));
    }
}
