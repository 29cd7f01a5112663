//! Time that stands still until it is told to move.

use std::sync::Mutex;

use chrono::{DateTime, TimeDelta, Utc};
use grateful_application::Clock;

/// When tests happen unless they say otherwise: 2026-01-05, 12:00 UTC.
pub const NOON: DateTime<Utc> = DateTime::from_timestamp_micros(1_767_614_400_000_000).unwrap();

/// A clock that a test holds.
#[derive(Debug)]
pub struct FakeClock(Mutex<DateTime<Utc>>);

impl FakeClock {
    /// A clock that shows this moment.
    pub fn at(moment: DateTime<Utc>) -> Self {
        Self(Mutex::new(moment))
    }

    /// Moves it on.
    pub fn advance(&self, by: TimeDelta) {
        *self.0.lock().unwrap() += by;
    }
}

impl Clock for FakeClock {
    fn now(&self) -> DateTime<Utc> {
        *self.0.lock().unwrap()
    }
}
