//! Places, as Nominatim sends them and as we pass them on.

use grateful_domain::Location;
use serde_json::{Value, json};

use crate::failure::Failure;

/// The first `limit` places of an answer. What is no place, or larger than any, is left out.
pub(crate) fn read(body: &[u8], limit: u8) -> Result<Vec<Location>, Failure> {
    let list: Vec<Value> = serde_json::from_slice(body).map_err(Failure::NoList)?;
    Ok(list.iter().filter_map(location).take(limit.into()).collect())
}

/// The shape of the contract (§2): every key is there, and `null` where Nominatim says nothing.
fn location(raw: &Value) -> Option<Location> {
    let address = &raw["address"];
    let shaped = json!({
        "display_name": text(&raw["display_name"]),
        "lat": degrees(&raw["lat"])?,
        "lon": degrees(&raw["lon"])?,
        "place_id": whole(&raw["place_id"]),
        "osm_type": text(&raw["osm_type"]),
        "osm_id": whole(&raw["osm_id"]),
        "address": {
            "city": CITIES.iter().map(|kind| text(&address[kind])).find(|name| !name.is_null()),
            "state": text(&address["state"]),
            "country": text(&address["country"]),
            "country_code": text(&address["country_code"]),
            "postcode": text(&address["postcode"]),
        },
        "importance": number(&raw["importance"]),
        "type": text(&raw["type"]),
        "class": text(&raw["class"]),
    });
    Location::parse(shaped.as_object()?.clone()).ok()
}

/// What Nominatim calls the place that people call their city, by its size.
const CITIES: [&str; 5] = ["city", "town", "village", "municipality", "hamlet"];

/// Coordinates arrive as texts.
fn degrees(raw: &Value) -> Option<f64> {
    raw.as_f64().or_else(|| raw.as_str()?.trim().parse().ok()).filter(|it| it.is_finite())
}

fn text(raw: &Value) -> Value {
    if raw.is_string() { raw.clone() } else { Value::Null }
}

fn whole(raw: &Value) -> Value {
    if raw.is_i64() { raw.clone() } else { Value::Null }
}

fn number(raw: &Value) -> Value {
    if raw.is_number() { raw.clone() } else { Value::Null }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_one(raw: &Value) -> Option<Value> {
        let read = read(json!([raw]).to_string().as_bytes(), 10).unwrap();
        read.first().map(|place| Value::Object(place.as_map().clone()))
    }

    #[test]
    fn coordinates_become_numbers_and_what_is_missing_null() {
        let raw =
            json!({"display_name": "Rain", "lat": "47.8", "lon": "-10.91", "licence": "ODbL"});

        let nothing = Value::Null;
        assert_eq!(
            read_one(&raw).unwrap(),
            json!({
                "display_name": "Rain", "lat": 47.8, "lon": -10.91,
                "place_id": nothing, "osm_type": nothing, "osm_id": nothing,
                "address": {
                    "city": nothing, "state": nothing, "country": nothing,
                    "country_code": nothing, "postcode": nothing,
                },
                "importance": nothing, "type": nothing, "class": nothing,
            })
        );
    }

    #[test]
    fn a_village_is_the_city_of_whoever_lives_there() {
        let with = |address: Value| {
            let raw = json!({"display_name": "x", "lat": "0", "lon": "0", "address": address});
            read_one(&raw).unwrap()["address"]["city"].clone()
        };

        assert_eq!(with(json!({"hamlet": "Au", "village": "Rain", "city": 7})), "Rain");
        assert_eq!(with(json!({"town": "Bray", "city": "Dublin"})), "Dublin");
        assert_eq!(with(json!("nowhere")), Value::Null);
    }

    #[test]
    fn what_is_no_place_is_left_out() {
        for raw in [
            json!(null),
            json!("Rain"),
            json!({"lat": "0", "lon": "0"}),
            json!({"display_name": "x", "lat": "north", "lon": "0"}),
            json!({"display_name": "x", "lat": "NaN", "lon": "0"}),
            json!({"display_name": "x", "lat": "91", "lon": "0"}),
            json!({"display_name": "x".repeat(5_000), "lat": "0", "lon": "0"}),
        ] {
            assert_eq!(read_one(&raw), None, "{raw}");
        }
    }

    #[test]
    fn no_more_places_are_passed_on_than_were_asked_for() {
        let place = json!({"display_name": "x", "lat": "0", "lon": "0"});
        let body = Value::from(vec![place; 50]).to_string();

        assert_eq!(read(body.as_bytes(), 3).unwrap().len(), 3);
    }

    #[test]
    fn an_answer_that_is_no_list_is_a_failure() {
        for body in ["", "{}", r#"{"error": "busy"}"#, "<html>", "[", &"[".repeat(100_000)] {
            assert!(read(body.as_bytes(), 10).is_err(), "{body:.20}");
        }
    }
}
