//! Observability: times statements, logs the statements of an operation, and lists the metrics of this crate.
//!
//! All other modules may record metrics through this one. It imports none of them.

mod commit_metrics;
pub(crate) mod metrics;
mod query_log;
mod query_monitor;
mod thresholds;

pub use self::commit_metrics::record_on_commit;
pub(crate) use self::commit_metrics::record_outcome;
pub use self::metrics::METRICS;
pub use self::query_log::{QueryLog, StatementStats};
pub use self::query_monitor::QueryMonitor;
pub(crate) use self::query_monitor::record_statement;
pub use self::thresholds::Thresholds;
