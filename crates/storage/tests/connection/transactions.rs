//! What holds of a [`Database`] when work fails, collides, is cut short, or the database goes away.

use std::future::{Future, pending, poll_fn};
use std::pin::pin;
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::Poll;
use std::time::Duration;

use diesel_async::{AsyncConnection, SimpleAsyncConnection};
use futures_util::future::join;
use grateful_domain::{Email, PasswordHash, User, Username};
use grateful_storage::{
    Connection, Database, DatabaseConfig, NewUser, Repositories, Result, StorageError, Transient,
    Users,
};
use grateful_testkit::{NOON, TestDatabase, create_user};
use tokio::net::TcpListener;
use tokio::sync::{Barrier, Notify};
use tokio::time::timeout;

use crate::support::sql::lines;

/// Far more than anything here takes that does not hang.
const SOON: Duration = Duration::from_secs(20);

#[tokio::test]
async fn work_that_succeeds_is_kept() {
    let database = TestDatabase::create().await;

    let ana = database.pool.transaction(async |tx| add(tx, "ana").await).await.unwrap();

    assert_eq!(database.connect().await.users().find(ana.id).await.unwrap(), Some(ana));
}

#[tokio::test]
async fn work_that_fails_leaves_nothing_behind_and_says_why() {
    let database = TestDatabase::create().await;

    let outcome: Result<(), Refusal> = database
        .pool
        .transaction(async |tx| {
            add(tx, "ana").await?;
            Err(Refusal::ChangedMyMind)
        })
        .await;

    assert!(matches!(outcome, Err(Refusal::ChangedMyMind)));
    assert_eq!(names(&database).await, [""; 0]);
}

#[tokio::test]
async fn work_that_passes_over_a_refused_statement_gets_no_further() {
    let database = TestDatabase::create().await;

    let outcome: Result<()> = database
        .pool
        .transaction(async |tx| {
            add(tx, "ana").await?;
            assert!(add(tx, "ana").await.is_err());
            add(tx, "ben").await?;
            Ok(())
        })
        .await;

    assert!(matches!(outcome, Err(StorageError::Query(_))), "{outcome:?}");
    assert_eq!(names(&database).await, [""; 0]);
}

#[tokio::test]
async fn work_that_takes_a_refused_statement_back_may_go_on() {
    let database = TestDatabase::create().await;

    let outcome: Result<()> = database
        .pool
        .transaction(async |tx| {
            add(tx, "ana").await?;
            let twice = tx.transaction(async |savepoint| add(savepoint, "ana").await).await;
            assert!(twice.is_err());
            Ok(())
        })
        .await;

    outcome.unwrap();
    assert_eq!(names(&database).await, ["ana"]);
}

/// The parent of a notification is looked for at `COMMIT`.
#[tokio::test]
async fn a_constraint_that_is_checked_at_the_end_refuses_by_its_name() {
    let database = TestDatabase::create().await;
    let db = database.pool_with(one_connection);
    let ana = create_user(&database).await;
    let orphan = format!(
        "INSERT INTO notifications (id, user_id, type, title, message, parent_id)
         VALUES (gen_random_uuid(), {ana}, 'like', '', '', gen_random_uuid())"
    );

    let outcome: Result<()> = db.transaction(async |tx| Ok(tx.batch_execute(&orphan).await?)).await;

    assert!(
        matches!(&outcome, Err(StorageError::Missing { constraint }) if constraint == "fk_notifications_parent"),
        "{outcome:?}"
    );
    assert!(is_outside_any_transaction(&db).await);
}

#[tokio::test]
async fn two_that_wait_for_each_other_both_succeed() {
    let database = TestDatabase::create().await;
    let [ana, ben] = [create_user(&database).await, create_user(&database).await];
    let both_hold_one = Barrier::new(2);
    let attempts = AtomicU32::new(0);

    let lock_both = async |first, second| -> Result<()> {
        database
            .pool
            .transaction(async |tx| {
                tx.batch_execute("SET LOCAL deadlock_timeout = '10ms'").await?;
                let is_first_attempt = attempts.fetch_add(1, Ordering::Relaxed) < 2;
                tx.users().lock(first).await?;
                if is_first_attempt {
                    both_hold_one.wait().await;
                }
                tx.users().lock(second).await?;
                add(tx, &format!("friend_of_{first}")).await?;
                Ok(())
            })
            .await
    };
    let (forth, back) = join(lock_both(ana, ben), lock_both(ben, ana)).await;

    forth.unwrap();
    back.unwrap();
    assert_eq!(attempts.into_inner(), 3);
    let friends = names(&database).await.into_iter().filter(|name| name.starts_with("friend"));
    assert_eq!(friends.count(), 2);
}

#[tokio::test]
async fn work_that_read_what_changed_meanwhile_is_done_again() {
    let database = TestDatabase::create().await;
    let ana = create_user(&database).await;
    let change = format!("UPDATE users SET followers_count = followers_count + 1 WHERE id = {ana}");
    let attempts = AtomicU32::new(0);

    let outcome: Result<()> = database
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

    outcome.unwrap();
    assert_eq!(attempts.into_inner(), 2);
    let count = "SELECT followers_count::text AS line FROM users";
    assert_eq!(lines(&mut database.connect().await, count).await, ["2"]);
}

#[tokio::test]
async fn work_that_always_collides_is_given_up_after_three_attempts() {
    let database = TestDatabase::create().await;
    let attempts = AtomicU32::new(0);

    let outcome: Result<()> = database
        .pool
        .transaction(async |tx| {
            attempts.fetch_add(1, Ordering::Relaxed);
            add(tx, "ana").await?;
            Err(StorageError::Conflict("again".into()))
        })
        .await;

    assert!(matches!(outcome, Err(StorageError::Conflict(_))), "{outcome:?}");
    assert_eq!(attempts.into_inner(), 3);
    assert_eq!(names(&database).await, [""; 0]);
}

#[tokio::test]
async fn a_failure_that_would_come_again_is_not_tried_again() {
    let database = TestDatabase::create().await;
    let attempts = AtomicU32::new(0);

    let outcome: Result<()> = database
        .pool
        .transaction(async |tx| {
            attempts.fetch_add(1, Ordering::Relaxed);
            add(tx, "ana").await?;
            add(tx, "ana").await?;
            Ok(())
        })
        .await;

    assert!(
        matches!(&outcome, Err(StorageError::Taken { constraint }) if constraint == Users::EMAIL_KEY),
        "{outcome:?}"
    );
    assert_eq!(attempts.into_inner(), 1);
}

#[tokio::test]
async fn work_dropped_in_the_middle_leaves_nothing_behind_and_its_connection_never_returns() {
    let database = TestDatabase::create().await;
    let db = database.pool_with(one_connection);
    let first = backend(&db).await;
    let begun = Notify::new();

    let work = db.transaction(async |tx| -> Result<()> {
        add(tx, "ana").await?;
        begun.notify_one();
        pending().await
    });
    tokio::select! {
        outcome = work => panic!("{outcome:?}"),
        () = begun.notified() => (),
    }

    assert_ne!(backend(&db).await, first);
    assert_eq!(names(&database).await, [""; 0]);
    // Nor does it hold what it took: the name is free as soon as PostgreSQL has noticed.
    timeout(SOON, db.transaction(async |tx| add(tx, "ana").await)).await.unwrap().unwrap();
}

/// Dropped after one poll, after two, and so on, until one gets through.
#[tokio::test]
async fn wherever_work_is_cut_short_the_next_connection_is_in_no_transaction() {
    let database = TestDatabase::create().await;
    let db = database.pool_with(one_connection);
    let mut cuts = 0;

    loop {
        let finished = poll_at_most(cuts, db.transaction(async |tx| add(tx, "ana").await)).await;

        assert!(is_outside_any_transaction(&db).await, "cut after {cuts} polls");
        if let Some(outcome) = finished {
            // `COMMIT` may have been on its way when the one before was cut.
            let is_there = matches!(outcome, Ok(_) | Err(StorageError::Taken { .. }));
            assert!(is_there, "{outcome:?}");
            break;
        }
        cuts += 1;
    }
    // To connect, BEGIN, INSERT and COMMIT are an answer each to wait for.
    assert!(3 < cuts, "{cuts}");
    assert_eq!(names(&database).await, ["ana"]);
}

#[tokio::test]
async fn work_that_panics_leaves_nothing_behind() {
    let database = TestDatabase::create().await;
    let db = database.pool_with(one_connection);

    let task = tokio::spawn({
        let db = db.clone();
        async move {
            db.transaction(async |tx| -> Result<()> {
                add(tx, "ana").await?;
                panic!("as this test wants it");
            })
            .await
        }
    });

    assert!(task.await.unwrap_err().is_panic());
    assert!(is_outside_any_transaction(&db).await);
    assert_eq!(names(&database).await, [""; 0]);
}

#[tokio::test]
async fn while_all_connections_are_held_the_database_is_unavailable_and_then_available_again() {
    let database = TestDatabase::create().await;
    let db = database.pool_with(one_connection);
    let held = db.acquire().await.unwrap();

    let waited = timeout(Duration::from_secs(2), db.acquire()).await;
    let in_vain = waited.expect("an answer within about a second").err();
    assert!(matches!(in_vain, Some(StorageError::Unavailable(_))), "{in_vain:?}");

    drop(held);
    assert!(db.acquire().await.is_ok());
}

#[tokio::test]
async fn a_statement_that_takes_too_long_is_cancelled_and_its_connection_goes_on() {
    let database = TestDatabase::create().await;
    let db = database.pool_with(|config| {
        one_connection(config).with_statement_timeout(Duration::from_millis(50))
    });
    let mut conn = db.acquire().await.unwrap();

    let cancelled = conn.batch_execute("SELECT pg_sleep(60)").await.map_err(StorageError::from);

    assert!(matches!(cancelled, Err(StorageError::Unavailable(_))), "{cancelled:?}");
    assert_eq!(lines(&mut conn, "SELECT 'still here' AS line").await, ["still here"]);
}

#[tokio::test]
async fn who_waits_too_long_for_a_row_is_told_that_it_is_unavailable() {
    let database = TestDatabase::create().await;
    let ana = create_user(&database).await;
    let db = database.pool_with(|config| config.with_statement_timeout(Duration::from_millis(50)));
    let mut holder = database.connect().await;
    holder
        .batch_execute(&format!("BEGIN; SELECT FROM users WHERE id = {ana} FOR UPDATE"))
        .await
        .unwrap();

    let waited: Result<bool> = db.transaction(async |tx| tx.users().lock(ana).await).await;

    assert!(matches!(waited, Err(StorageError::Unavailable(_))), "{waited:?}");
}

#[tokio::test]
async fn work_that_idles_too_long_in_its_transaction_is_thrown_out() {
    let database = TestDatabase::create().await;
    let db = database.pool_with(|config| config.with_statement_timeout(Duration::from_millis(200)));

    let outcome: Result<()> = db
        .transaction(async |tx| {
            add(tx, "ana").await?;
            let own = lines(tx, "SELECT pg_backend_pid()::text AS line").await.remove(0);
            until_gone(&database, &own).await;
            Ok(())
        })
        .await;

    assert!(matches!(outcome, Err(StorageError::Unavailable(_))), "{outcome:?}");
    assert_eq!(names(&database).await, [""; 0]);
    assert!(is_outside_any_transaction(&db).await);
}

#[tokio::test]
async fn without_a_server_the_database_is_unavailable_at_once() {
    let db = Database::connect_lazily(DatabaseConfig::new("postgresql://ana@%2Fnowhere/grateful"));

    let outcome: Result<()> =
        timeout(SOON, db.transaction(async |_| Ok(()))).await.expect("no endless wait");

    assert!(matches!(outcome, Err(StorageError::Unavailable(_))), "{outcome:?}");
}

#[tokio::test]
async fn a_server_that_never_answers_is_unavailable() {
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = silent.local_addr().unwrap().port();
    let db = Database::connect_lazily(DatabaseConfig::new(format!(
        "postgresql://ana@127.0.0.1:{port}/grateful"
    )));

    let waited = timeout(Duration::from_secs(2), db.acquire()).await;

    let in_vain = waited.expect("an answer within about a second").err();
    assert!(matches!(in_vain, Some(StorageError::Unavailable(_))), "{in_vain:?}");
}

#[tokio::test]
async fn work_is_told_when_postgresql_goes_away_under_it() {
    let database = TestDatabase::create().await;
    let db = database.pool_with(one_connection);

    let outcome: Result<()> = db
        .transaction(async |tx| {
            add(tx, "ana").await?;
            let own = lines(tx, "SELECT pg_backend_pid()::text AS line").await.remove(0);
            terminate(&database, &own).await;
            add(tx, "ben").await?;
            Ok(())
        })
        .await;

    assert!(matches!(outcome, Err(StorageError::Unavailable(_))), "{outcome:?}");
    assert_eq!(names(&database).await, [""; 0]);
    db.transaction(async |tx| add(tx, "ana").await).await.unwrap();
}

#[tokio::test]
async fn a_connection_that_died_in_the_pool_is_replaced() {
    let database = TestDatabase::create().await;
    let db = database.pool_with(one_connection);
    let first = backend(&db).await;

    terminate(&database, &first).await;

    assert_ne!(backend(&db).await, first);
}

/// Axum's handlers and `tokio::spawn` want it. That this compiles is the test.
#[tokio::test]
async fn transactions_can_be_spawned_whatever_they_borrow() {
    fn assert_send<F: Future + Send>(work: F) -> F {
        work
    }
    async fn add_by_reference(db: &Database, name: &str) -> Result<User> {
        db.transaction(async |tx| add(tx, name).await).await
    }
    let database = TestDatabase::create().await;
    let db = database.pool.clone();

    let spawned = tokio::spawn(assert_send(async move {
        let name = String::from("ana");
        add_by_reference(&db, &name).await
    }));

    assert_eq!(spawned.await.unwrap().unwrap().username.as_str(), "ana");
}

/// An error of somebody who embeds this crate.
#[derive(Debug)]
enum Refusal {
    ChangedMyMind,
    Storage(StorageError),
}

impl From<StorageError> for Refusal {
    fn from(error: StorageError) -> Self {
        Self::Storage(error)
    }
}

impl Transient for Refusal {
    fn is_transient(&self) -> bool {
        matches!(self, Self::Storage(error) if error.is_transient())
    }
}

fn one_connection(config: DatabaseConfig) -> DatabaseConfig {
    config.with_max_connections(1)
}

async fn add(conn: &mut Connection, name: &str) -> Result<User> {
    let new = NewUser {
        username: Username::parse(name).unwrap(),
        email: Email::parse(&format!("{name}@example.org")).unwrap(),
        password: PasswordHash::from(String::new()),
        created_at: NOON,
    };
    conn.users().insert(&new).await
}

async fn names(database: &TestDatabase) -> Vec<String> {
    lines(&mut database.connect().await, "SELECT username AS line FROM users ORDER BY id").await
}

/// Which process of PostgreSQL serves the next connection of this pool.
async fn backend(db: &Database) -> String {
    let mut conn = db.acquire().await.unwrap();
    lines(&mut conn, "SELECT pg_backend_pid()::text AS line").await.remove(0)
}

/// PostgreSQL allows a savepoint inside one alone.
async fn is_outside_any_transaction(db: &Database) -> bool {
    let refused = db.acquire().await.unwrap().batch_execute("SAVEPOINT here").await.unwrap_err();
    refused.to_string() == "SAVEPOINT can only be used in transaction blocks"
}

async fn terminate(database: &TestDatabase, backend: &str) {
    database.execute(&format!("SELECT pg_terminate_backend({backend})")).await;
    until_gone(database, backend).await;
}

async fn until_gone(database: &TestDatabase, backend: &str) {
    let mut conn = database.connect().await;
    let sql = format!("SELECT pid::text AS line FROM pg_stat_activity WHERE pid = {backend}");
    let gone = async { while !lines(&mut conn, &sql).await.is_empty() {} };
    timeout(SOON, gone).await.expect("PostgreSQL ends the process");
}

/// Polls so often, whenever there is something new, and then drops it.
async fn poll_at_most<F: Future>(times: u32, work: F) -> Option<F::Output> {
    let mut work = pin!(work);
    let mut left = times;
    poll_fn(|cx| {
        let Some(rest) = left.checked_sub(1) else { return Poll::Ready(None) };
        left = rest;
        match work.as_mut().poll(cx) {
            Poll::Pending if left == 0 => Poll::Ready(None),
            polled => polled.map(Some),
        }
    })
    .await
}
