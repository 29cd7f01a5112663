//! `/api/v1/users/location/search`.

use grateful_application::GeocoderError;
use grateful_testkit::Api;
use serde_json::json;

use crate::support::{assert_problem, envelope_data, invalid_fields};

const SEARCH: &str = "/api/v1/users/location/search";

type ErrorFactory = fn() -> GeocoderError;

#[actix_web::test]
async fn locations_are_found_by_name_up_to_the_limit() {
    let (api, [ana]) = Api::with_users().await;

    for (limit, expected) in [
        (json!(3), 3),
        (json!(10), 10),
        (json!(11), 10),
        (json!(i64::MAX), 10),
        (json!(0), 1),
        (json!(-7), 1),
        (json!(null), 10),
    ] {
        let body = json!({"query": "  Rain ", "limit": limit});
        let response = api.post(SEARCH).by(&ana).json(&body).send().await.expect(200);

        let locations = envelope_data(&response);
        assert_eq!(locations.as_array().unwrap().len(), expected, "{limit}");
        assert_eq!(locations[0], json!({"display_name": "Rain 1", "lat": 48.69, "lon": 10.91}));
    }
}

#[actix_web::test]
async fn invalid_fields_are_reported() {
    let (api, [ana]) = Api::with_users().await;

    for (body, fields) in [
        (json!({}), &["query"][..]),
        (json!({"query": null, "limit": "3"}), &["limit", "query"]),
        (json!({"query": "  a  "}), &["query"]),
        (json!({"query": 12345}), &["query"]),
        (json!({"query": "Ra\u{0}in"}), &["query"]),
        (json!({"query": "x".repeat(201)}), &["query"]),
        (json!({"query": "Rain", "limit": 1.5}), &["limit"]),
        (json!({"query": "Rain", "limit": 1e300}), &["limit"]),
    ] {
        let response = api.post(SEARCH).by(&ana).json(&body).send().await;
        assert_eq!(invalid_fields(&response), fields, "{body}");
    }
}

#[actix_web::test]
async fn geocoder_failures_are_reported_by_kind_without_details() {
    let (api, [ana]) = Api::with_users().await;

    let failures: [(ErrorFactory, &str); 3] = [
        (|| GeocoderError::TimedOut, "nominatim_timeout"),
        (|| GeocoderError::InvalidResponse("sesame".into()), "nominatim_api_error"),
        (|| GeocoderError::Unreachable("sesame".into()), "nominatim_request_error"),
    ];
    for (failure, constraint) in failures {
        api.app.geocoder.fail_with(failure);

        let response = api.post(SEARCH).by(&ana).json(&json!({"query": "Rain"})).send().await;

        let details = assert_problem(&response, 400, "business_logic_error");
        assert_eq!(details, json!({"constraint": constraint}));
        assert!(!String::from_utf8_lossy(&response.body).contains("sesame"));
    }
}
