//! Searching locations by name.

use std::error::Error as StdError;
use std::iter::successors;

use grateful_domain::{Location, LocationQuery};
use grateful_storage::Repositories;

use crate::{App, Error, GeocoderError, GeocoderPolicy, Result};

/// Searches locations by name, best matches first. Returns at most `limit`, and at most [`LocationQuery::MAX_RESULTS`].
///
/// All nodes together keep to the policy of the geocoder: its results are stored in the database, and a request waits for its
/// slot there. No connection is held during the wait and the request.
///
/// # Errors
/// `RuleViolation` if the geocoder fails, or if too many searches wait for it. `Unavailable` would be wrong: nothing else
/// depends on the geocoder.
pub async fn search(app: &App, query: &LocationQuery, limit: u8) -> Result<Vec<Location>> {
    let limit = limit.clamp(1, LocationQuery::MAX_RESULTS);
    let Some(policy) = app.geocoder.policy() else { return ask_geocoder(app, query, limit).await };
    if let Some(found) = find_cached(app, query, limit, policy).await? {
        return Ok(found);
    }
    let lookup = {
        let (app, query) = (app.clone(), query.clone());
        async move { look_up(&app, &query, limit, policy).await }
    };
    app.location_lookups.join((query.to_key(), limit), lookup).await
}

/// The most results that a sweep leaves in the database: with some 3 KB each, no more than a day of an installation with many
/// searches.
pub(crate) const MAX_CACHED: i64 = 20_000;

async fn find_cached(
    app: &App,
    query: &LocationQuery,
    limit: u8,
    policy: GeocoderPolicy,
) -> Result<Option<Vec<Location>>> {
    let since = app.clock.now() - policy.max_age;
    Ok(app.db.read(async |mut conn| conn.location_cache().find(query, limit, since).await).await?)
}

/// Waits for a slot, asks the geocoder, and stores its result.
async fn look_up(
    app: &App,
    query: &LocationQuery,
    limit: u8,
    policy: GeocoderPolicy,
) -> Result<Vec<Location>> {
    let GeocoderPolicy { min_interval, max_wait, .. } = policy;
    let slot = app.db.acquire().await?.geocoder_throttle().reserve(min_interval, max_wait).await?;
    let wait = slot.ok_or_else(|| error_for(&GeocoderError::TimedOut))?;
    if !wait.is_zero() {
        tokio::time::sleep(wait).await;
        // Another node may have searched the same meanwhile.
        if let Some(found) = find_cached(app, query, limit, policy).await? {
            return Ok(found);
        }
    }
    let found = ask_geocoder(app, query, limit).await?;
    if let Err(error) = store(app, query, limit, &found).await {
        tracing::warn!(error = with_causes(&error), "Locations could not be stored");
    }
    Ok(found)
}

async fn ask_geocoder(app: &App, query: &LocationQuery, limit: u8) -> Result<Vec<Location>> {
    app.geocoder.geocode(query, limit).await.map_err(|error| error_for(&error))
}

async fn store(app: &App, query: &LocationQuery, limit: u8, found: &[Location]) -> Result<()> {
    let now = app.clock.now();
    Ok(app.db.acquire().await?.location_cache().put(query, limit, found, now).await?)
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
fn with_causes(error: &(dyn StdError + 'static)) -> String {
    let causes = successors(Some(error), |&error| error.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}
