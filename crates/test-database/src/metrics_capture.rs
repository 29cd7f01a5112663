//! Captures the metrics that one test records.

use std::collections::BTreeMap;

use metrics::LocalRecorderGuard;
use metrics_util::debugging::{DebugValue, DebuggingRecorder, Snapshotter};

/// Captures the metrics that the current thread records until this value is dropped, independently of other tests.
///
/// A single-threaded test (`#[tokio::test]`, `#[actix_web::test]`) therefore captures all metrics that it causes.
pub struct MetricsCapture {
    snapshotter: Snapshotter,
    _guard: LocalRecorderGuard<'static>,
}

impl MetricsCapture {
    /// Starts capturing.
    pub fn start() -> Self {
        // The guard borrows the recorder. Leaking costs a few hundred bytes per capture.
        let recorder: &'static DebuggingRecorder = Box::leak(Box::default());
        let snapshotter = recorder.snapshotter();
        Self { snapshotter, _guard: metrics::set_default_local_recorder(recorder) }
    }

    /// Returns the changes since the last `take…`, keyed by `name{label=value,…}`: the increment of a counter, the
    /// value or change of a gauge, the number of samples of a histogram. Omits metrics that did not change.
    pub fn take(&self) -> BTreeMap<String, i64> {
        let mut changes = self.take_with_zeros();
        changes.retain(|_, value| *value != 0);
        changes
    }

    /// Like [`Self::take`], including metrics that did not change.
    pub fn take_with_zeros(&self) -> BTreeMap<String, i64> {
        let all = self.snapshotter.snapshot().into_vec().into_iter();
        let changes = all.map(|(key, _, _, value)| {
            let (_, key) = key.into_parts();
            let mut labels: Vec<String> =
                key.labels().map(|label| format!("{}={}", label.key(), label.value())).collect();
            labels.sort_unstable();
            let labels =
                if labels.is_empty() { String::new() } else { format!("{{{}}}", labels.join(",")) };
            (format!("{}{labels}", key.name()), number(value))
        });
        changes.collect()
    }

    /// Like [`Self::take`], limited to metrics with one of these names.
    pub fn take_named(&self, names: &[&str]) -> BTreeMap<String, i64> {
        let mut all = self.take();
        all.retain(|key, _| names.contains(&key.split('{').next().unwrap_or_default()));
        all
    }

    /// Returns all samples that the histograms with this name received since the last `take…`.
    pub fn take_histogram(&self, name: &str) -> Vec<f64> {
        let all = self.snapshotter.snapshot().into_vec().into_iter();
        let matching = all.filter(|(key, ..)| key.key().name() == name);
        let samples = matching.filter_map(|(_, _, _, value)| match value {
            DebugValue::Histogram(values) => Some(values),
            _ => None,
        });
        samples.flatten().map(f64::from).collect()
    }
}

fn number(value: DebugValue) -> i64 {
    match value {
        DebugValue::Counter(increment) => increment.try_into().unwrap(),
        // Most gauges change in steps of 1. Others are rounded.
        DebugValue::Gauge(value) => format!("{:.0}", f64::from(value)).parse().unwrap(),
        DebugValue::Histogram(values) => values.len().try_into().unwrap(),
    }
}
