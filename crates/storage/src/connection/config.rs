//! Settings of a connection pool.

use std::time::Duration;

use crate::monitor::Thresholds;

/// Where the database is, and how long anything there may take.
///
/// ```
/// use std::time::Duration;
///
/// use grateful_storage::{DatabaseConfig, Thresholds};
///
/// let config = DatabaseConfig::new("postgresql://localhost/grateful")
///     .with_max_connections(4)
///     .with_statement_timeout(Duration::from_secs(2))
///     .with_thresholds(Thresholds::default().with_slow(Duration::from_millis(50)));
/// ```
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct DatabaseConfig {
    /// A `postgresql://` address.
    pub url: String,
    /// The most connections that one pool opens: 8, unless said otherwise. PostgreSQL's own bound counts for all pools
    /// together.
    pub max_connections: usize,
    /// How long to wait for a connection before the database counts as unavailable: 800 ms, unless said otherwise.
    pub acquire_timeout: Duration,
    /// How long one statement may run before PostgreSQL cancels it, in whole milliseconds: 5 s, unless said otherwise. As
    /// long may it wait for a lock, and a transaction do nothing.
    pub statement_timeout: Duration,
    /// From when on statements are reported.
    pub thresholds: Thresholds,
    /// What the pool is for, as the metrics name it: `main`, unless said otherwise. Those of several pools with one name
    /// are added up.
    pub pool_name: &'static str,
}

impl DatabaseConfig {
    /// The settings of a small server for the database at `url`.
    pub fn new(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            max_connections: 8,
            acquire_timeout: Duration::from_millis(800),
            statement_timeout: Duration::from_secs(5),
            thresholds: Thresholds::default(),
            pool_name: "main",
        }
    }

    /// With so many connections at most.
    #[must_use]
    pub fn with_max_connections(self, max_connections: usize) -> Self {
        Self { max_connections, ..self }
    }

    /// With so long a wait for a connection.
    #[must_use]
    pub fn with_acquire_timeout(self, acquire_timeout: Duration) -> Self {
        Self { acquire_timeout, ..self }
    }

    /// With so much time for a statement.
    #[must_use]
    pub fn with_statement_timeout(self, statement_timeout: Duration) -> Self {
        Self { statement_timeout, ..self }
    }

    /// With these bounds of what is reported.
    #[must_use]
    pub fn with_thresholds(self, thresholds: Thresholds) -> Self {
        Self { thresholds, ..self }
    }

    /// For a pool of this name.
    #[must_use]
    pub fn with_pool_name(self, pool_name: &'static str) -> Self {
        Self { pool_name, ..self }
    }

    /// What a new connection is told: no statement, lock or forgotten transaction holds others up for long, and a
    /// statement is planned once, not at every call. Planning a page takes longer than reading it, and the plan is the same
    /// whatever its values (`tests/plans/`); a server that answers many at once has no core to spare for parallel plans,
    /// and compiling one takes longer than the statement.
    pub(super) fn session_settings(&self) -> String {
        let limit = self.statement_timeout.as_millis();
        format!(
            "SET statement_timeout = {limit}; \
             SET lock_timeout = {limit}; \
             SET idle_in_transaction_session_timeout = {limit}; \
             SET plan_cache_mode = force_generic_plan; \
             SET max_parallel_workers_per_gather = 0; \
             SET jit = off; \
             SET TIME ZONE 'UTC'"
        )
    }
}
