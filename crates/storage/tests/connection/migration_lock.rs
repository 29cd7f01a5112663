//! The lock of migrations, against sessions that hold or lose it.

use std::error::Error as _;
use std::io::{self, Write};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use grateful_storage::{StorageError, migrate, migrate_within, pending_migrations};
use grateful_test_database::TestDatabase;
use tokio::time::sleep;

use crate::support::sql::lines;

/// The key of the lock, which must not change: nodes of two versions migrate at the same time.
const KEY: i64 = i64::from_be_bytes(*b"grateful");

#[tokio::test]
async fn a_node_waits_until_the_holder_of_the_lock_is_gone() {
    let database = TestDatabase::create_empty().await;
    let holder = database.begin(&format!("SELECT pg_advisory_xact_lock({KEY})")).await;
    let url = database.url();
    let node = tokio::spawn(async move { migrate(&url).await });

    sleep(Duration::from_millis(500)).await;
    assert!(!node.is_finished());
    drop(holder);

    assert_ne!(node.await.unwrap().unwrap(), [""; 0]);
}

/// As a transaction pooler keeps it for a client of an earlier version, which locked for the session.
#[tokio::test]
async fn a_lock_of_an_idle_session_is_reported_with_what_to_do() {
    let database = TestDatabase::create_empty().await;
    let mut holder = database.connect().await;
    let pid = lines(&mut holder, "SELECT pg_backend_pid()::text AS line").await.remove(0);
    lines(&mut holder, &format!("SELECT pg_advisory_lock({KEY})::text AS line")).await;
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt().with_writer(move || writer.clone()).finish();
    let guard = tracing::subscriber::set_default(subscriber);

    let result = migrate_within(&database.url(), Duration::from_millis(300)).await;

    drop(guard);
    let Err(error @ StorageError::Unavailable(_)) = result else { panic!("{result:?}") };
    let reason = error.source().unwrap().to_string();
    assert!(reason.contains(&format!("PostgreSQL process {pid} (idle)")), "{reason}");
    assert!(reason.contains(&format!("pg_terminate_backend({pid})")), "{reason}");
    let log = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    assert_eq!(log.matches("Waiting for another session").count(), 1, "{log}");
    assert!(log.contains(&pid), "{log}");
    let pending = pending_migrations(&mut holder).await.unwrap();
    drop(holder);
    assert_eq!(migrate(&database.url()).await.unwrap(), pending);
}

#[tokio::test]
async fn the_lock_belongs_to_a_transaction_and_ends_with_it() {
    let database = TestDatabase::create_empty().await;
    let mut observer = database.connect().await;
    // The first migration waits for this transaction, which creates the same table.
    let blocker = database.begin("CREATE TABLE users (id int)").await;
    let url = database.url();
    let node = tokio::spawn(async move { migrate(&url).await });
    let lock_waiters = "SELECT wait_event_type AS line FROM pg_stat_activity
        WHERE datname = current_database() AND wait_event_type = 'Lock'";
    while lines(&mut observer, lock_waiters).await.is_empty() {}
    let holders = "SELECT state AS line FROM pg_locks JOIN pg_stat_activity USING (pid)
        WHERE locktype = 'advisory' AND datname = current_database()";

    assert_eq!(lines(&mut observer, holders).await, ["idle in transaction"]);
    drop(blocker);
    node.await.unwrap().unwrap();

    assert_eq!(lines(&mut observer, holders).await, [""; 0]);
}

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
