//! Deleting an account, and the counts on other users' posts and profiles.

use futures_util::future::join_all;
use grateful_application::verify::{Repair, verify};
use grateful_application::{Error, accounts, comments, follows, hearts, shares};
use grateful_domain::{CommentText, ShareDetails, UserId};
use grateful_storage::Repositories;
use grateful_testkit::{
    PASSWORD, TestApp, TestDatabase, a_comment, a_heart, a_link_share, a_message_share, a_post,
    a_reaction, load_engagement,
};

use crate::support::{assert_forbidden, assert_unauthenticated};

#[tokio::test]
async fn deleting_an_account_updates_the_counts_of_other_users() {
    let (TestApp { app, database, .. }, [ana, ben, cem]) = TestApp::with_users().await;
    let by_ben = a_post().by(ben).insert_into(&database).await;
    let own = a_post().by(ana).insert_into(&database).await;
    let mut conn = database.connect().await;
    conn.hearts().add(&[a_heart(ana, by_ben.id)]).await.unwrap();
    hearts::add(&app, cem, by_ben.id).await.unwrap();
    conn.hearts().add(&[a_heart(ben, own.id)]).await.unwrap();
    conn.emoji_reactions().set(&[a_reaction(ana, by_ben.id)]).await.unwrap();
    conn.shares().create(&a_link_share(ana, by_ben.id)).await.unwrap();
    conn.shares().create(&a_message_share(ana, by_ben.id, &[ben])).await.unwrap();
    conn.shares().create(&a_message_share(ana, by_ben.id, &[cem])).await.unwrap();
    let comment = a_comment().by(ana).on(&by_ben).insert_into(&database).await;
    a_comment().by(cem).replying_to(&comment).insert_into(&database).await;
    follow(&database, ana, ben).await;
    follow(&database, cem, ana).await;
    follows::follow(&app, cem, ben).await.unwrap();

    accounts::delete(&app, ana).await.unwrap();

    let engagement = load_engagement(&database, by_ben.id).await;
    assert_eq!(
        (engagement.hearts, engagement.reactions, engagement.shares, engagement.comments),
        (1, 0, 0, 0)
    );
    assert_eq!(database.count("posts").await, 1);
    assert_eq!(database.count(&format!("users WHERE id = {ben} AND followers_count = 1")).await, 1);
    assert_eq!(database.count(&format!("users WHERE id = {cem} AND following_count = 1")).await, 1);
    assert_eq!(verify(&app, Repair::No, |_| ()).await.unwrap(), 0);
}

#[tokio::test]
async fn deleting_a_deleted_account_is_not_found() {
    let (TestApp { app, .. }, [ana]) = TestApp::with_users().await;
    accounts::delete(&app, ana).await.unwrap();

    let again = accounts::delete(&app, ana).await;

    assert!(matches!(again, Err(Error::NotFound { .. })), "{again:?}");
}

#[tokio::test]
async fn one_of_four_concurrent_deletions_of_an_account_succeeds() {
    let (TestApp { app, database, .. }, [ana]) = TestApp::with_users().await;
    for _ in 0..5 {
        let post = a_post().insert_into(&database).await;
        hearts::add(&app, ana, post.id).await.unwrap();
    }

    let deletions = (0..4).map(|_| accounts::delete_own(&app, ana, PASSWORD.to_owned()));
    let (deleted, rejected): (Vec<_>, Vec<_>) =
        join_all(deletions).await.into_iter().partition(Result::is_ok);

    assert_eq!((deleted.len(), rejected.len()), (1, 3));
    rejected.into_iter().for_each(assert_unauthenticated);
    assert_eq!(verify(&app, Repair::No, |_| ()).await.unwrap(), 0);
}

#[tokio::test]
async fn a_wrong_password_deletes_nothing() {
    let (TestApp { app, database, .. }, [ana]) = TestApp::with_users().await;

    for wrong in ["", "battery staple", "correct horse "] {
        assert_forbidden(accounts::delete_own(&app, ana, wrong.to_owned()).await);
    }
    assert_eq!(database.count("users").await, 1);
    assert_unauthenticated(accounts::delete_own(&app, UserId::from(-1), PASSWORD.to_owned()).await);
}

#[tokio::test]
async fn acts_during_the_deletion_of_an_account_keep_counts_consistent() {
    let (TestApp { app, database, .. }, [ana]) = TestApp::with_users().await;
    let mut posts = Vec::new();
    for _ in 0..20 {
        posts.push(a_post().insert_into(&database).await.id);
    }

    let acting = async {
        for post in &posts {
            _ = hearts::add(&app, ana, *post).await;
            _ = shares::create(&app, ana, *post, ShareDetails::Url, None, |_| Vec::new()).await;
        }
    };
    let (deletion, ()) = tokio::join!(accounts::delete(&app, ana), acting);

    deletion.unwrap();
    assert_eq!(verify(&app, Repair::No, |_| ()).await.unwrap(), 0);
    assert_unauthenticated(hearts::add(&app, ana, posts[0]).await);
    let draft = comments::CommentDraft { post: posts[0], parent: None, text: comment_text() };
    assert_unauthenticated(comments::create(&app, ana, draft, None, |_| Vec::new()).await);
}

fn comment_text() -> CommentText {
    CommentText::parse("Still here").unwrap()
}

/// Inserts an active follow and updates both counts.
async fn follow(database: &TestDatabase, follower: UserId, followed: UserId) {
    database.execute(&format!(
        "INSERT INTO follows (id, follower_id, followed_id) VALUES (gen_random_uuid(), {follower}, {followed});
         UPDATE users SET following_count = following_count + 1 WHERE id = {follower};
         UPDATE users SET followers_count = followers_count + 1 WHERE id = {followed}"
    ))
    .await;
}
