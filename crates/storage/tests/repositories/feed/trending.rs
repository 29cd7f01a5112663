//! Trending posts, compared with the scores of all posts.

use grateful_domain::{Limit, PostId, TrendingConfig, TrendingWindow, UserId, Viewer};
use grateful_storage::{Connection, QueryLog, Repositories};
use grateful_test_database::{NOON, TestDatabase};

use super::dataset::{DatasetConfig, create_dataset, load_posts, set_follows};

#[tokio::test]
async fn trending_posts_are_those_with_the_highest_scores() {
    let database = TestDatabase::create().await;
    let mut conn = database.pool.acquire().await.unwrap();
    for (seed, update) in [
        (1, ""),
        // With little engagement, recency decides.
        (2, "hearts_count = hearts_count % 3, reactions_count = 0, shares_count = 0"),
        (3, "hearts_count = 0, reactions_count = 0, shares_count = 0"),
        // Posts with much engagement weeks ago, and a few with times in the future, from a node whose clock is ahead.
        (
            4,
            "created_at = created_at - (reactions_count % 3) * interval '20 days' + interval '10 minutes'",
        ),
    ] {
        create_dataset(&database, &DatasetConfig { users: 300, posts: 3000, skew: 1, seed }).await;
        if !update.is_empty() {
            database.execute(&format!("UPDATE posts SET {update}")).await;
        }
        set_follows(&database, &[(1, 7), (8, 1), (300, 1)], "blocked").await;

        for window in [1, 5, 24, 168] {
            for limit in [1, 10, 100] {
                for viewer in [Viewer::Guest, Viewer::User(UserId::from(1))] {
                    assert_trending_matches(&mut conn, viewer, window, limit).await;
                }
            }
        }
    }
}

async fn assert_trending_matches(conn: &mut Connection, viewer: Viewer, window: i64, limit: i64) {
    let window = TrendingWindow::parse(window).unwrap();
    let blocked = viewer.user().map_or("", |_| "AND author_id NOT IN (7, 8, 300)");
    let posts = load_posts(conn, &format!("is_public {blocked}")).await;
    let mut scored: Vec<_> = posts
        .iter()
        .filter_map(|post| {
            let engagement = post.signals().engagement;
            let score = TrendingConfig::STORED.score(engagement, post.created_at, window, NOON)?;
            Some((score, post.created_at, PostId::from(post.id)))
        })
        .collect();
    scored.sort_by(|one, other| other.partial_cmp(one).unwrap());
    let best = scored.iter().take(usize::try_from(limit).unwrap()).map(|(_, _, id)| *id);

    let limit = Limit::parse(limit).unwrap();
    let (ids, queries) =
        QueryLog::record(conn.feed().list_trending(viewer, window, NOON, limit)).await;

    assert_eq!(queries.total(), 1, "{queries:#?}");
    assert_eq!(ids.unwrap(), best.collect::<Vec<_>>(), "{viewer:?} {window:?} {limit:?}");
}
