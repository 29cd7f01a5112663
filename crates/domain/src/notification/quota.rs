//! The hourly limit on new notifications (docs/rules.md#notification-invariants, 7).

use chrono::{DateTime, TimeDelta, Utc};

/// How many notifications of one type were started for one recipient in the current window.
///
/// A window opens with the first start and lasts for [`WINDOW`](Self::WINDOW). Joining a batch, converting to a batch
/// and restoring do not count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HourlyQuota {
    pub window_opened_at: DateTime<Utc>,
    pub used: i32,
}

impl HourlyQuota {
    /// The maximum number of starts in a window.
    pub const LIMIT: i32 = 20;
    /// How long a window lasts.
    pub const WINDOW: TimeDelta = TimeDelta::hours(1);

    /// The quota after one more start at `now`, or `None` if the limit is reached and the start is held back.
    pub fn consume(current: Option<Self>, now: DateTime<Utc>) -> Option<Self> {
        match current {
            Some(window) if window.is_open(now) => {
                (window.used < Self::LIMIT).then_some(Self { used: window.used + 1, ..window })
            }
            _ => Some(Self { window_opened_at: now, used: 1 }),
        }
    }

    /// How many starts are left at `now`.
    pub fn remaining(current: Option<Self>, now: DateTime<Utc>) -> i32 {
        match current {
            Some(window) if window.is_open(now) => (Self::LIMIT - window.used).max(0),
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
    fn twenty_notifications_start_within_an_hour_of_the_first_and_no_more() {
        let mut current = None;
        for used in 1..=20 {
            let now = OPENED + TimeDelta::minutes(used);
            current = HourlyQuota::consume(current, now);
            assert_eq!(HourlyQuota::remaining(current, now), 20 - i32::try_from(used).unwrap());
        }
        let first = OPENED + TimeDelta::minutes(1);
        let just_before_the_end = first + TimeDelta::hours(1) - TimeDelta::microseconds(1);

        assert_eq!(HourlyQuota::consume(current, just_before_the_end), None);
        let next = HourlyQuota::consume(current, first + TimeDelta::hours(1));
        assert_eq!(
            next,
            Some(HourlyQuota { window_opened_at: first + TimeDelta::hours(1), used: 1 })
        );
    }
}
