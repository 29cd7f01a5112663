//! Interfaces to the outside world.

use std::future::{Future, ready};
use std::pin::Pin;
use std::time::Duration;

use chrono::{DateTime, SubsecRound, TimeDelta, Utc};
use grateful_domain::{Location, LocationQuery};
use thiserror::Error;

/// Source of the current time.
pub trait Clock: Send + Sync {
    /// The current time, truncated to microseconds: PostgreSQL stores no more.
    fn now(&self) -> DateTime<Utc>;
}

/// The clock of this machine.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "all other code reads the time from this clock")]
    fn now(&self) -> DateTime<Utc> {
        Utc::now().trunc_subsecs(6)
    }
}

/// Looks up locations by name.
pub trait Geocoder: Send + Sync {
    /// Finds at most `limit` locations with this name, best matches first. Must return in bounded time.
    fn geocode<'a>(&'a self, query: &'a LocationQuery, limit: u8) -> GeocoderFuture<'a>;

    /// How the nodes may use this geocoder. `None`: at any rate, and its results are not stored.
    fn policy(&self) -> Option<GeocoderPolicy> {
        None
    }
}

/// How all nodes together use a [`Geocoder`]: [`locations::search`](crate::locations::search) keeps to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GeocoderPolicy {
    /// The minimum time between two requests.
    pub min_interval: Duration,
    /// How long a search may wait until it can send its request. One that would wait for longer fails immediately.
    pub max_wait: Duration,
    /// How long a result is used again.
    pub max_age: TimeDelta,
}

/// The future that [`Geocoder::geocode`] returns.
pub type GeocoderFuture<'a> =
    Pin<Box<dyn Future<Output = Result<Vec<Location>, GeocoderError>> + Send + 'a>>;

/// Why a [`Geocoder`] could not answer a query.
#[derive(Debug, Error)]
pub enum GeocoderError {
    /// The query timed out, or too many queries were waiting.
    #[error("the geocoder timed out")]
    TimedOut,
    /// The response does not have the expected form.
    #[error("the geocoder returned an invalid response")]
    InvalidResponse(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The request could not be sent.
    #[error("the geocoder is unreachable")]
    Unreachable(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// A [`Geocoder`] that finds nothing, for deployments without one.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoGeocoder;

impl Geocoder for NoGeocoder {
    fn geocode<'a>(&'a self, _: &'a LocationQuery, _: u8) -> GeocoderFuture<'a> {
        Box::pin(ready(Ok(Vec::new())))
    }
}
