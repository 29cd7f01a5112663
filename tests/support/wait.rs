//! Polling with a timeout.

use std::time::{Duration, Instant};

/// How long tests wait for something to happen before they fail.
pub const TIMEOUT: Duration = Duration::from_secs(30);

/// Polls `condition` every 5 ms until it is true, and returns how long that took.
///
/// # Panics
///
/// If the condition is still false after [`TIMEOUT`]. The message contains `description`.
#[track_caller]
pub fn eventually(
    description: &str,
    mut condition: impl FnMut() -> bool,
) -> impl Future<Output = Duration> {
    let caller = std::panic::Location::caller();
    async move {
        let start = Instant::now();
        while !condition() {
            assert!(start.elapsed() < TIMEOUT, "timeout: {description} ({caller})");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        start.elapsed()
    }
}
