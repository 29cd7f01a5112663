//! What is measured: names, kinds, labels and words, for whoever installs a recorder and for whoever reads what it shows.
//!
//! Numbers are given to the recorder of the `metrics` crate where they come about. Without one, nothing happens.

use grateful_domain::NotificationType;
use metrics::{Label, Unit};

/// Something that is measured.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Metric {
    /// What Prometheus calls it, with its unit: `grateful_statement_duration_seconds`.
    pub name: &'static str,
    /// How it is counted.
    pub kind: MetricKind,
    /// What it is told apart by. Never an id, a name or a text of anybody.
    pub labels: &'static [MetricLabel],
    /// What it says, in one sentence.
    pub help: &'static str,
}

/// How something is counted.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum MetricKind {
    /// It only grows, as long as the process lives.
    Counter,
    /// It goes up and down.
    Gauge,
    /// Each value is counted in the first of these bounds that it does not exceed, and all are added up.
    Histogram(&'static [f64]),
}

/// What a metric is told apart by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MetricLabel {
    /// What it is called.
    pub name: &'static str,
    /// All its values; none where the program decides which there are, such as its routes.
    pub values: &'static [&'static str],
}

impl MetricLabel {
    /// One whose values the program decides.
    pub const fn dynamic(name: &'static str) -> Self {
        Self { name, values: &[] }
    }

    /// One with these values.
    pub const fn fixed(name: &'static str, values: &'static [&'static str]) -> Self {
        Self { name, values }
    }
}

impl Metric {
    /// Tells the installed recorder what this is. Where all that it is told apart by is known, it is there from now on and
    /// zero: what appears with its first event has no rate before the second.
    pub fn describe(&self) {
        let is_time = self.name.ends_with("_seconds");
        let unit = if is_time { Unit::Seconds } else { Unit::Count };
        match self.kind {
            MetricKind::Counter => metrics::describe_counter!(self.name, unit, self.help),
            MetricKind::Gauge => metrics::describe_gauge!(self.name, unit, self.help),
            MetricKind::Histogram(_) => metrics::describe_histogram!(self.name, unit, self.help),
        }
        for labels in self.known_labels() {
            match self.kind {
                MetricKind::Counter => metrics::counter!(self.name, labels).increment(0),
                MetricKind::Gauge => metrics::gauge!(self.name, labels).increment(0),
                MetricKind::Histogram(_) => drop(metrics::histogram!(self.name, labels)),
            }
        }
    }

    /// Every combination of labels, where all their values are known.
    fn known_labels(&self) -> Vec<Vec<Label>> {
        let mut all = vec![vec![]];
        for label in self.labels {
            let with = |one: &Vec<Label>, value: &'static str| {
                let mut more = one.clone();
                more.push(Label::from_static_parts(label.name, value));
                more
            };
            let each = |one| label.values.iter().map(move |value| with(one, value));
            all = all.iter().flat_map(each).collect();
        }
        all
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

/// What the storage crate measures.
pub const METRICS: &[Metric] = &[
    Metric {
        name: STATEMENT_DURATION,
        kind: MetricKind::Histogram(&[
            0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0,
        ]),
        labels: &[],
        help: "Time from sending a statement to the first answer of PostgreSQL, BEGIN and COMMIT among them.",
    },
    Metric {
        name: STATEMENTS_SLOW,
        kind: MetricKind::Counter,
        labels: &[],
        help: "Statements that took as long as the threshold of slow ones, or longer.",
    },
    Metric {
        name: STATEMENTS_REPEATED,
        kind: MetricKind::Counter,
        labels: &[MetricLabel::dynamic("work")],
        help: "Statements that ran so often in one piece of work that a loop is likely (N+1).",
    },
    Metric {
        name: TRANSACTIONS_RETRIED,
        kind: MetricKind::Counter,
        labels: &[],
        help: "Transactions that PostgreSQL ended in favour of others, and that were tried again.",
    },
    Metric {
        name: POOL_CONNECTIONS,
        kind: MetricKind::Gauge,
        labels: &[POOL, MetricLabel::fixed("state", &["busy", "idle"])],
        help: "Connections to the database that are open.",
    },
    Metric {
        name: POOL_CONNECTIONS_MAX,
        kind: MetricKind::Gauge,
        labels: &[POOL],
        help: "Connections to the database that may be open.",
    },
    Metric {
        name: POOL_WAITING,
        kind: MetricKind::Gauge,
        labels: &[POOL],
        help: "How many wait for a connection to the database.",
    },
    Metric {
        name: POOL_WAIT,
        kind: MetricKind::Histogram(&[0.0001, 0.001, 0.005, 0.025, 0.1, 0.25, 0.5, 1.0]),
        labels: &[POOL],
        help: "Time until there was a connection to the database, or none in time.",
    },
    Metric {
        name: POOL_FAILURES,
        kind: MetricKind::Counter,
        labels: &[POOL],
        help: "How often there was no connection to the database in time, or none could be opened.",
    },
    Metric {
        name: NOTIFICATIONS,
        kind: MetricKind::Counter,
        labels: &[MetricLabel::fixed("outcome", &OUTCOMES), MetricLabel::fixed("type", &TYPES)],
        help: "What became of events that concern somebody, where it was committed.",
    },
    Metric {
        name: FEED_CANDIDATES,
        kind: MetricKind::Histogram(&[25.0, 50.0, 100.0, 200.0, 400.0, 800.0, 1600.0]),
        labels: &[],
        help: "Posts that were read to compose a page of the ranked feed.",
    },
];

/// What can become of an event, as `grateful_notifications_total` has it.
pub(crate) const OUTCOMES: [&str; 6] =
    ["joined", "converted", "started", "held_back", "came_back", "skipped"];

pub(crate) const HELD_BACK: &str = "held_back";

/// The types of acts.
const TYPES: [&str; 9] = [
    NotificationType::Like.code(),
    NotificationType::EmojiReaction.code(),
    NotificationType::PostShared.code(),
    NotificationType::Mention.code(),
    NotificationType::Follow.code(),
    NotificationType::FollowRequest.code(),
    NotificationType::FollowAccepted.code(),
    NotificationType::Comment.code(),
    NotificationType::CommentReply.code(),
];
