//! The metrics of this crate.
//!
//! Values go to the installed recorder of the `metrics` crate. Without a recorder, recording does nothing.

use grateful_domain::notification::BatchDecision;
use grateful_domain::{NotificationType, closed_enum};
use grateful_metrics::{Metric, MetricKind, MetricLabel};

pub(crate) const STATEMENT_DURATION: &str = "grateful_statement_duration_seconds";
pub(crate) const STATEMENTS_SLOW: &str = "grateful_statements_slow_total";
pub(crate) const STATEMENTS_REPEATED: &str = "grateful_statements_repeated_total";
pub(crate) const TRANSACTIONS_RETRIED: &str = "grateful_transactions_retried_total";
pub(crate) const POOL_CONNECTIONS: &str = "grateful_pool_connections";
pub(crate) const POOL_CONNECTIONS_MAX: &str = "grateful_pool_connections_max";
pub(crate) const POOL_WAITING: &str = "grateful_pool_waiting";
pub(crate) const POOL_WAIT: &str = "grateful_pool_wait_seconds";
pub(crate) const POOL_FAILURES: &str = "grateful_pool_failures_total";
pub(crate) const CONNECTIONS_SILENT: &str = "grateful_connections_silent_total";
pub(crate) const READ_CONNECTIONS: &str = "grateful_read_connections";
pub(crate) const READ_CONNECTIONS_DISCARDED: &str = "grateful_read_connections_discarded_total";
pub(crate) const READS_IN_FLIGHT: &str = "grateful_reads_in_flight";
pub(crate) const READS_REPEATED: &str = "grateful_reads_repeated_total";
pub(crate) const READS_REFUSED: &str = "grateful_reads_refused_total";
pub(crate) const READS: &str = "grateful_reads_total";
pub(crate) const REPLICA_STALENESS: &str = "grateful_replica_staleness_seconds";
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
        name: CONNECTIONS_SILENT,
        kind: MetricKind::Counter,
        labels: &[POOL],
        help: "Connections to the database that were closed because PostgreSQL did not answer in time.",
    },
    Metric {
        name: READ_CONNECTIONS,
        kind: MetricKind::Gauge,
        labels: &[POOL],
        help: "Open shared connections for reads.",
    },
    Metric {
        name: READ_CONNECTIONS_DISCARDED,
        kind: MetricKind::Counter,
        labels: &[POOL],
        help: "Shared connections for reads that were lost or did not answer in time.",
    },
    Metric {
        name: READS_IN_FLIGHT,
        kind: MetricKind::Gauge,
        labels: &[POOL],
        help: "Reads under way on shared connections.",
    },
    Metric {
        name: READS_REPEATED,
        kind: MetricKind::Counter,
        labels: &[POOL, MetricLabel::fixed("reason", &RepeatReason::CODES)],
        help: "Reads that ran once more, because their connection was lost or a slow statement held them up.",
    },
    Metric {
        name: READS_REFUSED,
        kind: MetricKind::Counter,
        labels: &[POOL],
        help: "Reads that were refused because too many were under way.",
    },
    Metric {
        name: READS,
        kind: MetricKind::Counter,
        labels: &[MetricLabel::dynamic("server"), MetricLabel::fixed("why", &ReadReason::CODES)],
        help: "Reads that may run on a replica, by where they ran. Nothing is counted without replicas.",
    },
    Metric {
        name: REPLICA_STALENESS,
        kind: MetricKind::Gauge,
        labels: &[MetricLabel::dynamic("replica")],
        help: "How old the state is that a replica shows, at most.",
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

closed_enum! {
    /// Why a read ran once more: the values of the label `reason` of `grateful_reads_repeated_total`.
    pub(crate) enum RepeatReason {
        /// Its connection was lost.
        Lost = "lost",
        /// A slow statement of another read held it up.
        HeldUp = "held_up",
    }
}

closed_enum! {
    /// Why a read ran where it did: the values of the label `why` of `grateful_reads_total`.
    pub(crate) enum ReadReason {
        /// A replica may serve the read.
        Replayed = "replayed",
        /// No usable replica has replayed what the reader has written, or it is not known what that is.
        Mark = "mark",
        /// All healthy replicas show too old a state.
        Stale = "stale",
        /// No replica is healthy.
        Unhealthy = "unhealthy",
        /// A statement failed on the replica: it conflicted with replay, or the connection was lost.
        Conflict = "conflict",
    }
}

impl From<BatchDecision> for Outcome {
    fn from(decision: BatchDecision) -> Self {
        match decision {
            BatchDecision::Join => Self::Joined,
            BatchDecision::Convert => Self::Converted,
            BatchDecision::Start => Self::Started,
            BatchDecision::HoldBack => Self::HeldBack,
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
