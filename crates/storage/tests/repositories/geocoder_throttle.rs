//! The `geocoder_throttle` table through [`GeocoderThrottle`](grateful_storage::GeocoderThrottle).

use std::time::Duration;

use futures_util::future::join_all;
use grateful_storage::Repositories;
use grateful_test_database::TestDatabase;

/// So long that the time that a test takes does not matter.
const HOUR: Duration = Duration::from_hours(1);

#[tokio::test]
async fn concurrent_reservations_are_one_interval_apart() {
    let database = TestDatabase::create().await;

    let reserve = || reserve(&database, HOUR, 3 * HOUR);
    let mut waits = join_all([(); 6].map(|()| reserve())).await;

    waits.sort();
    assert_eq!(waits, [None, None, Some(0), Some(1), Some(2), Some(3)]);
}

#[tokio::test]
async fn a_reservation_that_is_refused_takes_no_slot() {
    let database = TestDatabase::create().await;
    reserve(&database, HOUR, Duration::ZERO).await.unwrap();

    for _ in 0..5 {
        assert_eq!(reserve(&database, HOUR, HOUR / 2).await, None);
    }

    assert_eq!(reserve(&database, HOUR, HOUR).await, Some(1));
}

#[tokio::test]
async fn unused_slots_do_not_accumulate() {
    let database = TestDatabase::create().await;
    database
        .execute(
            "INSERT INTO geocoder_throttle (id, next_slot) VALUES (true, now() - interval '1 day')",
        )
        .await;

    let waits = [(); 3].map(|()| reserve(&database, HOUR, HOUR));
    let [first, second, third] = waits;

    assert_eq!((first.await, second.await, third.await), (Some(0), Some(1), None));
}

#[tokio::test]
async fn a_slot_from_a_clock_that_was_ahead_counts_as_free() {
    let database = TestDatabase::create().await;
    reserve(&database, HOUR, HOUR).await.unwrap();
    database.execute("UPDATE geocoder_throttle SET next_slot = now() + interval '30 days'").await;

    assert_eq!(reserve(&database, HOUR, HOUR).await, Some(0));
    assert_eq!(reserve(&database, HOUR, HOUR).await, Some(1));
}

/// Reserves a slot, and returns how many whole hours away it is.
async fn reserve(
    database: &TestDatabase,
    min_interval: Duration,
    max_wait: Duration,
) -> Option<u64> {
    let mut conn = database.pool.acquire().await.unwrap();
    let wait = conn.geocoder_throttle().reserve(min_interval, max_wait).await.unwrap()?;
    // Rounded to the nearest hour.
    Some((wait + HOUR / 2).as_secs() / HOUR.as_secs())
}
