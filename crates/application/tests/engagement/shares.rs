//! Shares by link and by message.

use chrono::TimeDelta;
use futures_util::future::join_all;
use grateful_application::{App, Error, RecordedResponse, Resource, Result, shares};
use grateful_domain::{PostId, ShareDetails, ShareQuota, UserId};
use grateful_testkit::{
    TestApp, a_post, begin_block, block, commit_once_blocking, create_user, idempotent_request,
    load_engagement, message_to, wait_until_blocked,
};

use crate::support::{assert_forbidden, assert_not_found, create_share};

#[tokio::test]
async fn sharing_by_link_twice_returns_the_same_link() {
    let (TestApp { app, database, clock, .. }, [ana]) = TestApp::with_users().await;
    let post = a_post().insert_into(&database).await.id;
    let link = create_share(&app, ana, post, ShareDetails::Url).await.unwrap();
    clock.advance(TimeDelta::days(2));

    let again = create_share(&app, ana, post, ShareDetails::Url).await.unwrap();

    assert_eq!(again, link);
    assert_eq!(load_engagement(&database, post).await.shares, 1);
    assert_eq!(database.count("shares").await, 1);
}

#[tokio::test]
async fn a_link_can_be_deleted_once_and_the_next_link_is_new() {
    let (TestApp { app, database, .. }, [ana]) = TestApp::with_users().await;
    let post = a_post().insert_into(&database).await.id;
    let link = create_share(&app, ana, post, ShareDetails::Url).await.unwrap();

    shares::delete(&app, ana, post).await.unwrap();
    let again = shares::delete(&app, ana, post).await;

    assert_eq!(load_engagement(&database, post).await.shares, 0);
    assert_eq!(again.as_ref().unwrap_err().to_string(), "Share not found");
    assert_not_found(again, Resource::Share);
    assert_ne!(create_share(&app, ana, post, ShareDetails::Url).await.unwrap(), link);
}

#[tokio::test]
async fn a_message_share_cannot_be_deleted_as_a_link() {
    let (TestApp { app, database, .. }, [ana, ben]) = TestApp::with_users().await;
    let post = a_post().insert_into(&database).await.id;
    create_share(&app, ana, post, message_to(ana, &[ben])).await.unwrap();

    assert_not_found(shares::delete(&app, ana, post).await, Resource::Share);

    assert_eq!(load_engagement(&database, post).await.shares, 1);
}

#[tokio::test]
async fn a_message_is_stored_once_with_distinct_recipients() {
    let (TestApp { app, database, .. }, [ana, ben, eve]) = TestApp::with_users().await;
    let post = a_post().insert_into(&database).await.id;

    let id = create_share(&app, ana, post, message_to(ana, &[ben, eve, ben])).await.unwrap();

    let stored = format!("shares WHERE id = '{id}' AND message_content = 'Look at that'");
    assert_eq!(database.count(&stored).await, 1);
    for recipient in [ben, eve] {
        let recipients =
            format!("share_recipients WHERE share_id = '{id}' AND user_id = {recipient}");
        assert_eq!(database.count(&recipients).await, 1);
    }
}

#[tokio::test]
async fn messages_of_one_user_about_one_post_count_once_in_addition_to_their_link() {
    let (TestApp { app, database, .. }, [ana, ben, eve]) = TestApp::with_users().await;
    let post = a_post().insert_into(&database).await.id;

    for (user, details) in [
        (ana, message_to(ana, &[ben])),
        (ana, message_to(ana, &[eve])),
        (ana, ShareDetails::Url),
        (ben, message_to(ben, &[ana, eve])),
    ] {
        create_share(&app, user, post, details).await.unwrap();
    }

    assert_eq!(load_engagement(&database, post).await.shares, 3);
    assert_eq!(database.count("shares").await, 4);
}

#[tokio::test]
async fn users_can_share_their_own_public_posts_but_not_private_ones() {
    let (TestApp { app, database, .. }, [ana, ben]) = TestApp::with_users().await;
    let public = a_post().by(ana).insert_into(&database).await.id;
    let private = a_post().by(ana).private().insert_into(&database).await.id;

    create_share(&app, ana, public, ShareDetails::Url).await.unwrap();
    for details in [ShareDetails::Url, message_to(ana, &[ben])] {
        let rejected = create_share(&app, ana, private, details).await.unwrap_err();

        assert!(matches!(rejected, Error::RuleViolation { .. }), "{rejected:?}");
        let reason = "This post cannot be shared due to privacy settings.";
        assert_eq!(rejected.to_string(), reason);
    }
    assert_eq!(load_engagement(&database, private).await.shares, 0);
}

#[tokio::test]
async fn a_message_to_a_blocked_user_is_forbidden() {
    let (TestApp { app, database, .. }, [ana, ben, eve]) = TestApp::with_users().await;
    let post = a_post().insert_into(&database).await.id;
    block(&database, ben, ana).await;
    block(&database, ana, eve).await;
    let reachable = create_user(&database).await;

    for recipient in [ben, eve] {
        let rejected =
            create_share(&app, ana, post, message_to(ana, &[reachable, recipient])).await;

        assert_forbidden(rejected, Resource::User);
    }
    assert_eq!(database.count("shares").await, 0);
    assert_eq!(load_engagement(&database, post).await.shares, 0);
}

/// The words of the author would reach the recipient through the sender.
#[tokio::test]
async fn a_message_to_a_user_across_a_block_with_the_author_of_the_post_is_forbidden() {
    let (TestApp { app, database, .. }, [ana, ben, eve, author]) = TestApp::with_users().await;
    let post = a_post().by(author).insert_into(&database).await.id;
    block(&database, author, ben).await;
    block(&database, eve, author).await;
    let reachable = create_user(&database).await;

    for recipient in [ben, eve] {
        for recipients in [&[recipient][..], &[reachable, recipient]] {
            let rejected = create_share(&app, ana, post, message_to(ana, recipients)).await;
            assert_forbidden(rejected, Resource::User);
        }
        let by_author = create_share(&app, author, post, message_to(author, &[recipient])).await;
        assert_forbidden(by_author, Resource::User);
    }

    assert_eq!(database.count("shares").await, 0);
    assert_eq!(database.count("notifications").await, 0);
    assert_eq!(load_engagement(&database, post).await.shares, 0);
}

#[tokio::test]
async fn a_message_reaches_the_author_of_the_post() {
    let (TestApp { app, database, .. }, [ana, author]) = TestApp::with_users().await;
    let post = a_post().by(author).insert_into(&database).await.id;
    block(&database, author, create_user(&database).await).await;

    create_share(&app, ana, post, message_to(ana, &[author])).await.unwrap();

    assert_eq!(database.count(&format!("notifications WHERE user_id = {author}")).await, 1);
}

#[tokio::test]
async fn no_message_is_sent_across_a_block_in_flight_with_the_author_of_the_post() {
    let (TestApp { app, database, .. }, [ana, ben, author]) = TestApp::with_users().await;
    let post = a_post().by(author).insert_into(&database).await.id;
    let block = begin_block(&database, author, ben).await;

    let (result, ()) = tokio::join!(
        create_share(&app, ana, post, message_to(ana, &[ben])),
        commit_once_blocking(&database, block, 1)
    );

    assert_forbidden(result, Resource::User);
    assert_eq!(database.count("shares").await, 0);
}

#[tokio::test]
async fn a_message_with_an_unknown_recipient_is_not_sent() {
    let (TestApp { app, database, .. }, [ana, ben]) = TestApp::with_users().await;
    let post = a_post().insert_into(&database).await.id;

    let rejected = create_share(&app, ana, post, message_to(ana, &[ben, UserId::from(404)])).await;

    assert_not_found(rejected, Resource::User);
    assert_eq!(database.count("shares").await, 0);
}

#[tokio::test]
async fn the_21st_message_within_an_hour_is_rejected_until_the_first_is_an_hour_old() {
    let (TestApp { app, database, clock, .. }, [ana, ben]) = TestApp::with_users().await;
    let post = a_post().insert_into(&database).await.id;
    send(&app, ana, post, ben, 10).await;
    clock.advance(TimeDelta::minutes(30));
    send(&app, ana, post, ben, 10).await;

    let wait = retry_after_of(create_share(&app, ana, post, message_to(ana, &[ben])).await);
    assert_eq!(wait, TimeDelta::minutes(30));
    clock.advance(TimeDelta::minutes(30) - TimeDelta::microseconds(1));
    let wait = retry_after_of(create_share(&app, ana, post, message_to(ana, &[ben])).await);
    assert_eq!(wait, TimeDelta::microseconds(1));

    // The first ten leave the window together, the other ten half an hour later.
    clock.advance(TimeDelta::microseconds(1));
    send(&app, ana, post, ben, 10).await;
    let wait = retry_after_of(create_share(&app, ana, post, message_to(ana, &[ben])).await);
    assert_eq!(wait, TimeDelta::minutes(30));
    assert_eq!(database.count("shares").await, 30);
}

#[tokio::test]
async fn the_quota_is_per_user_and_shared_by_all_posts() {
    let (TestApp { app, database, .. }, [ana, ben]) = TestApp::with_users().await;
    let [sun, rain] =
        [a_post().insert_into(&database).await.id, a_post().insert_into(&database).await.id];
    send(&app, ana, sun, ben, 20).await;

    retry_after_of(create_share(&app, ana, rain, message_to(ana, &[ben])).await);

    send(&app, ben, sun, ana, 1).await;
    create_share(&app, ana, sun, ShareDetails::Url).await.unwrap();
}

#[tokio::test]
async fn links_and_rejected_messages_do_not_count_toward_the_quota() {
    let (TestApp { app, database, .. }, [ana, ben]) = TestApp::with_users().await;
    let post = a_post().insert_into(&database).await.id;
    for _ in 0..ShareQuota::MAX_PER_HOUR {
        let other = a_post().insert_into(&database).await.id;
        create_share(&app, ana, other, ShareDetails::Url).await.unwrap();
        create_share(&app, ana, post, message_to(ana, &[404.into()])).await.unwrap_err();
    }

    send(&app, ana, post, ben, 20).await;
}

#[tokio::test]
async fn twenty_of_thirty_concurrent_messages_of_one_user_are_sent() {
    let (TestApp { app, database, .. }, [ana, ben]) = TestApp::with_users().await;
    let post = a_post().insert_into(&database).await.id;

    let results =
        join_all((0..30).map(|_| create_share(&app, ana, post, message_to(ana, &[ben])))).await;

    let (sent, rejected): (Vec<_>, Vec<_>) = results.into_iter().partition(Result::is_ok);
    assert_eq!((sent.len(), rejected.len()), (20, 10));
    for rejected in rejected {
        assert_eq!(retry_after_of(rejected), TimeDelta::hours(1));
    }
    assert_eq!(database.count("shares").await, 20);
    assert_eq!(load_engagement(&database, post).await.shares, 1);
}

#[tokio::test]
async fn a_rejected_message_can_be_retried_with_the_same_key() {
    let (TestApp { app, database, clock, .. }, [ana, ben]) = TestApp::with_users().await;
    let post = a_post().insert_into(&database).await.id;
    send(&app, ana, post, ben, 20).await;
    let again = async || {
        grateful_testkit::create_share(
            &app,
            ana,
            post,
            message_to(ana, &[ben]),
            Some(idempotent_request("hi", 1)),
        )
        .await
    };
    retry_after_of(again().await);
    clock.advance(TimeDelta::hours(1));

    let response = again().await;

    assert!(matches!(response, Ok(RecordedResponse::New(_))), "{response:?}");
}

#[tokio::test]
async fn a_sender_waits_for_recipients_before_locking_other_rows() {
    use diesel_async::SimpleAsyncConnection as _;

    let TestApp { app, database, .. } = TestApp::create().await;
    // The recipient has the lower id and is locked first.
    let [ben, ana] = [create_user(&database).await, create_user(&database).await];
    let post = a_post().insert_into(&database).await.id;
    let first = format!("SELECT FROM users WHERE id = {ben} FOR UPDATE");
    let mut blocking = database.begin(&first).await;

    let sending = create_share(&app, ana, post, message_to(ana, &[ben]));
    let second = async {
        wait_until_blocked(&database, 1).await;
        let second = format!("SELECT FROM users WHERE id = {ana} FOR UPDATE NOWAIT; COMMIT");
        blocking.batch_execute(&second).await.unwrap();
    };
    let (result, ()) = tokio::join!(sending, second);

    result.unwrap();
}

/// Sends a post several times.
async fn send(app: &App, by: UserId, post: PostId, to: UserId, times: u32) {
    for _ in 0..times {
        create_share(app, by, post, message_to(by, &[to])).await.unwrap();
    }
}

/// The `retry_after` of a message that exceeds the quota.
#[track_caller]
fn retry_after_of<T: std::fmt::Debug>(result: Result<T>) -> TimeDelta {
    match result {
        Err(Error::RateLimited { policy: "shares", limit: 20, window, retry_after, .. })
            if window == TimeDelta::hours(1) =>
        {
            retry_after
        }
        other => panic!("{other:?}"),
    }
}
