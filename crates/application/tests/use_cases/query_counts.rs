//! How many statements each use case costs, and what happens when PostgreSQL gives one up.

use grateful_application::accounts::{self, ChangePassword};
use grateful_application::{
    Error, IdempotencyKey, IdempotentRequest, QueryLog, feed, posts, sessions,
};
use grateful_domain::{
    FeedPageRequest, FeedStart, Limit, PageRequest, PostEdit, TrendingWindow, UserId, Viewer,
    Visibility,
};
use grateful_testkit::{
    PASSWORD, TestApp, TestDatabase, a_post, a_user, assert_queries, block, create_user,
};

use crate::support::{draft, log_in, newcomer, password, post_in, publish, session_of, typed};

#[tokio::test]
async fn a_list_costs_the_same_at_any_length() {
    let TestApp { app, database, .. } = TestApp::create().await;
    let (ana, ben) = (create_user(&database).await, create_user(&database).await);
    fill(&database, ana, ben).await;

    for length in [1, 10, 50] {
        let page = PageRequest::first(Limit::parse(length).unwrap());
        let newest = assert_queries!(1, feed::list_newest(&app, Viewer::User(ben), page));
        let by_ana = assert_queries!(2, posts::list_by_author(&app, Viewer::User(ben), ana, page));
        let own = assert_queries!(1, posts::list_by_author(&app, Viewer::User(ana), ana, page));
        for slice in [newest, by_ana, own] {
            assert_eq!(i64::try_from(slice.items.len()).unwrap(), length);
        }
    }
}

#[tokio::test]
async fn a_page_of_the_feed_costs_two_statements_at_any_length_and_explaining_it_nothing() {
    let TestApp { app, database, .. } = TestApp::create().await;
    let ben = create_user(&database).await;
    crowd(&database, ben, 200).await;

    for length in [1, 10, 50] {
        let limit = Limit::parse(length).unwrap();
        let ranked =
            assert_queries!(2, feed::list_ranked(&app, Viewer::User(ben), from_the_start(limit)))
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

/// Where few wrote all there is, spacing reaches behind them.
#[tokio::test]
async fn a_page_of_a_feed_that_two_people_wrote_costs_three_statements_at_most() {
    let TestApp { app, database, .. } = TestApp::create().await;
    let (ana, ben) = (create_user(&database).await, create_user(&database).await);
    fill(&database, ana, ben).await;

    let mut stretch = from_the_start(Limit::parse(50).unwrap());
    for length in [50, 50, 20] {
        let (leg, queries) =
            QueryLog::record(feed::list_ranked(&app, Viewer::User(ben), stretch.clone())).await;
        let leg = leg.unwrap();
        assert!(queries.total() <= 3, "{queries:#?}");
        assert_eq!(leg.posts.len(), length);
        stretch.start = leg.next.map_or(FeedStart::Offset(500), FeedStart::After);
    }
    assert_eq!(stretch.start, FeedStart::Offset(500));
}

#[tokio::test]
async fn a_post_costs_one_statement_to_read_and_a_few_to_write() {
    let TestApp { app, database, .. } = TestApp::create().await;
    let ana = create_user(&database).await;
    let words = PostEdit { content: Some("For sun.".to_owned()), ..PostEdit::default() };
    let hidden = PostEdit { visibility: Some(Visibility::Private), ..PostEdit::default() };

    let post = post_in(&assert_queries!(5, publish(&app, ana, draft("For rain."), None)));
    assert_queries!(7, publish(&app, ana, draft("For rain."), Some(rain())));
    assert_queries!(2, publish(&app, ana, draft("For rain."), Some(rain())));
    assert_queries!(1, posts::get(&app, Viewer::Guest, post));
    assert_queries!(5, posts::update(&app, ana, post, words.clone(), |_| true));
    assert_queries!(4, posts::update(&app, ana, post, words, |_| true));
    assert_queries!(7, posts::update(&app, ana, post, hidden, |_| true));
    assert_queries!(6, posts::delete(&app, ana, post));
}

#[tokio::test]
async fn signing_in_and_out_costs_a_few_statements_however_many_sessions_there_are() {
    let TestApp { app, database, .. } = TestApp::create().await;
    let ana = a_user().insert_into(&database).await;
    assert_queries!(4, accounts::sign_up(&app, newcomer("ben", "ben@example.org")));

    for _ in 0..3 {
        let token = assert_queries!(5, accounts::log_in(&app, typed(ana.email.as_str(), PASSWORD)));
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
async fn a_transaction_that_loses_twice_is_tried_a_third_time_and_leaves_one_effect() {
    let TestApp { app, database, .. } = TestApp::create().await;
    let ana = create_user(&database).await;
    lose(&database, 2).await;

    publish(&app, ana, draft("For rain."), Some(rain())).await.unwrap();

    assert_eq!(database.count("posts").await, 1);
    assert_eq!(database.count("users WHERE posts_count = 1").await, 1);
}

#[tokio::test]
async fn a_transaction_that_loses_three_times_is_given_up_and_leaves_nothing() {
    let TestApp { app, database, .. } = TestApp::create().await;
    let ana = create_user(&database).await;
    lose(&database, 3).await;

    let refused = publish(&app, ana, draft("For rain."), Some(rain())).await;
    let retried = publish(&app, ana, draft("For rain."), Some(rain())).await;

    assert!(matches!(refused, Err(Error::Contended(_))), "{refused:?}");
    retried.unwrap();
    assert_eq!(database.count("posts").await, 1);
    assert_eq!(database.count("users WHERE posts_count = 1").await, 1);
}

/// Sixty posts by each of two people, with reactions and a block, as a page may meet them.
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

/// So many posts of as many people, half of whom somebody follows, and all of whom were answered.
async fn crowd(database: &TestDatabase, somebody: UserId, posts: u32) {
    database.execute(&format!(
        "INSERT INTO users (email, username, hashed_password)
         SELECT 'c' || n || '@example.org', 'c' || n, '' FROM generate_series(1, {posts}) n;
         INSERT INTO posts (id, author_id, content, created_at, hearts_count)
         SELECT gen_random_uuid(), id, 'Rain', timestamptz '2026-01-05 12:00Z' - id * interval '1 minute', 1 + id % 7
         FROM users WHERE id <> {somebody};
         INSERT INTO follows (id, follower_id, followed_id)
         SELECT gen_random_uuid(), {somebody}, id FROM users WHERE id <> {somebody} AND id % 2 = 0"
    ))
    .await;
}

fn from_the_start(limit: Limit) -> FeedPageRequest {
    FeedPageRequest { limit, start: FeedStart::Offset(0) }
}

/// Lets the first `times` insertions of a post fail as a transaction does that lost against another. A sequence
/// counts them, since nothing rolls it back.
async fn lose(database: &TestDatabase, times: u32) {
    let sql = format!(
        "CREATE SEQUENCE attempts;
         CREATE FUNCTION lose() RETURNS trigger LANGUAGE plpgsql AS $$
         BEGIN
             IF nextval('attempts') <= {times} THEN
                 RAISE EXCEPTION 'could not serialize access' USING ERRCODE = '40001';
             END IF;
             RETURN NEW;
         END $$;
         CREATE TRIGGER lose BEFORE INSERT ON posts FOR EACH ROW EXECUTE FUNCTION lose()"
    );
    database.execute(&sql).await;
}

fn rain() -> IdempotentRequest {
    IdempotentRequest { key: IdempotencyKey::parse("rain").unwrap(), fingerprint: [1; 32] }
}
