//! The metrics of this crate: names, kinds, labels and help texts.
//!
//! Values go to the installed recorder of the `metrics` crate. Without a recorder, recording does nothing.

use grateful_domain::notification::BatchDecision;
use grateful_domain::{NotificationType, closed_enum};
use metrics::{Label, Unit};

/// A metric.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Metric {
    /// The Prometheus name, including the unit: `grateful_statement_duration_seconds`.
    pub name: &'static str,
    /// Counter, gauge or histogram.
    pub kind: MetricKind,
    /// The labels. No label value is an id, a name or a text of a user.
    pub labels: &'static [MetricLabel],
    /// The help text: one sentence.
    pub help: &'static str,
}

/// The kind of a metric.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum MetricKind {
    /// Only increases while the process runs.
    Counter,
    /// Increases and decreases.
    Gauge,
    /// Counts each value in the first bucket whose upper bound it does not exceed, and sums all values.
    Histogram(&'static [f64]),
}

/// A label of a metric.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MetricLabel {
    /// The name of the label.
    pub name: &'static str,
    /// All values; empty if they are known only at run time, such as routes.
    pub values: &'static [&'static str],
}

impl MetricLabel {
    /// A label whose values are known only at run time.
    pub const fn dynamic(name: &'static str) -> Self {
        Self { name, values: &[] }
    }

    /// A label with a fixed set of values.
    pub const fn fixed(name: &'static str, values: &'static [&'static str]) -> Self {
        Self { name, values }
    }
}

impl Metric {
    /// Describes the metric to the installed recorder. If all label values are fixed, also creates every series with the
    /// value zero, because a series that first appears with its first event has no rate until the second.
    pub fn describe(&self) {
        let is_time = self.name.ends_with("_seconds");
        let unit = if is_time { Unit::Seconds } else { Unit::Count };
        match self.kind {
            MetricKind::Counter => metrics::describe_counter!(self.name, unit, self.help),
            MetricKind::Gauge => metrics::describe_gauge!(self.name, unit, self.help),
            MetricKind::Histogram(_) => metrics::describe_histogram!(self.name, unit, self.help),
        }
        for labels in self.fixed_label_sets() {
            match self.kind {
                MetricKind::Counter => metrics::counter!(self.name, labels).increment(0),
                MetricKind::Gauge => metrics::gauge!(self.name, labels).increment(0),
                MetricKind::Histogram(_) => drop(metrics::histogram!(self.name, labels)),
            }
        }
    }

    /// All combinations of label values; none if a label is dynamic.
    fn fixed_label_sets(&self) -> Vec<Vec<Label>> {
        let mut sets = vec![vec![]];
        for label in self.labels {
            let with_value = |set: &Vec<Label>, value: &'static str| {
                let mut set = set.clone();
                set.push(Label::from_static_parts(label.name, value));
                set
            };
            let expand = |set| label.values.iter().map(move |value| with_value(set, value));
            sets = sets.iter().flat_map(expand).collect();
        }
        sets
    }
}

pub(crate) const STATEMENT_DURATION: &str = "grateful_statement_duration_seconds";
pub(crate) const STATEMENTS_SLOW: &str = "grateful_statements_slow_total";
pub(crate) const STATEMENTS_REPEATED: &str = "grateful_statements_repeated_total";
pub(crate) const TRANSACTIONS_RETRIED: &str = "grateful_transactions_retried_total";
pub(crate) const POOL_CONNECTIONS: &str = "grateful_pool_connections";
pub(crate) const POOL_CONNECTIONS_MAX: &str = "grateful_pool_connections_max";
pub(crate) const POOL_WAITING: &str = "grateful_pool_waiting";
pub(crate) const POOL_WAIT: &str = "grateful_pool_wait_seconds";
pub(crate) const POOL_FAILURES: &str = "grateful_pool_failures_total";
pub(crate) const NOTIFICATIONS: &str = "grateful_notifications_total";
pub(crate) const FEED_CANDIDATES: &str = "grateful_feed_candidates";

const POOL: MetricLabel = MetricLabel::dynamic("pool");

/// The metrics that this crate records.
pub const METRICS: &[Metric] = &[
    Metric {
        name: STATEMENT_DURATION,
        kind: MetricKind::Histogram(&[
            0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0,
        ]),
        labels: &[],
        help: "Time from sending a statement to the first response of PostgreSQL, including BEGIN and COMMIT.",
    },
    Metric {
        name: STATEMENTS_SLOW,
        kind: MetricKind::Counter,
        labels: &[],
        help: "Statements that took at least as long as the threshold for slow statements.",
    },
    Metric {
        name: STATEMENTS_REPEATED,
        kind: MetricKind::Counter,
        labels: &[MetricLabel::dynamic("operation")],
        help: "Statements that ran so often in one operation that a loop is likely (N+1).",
    },
    Metric {
        name: TRANSACTIONS_RETRIED,
        kind: MetricKind::Counter,
        labels: &[],
        help: "Transactions retried after a deadlock or a serialization failure.",
    },
    Metric {
        name: POOL_CONNECTIONS,
        kind: MetricKind::Gauge,
        labels: &[POOL, MetricLabel::fixed("state", &["busy", "idle"])],
        help: "Open connections to the database.",
    },
    Metric {
        name: POOL_CONNECTIONS_MAX,
        kind: MetricKind::Gauge,
        labels: &[POOL],
        help: "Maximum number of open connections to the database.",
    },
    Metric {
        name: POOL_WAITING,
        kind: MetricKind::Gauge,
        labels: &[POOL],
        help: "Tasks waiting for a connection to the database.",
    },
    Metric {
        name: POOL_WAIT,
        kind: MetricKind::Histogram(&[0.0001, 0.001, 0.005, 0.025, 0.1, 0.25, 0.5, 1.0]),
        labels: &[POOL],
        help: "Time until a connection to the database was acquired or the attempt failed.",
    },
    Metric {
        name: POOL_FAILURES,
        kind: MetricKind::Counter,
        labels: &[POOL],
        help: "Failed attempts to acquire a connection to the database: none was free in time, or none could be opened.",
    },
    Metric {
        name: NOTIFICATIONS,
        kind: MetricKind::Counter,
        labels: &[
            MetricLabel::fixed("outcome", &Outcome::CODES),
            MetricLabel::fixed("type", ACT_TYPES),
        ],
        help: "Outcomes of recorded notification events, counted at commit.",
    },
    Metric {
        name: FEED_CANDIDATES,
        kind: MetricKind::Histogram(&[25.0, 50.0, 100.0, 200.0, 400.0, 800.0, 1600.0]),
        labels: &[],
        help: "Posts read to compose a page of the ranked feed.",
    },
];

closed_enum! {
    /// What became of a recorded event: the values of the label `outcome` of `grateful_notifications_total`.
    pub(crate) enum Outcome {
        Joined = "joined",
        Converted = "converted",
        Started = "started",
        /// The hourly limit held back a start.
        HeldBack = "held_back",
        Restored = "restored",
        Skipped = "skipped",
    }
}

impl From<BatchDecision> for Outcome {
    /// The outcome of an event that the hourly limit does not hold back.
    fn from(decision: BatchDecision) -> Self {
        match decision {
            BatchDecision::Join => Self::Joined,
            BatchDecision::Convert => Self::Converted,
            BatchDecision::Start => Self::Started,
            BatchDecision::Restore(_) => Self::Restored,
            BatchDecision::Skip(_) => Self::Skipped,
        }
    }
}

/// The values of the label `type` of `grateful_notifications_total`: the types of acts.
const ACT_TYPES: &[&str] =
    match (NotificationType::ALL.last(), NotificationType::CODES.split_last()) {
        (Some(NotificationType::PostInteraction), Some((_, act_types))) => act_types,
        _ => panic!("the last type is the one that only batches have"),
    };
