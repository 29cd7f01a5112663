//! Hearts.

use futures_util::future::join_all;
use grateful_application::hearts::{self, HeartStatus};
use grateful_application::{Error, Resource, posts};
use grateful_domain::{PostId, Viewer};
use grateful_testkit::{NOON, TestApp, a_post, block, create_user, load_engagement};
use uuid::Uuid;

use crate::support::{
    MAX_PAGE, assert_not_found, begin_block, begin_post_deletion, commit_once_blocking,
};

#[tokio::test]
async fn a_heart_is_counted_shown_and_listed() {
    let TestApp { app, database, .. } = TestApp::create().await;
    let [ana, ben] = [create_user(&database).await, create_user(&database).await];
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
    let TestApp { app, database, .. } = TestApp::create().await;
    let ana = create_user(&database).await;
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
async fn a_heart_can_be_removed_once() {
    let TestApp { app, database, .. } = TestApp::create().await;
    let [ana, ben] = [create_user(&database).await, create_user(&database).await];
    let post = a_post().insert_into(&database).await.id;
    for user in [ana, ben] {
        hearts::add(&app, user, post).await.unwrap();
    }

    let removed = hearts::remove(&app, ana, post).await;
    let again = hearts::remove(&app, ana, post).await.unwrap_err();

    assert_eq!(removed.unwrap(), HeartStatus { count: 1, is_hearted: false });
    assert!(matches!(again, Error::NotFound { resource: Resource::Heart, .. }), "{again:?}");
    assert_eq!(again.to_string(), "No heart found to remove");
}

#[tokio::test]
async fn users_can_heart_their_own_posts_including_private_ones() {
    let TestApp { app, database, .. } = TestApp::create().await;
    let ana = create_user(&database).await;
    let post = a_post().by(ana).private().insert_into(&database).await.id;

    assert_eq!(
        hearts::add(&app, ana, post).await.unwrap(),
        HeartStatus { count: 1, is_hearted: true }
    );
}

#[tokio::test]
async fn hearts_of_an_invisible_post_are_not_found() {
    let TestApp { app, database, .. } = TestApp::create().await;
    let [ana, ben, eve] =
        [create_user(&database).await, create_user(&database).await, create_user(&database).await];
    let private = a_post().by(eve).private().insert_into(&database).await.id;
    let by_blocked = a_post().by(eve).insert_into(&database).await.id;
    let unknown_post = PostId::from(Uuid::from_u128(7));
    block(&database, ana, eve).await;
    block(&database, eve, ben).await;

    for (user, post) in [(ana, private), (ana, unknown_post), (ana, by_blocked), (ben, by_blocked)]
    {
        assert_not_found(hearts::add(&app, user, post).await, Resource::Post);
        assert_not_found(hearts::remove(&app, user, post).await, Resource::Post);
        assert_not_found(hearts::get_status(&app, user, post).await, Resource::Post);
        assert_not_found(hearts::list(&app, user, post, MAX_PAGE).await, Resource::Post);
    }
    assert_eq!(database.count("likes").await, 0);
}

#[tokio::test]
async fn a_heart_from_before_a_block_stays_counted_and_is_not_listed() {
    let TestApp { app, database, .. } = TestApp::create().await;
    let [ana, ben] = [create_user(&database).await, create_user(&database).await];
    let post = a_post().by(ben).insert_into(&database).await.id;
    hearts::add(&app, ana, post).await.unwrap();
    block(&database, ben, ana).await;

    assert_eq!(hearts::get_status(&app, ben, post).await.unwrap().count, 1);
    assert_eq!(hearts::list(&app, ben, post, MAX_PAGE).await.unwrap().items, []);
}

#[tokio::test]
async fn hearting_a_post_during_its_deletion_is_not_found() {
    let TestApp { app, database, .. } = TestApp::create().await;
    let ana = create_user(&database).await;
    let post = a_post().insert_into(&database).await.id;
    let deletion = begin_post_deletion(&database, post).await;

    let (result, ()) =
        tokio::join!(hearts::add(&app, ana, post), commit_once_blocking(&database, deletion, 1));

    assert_not_found(result, Resource::Post);
}

#[tokio::test]
async fn hearting_a_post_while_it_becomes_private_is_not_found() {
    let TestApp { app, database, .. } = TestApp::create().await;
    let ana = create_user(&database).await;
    let post = a_post().insert_into(&database).await.id;
    let change = database.begin("UPDATE posts SET is_public = false").await;

    let (result, ()) =
        tokio::join!(hearts::add(&app, ana, post), commit_once_blocking(&database, change, 1));

    assert_not_found(result, Resource::Post);
    assert_eq!(load_engagement(&database, post).await.hearts, 0);
}

#[tokio::test]
async fn no_heart_is_added_across_a_block_in_flight() {
    let TestApp { app, database, .. } = TestApp::create().await;
    let [ana, ben] = [create_user(&database).await, create_user(&database).await];
    let post = a_post().by(ben).insert_into(&database).await.id;
    let block = begin_block(&database, ben, ana).await;

    let (result, ()) =
        tokio::join!(hearts::add(&app, ana, post), commit_once_blocking(&database, block, 1));

    assert_not_found(result, Resource::Post);
    assert_eq!(load_engagement(&database, post).await.hearts, 0);
}

#[tokio::test]
async fn one_of_ten_concurrent_hearts_succeeds() {
    let TestApp { app, database, .. } = TestApp::create().await;
    let ana = create_user(&database).await;
    let post = a_post().insert_into(&database).await.id;

    let results = join_all((0..10).map(|_| hearts::add(&app, ana, post))).await;

    let (added, rejected): (Vec<_>, Vec<_>) = results.into_iter().partition(Result::is_ok);
    assert_eq!(added.len(), 1);
    for rejected in rejected {
        assert!(
            matches!(rejected, Err(Error::AlreadyExists { resource: Resource::Heart, .. })),
            "{rejected:?}"
        );
    }
    assert_eq!(load_engagement(&database, post).await.hearts, 1);
    assert_eq!(database.count("likes").await, 1);
}

#[tokio::test]
async fn one_of_ten_concurrent_removals_of_a_heart_succeeds() {
    let TestApp { app, database, .. } = TestApp::create().await;
    let ana = create_user(&database).await;
    let post = a_post().insert_into(&database).await.id;
    hearts::add(&app, ana, post).await.unwrap();

    let results = join_all((0..10).map(|_| hearts::remove(&app, ana, post))).await;

    let (removed, rejected): (Vec<_>, Vec<_>) = results.into_iter().partition(Result::is_ok);
    assert_eq!(removed.len(), 1);
    for rejected in rejected {
        assert_not_found(rejected, Resource::Heart);
    }
    assert_eq!(load_engagement(&database, post).await.hearts, 0);
}
