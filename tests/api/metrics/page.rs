//! A strict parser of the Prometheus text format:
//! <https://github.com/prometheus/docs/blob/main/docs/instrumenting/exposition_formats.md>

use std::collections::{BTreeMap, BTreeSet};

/// One scrape of the metrics page.
#[derive(Debug)]
pub(crate) struct MetricsPage {
    /// The type and help text of each family, by name.
    families: BTreeMap<String, (String, String)>,
    /// The value of each series, by `name{label="value",…}` with the labels in alphabetical order.
    samples: BTreeMap<String, String>,
    /// All values of a label, by family and label.
    labels: BTreeMap<(String, String), BTreeSet<String>>,
}

impl MetricsPage {
    /// Parses a page.
    ///
    /// # Panics
    ///
    /// If the page violates the format.
    pub(crate) fn parse(text: &str) -> Self {
        let mut page =
            Self { families: BTreeMap::new(), samples: BTreeMap::new(), labels: BTreeMap::new() };
        let mut help = None;
        for line in text.lines().filter(|line| !line.is_empty()) {
            if let Some(rest) = line.strip_prefix("# HELP ") {
                help = rest.split_once(' ');
            } else if let Some(rest) = line.strip_prefix("# TYPE ") {
                let (name, kind) = rest.split_once(' ').unwrap();
                let (help_name, help_text) =
                    help.take().unwrap_or_else(|| panic!("no help: {line}"));
                assert_eq!(help_name, name);
                let family = (kind.to_owned(), help_text.to_owned());
                assert!(
                    page.families.insert(name.to_owned(), family).is_none(),
                    "duplicate: {line}"
                );
            } else {
                page.parse_sample(line);
            }
        }
        assert!(text.ends_with('\n'));
        page
    }

    fn parse_sample(&mut self, line: &str) {
        let (series, value) = line.rsplit_once(' ').unwrap();
        let labelled = series.strip_suffix('}').and_then(|series| series.split_once('{'));
        let (name, labels) = labelled.unwrap_or((series, ""));
        let family = self.find_family(name).unwrap_or_else(|| panic!("no type: {line}"));
        let mut labels: Vec<(String, String)> = parse_labels(labels);
        labels.sort();
        for (label, value) in labels.iter().filter(|(label, _)| label != "le") {
            let key = (family.clone(), label.clone());
            self.labels.entry(key).or_default().insert(value.clone());
        }
        let labels: Vec<String> =
            labels.into_iter().map(|(label, value)| format!("{label}=\"{value}\"")).collect();
        let labels =
            if labels.is_empty() { String::new() } else { format!("{{{}}}", labels.join(",")) };
        let previous = self.samples.insert(format!("{name}{labels}"), value.to_owned());
        assert!(value.parse::<f64>().is_ok(), "not a number: {line}");
        assert_eq!(previous, None, "duplicate: {line}");
    }

    fn find_family(&self, sample_name: &str) -> Option<String> {
        let suffixes = ["", "_bucket", "_sum", "_count"];
        let names = suffixes.iter().filter_map(|suffix| sample_name.strip_suffix(suffix));
        names.into_iter().find(|name| self.families.contains_key(*name)).map(str::to_owned)
    }

    /// The name, type, labels and help text of each family, in the order of the names.
    pub(crate) fn families(&self) -> impl Iterator<Item = [String; 4]> {
        self.families.iter().map(|(name, (kind, help))| {
            let labels = self.labels.keys().filter(|(family, _)| family == name);
            let labels: Vec<&str> = labels.map(|(_, label)| label.as_str()).collect();
            [name.clone(), kind.clone(), labels.join(", "), help.clone()]
        })
    }

    /// All values of this label in all families.
    pub(crate) fn label_values(&self, label: &str) -> BTreeSet<String> {
        let all = self.labels.iter().filter(|((_, name), _)| name == label);
        all.flat_map(|(_, values)| values.clone()).collect()
    }

    /// All series, with their labels.
    pub(crate) fn series(&self) -> BTreeSet<String> {
        self.samples.keys().cloned().collect()
    }

    /// The value of a series as an integer.
    pub(crate) fn count(&self, series: &str) -> Option<u64> {
        self.samples.get(series).map(|value| value.parse().unwrap())
    }

    /// The value of a series as a floating-point number.
    pub(crate) fn seconds(&self, series: &str) -> Option<f64> {
        self.samples.get(series).map(|value| value.parse().unwrap())
    }

    /// The increase of each series with this name, by its labels. Leaves out series that have not increased.
    pub(crate) fn increases_since(&self, previous: &Self, name: &str) -> BTreeMap<String, u64> {
        let increases = self.samples.keys().filter_map(|series| {
            let labels = series.strip_prefix(name)?;
            let inner = labels.strip_prefix('{').and_then(|rest| rest.strip_suffix('}'));
            let labels = inner.or_else(|| labels.is_empty().then_some(""))?;
            let increase = self.count(series)? - previous.count(series).unwrap_or_default();
            (0 < increase).then(|| (labels.to_owned(), increase))
        });
        increases.collect()
    }
}

/// Parses labels such as `one="1",other="\"2\""`.
fn parse_labels(mut labels: &str) -> Vec<(String, String)> {
    let mut all = Vec::new();
    while !labels.is_empty() {
        let (name, rest) = labels.split_once("=\"").unwrap_or_else(|| panic!("{labels}"));
        assert!(name.chars().all(|c| c.is_ascii_lowercase() || c == '_'), "{labels}");
        let end = find_end_of_value(rest).unwrap_or_else(|| panic!("{labels}"));
        all.push((name.to_owned(), rest[..end].to_owned()));
        labels = &rest[end + 1..];
        assert!(labels.is_empty() || labels.starts_with(','), "{labels}");
        labels = labels.trim_start_matches(',');
    }
    all
}

/// The index of the first quote that is not escaped by a backslash.
fn find_end_of_value(text: &str) -> Option<usize> {
    let mut is_escaped = false;
    text.char_indices().find_map(|(index, c)| {
        let is_end = c == '"' && !is_escaped;
        is_escaped = c == '\\' && !is_escaped;
        is_end.then_some(index)
    })
}
