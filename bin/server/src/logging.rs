//! Logging to standard error.

mod json_line;
mod log_writer;

use std::io::{self, IsTerminal as _};
use std::panic::{self, PanicHookInfo};
use std::str::FromStr;
use std::time::Duration;

use grateful_storage::{Metric, MetricKind};
use tracing::{Level, Metadata};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::{Targets, filter_fn};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

use self::json_line::{JsonLine, JsonMembers};
use self::log_writer::LogWriter;

const LINES_DROPPED: &str = "grateful_log_lines_dropped_total";

/// The metrics of the log.
pub(crate) const METRICS: [Metric; 1] = [Metric {
    name: LINES_DROPPED,
    kind: MetricKind::Counter,
    labels: &[],
    help: "Log lines dropped, because standard error was not read fast enough or could not be written.",
}];

/// How long a stopping process waits for a reader of its log.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(1);

/// How long a panicking thread waits for a reader of the log.
const PANIC_TIMEOUT: Duration = Duration::from_millis(100);

/// Format of log lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LogFormat {
    /// Pretty on a terminal, JSON otherwise.
    Auto,
    /// For reading on a terminal.
    Pretty,
    /// One JSON object per line.
    Json,
}

impl FromStr for LogFormat {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "auto" => Ok(Self::Auto),
            "pretty" => Ok(Self::Pretty),
            "json" => Ok(Self::Json),
            _ => Err(format!("must be auto, pretty or json, not {text:?}")),
        }
    }
}

/// The running log. When it is dropped, all lines are written, and later ones are no longer collected.
#[must_use]
pub(crate) struct Log(LogWriter);

impl Drop for Log {
    fn drop(&mut self) {
        self.0.close(CLOSE_TIMEOUT);
    }
}

/// Installs the logger, and a panic hook that logs panics.
///
/// # Errors
/// The thread that writes the lines cannot be started.
pub(crate) fn init(format: LogFormat, filter: &str) -> io::Result<Log> {
    let writer = LogWriter::start(io::stderr())?;
    let is_pretty = match format {
        LogFormat::Auto => io::stderr().is_terminal(),
        LogFormat::Pretty => true,
        LogFormat::Json => false,
    };
    // At `debug`, the database driver's log lines would show bound values. The server's own log lines never do.
    let without_values =
        Targets::new().with_default(Level::TRACE).with_target("tokio_postgres", Level::INFO);
    // `actix_http` logs every malformed request as an error, although it needs no action. The server logs each of them too.
    let without_client_errors = filter_fn(|line: &Metadata<'_>| {
        !(line.target().starts_with("actix_http") && *line.level() == Level::ERROR)
    });
    let registry = tracing_subscriber::registry()
        .with(EnvFilter::new(filter))
        .with(without_values)
        .with(without_client_errors);
    let lines = tracing_subscriber::fmt::layer().with_writer(writer.clone());
    if is_pretty {
        registry
            .with(lines.compact().with_target(false).with_ansi(io::stderr().is_terminal()))
            .init();
    } else {
        registry.with(lines.fmt_fields(JsonMembers).event_format(JsonLine)).init();
    }
    let hook_writer = writer.clone();
    panic::set_hook(Box::new(move |panic| log_panic(panic, &hook_writer)));
    Ok(Log(writer))
}

/// Logs a panic like any other error, so that the log consists of log lines only. The line is written before the thread
/// continues, since a panic can end the process.
fn log_panic(panic: &PanicHookInfo<'_>, writer: &LogWriter) {
    tracing::error!(
        location = panic.location().map(tracing::field::display),
        "Panicked: {}",
        panic.payload_as_str().unwrap_or("without a message")
    );
    writer.flush(PANIC_TIMEOUT);
}

#[cfg(test)]
mod tests {
    use std::process::{Command, Stdio};

    use super::*;

    /// Makes a copy of this program log as JSON and panic.
    const PANIC: &str = "GRATEFUL_TEST_PANIC";

    #[test]
    fn a_panic_is_logged_as_one_line() {
        let program = std::env::current_exe().unwrap();
        let mut copy = Command::new(program);
        copy.args(["logging::tests::panic_in_a_copy", "--exact"]).env(PANIC, "1");

        let output = copy.stdout(Stdio::null()).output().unwrap();

        let log = String::from_utf8(output.stderr).unwrap();
        let line: serde_json::Value = serde_json::from_str(log.trim()).unwrap();
        assert_eq!(line["level"], "ERROR", "{line}");
        assert_eq!(line["message"], "Panicked: number 7", "{line}");
        let location = line["location"].as_str().unwrap();
        assert!(location.contains("logging.rs:"), "{line}");
    }

    /// Not a test: runs in the process that the test above starts.
    #[test]
    fn panic_in_a_copy() {
        if std::env::var_os(PANIC).is_some() {
            let log = init(LogFormat::Json, "info").unwrap();
            let result = std::panic::catch_unwind(|| panic!("number {}", 7));
            assert!(result.is_err());
            // The process ends without a shutdown.
            std::mem::forget(log);
        }
    }
}
