//! Records metrics and renders them for `/metrics`.

use std::time::Duration;

use anyhow::Context as _;
use grateful_application::{Clock as _, SystemClock};
use grateful_storage::{Metric, MetricKind, MetricLabel, PoolMetrics};
use grateful_web::{MetricsPage, all_metrics};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use tokio::task::JoinHandle;

use crate::logging;

const BUILD_INFO: &str = "grateful_build_info";
const START_TIME: &str = "grateful_start_time_seconds";

/// The metrics of the process itself.
const METRICS: [Metric; 2] = [
    Metric {
        name: BUILD_INFO,
        kind: MetricKind::Gauge,
        labels: &[MetricLabel::dynamic("version")],
        help: "The version of this server; the value is 1.",
    },
    Metric {
        name: START_TIME,
        kind: MetricKind::Gauge,
        labels: &[],
        help: "When the process started, in seconds since 1970.",
    },
];

/// The process-wide metrics recorder.
pub(crate) struct MetricsRecorder {
    handle: PrometheusHandle,
    upkeep: JoinHandle<()>,
}

impl MetricsRecorder {
    /// Installs the recorder for this process and describes all metrics.
    ///
    /// # Errors
    /// A recorder is installed already.
    pub(crate) fn install() -> anyhow::Result<Self> {
        let mut builder = PrometheusBuilder::new();
        for metric in program_metrics() {
            if let MetricKind::Histogram(bounds) = metric.kind {
                let matcher = Matcher::Full(metric.name.to_owned());
                builder = builder.set_buckets_for_metric(matcher, bounds)?;
            }
        }
        let handle = builder.install_recorder().context("metrics cannot be recorded")?;
        program_metrics().for_each(|metric| metric.describe());
        metrics::gauge!(BUILD_INFO, "version" => env!("CARGO_PKG_VERSION")).set(1);
        let millis = SystemClock.now().timestamp_millis();
        metrics::gauge!(START_TIME).set(Duration::from_millis(millis.unsigned_abs()).as_secs_f64());
        let upkeep = tokio::spawn(run_upkeep_periodically(handle.clone()));
        Ok(Self { handle, upkeep })
    }

    /// The metrics page, including the state of these pools.
    pub(crate) fn page(&self, pools: PoolMetrics) -> MetricsPage {
        let handle = self.handle.clone();
        MetricsPage::new(move || {
            pools.observe();
            handle.render()
        })
    }
}

/// The metrics of this program and of all its crates.
fn program_metrics() -> impl Iterator<Item = Metric> {
    all_metrics().chain(logging::METRICS).chain(METRICS)
}

impl Drop for MetricsRecorder {
    fn drop(&mut self) {
        self.upkeep.abort();
    }
}

/// Drains recorded values periodically: otherwise they would accumulate until the page is requested, which may never
/// happen.
async fn run_upkeep_periodically(handle: PrometheusHandle) {
    let mut interval = tokio::time::interval(Duration::from_secs(5));
    loop {
        interval.tick().await;
        handle.run_upkeep();
    }
}
