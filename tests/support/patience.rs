//! Waiting for what happens elsewhere.

use std::time::{Duration, Instant};

/// After this, what did not happen does not happen.
pub const DEADLINE: Duration = Duration::from_secs(30);

/// Asks until the answer is yes. Tells how long that took.
#[track_caller]
pub fn eventually(what: &str, mut is_so: impl FnMut() -> bool) -> impl Future<Output = Duration> {
    let caller = std::panic::Location::caller();
    async move {
        let begun = Instant::now();
        while !is_so() {
            assert!(begun.elapsed() < DEADLINE, "did not happen in time: {what} ({caller})");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        begun.elapsed()
    }
}

/// How often or how long: the first number where `GRATEFUL_FULL=1` asks for the long form, else the second.
pub fn full_or<T>(full: T, short: T) -> T {
    if std::env::var_os("GRATEFUL_FULL").is_some_and(|value| value == "1") { full } else { short }
}
