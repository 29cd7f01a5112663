//! How many statements each act and each list costs: at most nine for an act that tells one person of it, and three for a
//! list however long.

use grateful_application::{comments, hearts, reactions, shares};
use grateful_domain::{Emoji, Limit, PageRequest, ShareDetails};
use grateful_testkit::{
    TestApp, TestDatabase, a_comment, a_post, assert_queries, block, create_user,
};

use crate::support::{
    about, hi, idempotent, reply, say, say_repeatably, share, share_repeatably, words,
};

#[tokio::test]
async fn hearts_and_reactions_cost_a_few_statements_however_popular_the_post() {
    let TestApp { app, database, .. } = TestApp::create().await;
    let post = a_post().insert_into(&database).await.id;

    for _ in 0..3 {
        let user = create_user(&database).await;
        assert_queries!(8, hearts::add(&app, user, post));
        assert_queries!(8, hearts::remove(&app, user, post));
        assert_queries!(8, hearts::add(&app, user, post));
        assert_queries!(8, reactions::set(&app, user, post, Emoji::Hug));
        assert_queries!(8, reactions::set(&app, user, post, Emoji::Joy));
        assert_queries!(8, reactions::remove(&app, user, post));
        assert_queries!(8, reactions::set(&app, user, post, Emoji::Hug));
        assert_queries!(1, hearts::get_status(&app, user, post));
        assert_queries!(2, reactions::get_summary(&app, user, post));
    }
}

#[tokio::test]
async fn shares_cost_a_few_statements_however_many_are_named() {
    let TestApp { app, database, .. } = TestApp::create().await;
    let post = a_post().insert_into(&database).await.id;
    let ana = create_user(&database).await;
    let mut people = Vec::new();

    assert_queries!(8, share(&app, ana, post, ShareDetails::Url));
    assert_queries!(6, share(&app, ana, post, ShareDetails::Url));
    assert_queries!(8, shares::delete(&app, ana, post));
    for _ in 0..5 {
        people.push(create_user(&database).await);
        assert_queries!(11, share(&app, ana, post, hi(ana, &people)));
    }
    assert_queries!(
        13,
        share_repeatably(&app, ana, post, hi(ana, &people), Some(idempotent("hi", 1)))
    );
    assert_queries!(
        2,
        share_repeatably(&app, ana, post, hi(ana, &people), Some(idempotent("hi", 1)))
    );
}

#[tokio::test]
async fn comments_cost_a_few_statements_however_many_there_are() {
    let TestApp { app, database, .. } = TestApp::create().await;
    let post = a_post().insert_into(&database).await.id;
    let ana = create_user(&database).await;

    for _ in 0..3 {
        let comment = assert_queries!(8, say(&app, ana, post));
        let answer = assert_queries!(9, reply(&app, ana, post, comment));
        assert_queries!(9, reply(&app, ana, post, answer));
        assert_queries!(5, comments::update(&app, ana, answer, words("So lovely")));
        assert_queries!(4, comments::update(&app, ana, answer, words("So lovely")));
        assert_queries!(11, comments::delete(&app, ana, comment));
    }
    assert_queries!(10, say_repeatably(&app, ana, about(post), Some(idempotent("lovely", 1))));
    assert_queries!(2, say_repeatably(&app, ana, about(post), Some(idempotent("lovely", 1))));
}

#[tokio::test]
async fn a_list_costs_the_same_at_any_length() {
    let TestApp { app, database, .. } = TestApp::create().await;
    let ana = create_user(&database).await;
    let post = a_post().by(ana).insert_into(&database).await;
    let comment = a_comment().on(&post).insert_into(&database).await;
    fill(&database, &post.id.to_string(), &comment.id.to_string()).await;
    block(&database, ana, create_user(&database).await).await;

    for length in [1, 10, 50] {
        let page = PageRequest::first(Limit::parse(length).unwrap());
        let hearts = assert_queries!(2, hearts::list(&app, ana, post.id, page)).items.len();
        let reactions = assert_queries!(2, reactions::list(&app, ana, post.id, page)).items.len();
        let said = assert_queries!(2, comments::list(&app, ana, post.id, page)).items.len();
        let answers =
            assert_queries!(3, comments::list_replies(&app, ana, comment.id, page)).items.len();
        for items in [hearts, reactions, said, answers] {
            assert_eq!(i64::try_from(items).unwrap(), length);
        }
    }
}

/// Sixty of everything on the post, and sixty answers to the comment.
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
