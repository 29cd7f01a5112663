//! A test database lives as long as anything can use it.

use std::time::{Duration, Instant};

use grateful_application::health::check_readiness;
use grateful_testkit::{TestApp, TestDatabase, create_user};

/// Creating a database drops the unused ones.
#[tokio::test]
async fn a_test_may_keep_nothing_but_the_app_or_a_pool() {
    let TestApp { app, .. } = TestApp::create().await;
    let pool = TestDatabase::create().await.pool;

    let other = TestDatabase::create().await;

    check_readiness(&app).await.unwrap();
    pool.acquire().await.unwrap();
    create_user(&other).await;
}

#[tokio::test]
async fn a_database_is_dropped_after_its_thread_and_its_last_handle() {
    let on_other_thread = || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let (kept, dropped) = runtime
            .block_on(async { (TestDatabase::create().await, TestDatabase::create().await) });
        (kept, dropped.url())
    };
    let (kept, dropped) = std::thread::spawn(on_other_thread).join().unwrap();

    let other = TestDatabase::create().await;

    let count_of = |url: &str| {
        format!("pg_database WHERE datname <> 'postgres' AND '{url}' LIKE '%' || datname || '%'")
    };
    let deadline = Instant::now() + Duration::from_secs(10);
    // Another test of this process may be the one that drops it.
    while other.count(&count_of(&dropped)).await > 0 {
        assert!(Instant::now() < deadline, "the database still exists");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    create_user(&kept).await;
}
