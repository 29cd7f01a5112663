//! The `idempotency_keys` table through [`IdempotencyKeys`].

use chrono::{DateTime, TimeDelta, Utc};
use futures_util::future::join_all;
use grateful_domain::UserId;
use grateful_storage::{
    Claim, ClaimOutcome, Database, IdempotencyKeys, Repositories, StorageError,
};
use grateful_test_database::{NOON, TestDatabase, create_user};
use uuid::Uuid;

const INSTANT: TimeDelta = TimeDelta::microseconds(1);

/// The first attempt of a user at a request with the key `once`.
fn first_attempt(user: UserId) -> Claim {
    Claim { id: Uuid::from_u128(1), user, key: "once".to_owned(), fingerprint: [1; 32], at: NOON }
}

/// Another attempt at the same request.
fn retry(first: &Claim, number: u128, at: DateTime<Utc>) -> Claim {
    Claim { id: Uuid::from_u128(number), at, ..first.clone() }
}

async fn claim(pool: &Database, claim: &Claim) -> ClaimOutcome {
    pool.acquire().await.unwrap().idempotency_keys().claim(claim).await.unwrap()
}

async fn complete(pool: &Database, claim: &Claim, response: &[u8]) -> bool {
    pool.acquire().await.unwrap().idempotency_keys().complete(claim, response).await.unwrap()
}

async fn release(pool: &Database, claim: &Claim) {
    pool.acquire().await.unwrap().idempotency_keys().release(claim).await.unwrap();
}

/// The first attempt is by a node whose clock is a month ahead.
#[tokio::test]
async fn an_attempt_from_the_future_does_not_hold_the_key_and_its_response_is_replayed() {
    let database = TestDatabase::create().await;
    let abandoned =
        Claim { at: NOON + TimeDelta::days(30), ..first_attempt(create_user(&database).await) };
    claim(&database.pool, &abandoned).await;
    let second = retry(&abandoned, 2, NOON);

    assert_eq!(claim(&database.pool, &second).await, ClaimOutcome::Acquired);
    assert!(!complete(&database.pool, &abandoned, b"too late").await);
    release(&database.pool, &second).await;

    let completed = retry(&abandoned, 3, abandoned.at);
    claim(&database.pool, &completed).await;
    assert!(complete(&database.pool, &completed, b"done").await);
    let fourth = retry(&abandoned, 4, NOON);
    assert_eq!(claim(&database.pool, &fourth).await, ClaimOutcome::Completed(b"done".to_vec()));
}

/// The clocks of two nodes are never equal.
#[tokio::test]
async fn an_attempt_by_a_clock_slightly_ahead_holds_the_key() {
    let database = TestDatabase::create().await;
    let first =
        Claim { at: NOON + TimeDelta::seconds(1), ..first_attempt(create_user(&database).await) };
    claim(&database.pool, &first).await;

    let outcome = claim(&database.pool, &retry(&first, 2, NOON)).await;

    assert_eq!(outcome, ClaimOutcome::InFlight);
}

#[tokio::test]
async fn a_replaced_attempt_can_neither_complete_nor_release_the_key() {
    let database = TestDatabase::create().await;
    let slow = first_attempt(create_user(&database).await);
    claim(&database.pool, &slow).await;
    let next = retry(&slow, 2, NOON + IdempotencyKeys::LEASE + INSTANT);
    claim(&database.pool, &next).await;

    release(&database.pool, &slow).await;
    assert!(!complete(&database.pool, &slow, b"too late").await);

    assert!(complete(&database.pool, &next, b"in time").await);
    let third = retry(&slow, 3, next.at);
    assert_eq!(claim(&database.pool, &third).await, ClaimOutcome::Completed(b"in time".to_vec()));
}

#[tokio::test]
async fn a_completed_key_cannot_be_released() {
    let database = TestDatabase::create().await;
    let first = first_attempt(create_user(&database).await);
    claim(&database.pool, &first).await;
    complete(&database.pool, &first, b"done").await;

    release(&database.pool, &first).await;

    let second = retry(&first, 2, NOON);
    assert_eq!(claim(&database.pool, &second).await, ClaimOutcome::Completed(b"done".to_vec()));
}

#[tokio::test]
async fn sweeping_deletes_keys_past_their_retention() {
    let database = TestDatabase::create().await;
    let user = create_user(&database).await;
    let old = Claim { key: "old".to_owned(), ..first_attempt(user) };
    let recent = Claim { key: "young".to_owned(), at: NOON + INSTANT, ..first_attempt(user) };
    for attempt in [&old, &recent] {
        claim(&database.pool, attempt).await;
        complete(&database.pool, attempt, b"done").await;
    }
    let now = recent.at + IdempotencyKeys::RETENTION;

    let mut conn = database.pool.acquire().await.unwrap();
    let swept = conn.idempotency_keys().sweep(now, 500).await.unwrap();
    drop(conn);

    assert_eq!(swept, 1);
    let outcome = claim(&database.pool, &retry(&recent, 2, now)).await;
    assert_eq!(outcome, ClaimOutcome::Completed(b"done".to_vec()));
    assert!(!complete(&database.pool, &old, b"again").await);
}

#[tokio::test]
async fn one_of_many_concurrent_attempts_replaces_an_abandoned_one() {
    let database = TestDatabase::create().await;
    let abandoned = first_attempt(create_user(&database).await);
    claim(&database.pool, &abandoned).await;

    let outcomes =
        claim_concurrently(&database.pool, &abandoned, NOON + IdempotencyKeys::LEASE + INSTANT)
            .await;

    assert_eq!(count_acquired(&outcomes), 1, "{outcomes:?}");
    assert_eq!(outcomes.iter().filter(|outcome| **outcome == ClaimOutcome::InFlight).count(), 15);
}

#[tokio::test]
async fn a_key_needs_an_existing_user() {
    let database = TestDatabase::create().await;
    let mut conn = database.pool.acquire().await.unwrap();

    let rejected = conn.idempotency_keys().claim(&first_attempt(UserId::from(4_711))).await;

    assert!(
        matches!(&rejected, Err(StorageError::ForeignKeyViolation { constraint }) if constraint == "idempotency_keys_user_id_fkey"),
        "{rejected:?}"
    );
}

async fn claim_concurrently(
    pool: &Database,
    original: &Claim,
    at: DateTime<Utc>,
) -> Vec<ClaimOutcome> {
    let attempts = (0..16).map(|number| {
        let (pool, attempt) = (pool.clone(), retry(original, 100 + number, at));
        tokio::spawn(async move { claim(&pool, &attempt).await })
    });
    join_all(attempts).await.into_iter().map(std::result::Result::unwrap).collect()
}

fn count_acquired(outcomes: &[ClaimOutcome]) -> usize {
    outcomes.iter().filter(|outcome| **outcome == ClaimOutcome::Acquired).count()
}
