//! Progress: a bar on a terminal, otherwise a log line per table.

use std::cell::RefCell;
use std::io::{self, IsTerminal as _};
use std::time::Instant;

use indicatif::{ProgressBar, ProgressStyle};

/// The progress of loading a dataset.
pub(super) struct Progress {
    /// Hidden if standard error is not a terminal.
    bar: ProgressBar,
    table: RefCell<Option<Table>>,
}

/// The table that is being loaded.
struct Table {
    name: &'static str,
    rows: usize,
    started: Instant,
}

/// Number of rows between two updates of the bar.
const UPDATE_INTERVAL: u64 = 1_000;

impl Progress {
    pub(super) fn start() -> Self {
        let is_terminal = io::stderr().is_terminal();
        let bar = if is_terminal { ProgressBar::no_length() } else { ProgressBar::hidden() };
        let style = ProgressStyle::with_template(
            "{msg:>14} {wide_bar} {human_pos} of {human_len}, {eta} to go",
        );
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        Self { bar, table: RefCell::new(None) }
    }

    /// Starts a table, and counts the rows that the returned iterator yields.
    pub(super) fn track<T>(
        &self,
        name: &'static str,
        rows: impl ExactSizeIterator<Item = T>,
    ) -> impl Iterator<Item = T> {
        let count = rows.len();
        self.finish();
        self.bar.reset();
        self.bar.set_length(count as u64);
        self.bar.set_message(name);
        *self.table.borrow_mut() = Some(Table { name, rows: count, started: Instant::now() });
        let bar = self.bar.clone();
        rows.zip(1..).map(move |(row, count)| {
            if count % UPDATE_INTERVAL == 0 {
                bar.set_position(count);
            }
            row
        })
    }

    /// Finishes the current table, if there is one.
    pub(super) fn finish(&self) {
        let Some(Table { name, rows, started }) = self.table.take() else { return };
        let seconds = started.elapsed().as_secs_f64();
        self.bar.suspend(|| tracing::info!(table = name, rows, seconds, "Loaded"));
        self.bar.finish_and_clear();
    }
}
