//! What feeds cost in a large database: the statements are those that the code prepared, not copies.

use std::fmt::Write as _;

use diesel_async::SimpleAsyncConnection;
use grateful_domain::{FeedCursor, Limit, TrendingWindow, UserId, Viewer};
use grateful_storage::{Connection, Repositories};
use grateful_testkit::{NOON, TestDatabase};
use tokio::sync::OnceCell;

use crate::plan::Plan;
use crate::support::sql::lines;

/// Read by all tests here, and written by none.
static WORLD: OnceCell<TestDatabase> = OnceCell::const_new();

/// See `large_feed.sql`.
const FOLLOWS_NOBODY: i64 = 1;
const FOLLOWS_60: i64 = 2;
const FOLLOWS_5000: i64 = 3;
const WITH_BLOCKS: i64 = 4;

#[tokio::test]
async fn a_page_for_somebody_who_follows_nobody_reads_ten_rows_a_post() {
    check_page(FOLLOWS_NOBODY, 20, 0, 200).await;
}

#[tokio::test]
async fn a_page_for_somebody_with_blocks_reads_ten_rows_a_post() {
    check_page(WITH_BLOCKS, 20, 0, 200 + 40).await;
}

/// Each of those they follow is looked up once, and those whose best post is among the best once more.
#[tokio::test]
async fn a_page_for_somebody_who_follows_a_few_reads_ten_rows_a_post_and_two_for_each_of_those() {
    check_page(FOLLOWS_60, 20, 0, 200 + 2 * 60).await;
}

/// Whom they follow is read, and a band of less than a thousand posts twice.
#[tokio::test]
async fn a_page_for_somebody_who_follows_thousands_reads_less_than_two_thousand_posts_and_whom_they_follow()
 {
    check_page(FOLLOWS_5000, 20, 0, 200 + 5000 + 2000).await;
}

#[tokio::test]
async fn a_page_of_a_hundred_reads_ten_rows_a_post() {
    check_page(FOLLOWS_NOBODY, 100, 0, 1000).await;
}

/// What was served is passed over in both indexes.
#[tokio::test]
async fn a_page_at_the_end_of_a_walk_reads_what_was_served_besides() {
    check_page(FOLLOWS_60, 20, 480, 200 + 2 * 60 + 3 * 480).await;
}

/// One of the sources has an author whom nothing else is above.
#[tokio::test]
async fn reading_behind_a_full_author_passes_over_their_posts_above_the_last_that_is_needed() {
    let world = TestDatabase::create().await;
    // It is written to, and so a smaller one of its own.
    world.execute(&include_str!("datasets/feed.sql").replace("200000", "40000")).await;
    world
        .execute(
            "INSERT INTO posts (id, author_id, content, created_at, hearts_count)
             SELECT gen_random_uuid(), 77, 'Rain', timestamptz '2026-01-05 12:00Z' + n * interval '1 second', 9000
             FROM generate_series(1, 300) n; ANALYZE posts",
        )
        .await;
    let mut conn = world.connect().await;
    conn.feed().compose(viewer(FOLLOWS_NOBODY), &FeedCursor::default(), 20).await.unwrap();
    let deeper = prepared(&mut conn, "unnest($5").await;

    for mode in MODES {
        conn.batch_execute(&format!("SET plan_cache_mode = {mode}")).await.unwrap();
        let arguments = format!("{FOLLOWS_NOBODY}, '{{}}', 1, 21, '{{77}}', '{{77}}'");
        let plan = Plan::of(&mut conn, &deeper, &arguments).await;
        assert_cheap(&plan, mode, 82, 2 * 300 + 200);
    }
}

/// Of about 13,000 public posts inside the window.
#[tokio::test]
async fn what_is_trending_today_is_found_among_those_with_half_as_much_engagement() {
    check_trending(24, 10, 200).await;
}

/// Of about 35,000: those of today with a hundredth of the engagement rank as high as the oldest that may be trending.
#[tokio::test]
async fn what_was_trending_in_a_week_is_found_in_a_third_of_it() {
    check_trending(168, 10, 12_000).await;
}

/// Of about 2,700, all of them.
#[tokio::test]
async fn what_is_trending_this_hour_is_found_among_what_is_new() {
    check_trending(1, 100, 3_000).await;
}

/// With a plan for the arguments, and with one for any.
const MODES: [&str; 2] = ["force_custom_plan", "force_generic_plan"];

/// Has a page made that begins behind so many places, and looks at how PostgreSQL comes by its sources.
async fn check_page(user: i64, limit: usize, behind: usize, most_read: u32) {
    let mut conn = world().await.connect().await;
    let walk = walk(&mut conn, viewer(user), behind).await;
    let page = conn.feed().compose(viewer(user), &walk, limit).await.unwrap();
    assert_eq!(page.items.len(), limit);
    let beginnings = prepared(&mut conn, "served").await;

    let mut served = String::new();
    for key in walk.seen_posts() {
        write!(served, ",\"\\\\x{:016x}\"", u64::from_be_bytes(key.0)).unwrap();
    }
    let needed = limit + 1;
    let arguments = format!("{user}, '{{{}}}', 1, {needed}", served.trim_start_matches(','));
    for mode in MODES {
        conn.batch_execute(&format!("SET plan_cache_mode = {mode}")).await.unwrap();
        let plan = Plan::of(&mut conn, &beginnings, &arguments).await;
        assert_cheap(&plan, mode, u32::try_from(2 * (3 * needed - 2)).unwrap(), most_read);
    }
}

async fn check_trending(hours: i64, limit: i64, most_read: u32) {
    let mut conn = world().await.connect().await;
    let window = TrendingWindow::parse(hours).unwrap();
    let many = Limit::parse(limit).unwrap();
    conn.feed().list_trending(viewer(WITH_BLOCKS), window, NOON, many).await.unwrap();

    let oldest = f64::from(20_458) + 0.5 - f64::from(u32::try_from(hours).unwrap()) / 24.0;
    let arguments = format!(
        "4, '2026-01-05 12:00Z', timestamptz '2026-01-05 12:00Z' - interval '{hours} hours', {limit}, 2, 3, 8, 5, {oldest}"
    );
    for mode in MODES {
        conn.batch_execute(&format!("SET plan_cache_mode = {mode}")).await.unwrap();
        let plan = Plan::of_the_prepared(&mut conn, "", &arguments).await;
        assert_cheap(&plan, mode, u32::try_from(limit).unwrap(), most_read);
    }
}

#[track_caller]
fn assert_cheap(plan: &Plan, mode: &str, rows: u32, most_read: u32) {
    let (returned, read) = (plan.rows_returned(), plan.rows_read());
    println!("{mode}: {read} rows read for {returned}, {most_read} at most");
    assert_eq!(returned.to_string(), rows.to_string(), "{mode}: {plan:#?}");
    assert_eq!(plan.tables_read_whole(), [""; 0], "{mode}: {plan:#?}");
    assert!(read <= f64::from(most_read), "{mode}: {read} rows for {rows}: {plan:#?}");
}

/// The one prepared statement that has this in its text.
async fn prepared(conn: &mut Connection, part: &str) -> String {
    let sql = format!(
        "SELECT name AS line FROM pg_prepared_statements
         WHERE position('{part}' IN statement) > 0 AND statement NOT LIKE '%pg\\_%'"
    );
    lines(conn, &sql).await.remove(0)
}

/// A walk of so many places.
async fn walk(conn: &mut Connection, viewer: Viewer, places: usize) -> FeedCursor {
    let mut walk = FeedCursor::default();
    while walk.positions_served() < places {
        let page = conn
            .feed()
            .compose(viewer, &walk, 100.min(places - walk.positions_served()))
            .await
            .unwrap();
        walk = walk.advance(page.items.iter().map(|it| (it.item.post.id, it.item.post.author)));
    }
    walk
}

fn viewer(user: i64) -> Viewer {
    Viewer::User(UserId::from(user))
}

async fn world() -> &'static TestDatabase {
    WORLD
        .get_or_init(async || {
            let world = TestDatabase::create().await;
            world.execute(include_str!("datasets/feed.sql")).await;
            world
        })
        .await
}
