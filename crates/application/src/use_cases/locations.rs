//! Finding places by name.

use std::error::Error as StdError;
use std::iter::successors;

use grateful_domain::{Location, LocationQuery};

use crate::{App, Error, GeocoderError, Result};

/// The places that are called so, best matches first: at most `limit`, of which a geocoder gives no more than
/// [`LocationQuery::MAX_RESULTS`].
///
/// # Errors
/// `RuleViolation` where the geocoder does not answer as it should: nothing else here depends on it.
pub async fn search(app: &App, query: &LocationQuery, limit: u8) -> Result<Vec<Location>> {
    let limit = limit.clamp(1, LocationQuery::MAX_RESULTS);
    app.geocoder.geocode(query, limit).await.map_err(|error| refusal(&error))
}

fn refusal(error: &GeocoderError) -> Error {
    tracing::warn!(error = with_causes(error), "Places cannot be looked up");
    let constraint = match error {
        GeocoderError::TimedOut => "nominatim_timeout",
        GeocoderError::InvalidResponse(_) => "nominatim_api_error",
        GeocoderError::Unreachable(_) => "nominatim_request_error",
    };
    Error::RuleViolation {
        constraint,
        reason: "Places cannot be looked up right now, please try again in a moment",
    }
}

/// Of an error as such, a log in JSON would show the first words only.
fn with_causes(error: &GeocoderError) -> String {
    let causes = successors(Some(error as &dyn StdError), |&error| error.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}
