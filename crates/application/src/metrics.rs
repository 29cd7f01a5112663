//! The metrics of this crate.

use std::time::Instant;

use grateful_metrics::{Metric, MetricKind, MetricLabel};
use metrics::Gauge;

use crate::Result;

pub(crate) const FEED_DURATION: &str = "grateful_feed_duration_seconds";
pub(crate) const PASSWORD_HASHES_QUEUED: &str = "grateful_password_hashes_queued";
pub(crate) const PASSWORD_HASHES_RUNNING: &str = "grateful_password_hashes_running";
pub(crate) const PASSWORD_HASHES_REJECTED: &str = "grateful_password_hashes_rejected_total";
pub(crate) const UPLOADS_RECEIVING: &str = "grateful_uploads_receiving";
pub(crate) const IMAGES_QUEUED: &str = "grateful_images_queued";
pub(crate) const IMAGES_PROCESSING: &str = "grateful_images_processing";
pub(crate) const IMAGES_REJECTED: &str = "grateful_images_rejected_total";
pub(crate) const CLOCK_SKEW: &str = "grateful_database_clock_skew_seconds";
pub(crate) const GROUP_SIZE: &str = "grateful_act_group_size";
pub(crate) const GROUPS_RETRIED: &str = "grateful_act_groups_retried_total";
pub(crate) const GROUPS_SPLIT: &str = "grateful_act_groups_split_total";
pub(crate) const ACTS_WAIT: &str = "grateful_acts_wait_seconds";
pub(crate) const ACTS_REFUSED: &str = "grateful_acts_refused_total";
pub(crate) const STREAMS_OPEN: &str = "grateful_streams_open";

/// The metrics of this crate and of storage.
pub fn all_metrics() -> impl Iterator<Item = Metric> {
    grateful_storage::METRICS.iter().copied().chain(METRICS)
}

const METRICS: [Metric; 15] = [
    Metric {
        name: FEED_DURATION,
        kind: MetricKind::Histogram(&[
            0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0,
        ]),
        labels: &[MetricLabel::fixed("feed", &["ranked", "newest", "trending"])],
        help: "Time to compose a page of a feed, including its statements.",
    },
    gauge(PASSWORD_HASHES_QUEUED, "Password hashes waiting for a free slot."),
    gauge(PASSWORD_HASHES_RUNNING, "Password hashes being computed."),
    counter(PASSWORD_HASHES_REJECTED, "Password hashes rejected because the queue was full."),
    gauge(UPLOADS_RECEIVING, "Upload bodies being received."),
    gauge(IMAGES_QUEUED, "Images waiting to be processed."),
    gauge(IMAGES_PROCESSING, "Images being processed."),
    counter(IMAGES_REJECTED, "Images rejected because the queue was full."),
    gauge(
        CLOCK_SKEW,
        "How far the clock of the database was ahead of this node's, at the last readiness check.",
    ),
    Metric {
        name: GROUP_SIZE,
        kind: MetricKind::Histogram(&[1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 200.0]),
        labels: ACT,
        help: "Acts that run together in one transaction.",
    },
    Metric {
        name: ACTS_WAIT,
        kind: MetricKind::Histogram(&[0.0001, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.1, 0.5, 1.0]),
        labels: ACT,
        help: "Time until the group of an act started.",
    },
    of_acts(ACTS_REFUSED, "Acts refused because too many were waiting, or for too long."),
    of_acts(GROUPS_RETRIED, "Groups of acts that failed as a whole and ran once more."),
    of_acts(GROUPS_SPLIT, "Groups of acts that failed as a whole and ran one by one."),
    gauge(STREAMS_OPEN, "Open notification streams."),
];

/// The kinds of acts that run in groups.
const ACT: &[MetricLabel] = &[MetricLabel::fixed(
    "act",
    &[
        "add_heart",
        "remove_heart",
        "set_reaction",
        "remove_reaction",
        "follow",
        "read_notification",
    ],
)];

const fn of_acts(name: &'static str, help: &'static str) -> Metric {
    Metric { name, kind: MetricKind::Counter, labels: ACT, help }
}

const fn gauge(name: &'static str, help: &'static str) -> Metric {
    Metric { name, kind: MetricKind::Gauge, labels: &[], help }
}

const fn counter(name: &'static str, help: &'static str) -> Metric {
    Metric { name, kind: MetricKind::Counter, labels: &[], help }
}

/// Increments a gauge, and decrements it when dropped.
pub(crate) struct GaugeGuard(Gauge);

impl GaugeGuard {
    pub(crate) fn new(gauge: &'static str) -> Self {
        let gauge = metrics::gauge!(gauge);
        gauge.increment(1);
        Self(gauge)
    }
}

impl Drop for GaugeGuard {
    fn drop(&mut self) {
        self.0.decrement(1);
    }
}

/// Composes a page of a feed and records the duration. Failures are not recorded.
pub(crate) async fn time_feed<T>(
    feed: &'static str,
    compose: impl Future<Output = Result<T>>,
) -> Result<T> {
    let start = Instant::now();
    let page = compose.await?;
    metrics::histogram!(FEED_DURATION, "feed" => feed).record(start.elapsed());
    Ok(page)
}
