//! Emoji reactions.

use chrono::TimeDelta;
use futures_util::future::join_all;
use grateful_application::reactions::{self, ReactionSummary};
use grateful_application::{Error, Resource, posts};
use grateful_domain::{Emoji, EmojiCount, PostId, Viewer};
use grateful_testkit::{NOON, TestApp, a_post, a_user, block, create_user, load_engagement};
use uuid::Uuid;

use crate::support::{
    MAX_PAGE, assert_not_found, begin_block, begin_post_deletion, commit_once_blocking,
};

#[tokio::test]
async fn a_reaction_is_returned_shown_and_listed() {
    let TestApp { app, database, .. } = TestApp::create().await;
    let ana = a_user().with_username("ana").insert_into(&database).await;
    let post = a_post().insert_into(&database).await.id;

    let reaction = reactions::set(&app, ana.id, post, Emoji::Hug).await.unwrap();

    assert_eq!((reaction.post, reaction.emoji), (post, Emoji::Hug));
    assert_eq!((&reaction.user.username, reaction.created_at), (&ana.username, NOON));
    assert_eq!(reactions::list(&app, ana.id, post, MAX_PAGE).await.unwrap().items, [reaction]);
    let found = posts::get(&app, Viewer::User(ana.id), post).await.unwrap();
    assert_eq!((found.reaction, found.post.engagement.reactions), (Some(Emoji::Hug), 1));
}

#[tokio::test]
async fn a_changed_reaction_keeps_its_id_and_its_time() {
    let TestApp { app, database, clock, .. } = TestApp::create().await;
    let ana = create_user(&database).await;
    let post = a_post().insert_into(&database).await.id;
    let hug = reactions::set(&app, ana, post, Emoji::Hug).await.unwrap();
    clock.advance(TimeDelta::hours(1));

    let fire = reactions::set(&app, ana, post, Emoji::Fire).await.unwrap();

    assert_eq!((fire.id, fire.created_at), (hug.id, hug.created_at));
    assert_eq!(reactions::list(&app, ana, post, MAX_PAGE).await.unwrap().items, [fire]);
    assert_eq!(load_engagement(&database, post).await.reactions, 1);
}

#[tokio::test]
async fn a_reaction_can_be_removed_once() {
    let TestApp { app, database, .. } = TestApp::create().await;
    let ana = create_user(&database).await;
    let post = a_post().insert_into(&database).await.id;
    reactions::set(&app, ana, post, Emoji::Hug).await.unwrap();

    reactions::remove(&app, ana, post).await.unwrap();
    let again = reactions::remove(&app, ana, post).await.unwrap_err();

    assert!(matches!(again, Error::NotFound { resource: Resource::Reaction, .. }), "{again:?}");
    assert_eq!(again.to_string(), "Reaction not found");
    assert_eq!(load_engagement(&database, post).await.reactions, 0);
}

#[tokio::test]
async fn a_summary_counts_by_emoji_and_contains_the_own_reaction() {
    let TestApp { app, database, .. } = TestApp::create().await;
    let [ana, ben, eve] =
        [create_user(&database).await, create_user(&database).await, create_user(&database).await];
    let post = a_post().insert_into(&database).await.id;
    for (user, emoji) in [(ana, Emoji::Hug), (ben, Emoji::Fire), (eve, Emoji::Hug)] {
        reactions::set(&app, user, post, emoji).await.unwrap();
    }

    let ReactionSummary { total, mut counts, own } =
        reactions::get_summary(&app, ben, post).await.unwrap();

    counts.sort_by_key(|entry| entry.count);
    let [fire, hug] =
        [(Emoji::Fire, 1), (Emoji::Hug, 2)].map(|(emoji, count)| EmojiCount { emoji, count });
    assert_eq!((total, counts, own), (3, vec![fire, hug], Some(Emoji::Fire)));
}

#[tokio::test]
async fn a_summary_without_reactions_is_empty() {
    let TestApp { app, database, .. } = TestApp::create().await;
    let post = a_post().insert_into(&database).await;

    let summary = reactions::get_summary(&app, post.author, post.id).await.unwrap();

    assert_eq!(summary, ReactionSummary { total: 0, counts: Vec::new(), own: None });
}

#[tokio::test]
async fn a_summary_counts_users_across_a_block_that_the_list_leaves_out() {
    let TestApp { app, database, .. } = TestApp::create().await;
    let [ana, ben] = [create_user(&database).await, create_user(&database).await];
    let post = a_post().insert_into(&database).await.id;
    for user in [ana, ben] {
        reactions::set(&app, user, post, Emoji::Hug).await.unwrap();
    }
    block(&database, ana, ben).await;

    for user in [ana, ben] {
        assert_eq!(reactions::get_summary(&app, user, post).await.unwrap().total, 2);
        let [listed] =
            reactions::list(&app, user, post, MAX_PAGE).await.unwrap().items.try_into().unwrap();
        assert_eq!(listed.user.id, user);
    }
}

#[tokio::test]
async fn reactions_to_an_invisible_post_are_not_found() {
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
        assert_not_found(reactions::set(&app, user, post, Emoji::Hug).await, Resource::Post);
        assert_not_found(reactions::remove(&app, user, post).await, Resource::Post);
        assert_not_found(reactions::get_summary(&app, user, post).await, Resource::Post);
        assert_not_found(reactions::list(&app, user, post, MAX_PAGE).await, Resource::Post);
    }
    assert_eq!(database.count("emoji_reactions").await, 0);
}

#[tokio::test]
async fn reacting_to_a_post_during_its_deletion_is_not_found() {
    let TestApp { app, database, .. } = TestApp::create().await;
    let ana = create_user(&database).await;
    let post = a_post().insert_into(&database).await.id;
    let deletion = begin_post_deletion(&database, post).await;

    let (result, ()) = tokio::join!(
        reactions::set(&app, ana, post, Emoji::Hug),
        commit_once_blocking(&database, deletion, 1)
    );

    assert_not_found(result, Resource::Post);
}

#[tokio::test]
async fn no_reaction_is_added_across_a_block_in_flight() {
    let TestApp { app, database, .. } = TestApp::create().await;
    let [ana, ben] = [create_user(&database).await, create_user(&database).await];
    let post = a_post().by(ben).insert_into(&database).await.id;
    let block = begin_block(&database, ben, ana).await;

    let (result, ()) = tokio::join!(
        reactions::set(&app, ana, post, Emoji::Hug),
        commit_once_blocking(&database, block, 1)
    );

    assert_not_found(result, Resource::Post);
    assert_eq!(load_engagement(&database, post).await.reactions, 0);
}

#[tokio::test]
async fn ten_concurrent_reactions_of_one_user_are_one() {
    let TestApp { app, database, .. } = TestApp::create().await;
    let ana = create_user(&database).await;
    let post = a_post().insert_into(&database).await.id;

    let results = join_all(Emoji::ALL.map(|emoji| reactions::set(&app, ana, post, emoji))).await;

    let ids: Vec<_> = results.into_iter().map(|result| result.unwrap().id).collect();
    assert!(ids.iter().all(|id| *id == ids[0]));
    assert_eq!(load_engagement(&database, post).await.reactions, 1);
    assert_eq!(database.count("emoji_reactions").await, 1);
}

#[tokio::test]
async fn one_of_ten_concurrent_removals_of_a_reaction_succeeds() {
    let TestApp { app, database, .. } = TestApp::create().await;
    let ana = create_user(&database).await;
    let post = a_post().insert_into(&database).await.id;
    reactions::set(&app, ana, post, Emoji::Hug).await.unwrap();

    let results = join_all((0..10).map(|_| reactions::remove(&app, ana, post))).await;

    let (removed, rejected): (Vec<_>, Vec<_>) = results.into_iter().partition(Result::is_ok);
    assert_eq!(removed.len(), 1);
    for rejected in rejected {
        assert_not_found(rejected, Resource::Reaction);
    }
    assert_eq!(load_engagement(&database, post).await.reactions, 0);
}
