//! Limits how much a key does at once, in the memory of this node.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Counts the permits that each key holds. Clones share the counts. Keys without permits take no memory.
#[derive(Debug, Clone)]
pub(crate) struct ConcurrencyLimiter<K: Eq + Hash> {
    max: usize,
    held: Arc<Mutex<HashMap<K, usize>>>,
}

/// One of the permits of a key. Dropping it returns it.
#[derive(Debug)]
#[must_use]
pub(crate) struct ConcurrencyPermit<K: Eq + Hash> {
    key: K,
    held: Arc<Mutex<HashMap<K, usize>>>,
}

impl<K: Copy + Eq + Hash> ConcurrencyLimiter<K> {
    /// Creates a limiter with `max` permits for every key.
    pub(crate) fn new(max: usize) -> Self {
        Self { max, held: Arc::default() }
    }

    /// Whether a permit of this key is left.
    pub(crate) fn is_available(&self, key: K) -> bool {
        lock(&self.held).get(&key).is_none_or(|count| *count < self.max)
    }

    /// Takes a permit of this key. Returns `None` if all are taken.
    pub(crate) fn try_acquire(&self, key: K) -> Option<ConcurrencyPermit<K>> {
        let mut held = lock(&self.held);
        let count = held.get(&key).copied().unwrap_or_default();
        if self.max <= count {
            return None;
        }
        held.insert(key, count + 1);
        Some(ConcurrencyPermit { key, held: Arc::clone(&self.held) })
    }
}

impl<K: Eq + Hash> Drop for ConcurrencyPermit<K> {
    fn drop(&mut self) {
        let mut held = lock(&self.held);
        match held.get_mut(&self.key) {
            Some(count) if 1 < *count => *count -= 1,
            _ => {
                held.remove(&self.key);
            }
        }
    }
}

fn lock<K>(held: &Mutex<HashMap<K, usize>>) -> MutexGuard<'_, HashMap<K, usize>> {
    // A panic cannot leave the counts inconsistent: every change is one call.
    held.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_holds_at_most_its_permits_and_returns_them() {
        let limiter = ConcurrencyLimiter::new(2);
        let first = limiter.try_acquire(1).unwrap();
        let second = limiter.clone().try_acquire(1).unwrap();

        assert!(limiter.try_acquire(1).is_none());
        assert!(limiter.try_acquire(2).is_some());
        drop(first);
        let third = limiter.try_acquire(1).unwrap();
        assert!(limiter.try_acquire(1).is_none());
        drop((second, third));
        assert!(lock(&limiter.held).is_empty());
    }
}
