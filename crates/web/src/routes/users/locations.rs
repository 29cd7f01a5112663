//! `/users/location`: location search.

use actix_web::web::Data;
use grateful_application::{App, locations};
use grateful_domain::{FieldValidator, Location, LocationQuery, ValidationError};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::error::ApiError;
use crate::request::{Field, JsonBody, SignedIn, as_is};
use crate::response::{Envelope, JsonResponse, Problem};

#[derive(Deserialize, ToSchema)]
pub(crate) struct LocationSearchBody {
    #[serde(default)]
    #[schema(value_type = String, required, min_length = 2, max_length = 200)]
    query: Field<String>,
    /// The maximum number of results, 1 to 10. A value out of range counts as the nearest limit. Default: 10.
    #[serde(default)]
    #[schema(value_type = Option<i64>)]
    limit: Field<i64>,
}

impl LocationSearchBody {
    fn parse(self) -> Result<(LocationQuery, u8), ValidationError> {
        let mut fields = FieldValidator::default();
        let query = self.query.required(|raw| LocationQuery::parse(&raw));
        let query = fields.check("query", query);
        let max = i64::from(LocationQuery::MAX_RESULTS);
        let limit = fields.check("limit", self.limit.optional(as_is));
        let limit = limit.map(|limit| limit.unwrap_or(max).clamp(1, max));
        fields.finish(|| Some((query?, u8::try_from(limit?).ok()?)))
    }
}

/// A location with a name and coordinates.
#[derive(Serialize, ToSchema)]
#[schema(value_type = Object, example = json!({
    "display_name": "City of New York, New York, United States", "lat": 40.7128, "lon": -74.006,
    "place_id": 1, "osm_type": "relation", "osm_id": 175_905,
    "address": {"city": "City of New York", "state": "New York", "country": "United States",
        "country_code": "us", "postcode": null},
    "importance": 0.82, "type": "administrative", "class": "boundary",
}))]
pub(crate) struct LocationView(Map<String, Value>);

impl From<Location> for LocationView {
    fn from(location: Location) -> Self {
        Self(location.as_map().clone())
    }
}

/// Searches locations by name, best matches first.
#[utoipa::path(
    post,
    path = "/users/location/search",
    tag = "locations",
    request_body(content = LocationSearchBody, example = json!({"query": "New York"})),
    responses(
        (status = 200, body = Envelope<Vec<LocationView>>, description = "The locations that match, best matches first"),
        (status = 400, body = Problem, description = "The geocoder did not respond, or responded with an error"),
    ),
)]
pub(crate) async fn search_locations(
    app: Data<App>,
    _me: SignedIn,
    JsonBody(search): JsonBody<LocationSearchBody>,
) -> Result<JsonResponse<Vec<LocationView>>, ApiError> {
    let (query, limit) = search.parse()?;
    let found = locations::search(&app, &query, limit).await?;
    Ok(JsonResponse::enveloped(found.into_iter().map(LocationView::from).collect()))
}
