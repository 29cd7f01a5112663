#![doc = include_str!("../README.md")]
#![warn(missing_docs)]

mod database;
mod error;
mod idempotency_keys;
mod migrate;
mod monitor;
mod posts;
mod query;
mod schema;
mod sessions;
mod users;

pub use diesel_async::AsyncPgConnection as Connection;

pub use self::database::{Database, DatabaseConfig, PooledConnection};
pub use self::error::{Result, StorageError, Transient};
pub use self::idempotency_keys::{Claim, Claimed, IdempotencyKeys};
pub use self::migrate::{MIGRATIONS, migrate, pending_migrations};
pub use self::monitor::{QueryLog, QueryMonitor, Tally};
pub use self::posts::Posts;
pub use self::query::PostQuery;
pub use self::sessions::{Sessions, TokenHash};
pub use self::users::{Credentials, NewUser, Users};

/// Every repository, reachable from any connection: pooled, in a transaction, or your own.
pub trait Repositories {
    /// The `users` table.
    fn users(&mut self) -> Users<'_>;
    /// The `sessions` table.
    fn sessions(&mut self) -> Sessions<'_>;
    /// The `posts` table.
    fn posts(&mut self) -> Posts<'_>;
    /// The `idempotency_keys` table.
    fn idempotency_keys(&mut self) -> IdempotencyKeys<'_>;
}

impl Repositories for Connection {
    fn users(&mut self) -> Users<'_> {
        Users { conn: self }
    }

    fn sessions(&mut self) -> Sessions<'_> {
        Sessions { conn: self }
    }

    fn posts(&mut self) -> Posts<'_> {
        Posts { conn: self }
    }

    fn idempotency_keys(&mut self) -> IdempotencyKeys<'_> {
        IdempotencyKeys { conn: self }
    }
}
