//! Signing up, logging in and changing passwords.

use grateful_storage::Repositories;
use std::time::{Duration, Instant};

use diesel_async::SimpleAsyncConnection as _;
use futures_util::future::join_all;
use grateful_application::accounts::{ChangePassword, change_password, reset_password, sign_up};
use grateful_application::{App, Error, QueryLog, Resource, Result, accounts, sessions};
use grateful_domain::{Session, UserId};
use grateful_testkit::{NOON, PASSWORD, TestApp, a_user, wait_until_blocked};

use crate::support::{
    assert_unauthenticated, credentials, log_in, password, session_of, sign_up_data,
};

#[tokio::test]
async fn signing_up_creates_an_account_as_typed_and_a_session() {
    let TestApp { app, .. } = TestApp::create().await;

    let (ana, token) = sign_up(&app, sign_up_data("Ana.B", "Ana@Example.org")).await.unwrap();

    assert_eq!(ana.username.as_str(), "Ana.B");
    assert_eq!(ana.email.as_str(), "Ana@Example.org");
    assert_eq!(ana.created_at, NOON);
    let session = sessions::authenticate(&app, &token).await.unwrap();
    assert_eq!(session.user, ana.id);
    assert_eq!(session.user_agent.as_deref(), Some("Tests/1.0"));
    assert_eq!(accounts::get(&app, ana.id).await.unwrap(), ana);
}

#[tokio::test]
async fn a_new_password_is_stored_as_argon2id_with_the_current_parameters() {
    let TestApp { app, .. } = TestApp::create().await;

    let (ana, _) = sign_up(&app, sign_up_data("ana", "ana@example.org")).await.unwrap();

    assert!(is_current(&hash_of(&app, ana.id).await));
}

#[tokio::test]
async fn a_rejected_sign_up_creates_neither_account_nor_session() {
    let TestApp { app, database, .. } = TestApp::create().await;
    sign_up(&app, sign_up_data("ana", "ana@example.org")).await.unwrap();

    sign_up(&app, sign_up_data("ana", "other@example.org")).await.unwrap_err();

    assert_eq!(database.count("users").await, 1);
    assert_eq!(database.count("sessions").await, 1);
}

#[tokio::test]
async fn one_of_eight_concurrent_sign_ups_with_one_username_succeeds() {
    let TestApp { app, database, .. } = TestApp::create().await;

    let attempts = (0..8).map(|n| sign_up(&app, sign_up_data("ana", &format!("a{n}@example.org"))));
    let results = futures_util::future::join_all(attempts).await;

    assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 1);
    for rejected in results.into_iter().filter(Result::is_err) {
        assert_already_exists(rejected, "Username already taken");
    }
    assert_eq!(database.count("users").await, 1);
}

#[tokio::test]
async fn case_and_surrounding_spaces_of_an_address_do_not_matter_at_login() {
    let TestApp { app, database, .. } = TestApp::create().await;
    let ana = a_user().with_username("Ana").insert_into(&database).await;

    for email in ["Ana@example.org", "ANA@EXAMPLE.ORG", "  ana@example.org\r\n"] {
        let token = accounts::log_in(&app, credentials(email, PASSWORD)).await.unwrap();
        assert_eq!(sessions::authenticate(&app, &token).await.unwrap().user, ana.id, "{email:?}");
    }
}

#[tokio::test]
async fn a_wrong_password_and_an_unknown_account_get_the_same_error() {
    let TestApp { app, database, .. } = TestApp::create().await;
    a_user().with_username("ana").insert_into(&database).await;

    for (email, password) in [
        ("ana@example.org", "battery staple"),
        ("ana@example.org", ""),
        ("ana@example.org", "correct horse "),
        ("ana@example.org", "Correct horse"),
        ("unknown@example.org", PASSWORD),
        ("", PASSWORD),
        ("ana", PASSWORD),
        ("ana@example.org\0", PASSWORD),
        ("ana@example.org\0", "\0"),
        ("%@example.org", PASSWORD),
        ("' OR 1=1 --", "' OR 1=1 --"),
    ] {
        let rejected = accounts::log_in(&app, credentials(email, password)).await.unwrap_err();
        assert!(
            matches!(rejected, Error::Unauthenticated("Incorrect email or password")),
            "{email:?} {rejected:?}"
        );
    }
    assert_eq!(database.count("sessions").await, 0);
}

/// The tolerance is wide: without hashing, one of the two would be about a hundred times faster.
#[tokio::test]
async fn an_unknown_account_takes_as_long_as_a_wrong_password() {
    let TestApp { app, .. } = TestApp::create().await;
    sign_up(&app, sign_up_data("ana", "ana@example.org")).await.unwrap();

    let (mut known, mut unknown) = (Vec::new(), Vec::new());
    for _ in 0..15 {
        known.push(measure_login(&app, "ana@example.org").await);
        unknown.push(measure_login(&app, "unknown@example.org").await);
    }

    let (known_queries, known_time) = median(known);
    let (unknown_queries, unknown_time) = median(unknown);
    assert_eq!(known_queries, unknown_queries);
    let ratio = known_time.as_secs_f64() / unknown_time.as_secs_f64();
    assert!((0.25..4.0).contains(&ratio), "{known_time:?} {unknown_time:?}");
}

#[tokio::test]
async fn a_bcrypt_hash_is_accepted_and_replaced() {
    let TestApp { app, database, .. } = TestApp::create().await;
    let bcrypt_hash = bcrypt::hash(PASSWORD, 4).unwrap();
    assert!(bcrypt_hash.starts_with("$2b$"));
    let ana = a_user().with_password_hash(&bcrypt_hash).insert_into(&database).await;

    log_in(&app, &ana).await;

    assert!(is_current(&hash_of(&app, ana.id).await));
    log_in(&app, &ana).await;
}

#[tokio::test]
async fn concurrent_logins_with_an_outdated_hash_all_succeed() {
    let TestApp { app, database, .. } = TestApp::create().await;
    let bcrypt_hash = bcrypt::hash(PASSWORD, 4).unwrap();
    let ana = a_user().with_password_hash(&bcrypt_hash).insert_into(&database).await;

    let logins = (0..4).map(|_| accounts::log_in(&app, credentials(ana.email.as_str(), PASSWORD)));
    let results = join_all(logins).await;

    assert!(results.iter().all(Result::is_ok), "{results:?}");
    assert!(is_current(&hash_of(&app, ana.id).await));
}

#[tokio::test]
async fn a_login_during_a_password_change_fails() {
    let TestApp { app, database, .. } = TestApp::create().await;
    let ana = a_user().insert_into(&database).await;
    let change = format!("UPDATE users SET hashed_password = 'another' WHERE id = {}", ana.id);
    let mut change_in_flight = database.begin(&change).await;

    let attempt = tokio::spawn(async move {
        accounts::log_in(&app, credentials(ana.email.as_str(), PASSWORD)).await
    });
    wait_until_blocked(&database, 1).await;
    change_in_flight.batch_execute("COMMIT").await.unwrap();

    assert_unauthenticated(attempt.await.unwrap());
    assert_eq!(database.count("sessions").await, 0);
}

#[tokio::test]
async fn a_wrong_password_does_not_replace_a_bcrypt_hash() {
    let TestApp { app, database, .. } = TestApp::create().await;
    let bcrypt_hash = bcrypt::hash(PASSWORD, 4).unwrap();
    let ana = a_user().with_password_hash(&bcrypt_hash).insert_into(&database).await;

    accounts::log_in(&app, credentials(ana.email.as_str(), "battery staple")).await.unwrap_err();

    assert_eq!(hash_of(&app, ana.id).await, bcrypt_hash);
}

#[tokio::test]
async fn an_old_password_that_is_too_short_today_is_still_accepted() {
    let TestApp { app, database, .. } = TestApp::create().await;
    let bcrypt_hash = bcrypt::hash("short", 4).unwrap();
    let ana = a_user().with_password_hash(&bcrypt_hash).insert_into(&database).await;

    accounts::log_in(&app, credentials(ana.email.as_str(), "short")).await.unwrap();

    assert_eq!(hash_of(&app, ana.id).await, bcrypt_hash);
}

#[tokio::test]
async fn a_password_change_revokes_all_other_sessions_of_the_user() {
    let TestApp { app, database, .. } = TestApp::create().await;
    let ana = a_user().insert_into(&database).await;
    let ben = a_user().insert_into(&database).await;
    let current = log_in(&app, &ana).await;
    let session = sessions::authenticate(&app, &current).await.unwrap();
    let others = [log_in(&app, &ana).await, log_in(&app, &ana).await];
    let of_ben = log_in(&app, &ben).await;

    change(&app, &session, PASSWORD, "battery staple").await.unwrap();

    sessions::authenticate(&app, &current).await.unwrap();
    sessions::authenticate(&app, &of_ben).await.unwrap();
    for token in &others {
        assert_unauthenticated(sessions::authenticate(&app, token).await);
    }
    assert_unauthenticated(accounts::log_in(&app, credentials(ana.email.as_str(), PASSWORD)).await);
    accounts::log_in(&app, credentials(ana.email.as_str(), "battery staple")).await.unwrap();
}

#[tokio::test]
async fn a_wrong_current_password_changes_nothing() {
    let TestApp { app, database, .. } = TestApp::create().await;
    let ana = a_user().insert_into(&database).await;
    let current = session_of(&app, &ana).await;
    let other = log_in(&app, &ana).await;
    let before = hash_of(&app, ana.id).await;

    let rejected = change(&app, &current, "wrong horse", "battery staple").await.unwrap_err();

    assert_wrong_password(&rejected);
    assert_eq!(hash_of(&app, ana.id).await, before);
    sessions::authenticate(&app, &other).await.unwrap();
}

#[tokio::test]
async fn one_of_two_concurrent_password_changes_succeeds() {
    let TestApp { app, database, .. } = TestApp::create().await;
    let ana = a_user().insert_into(&database).await;
    let (one, other) = (session_of(&app, &ana).await, session_of(&app, &ana).await);

    let (first, second) = tokio::join!(
        change(&app, &one, PASSWORD, "first staple"),
        change(&app, &other, PASSWORD, "second staple"),
    );

    let (winner, loser, rejected) = match (first, second) {
        (Ok(()), Err(rejected)) => ("first staple", "second staple", rejected),
        (Err(rejected), Ok(())) => ("second staple", "first staple", rejected),
        both => panic!("{both:?}"),
    };
    assert_wrong_password(&rejected);
    accounts::log_in(&app, credentials(ana.email.as_str(), winner)).await.unwrap();
    assert_unauthenticated(accounts::log_in(&app, credentials(ana.email.as_str(), loser)).await);
}

#[tokio::test]
async fn a_user_whose_account_was_deleted_is_unauthenticated() {
    let TestApp { app, database, .. } = TestApp::create().await;
    let ana = a_user().insert_into(&database).await;
    let session = session_of(&app, &ana).await;

    database.execute("DELETE FROM users").await;

    assert_unauthenticated(accounts::get(&app, ana.id).await);
    assert_unauthenticated(change(&app, &session, PASSWORD, "battery staple").await);
}

#[tokio::test]
async fn a_password_reset_sets_the_password_and_revokes_all_sessions() {
    let TestApp { app, database, .. } = TestApp::create().await;
    let ana = a_user().with_username("Ana").insert_into(&database).await;
    let ben = a_user().insert_into(&database).await;
    let tokens = [log_in(&app, &ana).await, log_in(&app, &ana).await];
    let of_ben = log_in(&app, &ben).await;

    let revoked = reset_password(&app, "aNA", password("battery staple")).await.unwrap();

    assert_eq!(revoked, 2);
    for token in &tokens {
        assert_unauthenticated(sessions::authenticate(&app, token).await);
    }
    sessions::authenticate(&app, &of_ben).await.unwrap();
    accounts::log_in(&app, credentials(ana.email.as_str(), "battery staple")).await.unwrap();
}

#[tokio::test]
async fn a_password_reset_for_an_unknown_username_is_not_found() {
    let TestApp { app, .. } = TestApp::create().await;

    for name in ["unknown", "", "%", "un'known"] {
        let rejected = reset_password(&app, name, password("battery staple")).await.unwrap_err();
        assert!(
            matches!(rejected, Error::NotFound { resource: Resource::User, .. }),
            "{rejected:?}"
        );
    }
}

async fn change(app: &App, session: &Session, current: &str, new: &str) -> Result<()> {
    let change = ChangePassword { current: current.to_owned(), new: password(new) };
    change_password(app, session, change).await
}

async fn hash_of(app: &App, user: UserId) -> String {
    let mut conn = app.db.acquire().await.unwrap();
    let credentials = conn.users().find_credentials(user).await.unwrap().unwrap();
    credentials.password.as_str().to_owned()
}

fn is_current(hash: &str) -> bool {
    hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$")
}

/// Statements and duration of a login with a wrong password.
async fn measure_login(app: &App, email: &str) -> (u32, Duration) {
    let start = Instant::now();
    let (rejected, queries) =
        QueryLog::record(accounts::log_in(app, credentials(email, "battery staple"))).await;
    assert_unauthenticated(rejected);
    (queries.total(), start.elapsed())
}

fn median(mut measurements: Vec<(u32, Duration)>) -> (u32, Duration) {
    measurements.sort_by_key(|(_, time)| *time);
    measurements[measurements.len() / 2]
}

#[track_caller]
fn assert_already_exists<T>(result: Result<T>, expected: &str) {
    let error = result.err().expect("an error is expected");
    let Error::AlreadyExists { resource: Resource::User, reason } = error else {
        panic!("{error:?}")
    };
    assert_eq!(reason, expected);
}

#[track_caller]
fn assert_wrong_password(error: &Error) {
    assert!(matches!(error, Error::Forbidden { resource: Resource::User, .. }), "{error:?}");
    assert_eq!(error.to_string(), "Current password is incorrect");
}
