//! Rows read by the ranked feed and trending posts.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use diesel_async::SimpleAsyncConnection;
use grateful_domain::{FeedCursor, Limit, TrendingWindow, UserId, Viewer};
use grateful_storage::{Connection, Repositories};
use grateful_test_database::{NOON, TestDatabase};
use tokio::sync::OnceCell;

use crate::plan::Plan;
use crate::support::sql::lines;

/// Shared by all tests of this module, which only read it.
static DATABASE: OnceCell<TestDatabase> = OnceCell::const_new();

/// Users of `datasets/feed.sql`.
const FOLLOWS_NONE: i64 = 1;
const FOLLOWS_60: i64 = 2;
const FOLLOWS_5000: i64 = 3;
const WITH_BLOCKS: i64 = 4;
const FOLLOWS_10: i64 = 5;
const FOLLOWS_400: i64 = 6;

/// An hour after [`NOON`].
const LATER: DateTime<Utc> = DateTime::from_timestamp_micros(1_767_618_000_000_000).unwrap();

#[tokio::test]
async fn a_page_without_follows_reads_ten_rows_per_post() {
    check_page(FOLLOWS_NONE, 20, 0, 200).await;
}

#[tokio::test]
async fn a_page_with_blocks_reads_ten_rows_per_post() {
    check_page(WITH_BLOCKS, 20, 0, 200 + 40).await;
}

/// Each followed user is looked up once, and once more if their best post is among the best.
#[tokio::test]
async fn a_page_with_few_follows_reads_ten_rows_per_post_and_three_per_follow() {
    check_page(FOLLOWS_10, 20, 0, 200 + 3 * 10).await;
}

/// Reads the followed users, and twice a range of a few hundred entries of an index.
#[tokio::test]
async fn a_page_with_thousands_of_follows_reads_less_than_a_thousand_posts_and_the_follows() {
    check_page(FOLLOWS_60, 20, 0, 200 + 60 + 500).await;
    check_page(FOLLOWS_400, 20, 0, 200 + 400 + 500).await;
    check_page(FOLLOWS_5000, 20, 0, 200 + 5000 + 500).await;
}

#[tokio::test]
async fn a_page_reads_no_more_pages_of_tables_and_indexes_for_400_follows_than_for_10() {
    let mut conn = database().await.connect().await;

    let for_10 = check_page_of(&mut conn, FOLLOWS_10, 20, 0, 230, 250).await;
    let for_400 = check_page_of(&mut conn, FOLLOWS_400, 20, 0, 1_100, 250).await;

    assert!(for_400 <= for_10, "{for_400} and {for_10} pages");
}

/// All posts rank nearly alike, so that the best 2,000 have few posts of followed users: looks up each of these users.
#[tokio::test]
async fn a_page_of_posts_of_equal_rank_looks_up_each_followed_user() {
    let database = TestDatabase::create().await;
    database.execute(&include_str!("datasets/feed.sql").replace("200000", "40000")).await;
    database
        .execute(
            "UPDATE posts SET hearts_count = 0, reactions_count = 0, shares_count = 0, post_type = 'spontaneous',
                 created_at = timestamptz '2026-01-05 12:00Z' - author_id * interval '1 second'",
        )
        .await;
    database.execute("ANALYZE posts").await;
    vacuum(&database).await;
    let mut conn = database.connect().await;

    // The follows, and twice 2,000 entries; each followed user is looked up and then read, three pages each time.
    let rows = 200 + 400 + 2 * 2_000 + 61 * 61 + 400;
    check_page_of(&mut conn, FOLLOWS_400, 20, 0, rows, 200 + 3 * 400 + 4 * 61).await;
}

#[tokio::test]
async fn a_page_of_a_hundred_posts_reads_ten_rows_per_post() {
    check_page(FOLLOWS_NONE, 100, 0, 1000).await;
}

/// Skips the served posts in both indexes, also when it looks for posts of followed users.
#[tokio::test]
async fn a_page_deep_in_the_feed_also_reads_the_served_posts() {
    check_page(FOLLOWS_60, 20, 480, 200 + 60 + 2 * 20 * 60 + 3 * 480).await;
}

/// In one candidate list, one author's posts are above all others.
#[tokio::test]
async fn reading_past_a_saturated_author_skips_their_posts_above_the_last_one_needed() {
    let database = TestDatabase::create().await;
    // A smaller database of its own, since the test writes to it.
    database.execute(&include_str!("datasets/feed.sql").replace("200000", "40000")).await;
    database
        .execute(
            "INSERT INTO posts (id, author_id, content, created_at, hearts_count)
             SELECT gen_random_uuid(), 77, 'Rain', timestamptz '2026-01-05 12:00Z' + n * interval '1 second', 9000
             FROM generate_series(1, 300) n; ANALYZE posts",
        )
        .await;
    let mut conn = database.connect().await;
    conn.feed().compose(viewer(FOLLOWS_NONE), &FeedCursor::default(), LATER, 20).await.unwrap();
    let deeper = find_prepared(&mut conn, "full_ranked").await;

    for mode in MODES {
        conn.batch_execute(&format!("SET plan_cache_mode = {mode}")).await.unwrap();
        let arguments =
            format!("{FOLLOWS_NONE}, '{{}}', '{{77}}', '{{77}}', '2026-01-05 13:05Z', 21, 1");
        let plan = Plan::of(&mut conn, &deeper, &arguments).await;
        assert_within(&plan, mode, 82, 2 * 300 + 200);
    }
}

/// The window has about 13,000 public posts.
#[tokio::test]
async fn trending_posts_of_a_day_are_found_among_posts_with_half_as_much_engagement() {
    check_trending(24, 10, 200).await;
}

/// The window has about 35,000 public posts. Today's posts with a hundredth of the engagement rank as high as the oldest
/// possible trending posts.
#[tokio::test]
async fn trending_posts_of_a_week_read_a_third_of_it() {
    check_trending(168, 10, 12_000).await;
}

/// The window has about 2,700 public posts; all are read.
#[tokio::test]
async fn trending_posts_of_an_hour_are_found_among_the_new_posts() {
    check_trending(1, 100, 3_000).await;
}

/// A node whose clock is a month ahead wrote 20,000 posts. They are at the start of all indexes by rank and by time.
#[tokio::test]
async fn posts_dated_in_the_future_are_passed_over_in_the_indexes_and_never_read() {
    let database = TestDatabase::create().await;
    database.execute(&include_str!("datasets/feed.sql").replace("200000", "40000")).await;
    database
        .execute(
            "INSERT INTO posts (id, author_id, content, created_at, hearts_count)
             SELECT gen_random_uuid(), n * 7 % 10000 + 1, 'Rain', timestamptz '2026-02-05 12:00Z' + n * interval '1 second', n % 9
             FROM generate_series(1, 20000) n; ANALYZE posts",
        )
        .await;
    let mut conn = database.connect().await;

    // A scan passes 20,000 entries, about 100 to a page of the index. Looking up a followed user takes three pages.
    let passed_over = 20_000 / 100;
    for (user, max_read, max_pages) in [
        (FOLLOWS_NONE, 200, 1_000 + passed_over),
        (WITH_BLOCKS, 200 + 40, 1_000 + passed_over),
        (FOLLOWS_10, 200 + 3 * 10, 1_000 + passed_over),
        (FOLLOWS_60, 200 + 60 + 500, 2_000 + 3 * passed_over),
        (FOLLOWS_5000, 200 + 5000 + 500, 2_000 + 5000 + 3 * passed_over),
    ] {
        check_page_of(&mut conn, user, 20, 0, max_read, max_pages).await;
    }
    check_trending_of(&mut conn, 24, 10, 200, 1_000 + passed_over).await;
}

/// Plans for specific arguments and for any arguments.
const MODES: [&str; 2] = ["force_custom_plan", "force_generic_plan"];

/// Requests a page after `served` positions, and checks the plan of the statement that loads its candidates.
async fn check_page(user: i64, limit: usize, served: usize, max_read: u32) {
    let mut conn = database().await.connect().await;
    check_page_of(&mut conn, user, limit, served, max_read, u32::MAX).await;
}

/// As [`check_page`]. Returns the number of pages that the generic plan reads.
async fn check_page_of(
    conn: &mut Connection,
    user: i64,
    limit: usize,
    served: usize,
    max_read: u32,
    max_pages: u32,
) -> f64 {
    let cursor = cursor_after(conn, viewer(user), served).await;
    let page = conn.feed().compose(viewer(user), &cursor, NOON, limit).await.unwrap();
    assert_eq!(page.items.len(), limit);
    let statement = find_prepared(conn, "served").await;

    let mut keys = String::new();
    for key in cursor.seen_posts() {
        write!(keys, ",\"\\\\x{:016x}\"", u64::from_be_bytes(key.0)).unwrap();
    }
    let needed = limit + 1;
    let keys = keys.trim_start_matches(',');
    let arguments = format!("{user}, '{{{keys}}}', '2026-01-05 12:05Z', {needed}, 1");
    let mut pages = 0.0;
    for mode in MODES {
        conn.batch_execute(&format!("SET plan_cache_mode = {mode}")).await.unwrap();
        let plan = Plan::of(conn, &statement, &arguments).await;
        assert_within(&plan, mode, u32::try_from(2 * (3 * needed - 2)).unwrap(), max_read);
        assert_pages_within(&plan, mode, max_pages);
        pages = plan.pages_read();
    }
    pages
}

async fn check_trending(hours: i64, limit: i64, max_read: u32) {
    let mut conn = database().await.connect().await;
    check_trending_of(&mut conn, hours, limit, max_read, u32::MAX).await;
}

async fn check_trending_of(
    conn: &mut Connection,
    hours: i64,
    limit: i64,
    max_read: u32,
    max_pages: u32,
) {
    let window = TrendingWindow::parse(hours).unwrap();
    let page_limit = Limit::parse(limit).unwrap();
    conn.feed().list_trending(viewer(WITH_BLOCKS), window, NOON, page_limit).await.unwrap();

    let statement = find_prepared(conn, "promising").await;
    let oldest_days = f64::from(20_458) + 0.5 - f64::from(u32::try_from(hours).unwrap()) / 24.0;
    let arguments = format!(
        "4, 2, 3, 8, {oldest_days}, timestamptz '2026-01-05 12:00Z' - interval '{hours} hours', '2026-01-05 12:05Z', {limit}, 5, '2026-01-05 12:00Z'"
    );
    for mode in MODES {
        conn.batch_execute(&format!("SET plan_cache_mode = {mode}")).await.unwrap();
        let plan = Plan::of(conn, &statement, &arguments).await;
        assert_within(&plan, mode, u32::try_from(limit).unwrap(), max_read);
        assert_pages_within(&plan, mode, max_pages);
    }
}

#[track_caller]
fn assert_within(plan: &Plan, mode: &str, rows: u32, max_read: u32) {
    let (returned, read) = (plan.rows_returned(), plan.rows_read());
    println!("{mode}: {read} rows read for {returned}, at most {max_read}");
    assert_eq!(returned.to_string(), rows.to_string(), "{mode}: {plan:#?}");
    assert_eq!(plan.tables_scanned(), [""; 0], "{mode}: {plan:#?}");
    assert!(read <= f64::from(max_read), "{mode}: {read} rows for {rows}: {plan:#?}");
}

#[track_caller]
fn assert_pages_within(plan: &Plan, mode: &str, max_pages: u32) {
    let pages = plan.pages_read();
    println!("{mode}: {pages} pages, at most {max_pages}");
    assert!(pages <= f64::from(max_pages), "{mode}: {pages} pages: {plan:#?}");
}

/// The name of the only prepared statement whose text contains `sql_part`.
async fn find_prepared(conn: &mut Connection, sql_part: &str) -> String {
    let sql = format!(
        "SELECT name AS line FROM pg_prepared_statements
         WHERE position('{sql_part}' IN statement) > 0 AND statement NOT LIKE '%pg\\_%'"
    );
    lines(conn, &sql).await.remove(0)
}

/// A cursor after this number of positions.
async fn cursor_after(conn: &mut Connection, viewer: Viewer, positions: usize) -> FeedCursor {
    let mut cursor = FeedCursor::default();
    while cursor.positions_served() < positions {
        let page = conn
            .feed()
            .compose(viewer, &cursor, NOON, 100.min(positions - cursor.positions_served()))
            .await
            .unwrap();
        cursor = cursor.advance(
            page.items.iter().map(|served| (served.item.post.id, served.item.post.author)),
        );
    }
    cursor
}

fn viewer(user: i64) -> Viewer {
    Viewer::User(UserId::from(user))
}

/// Vacuums until indexes answer without their tables. A snapshot of autovacuum can keep the first attempt from that.
async fn vacuum(database: &TestDatabase) {
    let deadline = Instant::now() + Duration::from_mins(1);
    for table in ["posts", "follows"] {
        let unfinished =
            format!("pg_class WHERE oid = '{table}'::regclass AND relallvisible < relpages");
        loop {
            database.execute(&format!("VACUUM {table}")).await;
            if database.count(&unfinished).await == 0 {
                break;
            }
            assert!(Instant::now() < deadline, "{table} has pages that are not visible to all");
        }
    }
}

async fn database() -> &'static TestDatabase {
    DATABASE
        .get_or_init(async || {
            let database = TestDatabase::create().await;
            database.execute(include_str!("datasets/feed.sql")).await;
            vacuum(&database).await;
            database
        })
        .await
}
