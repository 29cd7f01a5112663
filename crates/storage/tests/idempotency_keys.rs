//! The `idempotency_keys` table through [`IdempotencyKeys`].
#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

use chrono::{DateTime, TimeDelta, Utc};
use futures_util::future::join_all;
use grateful_domain::UserId;
use grateful_storage::{Claim, Claimed, Database, IdempotencyKeys, Repositories, StorageError};
use grateful_testkit::{NOON, TestDatabase, create_user};
use uuid::Uuid;

const INSTANT: TimeDelta = TimeDelta::microseconds(1);

/// The first attempt of this person at a request that carries the key `once`.
fn first(user: UserId) -> Claim {
    Claim { id: Uuid::from_u128(1), user, key: "once".to_owned(), fingerprint: [1; 32], at: NOON }
}

/// Another attempt at the same request.
fn again(first: &Claim, number: u128, at: DateTime<Utc>) -> Claim {
    Claim { id: Uuid::from_u128(number), at, ..first.clone() }
}

async fn claim(db: &Database, claim: &Claim) -> Claimed {
    db.acquire().await.unwrap().idempotency_keys().claim(claim).await.unwrap()
}

async fn settle(db: &Database, claim: &Claim, answer: &[u8]) -> bool {
    db.acquire().await.unwrap().idempotency_keys().settle(claim, answer).await.unwrap()
}

async fn release(db: &Database, claim: &Claim) {
    db.acquire().await.unwrap().idempotency_keys().release(claim).await.unwrap();
}

#[tokio::test]
async fn the_first_attempt_gets_the_key_and_the_next_ones_its_answer() {
    let test = TestDatabase::create().await;
    let first = first(create_user(&test).await);
    let second = again(&first, 2, NOON + INSTANT);

    assert_eq!(claim(&test.db, &first).await, Claimed::Ours);
    assert_eq!(claim(&test.db, &second).await, Claimed::InFlight);
    assert!(settle(&test.db, &first, b"done").await);
    assert_eq!(claim(&test.db, &second).await, Claimed::Answered(b"done".to_vec()));
}

#[tokio::test]
async fn another_request_under_the_same_key_is_told_apart_before_and_after_the_answer() {
    let test = TestDatabase::create().await;
    let first = first(create_user(&test).await);
    let other = Claim { fingerprint: [2; 32], ..again(&first, 2, NOON) };
    claim(&test.db, &first).await;

    assert_eq!(claim(&test.db, &other).await, Claimed::OtherRequest);
    settle(&test.db, &first, b"done").await;
    assert_eq!(claim(&test.db, &other).await, Claimed::OtherRequest);
}

#[tokio::test]
async fn keys_of_different_people_and_different_keys_never_meet() {
    let test = TestDatabase::create().await;
    let anas = first(create_user(&test).await);
    let bens = Claim { user: create_user(&test).await, fingerprint: [2; 32], ..anas.clone() };
    let twice = Claim { key: "twice".to_owned(), ..anas.clone() };

    for claimed in [&anas, &bens, &twice] {
        assert_eq!(claim(&test.db, claimed).await, Claimed::Ours, "{claimed:?}");
    }
    for settled in [&anas, &bens, &twice] {
        assert!(settle(&test.db, settled, settled.key.as_bytes()).await);
    }
    let answer = claim(&test.db, &again(&twice, 2, NOON)).await;
    assert_eq!(answer, Claimed::Answered(b"twice".to_vec()));
}

#[tokio::test]
async fn an_attempt_that_died_is_taken_over_after_its_lease_and_not_before() {
    let test = TestDatabase::create().await;
    let first = first(create_user(&test).await);
    claim(&test.db, &first).await;
    let end = NOON + IdempotencyKeys::LEASE;

    assert_eq!(claim(&test.db, &again(&first, 2, end)).await, Claimed::InFlight);
    assert_eq!(claim(&test.db, &again(&first, 3, end + INSTANT)).await, Claimed::Ours);
}

#[tokio::test]
async fn an_attempt_that_was_taken_over_settles_and_releases_nothing() {
    let test = TestDatabase::create().await;
    let slow = first(create_user(&test).await);
    claim(&test.db, &slow).await;
    let next = again(&slow, 2, NOON + IdempotencyKeys::LEASE + INSTANT);
    claim(&test.db, &next).await;

    release(&test.db, &slow).await;
    assert!(!settle(&test.db, &slow, b"too late").await);

    assert!(settle(&test.db, &next, b"in time").await);
    let third = again(&slow, 3, next.at);
    assert_eq!(claim(&test.db, &third).await, Claimed::Answered(b"in time".to_vec()));
}

#[tokio::test]
async fn a_key_that_was_let_go_is_free() {
    let test = TestDatabase::create().await;
    let first = first(create_user(&test).await);
    let other = Claim { fingerprint: [2; 32], ..again(&first, 2, NOON) };
    claim(&test.db, &first).await;

    release(&test.db, &first).await;

    assert!(!settle(&test.db, &first, b"done").await);
    assert_eq!(claim(&test.db, &other).await, Claimed::Ours);
}

#[tokio::test]
async fn an_answer_is_not_let_go() {
    let test = TestDatabase::create().await;
    let first = first(create_user(&test).await);
    claim(&test.db, &first).await;
    settle(&test.db, &first, b"done").await;

    release(&test.db, &first).await;

    let second = again(&first, 2, NOON);
    assert_eq!(claim(&test.db, &second).await, Claimed::Answered(b"done".to_vec()));
}

#[tokio::test]
async fn an_answer_is_kept_for_a_day_and_no_longer() {
    let test = TestDatabase::create().await;
    let first = first(create_user(&test).await);
    claim(&test.db, &first).await;
    settle(&test.db, &first, b"done").await;
    let end = NOON + IdempotencyKeys::KEPT;

    let within = claim(&test.db, &again(&first, 2, end)).await;
    let after = claim(&test.db, &again(&first, 3, end + INSTANT)).await;
    let next = claim(&test.db, &again(&first, 4, end + INSTANT)).await;

    assert_eq!(within, Claimed::Answered(b"done".to_vec()));
    assert_eq!(after, Claimed::Ours);
    assert_eq!(next, Claimed::InFlight);
}

#[tokio::test]
async fn sweeping_removes_what_a_claim_would_replace() {
    let test = TestDatabase::create().await;
    let user = create_user(&test).await;
    let old = Claim { key: "old".to_owned(), ..first(user) };
    let young = Claim { key: "young".to_owned(), at: NOON + INSTANT, ..first(user) };
    for kept in [&old, &young] {
        claim(&test.db, kept).await;
        settle(&test.db, kept, b"done").await;
    }
    let now = young.at + IdempotencyKeys::KEPT;

    let swept = test.db.acquire().await.unwrap().idempotency_keys().sweep(now).await.unwrap();

    assert_eq!(swept, 1);
    let answer = claim(&test.db, &again(&young, 2, now)).await;
    assert_eq!(answer, Claimed::Answered(b"done".to_vec()));
    assert!(!settle(&test.db, &old, b"again").await);
}

#[tokio::test]
async fn of_many_attempts_at_once_one_gets_the_key() {
    let test = TestDatabase::create().await;
    let first = first(create_user(&test).await);

    let outcomes = all_at_once(&test.db, &first, NOON).await;

    assert_eq!(ours(&outcomes), 1, "{outcomes:?}");
    assert_eq!(outcomes.iter().filter(|it| **it == Claimed::InFlight).count(), 15);
}

#[tokio::test]
async fn of_many_that_would_take_over_at_once_one_does() {
    let test = TestDatabase::create().await;
    let dead = first(create_user(&test).await);
    claim(&test.db, &dead).await;

    let outcomes = all_at_once(&test.db, &dead, NOON + IdempotencyKeys::LEASE + INSTANT).await;

    assert_eq!(ours(&outcomes), 1, "{outcomes:?}");
    assert_eq!(outcomes.iter().filter(|it| **it == Claimed::InFlight).count(), 15);
}

#[tokio::test]
async fn nobody_who_is_gone_claims_anything() {
    let test = TestDatabase::create().await;
    let mut conn = test.db.acquire().await.unwrap();

    let refused = conn.idempotency_keys().claim(&first(UserId::from(4_711))).await;

    assert!(
        matches!(&refused, Err(StorageError::Missing { constraint }) if constraint == "idempotency_keys_user_id_fkey"),
        "{refused:?}"
    );
}

async fn all_at_once(db: &Database, like: &Claim, at: DateTime<Utc>) -> Vec<Claimed> {
    let attempts = (0..16).map(|number| {
        let (db, attempt) = (db.clone(), again(like, 100 + number, at));
        tokio::spawn(async move { claim(&db, &attempt).await })
    });
    join_all(attempts).await.into_iter().map(std::result::Result::unwrap).collect()
}

fn ours(outcomes: &[Claimed]) -> usize {
    outcomes.iter().filter(|outcome| **outcome == Claimed::Ours).count()
}
