//! A database that has fallen silent: connections that are open, and on which nothing arrives any more.

use std::time::{Duration, Instant};

use diesel_async::SimpleAsyncConnection;
use futures_util::future::join_all;
use grateful_domain::UserId;
use grateful_storage::{Connection, Database, DatabaseConfig, Repositories, Result, StorageError};
use grateful_test_database::{MetricsCapture, Proxy, TestDatabase, create_user};

const STATEMENT_TIMEOUT: Duration = Duration::from_millis(300);

/// When each wait ends at the latest: a second after the statement timeout, and some more on a busy machine.
const LIMIT: Duration = Duration::from_secs(3);

#[tokio::test]
async fn a_statement_on_a_frozen_connection_ends_and_idle_connections_are_replaced() {
    let (database, proxy, pool) = proxied().await;
    let metrics = MetricsCapture::start();
    let mut connections = join_all((0..4).map(|_| pool.acquire())).await;
    for connection in &mut connections {
        // Nothing that their opening has sent is unanswered any more.
        connection.as_mut().unwrap().batch_execute("SELECT 1").await.unwrap();
    }
    drop(connections);

    proxy.freeze_open_connections();
    let (first, took) = timed(execute(&pool, "SELECT 1")).await;

    assert!(matches!(first, Err(StorageError::Unavailable(_))), "{first:?}");
    assert!(took < LIMIT, "{took:?}");
    assert_eq!(metrics.take()["grateful_connections_silent_total{pool=main}"], 1);
    for _ in 0..4 {
        let (next, took) = timed(execute(&pool, "SELECT 1")).await;
        assert!(next.is_ok(), "{next:?}");
        assert!(took < STATEMENT_TIMEOUT, "it waited for a frozen connection: {took:?}");
    }
    drop(database);
}

#[tokio::test]
async fn a_commit_on_a_frozen_connection_ends_and_is_not_repeated() {
    let (database, proxy, pool) = proxied().await;
    let runs = std::sync::atomic::AtomicUsize::new(0);

    let (committed, took) = timed(pool.transaction(async |tx: &mut Connection| {
        runs.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        tx.batch_execute("SELECT 1").await?;
        proxy.freeze_open_connections();
        Ok::<_, StorageError>(())
    }))
    .await;

    assert!(matches!(committed, Err(StorageError::Unavailable(_))), "{committed:?}");
    assert!(took < LIMIT, "{took:?}");
    assert_eq!(runs.into_inner(), 1);
    drop(database);
}

#[tokio::test]
async fn reads_on_frozen_connections_are_answered_by_another_one() {
    let (database, proxy, pool) = proxied().await;
    let ana = create_user(&database).await;
    assert!(find_user(&pool, ana).await.unwrap());

    proxy.freeze_open_connections();
    let (found, took) = timed(join_all((0..20).map(|_| find_user(&pool, ana)))).await;

    assert!(found.into_iter().all(|found| found.unwrap()));
    assert!(took < LIMIT, "{took:?}");
    let (found, took) = timed(find_user(&pool, ana)).await;
    assert!(found.unwrap());
    assert!(took < STATEMENT_TIMEOUT, "{took:?}");
}

#[tokio::test]
async fn a_silence_on_one_kind_of_connection_warns_the_other() {
    let (database, proxy, pool) = proxied().await;
    let ana = create_user(&database).await;
    assert!(find_user(&pool, ana).await.unwrap());
    execute(&pool, "SELECT 1").await.unwrap();

    proxy.freeze_open_connections();
    assert!(find_user(&pool, ana).await.unwrap());
    let (written, took) = timed(execute(&pool, "SELECT 1")).await;

    assert!(written.is_ok(), "{written:?}");
    assert!(took < STATEMENT_TIMEOUT, "it waited for a frozen connection: {took:?}");
}

#[tokio::test]
async fn a_database_that_accepts_connections_and_never_answers_is_unavailable_in_time() {
    let (database, proxy, pool) = proxied().await;
    let ana = create_user(&database).await;

    proxy.freeze();
    let (acquired, took) = timed(pool.acquire()).await;
    let (found, read_took) = timed(find_user(&pool, ana)).await;

    let Err(StorageError::Unavailable(error)) = acquired else { panic!("{acquired:?}") };
    assert!(error.to_string().contains("has not answered within 800ms"), "{error}");
    assert!(took < Duration::from_millis(1_800), "{took:?}");
    assert!(matches!(found, Err(StorageError::Unavailable(_))), "{found:?}");
    assert!(read_took < LIMIT, "{read_took:?}");
}

#[tokio::test]
async fn after_a_refused_write_connections_are_opened_again() {
    let database = TestDatabase::create().await;
    let ana = create_user(&database).await;
    let pool = Database::connect_lazily(DatabaseConfig::new(database.url()));
    let read_only = |value: &str| {
        format!(
            "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET default_transaction_read_only = {value}',
             current_database()); END $$"
        )
    };
    // The role is that of the sessions, so those of before must end, as they do when a primary is demoted.
    database.execute(&read_only("on")).await;

    let written = execute(&pool, "DELETE FROM sessions").await;
    let found = find_user(&pool, ana).await;
    database.execute(&format!("BEGIN READ WRITE; {}; COMMIT", read_only("off"))).await;
    let written_after = execute(&pool, "DELETE FROM sessions").await;

    assert!(matches!(written, Err(StorageError::Unavailable(_))), "{written:?}");
    assert!(found.unwrap());
    assert!(written_after.is_ok(), "{written_after:?}");
}

/// A database behind a proxy, with a short statement timeout.
async fn proxied() -> (TestDatabase, Proxy, Database) {
    let database = TestDatabase::create().await;
    let proxy = Proxy::start(&database.url()).await;
    let config = DatabaseConfig::new(proxy.url()).with_statement_timeout(STATEMENT_TIMEOUT);
    (database, proxy, Database::connect_lazily(config))
}

async fn timed<T>(work: impl Future<Output = T>) -> (T, Duration) {
    let start = Instant::now();
    let result = work.await;
    (result, start.elapsed())
}

async fn execute(pool: &Database, sql: &str) -> Result<()> {
    Ok(pool.acquire().await?.batch_execute(sql).await?)
}

async fn find_user(pool: &Database, user: UserId) -> Result<bool> {
    pool.read(async |mut conn| Ok(conn.users().find(user).await?.is_some())).await
}
