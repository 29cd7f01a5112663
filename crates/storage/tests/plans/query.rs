//! Rows read by the query builders, per order and filter. `repositories.rs` and `follows.rs` cover the lists that are served
//! over HTTP.

use chrono::DateTime;
use diesel_async::SimpleAsyncConnection;
use grateful_domain::{
    City, CountMode, EngagementPosition, Limit, NotificationId, NotificationType, PostId, PostType,
    RankPosition, UserId, Username, Viewer,
};
use grateful_storage::{Connection, NotificationQuery, PostQuery, Repositories, UserQuery};
use grateful_testkit::TestDatabase;
use tokio::sync::OnceCell;
use uuid::Uuid;

use crate::plan::Plan;

/// Shared by all tests of this module, which only read it.
static DATABASE: OnceCell<TestDatabase> = OnceCell::const_new();

/// Wrote a twentieth of all posts, and has blocks with 40 users.
const PROLIFIC: i64 = 1;

/// Follows 5,000.
const WITH_MANY_FOLLOWS: i64 = 3;

/// The id before the first post's.
const FIRST_POST: u128 = 0x0193_0000_0000_7000_8000_0000_0000_0000;

/// The values that a list of posts binds first for user 1, and those that blocks bind.
const ENGAGEMENT: &str = "1, 1, 1, 1";
const BLOCKS: &str = "1, 'blocked', 1, 'blocked'";

#[tokio::test]
async fn listing_posts_by_rank_reads_few_rows_on_the_first_and_on_a_deep_page() {
    let query = visible_to(PROLIFIC).by_rank();
    check(&format!("{ENGAGEMENT}, {BLOCKS}, 21"), 21, 400, async |conn| {
        conn.posts().list(query.clone()).await.unwrap();
    })
    .await;

    let (rank, at, id) = (20_150.0, DateTime::UNIX_EPOCH, PostId::from(Uuid::nil()));
    let deep = query.after(RankPosition { rank, at, id });
    let position = format!("20150, '{}', '{id}'", at.to_rfc3339());
    check(&format!("{ENGAGEMENT}, {BLOCKS}, {position}, 21"), 21, 400, async |conn| {
        conn.posts().list(deep).await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn listing_an_authors_posts_by_rank_reads_few_rows() {
    check(&format!("{ENGAGEMENT}, {BLOCKS}, 1, 101"), 101, 400, async |conn| {
        let query = visible_to(PROLIFIC).by_author(PROLIFIC.into()).by_rank().limit(Limit::MAX);
        conn.posts().list(query).await.unwrap();
    })
    .await;
}

/// Most of these posts have equal engagement, so their ids decide the order.
#[tokio::test]
async fn listing_posts_by_engagement_reads_few_rows_on_the_first_and_on_a_deep_page() {
    let query = visible_to(PROLIFIC).by_engagement();
    check(&format!("{ENGAGEMENT}, {BLOCKS}, 21"), 21, 400, async |conn| {
        conn.posts().list(query.clone()).await.unwrap();
    })
    .await;

    let id = PostId::from(Uuid::from_u128(FIRST_POST + 100_000));
    let position = EngagementPosition { hearts: 0, reactions: 0, shares: 0, id };
    let arguments = format!("{ENGAGEMENT}, {BLOCKS}, 0, 0, 0, '{id}', 21");
    check(&arguments, 21, 400, async |conn| {
        conn.posts().list(query.after(position)).await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn listing_posts_of_a_period_reads_few_rows() {
    let [since, until] = ["2025-03-01T00:00:00Z", "2025-03-08T00:00:00Z"];
    let query = visible_to(PROLIFIC).since(since.parse().unwrap()).until(until.parse().unwrap());
    check(&format!("{ENGAGEMENT}, {BLOCKS}, '{since}', '{until}', 21"), 21, 400, async |conn| {
        conn.posts().list(query).await.unwrap();
    })
    .await;
}

/// One in a thousand of the author's posts is of that type. Reads at most all posts of the author.
#[tokio::test]
async fn filtering_an_authors_posts_by_a_rare_type_reads_only_their_posts() {
    let query =
        visible_to(PROLIFIC).by_author(PROLIFIC.into()).of_type(PostType::Photo).with_image();
    check(&format!("{ENGAGEMENT}, 1, {BLOCKS}, 1, 'photo', 21"), 10, 10_200, async |conn| {
        assert!(conn.posts().list(query).await.unwrap().items.len() < 21);
    })
    .await;
}

/// Reads one post per author, and at most 21 posts of each of the 21 authors with the newest posts.
#[tokio::test]
async fn listing_the_newest_posts_of_a_hundred_authors_reads_few_rows() {
    let authors: Vec<UserId> =
        [PROLIFIC].into_iter().chain((1..100).map(|n| n * 97)).map(UserId::from).collect();
    let query = visible_to(PROLIFIC).by_authors(&authors);
    let array = array(&authors);
    let prefix = format!("{ENGAGEMENT}, 1, {BLOCKS}, {array}, 1, 1, 1");
    check(&format!("{prefix}, 21, 21, 1, 21, 21, 21"), 21, 100 + 21 * 21 + 800, async |conn| {
        conn.posts().list(query.clone()).await.unwrap();
    })
    .await;
    let for_guest = format!("NULL, 1, NULL, 1, {array}, 21, 21, 21, 21, 21");
    check(&for_guest, 21, 100 + 21 * 21 + 800, async |conn| {
        let query = PostQuery::visible_to(Viewer::Guest).by_authors(&authors);
        conn.posts().list(query).await.unwrap();
    })
    .await;
    // The author has 10,000 posts, but the plan reads no more of them than of an author with an average number.
    let for_guest = "NULL, 1, NULL, 1, ARRAY[1::bigint], 101, 101, 101, 101, 101";
    check(for_guest, 101, 101 * 5, async |conn| {
        let query = PostQuery::visible_to(Viewer::Guest).by_authors(&[PROLIFIC.into()]);
        conn.posts().list(query.limit(Limit::MAX)).await.unwrap();
    })
    .await;

    let (at, id) =
        (DateTime::from_timestamp(1_735_689_600 + 60 * 100_000, 0).unwrap(), Uuid::nil());
    let deep = query.after(grateful_domain::Position { at, id });
    let position = format!("'{}', '{id}'", at.to_rfc3339());
    let arguments = format!("{prefix}, {position}, 21, 21, 1, 21, 21, {position}, 21");
    check(&arguments, 21, 100 + 21 * 21 + 800, async |conn| {
        conn.posts().list(deep).await.unwrap();
    })
    .await;
}

/// Reads one post and one follow per author. A tenth of the authors have only twenty private posts each, which are skipped.
#[tokio::test]
async fn listing_the_newest_posts_of_thousands_of_followed_users_reads_few_rows() {
    let query = visible_to(WITH_MANY_FOLLOWS).by_followed();
    let arguments = "3, 1, 3, 1, 3, 3, 'blocked', 3, 'blocked', 3, 3, 3, 3, 21, 21, 3, 21, 21, 21";
    check(arguments, 21, 5_000 + 5_000 + 500 * 20 + 21 * 21, async |conn| {
        let found = conn.posts().list(query).await.unwrap();
        assert_eq!(found.items.len(), 20);
    })
    .await;
}

/// Reads as many rows as it counts, and the page.
#[tokio::test]
async fn a_counted_total_reads_at_most_its_limit() {
    let mode = CountMode::UpTo(1_000);
    let blocks_of_total = "1, 'blocked', 1, 'blocked'";
    check(
        &format!("{blocks_of_total}, {ENGAGEMENT}, {BLOCKS}, 21"),
        21,
        1_500 + 400,
        async |conn| {
            conn.posts().list(visible_to(PROLIFIC).with_total(mode)).await.unwrap();
        },
    )
    .await;
    check(
        &format!("{blocks_of_total}, {ENGAGEMENT}, {BLOCKS}, 21"),
        21,
        1_500 + 400,
        async |conn| {
            conn.posts().list(visible_to(PROLIFIC).by_engagement().with_total(mode)).await.unwrap();
        },
    )
    .await;
    let arguments = format!("1, {blocks_of_total}, 1, {ENGAGEMENT}, 1, {BLOCKS}, 1, 21");
    // A tenth of the author's posts, spread over the table, cost PostgreSQL as much as all of them: never more.
    check(&arguments, 21, 10_000 + 400, async |conn| {
        let query = visible_to(PROLIFIC).by_author(PROLIFIC.into()).with_total(mode);
        conn.posts().list(query).await.unwrap();
    })
    .await;
    let page = "3, 1, 3, 1, 3, 3, 'blocked', 3, 'blocked', 3, 3, 3, 3, 21, 21, 3, 21, 21, 21";
    // The follows are read for the total and for the page.
    check(&format!("3, 3, 3, 3, {page}"), 21, 20_500 + 5_000 + 10_000 + 1_500, async |conn| {
        let query = visible_to(WITH_MANY_FOLLOWS).by_followed().with_total(mode);
        conn.posts().list(query).await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn a_total_from_counters_reads_few_rows() {
    check(&format!("{ENGAGEMENT}, {BLOCKS}, 21"), 21, 400, async |conn| {
        conn.posts().list(visible_to(PROLIFIC).with_total(CountMode::Estimated)).await.unwrap();
    })
    .await;
    let arguments = format!("1, ARRAY[77::bigint], 1, 1, {ENGAGEMENT}, 1, {BLOCKS}, 77, 21");
    check(&arguments, 20, 400, async |conn| {
        let query =
            visible_to(PROLIFIC).by_author(UserId::from(77)).with_total(CountMode::Estimated);
        conn.posts().list(query).await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn listing_users_in_every_order_and_by_city_reads_few_rows() {
    let visible = UserQuery::visible_to(Viewer::User(PROLIFIC.into()));
    check(&format!("{BLOCKS}, 21"), 21, 200, async |conn| {
        conn.users().list(visible.clone()).await.unwrap();
    })
    .await;
    check(&format!("{BLOCKS}, 5000, 21"), 21, 200, async |conn| {
        conn.users().list(visible.clone().after(UserId::from(5_000))).await.unwrap();
    })
    .await;
    check(&format!("{BLOCKS}, 'person_5', 21"), 21, 200, async |conn| {
        let position = Username::parse("Person_5").unwrap();
        conn.users().list(visible.clone().by_username().after(position)).await.unwrap();
    })
    .await;
    for (city, rows) in [("Graz", 21), ("Town 77", 1)] {
        check(&format!("{BLOCKS}, '{city}', 21"), rows, 200, async |conn| {
            let city = City::parse(city).unwrap().unwrap();
            conn.users().list(visible.clone().in_city(city)).await.unwrap();
        })
        .await;
    }
    let ids: Vec<UserId> = (1..=50).map(|n| UserId::from(n * 7)).collect();
    check(&format!("{BLOCKS}, {}, 21", array(&ids)), 21, 200, async |conn| {
        conn.users().list(visible.clone().with_ids(&ids)).await.unwrap();
    })
    .await;
    check(&format!("{BLOCKS}, {BLOCKS}, 21"), 21, 1_001 + 400, async |conn| {
        conn.users().list(visible.clone().with_total(CountMode::UpTo(1_000))).await.unwrap();
    })
    .await;
}

/// A tenth of the user's notifications are of that type. Others between them are skipped, or all are read and sorted.
#[tokio::test]
async fn listing_notifications_by_type_and_time_reads_few_rows() {
    let own = NotificationQuery::of(PROLIFIC.into());
    let list = "last_updated_at\" DESC";
    check_one(list, "1, 'mention', 21", 21, 3_311 + 400, async |conn| {
        conn.notifications().list(own.clone().of_type(NotificationType::Mention)).await.unwrap();
    })
    .await;
    check_one(list, "1, '2025-11-01', 21", 21, 60, async |conn| {
        let query = own.clone().since("2025-11-01T00:00:00Z".parse().unwrap());
        conn.notifications().list(query).await.unwrap();
    })
    .await;
    check_one(list, "1, 1, 21", 21, 60 + 100, async |conn| {
        let query = own.clone().unread().with_total(CountMode::UpTo(99));
        let found = conn.notifications().list(query).await.unwrap();
        assert_eq!(found.total.unwrap().number(), 99);
    })
    .await;
}

#[tokio::test]
async fn listing_children_of_a_large_batch_with_their_total_reads_few_rows() {
    let batch = NotificationId::from(Uuid::from_u128(0x0196_1000_0000_7000_8000_0000_0000_0001));
    let page = format!("'{batch}', 1, '{batch}', 21");
    let own = NotificationQuery::of(PROLIFIC.into()).children_of(batch);
    check_one("\"created_at\" DESC", &format!("'{batch}', 1, {page}"), 21, 60, async |conn| {
        let query = own.clone().with_total(CountMode::Estimated);
        let found = conn.notifications().list(query).await.unwrap();
        assert_eq!(found.total.unwrap().number(), 10_000);
    })
    .await;
    check_one(
        "\"created_at\" DESC",
        &format!("'{batch}', '{batch}', 1, {page}"),
        21,
        60 + 1_001,
        async |conn| {
            let query = own.clone().with_total(CountMode::UpTo(1_000));
            conn.notifications().list(query).await.unwrap();
        },
    )
    .await;
}

/// Lists up to ten posts per author.
#[tokio::test]
async fn listing_posts_of_each_of_fifty_authors_reads_few_rows() {
    let mut authors: Vec<UserId> = (2..=50).map(|n| UserId::from(n * 97)).collect();
    authors.push(PROLIFIC.into());
    let arguments = format!("{ENGAGEMENT}, 1, {BLOCKS}, {}, 1, 1, 1, 1, 10", array(&authors));
    // Some of the authors have no public posts.
    check(&arguments, 420, 420 * 10, async |conn| {
        let viewer = Viewer::User(PROLIFIC.into());
        let limit = Limit::parse(10).unwrap();
        let posts = conn.posts().list_by_each_author(viewer, &authors, limit).await.unwrap();
        assert_eq!(posts.values().map(Vec::len).sum::<usize>(), 420);
    })
    .await;
    let for_guest = format!("NULL, 1, NULL, 1, {}, 10", array(&authors));
    check(&for_guest, 420, 420 * 10, async |conn| {
        let limit = Limit::parse(10).unwrap();
        conn.posts().list_by_each_author(Viewer::Guest, &authors, limit).await.unwrap();
    })
    .await;
}

/// Runs `work`, which prepares a statement, and checks that its plans return `rows` rows and read at most `max_read`: the
/// plan for these arguments and the generic plan.
async fn check(arguments: &str, rows: u32, max_read: u32, work: impl AsyncFnOnce(&mut Connection)) {
    check_one("", arguments, rows, max_read, work).await;
}

/// Like [`check`], for the statement whose text contains `sql_part`, for work that prepares several.
async fn check_one(
    sql_part: &str,
    arguments: &str,
    rows: u32,
    max_read: u32,
    work: impl AsyncFnOnce(&mut Connection),
) {
    let mut conn = database().await.connect().await;
    work(&mut conn).await;

    for mode in ["force_custom_plan", "force_generic_plan"] {
        conn.batch_execute(&format!("SET plan_cache_mode = {mode}")).await.unwrap();
        let plan = Plan::of_prepared(&mut conn, sql_part, arguments).await;

        let read = plan.rows_read();
        assert_eq!(plan.rows_returned().to_string(), rows.to_string(), "{plan:#?}");
        assert!(read <= f64::from(max_read), "{mode}: {read} rows for {rows}: {plan:#?}");
        assert_eq!(plan.tables_scanned(), [""; 0], "{mode}: {plan:#?}");
    }
}

fn visible_to(viewer: i64) -> PostQuery {
    PostQuery::visible_to(Viewer::User(viewer.into()))
}

fn array(users: &[UserId]) -> String {
    let ids: Vec<String> = users.iter().map(ToString::to_string).collect();
    format!("ARRAY[{}]::bigint[]", ids.join(", "))
}

async fn database() -> &'static TestDatabase {
    DATABASE
        .get_or_init(async || {
            let database = TestDatabase::create().await;
            database.execute(include_str!("datasets/large.sql")).await;
            database.execute(include_str!("datasets/query.sql")).await;
            database
        })
        .await
}
