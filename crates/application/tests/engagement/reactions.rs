//! Emoji reactions.

use chrono::TimeDelta;
use grateful_application::posts;
use grateful_application::reactions::{self, ReactionSummary};
use grateful_domain::{Emoji, EmojiCount, Viewer};
use grateful_testkit::{MAX_PAGE, NOON, TestApp, a_post, a_user, block, load_engagement};

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
    let (TestApp { app, database, clock, .. }, [ana]) = TestApp::with_users().await;
    let post = a_post().insert_into(&database).await.id;
    let hug = reactions::set(&app, ana, post, Emoji::Hug).await.unwrap();
    clock.advance(TimeDelta::hours(1));

    let fire = reactions::set(&app, ana, post, Emoji::Fire).await.unwrap();

    assert_eq!((fire.id, fire.created_at), (hug.id, hug.created_at));
    assert_eq!(reactions::list(&app, ana, post, MAX_PAGE).await.unwrap().items, [fire]);
    assert_eq!(load_engagement(&database, post).await.reactions, 1);
}

#[tokio::test]
async fn a_summary_counts_by_emoji_and_contains_the_own_reaction() {
    let (TestApp { app, database, .. }, [ana, ben, eve]) = TestApp::with_users().await;
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
    let (TestApp { app, database, .. }, [ana, ben]) = TestApp::with_users().await;
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
