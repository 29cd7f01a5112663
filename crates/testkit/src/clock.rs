//! A clock that only tests move.

use std::sync::Mutex;

use chrono::{DateTime, TimeDelta, Utc};
use grateful_application::Clock;

/// A clock that stands still until [`Self::advance`] moves it.
#[derive(Debug)]
pub struct FakeClock(Mutex<DateTime<Utc>>);

impl FakeClock {
    /// Creates a clock that shows `moment`.
    pub fn at(moment: DateTime<Utc>) -> Self {
        Self(Mutex::new(moment))
    }

    /// Moves the clock forward by `duration`.
    pub fn advance(&self, duration: TimeDelta) {
        *self.0.lock().unwrap() += duration;
    }
}

impl Clock for FakeClock {
    fn now(&self) -> DateTime<Utc> {
        *self.0.lock().unwrap()
    }
}
