//! Idempotent requests.

use chrono::TimeDelta;
use futures_util::future::join_all;
use grateful_application::{
    Error, IdempotencyKey, IdempotentRequest, RecordedResponse, Resource, Result, housekeeping,
    posts,
};
use grateful_domain::{PostEdit, UserId};
use grateful_testkit::{TestApp, TestDatabase, a_user, create_user, draft, wait_until_blocked};

use crate::support::{assert_unauthenticated, create_post, lock_user, log_in, post_id_in};

#[tokio::test]
async fn a_repeated_request_replays_the_first_response() {
    let (TestApp { app, database, .. }, [ana]) = TestApp::with_users().await;

    let first = create_post(&app, ana, draft("For rain."), Some(request())).await.unwrap();
    let again = create_post(&app, ana, draft("For rain."), Some(request())).await.unwrap();

    assert_eq!(again, replay_of(&first));
    assert_eq!(database.count("posts").await, 1);
}

#[tokio::test]
async fn the_first_response_outlives_the_post() {
    let (TestApp { app, database, .. }, [ana]) = TestApp::with_users().await;
    let first = create_post(&app, ana, draft("For rain."), Some(request())).await.unwrap();
    let post = post_id_in(&first);

    let edit = PostEdit { content: Some("For sun.".to_owned()), ..PostEdit::default() };
    posts::update(&app, ana, post, edit, |_| true).await.unwrap();
    let after_edit = create_post(&app, ana, draft("For rain."), Some(request())).await.unwrap();
    posts::delete(&app, ana, post, |_| true).await.unwrap();
    let after_deletion = create_post(&app, ana, draft("For rain."), Some(request())).await.unwrap();

    assert_eq!(after_edit, replay_of(&first));
    assert_eq!(after_deletion, replay_of(&first));
    assert_eq!(database.count("posts").await, 0);
}

#[tokio::test]
async fn another_request_with_the_same_key_is_rejected() {
    let (TestApp { app, database, .. }, [ana]) = TestApp::with_users().await;
    create_post(&app, ana, draft("For rain."), Some(request())).await.unwrap();

    let other = IdempotentRequest { fingerprint: [2; 32], ..request() };
    let rejected = create_post(&app, ana, draft("For sun."), Some(other)).await;

    assert!(matches!(rejected, Err(Error::IdempotencyKeyReused)), "{rejected:?}");
    assert_eq!(database.count("posts").await, 1);
}

#[tokio::test]
async fn requests_without_a_key_are_never_replayed() {
    let (TestApp { app, database, .. }, [ana]) = TestApp::with_users().await;

    for _ in 0..2 {
        let response = create_post(&app, ana, draft("For rain."), None).await.unwrap();
        assert!(matches!(response, RecordedResponse::New(_)));
    }

    assert_eq!(database.count("posts").await, 2);
}

#[tokio::test]
async fn keys_of_different_users_are_independent() {
    let (TestApp { app, .. }, [ana, ben]) = TestApp::with_users().await;

    let by_ana = create_post(&app, ana, draft("For rain."), Some(request())).await.unwrap();
    let by_ben = create_post(&app, ben, draft("For rain."), Some(request())).await.unwrap();

    assert!(matches!((&by_ana, &by_ben), (RecordedResponse::New(_), RecordedResponse::New(_))));
    assert_ne!(post_id_in(&by_ana), post_id_in(&by_ben));
}

#[tokio::test]
async fn an_idempotent_request_uses_one_connection_at_a_time() {
    let database = TestDatabase::create().await;
    let only_one = database.pool_with(|config| config.with_max_connections(1));
    let TestApp { app, database, .. } = TestApp::with_pool(database, only_one);
    let ana = create_user(&database).await;

    let response = create_post(&app, ana, draft("For rain."), Some(request())).await;

    assert!(matches!(response, Ok(RecordedResponse::New(_))), "{response:?}");
}

#[tokio::test]
async fn a_repeated_request_while_the_first_is_in_flight_is_a_conflict() {
    let (TestApp { app, database, .. }, [ana]) = TestApp::with_users().await;
    let lock = lock_user(&database, ana).await;

    let first = create_post(&app, ana, draft("For rain."), Some(request()));
    let meanwhile = async {
        wait_until_blocked(&database, 1).await;
        let second = create_post(&app, ana, draft("For rain."), Some(request())).await;
        drop(lock);
        second
    };
    let (first, second) = tokio::join!(first, meanwhile);

    assert_in_flight(&second);
    assert!(matches!(first, Ok(RecordedResponse::New(_))), "{first:?}");
    assert_eq!(database.count("posts").await, 1);
}

#[tokio::test]
async fn ten_concurrent_equal_requests_create_one_post() {
    let (TestApp { app, database, .. }, [ana]) = TestApp::with_users().await;

    let requests = (0..10).map(|_| create_post(&app, ana, draft("For rain."), Some(request())));
    let results = join_all(requests).await;

    let new =
        results.iter().filter(|result| matches!(result, Ok(RecordedResponse::New(_)))).count();
    assert_eq!(new, 1, "{results:?}");
    for rejected in results.iter().filter(|result| result.is_err()) {
        assert_in_flight(rejected);
    }
    assert_eq!(database.count("posts").await, 1);
}

#[tokio::test]
async fn a_failed_act_releases_its_key() {
    let (TestApp { app, database, .. }, [ana]) = TestApp::with_users().await;
    database.execute("ALTER TABLE posts ADD CONSTRAINT never CHECK (false)").await;
    let failed = create_post(&app, ana, draft("For rain."), Some(request())).await;
    database.execute("ALTER TABLE posts DROP CONSTRAINT never").await;

    let retried = create_post(&app, ana, draft("For rain."), Some(request())).await;

    assert!(matches!(failed, Err(Error::Internal(_))), "{failed:?}");
    assert!(matches!(retried, Ok(RecordedResponse::New(_))), "{retried:?}");
}

#[tokio::test]
async fn only_the_successor_of_an_expired_claim_takes_effect() {
    let (TestApp { app, database, clock, .. }, [ana]) = TestApp::with_users().await;
    let lock = lock_user(&database, ana).await;

    let slow = create_post(&app, ana, draft("For rain."), Some(request()));
    let successor = async {
        wait_until_blocked(&database, 1).await;
        clock.advance(TimeDelta::seconds(61));
        create_post(&app, ana, draft("For rain."), Some(request())).await
    };
    let release = async {
        wait_until_blocked(&database, 2).await;
        drop(lock);
    };
    let (slow, successor, ()) = tokio::join!(slow, successor, release);

    assert_in_flight(&slow);
    let successor = successor.unwrap();
    assert!(matches!(successor, RecordedResponse::New(_)));
    assert_eq!(database.count("posts").await, 1);
    assert_eq!(database.count("users WHERE posts_count = 1").await, 1);
    let again = create_post(&app, ana, draft("For rain."), Some(request())).await.unwrap();
    assert_eq!(again, replay_of(&successor));
}

#[tokio::test]
async fn a_claim_expires_after_60_seconds() {
    let (TestApp { app, database, clock, .. }, [ana]) = TestApp::with_users().await;
    database.execute(&insert_abandoned_claim(ana)).await;

    clock.advance(TimeDelta::seconds(60));
    let in_time = create_post(&app, ana, draft("For rain."), Some(request())).await;
    clock.advance(TimeDelta::microseconds(1));
    let expired = create_post(&app, ana, draft("For rain."), Some(request())).await;

    assert_in_flight(&in_time);
    assert!(matches!(expired, Ok(RecordedResponse::New(_))), "{expired:?}");
}

#[tokio::test]
async fn a_key_can_be_reused_after_a_day() {
    let (TestApp { app, clock, .. }, [ana]) = TestApp::with_users().await;
    let first = create_post(&app, ana, draft("For rain."), Some(request())).await.unwrap();
    let other = || IdempotentRequest { fingerprint: [2; 32], ..request() };

    clock.advance(TimeDelta::hours(24));
    let in_time = create_post(&app, ana, draft("For rain."), Some(request())).await.unwrap();
    clock.advance(TimeDelta::microseconds(1));
    let reused = create_post(&app, ana, draft("For sun."), Some(other())).await.unwrap();

    assert_eq!(in_time, replay_of(&first));
    assert!(matches!(reused, RecordedResponse::New(_)));
    assert_ne!(post_id_in(&reused), post_id_in(&first));
}

#[tokio::test]
async fn a_request_of_a_deleted_account_is_unauthenticated() {
    let (TestApp { app, database, .. }, [ana]) = TestApp::with_users().await;
    database.execute("DELETE FROM users").await;

    let rejected = create_post(&app, ana, draft("For rain."), Some(request())).await;

    assert_unauthenticated(rejected);
}

#[tokio::test]
async fn expired_keys_and_sessions_are_deleted() {
    let TestApp { app, database, clock, .. } = TestApp::create().await;
    let ana = a_user().insert_into(&database).await;
    log_in(&app, &ana).await;
    create_post(&app, ana.id, draft("For rain."), Some(request())).await.unwrap();

    clock.advance(TimeDelta::hours(24));
    let early = housekeeping::sweep(&app).await.unwrap();
    clock.advance(TimeDelta::microseconds(1));
    let after_a_day = housekeeping::sweep(&app).await.unwrap();
    clock.advance(TimeDelta::days(6));
    let after_a_week = housekeeping::sweep(&app).await.unwrap();

    assert_eq!((early.sessions, early.idempotency_keys), (0, 0));
    assert_eq!((after_a_day.sessions, after_a_day.idempotency_keys), (0, 1));
    assert_eq!((after_a_week.sessions, after_a_week.idempotency_keys), (1, 0));
}

#[tokio::test]
async fn rows_that_cannot_be_deleted_do_not_keep_other_kinds() {
    let (TestApp { app, database, clock, .. }, [ana]) = TestApp::with_users().await;
    database.execute(&keys_of(ana, 1)).await;
    database.execute("ALTER TABLE sessions RENAME TO broken_sessions").await;
    clock.advance(TimeDelta::days(2));

    let swept = housekeeping::sweep(&app).await;

    assert!(swept.is_err());
    assert_eq!(database.count("idempotency_keys").await, 0);
}

/// Inserts completed keys of this user.
fn keys_of(user: UserId, count: i64) -> String {
    format!(
        "INSERT INTO idempotency_keys (user_id, key, fingerprint, claim, claimed_at, answer)
         SELECT {user}, number, sha256('{user}'), gen_random_uuid(), '2026-01-05 12:00Z', '' FROM generate_series(1, {count}) AS number"
    )
}

/// The idempotent request that creates the post `For rain.`.
fn request() -> IdempotentRequest {
    IdempotentRequest { key: IdempotencyKey::parse("rain").unwrap(), fingerprint: [1; 32] }
}

fn replay_of(first: &RecordedResponse) -> RecordedResponse {
    let RecordedResponse::New(body) = first else { panic!("{first:?}") };
    RecordedResponse::Replayed(body.clone())
}

#[track_caller]
fn assert_in_flight(result: &Result<RecordedResponse>) {
    let is_in_flight =
        matches!(result, Err(Error::Conflict { resource: Resource::IdempotencyKey, .. }));
    assert!(is_in_flight, "{result:?}");
}

/// SQL that inserts a claim of a node that crashed at noon.
fn insert_abandoned_claim(user: UserId) -> String {
    format!(
        "INSERT INTO idempotency_keys (user_id, key, fingerprint, claim, claimed_at)
         VALUES ({user}, 'rain', decode(repeat('01', 32), 'hex'), gen_random_uuid(), '2026-01-05 12:00Z')"
    )
}
