//! What looking at people costs among many: the statements are those that the code prepared, not copies.

use chrono::DateTime;
use diesel_async::SimpleAsyncConnection;
use grateful_domain::{CountMode, Limit, PageRequest, PageStart, Position, Total, UserId, Viewer};
use grateful_storage::query::FollowLists;
use grateful_storage::{Connection, FollowQuery, Repositories};
use grateful_testkit::TestDatabase;
use tokio::sync::OnceCell;
use uuid::Uuid;

use crate::plan::Plan;

/// Read by all tests here, and written by none.
static WORLD: OnceCell<TestDatabase> = OnceCell::const_new();

/// Thirty thousand follow them, a third of whom they follow back; 50 have asked, and they have blocked 50.
const KNOWN: i64 = 1;

/// Follows ten people and person 1, and is followed by as many.
const ORDINARY: i64 = 7_777;

const PAGE: PageRequest = PageRequest::first(Limit::MAX);

#[tokio::test]
async fn the_newest_followers_of_somebody_whom_thousands_follow() {
    let arguments =
        "7777, 'active', 1, 1, 'active', 7777, 'blocked', 7777, 'blocked', 1, 7777, 1, 7777, 101";
    check(arguments, 101, async |conn| {
        let query = seen_by(ORDINARY).followers_of(KNOWN.into());
        conn.follows().list(query.page(PAGE)).await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn a_page_deep_down_the_followers_of_somebody_whom_thousands_follow() {
    let at = DateTime::from_timestamp(1_735_689_600 + 15_000, 0).unwrap();
    let place = Position { at, id: Uuid::nil() };
    let page = PageRequest { limit: Limit::MAX, start: PageStart::After(place) };

    let place = format!("'{}', '{}'", at.to_rfc3339(), Uuid::nil());
    let before =
        "7777, 'active', 1, 1, 'active', 7777, 'blocked', 7777, 'blocked', 1, 7777, 1, 7777";
    // Several workers may share this, and how far they read ahead of each other is a matter of luck.
    check_reading(&format!("{before}, {place}, 101"), 101, 40 * 101, async |conn| {
        let query = seen_by(ORDINARY).followers_of(KNOWN.into());
        conn.follows().list(query.page(page)).await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn the_newest_of_thousands_whom_somebody_follows() {
    let arguments =
        "7777, 'active', 1, 1, 'active', 7777, 'blocked', 7777, 'blocked', 1, 7777, 1, 7777, 101";
    check(arguments, 101, async |conn| {
        let query = seen_by(ORDINARY).followed_by(KNOWN.into());
        conn.follows().list(query.page(PAGE)).await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn ones_own_followers_for_somebody_with_blocks() {
    let arguments = "1, 'active', 1, 1, 'active', 1, 'blocked', 1, 'blocked', 101";
    check(arguments, 101, async |conn| {
        let query = seen_by(KNOWN).followers_of(KNOWN.into());
        conn.follows().list(query.page(PAGE)).await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn who_has_asked_somebody_whom_thousands_follow() {
    let arguments = "1, 'active', 1, 1, 'pending', 1, 'blocked', 1, 'blocked', 101";
    check(arguments, 50, async |conn| {
        conn.follows().list(seen_by(KNOWN).received_requests().page(PAGE)).await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn whom_somebody_has_blocked() {
    check("1, 'active', 1, 1, 'blocked', 101", 50, async |conn| {
        conn.follows().list(seen_by(KNOWN).blocks().page(PAGE)).await.unwrap();
    })
    .await;
}

/// Ten of each; one of them is followed by thousands.
#[tokio::test]
async fn the_followers_of_fifty_people_and_whom_they_follow() {
    let people: Vec<UserId> = [KNOWN].into_iter().chain(2..=50).map(UserId::from).collect();
    let ids: Vec<i64> = people.iter().copied().map(i64::from).collect();
    let arguments = format!(
        "7777, 'active', 1, ARRAY{ids:?}::bigint[], 7777, 7777, 7777, 7777, 7777, 7777, 10"
    );
    let limit = Limit::parse(10).unwrap();

    check(&arguments, 500, async |conn| {
        conn.follows()
            .list_followers_of_each(UserId::from(ORDINARY), &people, limit)
            .await
            .unwrap();
    })
    .await;
    check(&arguments, 500, async |conn| {
        conn.follows().list_followed_by_each(UserId::from(ORDINARY), &people, limit).await.unwrap();
    })
    .await;
}

/// The blocks of whoever looks are looked up one by one, and the part is read.
#[tokio::test]
async fn how_many_follow_somebody_whom_thousands_follow_beside_the_newest_of_them() {
    let part = "1, 'active', 1, 1, 'active', 1, 'blocked', 1, 'blocked', 101";
    let kept = format!("1, 1, 1, 1, 1, 1, 1, {part}");
    check_reading(&kept, 101, 2_000, async |conn| {
        let query = seen_by(KNOWN).followers_of(KNOWN.into()).page(PAGE);
        let slice = conn.follows().list(query.with_total(CountMode::Estimated)).await.unwrap();
        assert!(slice.total.is_some());
    })
    .await;
    let counted = format!("1, 1, 1, {part}");
    check_reading(&counted, 101, 2_000 + 1_001 + 100, async |conn| {
        let query = seen_by(KNOWN).followers_of(KNOWN.into()).page(PAGE);
        let slice = conn.follows().list(query.with_total(CountMode::UpTo(1_000))).await.unwrap();
        assert_eq!(slice.total, Some(Total::MoreThan(1_000)));
    })
    .await;
}

#[tokio::test]
async fn what_somebody_is_to_a_hundred_others() {
    let people: Vec<i64> = (1..=100).map(|n| n * 97).collect();
    let others: Vec<UserId> = people.iter().copied().map(UserId::from).collect();

    check(&format!("7777, ARRAY{people:?}::bigint[]"), 100, async |conn| {
        let relations = conn.follows().find_relationships(UserId::from(ORDINARY), &others).await;
        assert_eq!(relations.unwrap().len(), 100);
    })
    .await;
}

#[tokio::test]
async fn how_many_follow_somebody_whom_thousands_follow() {
    // What is pending is counted row by row.
    check_reading("1", 1, 200, async |conn| {
        let counts = conn.follows().count(UserId::from(KNOWN)).await.unwrap().unwrap();
        assert_eq!((counts.requests_received, counts.requests_sent), (50, 0));
    })
    .await;
}

#[tokio::test]
async fn suggestions_for_somebody_who_follows_some() {
    // Ten people follow ten each, and one follows ten thousand: PostgreSQL, which expects ten of everybody, sorts them.
    check_reading("7777, 20", 20, 12_000, async |conn| {
        let found = conn.follows().list_suggestions(UserId::from(ORDINARY), 20).await.unwrap();
        assert_eq!(found.len(), 20);
    })
    .await;
}

#[tokio::test]
async fn suggestions_for_somebody_who_follows_thousands() {
    // At most 200 times 200 edges, and those whom they stem from.
    check_reading("1, 20", 20, 80_000, async |conn| {
        let found = conn.follows().list_suggestions(UserId::from(KNOWN), 20).await.unwrap();
        assert_eq!(found.len(), 20);
    })
    .await;
}

/// A page costs the same whoever looks, and however many follow: its numbers are kept beside the person. The blocks of
/// whoever looks are read by their index, and there may be some.
#[tokio::test]
async fn the_page_of_somebody_whom_thousands_follow() {
    check_reading("7777, 'blocked', 7777, 'blocked', 1, 1", 1, 3, async |conn| {
        let viewer = Viewer::User(UserId::from(ORDINARY));
        conn.users().find_profile(viewer, UserId::from(KNOWN)).await.unwrap().unwrap();
    })
    .await;
}

#[tokio::test]
async fn the_page_of_somebody_by_their_name() {
    check_reading("7777, 'blocked', 7777, 'blocked', 'person_1', 1", 1, 3, async |conn| {
        let viewer = Viewer::User(UserId::from(ORDINARY));
        conn.users().find_profile_by_username(viewer, "Person_1").await.unwrap().unwrap();
    })
    .await;
}

#[tokio::test]
async fn the_page_of_somebody_for_whoever_has_blocked_many() {
    // Fifty blocks, read for whoever put them up.
    check_reading("1, 'blocked', 1, 'blocked', 7777, 1", 1, 110, async |conn| {
        let viewer = Viewer::User(UserId::from(KNOWN));
        conn.users().find_profile(viewer, UserId::from(ORDINARY)).await.unwrap().unwrap();
    })
    .await;
}

#[tokio::test]
async fn ones_own_page_where_thousands_follow() {
    check_reading("1, 1", 1, 1, async |conn| {
        conn.users().find_own_profile(UserId::from(KNOWN)).await.unwrap().unwrap();
    })
    .await;
}

#[tokio::test]
async fn some_requests_to_somebody_whom_thousands_follow() {
    check("1, 'pending', 200", 50, async |conn| {
        let some = conn.follows().list_requesters(UserId::from(KNOWN), 200).await.unwrap();
        assert_eq!(some.len(), 50);
    })
    .await;
}

#[tokio::test]
async fn whom_somebody_has_asked() {
    let arguments = "16334, 'active', 1, 16334, 'pending', 16334, 'blocked', 16334, 'blocked', 101";
    check(arguments, 1, async |conn| {
        let asked = conn.follows().list(seen_by(16_334).sent_requests().page(PAGE)).await.unwrap();
        assert_eq!(asked.items[0].user.author.id, UserId::from(KNOWN));
    })
    .await;
}

#[tokio::test]
async fn who_was_asked_for_nothing() {
    // Whoever is asked is read once for each request.
    check_reading("200", 1, 150, async |conn| {
        let found = conn.follows().list_users_with_stale_requests(200).await.unwrap();
        assert_eq!(found, [UserId::from(KNOWN)]);
    })
    .await;
}

fn seen_by(viewer: i64) -> FollowLists {
    FollowQuery::visible_to(viewer.into())
}

async fn check(arguments: &str, rows: u32, work: impl AsyncFnOnce(&mut Connection)) {
    check_reading(arguments, rows, 20 * rows, work).await;
}

/// Has `work` prepare a statement, and looks at how PostgreSQL comes by its rows, so many of them from so many: with a
/// plan for these arguments, and with one for any.
async fn check_reading(
    arguments: &str,
    rows: u32,
    most: u32,
    work: impl AsyncFnOnce(&mut Connection),
) {
    let mut conn = world().await.connect().await;
    work(&mut conn).await;

    for mode in ["force_custom_plan", "force_generic_plan"] {
        conn.batch_execute(&format!("SET plan_cache_mode = {mode}")).await.unwrap();
        let plan = Plan::of_the_prepared(&mut conn, "", arguments).await;

        assert_eq!(plan.rows_returned().to_string(), rows.to_string(), "{plan:#?}");
        assert_eq!(plan.tables_read_whole(), [""; 0], "{mode}: {plan:#?}");
        let read = plan.rows_read();
        assert!(read <= f64::from(most), "{mode}: {read} rows for {rows}: {plan:#?}");
    }
}

async fn world() -> &'static TestDatabase {
    WORLD
        .get_or_init(async || {
            let world = TestDatabase::create().await;
            world.execute(include_str!("datasets/follows.sql")).await;
            world
        })
        .await
}
