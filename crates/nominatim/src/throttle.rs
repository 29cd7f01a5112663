//! Spaces the requests of all callers.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use crate::error::NominatimError;

/// Keeps a minimum interval between requests.
#[derive(Debug)]
pub(crate) struct RequestThrottle {
    min_interval: Duration,
    /// The earliest time of the next request.
    next_slot: Mutex<Option<Instant>>,
}

impl RequestThrottle {
    pub(crate) fn new(min_interval: Duration) -> Self {
        Self { min_interval, next_slot: Mutex::new(None) }
    }

    /// Reserves the next slot and waits for it. A caller that is cancelled leaves its slot unused.
    ///
    /// # Errors
    /// Fails immediately if the slot is more than `max_wait` away.
    pub(crate) async fn acquire(&self, max_wait: Duration) -> Result<(), NominatimError> {
        let slot = self.reserve(max_wait).ok_or(NominatimError::TimedOut)?;
        sleep_until(slot).await;
        Ok(())
    }

    fn reserve(&self, max_wait: Duration) -> Option<Instant> {
        let now = Instant::now();
        let mut next_slot = self.next_slot.lock().unwrap_or_else(PoisonError::into_inner);
        let slot = next_slot.map_or(now, |next_slot| next_slot.max(now));
        (slot <= now + max_wait).then(|| {
            *next_slot = Some(slot + self.min_interval);
            slot
        })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[tokio::test(start_paused = true)]
    async fn concurrent_requests_are_one_interval_apart() {
        let throttle = Arc::new(RequestThrottle::new(SECOND));
        let start = Instant::now();

        let tasks = (0..5).map(|_| {
            let throttle = Arc::clone(&throttle);
            tokio::spawn(async move {
                throttle.acquire(5 * SECOND).await.unwrap();
                start.elapsed().as_secs()
            })
        });
        let mut seconds = Vec::new();
        for task in tasks.collect::<Vec<_>>() {
            seconds.push(task.await.unwrap());
        }

        assert_eq!(seconds, [0, 1, 2, 3, 4]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_wait_that_is_too_long_fails_immediately_and_reserves_no_slot() {
        let throttle = RequestThrottle::new(SECOND);
        let start = Instant::now();
        while throttle.reserve(5 * SECOND).is_some() {}

        for _ in 0..100 {
            assert!(throttle.acquire(5 * SECOND).await.is_err());
        }

        assert_eq!(start.elapsed(), Duration::ZERO);
        throttle.acquire(6 * SECOND).await.unwrap();
        assert_eq!(start.elapsed(), 6 * SECOND);
    }

    #[tokio::test(start_paused = true)]
    async fn unused_slots_do_not_accumulate() {
        let throttle = RequestThrottle::new(SECOND);
        tokio::time::advance(60 * SECOND).await;
        let start = Instant::now();

        throttle.acquire(SECOND).await.unwrap();
        throttle.acquire(SECOND).await.unwrap();

        assert_eq!(start.elapsed(), SECOND);
    }
}
