//! How log lines look, and which there are. They go to standard error.

use std::io::{self, IsTerminal as _};
use std::panic::{self, PanicHookInfo};
use std::str::FromStr;

use tracing::{Level, Metadata};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::{Targets, filter_fn};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

/// What is logged, and how.
#[derive(Debug)]
pub(crate) struct LogConfig {
    pub(crate) format: LogFormat,
    pub(crate) filter: EnvFilter,
}

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LogFormat {
    /// Pretty on a terminal, JSON otherwise.
    Auto,
    /// For people.
    Pretty,
    /// One object a line, for machines.
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

/// From now on, log lines are written, and a panic is one of them.
pub(crate) fn init(config: &LogConfig) {
    let filter = EnvFilter::new(config.filter.to_string());
    let is_pretty = match config.format {
        LogFormat::Auto => io::stderr().is_terminal(),
        LogFormat::Pretty => true,
        LogFormat::Json => false,
    };
    // At `debug`, the driver's own lines would show bound values; ours never do.
    let without_values =
        Targets::new().with_default(Level::TRACE).with_target("tokio_postgres", Level::INFO);
    // It reports every client that sends nonsense as an error, which is nothing to get up for. We have a line for each.
    let without_clients = filter_fn(|line: &Metadata<'_>| {
        !(line.target().starts_with("actix_http") && *line.level() == Level::ERROR)
    });
    let registry =
        tracing_subscriber::registry().with(filter).with(without_values).with(without_clients);
    let lines = tracing_subscriber::fmt::layer().with_writer(io::stderr);
    if is_pretty {
        registry
            .with(lines.compact().with_target(false).with_ansi(io::stderr().is_terminal()))
            .init();
    } else {
        registry.with(lines.json().flatten_event(true).with_span_list(false)).init();
    }
    panic::set_hook(Box::new(log_panic));
}

/// Whoever reads the log reads lines, and this one too.
fn log_panic(panic: &PanicHookInfo<'_>) {
    tracing::error!(
        location = panic.location().map(tracing::field::display),
        "Panicked: {}",
        panic.payload_as_str().unwrap_or("without words")
    );
}

#[cfg(test)]
mod tests {
    use std::process::{Command, Stdio};

    use super::*;

    /// Tells a copy of this program to log as JSON and to panic.
    const PANIC: &str = "GRATEFUL_TEST_PANIC";

    #[test]
    fn a_panic_is_a_line_of_the_log() {
        let program = std::env::current_exe().unwrap();
        let mut copy = Command::new(program);
        copy.args(["telemetry::tests::panics_where_it_is_told_to", "--exact"]).env(PANIC, "1");

        let output = copy.stdout(Stdio::null()).output().unwrap();

        let log = String::from_utf8(output.stderr).unwrap();
        let line: serde_json::Value = serde_json::from_str(log.trim()).unwrap();
        assert_eq!(line["level"], "ERROR", "{line}");
        assert_eq!(line["message"], "Panicked: number 7", "{line}");
        let place = line["location"].as_str().unwrap();
        assert!(place.contains("telemetry.rs:"), "{line}");
    }

    /// No test, but what the one above runs in another process.
    #[test]
    fn panics_where_it_is_told_to() {
        if std::env::var_os(PANIC).is_some() {
            let config = LogConfig { format: LogFormat::Json, filter: EnvFilter::new("info") };
            start(&config);
            let number = std::panic::catch_unwind(|| panic!("number {}", 7));
            assert!(number.is_err());
        }
    }
}
