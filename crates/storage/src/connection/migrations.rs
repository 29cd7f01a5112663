//! Migrations of the database schema.

mod files;
mod lock;
mod plan;
mod session;
mod table;

use std::time::Duration;

use diesel::connection::CacheSize;
use diesel::prelude::*;
use diesel_async::{AsyncConnection, RunQueryDsl, SimpleAsyncConnection};
use thiserror::Error;

pub use self::files::MIGRATIONS;
use self::files::{MigrationFile, embedded_migrations, embedded_versions};
use self::lock::MigrationLock;
pub use self::plan::{LockImpact, PendingMigration, TableLock, plan_migrations};
use self::session::{SessionLimits, lock_session, unlock_session};
pub use self::table::applied_migrations;
#[cfg(feature = "bulk")]
pub(crate) use self::table::{FIND_MIGRATIONS_TABLE, MIGRATIONS_TABLES, of_this_crate};
use crate::Connection;
use crate::connection::config::CONNECT_TIMEOUT;
use crate::connection::connecting::{Connector, Opened};
use crate::connection::session_settings::SessionSettings;
use crate::connection::transactions::depth_of;
use crate::error::{Result, StorageError};

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
    migrate_only(url, LOCK_TIMEOUT, |version| versions.iter().any(|it| it == version)).await
}

/// Like [`migrate`], on a connection that you opened, and in the schema that is the first of its `search_path`.
///
/// The lock of the migrations belongs to the session, since there is no other connection, so the connection cannot be one
/// through a transaction pooler. Statements have no time limit meanwhile; the limits of the session are set again afterwards.
///
/// # Errors
/// Those of [`migrate`], and [`StorageError::Query`] if the connection is in a transaction.
pub async fn migrate_on(conn: &mut Connection) -> Result<Vec<String>> {
    if depth_of(conn)?.is_some() {
        return Err(StorageError::Query("migrations have transactions of their own".into()));
    }
    let limits = SessionLimits::lift(conn).await?;
    let migrated = match lock_session(conn, LOCK_TIMEOUT).await {
        Ok(()) => {
            let migrated = run_pending(conn, |_| true).await;
            unlock_session(conn).await.and(migrated)
        }
        Err(error) => Err(error),
    };
    limits.restore(conn).await.and(migrated)
}

async fn migrate_only(
    url: &str,
    lock_timeout: Duration,
    is_wanted: impl Fn(&str) -> bool,
) -> Result<Vec<String>> {
    let lock = MigrationLock::acquire(url, lock_timeout).await?;
    let migrated = async { run_pending(&mut connect(url).await?, is_wanted).await }.await;
    lock.release().await;
    migrated
}

async fn run_pending(
    conn: &mut Connection,
    is_wanted: impl Fn(&str) -> bool,
) -> Result<Vec<String>> {
    check_encoding(conn).await?;
    table::create(conn).await?;
    let pending = conn.transaction(async |conn| find_pending(conn).await).await?;
    let mut done = Vec::new();
    for file in pending.into_iter().filter(|file| is_wanted(&file.version)) {
        run(conn, &file).await.map_err(|error| match error {
            StorageError::Query(source) => {
                StorageError::Query(Failed { name: file.name.clone(), source }.into())
            }
            other => other,
        })?;
        tracing::info!(migration = file.name, "Migrated");
        done.push(file.name);
    }
    Ok(done)
}

/// A statement of a migration was rejected.
#[derive(Debug, Error)]
#[error("the migration {name} failed")]
struct Failed {
    name: String,
    source: Box<dyn std::error::Error + Send + Sync>,
}

/// Runs one migration, and lists it as applied.
async fn run(conn: &mut Connection, file: &MigrationFile) -> Result<()> {
    let MigrationFile { version, up, in_transaction, .. } = file;
    if !in_transaction {
        conn.batch_execute(up).await?;
        return conn.transaction(async |tx| table::insert(tx, version).await).await;
    }
    conn.transaction(async |tx| {
        tx.batch_execute(up).await?;
        table::insert(tx, version).await
    })
    .await
}

/// Opens a connection that works through a transaction pooler as well: it prepares a statement again for each execution,
/// and prepares and executes it in one transaction.
///
/// PostgreSQL may take as long as it needs for a statement, such as one that creates an index, regardless of the limits of the
/// role. If its machine vanishes, the operating system finds out.
pub(super) async fn connect(url: &str) -> Result<Connection> {
    let connector = Connector::alone(url, CONNECT_TIMEOUT, None);
    let Opened { client, .. } =
        connector.with_settings(SessionSettings::unlimited()).open().await?;
    let mut conn = Connection::try_from(client).await?;
    conn.set_prepared_statement_cache_size(CacheSize::Disabled);
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
    Ok(find_pending(conn).await?.into_iter().map(|file| file.name).collect())
}

/// The migrations that the database does not have yet, in the order in which they run.
async fn find_pending(conn: &mut Connection) -> Result<Vec<MigrationFile>> {
    let applied = applied_migrations(conn).await?;
    let embedded = embedded_migrations()?.into_iter();
    Ok(embedded.filter(|file| !applied.contains(&file.version)).collect())
}

/// Returns those of these versions that this build has no migration of: they are from a newer build.
///
/// # Errors
/// The embedded migrations cannot be read.
pub fn unknown_migrations(versions: &[String]) -> Result<Vec<String>> {
    let known = embedded_versions()?;
    Ok(versions.iter().filter(|version| !known.contains(version)).cloned().collect())
}
