//! The connection pool.

use std::pin::pin;
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use deadpool::Runtime;
use deadpool::managed::{Pool, PoolError, Timeouts, WeakPool};

use super::compiled_once;
use super::config::DatabaseConfig;
use super::connecting::{ANSWER_GRACE, Connector, ServerHealth};
use super::manager::Manager;
use super::pooled_connection::PooledConnection;
use super::readers::Readers;
use super::replica_state::ReplicaState;
use super::replicas::Replicas;
use crate::error::{Result, StorageError};
use crate::monitor::Thresholds;
use crate::monitor::metrics::{POOL_FAILURES, POOL_WAIT};

/// A reference to a database that does not keep its connections alive.
pub(super) struct WeakDatabase {
    pub(super) pool: WeakPool<Manager>,
    pub(super) readers: Weak<Readers>,
}

/// A pool of connections to one PostgreSQL database. Clones share the pool.
#[derive(Clone)]
pub struct Database {
    pool: Pool<Manager>,
    name: &'static str,
    thresholds: Thresholds,
    readers: Arc<Readers>,
    /// The replica that the connections lead to, if any.
    replica: Option<Arc<ReplicaState>>,
    /// The replicas of this database, each with connections of its own.
    replicas: Arc<[ReplicaDatabase]>,
}

/// A replica, with the connections of one thread.
pub(super) struct ReplicaDatabase {
    pub(super) db: Database,
    pub(super) state: Arc<ReplicaState>,
}

/// The maximum number of connections of a pool to a replica, besides the shared ones. Few reads use it: those whose cost has
/// no bound that a test keeps.
const MAX_REPLICA_CONNECTIONS: usize = 2;

impl Database {
    /// Creates a pool that opens its connections on first use. Does not wait, and does not fail if the database is down.
    ///
    /// The connections live on the runtime that acquires them, so a server with one runtime per thread needs one pool per
    /// thread.
    #[expect(
        clippy::needless_pass_by_value,
        reason = "callers make the settings for this call, and by value they read as a chain"
    )]
    pub fn connect_lazily(config: DatabaseConfig) -> Self {
        Self::connect(&config, None)
    }

    /// As [`connect_lazily`](Self::connect_lazily), with further connections to each replica, as many shared ones and a small
    /// pool. [`read_within`](Self::read_within) runs reads there.
    pub fn connect_with_replicas(config: &DatabaseConfig, replicas: &Replicas) -> Self {
        let max_connections = match config.readers {
            // Without shared connections, all reads use the pool.
            0 => config.max_connections,
            _ => config.max_connections.min(MAX_REPLICA_CONNECTIONS),
        };
        let connect = |url: &str, state: &Arc<ReplicaState>| {
            let config = DatabaseConfig {
                url: url.to_owned(),
                max_connections,
                pool_name: "replicas",
                ..config.clone()
            };
            let db = Self::connect(&config, Some(Arc::clone(state)));
            ReplicaDatabase { db, state: Arc::clone(state) }
        };
        let replicas = replicas.addresses().iter();
        let replicas = replicas.map(|replica| connect(&replica.url, &replica.state)).collect();
        Self { replicas, ..Self::connect(config, None) }
    }

    fn connect(config: &DatabaseConfig, replica: Option<Arc<ReplicaState>>) -> Self {
        let timeouts = Timeouts {
            wait: Some(config.acquire_timeout),
            // Opening has a limit of its own.
            create: Some(config.acquire_timeout.saturating_mul(2)),
            recycle: Some(config.acquire_timeout),
        };
        let health = ServerHealth::new(config.pool_name);
        let connector = || {
            let answer_limit = config.statement_timeout.saturating_add(ANSWER_GRACE);
            let health = Arc::clone(&health);
            Connector::new(&config.url, health, config.acquire_timeout, Some(answer_limit))
                .with_settings(config.session_settings())
                .for_replica(replica.clone())
        };
        let manager = Manager::new(config, connector());
        let readers = Arc::new(Readers::new(config, connector().for_reads()));
        let DatabaseConfig { max_connections, thresholds, pool_name: name, .. } = config.clone();
        let pool = Pool::builder(manager)
            .max_size(max_connections)
            .runtime(Runtime::Tokio1)
            .timeouts(timeouts)
            .build()
            .expect("timeouts are valid, since a runtime is given");
        Self { pool, name, thresholds, readers, replica, replicas: Arc::default() }
    }

    /// The thresholds for reporting statements.
    pub fn thresholds(&self) -> &Thresholds {
        &self.thresholds
    }

    pub(super) fn name(&self) -> &'static str {
        self.name
    }

    pub(super) fn weak(&self) -> WeakDatabase {
        WeakDatabase { pool: self.pool.weak(), readers: Arc::downgrade(&self.readers) }
    }

    pub(super) fn readers(&self) -> &Readers {
        &self.readers
    }

    /// Whether [`read_within`](Self::read_within) may run reads on a replica.
    pub fn has_replicas(&self) -> bool {
        !self.replicas.is_empty()
    }

    pub(super) fn replicas(&self) -> &[ReplicaDatabase] {
        &self.replicas
    }

    /// Whether this leads to a replica.
    pub(super) fn is_replica(&self) -> bool {
        self.replica.is_some()
    }

    /// Whether this leads to a replica that reads must not use any more.
    pub(super) fn is_given_up(&self) -> bool {
        self.replica.as_ref().is_some_and(|replica| !replica.is_usable())
    }

    /// A connection of the pool that nothing uses, if there is one.
    pub(super) async fn try_acquire(&self) -> Option<PooledConnection> {
        let timeouts = Timeouts { wait: Some(Duration::ZERO), ..self.pool.timeouts() };
        self.pool.timeout_get(&timeouts).await.ok().map(PooledConnection)
    }

    /// Acquires a connection from the pool.
    ///
    /// # Errors
    /// [`StorageError::Unavailable`] if no connection becomes free in time or none can be opened.
    pub async fn acquire(&self) -> Result<PooledConnection> {
        let start = Instant::now();
        let connection = compiled_once(pin!(self.pool.get())).await;
        metrics::histogram!(POOL_WAIT, "pool" => self.name).record(start.elapsed());
        if connection.is_err() {
            metrics::counter!(POOL_FAILURES, "pool" => self.name).increment(1);
        }
        connection.map(PooledConnection).map_err(|error| match error {
            PoolError::Backend(error) => error,
            error => StorageError::Unavailable(error.into()),
        })
    }
}
