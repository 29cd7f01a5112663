//! Reads that start while the session is being looked up: the look-up decides whether their result is returned.

use std::cell::Cell;

use futures_util::future::join_all;
use grateful_application::{AccessToken, App, Error, QueryLog, Result, profiles, sessions};
use grateful_domain::{OwnProfile, Session, User, UserId};
use grateful_testkit::{TestApp, a_user, create_user};

use crate::support::{assert_unauthenticated, log_in};

#[tokio::test]
async fn the_look_up_and_the_read_are_one_round_trip_once_a_token_is_known() {
    let (app, ana, token) = signed_in().await;

    let (first, queries) = Box::pin(QueryLog::record(read_profile(&app, &token))).await;
    assert_eq!((queries.total(), queries.round_trips()), (2, 2), "{queries:#?}");
    let (second, queries) = Box::pin(QueryLog::record(read_profile(&app, &token))).await;
    assert_eq!((queries.total(), queries.round_trips()), (2, 1), "{queries:#?}");

    for found in [first, second] {
        let (session, profile) = found.unwrap();
        assert_eq!(session.user, ana.id);
        assert_eq!(profile.unwrap().profile.author.id, ana.id);
    }
}

#[tokio::test]
async fn a_token_that_another_node_revoked_is_unauthenticated() {
    let (app, _, token) = known().await;

    app.database.execute("DELETE FROM sessions").await;

    assert_never_valid(&app, &token).await;
}

#[tokio::test]
async fn an_expired_token_is_unauthenticated() {
    let (app, _, token) = known().await;

    app.clock.advance(App::SESSION_LIFETIME);

    assert_never_valid(&app, &token).await;
}

#[tokio::test]
async fn a_token_of_a_deleted_account_is_unauthenticated() {
    let (app, ana, token) = known().await;

    app.database.execute(&format!("DELETE FROM users WHERE id = {}", ana.id)).await;

    assert_never_valid(&app, &token).await;
}

/// No such change happens in the product. If one did, the read would be that of the wrong user.
#[tokio::test]
async fn a_read_for_another_user_than_that_of_the_session_is_dropped() {
    let (app, ana, token) = known().await;
    let ben = create_user(&app.database).await;

    app.database.execute(&format!("UPDATE sessions SET user_id = {ben}")).await;

    let ran_for = Cell::new(None);
    let read = async |user: UserId| {
        ran_for.set(Some(user));
        profiles::get_own(&app.app, user).await
    };
    assert_unauthenticated(sessions::authenticate_and_read(&app.app, &token, read).await);
    assert_eq!(ran_for.get(), Some(ana.id));
    let (session, profile) = read_profile(&app, &token).await.unwrap();
    assert_eq!((session.user, profile.unwrap().profile.author.id), (ben, ben));
}

#[tokio::test]
async fn a_failed_read_is_reported_only_if_the_token_is_valid() {
    let (app, _, token) = known().await;
    let fail = async |_| Err::<(), _>(Error::Unauthenticated("the read"));

    let (_, output) = sessions::authenticate_and_read(&app.app, &token, fail).await.unwrap();
    assert!(matches!(output, Err(Error::Unauthenticated("the read"))));

    app.database.execute("DELETE FROM sessions").await;
    let rejected = sessions::authenticate_and_read(&app.app, &token, fail).await;
    assert!(
        matches!(rejected, Err(Error::Unauthenticated(reason)) if reason != "the read"),
        "the look-up comes first"
    );
}

#[tokio::test]
async fn a_read_that_ends_before_a_late_look_up_waits_for_it() {
    let (app, _, token) = known().await;
    let late = app.database.begin("LOCK sessions IN ACCESS EXCLUSIVE MODE").await;
    let has_read = Cell::new(false);
    let read = async |user: UserId| {
        let profile = profiles::get_own(&app.app, user).await;
        has_read.set(true);
        profile
    };
    let mut answer = Box::pin(sessions::authenticate_and_read(&app.app, &token, read));

    while !has_read.get() {
        assert!(futures_util::poll!(&mut answer).is_pending());
        tokio::task::yield_now().await;
    }
    assert!(futures_util::poll!(&mut answer).is_pending());
    drop(late);
    answer.await.unwrap().1.unwrap();
}

#[tokio::test]
async fn a_look_up_that_waits_for_a_revocation_sees_it() {
    let (app, _, token) = known().await;
    let mut revoking = app.database.begin("LOCK sessions IN ACCESS EXCLUSIVE MODE").await;
    let mut answers = Box::pin(join_all((0..40).map(|_| read_profile(&app, &token))));
    assert!(futures_util::poll!(&mut answers).is_pending());

    let revoke = async {
        use diesel_async::SimpleAsyncConnection as _;
        revoking.batch_execute("DELETE FROM sessions; COMMIT").await.unwrap();
    };
    let (answers, ()) = futures_util::join!(answers, revoke);

    for answer in answers {
        assert_unauthenticated(answer);
    }
}

#[tokio::test]
async fn under_load_each_token_gets_its_own_user_or_none() {
    let (app, _, _) = signed_in().await;
    let mut users = Vec::new();
    for _ in 0..10 {
        let user = a_user().insert_into(&app.database).await;
        let token = log_in(&app.app, &user).await;
        read_profile(&app, &token).await.unwrap().1.unwrap();
        users.push((user, token));
    }
    let (revoked, valid) = users.split_at(5);
    let ids: Vec<String> = revoked.iter().map(|(user, _)| user.id.to_string()).collect();
    let revoke = format!("DELETE FROM sessions WHERE user_id IN ({})", ids.join(", "));
    app.database.execute(&revoke).await;

    for _ in 0..10 {
        let answers = join_all(users.iter().map(|(_, token)| read_profile(&app, token))).await;
        for (answer, (user, _)) in answers.into_iter().zip(&users) {
            if valid.iter().any(|(valid, _)| valid.id == user.id) {
                let (session, profile) = answer.unwrap();
                assert_eq!((session.user, profile.unwrap().profile.author.id), (user.id, user.id));
            } else {
                assert_unauthenticated(answer);
            }
        }
    }
}

async fn signed_in() -> (TestApp, User, AccessToken) {
    let app = TestApp::create().await;
    let ana = a_user().insert_into(&app.database).await;
    let token = log_in(&app.app, &ana).await;
    (app, ana, token)
}

/// As [`signed_in`], with a token that has been used.
async fn known() -> (TestApp, User, AccessToken) {
    let (app, ana, token) = signed_in().await;
    read_profile(&app, &token).await.unwrap().1.unwrap();
    assert!(sessions::is_known(&app.app, &token));
    (app, ana, token)
}

async fn read_profile(app: &TestApp, token: &AccessToken) -> Result<(Session, Result<OwnProfile>)> {
    let read = async |user| profiles::get_own(&app.app, user).await;
    sessions::authenticate_and_read(&app.app, token, read).await
}

/// Asserts that a token is refused whether or not a read starts beside the look-up, and is then no longer known.
async fn assert_never_valid(app: &TestApp, token: &AccessToken) {
    assert_unauthenticated(read_profile(app, token).await);
    assert!(!sessions::is_known(&app.app, token));
    assert_unauthenticated(read_profile(app, token).await);
    assert_unauthenticated(sessions::authenticate(&app.app, token).await);
}
