//! `/`, `/health`, `/livez` and `/readyz`.

use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use grateful_application::{App, Clock as _, SystemClock, UploadProbe};
use grateful_storage::{Database, DatabaseConfig};
use grateful_testkit::{Api, TestApp, TestDatabase};
use grateful_web::WebConfig;
use object_store::local::LocalFileSystem;
use serde_json::json;

use crate::support::{UNKNOWN_ID, assert_problem, post_path};

#[actix_web::test]
async fn the_root_and_the_health_check_respond() {
    let api = Api::create().await;

    let greeting = api.get("/").send().await.expect(200);
    let health = api.get("/health").send().await.expect(200);

    assert_eq!(greeting.json(), json!({"message": "Grateful API is running"}));
    assert_eq!(health.json(), json!({"status": "healthy", "service": "grateful-api"}));
    assert_eq!(health.body, br#"{"status":"healthy","service":"grateful-api"}"#);
}

#[actix_web::test]
async fn a_server_with_a_migrated_database_is_alive_and_ready() {
    let api = Api::create().await;

    assert_eq!(api.get("/livez").send().await.expect(200).json(), json!({"status": "alive"}));
    assert_eq!(api.get("/readyz").send().await.expect(200).json(), json!({"status": "ready"}));
}

#[actix_web::test]
async fn without_its_database_the_server_is_alive_but_not_ready() {
    let database = TestDatabase::create().await;
    let missing =
        database.pool_with(|config| DatabaseConfig::new(config.url.replace("/test_", "/gone_")));

    assert_alive_but_unavailable(&serve(database, missing).await).await;
}

#[actix_web::test]
async fn with_a_database_that_is_not_migrated_the_server_is_not_ready() {
    let database = TestDatabase::create_empty().await;
    let db = database.pool.clone();
    let api = serve(database, db).await;

    let response = api.get("/readyz").send().await;

    assert_eq!(assert_problem(&response, 503, "unavailable"), json!({}));
}

#[actix_web::test]
async fn while_all_connections_are_in_use_the_server_is_not_ready_and_recovers() {
    let database = TestDatabase::create().await;
    let single = database.pool_with(|config| {
        config
            .with_readers(0)
            .with_max_connections(1)
            .with_acquire_timeout(Duration::from_millis(500))
    });
    let api = serve(database, single).await;

    let connection = api.app.app.db.acquire().await.unwrap();
    assert_alive_but_unavailable(&api).await;
    drop(connection);

    api.get("/readyz").send().await.expect(200);
    api.get(&post_path(UNKNOWN_ID)).send().await.expect(404);
}

#[actix_web::test]
async fn while_its_clock_differs_from_that_of_the_database_the_server_is_not_ready() {
    let mut app = TestApp::create().await;
    app.app.max_clock_skew = App::MAX_CLOCK_SKEW;
    let clock = app.clock.clone();
    let api = Api::serve(app, &WebConfig::default()).await;
    let set_clock =
        |ahead| clock.advance(SystemClock.now() - clock.now() + TimeDelta::seconds(ahead));

    for ahead in [-5, 5] {
        set_clock(ahead);
        assert_problem(&api.get("/readyz").send().await, 503, "unavailable");
    }
    set_clock(0);
    api.get("/readyz").send().await.expect(200);
}

#[actix_web::test]
async fn while_the_upload_folder_is_missing_the_server_is_not_ready_and_recovers() {
    let parent = tempfile::tempdir().unwrap();
    let [folder, moved] = ["uploads", "moved"].map(|name| parent.path().join(name));
    std::fs::create_dir(&folder).unwrap();
    let mut app = TestApp::create().await;
    app.app.files = Arc::new(LocalFileSystem::new_with_prefix(&folder).unwrap());
    let clock = app.clock.clone();
    let api = Api::serve(app, &WebConfig::default()).await;
    api.get("/readyz").send().await.expect(200);

    // A file in place of the folder: removing write permission would not stop tests that run as root.
    std::fs::rename(&folder, &moved).unwrap();
    std::fs::write(&folder, "not a folder").unwrap();
    clock.advance(UploadProbe::KEPT);
    assert_problem(&api.get("/readyz").send().await, 503, "unavailable");
    api.get("/livez").send().await.expect(200);

    std::fs::remove_file(&folder).unwrap();
    std::fs::rename(&moved, &folder).unwrap();
    clock.advance(UploadProbe::KEPT);
    api.get("/readyz").send().await.expect(200);
    assert_eq!(
        std::fs::read_dir(&folder).unwrap().count(),
        0,
        "the readiness check leaves no file"
    );
}

async fn serve(database: TestDatabase, db: Database) -> Api {
    Api::serve(TestApp::with_pool(database, db), &WebConfig::default()).await
}

async fn assert_alive_but_unavailable(api: &Api) {
    for path in ["/readyz", &post_path(UNKNOWN_ID)] {
        let response = api.get(path).send().await;
        assert_eq!(assert_problem(&response, 503, "unavailable"), json!({}), "{path}");
        assert_eq!(response.header("retry-after"), Some("1"));
    }
    api.get("/livez").send().await.expect(200);
    api.get("/health").send().await.expect(200);
}
