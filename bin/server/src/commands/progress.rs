//! Progress of commands that move many bytes: a bar on a terminal, otherwise a log line every ten seconds.

use std::io::{self, IsTerminal as _};
use std::time::{Duration, Instant};

use indicatif::{HumanBytes, ProgressBar, ProgressStyle};

/// The progress of one phase of a command.
pub(super) struct ByteProgress {
    /// Hidden if standard error is not a terminal.
    bar: ProgressBar,
    phase: &'static str,
    bytes: u64,
    last_logged: Instant,
}

impl ByteProgress {
    const LOG_INTERVAL: Duration = Duration::from_secs(10);

    /// Starts a phase. `total` is the expected number of bytes, if it is known.
    pub(super) fn start(phase: &'static str, total: Option<u64>) -> Self {
        let bar = match total {
            _ if !io::stderr().is_terminal() => ProgressBar::hidden(),
            Some(total) => ProgressBar::new(total),
            None => ProgressBar::no_length(),
        };
        let template = if total.is_some() {
            "{msg:>16} {wide_bar} {bytes} of {total_bytes}, {eta} to go"
        } else {
            "{msg:>16} {spinner} {bytes}"
        };
        let style = ProgressStyle::with_template(template);
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        bar.set_message(phase);
        Self { bar, phase, bytes: 0, last_logged: Instant::now() }
    }

    pub(super) fn add(&mut self, bytes: u64) {
        self.bytes += bytes;
        self.bar.set_position(self.bytes);
        if self.bar.is_hidden() && Self::LOG_INTERVAL <= self.last_logged.elapsed() {
            self.last_logged = Instant::now();
            tracing::info!(phase = self.phase, done = %HumanBytes(self.bytes), "Working");
        }
    }
}

impl Drop for ByteProgress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
