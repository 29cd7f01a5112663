//! That it goes on, for whoever waits: a bar on a terminal, else a log line for each table.

use std::cell::RefCell;
use std::io::{self, IsTerminal as _};
use std::time::Instant;

use indicatif::{ProgressBar, ProgressStyle};

/// What is shown while a world is loaded.
pub(super) struct Progress {
    /// Hidden where there is no terminal.
    bar: ProgressBar,
    table: RefCell<Option<Table>>,
}

/// What is being loaded.
struct Table {
    name: &'static str,
    rows: usize,
    since: Instant,
}

/// How many rows go by between two looks at the terminal.
const EVERY: u64 = 1_000;

impl Progress {
    /// Nothing yet.
    pub(super) fn start() -> Self {
        let is_watched = io::stderr().is_terminal();
        let bar = if is_watched { ProgressBar::no_length() } else { ProgressBar::hidden() };
        let style = ProgressStyle::with_template(
            "{msg:>14} {wide_bar} {human_pos} of {human_len}, {eta} to go",
        );
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        Self { bar, table: RefCell::new(None) }
    }

    /// From now on, the rows of this table.
    pub(super) fn track<T>(
        &self,
        name: &'static str,
        rows: impl ExactSizeIterator<Item = T>,
    ) -> impl Iterator<Item = T> {
        self.track_estimated(name, rows.len(), rows)
    }

    /// From now on, the rows of this table, of which there are about so many.
    pub(super) fn track_estimated<T>(
        &self,
        name: &'static str,
        many: usize,
        rows: impl Iterator<Item = T>,
    ) -> impl Iterator<Item = T> {
        self.finish();
        self.bar.reset();
        self.bar.set_length(many as u64);
        self.bar.set_message(name);
        *self.table.borrow_mut() = Some(Table { name, rows: many, since: Instant::now() });
        let bar = self.bar.clone();
        rows.zip(1..).map(move |(row, seen)| {
            if seen % EVERY == 0 {
                bar.set_position(seen);
            }
            row
        })
    }

    /// The table, if there is one, is done.
    pub(super) fn finish(&self) {
        let Some(Table { name, rows, since }) = self.table.take() else { return };
        let seconds = since.elapsed().as_secs_f64();
        self.bar.suspend(|| tracing::info!(table = name, rows, seconds, "Loaded"));
        self.bar.finish_and_clear();
    }
}
