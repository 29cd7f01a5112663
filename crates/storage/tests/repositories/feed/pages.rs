//! Pages of the ranked feed, compared with the composition of all posts.

use grateful_domain::{
    AuthorRelationship, CandidateLists, FeedCursor, MAX_CLOCK_SKEW, PostId, Slot, UserId, Viewer,
    compose,
};
use grateful_storage::{Connection, QueryLog, Repositories};
use grateful_test_database::{MetricsCapture, NOON, TestDatabase};

use super::dataset::{DatasetConfig, create_dataset, create_follows, load_candidates, set_follows};

/// The part of a page that is compared: each post with its slot.
type Page = Vec<(PostId, Slot)>;

#[tokio::test]
async fn pages_equal_the_composition_of_all_posts_for_any_number_of_follows() {
    let database = TestDatabase::create().await;
    create_dataset(&database, &DatasetConfig { users: 6000, posts: 5000, skew: 2, seed: 1 }).await;
    create_follows(&database, 2, 90).await;
    create_follows(&database, 3, 1500).await;
    create_follows(&database, 4, 5000).await;
    set_follows(&database, &[(4, 30), (50, 4), (2, 60), (5, 1), (5, 2), (3, 5)], "blocked").await;
    set_follows(&database, &[(2, 9), (4, 11)], "pending").await;
    let mut conn = database.pool.acquire().await.unwrap();

    for viewer in [Viewer::Guest, user(1), user(2), user(3), user(4), user(5)] {
        for limits in [&[20][..], &[100], &[1, 7, 50, 3]] {
            assert_feed_matches(&mut conn, viewer, limits).await;
        }
    }
}

#[tokio::test]
async fn pages_equal_the_composition_of_all_posts_when_ranks_are_nearly_equal() {
    let database = TestDatabase::create().await;
    create_dataset(&database, &DatasetConfig { users: 3000, posts: 4000, skew: 1, seed: 2 }).await;
    // More posts of nearly equal rank than the feed inspects one by one.
    database
        .execute(
            "UPDATE posts SET hearts_count = 0, reactions_count = 0, shares_count = 0, created_at =
                  timestamptz '2026-01-05 12:00Z' - floor(random() * 5000) * interval '1 second'",
        )
        .await;
    for (follower, count) in [(1, 50), (2, 400), (3, 2500), (5, 15)] {
        create_follows(&database, follower, count).await;
    }
    let mut conn = database.pool.acquire().await.unwrap();

    for viewer in [user(1), user(2), user(3), user(4), user(5)] {
        assert_feed_matches(&mut conn, viewer, &[20, 33]).await;
    }
}

/// A node whose clock is a month ahead wrote half of the posts, and one whose clock is a minute ahead some others.
#[tokio::test]
async fn pages_have_no_posts_dated_in_the_future_but_those_of_a_clock_slightly_ahead() {
    let database = TestDatabase::create().await;
    let mut conn = database.pool.acquire().await.unwrap();
    for (seed, users) in [(5, 5), (6, 2000)] {
        create_dataset(&database, &DatasetConfig { users, posts: 2000, skew: 1, seed }).await;
        database
            .execute(
                "UPDATE posts SET created_at = created_at + interval '30 days' WHERE hearts_count % 2 = 0;
                 UPDATE posts SET created_at = timestamptz '2026-01-05 12:01Z' WHERE hearts_count % 97 = 1",
            )
            .await;
        create_follows(&database, 1, users / 2).await;

        for viewer in [Viewer::Guest, user(1)] {
            assert_feed_matches(&mut conn, viewer, &[20]).await;
        }
        let all = load_candidates(&mut conn, Viewer::Guest).await;
        assert!(all.iter().any(|post| NOON < post.created_at));
        assert!(all.iter().all(|post| post.created_at < NOON + MAX_CLOCK_SKEW));
    }
}

#[tokio::test]
async fn the_number_of_candidates_per_page_is_recorded() {
    let database = TestDatabase::create().await;
    create_dataset(&database, &DatasetConfig { users: 40, posts: 300, skew: 1, seed: 4 }).await;
    let mut conn = database.pool.acquire().await.unwrap();
    let metrics = MetricsCapture::start();

    conn.feed().compose(user(1), &FeedCursor::default(), NOON, 10).await.unwrap();

    // A page of ten loads the best 31 and the newest 31 posts; posts of followed users are among them.
    assert_eq!(metrics.take_histogram("grateful_feed_candidates"), [62.0]);
}

/// With few authors, spacing needs posts far below the best ones.
#[tokio::test]
async fn pages_equal_the_composition_of_all_posts_with_few_authors() {
    let database = TestDatabase::create().await;
    let mut conn = database.pool.acquire().await.unwrap();
    for seed in 0..24 {
        let (users, skew) = ([1, 2, 3, 5, 9, 40][seed as usize % 6], [1, 4, 9][seed as usize % 3]);
        create_dataset(&database, &DatasetConfig { users, posts: 300, skew, seed }).await;
        create_follows(&database, 1, users.min(4) - 1).await;

        for viewer in [Viewer::Guest, user(1)] {
            assert_feed_matches(&mut conn, viewer, &[20]).await;
            assert_feed_matches(&mut conn, viewer, &[1, 2, 3, 5, 8, 13, 21, 34]).await;
        }
    }
}

/// The first three users wrote all of the best posts and the next three all of the newest, hundreds each. Posts of other
/// users rank far below both, and every page needs some of them.
#[tokio::test]
async fn pages_equal_the_composition_of_all_posts_when_few_authors_wrote_the_best_and_the_newest() {
    let database = TestDatabase::create().await;
    let mut conn = database.pool.acquire().await.unwrap();
    for (best, newest) in [(1, 1), (1, 2), (2, 1), (2, 2), (3, 3)] {
        create_dataset(&database, &DatasetConfig { users: 200, posts: 3000, skew: 1, seed: 3 })
            .await;
        database.execute(&format!(
            "DELETE FROM posts WHERE author_id <= 6;
             UPDATE posts SET hearts_count = 0, created_at = created_at - interval '9 days';
             INSERT INTO posts (id, author_id, content, hearts_count, created_at)
             SELECT gen_random_uuid(), 1 + n / 300, 'Rain', 100000 - 7 * n, timestamptz '2026-01-01 12:00Z'
             FROM generate_series(0, {best} * 300 - 1) n;
             INSERT INTO posts (id, author_id, content, created_at)
             SELECT gen_random_uuid(), 4 + n / 300, 'Rain', timestamptz '2026-01-05 12:00Z' - n * interval '1 second'
             FROM generate_series(0, {newest} * 300 - 1) n"
        ))
        .await;
        create_follows(&database, 100, 40).await;
        set_follows(&database, &[(100, 1), (100, 4)], "active").await;

        for viewer in [user(99), user(100)] {
            assert_feed_matches(&mut conn, viewer, &[20]).await;
            assert_feed_matches(&mut conn, viewer, &[1]).await;
            assert_feed_matches(&mut conn, viewer, &[100]).await;
        }
    }
}

#[tokio::test]
async fn a_forged_cursor_gets_a_page_without_the_posts_it_claims_were_served() {
    let database = TestDatabase::create().await;
    create_dataset(&database, &DatasetConfig { users: 50, posts: 200, skew: 1, seed: 4 }).await;
    let mut conn = database.pool.acquire().await.unwrap();
    let all = load_candidates(&mut conn, user(1)).await;
    // An order in which no feed returns posts.
    let cursor =
        FeedCursor::default().advance(all.iter().rev().take(77).map(|post| (post.id, post.author)));

    let (page, _) = page(&mut conn, user(1), &cursor, 20).await;

    assert_eq!(page, brute_force(&all, &cursor, 20));
}

#[tokio::test]
async fn authors_are_followed_only_for_viewers_with_an_active_follow() {
    let database = TestDatabase::create().await;
    create_dataset(&database, &DatasetConfig { users: 9, posts: 1, skew: 1, seed: 5 }).await;
    set_follows(&database, &[(1, 2), (3, 1)], "active").await;
    set_follows(&database, &[(1, 4)], "pending").await;
    set_follows(&database, &[(1, 5)], "blocked").await;
    let mut conn = database.pool.acquire().await.unwrap();
    let authors: Vec<UserId> = (1..=5).map(UserId::from).collect();

    for (viewer, followed) in [(Viewer::Guest, None), (user(1), Some(UserId::from(2)))] {
        let relationships = conn.feed().find_author_relationships(viewer, &authors).await.unwrap();
        for author in &authors {
            let is_followed = relationships[author] == AuthorRelationship::Followed;
            assert_eq!(is_followed, followed == Some(*author), "{viewer:?} {author}");
        }
    }
}

/// Reads the feed to its end in pages of these sizes, in turn, and compares each page with the composition of all posts.
async fn assert_feed_matches(conn: &mut Connection, viewer: Viewer, limits: &[usize]) {
    let all = load_candidates(conn, viewer).await;
    let expected = brute_force(&all, &FeedCursor::default(), FeedCursor::MAX_POSITIONS);
    let (mut cursor, mut found) = (FeedCursor::default(), Vec::new());
    for limit in limits.iter().cycle() {
        let (next, has_more) = page(conn, viewer, &cursor, *limit).await;
        let end = expected.len().min(found.len() + limit);
        assert_eq!(next, expected[found.len()..end], "{viewer:?} {limits:?} from {}", found.len());
        found.extend(next.iter().copied());
        assert_eq!(has_more, found.len() < all.len(), "{viewer:?} {limits:?} at {}", found.len());
        let author = |id| all.iter().find(|post| post.id == id).unwrap().author;
        cursor = cursor.advance(next.iter().map(|(id, _)| (*id, author(*id))));
        if found.len() == expected.len() {
            return;
        }
    }
}

async fn page(
    conn: &mut Connection,
    viewer: Viewer,
    cursor: &FeedCursor,
    limit: usize,
) -> (Page, bool) {
    let (composed, queries) =
        QueryLog::record(conn.feed().compose(viewer, cursor, NOON, limit)).await;
    assert!(queries.total() <= 2, "{queries:#?}");
    let composed = composed.unwrap();
    let items = composed.items.iter().map(|served| (served.item.post.id, served.item.slot));
    (items.collect(), composed.has_more)
}

fn brute_force(all: &[grateful_domain::Candidate], cursor: &FeedCursor, limit: usize) -> Page {
    let items = compose(&CandidateLists::from_posts(all.to_vec()), cursor, limit).unwrap();
    items.iter().map(|item| (item.post.id, item.slot)).collect()
}

fn user(id: i64) -> Viewer {
    Viewer::User(UserId::from(id))
}
