//! A session of another service while it migrates: its lock, and its limits.

use std::time::{Duration, Instant};

use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Bool, Text};
use diesel_async::{RunQueryDsl, SimpleAsyncConnection};

use super::lock::{ADVISORY_LOCK_KEY, POLL_INTERVAL};
use crate::Connection;
use crate::connection::session_settings::SessionSettings;
use crate::error::{Result, StorageError};

#[derive(QueryableByName)]
struct Locked {
    #[diesel(sql_type = Bool)]
    is_locked: bool,
}

/// Takes the lock of the migrations for the session. It excludes nodes that hold it for a transaction.
///
/// # Errors
/// `Unavailable` if another session still holds the lock after `timeout`.
pub(super) async fn lock_session(conn: &mut Connection, timeout: Duration) -> Result<()> {
    let started = Instant::now();
    loop {
        let lock = diesel::sql_query("SELECT pg_try_advisory_lock($1) AS is_locked");
        let locked: Locked = lock.bind::<BigInt, _>(ADVISORY_LOCK_KEY).get_result(conn).await?;
        if locked.is_locked {
            return Ok(());
        }
        if timeout <= started.elapsed() {
            let held = "another session has kept the lock of the migrations for too long";
            return Err(StorageError::Unavailable(held.into()));
        }
        tokio::time::sleep(POLL_INTERVAL).await;
    }
}

/// Releases the lock.
pub(super) async fn unlock_session(conn: &mut Connection) -> Result<()> {
    let unlock = diesel::sql_query("SELECT pg_advisory_unlock($1)");
    unlock.bind::<BigInt, _>(ADVISORY_LOCK_KEY).execute(conn).await?;
    Ok(())
}

/// Settings of a session that migrations need otherwise.
pub(super) struct SessionLimits(Vec<Setting>);

#[derive(QueryableByName)]
struct Setting {
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Text)]
    value: String,
}

impl SessionLimits {
    /// Lifts the time limits of statements, and pins the isolation level. Returns the settings from before.
    pub(super) async fn lift(conn: &mut Connection) -> Result<Self> {
        let settings = "SELECT name, current_setting(name) AS value FROM pg_settings
            WHERE name IN ('statement_timeout', 'lock_timeout', 'default_transaction_isolation')";
        let limits = diesel::sql_query(settings).load(conn).await?;
        conn.batch_execute(&SessionSettings::unlimited().to_statements()).await?;
        Ok(Self(limits))
    }

    /// Sets them as they were.
    pub(super) async fn restore(self, conn: &mut Connection) -> Result<()> {
        let (names, values): (Vec<String>, Vec<String>) =
            self.0.into_iter().map(|setting| (setting.name, setting.value)).unzip();
        let restore =
            "SELECT set_config(name, value, false) FROM unnest($1, $2) AS old (name, value)";
        diesel::sql_query(restore)
            .bind::<Array<Text>, _>(names)
            .bind::<Array<Text>, _>(values)
            .execute(conn)
            .await?;
        Ok(())
    }
}
