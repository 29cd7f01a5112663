//! The `idempotency_keys` table through [`IdempotencyKeys`].

use chrono::{DateTime, TimeDelta, Utc};
use futures_util::future::join_all;
use grateful_domain::UserId;
use grateful_storage::{
    Claim, ClaimOutcome, Database, IdempotencyKeys, Repositories, StorageError,
};
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

async fn claim(db: &Database, claim: &Claim) -> ClaimOutcome {
    db.acquire().await.unwrap().idempotency_keys().claim(claim).await.unwrap()
}

async fn settle(db: &Database, claim: &Claim, answer: &[u8]) -> bool {
    db.acquire().await.unwrap().idempotency_keys().complete(claim, answer).await.unwrap()
}

async fn release(db: &Database, claim: &Claim) {
    db.acquire().await.unwrap().idempotency_keys().release(claim).await.unwrap();
}

#[tokio::test]
async fn the_first_attempt_gets_the_key_and_the_next_ones_its_answer() {
    let database = TestDatabase::create().await;
    let first = first(create_user(&database).await);
    let second = again(&first, 2, NOON + INSTANT);

    assert_eq!(claim(&database.pool, &first).await, ClaimOutcome::Acquired);
    assert_eq!(claim(&database.pool, &second).await, ClaimOutcome::InFlight);
    assert!(settle(&database.pool, &first, b"done").await);
    assert_eq!(claim(&database.pool, &second).await, ClaimOutcome::Completed(b"done".to_vec()));
}

#[tokio::test]
async fn another_request_under_the_same_key_is_told_apart_before_and_after_the_answer() {
    let database = TestDatabase::create().await;
    let first = first(create_user(&database).await);
    let other = Claim { fingerprint: [2; 32], ..again(&first, 2, NOON) };
    claim(&database.pool, &first).await;

    assert_eq!(claim(&database.pool, &other).await, ClaimOutcome::FingerprintMismatch);
    settle(&database.pool, &first, b"done").await;
    assert_eq!(claim(&database.pool, &other).await, ClaimOutcome::FingerprintMismatch);
}

#[tokio::test]
async fn keys_of_different_people_and_different_keys_never_meet() {
    let database = TestDatabase::create().await;
    let anas = first(create_user(&database).await);
    let bens = Claim { user: create_user(&database).await, fingerprint: [2; 32], ..anas.clone() };
    let twice = Claim { key: "twice".to_owned(), ..anas.clone() };

    for claimed in [&anas, &bens, &twice] {
        assert_eq!(claim(&database.pool, claimed).await, ClaimOutcome::Acquired, "{claimed:?}");
    }
    for settled in [&anas, &bens, &twice] {
        assert!(settle(&database.pool, settled, settled.key.as_bytes()).await);
    }
    let answer = claim(&database.pool, &again(&twice, 2, NOON)).await;
    assert_eq!(answer, ClaimOutcome::Completed(b"twice".to_vec()));
}

#[tokio::test]
async fn an_attempt_that_died_is_taken_over_after_its_lease_and_not_before() {
    let database = TestDatabase::create().await;
    let first = first(create_user(&database).await);
    claim(&database.pool, &first).await;
    let end = NOON + IdempotencyKeys::LEASE;

    assert_eq!(claim(&database.pool, &again(&first, 2, end)).await, ClaimOutcome::InFlight);
    assert_eq!(
        claim(&database.pool, &again(&first, 3, end + INSTANT)).await,
        ClaimOutcome::Acquired
    );
}

#[tokio::test]
async fn an_attempt_that_was_taken_over_settles_and_releases_nothing() {
    let database = TestDatabase::create().await;
    let slow = first(create_user(&database).await);
    claim(&database.pool, &slow).await;
    let next = again(&slow, 2, NOON + IdempotencyKeys::LEASE + INSTANT);
    claim(&database.pool, &next).await;

    release(&database.pool, &slow).await;
    assert!(!settle(&database.pool, &slow, b"too late").await);

    assert!(settle(&database.pool, &next, b"in time").await);
    let third = again(&slow, 3, next.at);
    assert_eq!(claim(&database.pool, &third).await, ClaimOutcome::Completed(b"in time".to_vec()));
}

#[tokio::test]
async fn a_key_that_was_let_go_is_free() {
    let database = TestDatabase::create().await;
    let first = first(create_user(&database).await);
    let other = Claim { fingerprint: [2; 32], ..again(&first, 2, NOON) };
    claim(&database.pool, &first).await;

    release(&database.pool, &first).await;

    assert!(!settle(&database.pool, &first, b"done").await);
    assert_eq!(claim(&database.pool, &other).await, ClaimOutcome::Acquired);
}

#[tokio::test]
async fn an_answer_is_not_let_go() {
    let database = TestDatabase::create().await;
    let first = first(create_user(&database).await);
    claim(&database.pool, &first).await;
    settle(&database.pool, &first, b"done").await;

    release(&database.pool, &first).await;

    let second = again(&first, 2, NOON);
    assert_eq!(claim(&database.pool, &second).await, ClaimOutcome::Completed(b"done".to_vec()));
}

#[tokio::test]
async fn an_answer_is_kept_for_a_day_and_no_longer() {
    let database = TestDatabase::create().await;
    let first = first(create_user(&database).await);
    claim(&database.pool, &first).await;
    settle(&database.pool, &first, b"done").await;
    let end = NOON + IdempotencyKeys::RETENTION;

    let within = claim(&database.pool, &again(&first, 2, end)).await;
    let after = claim(&database.pool, &again(&first, 3, end + INSTANT)).await;
    let next = claim(&database.pool, &again(&first, 4, end + INSTANT)).await;

    assert_eq!(within, ClaimOutcome::Completed(b"done".to_vec()));
    assert_eq!(after, ClaimOutcome::Acquired);
    assert_eq!(next, ClaimOutcome::InFlight);
}

#[tokio::test]
async fn sweeping_removes_what_a_claim_would_replace() {
    let database = TestDatabase::create().await;
    let user = create_user(&database).await;
    let old = Claim { key: "old".to_owned(), ..first(user) };
    let young = Claim { key: "young".to_owned(), at: NOON + INSTANT, ..first(user) };
    for kept in [&old, &young] {
        claim(&database.pool, kept).await;
        settle(&database.pool, kept, b"done").await;
    }
    let now = young.at + IdempotencyKeys::RETENTION;

    let swept = database.pool.acquire().await.unwrap().idempotency_keys().sweep(now).await.unwrap();

    assert_eq!(swept, 1);
    let answer = claim(&database.pool, &again(&young, 2, now)).await;
    assert_eq!(answer, ClaimOutcome::Completed(b"done".to_vec()));
    assert!(!settle(&database.pool, &old, b"again").await);
}

#[tokio::test]
async fn of_many_attempts_at_once_one_gets_the_key() {
    let database = TestDatabase::create().await;
    let first = first(create_user(&database).await);

    let outcomes = all_at_once(&database.pool, &first, NOON).await;

    assert_eq!(ours(&outcomes), 1, "{outcomes:?}");
    assert_eq!(outcomes.iter().filter(|it| **it == ClaimOutcome::InFlight).count(), 15);
}

#[tokio::test]
async fn of_many_that_would_take_over_at_once_one_does() {
    let database = TestDatabase::create().await;
    let dead = first(create_user(&database).await);
    claim(&database.pool, &dead).await;

    let outcomes =
        all_at_once(&database.pool, &dead, NOON + IdempotencyKeys::LEASE + INSTANT).await;

    assert_eq!(ours(&outcomes), 1, "{outcomes:?}");
    assert_eq!(outcomes.iter().filter(|it| **it == ClaimOutcome::InFlight).count(), 15);
}

#[tokio::test]
async fn nobody_who_is_gone_claims_anything() {
    let database = TestDatabase::create().await;
    let mut conn = database.pool.acquire().await.unwrap();

    let refused = conn.idempotency_keys().claim(&first(UserId::from(4_711))).await;

    assert!(
        matches!(&refused, Err(StorageError::Missing { constraint }) if constraint == "idempotency_keys_user_id_fkey"),
        "{refused:?}"
    );
}

async fn all_at_once(db: &Database, like: &Claim, at: DateTime<Utc>) -> Vec<ClaimOutcome> {
    let attempts = (0..16).map(|number| {
        let (db, attempt) = (db.clone(), again(like, 100 + number, at));
        tokio::spawn(async move { claim(&db, &attempt).await })
    });
    join_all(attempts).await.into_iter().map(std::result::Result::unwrap).collect()
}

fn ours(outcomes: &[ClaimOutcome]) -> usize {
    outcomes.iter().filter(|outcome| **outcome == ClaimOutcome::Acquired).count()
}
