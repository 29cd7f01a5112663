//! Thresholds for reporting statements.

use std::time::Duration;

/// From when on statements are reported: as a warning of `tracing`, and in the metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Thresholds {
    /// How long one takes that is slow: 100 ms, unless said otherwise.
    pub slow: Duration,
    /// How often the same one runs in one piece of work that asks row by row (N+1): 5 times, unless said otherwise.
    pub repeated: u32,
}

impl Thresholds {
    /// With statements slow from here on.
    #[must_use]
    pub fn with_slow(self, slow: Duration) -> Self {
        Self { slow, ..self }
    }

    /// With statements repeated from here on.
    #[must_use]
    pub fn with_repeated(self, repeated: u32) -> Self {
        Self { repeated, ..self }
    }
}

impl Default for Thresholds {
    fn default() -> Self {
        Self { slow: Duration::from_millis(100), repeated: 5 }
    }
}
