#![doc = include_str!("../README.md")]
#![warn(missing_docs)]

#[cfg(feature = "bulk")]
mod bulk;
mod connection;
mod error;
mod monitor;
pub mod query;
mod repositories;
mod rows;
mod schema;
#[cfg(feature = "verify")]
mod verify;

/// A connection to PostgreSQL: the asynchronous connection of Diesel. [`Repositories`] works on your own connections too.
pub use diesel_async::AsyncPgConnection as Connection;
/// The type of [`MIGRATIONS`], for your own migration harness.
pub use diesel_migrations::EmbeddedMigrations;
/// The form of [`METRICS`].
pub use grateful_metrics::{Metric, MetricKind, MetricLabel};
/// Diesel and its driver, whose types are part of the public API: [`Connection`] is from `diesel_async`, and errors of
/// `diesel` convert to [`StorageError`]. A new major version of either is a new major version of this crate.
pub use {diesel, diesel_async};

#[cfg(feature = "bulk")]
pub use self::bulk::{
    BulkInbox, BulkLoad, BulkUser, DatabaseRestore, DatabaseSnapshot, FileReference, LoadedAct,
    SequenceState, TableColumns, TableCopy, open_client,
};
pub use self::connection::{
    Database, DatabaseConfig, InvalidUrl, LockConnection, LockImpact, MIGRATIONS, PendingMigration,
    PoolMetrics, PooledConnection, ReadConnection, ReadMark, ReadScope, Reader, Replicas,
    ServerReport, ServerState, SharedConnection, TableLock, applied_migrations, check_url,
    configure, connect, connection_limit, inspect_server, migrate, migrate_on, migrate_to,
    migrate_within, pending_migrations, plan_migrations, server_state, transaction_on,
    unknown_migrations,
};
pub use self::error::{Result, StorageError};
pub use self::monitor::{
    METRICS, QueryLog, QueryMonitor, StatementStats, Thresholds, record_on_commit,
};
pub use self::query::{FollowQuery, NotificationQuery, PostQuery, UserQuery};
pub use self::repositories::*;
#[cfg(feature = "verify")]
pub use self::verify::{
    ActTable, CounterTable, Counters, Mismatch, MissingNotification, RowKey, VerifiedActs,
    VerifiedBatch,
};
