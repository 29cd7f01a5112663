//! Observability: times statements, logs those of one operation, and lists the metrics of this crate.
//!
//! Every other module may record what it does here, so this one imports none of them.

mod commit_metrics;
pub(crate) mod metrics;
mod query_log;
mod query_monitor;
mod thresholds;

pub use self::commit_metrics::record_on_commit;
pub(crate) use self::commit_metrics::{note, outcome_of};
pub use self::metrics::{METRICS, Metric, MetricKind, MetricLabel};
pub use self::query_log::{QueryLog, StatementStats};
pub use self::query_monitor::QueryMonitor;
pub use self::thresholds::Thresholds;
