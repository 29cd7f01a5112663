//! The `stream_tickets` table through [`StreamTickets`](grateful_storage::StreamTickets).

use chrono::{DateTime, TimeDelta, Utc};
use grateful_domain::{Session, SessionId};
use grateful_storage::{Repositories, TokenHash};
use grateful_test_database::{NOON, TestDatabase, create_user};
use uuid::Uuid;

const MINUTE: TimeDelta = TimeDelta::minutes(1);
const TICKET: TokenHash = TokenHash([7; 32]);

#[tokio::test]
async fn finding_the_session_of_a_ticket_keeps_the_ticket() {
    let database = TestDatabase::create().await;
    let session = create_session_with_ticket(&database, NOON + MINUTE).await;
    let mut conn = database.connect().await;

    assert_eq!(conn.stream_tickets().find(TokenHash([8; 32]), NOON).await.unwrap(), None);
    assert_eq!(conn.stream_tickets().find(TICKET, NOON + MINUTE).await.unwrap(), None);
    assert_eq!(conn.stream_tickets().find(TICKET, NOON).await.unwrap(), Some(session.clone()));
    assert_eq!(conn.stream_tickets().redeem(TICKET, NOON).await.unwrap(), Some(session));
    assert_eq!(conn.stream_tickets().find(TICKET, NOON).await.unwrap(), None);
}

#[tokio::test]
async fn a_ticket_is_valid_until_it_expires_and_is_swept_afterwards() {
    let database = TestDatabase::create().await;
    create_session_with_ticket(&database, NOON + MINUTE).await;
    let mut conn = database.connect().await;
    let just_before = NOON + MINUTE - TimeDelta::microseconds(1);

    assert_eq!(conn.stream_tickets().redeem(TICKET, NOON + MINUTE).await.unwrap(), None);
    assert_eq!(conn.stream_tickets().sweep(just_before, 500).await.unwrap(), 0);
    assert!(conn.stream_tickets().redeem(TICKET, just_before).await.unwrap().is_some());

    create_session_with_ticket(&database, NOON + MINUTE).await;
    assert_eq!(conn.stream_tickets().sweep(NOON + MINUTE, 500).await.unwrap(), 1);
}

async fn create_session_with_ticket(database: &TestDatabase, expires_at: DateTime<Utc>) -> Session {
    database.execute("DELETE FROM sessions").await;
    let user = create_user(database).await;
    let id = SessionId::from(Uuid::from_u128(1));
    let session = Session::new(id, user, None, NOON, TimeDelta::days(7));
    let mut conn = database.connect().await;
    conn.sessions().insert(&session, TokenHash([1; 32])).await.unwrap();
    conn.stream_tickets().insert(TICKET, session.id, expires_at).await.unwrap();
    session
}
