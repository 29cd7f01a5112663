//! What this crate measures.

use std::time::Instant;

use grateful_storage::{Metric, MetricKind, MetricLabel};
use metrics::Gauge;

use crate::Result;

pub(crate) const FEED_DURATION: &str = "grateful_feed_duration_seconds";
pub(crate) const PASSWORDS_WAITING: &str = "grateful_passwords_waiting";
pub(crate) const PASSWORDS_IN_WORK: &str = "grateful_passwords_in_work";
pub(crate) const PASSWORDS_REFUSED: &str = "grateful_passwords_refused_total";
pub(crate) const IMAGES_WAITING: &str = "grateful_images_waiting";
pub(crate) const IMAGES_IN_WORK: &str = "grateful_images_in_work";
pub(crate) const IMAGES_REFUSED: &str = "grateful_images_refused_total";
pub(crate) const STREAMS_OPEN: &str = "grateful_streams_open";

/// What is measured here and in storage.
pub fn all_metrics() -> impl Iterator<Item = Metric> {
    grateful_storage::METRICS.iter().copied().chain(METRICS)
}

const METRICS: [Metric; 8] = [
    Metric {
        name: FEED_DURATION,
        kind: MetricKind::Histogram(&[
            0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0,
        ]),
        labels: &[MetricLabel::of("feed", &["ranked", "newest", "trending"])],
        help: "Time to make a page of a feed, its statements among it.",
    },
    gauge(PASSWORDS_WAITING, "Passwords that wait to be hashed."),
    gauge(PASSWORDS_IN_WORK, "Passwords that are being hashed."),
    counter(PASSWORDS_REFUSED, "Passwords that were not hashed because too many waited already."),
    gauge(IMAGES_WAITING, "Pictures that are being received or wait to be worked on."),
    gauge(IMAGES_IN_WORK, "Pictures that are being worked on."),
    counter(IMAGES_REFUSED, "Pictures that were not worked on because too many waited already."),
    gauge(STREAMS_OPEN, "Streams of notifications that are open."),
];

const fn gauge(name: &'static str, help: &'static str) -> Metric {
    Metric { name, kind: MetricKind::Gauge, labels: &[], help }
}

const fn counter(name: &'static str, help: &'static str) -> Metric {
    Metric { name, kind: MetricKind::Counter, labels: &[], help }
}

/// One more of what a gauge counts, for as long as this is kept.
pub(crate) struct Present(Gauge);

impl Present {
    pub(crate) fn in_(gauge: &'static str) -> Self {
        let gauge = metrics::gauge!(gauge);
        gauge.increment(1);
        Self(gauge)
    }
}

impl Drop for Present {
    fn drop(&mut self) {
        self.0.decrement(1);
    }
}

/// Makes a page of a feed, and measures how long that takes. One that fails says nothing about it.
pub(crate) async fn timed<T>(
    feed: &'static str,
    making: impl Future<Output = Result<T>>,
) -> Result<T> {
    let begun = Instant::now();
    let page = making.await?;
    metrics::histogram!(FEED_DURATION, "feed" => feed).record(begun.elapsed());
    Ok(page)
}
