//! The `sessions` table through [`Sessions`](grateful_storage::Sessions).

use chrono::{DateTime, TimeDelta, Utc};
use grateful_domain::{Session, SessionId, UserId};
use grateful_storage::{Connection, Repositories, StorageError, TokenHash};
use grateful_testkit::{NOON, TestDatabase, create_user};
use uuid::Uuid;

const WEEK: TimeDelta = TimeDelta::days(7);
const INSTANT: TimeDelta = TimeDelta::microseconds(1);

/// The session and the token with this number, begun at this moment, for a week.
fn session(number: u8, user: UserId, begun: DateTime<Utc>) -> (Session, TokenHash) {
    let id = SessionId::from(Uuid::from_u128(number.into()));
    (Session::new(id, user, Some("Mozilla/5.0"), begun, WEEK), TokenHash([number; 32]))
}

async fn begun(conn: &mut Connection, number: u8, user: UserId, at: DateTime<Utc>) -> Session {
    let (session, token) = session(number, user, at);
    conn.sessions().insert(&session, token).await.unwrap();
    session
}

#[tokio::test]
async fn a_token_opens_its_own_session() {
    let database = TestDatabase::create().await;
    let mut conn = database.connect().await;
    let ana = create_user(&database).await;
    let first = begun(&mut conn, 1, ana, NOON).await;
    let second = Session { user_agent: None, ..session(2, ana, NOON).0 };
    conn.sessions().insert(&second, TokenHash([2; 32])).await.unwrap();

    let mut opened = Vec::new();
    for token in [1, 2, 3] {
        opened.push(conn.sessions().find_active(TokenHash([token; 32]), NOON).await.unwrap());
    }

    assert_eq!(opened, [Some(first), Some(second), None]);
}

#[tokio::test]
async fn a_session_opens_and_is_listed_as_long_as_it_lives_and_no_longer() {
    let database = TestDatabase::create().await;
    let mut conn = database.connect().await;
    let ana = create_user(&database).await;
    let session = begun(&mut conn, 1, ana, NOON).await;

    for now in [NOON, session.expires_at - INSTANT, session.expires_at] {
        let opened = conn.sessions().find_active(TokenHash([1; 32]), now).await.unwrap();
        let listed = conn.sessions().list_active(ana, now).await.unwrap();

        assert_eq!(opened.is_some(), session.is_live(now), "{now}");
        assert_eq!(listed.len(), usize::from(session.is_live(now)), "{now}");
    }
}

#[tokio::test]
async fn a_list_has_ones_own_sessions_newest_first() {
    let database = TestDatabase::create().await;
    let mut conn = database.connect().await;
    let [ana, ben] = [create_user(&database).await, create_user(&database).await];
    let oldest = begun(&mut conn, 1, ana, NOON).await;
    let newest = begun(&mut conn, 2, ana, NOON + TimeDelta::minutes(2)).await;
    // Begun in the same moment, so their ids decide.
    let lower = begun(&mut conn, 3, ana, NOON + TimeDelta::minutes(1)).await;
    let higher = begun(&mut conn, 4, ana, NOON + TimeDelta::minutes(1)).await;
    begun(&mut conn, 5, ben, NOON).await;

    let listed = conn.sessions().list_active(ana, NOON).await.unwrap();

    assert_eq!(listed, [newest, higher, lower, oldest]);
}

#[tokio::test]
async fn a_list_ends_after_a_hundred_sessions() {
    let database = TestDatabase::create().await;
    let mut conn = database.connect().await;
    let ana = create_user(&database).await;
    for number in 0..=100 {
        begun(&mut conn, number, ana, NOON + TimeDelta::minutes(number.into())).await;
    }

    let listed = conn.sessions().list_active(ana, NOON).await.unwrap();

    assert_eq!(listed.len(), 100);
    assert_eq!(listed[99].created_at, NOON + TimeDelta::minutes(1));
}

#[tokio::test]
async fn a_use_is_noted_for_that_session_alone() {
    let database = TestDatabase::create().await;
    let mut conn = database.connect().await;
    let ana = create_user(&database).await;
    let used = begun(&mut conn, 1, ana, NOON).await;
    let unused = begun(&mut conn, 2, ana, NOON).await;
    let later = NOON + TimeDelta::hours(1);

    conn.sessions().touch(used.id, later).await.unwrap();

    let listed = conn.sessions().list_active(ana, NOON).await.unwrap();
    assert_eq!(listed, [unused, Session { last_used_at: later, ..used }]);
}

#[tokio::test]
async fn a_session_is_ended_by_its_owner_alone_and_once() {
    let database = TestDatabase::create().await;
    let mut conn = database.connect().await;
    let [ana, ben] = [create_user(&database).await, create_user(&database).await];
    let session = begun(&mut conn, 1, ana, NOON).await;

    assert!(!conn.sessions().delete(ben, session.id).await.unwrap());
    assert!(conn.sessions().delete(ana, session.id).await.unwrap());
    assert!(!conn.sessions().delete(ana, session.id).await.unwrap());

    let opened = conn.sessions().find_active(TokenHash([1; 32]), NOON).await.unwrap();
    assert_eq!(opened, None);
}

#[tokio::test]
async fn ending_all_others_keeps_one_and_those_of_other_people() {
    let database = TestDatabase::create().await;
    let mut conn = database.connect().await;
    let [ana, ben] = [create_user(&database).await, create_user(&database).await];
    let kept = begun(&mut conn, 1, ana, NOON).await;
    begun(&mut conn, 2, ana, NOON).await;
    begun(&mut conn, 3, ana, NOON).await;
    let bens = begun(&mut conn, 4, ben, NOON).await;

    let ended = conn.sessions().delete_others(ana, kept.id).await.unwrap();

    assert_eq!(ended, 2);
    assert_eq!(conn.sessions().list_active(ana, NOON).await.unwrap(), [kept]);
    assert_eq!(conn.sessions().list_active(ben, NOON).await.unwrap(), [bens]);
}

#[tokio::test]
async fn ending_all_ends_ones_own_alone() {
    let database = TestDatabase::create().await;
    let mut conn = database.connect().await;
    let [ana, ben] = [create_user(&database).await, create_user(&database).await];
    begun(&mut conn, 1, ana, NOON).await;
    begun(&mut conn, 2, ana, NOON).await;
    let bens = begun(&mut conn, 3, ben, NOON).await;

    let ended = conn.sessions().delete_all(ana).await.unwrap();

    assert_eq!(ended, 2);
    assert_eq!(conn.sessions().list_active(ana, NOON).await.unwrap(), []);
    assert_eq!(conn.sessions().list_active(ben, NOON).await.unwrap(), [bens]);
}

#[tokio::test]
async fn sweeping_removes_what_has_expired_and_nothing_that_lives() {
    let database = TestDatabase::create().await;
    let mut conn = database.connect().await;
    let ana = create_user(&database).await;
    begun(&mut conn, 1, ana, NOON - INSTANT).await;
    begun(&mut conn, 2, ana, NOON).await;
    let live = begun(&mut conn, 3, ana, NOON + INSTANT).await;

    let swept = conn.sessions().sweep(NOON + WEEK).await.unwrap();

    assert_eq!(swept, 2);
    assert_eq!(conn.sessions().list_active(ana, NOON).await.unwrap(), [live]);
}

#[tokio::test]
async fn no_token_opens_two_sessions() {
    let database = TestDatabase::create().await;
    let mut conn = database.connect().await;
    let ana = create_user(&database).await;
    begun(&mut conn, 1, ana, NOON).await;

    let second = session(2, ana, NOON).0;
    let refused = conn.sessions().insert(&second, TokenHash([1; 32])).await;

    assert!(
        matches!(&refused, Err(StorageError::Taken { constraint }) if constraint == "sessions_token_hash_key"),
        "{refused:?}"
    );
}

#[tokio::test]
async fn nobody_who_is_gone_signs_in() {
    let database = TestDatabase::create().await;
    let mut conn = database.connect().await;

    let (session, token) = session(1, UserId::from(4_711), NOON);
    let refused = conn.sessions().insert(&session, token).await;

    assert!(
        matches!(&refused, Err(StorageError::Missing { constraint }) if constraint == "sessions_user_id_fkey"),
        "{refused:?}"
    );
}

#[tokio::test]
async fn who_is_deleted_is_signed_out() {
    let database = TestDatabase::create().await;
    let mut conn = database.connect().await;
    let ana = create_user(&database).await;
    begun(&mut conn, 1, ana, NOON).await;

    database.execute(&format!("DELETE FROM users WHERE id = {ana}")).await;

    let opened = conn.sessions().find_active(TokenHash([1; 32]), NOON).await.unwrap();
    assert_eq!(opened, None);
}
