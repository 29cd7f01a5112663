//! <https://github.com/prometheus/docs/blob/main/docs/instrumenting/exposition_formats.md>

use std::collections::{BTreeMap, BTreeSet};

/// What is measured, at one moment.
#[derive(Debug)]
pub(crate) struct Page {
    /// By name, how it is counted and what it says.
    families: BTreeMap<String, (String, String)>,
    /// As `name{label="value",…}`, labels by name.
    samples: BTreeMap<String, String>,
    /// By family and label, the values.
    labels: BTreeMap<(String, String), BTreeSet<String>>,
}

impl Page {
    /// Panics where anything is not as it should be.
    pub(crate) fn read(text: &str) -> Self {
        let mut page =
            Self { families: BTreeMap::new(), samples: BTreeMap::new(), labels: BTreeMap::new() };
        let mut help = None;
        for line in text.lines().filter(|line| !line.is_empty()) {
            if let Some(said) = line.strip_prefix("# HELP ") {
                help = said.split_once(' ');
            } else if let Some(typed) = line.strip_prefix("# TYPE ") {
                let (name, kind) = typed.split_once(' ').unwrap();
                let (of, said) = help.take().unwrap_or_else(|| panic!("no help: {line}"));
                assert_eq!(of, name);
                let family = (kind.to_owned(), said.to_owned());
                assert!(page.families.insert(name.to_owned(), family).is_none(), "twice: {line}");
            } else {
                page.sample(line);
            }
        }
        assert!(text.ends_with('\n'));
        page
    }

    fn sample(&mut self, line: &str) {
        let (series, value) = line.rsplit_once(' ').unwrap();
        let labelled = series.strip_suffix('}').and_then(|series| series.split_once('{'));
        let (name, labels) = labelled.unwrap_or((series, ""));
        let family = self.family_of(name).unwrap_or_else(|| panic!("no type: {line}"));
        let mut labels: Vec<(String, String)> = split(labels);
        labels.sort();
        for (label, value) in labels.iter().filter(|(label, _)| label != "le") {
            let place = (family.clone(), label.clone());
            self.labels.entry(place).or_default().insert(value.clone());
        }
        let labels: Vec<String> =
            labels.into_iter().map(|(label, value)| format!("{label}=\"{value}\"")).collect();
        let labels =
            if labels.is_empty() { String::new() } else { format!("{{{}}}", labels.join(",")) };
        let before = self.samples.insert(format!("{name}{labels}"), value.to_owned());
        assert!(value.parse::<f64>().is_ok(), "no number: {line}");
        assert_eq!(before, None, "twice: {line}");
    }

    fn family_of(&self, sample: &str) -> Option<String> {
        let suffixes = ["", "_bucket", "_sum", "_count"];
        let names = suffixes.iter().filter_map(|suffix| sample.strip_suffix(suffix));
        names.into_iter().find(|name| self.families.contains_key(*name)).map(str::to_owned)
    }

    /// Each by its name: what it is called, how it is counted, what it is told apart by, what it says.
    pub(crate) fn families(&self) -> impl Iterator<Item = [String; 4]> {
        self.families.iter().map(|(name, (kind, help))| {
            let labels = self.labels.keys().filter(|(family, _)| family == name);
            let labels: Vec<&str> = labels.map(|(_, label)| label.as_str()).collect();
            [name.clone(), kind.clone(), labels.join(", "), help.clone()]
        })
    }

    /// All values that this label has anywhere.
    pub(crate) fn values_of(&self, label: &str) -> BTreeSet<String> {
        let all = self.labels.iter().filter(|((_, it), _)| it == label);
        all.flat_map(|(_, values)| values.clone()).collect()
    }

    /// The name of everything that has a value.
    pub(crate) fn series(&self) -> BTreeSet<String> {
        self.samples.keys().cloned().collect()
    }

    /// What it is, by its name with all labels.
    pub(crate) fn count(&self, series: &str) -> Option<u64> {
        self.samples.get(series).map(|value| value.parse().unwrap())
    }

    /// The same, of what is no whole number.
    pub(crate) fn seconds(&self, series: &str) -> Option<f64> {
        self.samples.get(series).map(|value| value.parse().unwrap())
    }

    /// By how much whatever has this name has grown, by its labels, as far as it has.
    pub(crate) fn grown_since(&self, before: &Self, name: &str) -> BTreeMap<String, u64> {
        let named = self.samples.keys().filter_map(|series| {
            let labels = series.strip_prefix(name)?;
            let inner = labels.strip_prefix('{').and_then(|it| it.strip_suffix('}'));
            let labels = inner.or_else(|| labels.is_empty().then_some(""))?;
            let grown = self.count(series)? - before.count(series).unwrap_or_default();
            (0 < grown).then(|| (labels.to_owned(), grown))
        });
        named.collect()
    }
}

/// `one="1",other="\"2\""`
fn split(mut labels: &str) -> Vec<(String, String)> {
    let mut all = Vec::new();
    while !labels.is_empty() {
        let (name, rest) = labels.split_once("=\"").unwrap_or_else(|| panic!("{labels}"));
        assert!(name.chars().all(|c| c.is_ascii_lowercase() || c == '_'), "{labels}");
        let end = end_of_value(rest).unwrap_or_else(|| panic!("{labels}"));
        all.push((name.to_owned(), rest[..end].to_owned()));
        labels = &rest[end + 1..];
        assert!(labels.is_empty() || labels.starts_with(','), "{labels}");
        labels = labels.trim_start_matches(',');
    }
    all
}

/// The first quote without a backslash in front.
fn end_of_value(text: &str) -> Option<usize> {
    let mut is_escaped = false;
    text.char_indices().find_map(|(at, c)| {
        let is_end = c == '"' && !is_escaped;
        is_escaped = c == '\\' && !is_escaped;
        is_end.then_some(at)
    })
}
