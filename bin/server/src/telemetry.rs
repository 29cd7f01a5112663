//! How log lines look, and which there are. They go to standard error.

use std::io::{self, IsTerminal as _};
use std::str::FromStr;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::Targets;
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

/// From now on, log lines are written.
pub(crate) fn start(config: &LogConfig) {
    let filter = EnvFilter::new(config.filter.to_string());
    let is_pretty = match config.format {
        LogFormat::Auto => io::stderr().is_terminal(),
        LogFormat::Pretty => true,
        LogFormat::Json => false,
    };
    // At `debug`, the driver's own lines would show bound values; ours never do.
    let without_values = Targets::new()
        .with_default(tracing::Level::TRACE)
        .with_target("tokio_postgres", tracing::Level::INFO);
    let registry = tracing_subscriber::registry().with(filter).with(without_values);
    let lines = tracing_subscriber::fmt::layer().with_writer(io::stderr);
    if is_pretty {
        registry
            .with(lines.compact().with_target(false).with_ansi(io::stderr().is_terminal()))
            .init();
    } else {
        registry.with(lines.json().flatten_event(true).with_span_list(false)).init();
    }
}
