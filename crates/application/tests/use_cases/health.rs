//! Readiness of a node.

use grateful_application::{Error, accounts, health};
use grateful_storage::DatabaseConfig;
use grateful_testkit::{TestApp, TestDatabase};

#[tokio::test]
async fn a_node_with_a_migrated_database_is_ready() {
    let TestApp { app, database: _database, .. } = TestApp::create().await;

    health::check_readiness(&app).await.unwrap();
}

#[tokio::test]
async fn a_node_whose_database_is_not_migrated_is_not_ready() {
    let database = TestDatabase::create_empty().await;
    let db = database.pool.clone();
    let TestApp { app, database: _database, .. } = TestApp::with_pool(database, db);

    let result = health::check_readiness(&app).await;

    assert!(matches!(result, Err(Error::Unavailable(_))), "{result:?}");
}

#[tokio::test]
async fn a_node_without_a_database_is_not_ready() {
    let database = TestDatabase::create().await;
    let missing_database = database.pool_with(|config| {
        let url = config
            .url
            .replace(config.url.rsplit('/').next().unwrap_or_default(), "missing_database");
        DatabaseConfig::new(url)
    });
    let TestApp { app, database: _database, .. } = TestApp::with_pool(database, missing_database);

    let result = health::check_readiness(&app).await;

    assert!(matches!(result, Err(Error::Unavailable(_))), "{result:?}");
}

#[tokio::test]
async fn without_a_free_connection_a_use_case_is_unavailable() {
    let database = TestDatabase::create().await;
    let only_one = database.pool_with(|config| config.with_max_connections(1));
    let TestApp { app, database: _database, .. } = TestApp::with_pool(database, only_one);
    let connection = app.db.acquire().await.unwrap();

    let rejected = accounts::get(&app, 1.into()).await;
    drop(connection);
    let served = accounts::get(&app, 1.into()).await;

    assert!(matches!(rejected, Err(Error::Unavailable(_))), "{rejected:?}");
    assert!(matches!(served, Err(Error::Unauthenticated(_))), "{served:?}");
}
