//! A geocoder that is always there.

use std::future::ready;
use std::sync::Mutex;

use grateful_application::{Finding, Geocoder, GeocoderError};
use grateful_domain::{Location, LocationQuery};
use serde_json::json;

/// A geocoder that knows ten places of any name, until it is told to fail.
#[derive(Debug, Default)]
pub struct FakeGeocoder(Mutex<Option<fn() -> GeocoderError>>);

impl FakeGeocoder {
    /// From now on it fails like this.
    pub fn fail_with(&self, failure: fn() -> GeocoderError) {
        *self.0.lock().unwrap() = Some(failure);
    }
}

impl Geocoder for FakeGeocoder {
    fn find<'a>(&'a self, query: &'a LocationQuery, limit: u8) -> Finding<'a> {
        let place = |number: u8| {
            let name = format!("{} {number}", query.as_str());
            let place = json!({"display_name": name, "lat": 48.69, "lon": 10.91});
            Location::parse(place.as_object().unwrap().clone()).unwrap()
        };
        let failure = *self.0.lock().unwrap();
        let places = || (1..=10).take(limit.into()).map(place).collect();
        Box::pin(ready(failure.map_or_else(|| Ok(places()), |failure| Err(failure()))))
    }
}
