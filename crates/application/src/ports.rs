//! The outside world, as far as use cases must not know it.

use std::future::{Future, ready};
use std::pin::Pin;

use chrono::{DateTime, SubsecRound, Utc};
use grateful_domain::{Location, LocationQuery};
use thiserror::Error;

/// What time it is.
pub trait Clock: Send + Sync {
    /// Now, exact to the microsecond at most, since that is what PostgreSQL keeps.
    fn now(&self) -> DateTime<Utc>;
}

/// The clock of this machine.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the clock that everybody else asks")]
    fn now(&self) -> DateTime<Utc> {
        Utc::now().trunc_subsecs(6)
    }
}

/// Knows where places are.
pub trait Geocoder: Send + Sync {
    /// The places that are called so, best matches first, at most `limit`. In bounded time.
    fn geocode<'a>(&'a self, query: &'a LocationQuery, limit: u8) -> GeocoderFuture<'a>;
}

/// What a [`Geocoder`] is about to find.
pub type GeocoderFuture<'a> =
    Pin<Box<dyn Future<Output = Result<Vec<Location>, GeocoderError>> + Send + 'a>>;

/// Why a [`Geocoder`] found nothing, not even that there is nothing.
#[derive(Debug, Error)]
pub enum GeocoderError {
    /// It took too long, or too many asked before.
    #[error("the geocoder has no time")]
    TimedOut,
    /// It answered, but not with places.
    #[error("the geocoder does not answer with places")]
    InvalidResponse(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// It could not be asked.
    #[error("the geocoder cannot be reached")]
    Unreachable(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// For whoever has no geocoder: it finds nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoGeocoder;

impl Geocoder for NoGeocoder {
    fn geocode<'a>(&'a self, _: &'a LocationQuery, _: u8) -> GeocoderFuture<'a> {
        Box::pin(ready(Ok(Vec::new())))
    }
}
