//! Transactions and connections of a [`Database`] under failures, conflicts, cancellation, timeouts and lost connections.

use std::error::Error;
use std::future::{Future, pending, poll_fn};
use std::pin::pin;
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::Poll;
use std::time::Duration;

use anyhow::Context as _;
use diesel_async::{AsyncConnection, SimpleAsyncConnection};
use futures_util::future::join;
use grateful_domain::{Email, PasswordHash, User, Username};
use grateful_storage::{
    Connection, Database, DatabaseConfig, NewUser, Repositories, Result, StorageError, Users,
};
use grateful_test_database::{NOON, TestDatabase, create_user};
use tokio::net::TcpListener;
use tokio::sync::{Barrier, Notify};
use tokio::time::timeout;

use crate::support::sql::lines;

/// A timeout far above the duration of anything here that does not hang.
const TIMEOUT: Duration = Duration::from_secs(20);

#[tokio::test]
async fn a_successful_transaction_is_committed() {
    let database = TestDatabase::create().await;

    let ana = database.pool.transaction(async |tx| insert_user(tx, "ana").await).await.unwrap();

    assert_eq!(database.connect().await.users().find(ana.id).await.unwrap(), Some(ana));
}

#[tokio::test]
async fn a_failed_transaction_is_rolled_back_and_returns_its_error() {
    let database = TestDatabase::create().await;

    let result: Result<(), CustomError> = database
        .pool
        .transaction(async |tx| {
            insert_user(tx, "ana").await?;
            Err(CustomError::Aborted)
        })
        .await;

    assert!(matches!(result, Err(CustomError::Aborted)));
    assert_eq!(usernames(&database).await, [""; 0]);
}

#[tokio::test]
async fn a_transaction_cannot_continue_after_a_rejected_statement() {
    let database = TestDatabase::create().await;

    let result: Result<()> = database
        .pool
        .transaction(async |tx| {
            insert_user(tx, "ana").await?;
            assert!(insert_user(tx, "ana").await.is_err());
            insert_user(tx, "ben").await?;
            Ok(())
        })
        .await;

    assert!(matches!(result, Err(StorageError::Query(_))), "{result:?}");
    assert_eq!(usernames(&database).await, [""; 0]);
}

#[tokio::test]
async fn a_transaction_can_continue_after_rolling_back_to_a_savepoint() {
    let database = TestDatabase::create().await;

    let result: Result<()> = database
        .pool
        .transaction(async |tx| {
            insert_user(tx, "ana").await?;
            let twice = tx.transaction(async |savepoint| insert_user(savepoint, "ana").await).await;
            assert!(twice.is_err());
            Ok(())
        })
        .await;

    result.unwrap();
    assert_eq!(usernames(&database).await, ["ana"]);
}

/// The foreign key to the parent of a notification is checked at the commit.
#[tokio::test]
async fn a_deferred_constraint_is_reported_by_name() {
    let database = TestDatabase::create().await;
    let pool = database.pool_with(one_connection);
    let ana = create_user(&database).await;
    let orphan = format!(
        "INSERT INTO notifications (id, user_id, type, title, message, parent_id)
         VALUES (gen_random_uuid(), {ana}, 'like', '', '', gen_random_uuid())"
    );

    let result: Result<()> =
        pool.transaction(async |tx| Ok(tx.batch_execute(&orphan).await?)).await;

    assert!(
        matches!(&result, Err(StorageError::ForeignKeyViolation { constraint }) if constraint == "fk_notifications_parent"),
        "{result:?}"
    );
    assert!(is_outside_any_transaction(&pool).await);
}

#[tokio::test]
async fn two_deadlocked_transactions_both_succeed() {
    let database = TestDatabase::create().await;
    let [ana, ben] = [create_user(&database).await, create_user(&database).await];
    let both_hold_a_lock = Barrier::new(2);
    let attempts = AtomicU32::new(0);

    let lock_both = async |first, second| -> Result<()> {
        database
            .pool
            .transaction(async |tx| {
                tx.batch_execute("SET LOCAL deadlock_timeout = '10ms'").await?;
                let is_first_attempt = attempts.fetch_add(1, Ordering::Relaxed) < 2;
                tx.users().lock(first).await?;
                if is_first_attempt {
                    both_hold_a_lock.wait().await;
                }
                tx.users().lock(second).await?;
                insert_user(tx, &format!("friend_of_{first}")).await?;
                Ok(())
            })
            .await
    };
    let (first, second) = join(lock_both(ana, ben), lock_both(ben, ana)).await;

    first.unwrap();
    second.unwrap();
    assert_eq!(attempts.into_inner(), 3);
    let friends = usernames(&database).await.into_iter().filter(|name| name.starts_with("friend"));
    assert_eq!(friends.count(), 2);
}

#[tokio::test]
async fn a_transaction_with_a_serialization_failure_is_retried() {
    let database = TestDatabase::create().await;
    let ana = create_user(&database).await;
    let change = format!("UPDATE users SET followers_count = followers_count + 1 WHERE id = {ana}");
    let attempts = AtomicU32::new(0);

    let result: Result<()> = database
        .pool
        .transaction(async |tx| {
            tx.batch_execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ").await?;
            tx.users().find(ana).await?;
            if attempts.fetch_add(1, Ordering::Relaxed) == 0 {
                database.execute(&change).await;
            }
            Ok(tx.batch_execute(&change).await?)
        })
        .await;

    result.unwrap();
    assert_eq!(attempts.into_inner(), 2);
    let count = "SELECT followers_count::text AS line FROM users";
    assert_eq!(lines(&mut database.connect().await, count).await, ["2"]);
}

#[tokio::test]
async fn a_transaction_that_always_conflicts_fails_after_three_attempts() {
    let database = TestDatabase::create().await;
    let attempts = AtomicU32::new(0);

    let result: Result<()> = database
        .pool
        .transaction(async |tx| {
            attempts.fetch_add(1, Ordering::Relaxed);
            insert_user(tx, "ana").await?;
            Ok(tx.batch_execute(CONFLICT).await?)
        })
        .await;

    assert!(matches!(result, Err(StorageError::Conflict(_))), "{result:?}");
    assert_eq!(attempts.into_inner(), 3);
    assert_eq!(usernames(&database).await, [""; 0]);
}

/// Neither type says what happened: the connection knows.
#[tokio::test]
async fn a_conflict_is_retried_with_any_type_of_error() {
    let database = TestDatabase::create().await;
    let attempts = AtomicU32::new(0);

    let boxed: Result<(), Box<dyn Error + Send + Sync>> = database
        .pool
        .transaction(async |tx| {
            insert_user(tx, "ana").await?;
            if attempts.fetch_add(1, Ordering::Relaxed) == 0 {
                // As an error of Diesel, which is not converted.
                tx.batch_execute(CONFLICT).await?;
            }
            Ok(())
        })
        .await;
    let with_anyhow: anyhow::Result<()> = database
        .pool
        .transaction(async |tx| {
            insert_user(tx, "ben").await.context("Ben cannot register")?;
            if attempts.fetch_add(1, Ordering::Relaxed) == 2 {
                tx.batch_execute(CONFLICT).await.context("he was too slow")?;
            }
            Ok(())
        })
        .await;

    boxed.unwrap();
    with_anyhow.unwrap();
    assert_eq!(attempts.into_inner(), 4);
    assert_eq!(usernames(&database).await, ["ana", "ben"]);
}

#[tokio::test]
async fn an_error_of_ones_own_is_returned_as_it_is_after_one_attempt() {
    let database = TestDatabase::create().await;
    let attempts = AtomicU32::new(0);

    let result: anyhow::Result<()> = database
        .pool
        .transaction(async |tx| {
            attempts.fetch_add(1, Ordering::Relaxed);
            insert_user(tx, "ana").await?;
            insert_user(tx, "ana").await?;
            Ok(())
        })
        .await;

    let error = result.unwrap_err();
    let storage = error.downcast_ref::<StorageError>();
    assert!(matches!(storage, Some(StorageError::UniqueViolation { .. })), "{error:?}");
    assert_eq!(attempts.into_inner(), 1);
    assert_eq!(usernames(&database).await, [""; 0]);
}

/// The savepoint ends the conflict, and the transaction is committed.
#[tokio::test]
async fn a_conflict_of_an_earlier_transaction_does_not_count() {
    let database = TestDatabase::create().await;
    let pool = database.pool_with(one_connection);
    let attempts = AtomicU32::new(0);
    let survived: Result<()> = pool
        .transaction(async |tx| {
            let lost = tx.transaction(async |inner| inner.batch_execute(CONFLICT).await).await;
            assert!(lost.is_err());
            Ok(())
        })
        .await;
    survived.unwrap();

    let result: Result<(), CustomError> = pool
        .transaction(async |_| {
            attempts.fetch_add(1, Ordering::Relaxed);
            Err(CustomError::Aborted)
        })
        .await;

    assert!(matches!(result, Err(CustomError::Aborted)));
    assert_eq!(attempts.into_inner(), 1);
}

#[tokio::test]
async fn a_permanent_error_is_not_retried() {
    let database = TestDatabase::create().await;
    let attempts = AtomicU32::new(0);

    let result: Result<()> = database
        .pool
        .transaction(async |tx| {
            attempts.fetch_add(1, Ordering::Relaxed);
            insert_user(tx, "ana").await?;
            insert_user(tx, "ana").await?;
            Ok(())
        })
        .await;

    assert!(
        matches!(&result, Err(StorageError::UniqueViolation { constraint }) if constraint == Users::EMAIL_KEY),
        "{result:?}"
    );
    assert_eq!(attempts.into_inner(), 1);
}

#[tokio::test]
async fn a_dropped_transaction_is_rolled_back_at_once_and_its_connection_is_not_reused() {
    let database = TestDatabase::create().await;
    // PostgreSQL does not end the idle transaction during the test.
    let pool = database.pool_with(|config| one_connection(config).with_statement_timeout(TIMEOUT));
    let first = backend_pid(&pool).await;
    let started = Notify::new();

    let work = pool.transaction(async |tx| -> Result<()> {
        insert_user(tx, "ana").await?;
        started.notify_one();
        pending().await
    });
    tokio::select! {
        result = work => panic!("{result:?}"),
        () = started.notified() => (),
    }

    // Its locks are released while its connection is in the pool: the username is free once PostgreSQL has noticed that the
    // connection is closed.
    timeout(TIMEOUT / 4, database.pool.transaction(async |tx| insert_user(tx, "ana").await))
        .await
        .unwrap()
        .unwrap();
    assert_ne!(backend_pid(&pool).await, first);
    assert_eq!(usernames(&database).await, ["ana"]);
}

/// Drops the transaction after one poll, after two, and so on, until one completes.
#[tokio::test]
async fn a_transaction_dropped_at_any_point_leaves_no_connection_in_a_transaction() {
    let database = TestDatabase::create().await;
    let pool = database.pool_with(one_connection);
    let mut polls = 0;

    loop {
        let finished =
            poll_at_most(polls, pool.transaction(async |tx| insert_user(tx, "ana").await)).await;

        assert!(is_outside_any_transaction(&pool).await, "dropped after {polls} polls");
        if let Some(result) = finished {
            // The `COMMIT` of the previous, dropped transaction may have succeeded.
            let is_committed = matches!(result, Ok(_) | Err(StorageError::UniqueViolation { .. }));
            assert!(is_committed, "{result:?}");
            break;
        }
        polls += 1;
    }
    // Connecting, BEGIN, INSERT and COMMIT each wait for a response.
    assert!(3 < polls, "{polls}");
    assert_eq!(usernames(&database).await, ["ana"]);
}

#[tokio::test]
async fn a_panicking_transaction_is_rolled_back() {
    let database = TestDatabase::create().await;
    let pool = database.pool_with(one_connection);

    let task = tokio::spawn({
        let pool = pool.clone();
        async move {
            pool.transaction(async |tx| -> Result<()> {
                insert_user(tx, "ana").await?;
                panic!("intended");
            })
            .await
        }
    });

    assert!(task.await.unwrap_err().is_panic());
    assert!(is_outside_any_transaction(&pool).await);
    assert_eq!(usernames(&database).await, [""; 0]);
}

#[tokio::test]
async fn an_exhausted_pool_is_unavailable_until_a_connection_is_returned() {
    let database = TestDatabase::create().await;
    let pool = database.pool_with(|config| {
        one_connection(config).with_acquire_timeout(Duration::from_millis(100))
    });
    let held = pool.acquire().await.unwrap();

    let error = pool.acquire().await.err();
    assert!(matches!(error, Some(StorageError::Unavailable(_))), "{error:?}");

    drop(held);
    assert!(pool.acquire().await.is_ok());
}

#[tokio::test]
async fn a_statement_over_the_timeout_is_cancelled_and_its_connection_stays_usable() {
    let database = TestDatabase::create().await;
    let pool = database.pool_with(|config| {
        one_connection(config).with_statement_timeout(Duration::from_millis(50))
    });
    let mut conn = pool.acquire().await.unwrap();

    let cancelled = conn.batch_execute("SELECT pg_sleep(60)").await.map_err(StorageError::from);

    assert!(matches!(cancelled, Err(StorageError::Unavailable(_))), "{cancelled:?}");
    assert_eq!(lines(&mut conn, "SELECT 'still here' AS line").await, ["still here"]);
}

#[tokio::test]
async fn waiting_too_long_for_a_row_lock_is_reported_as_unavailable() {
    let database = TestDatabase::create().await;
    let ana = create_user(&database).await;
    let pool =
        database.pool_with(|config| config.with_statement_timeout(Duration::from_millis(50)));
    let mut holder = database.connect().await;
    holder
        .batch_execute(&format!("BEGIN; SELECT FROM users WHERE id = {ana} FOR UPDATE"))
        .await
        .unwrap();

    let waited: Result<bool> = pool.transaction(async |tx| tx.users().lock(ana).await).await;

    assert!(matches!(waited, Err(StorageError::Unavailable(_))), "{waited:?}");
}

#[tokio::test]
async fn a_transaction_idle_for_too_long_is_aborted() {
    let database = TestDatabase::create().await;
    let pool =
        database.pool_with(|config| config.with_statement_timeout(Duration::from_millis(200)));

    let result: Result<()> = pool
        .transaction(async |tx| {
            insert_user(tx, "ana").await?;
            let own = lines(tx, "SELECT pg_backend_pid()::text AS line").await.remove(0);
            wait_until_gone(&database, &own).await;
            Ok(())
        })
        .await;

    assert!(matches!(result, Err(StorageError::Unavailable(_))), "{result:?}");
    assert_eq!(usernames(&database).await, [""; 0]);
    assert!(is_outside_any_transaction(&pool).await);
}

#[tokio::test]
async fn a_missing_server_is_reported_as_unavailable_at_once() {
    let pool =
        Database::connect_lazily(DatabaseConfig::new("postgresql://ana@%2Fnowhere/grateful"));

    let result: Result<()> =
        timeout(TIMEOUT, pool.transaction(async |_| Ok(()))).await.expect("no endless wait");

    assert!(matches!(result, Err(StorageError::Unavailable(_))), "{result:?}");
}

#[tokio::test]
async fn a_server_that_does_not_respond_is_reported_as_unavailable() {
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = silent.local_addr().unwrap().port();
    let pool = Database::connect_lazily(DatabaseConfig::new(format!(
        "postgresql://ana@127.0.0.1:{port}/grateful"
    )));

    let waited = timeout(Duration::from_secs(30), pool.acquire()).await;

    let error = waited.expect("a response within about a second, on an idle machine").err();
    assert!(matches!(error, Some(StorageError::Unavailable(_))), "{error:?}");
}

#[tokio::test]
async fn a_connection_lost_during_a_transaction_is_reported_as_unavailable() {
    let database = TestDatabase::create().await;
    let pool = database.pool_with(one_connection);

    let result: Result<()> = pool
        .transaction(async |tx| {
            insert_user(tx, "ana").await?;
            let own = lines(tx, "SELECT pg_backend_pid()::text AS line").await.remove(0);
            terminate(&database, &own).await;
            insert_user(tx, "ben").await?;
            Ok(())
        })
        .await;

    assert!(matches!(result, Err(StorageError::Unavailable(_))), "{result:?}");
    assert_eq!(usernames(&database).await, [""; 0]);
    pool.transaction(async |tx| insert_user(tx, "ana").await).await.unwrap();
}

#[tokio::test]
async fn a_dead_connection_in_the_pool_is_replaced() {
    let database = TestDatabase::create().await;
    let pool = database.pool_with(one_connection);
    let first = backend_pid(&pool).await;

    terminate(&database, &first).await;

    assert_ne!(backend_pid(&pool).await, first);
}

/// `tokio::spawn` and many web frameworks require `Send`. The test is that this compiles.
#[tokio::test]
async fn transactions_with_borrowed_data_can_be_spawned() {
    fn assert_send<F: Future + Send>(work: F) -> F {
        work
    }
    async fn add_by_reference(pool: &Database, name: &str) -> Result<User> {
        pool.transaction(async |tx| insert_user(tx, name).await).await
    }
    let database = TestDatabase::create().await;
    let pool = database.pool.clone();

    let spawned = tokio::spawn(assert_send(async move {
        let name = String::from("ana");
        add_by_reference(&pool, &name).await
    }));

    assert_eq!(spawned.await.unwrap().unwrap().username.as_str(), "ana");
}

/// An error type of an embedder.
#[derive(Debug)]
enum CustomError {
    Aborted,
    Storage(#[expect(dead_code, reason = "`Debug` prints it")] StorageError),
}

impl From<StorageError> for CustomError {
    fn from(error: StorageError) -> Self {
        Self::Storage(error)
    }
}

/// Fails as a statement that lost against another transaction.
const CONFLICT: &str = "DO $$ BEGIN RAISE serialization_failure; END $$";

fn one_connection(config: DatabaseConfig) -> DatabaseConfig {
    config.with_max_connections(1)
}

async fn insert_user(conn: &mut Connection, name: &str) -> Result<User> {
    let new = NewUser {
        username: Username::parse(name).unwrap(),
        email: Email::parse(&format!("{name}@example.org")).unwrap(),
        password: PasswordHash::from(String::new()),
        created_at: NOON,
    };
    conn.users().insert(&new).await
}

async fn usernames(database: &TestDatabase) -> Vec<String> {
    lines(&mut database.connect().await, "SELECT username AS line FROM users ORDER BY id").await
}

/// The process id of the PostgreSQL back end of the next connection from this pool.
async fn backend_pid(pool: &Database) -> String {
    let mut conn = pool.acquire().await.unwrap();
    lines(&mut conn, "SELECT pg_backend_pid()::text AS line").await.remove(0)
}

/// PostgreSQL accepts a savepoint only in a transaction.
async fn is_outside_any_transaction(pool: &Database) -> bool {
    let refused = pool.acquire().await.unwrap().batch_execute("SAVEPOINT here").await.unwrap_err();
    refused.to_string() == "SAVEPOINT can only be used in transaction blocks"
}

async fn terminate(database: &TestDatabase, backend_pid: &str) {
    database.execute(&format!("SELECT pg_terminate_backend({backend_pid})")).await;
    wait_until_gone(database, backend_pid).await;
}

async fn wait_until_gone(database: &TestDatabase, backend_pid: &str) {
    let mut conn = database.connect().await;
    let sql = format!("SELECT pid::text AS line FROM pg_stat_activity WHERE pid = {backend_pid}");
    let gone = async { while !lines(&mut conn, &sql).await.is_empty() {} };
    timeout(TIMEOUT, gone).await.expect("PostgreSQL ends the process");
}

/// Polls the future whenever it is woken, at most this many times, then drops it.
async fn poll_at_most<F: Future>(times: u32, work: F) -> Option<F::Output> {
    let mut work = pin!(work);
    let mut remaining = times;
    poll_fn(|context| {
        let Some(rest) = remaining.checked_sub(1) else { return Poll::Ready(None) };
        remaining = rest;
        match work.as_mut().poll(context) {
            Poll::Pending if remaining == 0 => Poll::Ready(None),
            polled => polled.map(Some),
        }
    })
    .await
}
