//! The report of an import, and its progress: a bar on a terminal, otherwise a log line per table.

use std::cell::Cell;
use std::fs::File;
use std::io::{self, BufWriter, IsTerminal as _, Write};
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use grateful_import::{Change, Observer, Progress};
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;

/// Writes changes and shows the progress.
pub(super) struct Reporter {
    /// A line of JSON per change. Without one, changes are printed to standard output.
    file: Option<BufWriter<File>>,
    changes: u64,
    /// Hidden if standard error is not a terminal.
    bar: ProgressBar,
    last_logged: Cell<Option<Instant>>,
}

impl Reporter {
    const LOG_INTERVAL: Duration = Duration::from_secs(5);

    pub(super) fn start(report: Option<&Path>) -> anyhow::Result<Self> {
        let file = report.map(|path| {
            let created = File::create(path).map(BufWriter::new);
            created.with_context(|| format!("the report {} cannot be written", path.display()))
        });
        let is_terminal = io::stderr().is_terminal();
        let bar = if is_terminal { ProgressBar::no_length() } else { ProgressBar::hidden() };
        let style = ProgressStyle::with_template(
            "{msg:>24} {wide_bar} {human_pos} of {human_len}, {eta} to go",
        );
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        Ok(Self { file: file.transpose()?, changes: 0, bar, last_logged: Cell::new(None) })
    }

    /// Begins a step with this number of items.
    pub(super) fn step(&self, name: &str, count: u64) {
        self.bar.reset();
        self.bar.set_length(count);
        self.bar.set_message(name.to_owned());
        self.bar.suspend(|| tracing::info!(step = name, rows = count, "Importing"));
        self.last_logged.set(Some(Instant::now()));
    }

    /// Counts items of the step.
    pub(super) fn advance(&self, count: u64) {
        self.bar.inc(count);
        if self.last_logged.get().is_none_or(|logged| Self::LOG_INTERVAL <= logged.elapsed()) {
            self.last_logged.set(Some(Instant::now()));
            let (step, done) = (self.bar.message(), self.bar.position());
            self.bar.suspend(|| tracing::info!(step, done, "Importing"));
        }
    }

    /// The number of changes.
    pub(super) fn changes(&self) -> u64 {
        self.changes
    }

    /// Completes the report.
    pub(super) fn finish(&mut self) -> io::Result<()> {
        self.bar.finish_and_clear();
        self.file.as_mut().map_or(Ok(()), |file| {
            file.flush()?;
            file.get_ref().sync_all()
        })
    }
}

impl Observer for Reporter {
    fn change(&mut self, change: Change) -> io::Result<()> {
        self.changes += 1;
        let Some(file) = &mut self.file else {
            return self.bar.suspend(|| writeln!(io::stdout(), "{change}"));
        };
        let Change { table, id, what, why } = change;
        writeln!(file, "{}", json!({"table": table, "id": id, "what": what, "why": why}))
    }

    fn progress(&mut self, progress: Progress) {
        match progress {
            Progress::Started { step, table, rows } => self.step(&format!("{step} {table}"), rows),
            Progress::Advanced(rows) => self.advance(rows),
        }
    }
}
