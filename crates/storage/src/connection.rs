//! Connections to PostgreSQL: the pool and its settings, shared connections for reads, transactions, and migrations.
//!
//! Imports only the error type and `monitor`. Contains no statement about a table of the schema.

mod config;
mod connecting;
mod database;
mod inspection;
mod limits;
mod manager;
mod migration_lock;
mod migration_plan;
mod migrations;
mod pooled_connection;
mod pools;
mod readers;
mod reads;
mod server_state;
mod transactions;

#[cfg(feature = "bulk")]
pub(crate) use self::config::CONNECT_TIMEOUT;
pub use self::config::DatabaseConfig;
#[cfg(feature = "bulk")]
pub(crate) use self::connecting::Connector;
pub use self::connecting::{InvalidUrl, check_url};
pub use self::database::Database;
pub use self::inspection::{ServerReport, inspect_server};
pub use self::limits::connection_limit;
pub use self::migration_plan::{LockImpact, PendingMigration, TableLock, plan_migrations};
pub use self::migrations::{
    MIGRATIONS, applied_migrations, migrate, migrate_to, migrate_within, pending_migrations,
    unknown_migrations,
};
pub use self::pooled_connection::PooledConnection;
pub use self::pools::PoolMetrics;
pub use self::readers::{ReadConnection, Reader, SharedConnection};
pub use self::server_state::{ServerState, server_state};
pub use self::transactions::LockConnection;
