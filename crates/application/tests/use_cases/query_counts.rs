//! Statement counts of use cases, and retries of failed transactions.

use grateful_application::accounts::{self, ChangePassword};
use grateful_application::{
    Error, IdempotencyKey, IdempotentRequest, QueryLog, feed, posts, sessions,
};
use grateful_domain::{
    FeedPageRequest, FeedStart, Limit, PageRequest, PostEdit, TrendingWindow, UserId, Viewer,
    Visibility,
};
use grateful_testkit::{
    PASSWORD, TestApp, TestDatabase, a_post, a_user, assert_queries, block, create_user, draft,
};

use crate::support::{
    create_post, credentials, log_in, password, post_id_in, session_of, sign_up_data,
};

#[tokio::test]
async fn lists_of_any_length_need_the_same_number_of_statements() {
    let (TestApp { app, database, .. }, [ana, ben]) = TestApp::with_users().await;
    fill(&database, ana, ben).await;

    for length in [1, 10, 50] {
        let page = PageRequest::first(Limit::parse(length).unwrap());
        let newest = assert_queries!(1, feed::list_newest(&app, Viewer::User(ben), page));
        let by_ana =
            assert_queries!(2 in 1, posts::list_by_author(&app, Viewer::User(ben), ana, page));
        let own = assert_queries!(1, posts::list_by_author(&app, Viewer::User(ana), ana, page));
        for list in [newest, by_ana, own] {
            assert_eq!(i64::try_from(list.items.len()).unwrap(), length);
        }
    }
}

#[tokio::test]
async fn a_feed_page_of_any_length_needs_two_statements_with_or_without_scores() {
    let (TestApp { app, database, .. }, [ben]) = TestApp::with_users().await;
    create_followed_authors(&database, ben, 200).await;

    for length in [1, 10, 50] {
        let limit = Limit::parse(length).unwrap();
        let ranked =
            assert_queries!(2, feed::list_ranked(&app, Viewer::User(ben), first_feed_page(limit)))
                .posts;
        let page = PageRequest::first(limit);
        let newest =
            assert_queries!(2, feed::list_newest_scored(&app, Viewer::User(ben), page)).items;
        let window = TrendingWindow::DEFAULT;
        let trending =
            assert_queries!(2, feed::list_trending(&app, Viewer::User(ben), window, limit));
        for posts in [ranked.len(), newest.len(), trending.len()] {
            assert_eq!(i64::try_from(posts).unwrap(), length);
        }
    }
}

/// With few authors, the spacing rule needs more candidates.
#[tokio::test]
async fn a_feed_page_of_two_authors_needs_at_most_three_statements() {
    let (TestApp { app, database, .. }, [ana, ben]) = TestApp::with_users().await;
    fill(&database, ana, ben).await;

    let mut request = first_feed_page(Limit::parse(50).unwrap());
    for length in [50, 50, 20] {
        let (page, queries) =
            Box::pin(QueryLog::record(feed::list_ranked(&app, Viewer::User(ben), request.clone())))
                .await;
        let page = page.unwrap();
        assert!(queries.total() <= 3, "{queries:#?}");
        assert_eq!(page.posts.len(), length);
        request.start = page.next.map_or(FeedStart::Offset(500), FeedStart::After);
    }
    assert_eq!(request.start, FeedStart::Offset(500));
}

#[tokio::test]
async fn reading_a_post_needs_one_statement_and_writing_a_few() {
    let (TestApp { app, .. }, [ana]) = TestApp::with_users().await;
    let edit = PostEdit { content: Some("For sun.".to_owned()), ..PostEdit::default() };
    let hide = PostEdit { visibility: Some(Visibility::Private), ..PostEdit::default() };

    let post =
        post_id_in(&assert_queries!(5 in 4, create_post(&app, ana, draft("For rain."), None)));
    assert_queries!(7, create_post(&app, ana, draft("For rain."), Some(idempotent_request())));
    assert_queries!(2, create_post(&app, ana, draft("For rain."), Some(idempotent_request())));
    assert_queries!(1, posts::get(&app, Viewer::Guest, post));
    assert_queries!(5, posts::update(&app, ana, post, edit.clone(), |_| true));
    assert_queries!(4, posts::update(&app, ana, post, edit, |_| true));
    assert_queries!(14, posts::update(&app, ana, post, hide, |_| true));
    assert_queries!(18, posts::delete(&app, ana, post, |_| true));
}

#[tokio::test]
async fn logging_in_and_out_needs_the_same_number_of_statements_for_any_number_of_sessions() {
    let TestApp { app, database, .. } = TestApp::create().await;
    let ana = a_user().insert_into(&database).await;
    assert_queries!(5, accounts::sign_up(&app, sign_up_data("ben", "ben@example.org")));

    for _ in 0..3 {
        let token =
            assert_queries!(5, accounts::log_in(&app, credentials(ana.email.as_str(), PASSWORD)));
        assert_queries!(1, sessions::authenticate(&app, &token));
        assert_queries!(1, sessions::list(&app, ana.id));
    }
    assert_queries!(2, sessions::log_out(&app, &log_in(&app, &ana).await));
    assert_queries!(1, sessions::revoke(&app, ana.id, session_of(&app, &ana).await.id));
    let session = session_of(&app, &ana).await;
    let change = ChangePassword { current: PASSWORD.to_owned(), new: password("battery staple") };
    assert_queries!(5, accounts::change_password(&app, &session, change));
    assert_queries!(1, sessions::revoke_all(&app, ana.id));
}

#[tokio::test]
async fn a_transaction_that_fails_twice_is_retried_and_takes_effect_once() {
    let (TestApp { app, database, .. }, [ana]) = TestApp::with_users().await;
    fail_insertions(&database, 2).await;

    create_post(&app, ana, draft("For rain."), Some(idempotent_request())).await.unwrap();

    assert_eq!(database.count("posts").await, 1);
    assert_eq!(database.count("users WHERE posts_count = 1").await, 1);
}

#[tokio::test]
async fn a_transaction_that_fails_three_times_is_given_up_without_effect() {
    let (TestApp { app, database, .. }, [ana]) = TestApp::with_users().await;
    fail_insertions(&database, 3).await;

    let rejected = create_post(&app, ana, draft("For rain."), Some(idempotent_request())).await;
    let retried = create_post(&app, ana, draft("For rain."), Some(idempotent_request())).await;

    assert!(matches!(rejected, Err(Error::Contended(_))), "{rejected:?}");
    retried.unwrap();
    assert_eq!(database.count("posts").await, 1);
    assert_eq!(database.count("users WHERE posts_count = 1").await, 1);
}

/// Creates sixty posts by each of two users, with hearts, reactions and a block.
async fn fill(database: &TestDatabase, ana: UserId, ben: UserId) {
    for _ in 0..60 {
        a_post().by(ana).insert_into(database).await;
        a_post().by(ben).insert_into(database).await;
    }
    let stranger = create_user(database).await;
    a_post().by(stranger).insert_into(database).await;
    block(database, stranger, ben).await;
    let react = format!(
        "INSERT INTO likes (id, user_id, post_id) SELECT gen_random_uuid(), {ben}, id FROM posts;
         INSERT INTO emoji_reactions (id, user_id, post_id, emoji_code)
             SELECT gen_random_uuid(), {ben}, id, 'hug' FROM posts"
    );
    database.execute(&react).await;
}

/// Inserts posts, each by another author and with hearts. The user follows half of the authors.
async fn create_followed_authors(database: &TestDatabase, user: UserId, posts: u32) {
    database.execute(&format!(
        "INSERT INTO users (email, username, hashed_password)
         SELECT 'c' || n || '@example.org', 'c' || n, '' FROM generate_series(1, {posts}) n;
         INSERT INTO posts (id, author_id, content, created_at, hearts_count)
         SELECT gen_random_uuid(), id, 'Rain', timestamptz '2026-01-05 12:00Z' - id * interval '1 minute', 1 + id % 7
         FROM users WHERE id <> {user};
         INSERT INTO follows (id, follower_id, followed_id)
         SELECT gen_random_uuid(), {user}, id FROM users WHERE id <> {user} AND id % 2 = 0"
    ))
    .await;
}

fn first_feed_page(limit: Limit) -> FeedPageRequest {
    FeedPageRequest { limit, start: FeedStart::Offset(0) }
}

/// Lets the first `times` insertions of a post fail with a serialization failure. A sequence counts them, since it is
/// not rolled back.
async fn fail_insertions(database: &TestDatabase, times: u32) {
    let sql = format!(
        "CREATE SEQUENCE attempts;
         CREATE FUNCTION fail_insertions() RETURNS trigger LANGUAGE plpgsql AS $$
         BEGIN
             IF nextval('attempts') <= {times} THEN
                 RAISE EXCEPTION 'could not serialize access' USING ERRCODE = '40001';
             END IF;
             RETURN NEW;
         END $$;
         CREATE TRIGGER fail_insertions BEFORE INSERT ON posts FOR EACH ROW EXECUTE FUNCTION fail_insertions()"
    );
    database.execute(&sql).await;
}

fn idempotent_request() -> IdempotentRequest {
    IdempotentRequest { key: IdempotencyKey::parse("rain").unwrap(), fingerprint: [1; 32] }
}
