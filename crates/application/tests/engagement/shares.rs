//! Passing posts on.

use chrono::TimeDelta;
use futures_util::future::join_all;
use grateful_application::shares::delete;
use grateful_application::{App, Error, RecordedResponse, Resource, Result};
use grateful_domain::{PostId, ShareDetails, ShareQuota, UserId};
use grateful_testkit::{TestApp, TestDatabase, a_post, block, create_user, load_engagement};
use uuid::Uuid;

use crate::support::{
    assert_forbidden, assert_not_found, block_in_flight, commit_when_waited_for,
    deletion_in_flight, hi, idempotent, share, share_repeatably, until_waiting,
};

#[tokio::test]
async fn a_link_that_one_has_already_is_the_same_link() {
    let TestApp { app, database, clock, .. } = TestApp::create().await;
    let ana = create_user(&database).await;
    let post = a_post().insert_into(&database).await.id;
    let link = share(&app, ana, post, ShareDetails::Url).await.unwrap();
    clock.advance(TimeDelta::days(2));

    let again = share(&app, ana, post, ShareDetails::Url).await.unwrap();

    assert_eq!(again, link);
    assert_eq!(load_engagement(&database, post).await.shares, 1);
    assert_eq!(database.count("shares").await, 1);
}

#[tokio::test]
async fn a_link_can_be_given_back_once_and_the_next_one_is_another() {
    let TestApp { app, database, .. } = TestApp::create().await;
    let ana = create_user(&database).await;
    let post = a_post().insert_into(&database).await.id;
    let link = share(&app, ana, post, ShareDetails::Url).await.unwrap();

    unshare(&app, ana, post).await.unwrap();
    let again = unshare(&app, ana, post).await;

    assert_eq!(load_engagement(&database, post).await.shares, 0);
    assert_eq!(again.as_ref().unwrap_err().to_string(), "Share not found");
    assert_not_found(again, Resource::Share);
    assert_ne!(share(&app, ana, post, ShareDetails::Url).await.unwrap(), link);
}

#[tokio::test]
async fn a_message_is_no_link_to_give_back() {
    let TestApp { app, database, .. } = TestApp::create().await;
    let [ana, ben] = [create_user(&database).await, create_user(&database).await];
    let post = a_post().insert_into(&database).await.id;
    share(&app, ana, post, hi(ana, &[ben])).await.unwrap();

    assert_not_found(unshare(&app, ana, post).await, Resource::Share);

    assert_eq!(load_engagement(&database, post).await.shares, 1);
}

#[tokio::test]
async fn a_message_keeps_its_words_for_everybody_named_once() {
    let TestApp { app, database, .. } = TestApp::create().await;
    let [ana, ben, eve] =
        [create_user(&database).await, create_user(&database).await, create_user(&database).await];
    let post = a_post().insert_into(&database).await.id;

    let id = share(&app, ana, post, hi(ana, &[ben, eve, ben])).await.unwrap();

    let kept = format!("shares WHERE id = '{id}' AND message_content = 'Hi'");
    assert_eq!(database.count(&kept).await, 1);
    for recipient in [ben, eve] {
        let named = format!("share_recipients WHERE share_id = '{id}' AND user_id = {recipient}");
        assert_eq!(database.count(&named).await, 1);
    }
}

#[tokio::test]
async fn messages_of_one_person_about_one_post_count_once_beside_their_link() {
    let TestApp { app, database, .. } = TestApp::create().await;
    let [ana, ben, eve] =
        [create_user(&database).await, create_user(&database).await, create_user(&database).await];
    let post = a_post().insert_into(&database).await.id;

    for (user, how) in [
        (ana, hi(ana, &[ben])),
        (ana, hi(ana, &[eve])),
        (ana, ShareDetails::Url),
        (ben, hi(ben, &[ana, eve])),
    ] {
        share(&app, user, post, how).await.unwrap();
    }

    assert_eq!(load_engagement(&database, post).await.shares, 3);
    assert_eq!(database.count("shares").await, 4);
}

#[tokio::test]
async fn people_share_their_own_posts_unless_they_are_private() {
    let TestApp { app, database, .. } = TestApp::create().await;
    let [ana, ben] = [create_user(&database).await, create_user(&database).await];
    let public = a_post().by(ana).insert_into(&database).await.id;
    let private = a_post().by(ana).private().insert_into(&database).await.id;

    share(&app, ana, public, ShareDetails::Url).await.unwrap();
    for how in [ShareDetails::Url, hi(ana, &[ben])] {
        let refused = share(&app, ana, private, how).await.unwrap_err();

        assert!(matches!(refused, Error::RuleViolation { .. }), "{refused:?}");
        let reason = "This post cannot be shared due to privacy settings.";
        assert_eq!(refused.to_string(), reason);
    }
    assert_eq!(load_engagement(&database, private).await.shares, 0);
}

#[tokio::test]
async fn a_post_that_one_may_not_see_is_not_there_to_share() {
    let TestApp { app, database, .. } = TestApp::create().await;
    let [ana, ben, eve] =
        [create_user(&database).await, create_user(&database).await, create_user(&database).await];
    let private = a_post().by(eve).private().insert_into(&database).await.id;
    let by_blocked = a_post().by(eve).insert_into(&database).await.id;
    let nowhere = PostId::from(Uuid::from_u128(7));
    block(&database, ana, eve).await;
    block(&database, eve, ben).await;

    for (user, post) in [(ana, private), (ana, nowhere), (ana, by_blocked), (ben, by_blocked)] {
        let other = if user == ana { ben } else { ana };
        assert_not_found(share(&app, user, post, ShareDetails::Url).await, Resource::Post);
        assert_not_found(share(&app, user, post, hi(user, &[other])).await, Resource::Post);
        assert_not_found(unshare(&app, user, post).await, Resource::Post);
    }
    assert_eq!(database.count("shares").await, 0);
}

#[tokio::test]
async fn nobody_is_sent_a_post_across_a_block() {
    let TestApp { app, database, .. } = TestApp::create().await;
    let [ana, ben, eve] =
        [create_user(&database).await, create_user(&database).await, create_user(&database).await];
    let post = a_post().insert_into(&database).await.id;
    block(&database, ben, ana).await;
    block(&database, ana, eve).await;
    let kind = create_user(&database).await;

    for recipient in [ben, eve] {
        let refused = share(&app, ana, post, hi(ana, &[kind, recipient])).await;

        assert_forbidden(refused, Resource::User);
    }
    assert_eq!(database.count("shares").await, 0);
    assert_eq!(load_engagement(&database, post).await.shares, 0);
}

#[tokio::test]
async fn a_message_to_somebody_unknown_is_sent_to_nobody() {
    let TestApp { app, database, .. } = TestApp::create().await;
    let [ana, ben] = [create_user(&database).await, create_user(&database).await];
    let post = a_post().insert_into(&database).await.id;

    let refused = share(&app, ana, post, hi(ana, &[ben, UserId::from(404)])).await;

    assert_not_found(refused, Resource::User);
    assert_eq!(database.count("shares").await, 0);
}

#[tokio::test]
async fn the_twenty_first_message_within_an_hour_is_refused_until_the_first_is_an_hour_old() {
    let TestApp { app, database, clock, .. } = TestApp::create().await;
    let [ana, ben] = [create_user(&database).await, create_user(&database).await];
    let post = a_post().insert_into(&database).await.id;
    send(&app, ana, post, ben, 10).await;
    clock.advance(TimeDelta::minutes(30));
    send(&app, ana, post, ben, 10).await;

    let wait = too_many(share(&app, ana, post, hi(ana, &[ben])).await);
    assert_eq!(wait, TimeDelta::minutes(30));
    clock.advance(TimeDelta::minutes(30) - TimeDelta::microseconds(1));
    let wait = too_many(share(&app, ana, post, hi(ana, &[ben])).await);
    assert_eq!(wait, TimeDelta::microseconds(1));

    // Ten have left the hour at once, the other ten leave it half an hour later.
    clock.advance(TimeDelta::microseconds(1));
    send(&app, ana, post, ben, 10).await;
    let wait = too_many(share(&app, ana, post, hi(ana, &[ben])).await);
    assert_eq!(wait, TimeDelta::minutes(30));
    assert_eq!(database.count("shares").await, 30);
}

#[tokio::test]
async fn the_quota_is_one_for_all_posts_and_each_person_has_their_own() {
    let TestApp { app, database, .. } = TestApp::create().await;
    let [ana, ben] = [create_user(&database).await, create_user(&database).await];
    let [sun, rain] =
        [a_post().insert_into(&database).await.id, a_post().insert_into(&database).await.id];
    send(&app, ana, sun, ben, 20).await;

    too_many(share(&app, ana, rain, hi(ana, &[ben])).await);

    send(&app, ben, sun, ana, 1).await;
    share(&app, ana, sun, ShareDetails::Url).await.unwrap();
}

#[tokio::test]
async fn links_and_refused_messages_use_up_nothing() {
    let TestApp { app, database, .. } = TestApp::create().await;
    let [ana, ben] = [create_user(&database).await, create_user(&database).await];
    let post = a_post().insert_into(&database).await.id;
    for _ in 0..ShareQuota::MAX_PER_HOUR {
        let other = a_post().insert_into(&database).await.id;
        share(&app, ana, other, ShareDetails::Url).await.unwrap();
        share(&app, ana, post, hi(ana, &[404.into()])).await.unwrap_err();
    }

    send(&app, ana, post, ben, 20).await;
}

#[tokio::test]
async fn of_thirty_messages_of_one_person_at_once_twenty_are_sent() {
    let TestApp { app, database, .. } = TestApp::create().await;
    let [ana, ben] = [create_user(&database).await, create_user(&database).await];
    let post = a_post().insert_into(&database).await.id;
    let app = App { db: patient(&database), ..app };

    let outcomes = join_all((0..30).map(|_| share(&app, ana, post, hi(ana, &[ben])))).await;

    let (sent, refused): (Vec<_>, Vec<_>) = outcomes.into_iter().partition(Result::is_ok);
    assert_eq!((sent.len(), refused.len()), (20, 10));
    for refused in refused {
        assert_eq!(too_many(refused), TimeDelta::hours(1));
    }
    assert_eq!(database.count("shares").await, 20);
    assert_eq!(load_engagement(&database, post).await.shares, 1);
}

#[tokio::test]
async fn ten_links_at_once_are_one_and_the_same() {
    let TestApp { app, database, .. } = TestApp::create().await;
    let ana = create_user(&database).await;
    let post = a_post().insert_into(&database).await.id;

    let outcomes = join_all((0..10).map(|_| share(&app, ana, post, ShareDetails::Url))).await;

    let ids: Vec<String> = outcomes.into_iter().map(Result::unwrap).collect();
    assert!(ids.iter().all(|id| *id == ids[0]));
    assert_eq!(load_engagement(&database, post).await.shares, 1);
    assert_eq!(database.count("shares").await, 1);
}

#[tokio::test]
async fn ten_who_give_the_same_link_back_at_once_give_it_back_once() {
    let TestApp { app, database, .. } = TestApp::create().await;
    let ana = create_user(&database).await;
    let post = a_post().insert_into(&database).await.id;
    share(&app, ana, post, ShareDetails::Url).await.unwrap();

    let outcomes = join_all((0..10).map(|_| unshare(&app, ana, post))).await;

    let (given_back, refused): (Vec<_>, Vec<_>) = outcomes.into_iter().partition(Result::is_ok);
    assert_eq!(given_back.len(), 1);
    for refused in refused {
        assert_not_found(refused, Resource::Share);
    }
    assert_eq!(load_engagement(&database, post).await.shares, 0);
}

#[tokio::test]
async fn a_repeated_request_is_answered_with_the_first_message() {
    let TestApp { app, database, .. } = TestApp::create().await;
    let [ana, ben] = [create_user(&database).await, create_user(&database).await];
    let post = a_post().insert_into(&database).await.id;
    let send = async |version| {
        share_repeatably(&app, ana, post, hi(ana, &[ben]), Some(idempotent("hi", version))).await
    };

    let RecordedResponse::New(first) = send(1).await.unwrap() else { panic!() };
    let again = send(1).await.unwrap();
    let other = send(2).await;

    assert_eq!(again, RecordedResponse::Replayed(first));
    assert!(matches!(other, Err(Error::Invalid(_))), "{other:?}");
    assert_eq!(database.count("shares").await, 1);
}

#[tokio::test]
async fn ten_requests_of_one_name_at_once_send_one_message() {
    let TestApp { app, database, .. } = TestApp::create().await;
    let [ana, ben] = [create_user(&database).await, create_user(&database).await];
    let post = a_post().insert_into(&database).await.id;

    let outcomes =
        join_all((0..10).map(|_| {
            share_repeatably(&app, ana, post, hi(ana, &[ben]), Some(idempotent("hi", 1)))
        }))
        .await;

    let first = outcomes.iter().filter(|it| matches!(it, Ok(RecordedResponse::New(_)))).count();
    assert_eq!(first, 1);
    for outcome in outcomes {
        let expected = matches!(outcome, Ok(_) | Err(Error::Conflict { .. }));
        assert!(expected, "{outcome:?}");
    }
    assert_eq!(database.count("shares").await, 1);
}

#[tokio::test]
async fn a_refused_message_can_be_repeated_under_the_same_name() {
    let TestApp { app, database, clock, .. } = TestApp::create().await;
    let [ana, ben] = [create_user(&database).await, create_user(&database).await];
    let post = a_post().insert_into(&database).await.id;
    send(&app, ana, post, ben, 20).await;
    let again = async || {
        share_repeatably(&app, ana, post, hi(ana, &[ben]), Some(idempotent("hi", 1))).await
    };
    too_many(again().await);
    clock.advance(TimeDelta::hours(1));

    let answer = again().await;

    assert!(matches!(answer, Ok(RecordedResponse::New(_))), "{answer:?}");
}

#[tokio::test]
async fn a_post_that_is_deleted_while_it_is_shared_is_not_found() {
    for is_message in [false, true] {
        let TestApp { app, database, .. } = TestApp::create().await;
        let [ana, ben] = [create_user(&database).await, create_user(&database).await];
        let post = a_post().insert_into(&database).await.id;
        let how = if is_message { hi(ana, &[ben]) } else { ShareDetails::Url };
        let deletion = deletion_in_flight(&database, post).await;

        let (outcome, ()) = tokio::join!(
            share(&app, ana, post, how),
            commit_when_waited_for(&database, deletion, 1)
        );

        assert_not_found(outcome, Resource::Post);
    }
}

#[tokio::test]
async fn no_message_slips_across_a_block_that_is_being_made() {
    let TestApp { app, database, .. } = TestApp::create().await;
    let [ana, ben] = [create_user(&database).await, create_user(&database).await];
    let post = a_post().insert_into(&database).await.id;
    let block = block_in_flight(&database, ben, ana).await;

    let (outcome, ()) = tokio::join!(
        share(&app, ana, post, hi(ana, &[ben])),
        commit_when_waited_for(&database, block, 1)
    );

    assert_forbidden(outcome, Resource::User);
    assert_eq!(database.count("shares").await, 0);
}

#[tokio::test]
async fn a_sender_waits_for_recipients_before_holding_others_up() {
    use diesel_async::SimpleAsyncConnection as _;

    let TestApp { app, database, .. } = TestApp::create().await;
    // By id, the recipient is the first of the pair.
    let [ben, ana] = [create_user(&database).await, create_user(&database).await];
    let post = a_post().insert_into(&database).await.id;
    let first = format!("SELECT FROM users WHERE id = {ben} FOR UPDATE");
    let mut blocking = database.begin(&first).await;

    let sending = share(&app, ana, post, hi(ana, &[ben]));
    let second = async {
        until_waiting(&database, 1).await;
        let second = format!("SELECT FROM users WHERE id = {ana} FOR UPDATE NOWAIT; COMMIT");
        blocking.batch_execute(&second).await.unwrap();
    };
    let (outcome, ()) = tokio::join!(sending, second);

    outcome.unwrap();
}

/// Sends a post so often.
async fn send(app: &App, by: UserId, post: PostId, to: UserId, times: u32) {
    for _ in 0..times {
        share(app, by, post, hi(by, &[to])).await.unwrap();
    }
}

/// How long whoever was refused for their quota is to wait.
#[track_caller]
fn too_many<T: std::fmt::Debug>(outcome: Result<T>) -> TimeDelta {
    match outcome {
        Err(Error::RateLimited { policy: "shares", limit: 20, window, retry_after, .. })
            if window == TimeDelta::hours(1) =>
        {
            retry_after
        }
        other => panic!("{other:?}"),
    }
}

/// A pool whose connections may be waited for longer than usual: here, on a busy machine, all wait for one row.
fn patient(database: &TestDatabase) -> grateful_storage::Database {
    database.pool_with(|config| config.with_acquire_timeout(std::time::Duration::from_secs(10)))
}
