//! Token buckets by key, in the memory of this node.

use std::cmp::Ordering;
use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, TimeDelta, Utc};
use grateful_domain::{Bucket, Rate};

/// A token bucket for every key that was used lately. All threads of a process share one of these.
///
/// Memory is bounded: buckets that are full again are forgotten, and of more than [`RateLimiter::MAX_BUCKETS`] that are not, those
/// that lack least.
#[derive(Debug)]
pub struct RateLimiter<K> {
    rate: Rate,
    kept: Mutex<Kept<K>>,
}

#[derive(Debug)]
struct Kept<K> {
    buckets: HashMap<K, Bucket>,
    /// How many there may be before it is time to look which are full again.
    sweep_at: usize,
}

impl<K: Copy + Eq + Hash> RateLimiter<K> {
    /// The most buckets that are kept: some megabytes.
    pub const MAX_BUCKETS: usize = 100_000;

    const FIRST_SWEEP: usize = 1_024;

    /// Buckets of this rate, all of them full.
    pub fn new(rate: Rate) -> Self {
        let kept = Kept { buckets: HashMap::new(), sweep_at: Self::FIRST_SWEEP };
        Self { rate, kept: Mutex::new(kept) }
    }

    /// What is counted.
    pub fn rate(&self) -> Rate {
        self.rate
    }

    /// Takes a token of this key, and tells how many are left.
    ///
    /// # Errors
    /// There is none: how long until there is one.
    pub fn take(&self, key: K, now: DateTime<Utc>) -> Result<u32, TimeDelta> {
        let mut kept = self.lock();
        if kept.sweep_at <= kept.buckets.len() {
            kept.sweep(now);
        }
        kept.buckets.entry(key).or_insert_with(|| Bucket::full(now)).take(self.rate, now)
    }

    /// Puts back a token of this key that was taken and not used.
    pub fn give_back(&self, key: K) {
        if let Some(bucket) = self.lock().buckets.get_mut(&key) {
            bucket.refund(self.rate);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Kept<K>> {
        // Whoever panicked left it whole: every change is one assignment.
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<K: Copy + Eq + Hash> Kept<K> {
    /// Forgets what need not be known. Doubling the threshold spreads the work over as many takings.
    fn sweep(&mut self, now: DateTime<Utc>) {
        self.buckets.retain(|_, bucket| now < bucket.full_at());
        if RateLimiter::<K>::MAX_BUCKETS <= self.buckets.len() {
            self.forget_fuller_half();
        }
        self.buckets.shrink_to_fit();
        let doubled = self.buckets.len().saturating_mul(2);
        self.sweep_at = doubled.clamp(RateLimiter::<K>::FIRST_SWEEP, RateLimiter::<K>::MAX_BUCKETS);
    }

    /// Whoever fills the memory with new keys pushes out keys like theirs, and none that was refused.
    fn forget_fuller_half(&mut self) {
        let mut moments: Vec<_> = self.buckets.values().map(Bucket::full_at).collect();
        let middle = moments.len() / 2;
        let (_, middle, above) = moments.select_nth_unstable(middle);
        let (middle, above) = (*middle, above.iter().filter(|moment| *middle < **moment).count());
        // Of those that are equally full, as many as there is room for.
        let mut room = (self.buckets.len() / 2).saturating_sub(above);
        self.buckets.retain(|_, bucket| match bucket.full_at().cmp(&middle) {
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

    fn two_an_hour() -> RateLimiter<u32> {
        RateLimiter::new(Rate::new(2, TimeDelta::hours(1)))
    }

    #[test]
    fn keys_do_not_take_from_each_other() {
        let buckets = two_an_hour();

        assert_eq!([1, 1, 1].map(|key| buckets.take(key, NOON).ok()), [Some(1), Some(0), None]);
        assert_eq!(buckets.take(2, NOON), Ok(1));
    }

    #[test]
    fn what_is_full_again_is_forgotten() {
        let buckets = two_an_hour();
        for key in 0..1_024 {
            buckets.take(key, NOON).unwrap();
        }

        buckets.take(5_000, NOON + TimeDelta::hours(1)).unwrap();

        assert_eq!(buckets.lock().buckets.len(), 1);
    }

    #[test]
    fn memory_is_bounded_and_whoever_was_refused_stays_refused() {
        let buckets = two_an_hour();
        while buckets.take(0, NOON).is_ok() {}

        for key in 1..250_000 {
            buckets.take(key, NOON).unwrap();
            assert!(buckets.lock().buckets.len() <= RateLimiter::<u32>::MAX_BUCKETS);
        }

        assert!(buckets.take(0, NOON).is_err());
    }
}
