//! The `failed_logins` table through [`FailedLogins`](grateful_storage::FailedLogins). `tests/domain_rules.rs` compares it with
//! the domain.

use chrono::TimeDelta;
use futures_util::future::join_all;
use grateful_domain::Rate;
use grateful_storage::{EmailHash, Repositories};
use grateful_test_database::{NOON, TestDatabase};

const THREE_PER_HOUR: Rate = Rate::new(3, TimeDelta::hours(1));

#[tokio::test]
async fn accounts_have_separate_counts_and_spellings_of_an_address_share_one() {
    let database = TestDatabase::create().await;
    let mut conn = database.connect().await;
    for spelling in ["ana@example.org", " Ana@Example.org", "ANA@EXAMPLE.ORG "] {
        let ana = EmailHash::of(spelling);
        assert!(conn.failed_logins().record(ana, THREE_PER_HOUR, NOON).await.unwrap());
    }

    let mut record =
        async |email| conn.failed_logins().record(email, THREE_PER_HOUR, NOON).await.unwrap();
    assert!(!record(EmailHash::of("ana@example.org")).await);
    assert!(record(EmailHash::of("ben@example.org")).await);

    assert_eq!(database.count("failed_logins").await, 2);
}

#[tokio::test]
async fn concurrent_failures_do_not_exceed_the_limit() {
    let database = TestDatabase::create().await;
    let ana = EmailHash::of("ana@example.org");

    let record = async || {
        let mut conn = database.pool.acquire().await.unwrap();
        conn.failed_logins().record(ana, THREE_PER_HOUR, NOON).await.unwrap()
    };
    let recorded = join_all([(); 8].map(|()| record())).await;

    assert_eq!(recorded.into_iter().filter(|recorded| *recorded).count(), 3);
}

#[tokio::test]
async fn sweeping_deletes_only_full_buckets() {
    let database = TestDatabase::create().await;
    let mut conn = database.connect().await;
    let twenty_minutes = TimeDelta::minutes(20);
    for (email, at) in [("ana", NOON), ("ben", NOON), ("caro", NOON + twenty_minutes)] {
        let email = EmailHash::of(email);
        assert!(conn.failed_logins().record(email, THREE_PER_HOUR, at).await.unwrap());
    }

    let mut sweep = async |now| conn.failed_logins().sweep(now, 1).await.unwrap();
    assert_eq!(sweep(NOON + twenty_minutes - TimeDelta::microseconds(1)).await, 0);
    let now = NOON + twenty_minutes;
    assert_eq!([sweep(now).await, sweep(now).await, sweep(now).await], [1, 1, 0]);

    let remaining = conn.failed_logins().find(EmailHash::of("caro")).await.unwrap();
    assert_eq!(remaining.unwrap().full_at(), now + twenty_minutes);
}
