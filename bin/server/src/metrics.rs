//! Records metrics and renders them for `/metrics`.

use std::time::Duration;

use anyhow::Context as _;
use grateful_storage::{Metric, MetricKind, PoolMetrics};
use grateful_web::{MetricsPage, all_metrics};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use tokio::task::JoinHandle;

use crate::logging;

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
    all_metrics().chain(logging::METRICS)
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
