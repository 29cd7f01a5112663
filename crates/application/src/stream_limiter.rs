//! How many notification streams a user may have open.

use chrono::TimeDelta;
use grateful_domain::UserId;

use crate::concurrency_limiter::{ConcurrencyLimiter, ConcurrencyPermit};
use crate::{Error, Result};

/// Counts the open streams of each user in the memory of this node. Clones share the counts.
#[derive(Debug, Clone)]
pub struct StreamLimiter(ConcurrencyLimiter<UserId>);

impl StreamLimiter {
    /// How many streams a user may have open at the same time (docs/rules.md#request-limits).
    pub const MAX_PER_USER: usize = 10;

    /// Takes the place of one stream.
    ///
    /// # Errors
    /// `RateLimited` if the user has [`StreamLimiter::MAX_PER_USER`] streams open.
    pub(crate) fn open(&self, user: UserId) -> Result<ConcurrencyPermit<UserId>> {
        self.0.try_acquire(user).ok_or_else(too_many_streams)
    }

    /// Checks whether the user could open one more stream, and takes no place.
    ///
    /// # Errors
    /// As [`StreamLimiter::open`].
    pub(crate) fn check(&self, user: UserId) -> Result<()> {
        if self.0.is_available(user) { Ok(()) } else { Err(too_many_streams()) }
    }
}

fn too_many_streams() -> Error {
    Error::RateLimited {
        policy: "open-streams",
        limit: u32::try_from(StreamLimiter::MAX_PER_USER).unwrap_or(u32::MAX),
        window: RETRY_AFTER,
        retry_after: RETRY_AFTER,
        reason: "Too many notification streams are open, please close one of them",
    }
}

impl Default for StreamLimiter {
    fn default() -> Self {
        Self(ConcurrencyLimiter::new(Self::MAX_PER_USER))
    }
}

/// By this time, the server has noticed a client that is gone: it writes to every stream at least every 15 seconds, and the
/// second write fails.
const RETRY_AFTER: TimeDelta = TimeDelta::seconds(30);
