//! Connections to PostgreSQL: the pool and its settings, transactions, and migrations.
//!
//! Imports only the error type and `monitor`. Contains no statement about a table of the schema.

mod config;
mod database;
mod migrations;
mod pools;
mod transactions;

pub use self::config::DatabaseConfig;
pub use self::database::{Database, PooledConnection};
pub use self::migrations::{MIGRATIONS, migrate, pending_migrations};
pub use self::pools::PoolMetrics;
