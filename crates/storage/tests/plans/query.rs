//! What the query builders cost in a large database, order by order: the statements are those that the code prepared, not
//! copies. What lists cost that are served over HTTP is in `plans.rs` and `follows_plans.rs`.

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

/// Read by all tests here, and written by none.
static WORLD: OnceCell<TestDatabase> = OnceCell::const_new();

/// Wrote a twentieth of all posts, and stands in a block with 40 people.
const PROLIFIC: i64 = 1;

/// Follows 5,000.
const EAGER: i64 = 3;

/// The id before that of the first post.
const FIRST_POST: u128 = 0x0193_0000_0000_7000_8000_0000_0000_0000;

/// What a list of posts binds for person 1 first, and what blocks bind.
const LEFT: &str = "1, 1, 1, 1";
const BLOCKS: &str = "1, 'blocked', 1, 'blocked'";

#[tokio::test]
async fn the_best_posts_and_those_deep_down() {
    let query = seen_by(PROLIFIC).by_rank();
    check(&format!("{LEFT}, {BLOCKS}, 21"), 21, 400, async |conn| {
        conn.posts().list(query.clone()).await.unwrap();
    })
    .await;

    let (rank, at, id) = (20_150.0, DateTime::UNIX_EPOCH, PostId::from(Uuid::nil()));
    let deep = query.after(RankPosition { rank, at, id });
    let place = format!("20150, '{}', '{id}'", at.to_rfc3339());
    check(&format!("{LEFT}, {BLOCKS}, {place}, 21"), 21, 400, async |conn| {
        conn.posts().list(deep).await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn the_best_posts_of_somebody() {
    check(&format!("{LEFT}, {BLOCKS}, 1, 101"), 101, 400, async |conn| {
        let query = seen_by(PROLIFIC).by_author(PROLIFIC.into()).by_rank().limit(Limit::MAX);
        conn.posts().list(query).await.unwrap();
    })
    .await;
}

/// Of most of these posts, nothing but the id tells which comes first.
#[tokio::test]
async fn the_most_answered_posts_and_those_deep_down_that_nobody_answered() {
    let query = seen_by(PROLIFIC).by_engagement();
    check(&format!("{LEFT}, {BLOCKS}, 21"), 21, 400, async |conn| {
        conn.posts().list(query.clone()).await.unwrap();
    })
    .await;

    let id = PostId::from(Uuid::from_u128(FIRST_POST + 100_000));
    let place = EngagementPosition { hearts: 0, reactions: 0, shares: 0, id };
    let arguments = format!("{LEFT}, {BLOCKS}, 0, 0, 0, '{id}', 21");
    check(&arguments, 21, 400, async |conn| {
        conn.posts().list(query.after(place)).await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn posts_from_some_time_on_or_up_to_some() {
    let [from, to] = ["2025-03-01T00:00:00Z", "2025-03-08T00:00:00Z"];
    let query = seen_by(PROLIFIC).since(from.parse().unwrap()).until(to.parse().unwrap());
    check(&format!("{LEFT}, {BLOCKS}, '{from}', '{to}', 21"), 21, 400, async |conn| {
        conn.posts().list(query).await.unwrap();
    })
    .await;
}

/// One in a thousand of theirs is of that type: no more than all that they wrote is read.
#[tokio::test]
async fn what_is_rare_among_somebodys_posts_is_looked_for_among_theirs_alone() {
    let query = seen_by(PROLIFIC).by_author(PROLIFIC.into()).of_type(PostType::Photo).with_image();
    check(&format!("{LEFT}, 1, {BLOCKS}, 1, 'photo', 21"), 10, 10_200, async |conn| {
        assert!(conn.posts().list(query).await.unwrap().items.len() < 21);
    })
    .await;
}

/// One post of each, and of the 21 with the newest ones 21 posts at most.
#[tokio::test]
async fn the_newest_posts_of_a_hundred_people() {
    let authors: Vec<UserId> =
        [PROLIFIC].into_iter().chain((1..100).map(|n| n * 97)).map(UserId::from).collect();
    let query = seen_by(PROLIFIC).by_authors(&authors);
    let array = array(&authors);
    let before = format!("{LEFT}, 1, {BLOCKS}, {array}, 1, 1, 1");
    check(&format!("{before}, 21, 21, 1, 21, 21, 21"), 21, 100 + 21 * 21 + 800, async |conn| {
        conn.posts().list(query.clone()).await.unwrap();
    })
    .await;
    let guests = format!("NULL, 1, NULL, 1, {array}, 21, 21, 21, 21, 21");
    check(&guests, 21, 100 + 21 * 21 + 800, async |conn| {
        let query = PostQuery::visible_to(Viewer::Guest).by_authors(&authors);
        conn.posts().list(query).await.unwrap();
    })
    .await;
    // Theirs are 10,000, of which no more are read for being by one of average size.
    let guests = "NULL, 1, NULL, 1, ARRAY[1::bigint], 101, 101, 101, 101, 101";
    check(guests, 101, 101 * 5, async |conn| {
        let query = PostQuery::visible_to(Viewer::Guest).by_authors(&[PROLIFIC.into()]);
        conn.posts().list(query.limit(Limit::MAX)).await.unwrap();
    })
    .await;

    let (at, id) =
        (DateTime::from_timestamp(1_735_689_600 + 60 * 100_000, 0).unwrap(), Uuid::nil());
    let deep = query.after(grateful_domain::Position { at, id });
    let place = format!("'{}', '{id}'", at.to_rfc3339());
    let arguments = format!("{before}, {place}, 21, 21, 1, 21, 21, {place}, 21");
    check(&arguments, 21, 100 + 21 * 21 + 800, async |conn| {
        conn.posts().list(deep).await.unwrap();
    })
    .await;
}

/// One post and one edge of each; a tenth of them have nothing but private posts, and all twenty are passed over.
#[tokio::test]
async fn the_newest_posts_of_the_thousands_whom_somebody_follows() {
    let query = seen_by(EAGER).by_followed();
    let arguments = "3, 1, 3, 1, 3, 3, 'blocked', 3, 'blocked', 3, 3, 3, 3, 21, 21, 3, 21, 21, 21";
    check(arguments, 21, 5_000 + 5_000 + 500 * 20 + 21 * 21, async |conn| {
        let slice = conn.posts().list(query).await.unwrap();
        assert_eq!(slice.items.len(), 20);
    })
    .await;
}

/// As far as it counts, and the part.
#[tokio::test]
async fn a_count_reads_as_far_as_it_goes() {
    let counting = CountMode::UpTo(1_000);
    let blocks_of_total = "1, 'blocked', 1, 'blocked'";
    check(&format!("{blocks_of_total}, {LEFT}, {BLOCKS}, 21"), 21, 1_500 + 400, async |conn| {
        conn.posts().list(seen_by(PROLIFIC).with_total(counting)).await.unwrap();
    })
    .await;
    check(&format!("{blocks_of_total}, {LEFT}, {BLOCKS}, 21"), 21, 1_500 + 400, async |conn| {
        conn.posts().list(seen_by(PROLIFIC).by_engagement().with_total(counting)).await.unwrap();
    })
    .await;
    let arguments = format!("1, {blocks_of_total}, 1, {LEFT}, 1, {BLOCKS}, 1, 21");
    // A tenth of what they wrote, all over the table, costs PostgreSQL as much as all of it: never more.
    check(&arguments, 21, 10_000 + 400, async |conn| {
        let query = seen_by(PROLIFIC).by_author(PROLIFIC.into()).with_total(counting);
        conn.posts().list(query).await.unwrap();
    })
    .await;
    let part = "3, 1, 3, 1, 3, 3, 'blocked', 3, 'blocked', 3, 3, 3, 3, 21, 21, 3, 21, 21, 21";
    // The edges, as often as they are needed for either.
    check(&format!("3, 3, 3, 3, {part}"), 21, 20_500 + 5_000 + 10_000 + 1_500, async |conn| {
        let query = seen_by(EAGER).by_followed().with_total(counting);
        conn.posts().list(query).await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn what_is_kept_costs_a_look_at_it() {
    check(&format!("{LEFT}, {BLOCKS}, 21"), 21, 400, async |conn| {
        conn.posts().list(seen_by(PROLIFIC).with_total(CountMode::Estimated)).await.unwrap();
    })
    .await;
    let arguments = format!("1, ARRAY[77::bigint], 1, 1, {LEFT}, 1, {BLOCKS}, 77, 21");
    check(&arguments, 20, 400, async |conn| {
        let query = seen_by(PROLIFIC).by_author(UserId::from(77)).with_total(CountMode::Estimated);
        conn.posts().list(query).await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn people_by_when_they_joined_by_name_and_by_town() {
    let known = UserQuery::visible_to(Viewer::User(PROLIFIC.into()));
    check(&format!("{BLOCKS}, 21"), 21, 200, async |conn| {
        conn.users().list(known.clone()).await.unwrap();
    })
    .await;
    check(&format!("{BLOCKS}, 5000, 21"), 21, 200, async |conn| {
        conn.users().list(known.clone().after(UserId::from(5_000))).await.unwrap();
    })
    .await;
    check(&format!("{BLOCKS}, 'person_5', 21"), 21, 200, async |conn| {
        let place = Username::parse("Person_5").unwrap();
        conn.users().list(known.clone().by_username().after(place)).await.unwrap();
    })
    .await;
    for (city, rows) in [("Graz", 21), ("Town 77", 1)] {
        check(&format!("{BLOCKS}, '{city}', 21"), rows, 200, async |conn| {
            let city = City::parse(city).unwrap().unwrap();
            conn.users().list(known.clone().in_city(city)).await.unwrap();
        })
        .await;
    }
    let some: Vec<UserId> = (1..=50).map(|n| UserId::from(n * 7)).collect();
    check(&format!("{BLOCKS}, {}, 21", array(&some)), 21, 200, async |conn| {
        conn.users().list(known.clone().with_ids(&some)).await.unwrap();
    })
    .await;
    check(&format!("{BLOCKS}, {BLOCKS}, 21"), 21, 1_001 + 400, async |conn| {
        conn.users().list(known.clone().with_total(CountMode::UpTo(1_000))).await.unwrap();
    })
    .await;
}

/// A tenth of theirs are of that type, and come with others between them, or are all read and put in order.
#[tokio::test]
async fn somebodys_notifications_by_type_and_by_time() {
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
        let slice = conn.notifications().list(query).await.unwrap();
        assert_eq!(slice.total.unwrap().number(), 99);
    })
    .await;
}

#[tokio::test]
async fn the_entries_of_a_large_batch_with_their_number() {
    let batch = NotificationId::from(Uuid::from_u128(0x0196_1000_0000_7000_8000_0000_0000_0001));
    let part = format!("'{batch}', 1, '{batch}', 21");
    let own = NotificationQuery::of(PROLIFIC.into()).children_of(batch);
    check(&format!("'{batch}', 1, {part}"), 21, 60, async |conn| {
        let query = own.clone().with_total(CountMode::Estimated);
        let slice = conn.notifications().list(query).await.unwrap();
        assert_eq!(slice.total.unwrap().number(), 10_000);
    })
    .await;
    check(&format!("'{batch}', '{batch}', 1, {part}"), 21, 60 + 1_001, async |conn| {
        let query = own.clone().with_total(CountMode::UpTo(1_000));
        conn.notifications().list(query).await.unwrap();
    })
    .await;
}

/// So many posts of each.
#[tokio::test]
async fn the_posts_of_fifty_people() {
    let mut authors: Vec<UserId> = (2..=50).map(|n| UserId::from(n * 97)).collect();
    authors.push(PROLIFIC.into());
    let arguments = format!("{LEFT}, 1, {BLOCKS}, {}, 1, 1, 1, 1, 10", array(&authors));
    // Some of them wrote nothing, or nothing but private posts.
    check(&arguments, 420, 420 * 10, async |conn| {
        let viewer = Viewer::User(PROLIFIC.into());
        let limit = Limit::parse(10).unwrap();
        let posts = conn.posts().list_by_each_author(viewer, &authors, limit).await.unwrap();
        assert_eq!(posts.values().map(Vec::len).sum::<usize>(), 420);
    })
    .await;
    let guests = format!("NULL, 1, NULL, 1, {}, 10", array(&authors));
    check(&guests, 420, 420 * 10, async |conn| {
        let limit = Limit::parse(10).unwrap();
        conn.posts().list_by_each_author(Viewer::Guest, &authors, limit).await.unwrap();
    })
    .await;
}

/// Five thousand were said about one of them.
#[tokio::test]
async fn what_was_said_about_fifty_posts() {
    let posts: Vec<PostId> =
        (199_950..=199_999).map(|n| PostId::from(Uuid::from_u128(FIRST_POST + n))).collect();
    let arguments = format!(
        "7777, 7777, 7777, 'blocked', 7777, 'blocked', {}, 7777, 7777, 7777, 7777, 7777, 7777, 7777, 10",
        uuids(&posts)
    );
    let mut conn = world().await.connect().await;
    let limit = Limit::parse(10).unwrap();
    let said = conn.comments().list_on_each_post(UserId::from(7_777), &posts, limit).await.unwrap();
    let rows = u32::try_from(said.values().map(Vec::len).sum::<usize>()).unwrap();
    assert!(40 < rows, "{rows}");
    // Its answers are counted for each.
    check(&arguments, rows, 20 * rows, async |conn| {
        conn.comments().list_on_each_post(UserId::from(7_777), &posts, limit).await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn who_wrote_fifty_posts() {
    let posts: Vec<PostId> =
        (100_001..=100_050).map(|n| PostId::from(Uuid::from_u128(FIRST_POST + n))).collect();
    // Every tenth is private.
    check(
        &format!("149, 149, 'blocked', 149, 'blocked', {}", uuids(&posts)),
        45,
        200,
        async |conn| {
            let viewer = Viewer::User(UserId::from(149));
            assert_eq!(conn.posts().find_authors(viewer, &posts).await.unwrap().len(), 45);
        },
    )
    .await;
}

/// Has `work` prepare a statement, and looks at how PostgreSQL comes by its rows, so many of them from so many: with a plan
/// for these arguments, and with one for any.
async fn check(arguments: &str, rows: u32, most: u32, work: impl AsyncFnOnce(&mut Connection)) {
    check_one("", arguments, rows, most, work).await;
}

/// The same where the work prepares several statements, for the one that has these words in it.
async fn check_one(
    words: &str,
    arguments: &str,
    rows: u32,
    most: u32,
    work: impl AsyncFnOnce(&mut Connection),
) {
    let mut conn = world().await.connect().await;
    work(&mut conn).await;

    for mode in ["force_custom_plan", "force_generic_plan"] {
        conn.batch_execute(&format!("SET plan_cache_mode = {mode}")).await.unwrap();
        let plan = Plan::of_the_prepared(&mut conn, words, arguments).await;

        let read = plan.rows_read();
        assert_eq!(plan.rows_returned().to_string(), rows.to_string(), "{plan:#?}");
        assert!(read <= f64::from(most), "{mode}: {read} rows for {rows}: {plan:#?}");
        assert_eq!(plan.tables_read_whole(), [""; 0], "{mode}: {plan:#?}");
    }
}

fn seen_by(viewer: i64) -> PostQuery {
    PostQuery::visible_to(Viewer::User(viewer.into()))
}

fn array(people: &[UserId]) -> String {
    let ids: Vec<String> = people.iter().map(ToString::to_string).collect();
    format!("ARRAY[{}]::bigint[]", ids.join(", "))
}

fn uuids(posts: &[PostId]) -> String {
    let ids: Vec<String> = posts.iter().map(|post| format!("'{post}'")).collect();
    format!("ARRAY[{}]::uuid[]", ids.join(", "))
}

async fn world() -> &'static TestDatabase {
    WORLD
        .get_or_init(async || {
            let world = TestDatabase::create().await;
            world.execute(include_str!("datasets/large.sql")).await;
            world.execute(include_str!("datasets/query.sql")).await;
            world
        })
        .await
}
