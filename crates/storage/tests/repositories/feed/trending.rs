use grateful_domain::{Limit, PostId, TrendingConfig, TrendingWindow, UserId, Viewer};
use grateful_storage::{Connection, QueryLog, Repositories};
use grateful_testkit::{NOON, TestDatabase};

use super::dataset::{World, all, make, relate};

#[tokio::test]
async fn what_is_trending_is_what_has_the_highest_scores_of_all() {
    let database = TestDatabase::create().await;
    let mut conn = database.pool.acquire().await.unwrap();
    for (seed, weights) in [
        (1, ""),
        // Hardly anybody is moved, so that newness tells.
        (2, "hearts_count = hearts_count % 3, reactions_count = 0, shares_count = 0"),
        (3, "hearts_count = 0, reactions_count = 0, shares_count = 0"),
        // What was loved weeks ago is loved still, and a little of it is from another node's future.
        (
            4,
            "created_at = created_at - (reactions_count % 3) * interval '20 days' + interval '10 minutes'",
        ),
    ] {
        make(&database, &World { people: 300, posts: 3000, skew: 1, seed }).await;
        if !weights.is_empty() {
            database.execute(&format!("UPDATE posts SET {weights}")).await;
        }
        relate(&database, &[(1, 7), (8, 1), (300, 1)], "blocked").await;

        for window in [1, 5, 24, 168] {
            for limit in [1, 10, 100] {
                for viewer in [Viewer::Guest, Viewer::User(UserId::from(1))] {
                    assert_trending_agrees(&mut conn, viewer, window, limit).await;
                }
            }
        }
    }
}

async fn assert_trending_agrees(conn: &mut Connection, viewer: Viewer, window: i64, limit: i64) {
    let window = TrendingWindow::parse(window).unwrap();
    let blocked = viewer.user().map_or("", |_| "AND author_id NOT IN (7, 8, 300)");
    let posts = all(conn, &format!("is_public {blocked}")).await;
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
