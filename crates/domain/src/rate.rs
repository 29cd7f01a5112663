//! How often something may be done: a token bucket, kept as one moment.

use chrono::{DateTime, TimeDelta, Utc};

/// So many times in so long a time. What was used comes back evenly: of 120 a minute, one every half second.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    times: u32,
    period: TimeDelta,
}

impl Rate {
    /// `times` in `period`: at least once, in at least a second.
    pub const fn new(times: u32, period: TimeDelta) -> Self {
        let times = if times == 0 { 1 } else { times };
        let period = if period.num_seconds() < 1 { TimeDelta::seconds(1) } else { period };
        Self { times, period }
    }

    /// How often at once, after a rest.
    pub const fn limit(self) -> u32 {
        self.times
    }

    /// After how long a rest.
    pub const fn period(self) -> TimeDelta {
        self.period
    }

    /// In how many nanoseconds one token comes back. Rounded up, and [`Self::capacity`] with it, so that tokens are whole.
    fn interval(self) -> i64 {
        let (period, times) = (self.period.num_nanoseconds(), i64::from(self.times));
        (period.unwrap_or(i64::MAX / 2) + times - 1) / times
    }

    /// In how many nanoseconds all of them do.
    fn capacity(self) -> i64 {
        self.interval().saturating_mul(i64::from(self.times))
    }
}

/// What somebody has left of a [`Rate`], by the generic cell rate algorithm (ITU-T I.371): all that is kept is when it
/// will be full again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bucket {
    full_at: DateTime<Utc>,
}

impl Bucket {
    /// One that nobody has taken from.
    pub fn full(now: DateTime<Utc>) -> Self {
        Self { full_at: now }
    }

    /// Takes a token, and tells how many are left.
    ///
    /// # Errors
    /// There is none: how long until there is one. Nothing changes.
    pub fn take(&mut self, rate: Rate, now: DateTime<Utc>) -> Result<u32, TimeDelta> {
        let until_full = (self.full_at - now).num_nanoseconds().unwrap_or(i64::MAX);
        // No more can be missing than everything, unless the clock was set back: then that is forgiven.
        let missing = until_full.clamp(0, rate.capacity());
        let missing_then = missing.saturating_add(rate.interval());
        if rate.capacity() < missing_then {
            return Err(TimeDelta::nanoseconds(missing_then - rate.capacity()));
        }
        self.full_at = now + TimeDelta::nanoseconds(missing_then);
        let left = (rate.capacity() - missing_then) / rate.interval();
        Ok(u32::try_from(left).unwrap_or(rate.times))
    }

    /// Puts back a token that was taken and not used.
    pub fn refund(&mut self, rate: Rate) {
        self.full_at -= TimeDelta::nanoseconds(rate.interval());
    }

    /// When nothing will be missing any more: until then it must be remembered.
    pub fn full_at(&self) -> DateTime<Utc> {
        self.full_at
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NOON: DateTime<Utc> = DateTime::from_timestamp_micros(1_767_614_400_000_000).unwrap();
    const THREE_A_MINUTE: Rate = Rate::new(3, TimeDelta::minutes(1));
    const TWENTY_SECONDS: TimeDelta = TimeDelta::seconds(20);

    #[test]
    fn a_full_bucket_is_taken_from_as_often_as_the_rate_says() {
        let mut bucket = Bucket::full(NOON);

        let taken = [(); 4].map(|()| bucket.take(THREE_A_MINUTE, NOON));

        assert_eq!(taken, [Ok(2), Ok(1), Ok(0), Err(TWENTY_SECONDS)]);
    }

    #[test]
    fn whoever_waits_as_long_as_they_are_told_gets_one_and_no_more() {
        let mut bucket = Bucket::full(NOON);
        while bucket.take(THREE_A_MINUTE, NOON).is_ok() {}
        let wait = bucket.take(THREE_A_MINUTE, NOON).unwrap_err();

        let just_before = bucket.take(THREE_A_MINUTE, NOON + wait - TimeDelta::microseconds(1));
        assert!(just_before.is_err());
        assert_eq!(bucket.take(THREE_A_MINUTE, NOON + wait), Ok(0));
        assert!(bucket.take(THREE_A_MINUTE, NOON + wait).is_err());
    }

    #[test]
    fn what_is_given_back_can_be_taken_again() {
        let mut bucket = Bucket::full(NOON);
        while bucket.take(THREE_A_MINUTE, NOON).is_ok() {}

        bucket.refund(THREE_A_MINUTE);

        assert_eq!(bucket.take(THREE_A_MINUTE, NOON), Ok(0));
        assert!(bucket.take(THREE_A_MINUTE, NOON).is_err());
    }

    #[test]
    fn a_clock_that_is_set_back_locks_nobody_out_for_longer_than_a_period() {
        let mut bucket = Bucket::full(NOON);
        while bucket.take(THREE_A_MINUTE, NOON).is_ok() {}

        let an_hour_back = NOON - TimeDelta::hours(1);

        assert_eq!(bucket.take(THREE_A_MINUTE, an_hour_back), Err(TWENTY_SECONDS));
    }

    #[test]
    fn a_rate_of_nothing_is_a_rate_of_one() {
        let rate = Rate::new(0, TimeDelta::zero());

        assert_eq!((rate.limit(), rate.period()), (1, TimeDelta::seconds(1)));
        assert_eq!(Bucket::full(NOON).take(rate, NOON), Ok(0));
    }

    proptest! {
        #[test]
        fn no_stretch_of_time_sees_more_than_a_full_bucket_and_what_came_back(
            times in 1_u32..200,
            seconds in 1_i64..4_000,
            gaps in prop::collection::vec(0_i64..3_000, 1..300),
        ) {
            let rate = Rate::new(times, TimeDelta::seconds(seconds));
            let (mut bucket, mut now) = (Bucket::full(NOON), NOON);
            let mut taken = Vec::new();
            for gap in gaps {
                now += TimeDelta::milliseconds(gap * seconds / i64::from(times));
                if bucket.take(rate, now).is_ok() {
                    taken.push(now);
                }
            }
            for (first, begun) in taken.iter().enumerate() {
                for (last, ended) in taken.iter().enumerate().skip(first) {
                    let came_back = (*ended - *begun).num_milliseconds() * i64::from(times) / (seconds * 1_000);
                    prop_assert!(last - first < usize::try_from(i64::from(times) + came_back + 1).unwrap());
                }
            }
        }

        #[test]
        fn the_tokens_that_are_left_are_those_that_can_be_taken(times in 1_u32..1_000, seconds in 1_i64..90_000) {
            let rate = Rate::new(times, TimeDelta::seconds(seconds));
            let mut bucket = Bucket::full(NOON);

            for left in (0..times).rev() {
                prop_assert_eq!(bucket.take(rate, NOON), Ok(left));
            }
            prop_assert!(bucket.take(rate, NOON).is_err());
        }
    }
}
