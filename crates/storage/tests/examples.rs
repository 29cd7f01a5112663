//! Runs the examples, each on a database of its own, and compares what they print.

#[expect(dead_code, reason = "`main` is unused here")]
#[path = "../examples/groups.rs"]
mod groups;
#[expect(dead_code, reason = "`main` is unused here")]
#[path = "../examples/lists.rs"]
mod lists;
#[expect(dead_code, reason = "`main` is unused here")]
#[path = "../examples/own_pool.rs"]
mod own_pool;
#[expect(dead_code, reason = "`main` is unused here")]
#[path = "../examples/own_tables.rs"]
mod own_tables;

use grateful_test_database::{NOON, TestDatabase};

#[tokio::test]
async fn repositories_work_on_an_external_connection_and_on_pools() {
    let database = TestDatabase::create().await;

    let page = own_pool::run(&database.url(), NOON).await.unwrap();

    assert_eq!(
        lines(&page),
        [
            "deadpool: ana writes: For a bench in the sun. in 1 statement",
            "bb8: ana writes: For a bench in the sun.",
        ]
    );
    assert_eq!(
        database.count("posts JOIN users ON users.id = author_id AND posts_count = 1").await,
        1
    );
}

#[tokio::test]
async fn an_external_table_is_joined_and_changed_together_with_posts() {
    let database = TestDatabase::create().await;

    let page = own_tables::run(&database.url(), NOON).await.unwrap();

    assert_eq!(
        lines(&page),
        [
            "ben bookmarks it",
            "caro bookmarks it",
            "ben has bookmarked it before",
            "dan's bookmark is rejected: true",
            "2 bookmarks, 2 hearts",
            "ana reads: 2 people engaged with your post",
        ]
    );
    // When the bookmark was rejected, the heart added before it was rolled back as well.
    assert_eq!(database.count("likes").await, 2);
    assert_eq!(database.count("notifications WHERE parent_id IS NOT NULL").await, 2);
}

#[tokio::test]
async fn lists_are_filtered_sorted_paged_counted_and_loaded_for_many_keys() {
    let database = TestDatabase::create().await;

    let page = lists::run(&database.url(), NOON).await.unwrap();

    assert_eq!(
        lines(&page),
        [
            "newest: Snow, Rain (3 in all)",
            "then: Bread",
            "before the rain: Bread",
            "her own: 4 posts",
            "her followers: 1 (1 in all)",
            "the newest member is Ben: true",
            "2 statements for the newest 2 posts of each author",
        ]
    );
}

#[tokio::test]
async fn acts_of_many_users_run_in_one_transaction_with_their_notifications() {
    let database = TestDatabase::create().await;

    let page = groups::run(&database.url(), NOON).await.unwrap();

    assert_eq!(
        lines(&page),
        [
            "30 hearts in 8 statements",
            "0 hearts once more",
            "the author reads: 30 people engaged with your post",
        ]
    );
    assert_eq!(database.count("notifications WHERE parent_id IS NOT NULL").await, 30);
    assert_eq!(database.count("posts WHERE hearts_count = 30").await, 1);
}

#[tokio::test]
async fn examples_can_run_repeatedly_on_the_same_database() {
    let database = TestDatabase::create().await;

    for _ in 0..2 {
        own_pool::run(&database.url(), NOON).await.unwrap();
        let page = own_tables::run(&database.url(), NOON).await.unwrap();
        assert!(page.ends_with("ana reads: 2 people engaged with your post\n"), "{page}");
        lists::run(&database.url(), NOON).await.unwrap();
        groups::run(&database.url(), NOON).await.unwrap();
    }
}

fn lines(page: &str) -> Vec<&str> {
    page.lines().collect()
}
