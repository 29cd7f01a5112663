//! The stored rank, compared with the domain's.

use grateful_domain::{AuthorRelationship, FeedConfig};
use grateful_test_database::TestDatabase;

use super::dataset::{DatasetConfig, create_dataset, load_posts};

#[tokio::test]
async fn the_stored_rank_equals_the_rank_of_the_domain() {
    let database = TestDatabase::create().await;
    create_dataset(&database, &DatasetConfig { users: 50, posts: 5000, skew: 1, seed: 7 }).await;
    // Adds times with microseconds and times in other years.
    database
        .execute(
            "UPDATE posts SET created_at = created_at + random() * interval '1 hour';
         UPDATE posts SET created_at = to_timestamp(4e9 * random()) WHERE random() < 0.2;
         UPDATE posts SET hearts_count = 2147483647 WHERE random() < 0.01",
        )
        .await;

    let posts = load_posts(&mut database.connect().await, "true").await;

    assert_eq!(posts.len(), 5000);
    for post in posts {
        let rank = FeedConfig::STORED.rank(&post.signals(), AuthorRelationship::Other);
        assert!(
            (post.rank - rank).abs() <= 1e-9,
            "{} is not {rank}: {:?}",
            post.rank,
            post.signals()
        );
    }
}
