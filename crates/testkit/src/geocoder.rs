//! A geocoder without a network.

use std::future::ready;
use std::sync::Mutex;

use grateful_application::{Geocoder, GeocoderError, GeocoderFuture};
use grateful_domain::{Location, LocationQuery};
use serde_json::json;

/// A geocoder that finds ten numbered locations for any query, until [`Self::fail_with`] makes it fail.
#[derive(Debug, Default)]
pub struct FakeGeocoder(Mutex<Option<fn() -> GeocoderError>>);

impl FakeGeocoder {
    /// Makes every later lookup fail with this error.
    pub fn fail_with(&self, failure: fn() -> GeocoderError) {
        *self.0.lock().unwrap() = Some(failure);
    }
}

impl Geocoder for FakeGeocoder {
    fn geocode<'a>(&'a self, query: &'a LocationQuery, limit: u8) -> GeocoderFuture<'a> {
        let location = |number: u8| {
            let name = format!("{} {number}", query.as_str());
            let location = json!({"display_name": name, "lat": 48.69, "lon": 10.91});
            Location::parse(location.as_object().unwrap().clone()).unwrap()
        };
        let failure = *self.0.lock().unwrap();
        let locations = || (1..=10).take(limit.into()).map(location).collect();
        Box::pin(ready(failure.map_or_else(|| Ok(locations()), |failure| Err(failure()))))
    }
}
