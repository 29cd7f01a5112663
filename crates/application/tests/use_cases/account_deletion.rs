//! Deleting an account: what it counted for elsewhere goes first.

use futures_util::future::join_all;
use grateful_application::verify::{Repair, verify};
use grateful_application::{Error, accounts, comments, hearts, shares};
use grateful_domain::{CommentText, ShareDetails, UserId};
use grateful_storage::Repositories;
use grateful_testkit::{
    PASSWORD, TestApp, TestDatabase, a_comment, a_heart, a_link_share, a_message_share, a_post,
    a_reaction, create_user, load_engagement,
};

use crate::support::{assert_forbidden, assert_unauthenticated};

#[tokio::test]
async fn an_account_takes_back_what_it_counted_for_elsewhere() {
    let TestApp { app, database, .. } = TestApp::create().await;
    let [ana, ben, cem] =
        [create_user(&database).await, create_user(&database).await, create_user(&database).await];
    let bens = a_post().by(ben).insert_into(&database).await;
    let own = a_post().by(ana).insert_into(&database).await;
    let mut conn = database.connect().await;
    conn.hearts().add(&a_heart(ana, bens.id)).await.unwrap();
    conn.hearts().add(&a_heart(cem, bens.id)).await.unwrap();
    conn.hearts().add(&a_heart(ben, own.id)).await.unwrap();
    conn.emoji_reactions().set(&a_reaction(ana, bens.id)).await.unwrap();
    conn.shares().create(&a_link_share(ana, bens.id)).await.unwrap();
    conn.shares().create(&a_message_share(ana, bens.id, &[ben])).await.unwrap();
    conn.shares().create(&a_message_share(ana, bens.id, &[cem])).await.unwrap();
    let said = a_comment().by(ana).on(&bens).insert_into(&database).await;
    a_comment().by(cem).replying_to(&said).insert_into(&database).await;
    follow(&database, ana, ben).await;
    follow(&database, cem, ana).await;
    follow(&database, cem, ben).await;

    accounts::delete(&app, ana).await.unwrap();

    let left = load_engagement(&database, bens.id).await;
    assert_eq!((left.hearts, left.reactions, left.shares, left.comments), (1, 0, 0, 0));
    assert_eq!(database.count("posts").await, 1);
    assert_eq!(database.count(&format!("users WHERE id = {ben} AND followers_count = 1")).await, 1);
    assert_eq!(database.count(&format!("users WHERE id = {cem} AND following_count = 1")).await, 1);
    assert_eq!(verify(&app, Repair::No, |_| ()).await.unwrap(), 0);
}

#[tokio::test]
async fn an_account_that_is_gone_cannot_go_again() {
    let TestApp { app, database, .. } = TestApp::create().await;
    let ana = create_user(&database).await;
    accounts::delete(&app, ana).await.unwrap();

    let again = accounts::delete(&app, ana).await;

    assert!(matches!(again, Err(Error::NotFound { .. })), "{again:?}");
}

#[tokio::test]
async fn of_several_who_leave_with_the_same_account_one_does_and_the_others_are_nobody_by_then() {
    let TestApp { app, database, .. } = TestApp::create().await;
    let ana = create_user(&database).await;
    for _ in 0..5 {
        let post = a_post().insert_into(&database).await;
        hearts::add(&app, ana, post.id).await.unwrap();
    }

    let leaving = (0..4).map(|_| accounts::delete_own(&app, ana, PASSWORD.to_owned()));
    let (left, refused): (Vec<_>, Vec<_>) =
        join_all(leaving).await.into_iter().partition(Result::is_ok);

    assert_eq!((left.len(), refused.len()), (1, 3));
    refused.into_iter().for_each(assert_unauthenticated);
    assert_eq!(verify(&app, Repair::No, |_| ()).await.unwrap(), 0);
}

#[tokio::test]
async fn a_wrong_password_deletes_nothing() {
    let TestApp { app, database, .. } = TestApp::create().await;
    let ana = create_user(&database).await;

    for wrong in ["", "battery staple", "correct horse "] {
        assert_forbidden(accounts::delete_own(&app, ana, wrong.to_owned()).await);
    }
    assert_eq!(database.count("users").await, 1);
    assert_unauthenticated(accounts::delete_own(&app, UserId::from(-1), PASSWORD.to_owned()).await);
}

#[tokio::test]
async fn whoever_acts_while_their_account_goes_leaves_no_number_wrong() {
    let TestApp { app, database, .. } = TestApp::create().await;
    let ana = create_user(&database).await;
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
    let (gone, ()) = tokio::join!(accounts::delete(&app, ana), acting);

    gone.unwrap();
    assert_eq!(verify(&app, Repair::No, |_| ()).await.unwrap(), 0);
    assert_unauthenticated(hearts::add(&app, ana, posts[0]).await);
    let say = comments::CommentDraft { post: posts[0], parent: None, text: words() };
    assert_unauthenticated(comments::create(&app, ana, say, None, |_| Vec::new()).await);
}

fn words() -> CommentText {
    CommentText::parse("Still here").unwrap()
}

/// An active edge, counted.
async fn follow(database: &TestDatabase, fan: UserId, star: UserId) {
    database.execute(&format!(
        "INSERT INTO follows (id, follower_id, followed_id) VALUES (gen_random_uuid(), {fan}, {star});
         UPDATE users SET following_count = following_count + 1 WHERE id = {fan};
         UPDATE users SET followers_count = followers_count + 1 WHERE id = {star}"
    ))
    .await;
}
