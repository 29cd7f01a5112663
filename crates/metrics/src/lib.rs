#![doc = include_str!("../README.md")]
#![warn(missing_docs)]

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
