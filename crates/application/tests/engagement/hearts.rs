//! Hearts.

use futures_util::future::join_all;
use grateful_application::hearts::{self, HeartStatus};
use grateful_application::{Error, Resource, posts};
use grateful_domain::{PostId, Viewer};
use grateful_testkit::{NOON, TestApp, a_post, block, create_user, load_engagement};
use uuid::Uuid;

use crate::support::{
    ALL, assert_not_found, block_in_flight, commit_when_waited_for, deletion_in_flight,
};

#[tokio::test]
async fn a_heart_is_counted_shown_and_listed() {
    let TestApp { app, database, .. } = TestApp::create().await;
    let [ana, ben] = [create_user(&database).await, create_user(&database).await];
    let post = a_post().insert_into(&database).await.id;

    let given = hearts::add(&app, ana, post).await.unwrap();

    assert_eq!(given, HeartStatus { count: 1, is_hearted: true });
    assert_eq!(hearts::get_status(&app, ana, post).await.unwrap(), given);
    assert_eq!(
        hearts::get_status(&app, ben, post).await.unwrap(),
        HeartStatus { count: 1, is_hearted: false }
    );
    assert!(posts::get(&app, Viewer::User(ana), post).await.unwrap().is_hearted);
    let [heart] = hearts::list(&app, ben, post, ALL).await.unwrap().items.try_into().unwrap();
    assert_eq!((heart.by.id, heart.created_at), (ana, NOON));
}

#[tokio::test]
async fn a_second_heart_is_refused_in_the_words_of_the_contract() {
    let TestApp { app, database, .. } = TestApp::create().await;
    let ana = create_user(&database).await;
    let post = a_post().insert_into(&database).await.id;
    hearts::add(&app, ana, post).await.unwrap();

    let refused = hearts::add(&app, ana, post).await.unwrap_err();

    assert!(
        matches!(refused, Error::AlreadyExists { resource: Resource::Heart, .. }),
        "{refused:?}"
    );
    assert_eq!(refused.to_string(), "Post already hearted by user");
    assert_eq!(hearts::get_status(&app, ana, post).await.unwrap().count, 1);
}

#[tokio::test]
async fn a_heart_can_be_taken_back_once() {
    let TestApp { app, database, .. } = TestApp::create().await;
    let [ana, ben] = [create_user(&database).await, create_user(&database).await];
    let post = a_post().insert_into(&database).await.id;
    for user in [ana, ben] {
        hearts::add(&app, user, post).await.unwrap();
    }

    let taken_back = hearts::remove(&app, ana, post).await;
    let again = hearts::remove(&app, ana, post).await.unwrap_err();

    assert_eq!(taken_back.unwrap(), HeartStatus { count: 1, is_hearted: false });
    assert!(matches!(again, Error::NotFound { resource: Resource::Heart, .. }), "{again:?}");
    assert_eq!(again.to_string(), "No heart found to remove");
}

#[tokio::test]
async fn people_give_their_own_posts_hearts_private_ones_too() {
    let TestApp { app, database, .. } = TestApp::create().await;
    let ana = create_user(&database).await;
    let post = a_post().by(ana).private().insert_into(&database).await.id;

    assert_eq!(
        hearts::add(&app, ana, post).await.unwrap(),
        HeartStatus { count: 1, is_hearted: true }
    );
}

#[tokio::test]
async fn a_post_that_one_may_not_see_has_no_hearts_to_give_take_or_look_at() {
    let TestApp { app, database, .. } = TestApp::create().await;
    let [ana, ben, eve] =
        [create_user(&database).await, create_user(&database).await, create_user(&database).await];
    let private = a_post().by(eve).private().insert_into(&database).await.id;
    let by_blocked = a_post().by(eve).insert_into(&database).await.id;
    let nowhere = PostId::from(Uuid::from_u128(7));
    block(&database, ana, eve).await;
    block(&database, eve, ben).await;

    for (user, post) in [(ana, private), (ana, nowhere), (ana, by_blocked), (ben, by_blocked)] {
        assert_not_found(hearts::add(&app, user, post).await, Resource::Post);
        assert_not_found(hearts::remove(&app, user, post).await, Resource::Post);
        assert_not_found(hearts::get_status(&app, user, post).await, Resource::Post);
        assert_not_found(hearts::list(&app, user, post, ALL).await, Resource::Post);
    }
    assert_eq!(database.count("likes").await, 0);
}

#[tokio::test]
async fn a_heart_given_before_a_block_stays_counted_and_is_not_taken_back_across_it() {
    let TestApp { app, database, .. } = TestApp::create().await;
    let [ana, ben] = [create_user(&database).await, create_user(&database).await];
    let post = a_post().by(ben).insert_into(&database).await.id;
    hearts::add(&app, ana, post).await.unwrap();
    block(&database, ben, ana).await;

    assert_not_found(hearts::remove(&app, ana, post).await, Resource::Post);

    assert_eq!(hearts::get_status(&app, ben, post).await.unwrap().count, 1);
    assert_eq!(hearts::list(&app, ben, post, ALL).await.unwrap().items, []);
}

#[tokio::test]
async fn a_post_that_is_deleted_while_it_is_given_a_heart_is_not_found() {
    let TestApp { app, database, .. } = TestApp::create().await;
    let ana = create_user(&database).await;
    let post = a_post().insert_into(&database).await.id;
    let deletion = deletion_in_flight(&database, post).await;

    let (outcome, ()) =
        tokio::join!(hearts::add(&app, ana, post), commit_when_waited_for(&database, deletion, 1));

    assert_not_found(outcome, Resource::Post);
}

#[tokio::test]
async fn a_post_that_becomes_private_while_it_is_given_a_heart_is_not_found() {
    let TestApp { app, database, .. } = TestApp::create().await;
    let ana = create_user(&database).await;
    let post = a_post().insert_into(&database).await.id;
    let change = database.begin("UPDATE posts SET is_public = false").await;

    let (outcome, ()) =
        tokio::join!(hearts::add(&app, ana, post), commit_when_waited_for(&database, change, 1));

    assert_not_found(outcome, Resource::Post);
    assert_eq!(load_engagement(&database, post).await.hearts, 0);
}

#[tokio::test]
async fn no_heart_slips_across_a_block_that_is_being_made() {
    let TestApp { app, database, .. } = TestApp::create().await;
    let [ana, ben] = [create_user(&database).await, create_user(&database).await];
    let post = a_post().by(ben).insert_into(&database).await.id;
    let block = block_in_flight(&database, ben, ana).await;

    let (outcome, ()) =
        tokio::join!(hearts::add(&app, ana, post), commit_when_waited_for(&database, block, 1));

    assert_not_found(outcome, Resource::Post);
    assert_eq!(load_engagement(&database, post).await.hearts, 0);
}

#[tokio::test]
async fn ten_hearts_at_once_are_one_and_nine_refusals() {
    let TestApp { app, database, .. } = TestApp::create().await;
    let ana = create_user(&database).await;
    let post = a_post().insert_into(&database).await.id;

    let outcomes = join_all((0..10).map(|_| hearts::add(&app, ana, post))).await;

    let (given, refused): (Vec<_>, Vec<_>) = outcomes.into_iter().partition(Result::is_ok);
    assert_eq!(given.len(), 1);
    for refused in refused {
        assert!(
            matches!(refused, Err(Error::AlreadyExists { resource: Resource::Heart, .. })),
            "{refused:?}"
        );
    }
    assert_eq!(load_engagement(&database, post).await.hearts, 1);
    assert_eq!(database.count("likes").await, 1);
}

#[tokio::test]
async fn ten_who_take_the_same_heart_back_at_once_take_it_once() {
    let TestApp { app, database, .. } = TestApp::create().await;
    let ana = create_user(&database).await;
    let post = a_post().insert_into(&database).await.id;
    hearts::add(&app, ana, post).await.unwrap();

    let outcomes = join_all((0..10).map(|_| hearts::remove(&app, ana, post))).await;

    let (taken, refused): (Vec<_>, Vec<_>) = outcomes.into_iter().partition(Result::is_ok);
    assert_eq!(taken.len(), 1);
    for refused in refused {
        assert_not_found(refused, Resource::Heart);
    }
    assert_eq!(load_engagement(&database, post).await.hearts, 0);
}
