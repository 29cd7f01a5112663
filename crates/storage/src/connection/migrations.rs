//! Migrations of the database schema.

use std::collections::HashSet;
use std::time::Duration;

use diesel::migration::{Migration, MigrationSource};
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel_async::{AsyncConnection, AsyncMigrationHarness, RunQueryDsl, SimpleAsyncConnection};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

use crate::Connection;
use crate::error::{Result, StorageError};

/// All migrations, embedded in the binary. [`migrate`](crate::migrate) runs them; use this constant with your own harness,
/// and in tests that revert migrations.
pub const MIGRATIONS: EmbeddedMigrations = embed_migrations!("migrations");

/// The key of the advisory lock that a node holds while it migrates: "grateful" in ASCII, read as a big-endian number.
const ADVISORY_LOCK_KEY: i64 = i64::from_be_bytes(*b"grateful");

/// The time limit for opening a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// Runs the pending migrations of the database at `url`, and returns their names.
///
/// Several nodes may call this at the same time: one runs the migrations, and the other nodes wait for it and then find none
/// pending. Each migration is logged when it is done.
///
/// # Errors
/// The database cannot be reached, or a migration fails. Earlier migrations stay applied; the failed one is rolled back.
pub async fn migrate(url: &str) -> Result<Vec<String>> {
    let mut conn = tokio::time::timeout(CONNECT_TIMEOUT, Connection::establish(url))
        .await
        .map_err(|elapsed| StorageError::Unavailable(elapsed.into()))??;
    // The lock belongs to the session, so it is released with the connection in any case.
    conn.batch_execute(&format!("SELECT pg_advisory_lock({ADVISORY_LOCK_KEY})")).await?;
    blocking(move || run_pending(&mut AsyncMigrationHarness::new(conn))).await
}

/// Returns the names of the migrations that the database does not have yet.
///
/// # Errors
/// The database cannot be reached.
pub async fn pending_migrations(conn: &mut Connection) -> Result<Vec<String>> {
    let applied = applied_versions(conn).await?;
    let embedded: Vec<Box<dyn Migration<Pg>>> =
        MIGRATIONS.migrations().map_err(StorageError::Query)?;
    let names = embedded.iter().map(Migration::name);
    let pending = names.filter(|name| !applied.contains(&name.version().to_string()));
    Ok(pending.map(ToString::to_string).collect())
}

async fn applied_versions(conn: &mut Connection) -> Result<HashSet<String>> {
    // A database that was never migrated does not have this table. That is not an error here.
    let exists = "SELECT to_regclass('__diesel_schema_migrations') IS NOT NULL AS exists";
    if !diesel::sql_query(exists).get_result::<Exists>(conn).await?.exists {
        return Ok(HashSet::new());
    }
    let versions = __diesel_schema_migrations::table
        .select(__diesel_schema_migrations::version)
        .load::<String>(conn)
        .await?;
    Ok(versions.into_iter().collect())
}

#[derive(QueryableByName)]
struct Exists {
    #[diesel(sql_type = diesel::sql_types::Bool)]
    exists: bool,
}

diesel::table! {
    __diesel_schema_migrations (version) {
        version -> VarChar,
    }
}

/// Runs Diesel's synchronous migrations on a blocking thread. On the runtime they would block the task that drives their
/// connection.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T> {
    tokio::task::spawn_blocking(work).await.map_err(|panic| StorageError::Query(panic.into()))?
}

fn run_pending(harness: &mut impl MigrationHarness<Pg>) -> Result<Vec<String>> {
    let mut done = Vec::new();
    let pending: Vec<Box<dyn Migration<Pg>>> =
        harness.pending_migrations(MIGRATIONS).map_err(StorageError::Query)?;
    for migration in pending {
        let name = migration.name().to_string();
        harness.run_migration(&migration).map_err(StorageError::Query)?;
        tracing::info!(migration = name, "Migrated");
        done.push(name);
    }
    Ok(done)
}
