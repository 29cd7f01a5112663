//! Rows read by follow lists, profiles and suggestions.

use chrono::DateTime;
use diesel_async::SimpleAsyncConnection;
use grateful_domain::{CountMode, Limit, PageRequest, PageStart, Position, Total, UserId, Viewer};
use grateful_storage::query::FollowLists;
use grateful_storage::{Connection, FollowQuery, Repositories};
use grateful_testkit::TestDatabase;
use tokio::sync::OnceCell;
use uuid::Uuid;

use crate::plan::Plan;

/// Shared by all tests of this module, which only read it.
static DATABASE: OnceCell<TestDatabase> = OnceCell::const_new();

/// Has 30,000 followers and follows a third of them back; has 50 follow requests and has blocked 50 users.
const POPULAR: i64 = 1;

/// Follows ten users and user 1, and has as many followers.
const ORDINARY: i64 = 7_777;

const FIRST_PAGE: PageRequest = PageRequest::first(Limit::MAX);

#[tokio::test]
async fn listing_the_newest_followers_of_a_popular_user_reads_few_rows() {
    let arguments = "7777, 'active', 1, 1, 'active', 7777, 'blocked', 7777, 'blocked', 1, 1, 7777, 1, 7777, 101";
    check(arguments, 101, async |conn| {
        let query = seen_by(ORDINARY).followers_of(POPULAR.into());
        conn.follows().list(query.page(FIRST_PAGE)).await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn listing_a_deep_page_of_followers_of_a_popular_user_reads_few_rows() {
    let at = DateTime::from_timestamp(1_735_689_600 + 15_000, 0).unwrap();
    let position = Position { at, id: Uuid::nil() };
    let page = PageRequest { limit: Limit::MAX, start: PageStart::After(position) };

    let position = format!("'{}', '{}'", at.to_rfc3339(), Uuid::nil());
    let before =
        "7777, 'active', 1, 1, 'active', 7777, 'blocked', 7777, 'blocked', 1, 1, 7777, 1, 7777";
    // Parallel workers may share this scan, and how far they read ahead of each other varies.
    check_rows_read(&format!("{before}, {position}, 101"), 101, 40 * 101, async |conn| {
        let query = seen_by(ORDINARY).followers_of(POPULAR.into());
        conn.follows().list(query.page(page)).await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn listing_the_newest_of_thousands_of_followed_users_reads_few_rows() {
    let arguments = "7777, 'active', 1, 1, 'active', 7777, 'blocked', 7777, 'blocked', 1, 1, 7777, 1, 7777, 101";
    check(arguments, 101, async |conn| {
        let query = seen_by(ORDINARY).followed_by(POPULAR.into());
        conn.follows().list(query.page(FIRST_PAGE)).await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn listing_own_followers_with_blocks_reads_few_rows() {
    let arguments = "1, 'active', 1, 1, 'active', 1, 'blocked', 1, 'blocked', 101";
    check(arguments, 101, async |conn| {
        let query = seen_by(POPULAR).followers_of(POPULAR.into());
        conn.follows().list(query.page(FIRST_PAGE)).await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn listing_follow_requests_to_a_popular_user_reads_few_rows() {
    let arguments = "1, 'active', 1, 1, 'pending', 1, 'blocked', 1, 'blocked', 101";
    check(arguments, 50, async |conn| {
        conn.follows().list(seen_by(POPULAR).received_requests().page(FIRST_PAGE)).await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn listing_blocked_users_reads_few_rows() {
    check("1, 'active', 1, 1, 'blocked', 101", 50, async |conn| {
        conn.follows().list(seen_by(POPULAR).blocks().page(FIRST_PAGE)).await.unwrap();
    })
    .await;
}

/// The blocks of the viewer are looked up one by one, and the page is read.
#[tokio::test]
async fn listing_followers_of_a_popular_user_with_their_total_reads_few_rows() {
    let list = "1, 'active', 1, 1, 'active', 1, 'blocked', 1, 'blocked', 101";
    let estimated = format!("1, 1, 1, 1, 1, 1, 1, 1, {list}");
    check_rows_read(&estimated, 101, 2_000, async |conn| {
        let query = seen_by(POPULAR).followers_of(POPULAR.into()).page(FIRST_PAGE);
        let page = conn.follows().list(query.with_total(CountMode::Estimated)).await.unwrap();
        assert!(page.total.is_some());
    })
    .await;
    let counted = format!("1, 1, 1, {list}");
    check_rows_read(&counted, 101, 2_000 + 1_001 + 100, async |conn| {
        let query = seen_by(POPULAR).followers_of(POPULAR.into()).page(FIRST_PAGE);
        let page = conn.follows().list(query.with_total(CountMode::UpTo(1_000))).await.unwrap();
        assert_eq!(page.total, Some(Total::MoreThan(1_000)));
    })
    .await;
}

#[tokio::test]
async fn finding_relationships_with_a_hundred_users_reads_few_rows() {
    let users: Vec<i64> = (1..=100).map(|n| n * 97).collect();
    let ids: Vec<UserId> = users.iter().copied().map(UserId::from).collect();

    check(&format!("7777, ARRAY{users:?}::bigint[]"), 100, async |conn| {
        let relationships = conn.follows().find_relationships(UserId::from(ORDINARY), &ids).await;
        assert_eq!(relationships.unwrap().len(), 100);
    })
    .await;
}

#[tokio::test]
async fn counting_follows_of_a_popular_user_reads_few_rows() {
    // Pending requests are counted row by row.
    check_rows_read("1", 1, 200, async |conn| {
        let counts = conn.follows().count(UserId::from(POPULAR)).await.unwrap().unwrap();
        assert_eq!((counts.requests_received, counts.requests_sent), (50, 0));
    })
    .await;
}

#[tokio::test]
async fn suggestions_with_few_follows_read_few_rows() {
    // Ten users follow ten each, and one follows ten thousand: PostgreSQL, which expects ten of each, sorts them.
    check_rows_read("7777, 20", 20, 12_000, async |conn| {
        let found = conn.follows().list_suggestions(UserId::from(ORDINARY), 20).await.unwrap();
        assert_eq!(found.len(), 20);
    })
    .await;
}

#[tokio::test]
async fn suggestions_with_thousands_of_follows_read_a_bounded_number_of_rows() {
    // At most 200 times 200 follows, and the follows that lead to them.
    check_rows_read("1, 20", 20, 80_000, async |conn| {
        let found = conn.follows().list_suggestions(UserId::from(POPULAR), 20).await.unwrap();
        assert_eq!(found.len(), 20);
    })
    .await;
}

/// A profile costs the same for every viewer and any number of followers, since its counters are stored with the user. The
/// viewer's blocks are read by an index, and there may be some.
#[tokio::test]
async fn finding_the_profile_of_a_popular_user_reads_few_rows() {
    check_rows_read("7777, 'blocked', 7777, 'blocked', 1, 1", 1, 3, async |conn| {
        let viewer = Viewer::User(UserId::from(ORDINARY));
        conn.users().find_profile(viewer, UserId::from(POPULAR)).await.unwrap().unwrap();
    })
    .await;
}

#[tokio::test]
async fn finding_a_profile_by_username_reads_few_rows() {
    let names = "ARRAY['person_1'], ARRAY['person_1']";
    let arguments = format!("7777, 'blocked', 7777, 'blocked', {names}, 1");
    check_rows_read(&arguments, 1, 3, async |conn| {
        let viewer = Viewer::User(UserId::from(ORDINARY));
        conn.users().find_profile_by_username(viewer, "Person_1").await.unwrap().unwrap();
    })
    .await;
}

#[tokio::test]
async fn finding_a_profile_for_a_viewer_with_many_blocks_reads_their_blocks_once() {
    // Reads the fifty blocks of the viewer.
    check_rows_read("1, 'blocked', 1, 'blocked', 7777, 1", 1, 110, async |conn| {
        let viewer = Viewer::User(UserId::from(POPULAR));
        conn.users().find_profile(viewer, UserId::from(ORDINARY)).await.unwrap().unwrap();
    })
    .await;
}

#[tokio::test]
async fn finding_the_own_profile_of_a_popular_user_reads_one_row() {
    check_rows_read("1, 1", 1, 1, async |conn| {
        conn.users().find_own_profile(UserId::from(POPULAR)).await.unwrap().unwrap();
    })
    .await;
}

#[tokio::test]
async fn listing_requesters_of_a_popular_user_reads_few_rows() {
    check("1, 'pending', 200", 50, async |conn| {
        let requesters = conn.follows().list_requesters(UserId::from(POPULAR), 200).await.unwrap();
        assert_eq!(requesters.len(), 50);
    })
    .await;
}

#[tokio::test]
async fn listing_sent_follow_requests_reads_few_rows() {
    let arguments = "16334, 'active', 1, 16334, 'pending', 16334, 'blocked', 16334, 'blocked', 101";
    check(arguments, 1, async |conn| {
        let requests =
            conn.follows().list(seen_by(16_334).sent_requests().page(FIRST_PAGE)).await.unwrap();
        assert_eq!(requests.items[0].user.author.id, UserId::from(POPULAR));
    })
    .await;
}

#[tokio::test]
async fn listing_users_with_stale_requests_reads_few_rows() {
    // Reads the requested user once per request.
    check_rows_read("200", 1, 150, async |conn| {
        let found = conn.follows().list_users_with_stale_requests(200).await.unwrap();
        assert_eq!(found, [UserId::from(POPULAR)]);
    })
    .await;
}

fn seen_by(viewer: i64) -> FollowLists {
    FollowQuery::visible_to(viewer.into())
}

async fn check(arguments: &str, rows: u32, work: impl AsyncFnOnce(&mut Connection)) {
    check_rows_read(arguments, rows, 20 * rows, work).await;
}

/// Runs `work`, which prepares a statement, and checks that its plans return `rows` rows and read at most `max_read`: the
/// plan for these arguments and the generic plan.
async fn check_rows_read(
    arguments: &str,
    rows: u32,
    max_read: u32,
    work: impl AsyncFnOnce(&mut Connection),
) {
    let mut conn = database().await.connect().await;
    work(&mut conn).await;

    for mode in ["force_custom_plan", "force_generic_plan"] {
        conn.batch_execute(&format!("SET plan_cache_mode = {mode}")).await.unwrap();
        let plan = Plan::of_prepared(&mut conn, "", arguments).await;

        assert_eq!(plan.rows_returned().to_string(), rows.to_string(), "{plan:#?}");
        assert_eq!(plan.tables_scanned(), [""; 0], "{mode}: {plan:#?}");
        let read = plan.rows_read();
        assert!(read <= f64::from(max_read), "{mode}: {read} rows for {rows}: {plan:#?}");
    }
}

async fn database() -> &'static TestDatabase {
    DATABASE
        .get_or_init(async || {
            let database = TestDatabase::create().await;
            database.execute(include_str!("datasets/follows.sql")).await;
            database
        })
        .await
}
