//! Converts Nominatim's response to locations.

use grateful_domain::Location;
use serde_json::{Value, json};

use crate::error::NominatimError;

/// The first `limit` locations of a response. Skips entries that are invalid or too large.
pub(crate) fn parse_locations(body: &[u8], limit: u8) -> Result<Vec<Location>, NominatimError> {
    let entries: Vec<Value> = serde_json::from_slice(body).map_err(NominatimError::NotAList)?;
    Ok(entries.iter().filter_map(to_location).take(limit.into()).collect())
}

/// Builds a location (docs/http-api.md#shapes). Every key is present; missing values are `null`.
fn to_location(raw: &Value) -> Option<Location> {
    let address = &raw["address"];
    let location = json!({
        "display_name": string_or_null(&raw["display_name"]),
        "lat": degrees(&raw["lat"])?,
        "lon": degrees(&raw["lon"])?,
        "place_id": integer_or_null(&raw["place_id"]),
        "osm_type": string_or_null(&raw["osm_type"]),
        "osm_id": integer_or_null(&raw["osm_id"]),
        "address": {
            "city": CITY_KEYS.iter().map(|key| string_or_null(&address[key])).find(|name| !name.is_null()),
            "state": string_or_null(&address["state"]),
            "country": string_or_null(&address["country"]),
            "country_code": string_or_null(&address["country_code"]),
            "postcode": string_or_null(&address["postcode"]),
        },
        "importance": number_or_null(&raw["importance"]),
        "type": string_or_null(&raw["type"]),
        "class": string_or_null(&raw["class"]),
    });
    Location::parse(location.as_object()?.clone()).ok()
}

/// The keys under which Nominatim sends the name of a city, depending on its size.
const CITY_KEYS: [&str; 5] = ["city", "town", "village", "municipality", "hamlet"];

/// A coordinate, which Nominatim sends as a string.
fn degrees(raw: &Value) -> Option<f64> {
    raw.as_f64().or_else(|| raw.as_str()?.trim().parse().ok()).filter(|degrees| degrees.is_finite())
}

fn string_or_null(raw: &Value) -> Value {
    if raw.is_string() { raw.clone() } else { Value::Null }
}

fn integer_or_null(raw: &Value) -> Value {
    if raw.is_i64() { raw.clone() } else { Value::Null }
}

fn number_or_null(raw: &Value) -> Value {
    if raw.is_number() { raw.clone() } else { Value::Null }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse_one(raw: &Value) -> Option<Value> {
        let locations = parse_locations(json!([raw]).to_string().as_bytes(), 10).unwrap();
        locations.first().map(|location| Value::Object(location.as_map().clone()))
    }

    #[test]
    fn coordinates_become_numbers_and_missing_values_null() {
        let raw =
            json!({"display_name": "Rain", "lat": "47.8", "lon": "-10.91", "licence": "ODbL"});

        assert_eq!(
            parse_one(&raw).unwrap(),
            json!({
                "display_name": "Rain", "lat": 47.8, "lon": -10.91,
                "place_id": null, "osm_type": null, "osm_id": null,
                "address": {
                    "city": null, "state": null, "country": null,
                    "country_code": null, "postcode": null,
                },
                "importance": null, "type": null, "class": null,
            })
        );
    }

    #[test]
    fn a_village_or_town_is_used_as_the_city() {
        let city_of = |address: Value| {
            let raw = json!({"display_name": "x", "lat": "0", "lon": "0", "address": address});
            parse_one(&raw).unwrap()["address"]["city"].clone()
        };

        assert_eq!(city_of(json!({"hamlet": "Au", "village": "Rain", "city": 7})), "Rain");
        assert_eq!(city_of(json!({"town": "Bray", "city": "Dublin"})), "Dublin");
        assert_eq!(city_of(json!("nowhere")), Value::Null);
    }

    #[test]
    fn invalid_locations_are_skipped() {
        for raw in [
            json!(null),
            json!("Rain"),
            json!({"lat": "0", "lon": "0"}),
            json!({"display_name": "x", "lat": "north", "lon": "0"}),
            json!({"display_name": "x", "lat": "NaN", "lon": "0"}),
            json!({"display_name": "x", "lat": "91", "lon": "0"}),
            json!({"display_name": "x".repeat(5_000), "lat": "0", "lon": "0"}),
        ] {
            assert_eq!(parse_one(&raw), None, "{raw}");
        }
    }

    #[test]
    fn at_most_limit_locations_are_returned() {
        let location = json!({"display_name": "x", "lat": "0", "lon": "0"});
        let body = Value::from(vec![location; 50]).to_string();

        assert_eq!(parse_locations(body.as_bytes(), 3).unwrap().len(), 3);
    }

    #[test]
    fn a_response_that_is_not_a_list_is_an_error() {
        for body in ["", "{}", r#"{"error": "busy"}"#, "<html>", "[", &"[".repeat(100_000)] {
            assert!(parse_locations(body.as_bytes(), 10).is_err(), "{body:.20}");
        }
    }
}
