//! Hearts.

use grateful_application::hearts::{self, HeartStatus};
use grateful_application::{Error, Resource, posts};
use grateful_domain::Viewer;
use grateful_testkit::{MAX_PAGE, NOON, TestApp, a_post, block};

#[tokio::test]
async fn a_heart_is_counted_shown_and_listed() {
    let (TestApp { app, database, .. }, [ana, ben]) = TestApp::with_users().await;
    let post = a_post().insert_into(&database).await.id;

    let added = hearts::add(&app, ana, post).await.unwrap();

    assert_eq!(added, HeartStatus { count: 1, is_hearted: true });
    assert_eq!(hearts::get_status(&app, ana, post).await.unwrap(), added);
    assert_eq!(
        hearts::get_status(&app, ben, post).await.unwrap(),
        HeartStatus { count: 1, is_hearted: false }
    );
    assert!(posts::get(&app, Viewer::User(ana), post).await.unwrap().is_hearted);
    let [heart] = hearts::list(&app, ben, post, MAX_PAGE).await.unwrap().items.try_into().unwrap();
    assert_eq!((heart.user.id, heart.created_at), (ana, NOON));
}

#[tokio::test]
async fn a_second_heart_is_rejected_with_the_documented_message() {
    let (TestApp { app, database, .. }, [ana]) = TestApp::with_users().await;
    let post = a_post().insert_into(&database).await.id;
    hearts::add(&app, ana, post).await.unwrap();

    let rejected = hearts::add(&app, ana, post).await.unwrap_err();

    assert!(
        matches!(rejected, Error::AlreadyExists { resource: Resource::Heart, .. }),
        "{rejected:?}"
    );
    assert_eq!(rejected.to_string(), "Post already hearted by user");
    assert_eq!(hearts::get_status(&app, ana, post).await.unwrap().count, 1);
}

#[tokio::test]
async fn users_can_heart_their_own_posts_including_private_ones() {
    let (TestApp { app, database, .. }, [ana]) = TestApp::with_users().await;
    let post = a_post().by(ana).private().insert_into(&database).await.id;

    assert_eq!(
        hearts::add(&app, ana, post).await.unwrap(),
        HeartStatus { count: 1, is_hearted: true }
    );
}

#[tokio::test]
async fn a_heart_from_before_a_block_stays_counted_and_is_not_listed() {
    let (TestApp { app, database, .. }, [ana, ben]) = TestApp::with_users().await;
    let post = a_post().by(ben).insert_into(&database).await.id;
    hearts::add(&app, ana, post).await.unwrap();
    block(&database, ben, ana).await;

    assert_eq!(hearts::get_status(&app, ben, post).await.unwrap().count, 1);
    assert_eq!(hearts::list(&app, ben, post, MAX_PAGE).await.unwrap().items, []);
}
