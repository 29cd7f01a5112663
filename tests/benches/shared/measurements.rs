//! The durations of the requests or operations of one round.

use std::time::Duration;

/// The duration of each request or operation, and of the whole round.
pub(crate) struct Measurements {
    times: Vec<Duration>,
    elapsed: Duration,
}

impl Measurements {
    /// # Panics
    ///
    /// If nothing was measured.
    pub(crate) fn new(mut times: Vec<Duration>, elapsed: Duration) -> Self {
        assert!(!times.is_empty(), "nothing was measured");
        times.sort_unstable();
        Self { times, elapsed }
    }

    pub(crate) fn per_second(&self) -> f64 {
        f64::from(u32::try_from(self.times.len()).unwrap_or(u32::MAX)) / self.elapsed.as_secs_f64()
    }

    /// The duration that this share of the requests stayed below, in milliseconds.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_precision_loss,
        clippy::cast_sign_loss,
        reason = "an index into a list of some hundred thousand"
    )]
    pub(crate) fn percentile(&self, share: f64) -> f64 {
        let index = (self.times.len() as f64 * share) as usize;
        self.times[index].as_secs_f64() * 1e3
    }
}
