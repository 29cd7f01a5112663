//! The database statements of an operation.

use std::time::Duration;

use crate::App;

/// The database statements that an operation ran.
#[derive(Debug, Clone, Default)]
pub struct QueryLog(grateful_storage::QueryLog);

impl QueryLog {
    /// Runs `work`, and returns its output and the statements it ran. Statements of tasks that `work` spawns are not logged.
    pub async fn record<T>(work: impl Future<Output = T>) -> (T, Self) {
        let (output, log) = grateful_storage::QueryLog::record(work).await;
        (output, Self(log))
    }

    /// The number of statements, including `BEGIN` and `COMMIT`.
    pub fn total(&self) -> u32 {
        self.0.total()
    }

    /// How often the operation waited for the database: statements that were sent together are one round trip.
    pub fn round_trips(&self) -> usize {
        self.0.round_trips()
    }

    /// The total time of all statements.
    pub fn time(&self) -> Duration {
        self.0.time()
    }

    /// Warns of each statement that ran so often that a loop is likely (N+1). `operation` is a label value of a metric, so it
    /// must come from a small fixed set.
    pub fn report(&self, app: &App, operation: &str) {
        self.0.report(operation, app.db.thresholds());
    }
}
