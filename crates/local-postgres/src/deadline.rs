//! Polling with a time limit that can be cancelled.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

const POLL_INTERVAL: Duration = Duration::from_millis(5);

/// A time limit for polling.
#[derive(Debug, Clone)]
pub(crate) struct Deadline {
    started: Instant,
    limit: Duration,
    cancelled: Arc<AtomicBool>,
}

impl Deadline {
    pub(crate) fn after(limit: Duration) -> Self {
        Self::cancellable(&Arc::default(), limit)
    }

    /// A deadline that also passes when the flag is set.
    pub(crate) fn cancellable(cancelled: &Arc<AtomicBool>, limit: Duration) -> Self {
        Self { started: Instant::now(), limit, cancelled: Arc::clone(cancelled) }
    }

    pub(crate) fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }

    /// Waits for one poll interval. Returns false, without waiting, when the deadline has passed.
    pub(crate) fn wait(&self) -> bool {
        let has_time = !self.cancelled.load(Ordering::Relaxed) && self.elapsed() < self.limit;
        if has_time {
            thread::sleep(POLL_INTERVAL);
        }
        has_time
    }
}
