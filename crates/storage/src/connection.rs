//! Connections to PostgreSQL: the pool and its settings, transactions, and migrations.
//!
//! Imports the error type and `monitor`, which watches each connection; it knows no table.

mod config;
mod database;
mod migrations;
mod pools;
mod transactions;

pub use self::config::DatabaseConfig;
pub use self::database::{Database, PooledConnection};
pub use self::migrations::{MIGRATIONS, migrate, pending_migrations};
pub use self::pools::PoolMetrics;
