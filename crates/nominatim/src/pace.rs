//! One request after the other, whoever makes them.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use crate::failure::Failure;

/// Whose turn it is, and when.
#[derive(Debug)]
pub(crate) struct Pace {
    interval: Duration,
    /// When the next turn is free.
    next: Mutex<Option<Instant>>,
}

impl Pace {
    pub(crate) fn new(interval: Duration) -> Self {
        Self { interval, next: Mutex::new(None) }
    }

    /// Waits for one's turn. Whoever goes away meanwhile leaves it unused.
    ///
    /// # Errors
    /// It would take longer than `patience`; that is said at once.
    pub(crate) async fn wait(&self, patience: Duration) -> Result<(), Failure> {
        let turn = self.book(patience).ok_or(Failure::TimedOut)?;
        sleep_until(turn).await;
        Ok(())
    }

    fn book(&self, patience: Duration) -> Option<Instant> {
        let now = Instant::now();
        let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
        let turn = next.map_or(now, |next| next.max(now));
        (turn <= now + patience).then(|| {
            *next = Some(turn + self.interval);
            turn
        })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[tokio::test(start_paused = true)]
    async fn turns_are_a_second_apart_however_many_ask_at_once() {
        let pace = Arc::new(Pace::new(SECOND));
        let begun = Instant::now();

        let waiting = (0..5).map(|_| {
            let pace = Arc::clone(&pace);
            tokio::spawn(async move {
                pace.wait(5 * SECOND).await.unwrap();
                begun.elapsed().as_secs()
            })
        });
        let mut turns = Vec::new();
        for turn in waiting.collect::<Vec<_>>() {
            turns.push(turn.await.unwrap());
        }

        assert_eq!(turns, [0, 1, 2, 3, 4]);
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_would_wait_too_long_is_told_at_once_and_takes_no_turn() {
        let pace = Pace::new(SECOND);
        let begun = Instant::now();
        while pace.book(5 * SECOND).is_some() {}

        for _ in 0..100 {
            assert!(pace.wait(5 * SECOND).await.is_err());
        }

        assert_eq!(begun.elapsed(), Duration::ZERO);
        pace.wait(6 * SECOND).await.unwrap();
        assert_eq!(begun.elapsed(), 6 * SECOND);
    }

    #[tokio::test(start_paused = true)]
    async fn turns_that_nobody_took_are_not_saved_up() {
        let pace = Pace::new(SECOND);
        tokio::time::advance(60 * SECOND).await;
        let begun = Instant::now();

        pace.wait(SECOND).await.unwrap();
        pace.wait(SECOND).await.unwrap();

        assert_eq!(begun.elapsed(), SECOND);
    }
}
