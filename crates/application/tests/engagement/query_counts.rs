//! Statement counts of acts and lists: at most nine for an act that notifies one user, at most three for a list of any
//! length. `8 in 6` means eight statements in six round trips.

use grateful_application::{comments, hearts, reactions, shares};
use grateful_domain::{Emoji, Limit, PageRequest, ShareDetails};
use grateful_testkit::{
    TestApp, TestDatabase, a_comment, a_post, assert_queries, block, create_comment_idempotently,
    create_user, idempotent_request, message_to,
};

use crate::support::{comment_text, create_comment, create_reply, create_share, draft_on};

#[tokio::test]
async fn hearts_and_reactions_need_a_constant_number_of_statements() {
    let TestApp { app, database, .. } = TestApp::create().await;
    let post = a_post().insert_into(&database).await.id;

    for _ in 0..3 {
        let user = create_user(&database).await;
        assert_queries!(8 in 6, hearts::add(&app, user, post));
        assert_queries!(9 in 7, hearts::remove(&app, user, post));
        assert_queries!(8 in 6, hearts::add(&app, user, post));
        assert_queries!(8 in 6, reactions::set(&app, user, post, Emoji::Hug));
        assert_queries!(8 in 6, reactions::set(&app, user, post, Emoji::Joy));
        assert_queries!(9 in 7, reactions::remove(&app, user, post));
        assert_queries!(8 in 6, reactions::set(&app, user, post, Emoji::Hug));
        assert_queries!(1, hearts::get_status(&app, user, post));
        assert_queries!(2 in 1, reactions::get_summary(&app, user, post));
    }
}

#[tokio::test]
async fn shares_need_a_constant_number_of_statements_for_any_number_of_recipients() {
    let TestApp { app, database, .. } = TestApp::create().await;
    let post = a_post().insert_into(&database).await.id;
    let ana = create_user(&database).await;
    let mut recipients = Vec::new();

    assert_queries!(8 in 6, create_share(&app, ana, post, ShareDetails::Url));
    assert_queries!(6 in 4, create_share(&app, ana, post, ShareDetails::Url));
    assert_queries!(9 in 6, shares::delete(&app, ana, post));
    for _ in 0..5 {
        recipients.push(create_user(&database).await);
        assert_queries!(11 in 7, create_share(&app, ana, post, message_to(ana, &recipients)));
    }
    assert_queries!(
        13,
        grateful_testkit::create_share(
            &app,
            ana,
            post,
            message_to(ana, &recipients),
            Some(idempotent_request("hi", 1))
        )
    );
    assert_queries!(
        2,
        grateful_testkit::create_share(
            &app,
            ana,
            post,
            message_to(ana, &recipients),
            Some(idempotent_request("hi", 1))
        )
    );
}

#[tokio::test]
async fn comments_need_a_constant_number_of_statements() {
    let TestApp { app, database, .. } = TestApp::create().await;
    let post = a_post().insert_into(&database).await.id;
    let ana = create_user(&database).await;

    for _ in 0..3 {
        let comment = assert_queries!(8 in 6, create_comment(&app, ana, post));
        let nested = assert_queries!(9 in 6, create_reply(&app, ana, post, comment));
        assert_queries!(9 in 6, create_reply(&app, ana, post, nested));
        assert_queries!(5, comments::update(&app, ana, nested, comment_text("So lovely")));
        assert_queries!(4, comments::update(&app, ana, nested, comment_text("So lovely")));
        assert_queries!(18, comments::delete(&app, ana, comment));
    }
    assert_queries!(
        10,
        create_comment_idempotently(
            &app,
            ana,
            draft_on(post),
            Some(idempotent_request("lovely", 1))
        )
    );
    assert_queries!(
        2,
        create_comment_idempotently(
            &app,
            ana,
            draft_on(post),
            Some(idempotent_request("lovely", 1))
        )
    );
}

#[tokio::test]
async fn lists_of_any_length_need_the_same_number_of_statements() {
    let (TestApp { app, database, .. }, [ana]) = TestApp::with_users().await;
    let post = a_post().by(ana).insert_into(&database).await;
    let comment = a_comment().on(&post).insert_into(&database).await;
    fill(&database, &post.id.to_string(), &comment.id.to_string()).await;
    block(&database, ana, create_user(&database).await).await;

    for length in [1, 10, 50] {
        let page = PageRequest::first(Limit::parse(length).unwrap());
        let hearts = assert_queries!(2 in 1, hearts::list(&app, ana, post.id, page)).items.len();
        let reactions =
            assert_queries!(2 in 1, reactions::list(&app, ana, post.id, page)).items.len();
        let comments =
            assert_queries!(2 in 2, comments::list(&app, ana, post.id, page)).items.len();
        let replies =
            assert_queries!(3, comments::list_replies(&app, ana, comment.id, page)).items.len();
        for items in [hearts, reactions, comments, replies] {
            assert_eq!(i64::try_from(items).unwrap(), length);
        }
    }
}

/// Adds sixty hearts, reactions and comments to the post, and sixty replies to the comment.
async fn fill(database: &TestDatabase, post: &str, comment: &str) {
    database
        .execute(&format!(
            "INSERT INTO users (email, username, hashed_password)
         SELECT 'p' || n || '@example.org', 'p' || n, 'x' FROM generate_series(1, 60) n;
         INSERT INTO likes (id, user_id, post_id)
         SELECT gen_random_uuid(), id, '{post}' FROM users;
         INSERT INTO emoji_reactions (id, user_id, post_id, emoji_code)
         SELECT gen_random_uuid(), id, '{post}', 'hug' FROM users;
         INSERT INTO comments (id, author_id, post_id, parent_id, content)
         SELECT gen_random_uuid(), id, '{post}', parent, 'Lovely'
         FROM users, (VALUES (NULL), ('{comment}'::uuid)) AS parents (parent)"
        ))
        .await;
}
