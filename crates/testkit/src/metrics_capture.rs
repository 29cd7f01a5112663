//! What is measured while a test looks.

use std::collections::BTreeMap;

use metrics::LocalRecorderGuard;
use metrics_util::debugging::{DebugValue, DebuggingRecorder, Snapshotter};

/// What is measured on this thread while this is kept, whatever other tests of the process do.
///
/// Tests of one thread see all that they cause: `#[tokio::test]` and `#[actix_web::test]` are such.
pub struct MetricsCapture {
    snapshotter: Snapshotter,
    _guard: LocalRecorderGuard<'static>,
}

impl MetricsCapture {
    /// From now on.
    pub fn start() -> Self {
        // A few hundred bytes for each test that looks: a guard borrows its recorder.
        let recorder: &'static DebuggingRecorder = Box::leak(Box::default());
        let snapshotter = recorder.snapshotter();
        Self { snapshotter, _guard: metrics::set_default_local_recorder(recorder) }
    }

    /// What was measured since this was last asked, as `name{label=value,…}`: what a counter grew by, what a gauge was set to or changed by, how
    /// many values a histogram got. What did not change is left out.
    pub fn take(&self) -> BTreeMap<String, i64> {
        let mut changed = self.take_with_zeros();
        changed.retain(|_, value| *value != 0);
        changed
    }

    /// The same, with what did not change.
    pub fn take_with_zeros(&self) -> BTreeMap<String, i64> {
        let all = self.snapshotter.snapshot().into_vec().into_iter();
        let named = all.map(|(key, _, _, value)| {
            let (_, key) = key.into_parts();
            let mut labels: Vec<String> =
                key.labels().map(|label| format!("{}={}", label.key(), label.value())).collect();
            labels.sort_unstable();
            let labels =
                if labels.is_empty() { String::new() } else { format!("{{{}}}", labels.join(",")) };
            (format!("{}{labels}", key.name()), number(value))
        });
        named.collect()
    }

    /// Of what [`Self::take`] gives, that which has one of these names.
    pub fn take_named(&self, names: &[&str]) -> BTreeMap<String, i64> {
        let mut all = self.take();
        all.retain(|key, _| names.contains(&key.split('{').next().unwrap_or_default()));
        all
    }

    /// Every value that the histograms of this name got since this was last asked.
    pub fn take_histogram(&self, name: &str) -> Vec<f64> {
        let all = self.snapshotter.snapshot().into_vec().into_iter();
        let of_name = all.filter(|(key, ..)| key.key().name() == name);
        let values = of_name.filter_map(|(_, _, _, value)| match value {
            DebugValue::Histogram(values) => Some(values),
            _ => None,
        });
        values.flatten().map(f64::from).collect()
    }
}

fn number(value: DebugValue) -> i64 {
    match value {
        DebugValue::Counter(grown) => grown.try_into().unwrap(),
        // What goes up and down does so one by one.
        DebugValue::Gauge(value) => value.to_string().parse().unwrap(),
        DebugValue::Histogram(values) => values.len().try_into().unwrap(),
    }
}
