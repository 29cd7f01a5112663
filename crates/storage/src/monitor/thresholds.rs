//! Thresholds for reporting statements.

use std::time::Duration;

/// Thresholds at which statements are reported, as a log warning and in the metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Thresholds {
    /// A statement that takes this long or longer is slow. Default: 100 ms.
    pub slow: Duration,
    /// A statement that runs this often or more in one operation likely runs in a loop (N+1). Default: 5 times.
    pub repeated: u32,
}

impl Thresholds {
    /// Sets the threshold for slow statements.
    #[must_use]
    pub fn with_slow(self, slow: Duration) -> Self {
        Self { slow, ..self }
    }

    /// Sets the threshold for repeated statements.
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
