//! Waiting that ends: with success, with time, or because nobody wants the result any more.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

const MOMENT: Duration = Duration::from_millis(5);

/// How long something may take.
#[derive(Debug, Clone)]
pub(crate) struct Patience {
    since: Instant,
    limit: Duration,
    unwanted: Arc<AtomicBool>,
}

impl Patience {
    pub(crate) fn of(limit: Duration) -> Self {
        Self::unless(&Arc::default(), limit)
    }

    /// Ends early once the flag is raised.
    pub(crate) fn unless(unwanted: &Arc<AtomicBool>, limit: Duration) -> Self {
        Self { since: Instant::now(), limit, unwanted: Arc::clone(unwanted) }
    }

    pub(crate) fn spent(&self) -> Duration {
        self.since.elapsed()
    }

    /// Waits a moment; false when there was enough waiting.
    pub(crate) fn pause(&self) -> bool {
        let goes_on = !self.unwanted.load(Ordering::Relaxed) && self.spent() < self.limit;
        if goes_on {
            thread::sleep(MOMENT);
        }
        goes_on
    }
}
