//! Token buckets for rate limits.

use chrono::{DateTime, TimeDelta, Utc};

/// A rate limit: a number of tokens per period. Tokens are refilled evenly: at 120 per minute, one every half second.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    limit: u32,
    period: TimeDelta,
}

impl Rate {
    /// `limit` tokens per `period`. A limit of 0 is raised to 1, and a period below a second to a second.
    pub const fn new(limit: u32, period: TimeDelta) -> Self {
        let limit = if limit == 0 { 1 } else { limit };
        let period = if period.num_seconds() < 1 { TimeDelta::seconds(1) } else { period };
        Self { limit, period }
    }

    /// The number of tokens in a full bucket.
    pub const fn limit(self) -> u32 {
        self.limit
    }

    /// How long it takes to refill an empty bucket.
    pub const fn period(self) -> TimeDelta {
        self.period
    }

    /// The share of one of `parts` that count for themselves: an equal part of the tokens per period, rounded down, but at
    /// least one. No more than the whole rate in sum, unless there are more parts than tokens.
    #[must_use]
    pub const fn share_of(self, parts: u32) -> Self {
        let parts = if parts == 0 { 1 } else { parts };
        Self::new(self.limit / parts, self.period)
    }

    /// How long it takes to refill one token, rounded up to a nanosecond.
    pub fn time_per_token(self) -> TimeDelta {
        TimeDelta::nanoseconds(self.nanos_per_token())
    }

    /// How long it takes to refill an empty bucket: [`Self::time_per_token`] for each token.
    pub fn time_to_refill(self) -> TimeDelta {
        TimeDelta::nanoseconds(self.nanos_to_refill())
    }

    /// The nanoseconds until one token is refilled. Rounded up, so that [`Self::nanos_to_refill`] is a multiple of it.
    fn nanos_per_token(self) -> i64 {
        let (period, limit) = (self.period.num_nanoseconds(), i64::from(self.limit));
        (period.unwrap_or(i64::MAX / 2) + limit - 1) / limit
    }

    /// The nanoseconds until an empty bucket is full.
    fn nanos_to_refill(self) -> i64 {
        self.nanos_per_token().saturating_mul(i64::from(self.limit))
    }
}

/// A token bucket, by the generic cell rate algorithm (ITU-T I.371). Its only state is the time at which it will be full.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bucket {
    full_at: DateTime<Utc>,
}

impl Bucket {
    /// A bucket with this [`full_at`](Self::full_at).
    pub fn from_stored(full_at: DateTime<Utc>) -> Self {
        Self { full_at }
    }

    /// A full bucket.
    pub fn full(now: DateTime<Utc>) -> Self {
        Self { full_at: now }
    }

    /// Takes a token and returns how many are left.
    ///
    /// # Errors
    /// Returns how long to wait when no token is available. The bucket does not change.
    pub fn take(&mut self, rate: Rate, now: DateTime<Utc>) -> Result<u32, TimeDelta> {
        let missing_after = self.missing(rate, now).saturating_add(rate.nanos_per_token());
        if rate.nanos_to_refill() < missing_after {
            return Err(TimeDelta::nanoseconds(missing_after - rate.nanos_to_refill()));
        }
        self.full_at = now + TimeDelta::nanoseconds(missing_after);
        let left = (rate.nanos_to_refill() - missing_after) / rate.nanos_per_token();
        Ok(u32::try_from(left).unwrap_or(rate.limit))
    }

    /// Returns a token that was taken but not used.
    pub fn refund(&mut self, rate: Rate) {
        self.full_at -= TimeDelta::nanoseconds(rate.nanos_per_token());
    }

    /// Whether no token is missing. A full bucket need not be stored.
    pub fn is_full(&self, rate: Rate, now: DateTime<Utc>) -> bool {
        self.missing(rate, now) == 0
    }

    /// The nanoseconds until the bucket is full. More than a full bucket can only be missing if the clock was ahead and has
    /// been set back; the bucket then counts as full.
    fn missing(&self, rate: Rate, now: DateTime<Utc>) -> i64 {
        let until_full = (self.full_at - now).num_nanoseconds().unwrap_or(i64::MAX);
        if until_full <= rate.nanos_to_refill() { until_full.max(0) } else { 0 }
    }

    /// When the bucket will be full.
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
    fn a_full_bucket_has_as_many_tokens_as_the_limit() {
        let mut bucket = Bucket::full(NOON);

        let taken = [(); 4].map(|()| bucket.take(THREE_A_MINUTE, NOON));

        assert_eq!(taken, [Ok(2), Ok(1), Ok(0), Err(TWENTY_SECONDS)]);
    }

    #[test]
    fn one_token_is_available_after_the_returned_wait_time() {
        let mut bucket = Bucket::full(NOON);
        while bucket.take(THREE_A_MINUTE, NOON).is_ok() {}
        let wait = bucket.take(THREE_A_MINUTE, NOON).unwrap_err();

        let just_before = bucket.take(THREE_A_MINUTE, NOON + wait - TimeDelta::microseconds(1));
        assert!(just_before.is_err());
        assert_eq!(bucket.take(THREE_A_MINUTE, NOON + wait), Ok(0));
        assert!(bucket.take(THREE_A_MINUTE, NOON + wait).is_err());
    }

    #[test]
    fn a_refunded_token_can_be_taken_again() {
        let mut bucket = Bucket::full(NOON);
        while bucket.take(THREE_A_MINUTE, NOON).is_ok() {}

        bucket.refund(THREE_A_MINUTE);

        assert_eq!(bucket.take(THREE_A_MINUTE, NOON), Ok(0));
        assert!(bucket.take(THREE_A_MINUTE, NOON).is_err());
    }

    #[test]
    fn a_bucket_emptied_by_a_clock_that_was_ahead_is_full_after_the_clock_is_set_back() {
        let mut bucket = Bucket::full(NOON);
        while bucket.take(THREE_A_MINUTE, NOON).is_ok() {}

        let a_second_back = bucket.take(THREE_A_MINUTE, NOON - TimeDelta::seconds(1));
        let a_month_back = bucket.take(THREE_A_MINUTE, NOON - TimeDelta::days(30));

        assert_eq!([a_second_back, a_month_back], [Ok(2), Ok(2)]);
    }

    #[test]
    fn a_limit_of_zero_is_raised_to_one() {
        let rate = Rate::new(0, TimeDelta::zero());

        assert_eq!((rate.limit(), rate.period()), (1, TimeDelta::seconds(1)));
        assert_eq!(Bucket::full(NOON).take(rate, NOON), Ok(0));
    }

    proptest! {
        #[test]
        fn the_shares_of_a_rate_are_no_more_than_the_whole(limit in 1_u32..1_000, parts in 0_u32..1_000) {
            let rate = Rate::new(limit, TimeDelta::minutes(1));
            let share = rate.share_of(parts);

            prop_assert_eq!(share.period(), rate.period());
            prop_assert!(1 <= share.limit());
            let sum = share.limit() * parts.max(1);
            prop_assert!(sum <= limit.max(parts), "{sum}");
            prop_assert!(limit < sum + parts.max(1), "no part is given away: {sum}");
        }

        #[test]
        fn no_interval_allows_more_than_a_full_bucket_plus_the_refill(
            limit in 1_u32..200,
            seconds in 1_i64..4_000,
            gaps in prop::collection::vec(0_i64..3_000, 1..300),
        ) {
            let rate = Rate::new(limit, TimeDelta::seconds(seconds));
            let (mut bucket, mut now) = (Bucket::full(NOON), NOON);
            let mut taken = Vec::new();
            for gap in gaps {
                now += TimeDelta::milliseconds(gap * seconds / i64::from(limit));
                if bucket.take(rate, now).is_ok() {
                    taken.push(now);
                }
            }
            for (first, start) in taken.iter().enumerate() {
                for (last, end) in taken.iter().enumerate().skip(first) {
                    let refilled = (*end - *start).num_milliseconds() * i64::from(limit) / (seconds * 1_000);
                    prop_assert!(last - first < usize::try_from(i64::from(limit) + refilled + 1).unwrap());
                }
            }
        }

        #[test]
        fn the_returned_number_of_tokens_can_be_taken(limit in 1_u32..1_000, seconds in 1_i64..90_000) {
            let rate = Rate::new(limit, TimeDelta::seconds(seconds));
            let mut bucket = Bucket::full(NOON);

            for left in (0..limit).rev() {
                prop_assert_eq!(bucket.take(rate, NOON), Ok(left));
            }
            prop_assert!(bucket.take(rate, NOON).is_err());
        }
    }
}
