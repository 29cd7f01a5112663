//! Migrations of the database schema.

use std::collections::HashSet;
use std::time::Duration;

use diesel::connection::CacheSize;
use diesel::migration::{CREATE_MIGRATIONS_TABLE, Migration, MigrationSource};
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel_async::{AsyncConnection, AsyncMigrationHarness, RunQueryDsl, SimpleAsyncConnection};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

use super::config::{CONNECT_TIMEOUT, PIN_ISOLATION};
use super::connecting::{Connector, Opened};
use super::migration_lock::MigrationLock;
use crate::Connection;
use crate::error::{Result, StorageError};

/// All migrations, embedded in the binary. [`migrate`](crate::migrate) runs them; use this constant with your own harness,
/// and in tests that revert migrations.
pub const MIGRATIONS: EmbeddedMigrations = embed_migrations!("migrations");

/// How long [`migrate`] waits for another node that migrates.
const LOCK_TIMEOUT: Duration = Duration::from_mins(10);

/// Runs the pending migrations of the database at `url`, and returns their names.
///
/// Several nodes may call this at the same time: one runs the migrations, and the other nodes wait for it, up to ten
/// minutes, and then find none pending. Each migration is logged when it is done.
///
/// # Errors
/// The database cannot be reached, has an encoding other than UTF8, or is still being migrated by another node after ten
/// minutes, or a migration fails. Earlier migrations stay applied; the failed one is rolled back.
pub async fn migrate(url: &str) -> Result<Vec<String>> {
    migrate_within(url, LOCK_TIMEOUT).await
}

/// Like [`migrate`], and waits up to `lock_timeout` for another node that migrates.
///
/// # Errors
/// Those of [`migrate`].
pub async fn migrate_within(url: &str, lock_timeout: Duration) -> Result<Vec<String>> {
    migrate_only(url, lock_timeout, |_| true).await
}

/// Like [`migrate`], but runs only those pending migrations that have one of these versions: the schema of an older build, to
/// load its data into.
///
/// # Errors
/// Those of [`migrate`].
pub async fn migrate_to(url: &str, versions: &[String]) -> Result<Vec<String>> {
    let versions: HashSet<String> = versions.iter().cloned().collect();
    migrate_only(url, LOCK_TIMEOUT, move |version| versions.contains(version)).await
}

async fn migrate_only(
    url: &str,
    lock_timeout: Duration,
    is_wanted: impl Fn(&str) -> bool + Send + 'static,
) -> Result<Vec<String>> {
    let lock = MigrationLock::acquire(url, lock_timeout).await?;
    let migrated = run_pending(url, is_wanted).await;
    lock.release().await;
    migrated
}

async fn run_pending(
    url: &str,
    is_wanted: impl Fn(&str) -> bool + Send + 'static,
) -> Result<Vec<String>> {
    let mut conn = connect(url).await?;
    check_encoding(&mut conn).await?;
    // Without the notice that the table exists, which would be a line in the log of each start.
    let create = format!(
        "BEGIN; SET LOCAL client_min_messages = 'warning'; {CREATE_MIGRATIONS_TABLE}; COMMIT"
    );
    conn.batch_execute(&create).await?;
    let applied = conn.transaction(async |conn| applied_migrations(conn).await).await?;
    let is_wanted =
        move |version: &str| applied.iter().all(|known| known != version) && is_wanted(version);
    blocking(move || run_wanted(&mut AsyncMigrationHarness::new(conn), is_wanted)).await
}

/// Opens a connection that works through a transaction pooler as well: it prepares a statement again for each execution,
/// and prepares and executes it in one transaction.
///
/// PostgreSQL may take as long as it needs for a statement, such as one that creates an index. If its machine vanishes, the
/// operating system finds out.
pub(super) async fn connect(url: &str) -> Result<Connection> {
    let Opened { client, .. } = Connector::alone(url, CONNECT_TIMEOUT, None).open().await?;
    let mut conn = Connection::try_from(client).await?;
    conn.set_prepared_statement_cache_size(CacheSize::Disabled);
    conn.batch_execute(PIN_ISOLATION).await?;
    Ok(conn)
}

/// Fails unless the database stores text as UTF-8. With another encoding, inserting an emoji fails; with `SQL_ASCII`,
/// lengths and comparisons are those of bytes.
async fn check_encoding(conn: &mut Connection) -> Result<()> {
    let encoding = "SELECT current_setting('server_encoding') AS encoding";
    let Encoding { encoding } = conn
        .transaction(async |conn| diesel::sql_query(encoding).get_result(conn).await)
        .await
        .map_err(StorageError::from)?;
    if encoding == "UTF8" { Ok(()) } else { Err(StorageError::UnsupportedEncoding { encoding }) }
}

#[derive(QueryableByName)]
struct Encoding {
    #[diesel(sql_type = diesel::sql_types::Text)]
    encoding: String,
}

/// Returns the names of the migrations that the database does not have yet.
///
/// # Errors
/// The database cannot be reached.
pub async fn pending_migrations(conn: &mut Connection) -> Result<Vec<String>> {
    let applied = applied_migrations(conn).await?;
    let embedded = embedded_migrations()?;
    let names = embedded.iter().map(Migration::name);
    let pending = names.filter(|name| !applied.contains(&name.version().to_string()));
    Ok(pending.map(ToString::to_string).collect())
}

/// Returns those of these versions that this build has no migration of: they are from a newer build.
///
/// # Errors
/// The embedded migrations cannot be read.
pub fn unknown_migrations(versions: &[String]) -> Result<Vec<String>> {
    let embedded = embedded_migrations()?;
    let known: HashSet<String> =
        embedded.iter().map(|migration| migration.name().version().to_string()).collect();
    Ok(versions.iter().filter(|version| !known.contains(*version)).cloned().collect())
}

/// All migrations in the order in which they run.
fn embedded_migrations() -> Result<Vec<Box<dyn Migration<Pg>>>> {
    let mut migrations: Vec<Box<dyn Migration<Pg>>> =
        MIGRATIONS.migrations().map_err(StorageError::Query)?;
    migrations.sort_unstable_by(|one, other| one.name().version().cmp(&other.name().version()));
    Ok(migrations)
}

/// Whether a migration runs in a transaction.
pub(super) fn runs_in_transaction(name: &str) -> Result<bool> {
    let embedded = embedded_migrations()?;
    let found = embedded.iter().find(|migration| migration.name().to_string() == name);
    Ok(found.is_none_or(|migration| migration.metadata().run_in_transaction()))
}

/// Returns the versions of the applied migrations, oldest first. Empty if the database was never migrated.
///
/// # Errors
/// The database cannot be reached.
pub async fn applied_migrations(conn: &mut Connection) -> Result<Vec<String>> {
    let exists = "SELECT to_regclass('__diesel_schema_migrations') IS NOT NULL AS exists";
    if !diesel::sql_query(exists).get_result::<Exists>(conn).await?.exists {
        return Ok(Vec::new());
    }
    let versions = __diesel_schema_migrations::table
        .select(__diesel_schema_migrations::version)
        .order(__diesel_schema_migrations::version);
    Ok(versions.load(conn).await?)
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

fn run_wanted(
    harness: &mut impl MigrationHarness<Pg>,
    is_wanted: impl Fn(&str) -> bool,
) -> Result<Vec<String>> {
    let mut done = Vec::new();
    for migration in embedded_migrations()? {
        if !is_wanted(&migration.name().version().to_string()) {
            continue;
        }
        let name = migration.name().to_string();
        harness.run_migration(&migration).map_err(StorageError::Query)?;
        tracing::info!(migration = name, "Migrated");
        done.push(name);
    }
    Ok(done)
}
