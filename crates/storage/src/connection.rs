//! Connections to PostgreSQL: the pool and its settings, shared connections for reads, transactions, and migrations.
//!
//! Imports only the error type and `monitor`. Contains no statement about a table of the schema.

mod config;
mod connecting;
mod database;
mod inspection;
mod limits;
mod manager;
mod migrations;
mod own_connections;
mod pooled_connection;
mod pools;
mod readers;
mod reads;
mod replica_reads;
mod replica_state;
mod replicas;
mod server_state;
mod session_settings;
mod transactions;

use std::pin::Pin;

#[cfg(feature = "bulk")]
pub(crate) use self::config::CONNECT_TIMEOUT;
pub use self::config::DatabaseConfig;
#[cfg(feature = "bulk")]
pub(crate) use self::connecting::Connector;
pub use self::connecting::{InvalidUrl, check_url};
pub use self::database::Database;
pub use self::inspection::{ServerReport, inspect_server};
pub use self::limits::connection_limit;
#[cfg(feature = "bulk")]
pub(crate) use self::migrations::{FIND_MIGRATIONS_TABLE, MIGRATIONS_TABLES, of_this_crate};
pub use self::migrations::{
    LockImpact, MIGRATIONS, PendingMigration, TableLock, applied_migrations, migrate, migrate_on,
    migrate_to, migrate_within, pending_migrations, plan_migrations, unknown_migrations,
};
pub use self::own_connections::{configure, connect};
pub use self::pooled_connection::PooledConnection;
pub use self::pools::PoolMetrics;
pub use self::readers::{ReadConnection, Reader, SharedConnection};
pub use self::replica_reads::{ReadMark, ReadScope};
pub(crate) use self::replica_state::Lsn;
pub use self::replicas::Replicas;
pub use self::server_state::{ServerState, server_state};
pub use self::transactions::{LockConnection, transaction_on};

/// Hides the type of a future, so that its code is compiled once and not into each function that awaits it. Costs a call
/// through a pointer, and no memory.
fn compiled_once<'a, T>(
    future: Pin<&'a mut (impl Future<Output = T> + Send + 'a)>,
) -> Pin<&'a mut (dyn Future<Output = T> + Send + 'a)> {
    future
}
