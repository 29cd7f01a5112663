//! Searching locations by name.

use std::error::Error as StdError;
use std::iter::successors;

use grateful_domain::{Location, LocationQuery};

use crate::{App, Error, GeocoderError, Result};

/// Searches locations by name, best matches first. Returns at most `limit`, and at most [`LocationQuery::MAX_RESULTS`].
///
/// # Errors
/// `RuleViolation` if the geocoder fails. `Unavailable` would be wrong: nothing else depends on the geocoder.
pub async fn search(app: &App, query: &LocationQuery, limit: u8) -> Result<Vec<Location>> {
    let limit = limit.clamp(1, LocationQuery::MAX_RESULTS);
    app.geocoder.geocode(query, limit).await.map_err(|error| error_for(&error))
}

fn error_for(error: &GeocoderError) -> Error {
    tracing::warn!(error = with_causes(error), "Locations could not be looked up");
    let constraint = match error {
        GeocoderError::TimedOut => "nominatim_timeout",
        GeocoderError::InvalidResponse(_) => "nominatim_api_error",
        GeocoderError::Unreachable(_) => "nominatim_request_error",
    };
    Error::RuleViolation {
        constraint,
        reason: "Locations cannot be looked up right now, please try again in a moment",
    }
}

/// Formats an error with its sources. A log in JSON would otherwise show only the first message.
fn with_causes(error: &GeocoderError) -> String {
    let causes = successors(Some(error as &dyn StdError), |&error| error.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}
