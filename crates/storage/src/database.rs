//! Connections, and transactions on them.

use std::fmt;
use std::ops::{Deref, DerefMut};
use std::time::{Duration, Instant};

use deadpool::Runtime;
use deadpool::managed::Timeouts;
use diesel_async::pooled_connection::deadpool::{Object, Pool};
use diesel_async::pooled_connection::{
    AsyncDieselConnectionManager, ManagerConfig, RecyclingMethod,
};
use diesel_async::{AsyncConnection, SimpleAsyncConnection, TransactionManager};
use futures_util::FutureExt;

use crate::monitor::counted_if_ok;
use crate::monitor::metrics::{POOL_FAILURES, POOL_WAIT, TRANSACTIONS_RETRIED};
use crate::pools;
use crate::{Connection, QueryMonitor, Result, StorageError, Thresholds, Transient};

type Transactions = <Connection as AsyncConnection>::TransactionManager;

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
    pub wait: Duration,
    /// How long one statement may run before PostgreSQL cancels it, in whole milliseconds: 5 s, unless said otherwise. As
    /// long may it wait for a lock, and a transaction do nothing.
    pub statement_timeout: Duration,
    /// From when on statements are reported.
    pub thresholds: Thresholds,
    /// What the pool is for, as the metrics name it: `main`, unless said otherwise. Those of several pools with one name
    /// are added up.
    pub pool: &'static str,
}

impl DatabaseConfig {
    /// The settings of a small server for the database at `url`.
    pub fn new(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            max_connections: 8,
            wait: Duration::from_millis(800),
            statement_timeout: Duration::from_secs(5),
            thresholds: Thresholds::default(),
            pool: "main",
        }
    }

    /// With so many connections at most.
    #[must_use]
    pub fn with_max_connections(self, max_connections: usize) -> Self {
        Self { max_connections, ..self }
    }

    /// With so long a wait for a connection.
    #[must_use]
    pub fn with_wait(self, wait: Duration) -> Self {
        Self { wait, ..self }
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
    pub fn with_pool(self, pool: &'static str) -> Self {
        Self { pool, ..self }
    }

    /// What a new connection is told: no statement, lock or forgotten transaction holds others up for long, and a
    /// statement is planned once, not at every call. Planning a page takes longer than reading it, and the plan is the same
    /// whatever its values (`tests/plans.rs`); a server that answers many at once has no core to spare for parallel plans,
    /// and compiling one takes longer than the statement.
    fn session_settings(&self) -> String {
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

/// A [`Connection`] that goes back to its pool when dropped; one that broke, or has a transaction open, is closed instead.
pub struct PooledConnection(Object<Connection>);

impl Deref for PooledConnection {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        &self.0
    }
}

impl DerefMut for PooledConnection {
    fn deref_mut(&mut self) -> &mut Connection {
        &mut self.0
    }
}

impl fmt::Debug for PooledConnection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PooledConnection").finish_non_exhaustive()
    }
}

/// A pool of connections to one PostgreSQL. Clones share it.
#[derive(Clone)]
pub struct Database {
    pool: Pool<Connection>,
    name: &'static str,
    thresholds: Thresholds,
}

impl Database {
    /// A pool that opens its connections when they are first needed: this does not wait, and does not fail when
    /// the database is away.
    ///
    /// Its connections live on the runtime that asks for them, so a server with one runtime a thread makes one
    /// pool a thread.
    pub fn connect_lazily(config: DatabaseConfig) -> Self {
        let timeouts = Timeouts {
            wait: Some(config.wait),
            create: Some(config.wait),
            recycle: Some(config.wait),
        };
        let DatabaseConfig { max_connections, thresholds, pool: name, .. } = config;
        let settings = manager_config(&config);
        let manager = AsyncDieselConnectionManager::new_with_config(config.url, settings);
        let pool = Pool::builder(manager)
            .max_size(max_connections)
            .runtime(Runtime::Tokio1)
            .timeouts(timeouts)
            .build()
            .expect("time limits work, since a runtime is given");
        Self { pool, name, thresholds }
    }

    /// From when on statements are reported.
    pub fn thresholds(&self) -> &Thresholds {
        &self.thresholds
    }

    pub(crate) fn name(&self) -> &'static str {
        self.name
    }

    pub(crate) fn weak(&self) -> pools::Weak {
        self.pool.weak()
    }

    /// A connection from the pool.
    ///
    /// # Errors
    /// [`StorageError::Unavailable`] when none gets free in time or none can be opened.
    pub async fn acquire(&self) -> Result<PooledConnection> {
        let asked = Instant::now();
        let connection = self.pool.get().await;
        metrics::histogram!(POOL_WAIT, "pool" => self.name).record(asked.elapsed());
        if connection.is_err() {
            metrics::counter!(POOL_FAILURES, "pool" => self.name).increment(1);
        }
        connection.map(PooledConnection).map_err(|error| StorageError::Unavailable(error.into()))
    }

    /// Runs `work` in one transaction, which commits if and only if `work` succeeds.
    ///
    /// Where PostgreSQL ends it in favour of another transaction, a clone of `work` runs again from the start, three
    /// times in all, so it must leave nothing behind but rows.
    ///
    /// Work that meets a refused statement must fail, or have taken it back by a savepoint: after one PostgreSQL keeps
    /// nothing of a transaction, and says so only to the next statement.
    ///
    /// # Errors
    /// That of `work`, and [`StorageError::Unavailable`] where the database is away.
    pub async fn transaction<T, E, F>(&self, work: F) -> Result<T, E>
    where
        E: From<StorageError> + Transient,
        // Not `AsyncFn`: where that borrows anything, the compiler does not see that its futures are `Send`.
        F: AsyncFnOnce(&mut Connection) -> Result<T, E> + Clone,
    {
        let mut conn = self.acquire().await?;
        let conn = &mut *conn;
        let mut attempt = 1;
        loop {
            // What a use case keeps over its waits is large, and would be copied onto the stack layer by layer.
            let tried = Box::pin(attempt_transaction(conn, work.clone()));
            match counted_if_ok(tried).await {
                Err(error) if error.is_transient() && attempt < ATTEMPTS => {
                    tracing::debug!(attempt, "Another transaction stood in the way");
                    metrics::counter!(TRANSACTIONS_RETRIED).increment(1);
                    tokio::time::sleep(BACK_OFF * attempt).await;
                    attempt += 1;
                }
                outcome => return outcome,
            }
        }
    }
}

/// How often a transaction is tried. Whoever loses three deadlocks in a row meets a bug, not bad luck.
const ATTEMPTS: u32 = 3;

/// Long enough for the transaction that won to finish, short enough for nobody to notice.
const BACK_OFF: Duration = Duration::from_millis(5);

async fn attempt_transaction<T, E, F>(conn: &mut Connection, work: F) -> Result<T, E>
where
    E: From<StorageError>,
    F: AsyncFnOnce(&mut Connection) -> Result<T, E>,
{
    Transactions::begin_transaction(conn).await.map_err(StorageError::from)?;
    match work(conn).await {
        Ok(value) => {
            Transactions::commit_transaction(conn).await.map_err(StorageError::from)?;
            Ok(value)
        }
        Err(error) => {
            // Should this fail too, the pool throws the connection away.
            _ = Transactions::rollback_transaction(conn).await;
            Err(error)
        }
    }
}

fn manager_config(config: &DatabaseConfig) -> ManagerConfig<Connection> {
    let settings = config.session_settings();
    let slow = config.thresholds.slow;
    let mut manager = ManagerConfig::default();
    // The default asks the server at every checkout, which costs a round trip a request.
    manager.recycling_method = RecyclingMethod::Fast;
    manager.custom_setup = Box::new(move |url| {
        let (url, settings) = (url.to_owned(), settings.clone());
        async move {
            let mut conn = Connection::establish(&url).await?;
            conn.batch_execute(&settings)
                .await
                .map_err(diesel::ConnectionError::CouldntSetupConfiguration)?;
            QueryMonitor::new(slow).watch(&mut conn);
            Ok(conn)
        }
        .boxed()
    });
    manager
}
