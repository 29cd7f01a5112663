//! Settings of a connection pool.

use std::time::Duration;

use super::session_settings::SessionSettings;
use crate::monitor::Thresholds;

/// The time limit for opening a connection that belongs to no pool.
pub(crate) const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// When both sides of a connection find out that the other one has vanished.
pub(super) const KEEPALIVE: Keepalive =
    Keepalive { idle: Duration::from_secs(15), interval: Duration::from_secs(5), count: 3 };

/// Probes of a connection that is not used.
pub(super) struct Keepalive {
    /// The time without use after which the first one is sent.
    pub(super) idle: Duration,
    /// The time between two of them.
    pub(super) interval: Duration,
    /// How many may stay unanswered.
    pub(super) count: u32,
}

/// The address of the database, and the limits and timeouts of a connection pool.
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
    /// A `postgresql://` URL with one host or several. Connections go to the host that is the first to answer and accepts
    /// writes, or has the role in `target_session_attrs`. `sslmode`, `sslrootcert`, `sslcert` and `sslkey` mean what they
    /// mean for libpq, if the feature `tls` is on. [`check_url`](crate::check_url) checks a URL.
    pub url: String,
    /// The maximum number of connections of one pool. Default: 8. PostgreSQL's `max_connections` limits all pools together.
    pub max_connections: usize,
    /// The time to wait for a connection before the database counts as unavailable. Default: 800 ms.
    pub acquire_timeout: Duration,
    /// The time after which PostgreSQL cancels a statement, in whole milliseconds. Default: 5 s. Also limits how long a
    /// statement waits for a lock and how long a transaction may be idle. If PostgreSQL has sent nothing for a second longer,
    /// the connection is closed.
    pub statement_timeout: Duration,
    /// The thresholds for reporting statements.
    pub thresholds: Thresholds,
    /// The number of shared connections for [reads](crate::Database::read), besides those of the pool. Default: 2. With 0,
    /// reads use the pool.
    pub readers: usize,
    /// The maximum number of reads under way. Further ones wait as long as for a connection of the pool. Default: 256.
    pub max_reads: usize,
    /// The name of the pool in the metrics. Default: `main`. Pools with the same name are added up.
    pub pool_name: &'static str,
}

impl DatabaseConfig {
    /// The default settings for the database at `url`. They suit a small server.
    pub fn new(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            max_connections: 8,
            acquire_timeout: Duration::from_millis(800),
            statement_timeout: Duration::from_secs(5),
            thresholds: Thresholds::default(),
            readers: 2,
            max_reads: 256,
            pool_name: "main",
        }
    }

    /// Sets the maximum number of connections.
    #[must_use]
    pub fn with_max_connections(self, max_connections: usize) -> Self {
        Self { max_connections, ..self }
    }

    /// Sets the time to wait for a connection.
    #[must_use]
    pub fn with_acquire_timeout(self, acquire_timeout: Duration) -> Self {
        Self { acquire_timeout, ..self }
    }

    /// Sets the time limit of a statement.
    #[must_use]
    pub fn with_statement_timeout(self, statement_timeout: Duration) -> Self {
        Self { statement_timeout, ..self }
    }

    /// Sets the thresholds for reporting statements.
    #[must_use]
    pub fn with_thresholds(self, thresholds: Thresholds) -> Self {
        Self { thresholds, ..self }
    }

    /// Sets the number of shared connections for reads.
    #[must_use]
    pub fn with_readers(self, readers: usize) -> Self {
        Self { readers, ..self }
    }

    /// Sets the maximum number of reads under way.
    #[must_use]
    pub fn with_max_reads(self, max_reads: usize) -> Self {
        Self { max_reads, ..self }
    }

    /// Sets the name of the pool in the metrics.
    #[must_use]
    pub fn with_pool_name(self, pool_name: &'static str) -> Self {
        Self { pool_name, ..self }
    }

    /// The settings of a new session. Timeouts keep a statement, a lock or a forgotten transaction from holding up other
    /// sessions for long.
    ///
    /// Keep-alives find out on the side of PostgreSQL that this process has vanished. Otherwise its connections would count
    /// towards `max_connections` for hours.
    ///
    /// Statements are planned once, not at every call: planning a page takes longer than reading it, and the plan is the
    /// same for all values (`tests/plans/`). Parallel plans are off because a server with many concurrent requests has no
    /// core to spare. JIT is off because compiling takes longer than the statement.
    pub(super) fn session_settings(&self) -> SessionSettings {
        let limit = self.statement_timeout.as_millis().to_string();
        SessionSettings::isolation()
            .with("statement_timeout", limit.clone())
            .with("lock_timeout", limit.clone())
            .with("idle_in_transaction_session_timeout", limit)
            .with("tcp_keepalives_idle", KEEPALIVE.idle.as_secs().to_string())
            .with("tcp_keepalives_interval", KEEPALIVE.interval.as_secs().to_string())
            .with("tcp_keepalives_count", KEEPALIVE.count.to_string())
            .with("plan_cache_mode", "force_generic_plan")
            .with("max_parallel_workers_per_gather", "0")
            .with("jit", "off")
            .with("TimeZone", "UTC")
    }
}
