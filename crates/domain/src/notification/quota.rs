//! How many notifications may start in an hour (rules §4, law 7).

use chrono::{DateTime, TimeDelta, Utc};

/// The notifications of one type that started for one recipient, since a window opened with the first of them. Joining,
/// converting and coming back start none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HourlyStarts {
    pub window_opened_at: DateTime<Utc>,
    pub started: i32,
}

impl HourlyStarts {
    /// The most that start within a window.
    pub const LIMIT: i32 = 20;
    /// How long a window lasts.
    pub const WINDOW: TimeDelta = TimeDelta::hours(1);

    /// The window after one more start at `now`; nothing where that one is held back.
    pub fn start(current: Option<Self>, now: DateTime<Utc>) -> Option<Self> {
        match current {
            Some(window) if window.is_open(now) => (window.started < Self::LIMIT)
                .then_some(Self { started: window.started + 1, ..window }),
            _ => Some(Self { window_opened_at: now, started: 1 }),
        }
    }

    /// How many may still start at `now`.
    pub fn remaining(current: Option<Self>, now: DateTime<Utc>) -> i32 {
        match current {
            Some(window) if window.is_open(now) => (Self::LIMIT - window.started).max(0),
            _ => Self::LIMIT,
        }
    }

    fn is_open(&self, now: DateTime<Utc>) -> bool {
        now < self.window_opened_at + Self::WINDOW
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OPENED: DateTime<Utc> = DateTime::UNIX_EPOCH;

    #[test]
    fn twenty_start_within_an_hour_of_the_first_and_no_more() {
        let mut current = None;
        for started in 1..=20 {
            let now = OPENED + TimeDelta::minutes(started);
            current = HourlyStarts::start(current, now);
            assert_eq!(HourlyStarts::remaining(current, now), 20 - i32::try_from(started).unwrap());
        }
        let first = OPENED + TimeDelta::minutes(1);
        let last_moment = first + TimeDelta::hours(1) - TimeDelta::microseconds(1);

        assert_eq!(HourlyStarts::start(current, last_moment), None);
        let next = HourlyStarts::start(current, first + TimeDelta::hours(1));
        assert_eq!(
            next,
            Some(HourlyStarts { window_opened_at: first + TimeDelta::hours(1), started: 1 })
        );
    }
}
