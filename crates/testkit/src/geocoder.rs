//! A geocoder without a network.

use std::future::ready;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use grateful_application::{Geocoder, GeocoderError, GeocoderFuture, GeocoderPolicy};
use grateful_domain::{Location, LocationQuery};
use serde_json::json;

/// A geocoder that finds ten numbered locations for any query, until [`Self::fail_with`] makes it fail. It has no policy, until
/// [`Self::set_policy`] gives it one.
#[derive(Debug, Default)]
pub struct FakeGeocoder {
    failure: Mutex<Option<fn() -> GeocoderError>>,
    policy: Mutex<Option<GeocoderPolicy>>,
    requests: AtomicUsize,
}

impl FakeGeocoder {
    /// Makes every later lookup fail with this error.
    pub fn fail_with(&self, failure: fn() -> GeocoderError) {
        *self.failure.lock().unwrap() = Some(failure);
    }

    /// Makes the use cases keep to this policy.
    pub fn set_policy(&self, policy: GeocoderPolicy) {
        *self.policy.lock().unwrap() = Some(policy);
    }

    /// The number of lookups so far.
    pub fn requests(&self) -> usize {
        self.requests.load(Ordering::Relaxed)
    }
}

impl Geocoder for FakeGeocoder {
    fn geocode<'a>(&'a self, query: &'a LocationQuery, limit: u8) -> GeocoderFuture<'a> {
        self.requests.fetch_add(1, Ordering::Relaxed);
        let location = |number: u8| {
            let name = format!("{} {number}", query.as_str());
            let location = json!({"display_name": name, "lat": 48.69, "lon": 10.91});
            Location::parse(location.as_object().unwrap().clone()).unwrap()
        };
        let failure = *self.failure.lock().unwrap();
        let locations = || (1..=10).take(limit.into()).map(location).collect();
        Box::pin(ready(failure.map_or_else(|| Ok(locations()), |failure| Err(failure()))))
    }

    fn policy(&self) -> Option<GeocoderPolicy> {
        *self.policy.lock().unwrap()
    }
}
