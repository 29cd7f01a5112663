//! Requests that arrive more than once and must have one effect.

use chrono::TimeDelta;
use futures_util::future::join_all;
use grateful_application::{
    Error, IdempotencyKey, IdempotentRequest, RecordedResponse, Resource, Result, housekeeping,
    posts,
};
use grateful_domain::{PostEdit, UserId};
use grateful_testkit::{TestApp, TestDatabase, a_user, create_user};

use crate::support::{
    assert_invalid, assert_unauthenticated, draft, hold, log_in, post_in, publish, until_waiting,
};

#[tokio::test]
async fn the_same_request_again_gets_the_first_answer_and_does_nothing() {
    let TestApp { app, database, .. } = TestApp::create().await;
    let ana = create_user(&database).await;

    let first = publish(&app, ana, draft("For rain."), Some(rain())).await.unwrap();
    let again = publish(&app, ana, draft("For rain."), Some(rain())).await.unwrap();

    assert_eq!(again, as_a_repeat(&first));
    assert_eq!(database.count("posts").await, 1);
}

#[tokio::test]
async fn the_first_answer_outlives_the_post() {
    let TestApp { app, database, .. } = TestApp::create().await;
    let ana = create_user(&database).await;
    let first = publish(&app, ana, draft("For rain."), Some(rain())).await.unwrap();
    let post = post_in(&first);

    let words = PostEdit { content: Some("For sun.".to_owned()), ..PostEdit::default() };
    posts::update(&app, ana, post, words, |_| true).await.unwrap();
    let after_edit = publish(&app, ana, draft("For rain."), Some(rain())).await.unwrap();
    posts::delete(&app, ana, post).await.unwrap();
    let after_deletion = publish(&app, ana, draft("For rain."), Some(rain())).await.unwrap();

    assert_eq!(after_edit, as_a_repeat(&first));
    assert_eq!(after_deletion, as_a_repeat(&first));
    assert_eq!(database.count("posts").await, 0);
}

#[tokio::test]
async fn another_request_under_the_same_key_is_refused() {
    let TestApp { app, database, .. } = TestApp::create().await;
    let ana = create_user(&database).await;
    publish(&app, ana, draft("For rain."), Some(rain())).await.unwrap();

    let other = IdempotentRequest { fingerprint: [2; 32], ..rain() };
    let refused = publish(&app, ana, draft("For sun."), Some(other)).await;

    assert_invalid(refused, "Idempotency-Key");
    assert_eq!(database.count("posts").await, 1);
}

#[tokio::test]
async fn requests_without_a_key_are_all_different() {
    let TestApp { app, database, .. } = TestApp::create().await;
    let ana = create_user(&database).await;

    for _ in 0..2 {
        let answer = publish(&app, ana, draft("For rain."), None).await.unwrap();
        assert!(matches!(answer, RecordedResponse::New(_)));
    }

    assert_eq!(database.count("posts").await, 2);
}

#[tokio::test]
async fn keys_of_different_people_do_not_meet() {
    let TestApp { app, database, .. } = TestApp::create().await;
    let (ana, ben) = (create_user(&database).await, create_user(&database).await);

    let by_ana = publish(&app, ana, draft("For rain."), Some(rain())).await.unwrap();
    let by_ben = publish(&app, ben, draft("For rain."), Some(rain())).await.unwrap();

    assert!(matches!((&by_ana, &by_ben), (RecordedResponse::New(_), RecordedResponse::New(_))));
    assert_ne!(post_in(&by_ana), post_in(&by_ben));
}

#[tokio::test]
async fn a_key_needs_one_connection_at_a_time() {
    let database = TestDatabase::create().await;
    let only_one = database.pool_with(|config| config.with_max_connections(1));
    let TestApp { app, database, .. } = TestApp::with_pool(database, only_one);
    let ana = create_user(&database).await;

    let answer = publish(&app, ana, draft("For rain."), Some(rain())).await;

    assert!(matches!(answer, Ok(RecordedResponse::New(_))), "{answer:?}");
}

#[tokio::test]
async fn while_the_first_is_at_it_the_same_request_is_told_so() {
    let TestApp { app, database, .. } = TestApp::create().await;
    let ana = create_user(&database).await;
    let held = hold(&database, ana).await;

    let first = publish(&app, ana, draft("For rain."), Some(rain()));
    let meanwhile = async {
        until_waiting(&database, 1).await;
        let second = publish(&app, ana, draft("For rain."), Some(rain())).await;
        drop(held);
        second
    };
    let (first, second) = tokio::join!(first, meanwhile);

    assert_in_flight(&second);
    assert!(matches!(first, Ok(RecordedResponse::New(_))), "{first:?}");
    assert_eq!(database.count("posts").await, 1);
}

#[tokio::test]
async fn ten_equal_requests_at_once_make_one_post() {
    let TestApp { app, database, .. } = TestApp::create().await;
    let ana = create_user(&database).await;

    let requests = (0..10).map(|_| publish(&app, ana, draft("For rain."), Some(rain())));
    let outcomes = join_all(requests).await;

    let firsts = outcomes.iter().filter(|it| matches!(it, Ok(RecordedResponse::New(_)))).count();
    assert_eq!(firsts, 1, "{outcomes:?}");
    for refused in outcomes.iter().filter(|it| it.is_err()) {
        assert_in_flight(refused);
    }
    assert_eq!(database.count("posts").await, 1);
}

#[tokio::test]
async fn an_act_that_fails_lets_its_key_go() {
    let TestApp { app, database, .. } = TestApp::create().await;
    let ana = create_user(&database).await;
    database.execute("ALTER TABLE posts ADD CONSTRAINT never CHECK (false)").await;
    let failed = publish(&app, ana, draft("For rain."), Some(rain())).await;
    database.execute("ALTER TABLE posts DROP CONSTRAINT never").await;

    let retried = publish(&app, ana, draft("For rain."), Some(rain())).await;

    assert!(matches!(failed, Err(Error::Internal(_))), "{failed:?}");
    assert!(matches!(retried, Ok(RecordedResponse::New(_))), "{retried:?}");
}

#[tokio::test]
async fn whoever_takes_over_a_lapsed_claim_has_its_effect_alone() {
    let TestApp { app, database, clock, .. } = TestApp::create().await;
    let ana = create_user(&database).await;
    let held = hold(&database, ana).await;

    let slow = publish(&app, ana, draft("For rain."), Some(rain()));
    let successor = async {
        until_waiting(&database, 1).await;
        clock.advance(TimeDelta::seconds(61));
        publish(&app, ana, draft("For rain."), Some(rain())).await
    };
    let release = async {
        until_waiting(&database, 2).await;
        drop(held);
    };
    let (slow, successor, ()) = tokio::join!(slow, successor, release);

    assert_in_flight(&slow);
    let successor = successor.unwrap();
    assert!(matches!(successor, RecordedResponse::New(_)));
    assert_eq!(database.count("posts").await, 1);
    assert_eq!(database.count("users WHERE posts_count = 1").await, 1);
    let again = publish(&app, ana, draft("For rain."), Some(rain())).await.unwrap();
    assert_eq!(again, as_a_repeat(&successor));
}

#[tokio::test]
async fn a_claim_that_has_not_lapsed_is_not_taken_over() {
    let TestApp { app, database, clock, .. } = TestApp::create().await;
    let ana = create_user(&database).await;
    database.execute(&left_behind(ana)).await;

    clock.advance(TimeDelta::seconds(60));
    let in_time = publish(&app, ana, draft("For rain."), Some(rain())).await;
    clock.advance(TimeDelta::microseconds(1));
    let lapsed = publish(&app, ana, draft("For rain."), Some(rain())).await;

    assert_in_flight(&in_time);
    assert!(matches!(lapsed, Ok(RecordedResponse::New(_))), "{lapsed:?}");
}

#[tokio::test]
async fn after_a_day_the_key_is_free() {
    let TestApp { app, database, clock, .. } = TestApp::create().await;
    let ana = create_user(&database).await;
    let first = publish(&app, ana, draft("For rain."), Some(rain())).await.unwrap();
    let other = || IdempotentRequest { fingerprint: [2; 32], ..rain() };

    clock.advance(TimeDelta::hours(24));
    let in_time = publish(&app, ana, draft("For rain."), Some(rain())).await.unwrap();
    clock.advance(TimeDelta::microseconds(1));
    let anew = publish(&app, ana, draft("For sun."), Some(other())).await.unwrap();

    assert_eq!(in_time, as_a_repeat(&first));
    assert!(matches!(anew, RecordedResponse::New(_)));
    assert_ne!(post_in(&anew), post_in(&first));
}

#[tokio::test]
async fn a_key_of_somebody_whose_account_is_gone_is_refused_like_anything_else_of_theirs() {
    let TestApp { app, database, .. } = TestApp::create().await;
    let ana = create_user(&database).await;
    database.execute("DELETE FROM users").await;

    let refused = publish(&app, ana, draft("For rain."), Some(rain())).await;

    assert_unauthenticated(refused);
}

#[tokio::test]
async fn keys_and_sessions_are_swept_when_nobody_can_use_them_any_more() {
    let TestApp { app, database, clock, .. } = TestApp::create().await;
    let ana = a_user().insert_into(&database).await;
    log_in(&app, &ana).await;
    publish(&app, ana.id, draft("For rain."), Some(rain())).await.unwrap();

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

/// The request to publish `For rain.`, under its key.
fn rain() -> IdempotentRequest {
    IdempotentRequest { key: IdempotencyKey::parse("rain").unwrap(), fingerprint: [1; 32] }
}

fn as_a_repeat(first: &RecordedResponse) -> RecordedResponse {
    let RecordedResponse::New(kept) = first else { panic!("{first:?}") };
    RecordedResponse::Replayed(kept.clone())
}

#[track_caller]
fn assert_in_flight(outcome: &Result<RecordedResponse>) {
    let told = matches!(outcome, Err(Error::Conflict { resource: Resource::IdempotencyKey, .. }));
    assert!(told, "{outcome:?}");
}

/// The claim of a node that died over it, at noon.
fn left_behind(user: UserId) -> String {
    format!(
        "INSERT INTO idempotency_keys (user_id, key, fingerprint, claim, claimed_at)
         VALUES ({user}, 'rain', decode(repeat('01', 32), 'hex'), gen_random_uuid(), '2026-01-05 12:00Z')"
    )
}
