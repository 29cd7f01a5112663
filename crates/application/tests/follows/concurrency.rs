//! Concurrent follows, requests and their ends. Random ones are in `tests/engagement`.

use futures_util::future::join_all;
use grateful_application::{Error, follows};
use grateful_testkit::{TestApp, assert_consistent, require_follow_approval};

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn only_one_of_ten_concurrent_follows_succeeds() {
    let (TestApp { app, database, .. }, [ana, ben]) = TestApp::with_users().await;

    let results = join_all((0..10).map(|_| follows::follow(&app, ana, ben))).await;

    let rejected =
        results.iter().filter(|result| matches!(result, Err(Error::AlreadyExists { .. }))).count();
    assert_eq!(rejected, 9, "{results:?}");
    assert_eq!(database.count("users WHERE followers_count = 1").await, 1);
    assert_consistent(&app).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_request_that_is_accepted_declined_and_cancelled_concurrently_ends_only_once() {
    let (TestApp { app, database, .. }, [ana, sue]) = TestApp::with_users().await;
    require_follow_approval(&database, sue).await;
    for _ in 0..10 {
        follows::follow(&app, ana, sue).await.unwrap();

        let (accepted, declined, cancelled) = tokio::join!(
            follows::accept_request(&app, sue, ana),
            follows::decline_request(&app, sue, ana),
            follows::unfollow(&app, ana, sue)
        );

        // `unfollow` also succeeds after `accept_request`: it then ends the follow.
        assert!(!(accepted.is_ok() && declined.is_ok()), "a request was accepted and declined");
        assert!(!(declined.is_ok() && cancelled.is_ok()), "a request was declined and cancelled");
        assert_consistent(&app).await;
        let expected = i64::from(accepted.is_ok() && cancelled.is_err());
        assert_eq!(database.count("follows").await, expected);
        let _ = follows::unfollow(&app, ana, sue).await;
    }
}
