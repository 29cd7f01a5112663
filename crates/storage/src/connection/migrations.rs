//! Bringing a database to the schema that this build needs.

use std::collections::HashSet;
use std::time::Duration;

use diesel::migration::{Migration, MigrationSource};
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel_async::{AsyncConnection, AsyncMigrationHarness, RunQueryDsl, SimpleAsyncConnection};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

use crate::Connection;
use crate::error::{Result, StorageError};

/// All migrations, in the binary itself. [`migrate`](crate::migrate) runs them; they are here for a harness of your own, and for
/// tests that go back.
pub const MIGRATIONS: EmbeddedMigrations = embed_migrations!("migrations");

/// The advisory lock that one migrating node holds: "grateful" in ASCII, read as a number.
const LOCK: i64 = i64::from_be_bytes(*b"grateful");

/// How long a database may take to accept a connection.
const PATIENCE: Duration = Duration::from_secs(10);

/// Runs the migrations that the database at `url` does not have yet, and returns their names.
///
/// Any number of nodes may do so at once: one migrates, the others wait for it and find nothing left to do. Each
/// migration is logged when it is done.
///
/// # Errors
/// The database cannot be reached, or a migration fails: then those before it stay, and it leaves nothing behind.
pub async fn migrate(url: &str) -> Result<Vec<String>> {
    let mut conn = tokio::time::timeout(PATIENCE, Connection::establish(url))
        .await
        .map_err(|elapsed| StorageError::Unavailable(elapsed.into()))??;
    // Held by this connection, and let go with it, however this ends.
    conn.batch_execute(&format!("SELECT pg_advisory_lock({LOCK})")).await?;
    blocking(move || run_pending(&mut AsyncMigrationHarness::new(conn))).await
}

/// The names of the migrations that a database does not have yet.
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
    // A database that nobody has migrated has no such table, which is no failure here.
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

/// Diesel's migrations are synchronous, and would block the runtime that drives their connection.
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
