//! The isolation level of all connections, on a database whose default is another one.

use grateful_storage::{BulkLoad, StorageError};
use grateful_test_database::TestDatabase;

use crate::support::sql::lines;

#[tokio::test]
async fn pooled_connections_use_read_committed() {
    let database = serializable_database().await;
    let default = "SELECT current_setting('transaction_isolation') AS line";

    let pooled = lines(&mut database.pool.acquire().await.unwrap(), default).await;
    let in_transaction = database
        .pool
        .transaction(async |tx| Ok::<_, StorageError>(lines(tx, default).await))
        .await
        .unwrap();

    assert_eq!(lines(&mut database.connect().await, default).await, ["serializable"]);
    assert_eq!(pooled, ["read committed"]);
    assert_eq!(in_transaction, ["read committed"]);
}

/// A serializable transaction would hold a predicate lock on what it has read.
#[tokio::test]
async fn bulk_loads_use_read_committed() {
    let database = serializable_database().await;
    let predicate_locks = "pg_locks WHERE mode = 'SIReadLock'
        AND database = (SELECT oid FROM pg_database WHERE datname = current_database())";
    let mut reader = database.begin("SELECT count(*) FROM users").await;
    assert_ne!(database.count(predicate_locks).await, 0, "the level of other connections");
    lines(&mut reader, "SELECT 'still open' AS line").await;
    drop(reader);
    while database.count(predicate_locks).await != 0 {}

    let load = BulkLoad::begin(&database.url()).await.unwrap();
    load.find_taken_username(&["ana".to_owned()]).await.unwrap();

    assert_eq!(database.count(predicate_locks).await, 0);
}

async fn serializable_database() -> TestDatabase {
    let database = TestDatabase::create().await;
    let name = database.url().rsplit('/').next().unwrap().to_owned();
    let serializable = "SET default_transaction_isolation = 'serializable'";
    database.execute(&format!("ALTER DATABASE {name} {serializable}")).await;
    database
}
