//! The `sessions` table through [`Sessions`](grateful_storage::Sessions).

use chrono::{DateTime, TimeDelta, Utc};
use grateful_domain::{Session, SessionId, UserId};
use grateful_storage::{Connection, Repositories, StorageError, TokenHash};
use grateful_testkit::{NOON, TestDatabase, create_user};
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
async fn a_token_finds_its_own_session() {
    let database = TestDatabase::create().await;
    let mut conn = database.connect().await;
    let ana = create_user(&database).await;
    let first = create_session(&mut conn, 1, ana, NOON).await;
    let second = Session { user_agent: None, ..session(2, ana, NOON).0 };
    conn.sessions().insert(&second, TokenHash([2; 32])).await.unwrap();

    let mut found = Vec::new();
    for token in [1, 2, 3] {
        found.push(conn.sessions().find_active(TokenHash([token; 32]), NOON).await.unwrap());
    }

    assert_eq!(found, [Some(first), Some(second), None]);
}

#[tokio::test]
async fn a_session_is_found_and_listed_until_it_expires() {
    let database = TestDatabase::create().await;
    let mut conn = database.connect().await;
    let ana = create_user(&database).await;
    let session = create_session(&mut conn, 1, ana, NOON).await;

    for now in [NOON, session.expires_at - INSTANT, session.expires_at] {
        let found = conn.sessions().find_active(TokenHash([1; 32]), now).await.unwrap();
        let listed = conn.sessions().list_active(ana, now).await.unwrap();

        assert_eq!(found.is_some(), session.is_active(now), "{now}");
        assert_eq!(listed.len(), usize::from(session.is_active(now)), "{now}");
    }
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
async fn a_use_is_recorded_for_that_session_only() {
    let database = TestDatabase::create().await;
    let mut conn = database.connect().await;
    let ana = create_user(&database).await;
    let used = create_session(&mut conn, 1, ana, NOON).await;
    let unused = create_session(&mut conn, 2, ana, NOON).await;
    let later = NOON + TimeDelta::hours(1);

    conn.sessions().touch(used.id, later).await.unwrap();

    let listed = conn.sessions().list_active(ana, NOON).await.unwrap();
    assert_eq!(listed, [unused, Session { last_used_at: later, ..used }]);
}

#[tokio::test]
async fn only_its_owner_can_delete_a_session_and_only_once() {
    let database = TestDatabase::create().await;
    let mut conn = database.connect().await;
    let [ana, ben] = [create_user(&database).await, create_user(&database).await];
    let session = create_session(&mut conn, 1, ana, NOON).await;

    assert!(!conn.sessions().delete(ben, session.id).await.unwrap());
    assert!(conn.sessions().delete(ana, session.id).await.unwrap());
    assert!(!conn.sessions().delete(ana, session.id).await.unwrap());

    let found = conn.sessions().find_active(TokenHash([1; 32]), NOON).await.unwrap();
    assert_eq!(found, None);
}

#[tokio::test]
async fn deleting_other_sessions_keeps_the_current_one_and_other_users_sessions() {
    let database = TestDatabase::create().await;
    let mut conn = database.connect().await;
    let [ana, ben] = [create_user(&database).await, create_user(&database).await];
    let kept = create_session(&mut conn, 1, ana, NOON).await;
    create_session(&mut conn, 2, ana, NOON).await;
    create_session(&mut conn, 3, ana, NOON).await;
    let of_ben = create_session(&mut conn, 4, ben, NOON).await;

    let deleted = conn.sessions().delete_others(ana, kept.id).await.unwrap();

    assert_eq!(deleted, 2);
    assert_eq!(conn.sessions().list_active(ana, NOON).await.unwrap(), [kept]);
    assert_eq!(conn.sessions().list_active(ben, NOON).await.unwrap(), [of_ben]);
}

#[tokio::test]
async fn deleting_all_sessions_keeps_those_of_other_users() {
    let database = TestDatabase::create().await;
    let mut conn = database.connect().await;
    let [ana, ben] = [create_user(&database).await, create_user(&database).await];
    create_session(&mut conn, 1, ana, NOON).await;
    create_session(&mut conn, 2, ana, NOON).await;
    let of_ben = create_session(&mut conn, 3, ben, NOON).await;

    let deleted = conn.sessions().delete_all(ana).await.unwrap();

    assert_eq!(deleted, 2);
    assert_eq!(conn.sessions().list_active(ana, NOON).await.unwrap(), []);
    assert_eq!(conn.sessions().list_active(ben, NOON).await.unwrap(), [of_ben]);
}

#[tokio::test]
async fn sweeping_deletes_only_expired_sessions() {
    let database = TestDatabase::create().await;
    let mut conn = database.connect().await;
    let ana = create_user(&database).await;
    create_session(&mut conn, 1, ana, NOON - INSTANT).await;
    create_session(&mut conn, 2, ana, NOON).await;
    let active = create_session(&mut conn, 3, ana, NOON + INSTANT).await;

    let swept = conn.sessions().sweep(NOON + WEEK).await.unwrap();

    assert_eq!(swept, 2);
    assert_eq!(conn.sessions().list_active(ana, NOON).await.unwrap(), [active]);
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

#[tokio::test]
async fn deleting_a_user_deletes_their_sessions() {
    let database = TestDatabase::create().await;
    let mut conn = database.connect().await;
    let ana = create_user(&database).await;
    create_session(&mut conn, 1, ana, NOON).await;

    database.execute(&format!("DELETE FROM users WHERE id = {ana}")).await;

    let found = conn.sessions().find_active(TokenHash([1; 32]), NOON).await.unwrap();
    assert_eq!(found, None);
}
