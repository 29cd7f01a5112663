//! Whether uploads can be written is tried now and then.

use std::sync::Arc;
use std::time::Duration;
use std::{fs, path};

use chrono::TimeDelta;
use futures_util::future::join_all;
use grateful_application::health::check_readiness;
use grateful_application::photos;
use grateful_testkit::{TestApp, a_png};
use object_store::ObjectStoreExt as _;
use object_store::local::LocalFileSystem;
use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::throttle::{ThrottleConfig, ThrottledStore};
use tempfile::TempDir;

use crate::support::upload;

#[tokio::test]
async fn a_folder_that_fails_or_recovers_is_noticed_within_thirty_seconds() {
    let (mut test_app, []) = TestApp::with_users().await;
    let folder = use_folder(&mut test_app);
    let is_ready = async || check_readiness(&test_app.app).await.is_ok();
    assert!(is_ready().await);

    break_folder(&folder);
    test_app.clock.advance(TimeDelta::seconds(30) - TimeDelta::microseconds(1));
    assert!(is_ready().await);
    test_app.clock.advance(TimeDelta::microseconds(1));
    assert!(!is_ready().await);

    mend_folder(&folder);
    assert!(!is_ready().await);
    test_app.clock.advance(TimeDelta::seconds(30));
    assert!(is_ready().await);
}

#[tokio::test]
async fn an_upload_that_fails_or_succeeds_is_noticed_at_once() {
    let (mut test_app, [ana]) = TestApp::with_users().await;
    let folder = use_folder(&mut test_app);
    let app = &test_app.app;
    let can_upload = async || {
        photos::upload(app, ana, upload(app, &a_png(9, 9)), None, None, |_| vec![]).await.is_ok()
    };
    check_readiness(app).await.unwrap();

    break_folder(&folder);
    assert!(!can_upload().await);
    check_readiness(app).await.unwrap_err();

    mend_folder(&folder);
    assert!(can_upload().await);
    check_readiness(app).await.unwrap();
}

#[tokio::test]
async fn checks_at_the_same_time_share_one_try() {
    let mut test_app = TestApp::create().await;
    let files = test_app.files.clone();
    let wait_put_per_call = Duration::from_millis(50);
    let slow = ThrottleConfig { wait_put_per_call, ..ThrottleConfig::default() };
    test_app.app.files = Arc::new(ThrottledStore::new(files.clone(), slow));
    let before = next_write(&files).await;

    let checks = join_all((0..8).map(|_| check_readiness(&test_app.app))).await;

    assert!(checks.iter().all(Result::is_ok));
    assert_eq!(next_write(&files).await - before, 1 + 1);
}

#[tokio::test]
async fn a_clock_that_was_set_back_keeps_no_result() {
    let mut test_app = TestApp::create().await;
    let folder = use_folder(&mut test_app);
    check_readiness(&test_app.app).await.unwrap();

    break_folder(&folder);
    test_app.clock.advance(TimeDelta::seconds(-1));

    check_readiness(&test_app.app).await.unwrap_err();
}

/// Writes a file, and returns the number of this write: a store in memory numbers them in its entity tags.
async fn next_write(files: &InMemory) -> u64 {
    let written = files.put(&Path::from("counted"), "x".into()).await.unwrap();
    written.e_tag.unwrap().trim_matches('"').parse().unwrap()
}

/// Stores uploads in the folder `uploads` of a temporary one.
fn use_folder(test_app: &mut TestApp) -> TempDir {
    let parent = tempfile::tempdir().unwrap();
    let uploads = uploads(&parent);
    fs::create_dir(&uploads).unwrap();
    test_app.app.files = Arc::new(LocalFileSystem::new_with_prefix(uploads).unwrap());
    parent
}

/// Puts a file in place of the folder: removing write permission would not stop tests that run as root.
fn break_folder(parent: &TempDir) {
    fs::rename(uploads(parent), parent.path().join("moved")).unwrap();
    fs::write(uploads(parent), "not a folder").unwrap();
}

fn mend_folder(parent: &TempDir) {
    fs::remove_file(uploads(parent)).unwrap();
    fs::rename(parent.path().join("moved"), uploads(parent)).unwrap();
}

fn uploads(parent: &TempDir) -> path::PathBuf {
    parent.path().join("uploads")
}
