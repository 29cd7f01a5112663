//! Rows read by the export of a user's data.

use chrono::{DateTime, Utc};
use grateful_domain::{Position, UserId};
use grateful_storage::{Connection, Repositories};
use grateful_test_database::TestDatabase;
use tokio::sync::OnceCell;
use uuid::Uuid;

use crate::plan::{self, Expected, Plan};

/// Shared by all tests of this module, which only read it.
static DATABASE: OnceCell<TestDatabase> = OnceCell::const_new();

/// Has a tenth of all rows, 3,000 of each kind.
const BUSY: i64 = 1;

/// Has five or six rows of each kind.
const ORDINARY: i64 = 4_711;

/// Half of all ids, which are digests, are greater.
const HALFWAY: Uuid = Uuid::from_u128(0x8000_0000_0000_0000_0000_0000_0000_0000);

#[tokio::test]
async fn hearts_are_read_in_the_order_of_the_unique_index() {
    let key = "likes_user_id_post_id_key";

    let plan = check(500, 500, async |conn| {
        let batch = conn
            .personal_data()
            .list_hearts(UserId::from(BUSY), Some(HALFWAY.into()))
            .await
            .unwrap();
        assert_eq!(batch.len(), 500);
    })
    .await;

    assert!(format!("{plan:?}").contains(key), "{plan:#?}");
    check(ordinary_rows("likes").await, 10, async |conn| {
        conn.personal_data().list_hearts(UserId::from(ORDINARY), None).await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn reactions_are_read_in_the_order_of_the_unique_index() {
    let key = "emoji_reactions_user_id_post_id_key";

    let plan = check(500, 500, async |conn| {
        conn.personal_data()
            .list_reactions(UserId::from(BUSY), Some(HALFWAY.into()))
            .await
            .unwrap();
    })
    .await;

    assert!(format!("{plan:?}").contains(key), "{plan:#?}");
}

#[tokio::test]
async fn comments_are_read_from_the_end_of_the_previous_batch() {
    let at: DateTime<Utc> = "2025-01-01T02:30:00Z".parse().unwrap();
    let after = Position { at, id: HALFWAY };

    // With a dataset of this size, PostgreSQL prefers to read and sort all remaining comments of the user.
    check(500, 1_600, async |conn| {
        let batch =
            conn.personal_data().list_comments(UserId::from(BUSY), Some(after)).await.unwrap();
        assert_eq!(batch.len(), 500);
    })
    .await;
}

/// No index has a user's shares in the order of their ids: each batch reads all shares of the user, and none of other users.
#[tokio::test]
async fn reading_shares_reads_only_those_of_the_user() {
    check(ordinary_rows("shares").await, 30, async |conn| {
        conn.personal_data().list_shares(UserId::from(ORDINARY), None).await.unwrap();
    })
    .await;

    check(500, 3_500, async |conn| {
        let batch = conn
            .personal_data()
            .list_shares(UserId::from(BUSY), Some(HALFWAY.into()))
            .await
            .unwrap();
        assert_eq!(batch.len(), 500);
    })
    .await;
}

#[tokio::test]
async fn reading_received_shares_reads_only_those_of_the_user() {
    check(ordinary_rows("share_recipients").await, 30, async |conn| {
        conn.personal_data().list_received_shares(UserId::from(ORDINARY), None).await.unwrap();
    })
    .await;

    // Includes the share and the sender of each, and the few blocks of the user.
    check(500, 3_000 + 1_000 + 100, async |conn| {
        let batch = conn
            .personal_data()
            .list_received_shares(UserId::from(BUSY), Some(HALFWAY.into()))
            .await
            .unwrap();
        assert_eq!(batch.len(), 500);
    })
    .await;
}

#[tokio::test]
async fn notifications_are_read_in_the_order_of_their_changes() {
    // Includes the actor of each.
    check_statement(r#""seq" >"#, 100, 200, async |conn| {
        let (batch, last) =
            conn.notifications().list_changed_since(UserId::from(BUSY), 15_000, 100).await.unwrap();
        assert_eq!((batch.len(), last), (100, Some(16_000)));
    })
    .await;
}

/// The number of rows of the ordinary user.
async fn ordinary_rows(table: &str) -> u32 {
    let rows = database().await.count(&format!("{table} WHERE user_id = {ORDINARY}")).await;
    assert!((1..=10).contains(&rows), "{rows}");
    u32::try_from(rows).unwrap()
}

async fn check(rows: u32, max_read: u32, work: impl AsyncFnOnce(&mut Connection)) -> Plan {
    check_statement("", rows, max_read, work).await
}

async fn check_statement(
    sql_part: &str,
    rows: u32,
    max_read: u32,
    work: impl AsyncFnOnce(&mut Connection),
) -> Plan {
    let mut conn = database().await.connect().await;
    plan::check(&mut conn, Expected { sql_part, rows, max_read }, work).await
}

async fn database() -> &'static TestDatabase {
    DATABASE
        .get_or_init(async || {
            let database = TestDatabase::create().await;
            database.execute(include_str!("datasets/personal_data.sql")).await;
            database
        })
        .await
}
