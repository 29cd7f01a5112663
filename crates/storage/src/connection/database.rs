//! The connection pool.

use std::fmt;
use std::ops::{Deref, DerefMut};
use std::time::Instant;

use deadpool::Runtime;
use deadpool::managed::{Timeouts, WeakPool};
use diesel_async::pooled_connection::deadpool::{Object, Pool};
use diesel_async::pooled_connection::{
    AsyncDieselConnectionManager, ManagerConfig, RecyclingMethod,
};
use diesel_async::{AsyncConnection, SimpleAsyncConnection};
use futures_util::FutureExt;

use super::config::DatabaseConfig;
use crate::Connection;
use crate::error::{Result, StorageError};
use crate::monitor::metrics::{POOL_FAILURES, POOL_WAIT};
use crate::monitor::{QueryMonitor, Thresholds};

/// A pool reference that does not keep the pool alive.
pub(super) type WeakDatabase = WeakPool<AsyncDieselConnectionManager<Connection>>;

/// A [`Connection`] that returns to its pool when dropped. A broken connection, or one with an open transaction, is closed.
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

/// A pool of connections to one PostgreSQL database. Clones share the pool.
#[derive(Clone)]
pub struct Database {
    pool: Pool<Connection>,
    name: &'static str,
    thresholds: Thresholds,
}

impl Database {
    /// Creates a pool that opens its connections on first use. Does not wait, and does not fail if the database is down.
    ///
    /// The connections live on the runtime that acquires them, so a server with one runtime per thread needs one pool per
    /// thread.
    pub fn connect_lazily(config: DatabaseConfig) -> Self {
        let timeouts = Timeouts {
            wait: Some(config.acquire_timeout),
            create: Some(config.acquire_timeout),
            recycle: Some(config.acquire_timeout),
        };
        let DatabaseConfig { max_connections, thresholds, pool_name: name, .. } = config;
        let settings = manager_config(&config);
        let manager = AsyncDieselConnectionManager::new_with_config(config.url, settings);
        let pool = Pool::builder(manager)
            .max_size(max_connections)
            .runtime(Runtime::Tokio1)
            .timeouts(timeouts)
            .build()
            .expect("timeouts are valid, since a runtime is given");
        Self { pool, name, thresholds }
    }

    /// The thresholds for reporting statements.
    pub fn thresholds(&self) -> &Thresholds {
        &self.thresholds
    }

    pub(super) fn name(&self) -> &'static str {
        self.name
    }

    pub(super) fn weak(&self) -> WeakDatabase {
        self.pool.weak()
    }

    /// Acquires a connection from the pool.
    ///
    /// # Errors
    /// [`StorageError::Unavailable`] if no connection becomes free in time or none can be opened.
    pub async fn acquire(&self) -> Result<PooledConnection> {
        let start = Instant::now();
        let connection = self.pool.get().await;
        metrics::histogram!(POOL_WAIT, "pool" => self.name).record(start.elapsed());
        if connection.is_err() {
            metrics::counter!(POOL_FAILURES, "pool" => self.name).increment(1);
        }
        connection.map(PooledConnection).map_err(|error| StorageError::Unavailable(error.into()))
    }
}

fn manager_config(config: &DatabaseConfig) -> ManagerConfig<Connection> {
    let settings = config.session_settings();
    let slow = config.thresholds.slow;
    let mut manager = ManagerConfig::default();
    // The default sends a query at every checkout, which costs a round trip per request.
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
