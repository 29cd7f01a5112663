//! Several hosts in the URL of a database.

use std::time::{Duration, Instant};

use diesel_async::SimpleAsyncConnection;
use grateful_local_postgres::ReplicatedCluster;
use grateful_storage::{Database, DatabaseConfig, Result, StorageError, migrate, server_state};
use grateful_test_database::{Proxy, TestDatabase};

#[tokio::test]
async fn a_host_that_never_answers_does_not_delay_the_others() {
    let database = TestDatabase::create().await;
    let [frozen, working] =
        [Proxy::start(&database.url()).await, Proxy::start(&database.url()).await];
    frozen.freeze();
    let pool = pool(&url_of(&[&frozen, &working], &database));

    let start = Instant::now();
    for _ in 0..3 {
        execute(&pool, "SELECT 1").await.unwrap();
    }

    assert!(start.elapsed() < Duration::from_millis(700), "{:?}", start.elapsed());
    assert!(0 < frozen.accepted(), "the first host was tried too");
}

#[tokio::test]
async fn a_host_whose_first_connection_is_lost_gets_a_second_one() {
    let database = TestDatabase::create().await;
    let proxy = Proxy::start(&database.url()).await;
    proxy.freeze();
    let pool = pool(&proxy.url());

    let forward_after_first = async {
        while proxy.accepted() == 0 {
            tokio::task::yield_now().await;
        }
        proxy.forward_new_connections();
    };
    let (acquired, ()) = tokio::join!(pool.acquire(), forward_after_first);

    acquired.unwrap();
    assert_eq!(proxy.accepted(), 2);
}

#[tokio::test]
async fn what_is_wrong_with_each_host_is_said_in_one_line() {
    let database = TestDatabase::create().await;
    let refusing =
        tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let frozen = Proxy::start(&database.url()).await;
    frozen.freeze();
    let url = format!("postgresql://ana@{refusing},{}/x", frozen.address());

    let acquired = pool(&url).acquire().await;

    let Err(StorageError::Unavailable(error)) = acquired else { panic!("{acquired:?}") };
    let error = error.to_string();
    assert!(error.contains(&format!("{refusing}: Connection refused")), "{error}");
    assert!(error.contains("a host that has not answered within 800ms"), "{error}");
}

#[tokio::test]
async fn an_invalid_url_is_reported_without_its_password() {
    let acquired = pool("postgresql://ana:secret@host/db?sslmode=maybe").acquire().await;

    let Err(StorageError::Unavailable(error)) = acquired else { panic!("{acquired:?}") };
    assert!(error.to_string().starts_with("sslmode must be "), "{error}");
}

#[tokio::test]
async fn connections_go_to_the_server_with_the_role_and_follow_a_promotion() {
    let cluster = ReplicatedCluster::throwaway("roles", 2).unwrap();
    let [primary, standby, other] = cluster.nodes() else { panic!("three nodes") };
    // The primary is not the first host.
    let url = |role: &str| format!("{}?target_session_attrs={role}", cluster.url("postgres"));
    migrate(&cluster.url("postgres")).await.unwrap();
    let pool = pool(&cluster.url("postgres"));

    assert!(!is_read_only(&pool).await);
    for (role, expected) in
        [("read-write", false), ("primary", false), ("read-only", true), ("standby", true)]
    {
        assert_eq!(is_read_only(&self::pool(&url(role))).await, expected, "{role}");
    }

    primary.kill().unwrap();
    assert!(execute(&pool, "SELECT 1").await.is_err());
    standby.promote().unwrap();
    other.follow(standby).unwrap();

    execute(&pool, "DELETE FROM sessions").await.unwrap();
}

fn url_of(proxies: &[&Proxy], database: &TestDatabase) -> String {
    let hosts: Vec<String> = proxies.iter().map(|proxy| proxy.address().to_string()).collect();
    let url = database.url();
    let (_, name) = url.rsplit_once('/').unwrap();
    format!("postgresql://grateful@{}/{name}", hosts.join(","))
}

fn pool(url: &str) -> Database {
    Database::connect_lazily(DatabaseConfig::new(url))
}

async fn is_read_only(pool: &Database) -> bool {
    server_state(&mut pool.acquire().await.unwrap()).await.unwrap().is_read_only
}

async fn execute(pool: &Database, sql: &str) -> Result<()> {
    Ok(pool.acquire().await?.batch_execute(sql).await?)
}
