//! Connections, pools and transactions of a service that embeds the crate.

use std::error::Error;
use std::time::Duration;

use diesel_async::{AsyncConnection, SimpleAsyncConnection};
use futures_util::future::join_all;
use grateful_domain::notification::{Act, Cause, Event, EventDetails};
use grateful_domain::{PostId, UserId};
use grateful_storage::{
    Connection, Database, DatabaseConfig, QueryLog, Repositories, Result, StorageError, configure,
    connect, migrate, migrate_on, pending_migrations, transaction_on,
};
use grateful_test_database::{MetricsCapture, NOON, TestDatabase, a_heart, a_post, create_user};
use tokio_postgres::NoTls;
use uuid::Uuid;

use crate::support::sql::lines;

#[tokio::test]
async fn a_client_of_tokio_postgres_gets_the_repositories_the_settings_and_the_monitor() {
    let database = TestDatabase::create().await;
    let ana = create_user(&database).await;
    let (client, driver) = tokio_postgres::connect(&database.url(), NoTls).await.unwrap();
    let driver = tokio::spawn(driver);

    let mut conn = Connection::try_from(client).await.unwrap();
    configure(&mut conn, &DatabaseConfig::new("")).await.unwrap();
    let (found, log) = QueryLog::record(conn.users().find(ana)).await;

    assert_eq!(found.unwrap().unwrap().id, ana);
    assert_eq!(log.total(), 1);
    let pool = Database::connect_lazily(DatabaseConfig::new(database.url()));
    assert_eq!(settings(&mut conn).await, settings(&mut pool.acquire().await.unwrap()).await);
    drop(conn);
    driver.await.unwrap().unwrap();
}

#[tokio::test]
async fn a_connection_for_a_pool_of_ones_own_knows_conflicts_in_any_language() {
    let database = TestDatabase::create().await;
    let mut opened = connect(&DatabaseConfig::new(database.url())).await.unwrap();
    let mut foreign = database.connect().await;
    let deadlock = |message: &str| {
        format!("DO $$ BEGIN RAISE deadlock_detected USING MESSAGE = '{message}'; END $$")
    };
    let fail = async |conn: &mut Connection, message: &str| {
        StorageError::from(conn.batch_execute(&deadlock(message)).await.unwrap_err()).is_transient()
    };

    assert!(fail(&mut opened, "Verklemmung").await);
    assert!(!fail(&mut foreign, "étreinte fatale").await, "as `is_transient` says");
    assert!(fail(&mut foreign, "deadlock detected").await);
}

#[tokio::test]
async fn an_address_without_a_server_is_unavailable() {
    let result = connect(&DatabaseConfig::new("postgresql://ana@%2Fnowhere/grateful")).await;

    assert!(matches!(result.err(), Some(StorageError::Unavailable(_))));
}

#[tokio::test]
async fn a_transaction_on_ones_own_connection_is_all_or_nothing_and_counts_at_its_commit() {
    let database = TestDatabase::create().await;
    let (ana, ben) = (create_user(&database).await, create_user(&database).await);
    let post = a_post().by(ana).insert_into(&database).await;
    let mut conn = database.connect().await;
    let metrics = MetricsCapture::start();
    let counted = "grateful_notifications_total";

    let failed: Result<(), Box<dyn Error + Send + Sync>> = transaction_on(&mut conn, async |tx| {
        add_heart(tx, ben, ana, post.id).await?;
        Err("the shop is closed".into())
    })
    .await;
    assert_eq!(failed.unwrap_err().to_string(), "the shop is closed");
    assert_eq!(database.count("likes").await, 0);
    assert!(metrics.take_named(&[counted]).is_empty());

    transaction_on(&mut conn, async |tx| add_heart(tx, ben, ana, post.id).await).await.unwrap();
    assert_eq!(database.count("likes").await, 1);
    assert_eq!(metrics.take_named(&[counted]).values().sum::<i64>(), 1);
}

#[tokio::test]
async fn a_transaction_within_a_transaction_is_refused_before_it_changes_anything() {
    let database = TestDatabase::create().await;
    let ana = create_user(&database).await;
    let mut conn = database.connect().await;

    let result: Result<()> = conn
        .transaction(async |tx| {
            let inner = transaction_on(tx, async |tx| tx.users().lock(ana).await).await;
            assert!(matches!(inner, Err(StorageError::Query(_))), "{inner:?}");
            assert!(matches!(migrate_on(tx).await, Err(StorageError::Query(_))));
            assert!(tx.users().lock(ana).await?, "the outer one goes on");
            Ok(())
        })
        .await;

    result.unwrap();
}

#[tokio::test]
async fn migrating_on_a_connection_keeps_its_settings() {
    let database = TestDatabase::create_empty().await;
    let config = DatabaseConfig::new(database.url()).with_statement_timeout(Duration::from_secs(7));
    let mut conn = connect(&config).await.unwrap();
    let before = settings(&mut conn).await;

    let applied = migrate_on(&mut conn).await.unwrap();

    assert!(40 < applied.len(), "{applied:?}");
    assert_eq!(settings(&mut conn).await, before);
    assert_eq!(migrate_on(&mut conn).await.unwrap(), [""; 0]);
    let locks = "pg_locks WHERE locktype = 'advisory' AND database =
        (SELECT oid FROM pg_database WHERE datname = current_database())";
    assert_eq!(database.count(locks).await, 0);
}

#[tokio::test]
async fn sessions_and_nodes_that_migrate_at_once_run_each_migration_once() {
    let database = TestDatabase::create_empty().await;
    let url = database.url();

    let on_connections = join_all((0..3).map(|_| async {
        let mut conn = Connection::establish(&url).await.unwrap();
        migrate_on(&mut conn).await.unwrap()
    }));
    let with_urls = join_all((0..3).map(|_| async { migrate(&url).await.unwrap() }));
    let (on_connections, with_urls) = tokio::join!(on_connections, with_urls);

    let mut applied: Vec<String> = on_connections.into_iter().chain(with_urls).flatten().collect();
    let total = applied.len();
    applied.dedup();
    assert_eq!((applied.len(), 40 < total), (total, true));
    assert_eq!(pending_migrations(&mut database.connect().await).await.unwrap(), [""; 0]);
}

/// Adds a heart as documented: users, then posts, then inboxes.
async fn add_heart(tx: &mut Connection, user: UserId, author: UserId, post: PostId) -> Result<()> {
    let heart = a_heart(user, post);
    tx.hearts().add(&[heart]).await?;
    let event = Event {
        cause: Cause { recipient: author, actor: user, act: Act::Heart { post } },
        details: EventDetails::default(),
        at: NOON,
        id: Uuid::from(heart.id).into(),
        batch_id: Uuid::from(heart.id).into(),
    };
    tx.notifications().record(&[event]).await?;
    Ok(())
}

async fn settings(conn: &mut Connection) -> Vec<String> {
    let settings = "SELECT name || ' ' || setting AS line FROM pg_settings
        WHERE name IN ('plan_cache_mode', 'jit', 'default_transaction_isolation', 'TimeZone',
            'max_parallel_workers_per_gather', 'statement_timeout', 'lock_timeout')
        ORDER BY name";
    lines(conn, settings).await
}
