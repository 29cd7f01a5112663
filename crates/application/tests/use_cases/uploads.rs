//! Files that no row names: what is cut short leaves them, and the sweep takes them away.

use chrono::TimeDelta;
use grateful_application::{App, Clock, QueryLog, SystemClock, photos, uploads};
use grateful_domain::{ImageUrl, PhotoSize, ProfilePhoto};
use grateful_testkit::{FakeClock, TestApp, a_png, a_post, create_user};
use object_store::ObjectStoreExt as _;
use object_store::path::Path;
use uuid::Uuid;

use crate::support::{files, in_a_folder, upload};

#[tokio::test]
async fn what_no_row_names_goes_when_it_is_old_enough() {
    let made = TestApp::create().await;
    for file in [image(1), large_of(2)] {
        put(&made.app, &file).await;
    }

    to_after(&made, TimeDelta::minutes(59));
    assert_eq!(uploads::sweep(&made.app).await.unwrap(), 0);
    assert_eq!(files(&made.app).await.len(), 2);

    to_after(&made, TimeDelta::minutes(2));
    assert_eq!(uploads::sweep(&made.app).await.unwrap(), 2);
    assert_eq!(files(&made.app).await, [""; 0]);
}

#[tokio::test]
async fn in_a_folder_it_is_the_same() {
    let mut made = TestApp::create().await;
    let _folder = in_a_folder(&mut made);
    for file in [image(1), large_of(2), "about.txt".to_owned()] {
        put(&made.app, &file).await;
    }

    to_after(&made, TimeDelta::minutes(61));
    assert_eq!(uploads::sweep(&made.app).await.unwrap(), 2);

    assert_eq!(files(&made.app).await, ["about.txt"]);
}

#[tokio::test]
async fn what_a_row_names_stays() {
    let made = TestApp::create().await;
    let TestApp { app, database, .. } = &made;
    let ana = create_user(database).await;
    photos::upload(app, ana, upload(app, &a_png(9, 9)), None, None, |_| vec![]).await.unwrap();
    for (number, post) in [(1, a_post()), (2, a_post().private())] {
        put(app, &image(number)).await;
        post.with_image(&format!("/uploads/{}", image(number))).insert_into(database).await;
    }
    let before = files(app).await;
    assert_eq!(before.len(), 6);
    put(app, &image(3)).await;

    to_after(&made, TimeDelta::hours(9));
    assert_eq!(uploads::sweep(app).await.unwrap(), 1);

    assert_eq!(files(app).await, before);
}

#[tokio::test]
async fn what_was_not_named_here_stays() {
    let made = TestApp::create().await;
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
        put(&made.app, file).await;
    }

    to_after(&made, TimeDelta::days(900));
    assert_eq!(uploads::sweep(&made.app).await.unwrap(), 0);

    foreign.sort_unstable();
    assert_eq!(files(&made.app).await, foreign);
}

#[tokio::test]
async fn many_orphans_go_in_steps_of_two_statements_each() {
    let made = TestApp::create().await;
    let kept =
        a_post().with_image(&format!("/uploads/{}", image(700))).insert_into(&made.database).await;
    for number in 1..=1_200 {
        put(&made.app, &image(number)).await;
    }
    to_after(&made, TimeDelta::hours(9));

    let (removed, queries) = QueryLog::record(uploads::sweep(&made.app)).await;

    assert_eq!(removed.unwrap(), 1_199);
    assert_eq!(queries.total(), 3 * 2, "{queries:#?}");
    assert_eq!(files(&made.app).await, [kept.draft.image_url.unwrap().file()]);
}

#[tokio::test]
async fn where_there_is_nothing_nothing_is_asked() {
    let made = TestApp::create().await;

    let (removed, queries) = QueryLog::record(uploads::sweep(&made.app)).await;

    assert_eq!((removed.unwrap(), queries.total()), (0, 0));
}

async fn put(app: &App, file: &str) {
    app.files.put(&Path::parse(file).unwrap(), "a picture".into()).await.unwrap();
}

/// Moves the clock on, at first to the moment at which files are written, which no test can choose.
fn to_after(made: &TestApp, more: TimeDelta) {
    let clock: &FakeClock = &made.clock;
    let away = SystemClock.now() - clock.now();
    clock.advance(more + away.max(TimeDelta::zero()));
}

fn image(number: u128) -> String {
    ImageUrl::new(Uuid::from_u128(number)).file().to_owned()
}

fn large_of(number: u128) -> String {
    ProfilePhoto::new(Uuid::from_u128(number)).file(PhotoSize::Large)
}
