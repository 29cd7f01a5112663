//! What the server tells of itself.

use std::time::Duration;

use clap::Args;
use grateful_storage::Thresholds;

use super::{SettingErrors, parse_in_range, parse_switch};

/// The settings as they were given.
#[derive(Debug, Args)]
pub(crate) struct ObservabilityArgs {
    /// From how many milliseconds on a statement is reported as slow.
    #[arg(
        long,
        env = "GRATEFUL_SLOW_STATEMENT_MS",
        default_value = "100",
        global = true,
        value_name = "MS"
    )]
    slow_statement_ms: String,

    /// From how many times on the same statement in one request is reported as a query in a loop (N+1).
    #[arg(
        long,
        env = "GRATEFUL_REPEATED_STATEMENTS",
        default_value = "5",
        global = true,
        value_name = "TIMES"
    )]
    repeated_statements: String,

    /// Whether `/metrics` shows what is measured, to everybody who reaches this server: `on` or `off`. Where that is the
    /// whole world, let the proxy in front refuse the path, or switch it off.
    #[arg(
        long,
        env = "GRATEFUL_METRICS",
        default_value = "on",
        global = true,
        value_name = "on|off"
    )]
    metrics: String,

    /// Whether answers say in the header `Server-Timing` what took how long: `on` or `off`. For development alone, since it
    /// tells strangers how long what takes.
    #[arg(
        long,
        env = "GRATEFUL_SERVER_TIMING",
        default_value = "off",
        global = true,
        value_name = "on|off"
    )]
    server_timing: String,
}

/// What the server tells of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Observability {
    pub(crate) thresholds: Thresholds,
    pub(crate) metrics: bool,
    pub(crate) server_timing: bool,
}

impl ObservabilityArgs {
    pub(super) fn check(&self, errors: &mut SettingErrors) -> Option<Observability> {
        let mut number = |variable, text: &str, least, most| {
            errors.collect(variable, parse_in_range(text, least, most))
        };
        let slow = number("GRATEFUL_SLOW_STATEMENT_MS", &self.slow_statement_ms, 0, 3_600_000);
        let repeated =
            number("GRATEFUL_REPEATED_STATEMENTS", &self.repeated_statements, 2, 1_000_000);
        let metrics = errors.collect("GRATEFUL_METRICS", parse_switch(&self.metrics));
        let server_timing =
            errors.collect("GRATEFUL_SERVER_TIMING", parse_switch(&self.server_timing));
        let thresholds = Thresholds::default()
            .with_slow(Duration::from_millis(slow?))
            .with_repeated(repeated?.try_into().ok()?);
        Some(Observability { thresholds, metrics: metrics?, server_timing: server_timing? })
    }
}
