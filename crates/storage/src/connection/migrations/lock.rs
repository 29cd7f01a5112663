//! The lock that lets only one node migrate a database at a time.

use std::fmt;
use std::time::{Duration, Instant};

use thiserror::Error;
use tokio_postgres::Client;

use crate::connection::config::CONNECT_TIMEOUT;
use crate::connection::connecting::{Connector, first_row};
use crate::connection::session_settings::SessionSettings;
use crate::error::{Result, StorageError};

/// The key of the advisory lock that a node holds while it migrates: "grateful" in ASCII, read as a big-endian number.
pub(super) const ADVISORY_LOCK_KEY: i64 = i64::from_be_bytes(*b"grateful");

/// The interval between two attempts to take the lock.
pub(super) const POLL_INTERVAL: Duration = Duration::from_millis(200);

/// The interval between two log lines of a node that waits.
const LOG_INTERVAL: Duration = Duration::from_secs(10);

/// The lock for migrations, held by a transaction on its own connection.
///
/// The lock belongs to the transaction, not to the session: a transaction pooler keeps sessions open after their clients
/// have gone, and would keep a lock of the session too. A transaction ends with its client. It cannot be the transaction of
/// the migrations, because each migration has its own, and `CREATE INDEX CONCURRENTLY` must run outside of one.
pub(super) struct MigrationLock {
    client: Client,
}

impl MigrationLock {
    /// Waits for the lock. Logs who holds it every ten seconds.
    ///
    /// # Errors
    /// `Unavailable` if the database cannot be reached, or if another session still holds the lock after `timeout`.
    pub(super) async fn acquire(url: &str, timeout: Duration) -> Result<Self> {
        let client = connect(url).await?;
        let started = Instant::now();
        let mut last_logged = None::<Instant>;
        loop {
            if try_lock(&client).await? {
                return Ok(Self { client });
            }
            let holder = find_holder(&client).await?;
            if timeout <= started.elapsed() {
                let timeout = LockTimeout { seconds: started.elapsed().as_secs(), holder };
                return Err(StorageError::Unavailable(timeout.into()));
            }
            if last_logged.is_none_or(|logged| LOG_INTERVAL <= logged.elapsed()) {
                last_logged = Some(Instant::now());
                tracing::info!(%holder, "Waiting for another session that migrates the database");
            }
            tokio::time::sleep(POLL_INTERVAL).await;
        }
    }

    /// Releases the lock. Dropping it does the same, but does not wait for it.
    pub(super) async fn release(self) {
        if let Err(error) = self.client.batch_execute("COMMIT").await {
            let error: &(dyn std::error::Error + 'static) = &error;
            tracing::warn!(error, "The lock of the migrations was lost before they were complete");
        }
    }
}

/// Another session did not release the lock in time.
#[derive(Debug, Error)]
#[error("{holder} has kept the lock of the migrations for {seconds} s{}", holder.advice())]
struct LockTimeout {
    seconds: u64,
    holder: Holder,
}

/// The session that holds the lock. `unknown` stands for what this account may not see.
#[derive(Debug)]
struct Holder {
    pid: String,
    /// `active`, `idle in transaction`, or `idle`, which a node that migrates never is for long.
    state: String,
}

impl Holder {
    fn advice(&self) -> String {
        let Self { pid, state } = self;
        if state != "idle" {
            return String::new();
        }
        format!(
            "; it is idle, so a connection pooler has probably kept it for a client that is gone: \
             end it with SELECT pg_terminate_backend({pid})"
        )
    }
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PostgreSQL process {} ({})", self.pid, self.state)
    }
}

async fn connect(url: &str) -> Result<Client> {
    let connector = Connector::alone(url, CONNECT_TIMEOUT, Some(CONNECT_TIMEOUT));
    Ok(connector.with_settings(SessionSettings::unlimited()).open().await?.client)
}

/// Begins a transaction and takes the lock in it, or rolls the transaction back.
///
/// All statements here are simple queries: through a transaction pooler, a prepared statement may not exist any more when it
/// is executed.
async fn try_lock(client: &Client) -> Result<bool> {
    let begin =
        "BEGIN; SET LOCAL statement_timeout = 0; SET LOCAL idle_in_transaction_session_timeout = 0";
    client.batch_execute(begin).await.map_err(StorageError::from_driver)?;
    let lock = format!("SELECT pg_try_advisory_xact_lock({ADVISORY_LOCK_KEY})");
    let row = first_row(client, &lock).await.map_err(StorageError::from_driver)?;
    let is_locked = row.is_some_and(|row| row.get(0) == Some("t"));
    if !is_locked {
        client.batch_execute("ROLLBACK").await.map_err(StorageError::from_driver)?;
    }
    Ok(is_locked)
}

async fn find_holder(client: &Client) -> Result<Holder> {
    let (high, low) = (ADVISORY_LOCK_KEY >> 32, ADVISORY_LOCK_KEY & 0xFFFF_FFFF);
    let holder = format!(
        "SELECT pid, state FROM pg_locks LEFT JOIN pg_stat_activity USING (pid)
         WHERE locktype = 'advisory' AND granted AND classid = {high} AND objid = {low} AND objsubid = 1
         AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
    );
    let row = first_row(client, &holder).await.map_err(StorageError::from_driver)?;
    let column = |index| row.as_ref().and_then(|row| row.get(index)).unwrap_or("unknown");
    Ok(Holder { pid: column(0).to_owned(), state: column(1).to_owned() })
}
