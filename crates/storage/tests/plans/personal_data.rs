//! What an export costs among many: the statements are those that the code prepared, not copies.

use chrono::{DateTime, Utc};
use diesel_async::SimpleAsyncConnection;
use grateful_domain::{Position, UserId};
use grateful_storage::{Connection, Repositories};
use grateful_testkit::TestDatabase;
use tokio::sync::OnceCell;
use uuid::Uuid;

use crate::plan::Plan;

/// Read by all tests here, and written by none.
static WORLD: OnceCell<TestDatabase> = OnceCell::const_new();

/// Has done a tenth of everything, 3,000 of each kind.
const BUSY: i64 = 1;

/// Has done five or six of each kind.
const ORDINARY: i64 = 4_711;

/// Half of all ids, by a digest, are behind it.
const HALFWAY: Uuid = Uuid::from_u128(0x8000_0000_0000_0000_0000_0000_0000_0000);

#[tokio::test]
async fn hearts_are_read_in_the_order_of_the_index_that_has_them_once_for_each_post() {
    let key = "likes_user_id_post_id_key";
    let half = format!("1, '{HALFWAY}', 500");

    let plan = check(&half, 500, 500, async |conn| {
        let some =
            conn.personal_data().hearts(UserId::from(BUSY), Some(HALFWAY.into())).await.unwrap();
        assert_eq!(some.len(), 500);
    })
    .await;

    assert!(format!("{plan:?}").contains(key), "{plan:#?}");
    let few = format!("{ORDINARY}, '{}', 500", Uuid::nil());
    check(&few, few_of("likes").await, 10, async |conn| {
        conn.personal_data().hearts(UserId::from(ORDINARY), None).await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn reactions_are_read_in_the_order_of_the_index_that_has_them_once_for_each_post() {
    let key = "emoji_reactions_user_id_post_id_key";
    let half = format!("1, '{HALFWAY}', 500");

    let plan = check(&half, 500, 500, async |conn| {
        conn.personal_data().reactions(UserId::from(BUSY), Some(HALFWAY.into())).await.unwrap();
    })
    .await;

    assert!(format!("{plan:?}").contains(key), "{plan:#?}");
}

#[tokio::test]
async fn comments_are_read_from_where_the_last_part_ended() {
    let at: DateTime<Utc> = "2025-01-01T02:30:00Z".parse().unwrap();
    let behind = Position { at, id: HALFWAY };
    let arguments = format!("1, '{}', '{}', '{HALFWAY}', 500", at.to_rfc3339(), at.to_rfc3339());

    // In a world of this size PostgreSQL would rather read all that are left of theirs, and sort them.
    check(&arguments, 500, 1_600, async |conn| {
        let some = conn.personal_data().comments(UserId::from(BUSY), Some(behind)).await.unwrap();
        assert_eq!(some.len(), 500);
    })
    .await;
}

/// There is no index of somebody's shares by id: each part reads all that they passed on, and nothing of others.
#[tokio::test]
async fn shares_are_read_from_those_of_the_person_alone() {
    let few = format!("{ORDINARY}, '{}', 500", Uuid::nil());
    check(&few, few_of("shares").await, 30, async |conn| {
        conn.personal_data().shares(UserId::from(ORDINARY), None).await.unwrap();
    })
    .await;

    let arguments = format!("1, '{HALFWAY}', 500");
    check(&arguments, 500, 3_500, async |conn| {
        let some =
            conn.personal_data().shares(UserId::from(BUSY), Some(HALFWAY.into())).await.unwrap();
        assert_eq!(some.len(), 500);
    })
    .await;
}

#[tokio::test]
async fn what_was_sent_to_somebody_is_read_from_that_alone() {
    let few = format!("{ORDINARY}, '{}', 500", Uuid::nil());
    check(&few, few_of("share_recipients").await, 30, async |conn| {
        conn.personal_data().received_shares(UserId::from(ORDINARY), None).await.unwrap();
    })
    .await;

    let arguments = format!("1, '{HALFWAY}', 500");
    // With the share and the sender of each.
    check(&arguments, 500, 3_000 + 1_000, async |conn| {
        let some = conn
            .personal_data()
            .received_shares(UserId::from(BUSY), Some(HALFWAY.into()))
            .await
            .unwrap();
        assert_eq!(some.len(), 500);
    })
    .await;
}

#[tokio::test]
async fn what_somebody_was_told_is_read_in_the_order_of_its_changes() {
    // With the actor of each.
    check_of(r#""seq" >"#, "1, 15000, 100", 100, 200, async |conn| {
        let (some, last) =
            conn.notifications().list_changed_since(UserId::from(BUSY), 15_000, 100).await.unwrap();
        assert_eq!((some.len(), last), (100, Some(16_000)));
    })
    .await;
}

/// How much somebody ordinary has done.
async fn few_of(table: &str) -> u32 {
    let rows = world().await.count(&format!("{table} WHERE user_id = {ORDINARY}")).await;
    assert!((1..=10).contains(&rows), "{rows}");
    u32::try_from(rows).unwrap()
}

/// Has `work` prepare a statement, and looks at how PostgreSQL comes by its rows, so many of them from at most `most`: with
/// a plan for these arguments, and with one for any, which is returned.
async fn check(
    arguments: &str,
    rows: u32,
    most: u32,
    work: impl AsyncFnOnce(&mut Connection),
) -> Plan {
    check_of("", arguments, rows, most, work).await
}

/// The same of the statement that has these words in it, where `work` prepares several.
async fn check_of(
    words: &str,
    arguments: &str,
    rows: u32,
    most: u32,
    work: impl AsyncFnOnce(&mut Connection),
) -> Plan {
    let mut conn = world().await.connect().await;
    work(&mut conn).await;

    // How far several workers read ahead of each other is a matter of luck.
    conn.batch_execute("SET max_parallel_workers_per_gather = 0").await.unwrap();
    let mut generic = None;
    for mode in ["force_custom_plan", "force_generic_plan"] {
        conn.batch_execute(&format!("SET plan_cache_mode = {mode}")).await.unwrap();
        let plan = Plan::of_the_prepared(&mut conn, words, arguments).await;
        assert_eq!(plan.rows_returned().to_string(), rows.to_string(), "{mode}: {plan:#?}");
        assert_eq!(plan.tables_read_whole(), [""; 0], "{mode}: {plan:#?}");
        let read = plan.rows_read();
        assert!(read <= f64::from(most), "{mode}: {read} rows for {rows}: {plan:#?}");
        generic = Some(plan);
    }
    generic.unwrap()
}

async fn world() -> &'static TestDatabase {
    WORLD
        .get_or_init(async || {
            let world = TestDatabase::create().await;
            world.execute(include_str!("datasets/personal_data.sql")).await;
            world
        })
        .await
}
