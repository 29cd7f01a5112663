//! Token buckets by key, in the memory of this node.

use std::cmp::Ordering;
use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, TimeDelta, Utc};
use grateful_domain::{Bucket, Rate};

/// A token bucket for every recently used key. All threads of a process share one limiter.
///
/// Memory is bounded: full buckets are dropped, and if [`RateLimiter::MAX_BUCKETS`] or more remain, the fuller half of
/// them is dropped too.
#[derive(Debug)]
pub struct RateLimiter<K> {
    rate: Rate,
    state: Mutex<State<K>>,
}

#[derive(Debug)]
struct State<K> {
    buckets: HashMap<K, Bucket>,
    /// The number of buckets at which the next sweep happens.
    sweep_at: usize,
}

impl<K: Copy + Eq + Hash> RateLimiter<K> {
    /// The maximum number of buckets. They take some megabytes.
    pub const MAX_BUCKETS: usize = 100_000;

    const FIRST_SWEEP: usize = 1_024;

    /// Creates a limiter in which every bucket is full.
    pub fn new(rate: Rate) -> Self {
        let state = State { buckets: HashMap::new(), sweep_at: Self::FIRST_SWEEP };
        Self { rate, state: Mutex::new(state) }
    }

    /// The rate of every bucket.
    pub fn rate(&self) -> Rate {
        self.rate
    }

    /// Takes a token of this key. Returns how many are left.
    ///
    /// # Errors
    /// Returns how long to wait when no token is available.
    pub fn take(&self, key: K, now: DateTime<Utc>) -> Result<u32, TimeDelta> {
        let mut state = self.lock();
        if state.sweep_at <= state.buckets.len() {
            state.sweep(self.rate, now);
        }
        state.buckets.entry(key).or_insert_with(|| Bucket::full(now)).take(self.rate, now)
    }

    /// Returns an unused token of this key to its bucket.
    pub fn refund(&self, key: K) {
        if let Some(bucket) = self.lock().buckets.get_mut(&key) {
            bucket.refund(self.rate);
        }
    }

    fn lock(&self) -> MutexGuard<'_, State<K>> {
        // A panic cannot leave the state inconsistent: every change is one assignment.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<K: Copy + Eq + Hash> State<K> {
    /// Drops buckets that need not be remembered. Doubling the threshold gives `take` an amortized constant cost.
    fn sweep(&mut self, rate: Rate, now: DateTime<Utc>) {
        self.buckets.retain(|_, bucket| !bucket.is_full(rate, now));
        if RateLimiter::<K>::MAX_BUCKETS <= self.buckets.len() {
            self.drop_fuller_half();
        }
        self.buckets.shrink_to_fit();
        let doubled = self.buckets.len().saturating_mul(2);
        self.sweep_at = doubled.clamp(RateLimiter::<K>::FIRST_SWEEP, RateLimiter::<K>::MAX_BUCKETS);
    }

    /// Drops the fuller half of the buckets. A client that fills the memory with new keys thus evicts only keys like its
    /// own, and no key that was rejected.
    fn drop_fuller_half(&mut self) {
        let mut full_at: Vec<_> = self.buckets.values().map(Bucket::full_at).collect();
        let middle = full_at.len() / 2;
        let (_, median, above) = full_at.select_nth_unstable(middle);
        let (median, above) = (*median, above.iter().filter(|moment| *median < **moment).count());
        // Of the buckets at the median, as many are kept as there is room for.
        let mut room = (self.buckets.len() / 2).saturating_sub(above);
        self.buckets.retain(|_, bucket| match bucket.full_at().cmp(&median) {
            Ordering::Less => false,
            Ordering::Equal => {
                let stays = 0 < room;
                room -= usize::from(stays);
                stays
            }
            Ordering::Greater => true,
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOON: DateTime<Utc> = DateTime::from_timestamp_micros(1_767_614_400_000_000).unwrap();

    fn two_per_hour() -> RateLimiter<u32> {
        RateLimiter::new(Rate::new(2, TimeDelta::hours(1)))
    }

    #[test]
    fn keys_have_separate_buckets() {
        let limiter = two_per_hour();

        assert_eq!([1, 1, 1].map(|key| limiter.take(key, NOON).ok()), [Some(1), Some(0), None]);
        assert_eq!(limiter.take(2, NOON), Ok(1));
    }

    #[test]
    fn full_buckets_are_dropped() {
        let limiter = two_per_hour();
        for key in 0..1_024 {
            limiter.take(key, NOON).unwrap();
        }

        limiter.take(5_000, NOON + TimeDelta::hours(1)).unwrap();

        assert_eq!(limiter.lock().buckets.len(), 1);
    }

    #[test]
    fn buckets_used_by_a_clock_that_was_ahead_are_dropped() {
        let limiter = two_per_hour();
        for key in 0..1_024 {
            limiter.take(key, NOON + TimeDelta::days(30)).unwrap();
        }

        limiter.take(5_000, NOON).unwrap();

        assert_eq!(limiter.lock().buckets.len(), 1);
    }

    #[test]
    fn memory_is_bounded_and_rejected_keys_stay_rejected() {
        let limiter = two_per_hour();
        while limiter.take(0, NOON).is_ok() {}

        for key in 1..250_000 {
            limiter.take(key, NOON).unwrap();
            assert!(limiter.lock().buckets.len() <= RateLimiter::<u32>::MAX_BUCKETS);
        }

        assert!(limiter.take(0, NOON).is_err());
    }
}
