//! Deleting files that no row names, which interrupted uploads leave.

use chrono::TimeDelta;
use grateful_application::image_files::{
    PhotoSize, image_file, image_url, photo_file, profile_photo,
};
use grateful_application::{App, Clock, QueryLog, SystemClock, photos, uploads};
use grateful_testkit::{FakeClock, TestApp, a_png, a_post, create_user};
use object_store::ObjectStoreExt as _;
use object_store::path::Path;
use uuid::Uuid;

use crate::support::{files, upload, use_upload_folder};

#[tokio::test]
async fn old_files_without_a_row_are_deleted() {
    let test_app = TestApp::create().await;
    for file in [image(1), large_photo(2)] {
        put(&test_app.app, &file).await;
    }

    advance_past_upload(&test_app, TimeDelta::minutes(59));
    assert_eq!(uploads::sweep(&test_app.app).await.unwrap(), 0);
    assert_eq!(files(&test_app.app).await.len(), 2);

    advance_past_upload(&test_app, TimeDelta::minutes(2));
    assert_eq!(uploads::sweep(&test_app.app).await.unwrap(), 2);
    assert_eq!(files(&test_app.app).await, [""; 0]);
}

#[tokio::test]
async fn old_files_without_a_row_are_deleted_from_a_folder() {
    let mut test_app = TestApp::create().await;
    let _folder = use_upload_folder(&mut test_app);
    for file in [image(1), large_photo(2), "about.txt".to_owned()] {
        put(&test_app.app, &file).await;
    }

    advance_past_upload(&test_app, TimeDelta::minutes(61));
    assert_eq!(uploads::sweep(&test_app.app).await.unwrap(), 2);

    assert_eq!(files(&test_app.app).await, ["about.txt"]);
}

#[tokio::test]
async fn files_with_a_row_are_kept() {
    let test_app = TestApp::create().await;
    let TestApp { app, database, .. } = &test_app;
    let ana = create_user(database).await;
    photos::upload(app, ana, upload(app, &a_png(9, 9)), None, None, |_| vec![]).await.unwrap();
    for (number, post) in [(1, a_post()), (2, a_post().private())] {
        put(app, &image(number)).await;
        post.with_image(&format!("/uploads/{}", image(number))).insert_into(database).await;
    }
    let before = files(app).await;
    assert_eq!(before.len(), 6);
    put(app, &image(3)).await;

    advance_past_upload(&test_app, TimeDelta::hours(9));
    assert_eq!(uploads::sweep(app).await.unwrap(), 1);

    assert_eq!(files(app).await, before);
}

#[tokio::test]
async fn files_with_foreign_names_are_kept() {
    let test_app = TestApp::create().await;
    let mut foreign = [
        "index.html",
        "logo.png",
        "posts/01937b5e-7c2a-7000-8000-000000000001.png",
        "posts/01937B5E-7C2A-7000-8000-000000000001.jpg",
        "posts/logo.jpg",
        "posts/more/01937b5e-7c2a-7000-8000-000000000001.jpg",
        "profile_photos/ana.jpg",
        "profile_photos/profile_ana_huge.jpg",
        "more/profile_photos/profile_ana_small.jpg",
    ];
    for file in foreign {
        put(&test_app.app, file).await;
    }

    advance_past_upload(&test_app, TimeDelta::days(900));
    assert_eq!(uploads::sweep(&test_app.app).await.unwrap(), 0);

    foreign.sort_unstable();
    assert_eq!(files(&test_app.app).await, foreign);
}

#[tokio::test]
async fn deleting_many_orphans_needs_two_statements_per_batch() {
    let test_app = TestApp::create().await;
    let shown = a_post()
        .with_image(&format!("/uploads/{}", image(700)))
        .insert_into(&test_app.database)
        .await;
    for number in 1..=1_200 {
        put(&test_app.app, &image(number)).await;
    }
    advance_past_upload(&test_app, TimeDelta::hours(9));

    let (deleted, queries) = QueryLog::record(uploads::sweep(&test_app.app)).await;

    assert_eq!(deleted.unwrap(), 1_199);
    assert_eq!(queries.total(), 3 * 2, "{queries:#?}");
    assert_eq!(files(&test_app.app).await, [image_file(&shown.draft.image_url.unwrap())]);
}

#[tokio::test]
async fn without_files_no_statement_runs() {
    let test_app = TestApp::create().await;

    let (deleted, queries) = QueryLog::record(uploads::sweep(&test_app.app)).await;

    assert_eq!((deleted.unwrap(), queries.total()), (0, 0));
}

async fn put(app: &App, file: &str) {
    app.files.put(&Path::parse(file).unwrap(), "an image".into()).await.unwrap();
}

/// Advances the clock to the real time, at which files are written, and by `more`.
fn advance_past_upload(test_app: &TestApp, more: TimeDelta) {
    let clock: &FakeClock = &test_app.clock;
    let behind_real_time = SystemClock.now() - clock.now();
    clock.advance(more + behind_real_time.max(TimeDelta::zero()));
}

fn image(number: u128) -> String {
    image_file(&image_url(Uuid::from_u128(number))).to_owned()
}

fn large_photo(number: u128) -> String {
    photo_file(&profile_photo(Uuid::from_u128(number)), PhotoSize::Large)
}
