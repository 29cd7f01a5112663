//! The `sessions` table through [`Sessions`](grateful_storage::Sessions).

use chrono::{DateTime, TimeDelta, Utc};
use grateful_domain::{Session, SessionId, UserId};
use grateful_storage::{Connection, Repositories, StorageError, TokenHash};
use grateful_test_database::{NOON, TestDatabase, create_user};
use uuid::Uuid;

const WEEK: TimeDelta = TimeDelta::days(7);
const INSTANT: TimeDelta = TimeDelta::microseconds(1);

/// A session of one week and its token, both derived from the number.
fn session(number: u8, user: UserId, created_at: DateTime<Utc>) -> (Session, TokenHash) {
    let id = SessionId::from(Uuid::from_u128(number.into()));
    (Session::new(id, user, Some("Mozilla/5.0"), created_at, WEEK), TokenHash([number; 32]))
}

async fn create_session(
    conn: &mut Connection,
    number: u8,
    user: UserId,
    at: DateTime<Utc>,
) -> Session {
    let (session, token) = session(number, user, at);
    conn.sessions().insert(&session, token).await.unwrap();
    session
}

#[tokio::test]
async fn a_user_lists_their_own_sessions_newest_first() {
    let database = TestDatabase::create().await;
    let mut conn = database.connect().await;
    let [ana, ben] = [create_user(&database).await, create_user(&database).await];
    let oldest = create_session(&mut conn, 1, ana, NOON).await;
    let newest = create_session(&mut conn, 2, ana, NOON + TimeDelta::minutes(2)).await;
    // Both were created at the same time, so the ids decide.
    let lower = create_session(&mut conn, 3, ana, NOON + TimeDelta::minutes(1)).await;
    let higher = create_session(&mut conn, 4, ana, NOON + TimeDelta::minutes(1)).await;
    create_session(&mut conn, 5, ben, NOON).await;

    let listed = conn.sessions().list_active(ana, NOON).await.unwrap();

    assert_eq!(listed, [newest, higher, lower, oldest]);
}

#[tokio::test]
async fn a_list_has_at_most_a_hundred_sessions() {
    let database = TestDatabase::create().await;
    let mut conn = database.connect().await;
    let ana = create_user(&database).await;
    for number in 0..=100 {
        create_session(&mut conn, number, ana, NOON + TimeDelta::minutes(number.into())).await;
    }

    let listed = conn.sessions().list_active(ana, NOON).await.unwrap();

    assert_eq!(listed.len(), 100);
    assert_eq!(listed[99].created_at, NOON + TimeDelta::minutes(1));
}

#[tokio::test]
async fn changed_inboxes_and_ended_sessions_are_found_among_followed_ones() {
    let database = TestDatabase::create().await;
    let mut conn = database.connect().await;
    let [ana, ben] = [create_user(&database).await, create_user(&database).await];
    let [first, second] = [
        create_session(&mut conn, 1, ana, NOON).await,
        create_session(&mut conn, 2, ana, NOON).await,
    ];
    let without_inbox = create_session(&mut conn, 3, ben, NOON).await;
    let ended = SessionId::from(Uuid::from_u128(4));
    database.execute(&format!("INSERT INTO inboxes (user_id, last_seq) VALUES ({ana}, 7)")).await;
    let followed =
        [(first.id, 7), (second.id, 6), (without_inbox.id, 0), (without_inbox.id, 3), (ended, 5)];

    let mut changes = conn.sessions().find_inbox_changes(&followed).await.unwrap();

    changes.sort_by_key(|(_, last_seq)| std::cmp::Reverse(*last_seq));
    assert_eq!(changes, [(second.id, Some(7)), (without_inbox.id, Some(0)), (ended, None)]);
    assert_eq!(conn.sessions().find_inbox_changes(&[]).await.unwrap(), []);
}

#[tokio::test]
async fn sweeping_deletes_only_expired_sessions() {
    let database = TestDatabase::create().await;
    let mut conn = database.connect().await;
    let ana = create_user(&database).await;
    create_session(&mut conn, 1, ana, NOON - INSTANT).await;
    create_session(&mut conn, 2, ana, NOON).await;
    let active = create_session(&mut conn, 3, ana, NOON + INSTANT).await;

    let mut sweep = async || conn.sessions().sweep(NOON + WEEK, 1).await.unwrap();
    let swept = [sweep().await, sweep().await, sweep().await];

    assert_eq!(swept, [1, 1, 0]);
    assert_eq!(conn.sessions().list_active(ana, NOON).await.unwrap(), [active]);
}

#[tokio::test]
async fn sweeping_skips_sessions_that_another_transaction_has_locked() {
    let database = TestDatabase::create().await;
    let mut conn = database.connect().await;
    let ana = create_user(&database).await;
    create_session(&mut conn, 1, ana, NOON - INSTANT).await;
    create_session(&mut conn, 2, ana, NOON).await;
    let locks = "SELECT FROM sessions ORDER BY expires_at LIMIT 1 FOR UPDATE";
    let other_node = database.begin(locks).await;

    let beside = conn.sessions().sweep(NOON + WEEK, 500).await.unwrap();
    drop(other_node);

    assert_eq!(beside, 1);
}

#[tokio::test]
async fn two_sessions_cannot_share_a_token() {
    let database = TestDatabase::create().await;
    let mut conn = database.connect().await;
    let ana = create_user(&database).await;
    create_session(&mut conn, 1, ana, NOON).await;

    let second = session(2, ana, NOON).0;
    let rejected = conn.sessions().insert(&second, TokenHash([1; 32])).await;

    assert!(
        matches!(&rejected, Err(StorageError::UniqueViolation { constraint }) if constraint == "sessions_token_hash_key"),
        "{rejected:?}"
    );
}

#[tokio::test]
async fn a_session_needs_an_existing_user() {
    let database = TestDatabase::create().await;
    let mut conn = database.connect().await;

    let (session, token) = session(1, UserId::from(4_711), NOON);
    let rejected = conn.sessions().insert(&session, token).await;

    assert!(
        matches!(&rejected, Err(StorageError::ForeignKeyViolation { constraint }) if constraint == "sessions_user_id_fkey"),
        "{rejected:?}"
    );
}
