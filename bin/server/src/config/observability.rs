//! Settings for log reports and metrics.

use std::time::Duration;

use clap::Args;
use grateful_storage::Thresholds;

use super::{SettingErrors, parse_in_range, parse_switch};

/// The settings as they were given.
#[derive(Debug, Args)]
pub(crate) struct ObservabilityArgs {
    /// Duration in milliseconds from which a statement is reported as slow.
    #[arg(
        long,
        env = "GRATEFUL_SLOW_STATEMENT_MS",
        default_value = "100",
        global = true,
        value_name = "MS"
    )]
    slow_statement_ms: String,

    /// Number of executions of the same statement in one request from which it is reported as a query in a loop (N+1).
    #[arg(
        long,
        env = "GRATEFUL_REPEATED_STATEMENTS",
        default_value = "5",
        global = true,
        value_name = "TIMES"
    )]
    repeated_statements: String,

    /// Whether to serve metrics at `/metrics`, to all clients that can reach this server: `on` or `off`. On a public
    /// server, block the path in the proxy, or turn the metrics off.
    #[arg(
        long,
        env = "GRATEFUL_METRICS",
        default_value = "on",
        global = true,
        value_name = "on|off"
    )]
    metrics: String,

    /// Whether responses contain a `Server-Timing` header with the durations of their parts: `on` or `off`. For
    /// development only, since any client can read them.
    #[arg(
        long,
        env = "GRATEFUL_SERVER_TIMING",
        default_value = "off",
        global = true,
        value_name = "on|off"
    )]
    server_timing: String,
}

/// The validated settings for log reports and metrics.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Observability {
    pub(crate) thresholds: Thresholds,
    pub(crate) metrics: bool,
    pub(crate) server_timing: bool,
}

impl ObservabilityArgs {
    pub(super) fn validate(&self, errors: &mut SettingErrors) -> Option<Observability> {
        let mut number = |variable, text: &str, min, max| {
            errors.collect(variable, parse_in_range(text, min, max))
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
