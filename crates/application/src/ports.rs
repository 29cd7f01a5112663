//! The outside world, as far as use cases must not know it.

use chrono::{DateTime, SubsecRound, Utc};

/// What time it is.
pub trait Clock: Send + Sync {
    /// Now, exact to the microsecond at most, since that is what PostgreSQL keeps.
    fn now(&self) -> DateTime<Utc>;
}

/// The clock of this machine.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the clock that everybody else asks")]
    fn now(&self) -> DateTime<Utc> {
        Utc::now().trunc_subsecs(6)
    }
}
