//! Whether this node can work.

use grateful_application::{Error, accounts, health};
use grateful_storage::DatabaseConfig;
use grateful_testkit::{TestApp, TestDatabase};

#[tokio::test]
async fn a_node_with_a_migrated_database_is_ready() {
    let TestApp { app, database: _test, .. } = TestApp::create().await;

    health::check_readiness(&app).await.unwrap();
}

#[tokio::test]
async fn a_node_whose_database_is_not_migrated_is_not_ready() {
    let database = TestDatabase::create_empty().await;
    let db = database.pool.clone();
    let TestApp { app, database: _test, .. } = TestApp::with_pool(database, db);

    let told = health::check_readiness(&app).await;

    assert!(matches!(told, Err(Error::Unavailable(_))), "{told:?}");
}

#[tokio::test]
async fn a_node_without_a_database_is_not_ready() {
    let database = TestDatabase::create().await;
    let nowhere = database.pool_with(|config| {
        let url = config.url.replace(config.url.rsplit('/').next().unwrap_or_default(), "nowhere");
        DatabaseConfig::new(url)
    });
    let TestApp { app, database: _test, .. } = TestApp::with_pool(database, nowhere);

    let told = health::check_readiness(&app).await;

    assert!(matches!(told, Err(Error::Unavailable(_))), "{told:?}");
}

#[tokio::test]
async fn whoever_gets_no_connection_is_asked_to_come_back() {
    let database = TestDatabase::create().await;
    let only_one = database.pool_with(|config| config.with_max_connections(1));
    let TestApp { app, database: _test, .. } = TestApp::with_pool(database, only_one);
    let held = app.db.acquire().await.unwrap();

    let refused = accounts::get(&app, 1.into()).await;
    drop(held);
    let served = accounts::get(&app, 1.into()).await;

    assert!(matches!(refused, Err(Error::Unavailable(_))), "{refused:?}");
    assert!(matches!(served, Err(Error::Unauthenticated(_))), "{served:?}");
}
