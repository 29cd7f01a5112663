//! The examples do what they show, on a database of their own.

#[expect(dead_code, reason = "`main` is for people")]
#[path = "../examples/lists.rs"]
mod lists;
#[expect(dead_code, reason = "`main` is for people")]
#[path = "../examples/own_pool.rs"]
mod own_pool;
#[expect(dead_code, reason = "`main` is for people")]
#[path = "../examples/own_tables.rs"]
mod own_tables;

use grateful_testkit::{NOON, TestDatabase};

#[tokio::test]
async fn repositories_work_on_a_connection_and_a_pool_of_ones_own() {
    let database = TestDatabase::create().await;

    let page = own_pool::run(&database.url(), NOON).await.unwrap();

    assert_eq!(lines(&page), ["ana writes: For a bench in the sun.", "1 statement"]);
    assert_eq!(
        database.count("posts JOIN users ON users.id = author_id AND posts_count = 1").await,
        1
    );
}

#[tokio::test]
async fn a_table_of_ones_own_is_joined_and_changed_together_with_posts() {
    let database = TestDatabase::create().await;

    let page = own_tables::run(&database.url(), NOON).await.unwrap();

    assert_eq!(
        lines(&page),
        [
            "ben keeps it",
            "caro keeps it",
            "ben has it already",
            "dan's is refused: true",
            "2 bookmarks, 2 hearts",
            "ana reads: 2 people engaged with your post",
        ]
    );
    // Where the bookmark was refused, the heart that was given before it is gone as well.
    assert_eq!(database.count("likes").await, 2);
    assert_eq!(database.count("notifications WHERE parent_id IS NOT NULL").await, 2);
}

#[tokio::test]
async fn lists_are_narrowed_ordered_continued_counted_and_filled_by_set() {
    let database = TestDatabase::create().await;

    let page = lists::run(&database.url(), NOON).await.unwrap();

    assert_eq!(
        lines(&page),
        [
            "newest: Snow, Rain (3 in all)",
            "newest: Bread",
            "best: Bread, Rain, Snow",
            "daily: Bread",
            "of those he follows: Snow",
            "her own: 4 posts",
            "her followers: 1 (1 in all); known: 2",
            "2 statements tell who of two has written (1), and how he stands with 3 posts",
        ]
    );
}

#[tokio::test]
async fn examples_run_more_than_once_on_the_same_database() {
    let database = TestDatabase::create().await;

    for _ in 0..2 {
        own_pool::run(&database.url(), NOON).await.unwrap();
        let page = own_tables::run(&database.url(), NOON).await.unwrap();
        assert!(page.ends_with("ana reads: 2 people engaged with your post\n"), "{page}");
        lists::run(&database.url(), NOON).await.unwrap();
    }
}

fn lines(page: &str) -> Vec<&str> {
    page.lines().collect()
}
