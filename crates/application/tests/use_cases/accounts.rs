//! Having an account: joining, signing in and proving oneself anew.

use std::time::{Duration, Instant};

use diesel_async::SimpleAsyncConnection as _;
use grateful_application::accounts::{ChangePassword, change_password, reset_password, sign_up};
use grateful_application::{App, Error, QueryLog, Resource, Result, accounts, sessions};
use grateful_domain::{Session, UserId};
use grateful_storage::Repositories;
use grateful_testkit::{NOON, PASSWORD, TestApp, a_user};

use crate::support::{
    assert_unauthenticated, log_in, newcomer, password, session_of, typed, until_waiting,
};

#[tokio::test]
async fn whoever_joins_is_known_as_typed_and_signed_in() {
    let TestApp { app, database: _test, .. } = TestApp::create().await;

    let (ana, token) = sign_up(&app, newcomer("Ana.B", "Ana@Example.org")).await.unwrap();

    assert_eq!(ana.username.as_str(), "Ana.B");
    assert_eq!(ana.email.as_str(), "Ana@Example.org");
    assert_eq!(ana.created_at, NOON);
    let session = sessions::authenticate(&app, &token).await.unwrap();
    assert_eq!(session.user, ana.id);
    assert_eq!(session.user_agent.as_deref(), Some("Tests/1.0"));
    assert_eq!(accounts::get(&app, ana.id).await.unwrap(), ana);
}

#[tokio::test]
async fn a_new_password_is_kept_as_argon2id_at_the_current_strength() {
    let TestApp { app, database: _test, .. } = TestApp::create().await;

    let (ana, _) = sign_up(&app, newcomer("ana", "ana@example.org")).await.unwrap();

    assert!(is_current(&hash_of(&app, ana.id).await));
}

#[tokio::test]
async fn a_username_is_taken_in_any_case() {
    let TestApp { app, database: _test, .. } = TestApp::create().await;
    sign_up(&app, newcomer("Ana", "ana@example.org")).await.unwrap();

    let refused = sign_up(&app, newcomer("aNA", "other@example.org")).await;

    assert_taken(refused, "Username already taken");
}

#[tokio::test]
async fn an_address_is_registered_in_any_case() {
    let TestApp { app, database: _test, .. } = TestApp::create().await;
    sign_up(&app, newcomer("ana", "Ana@Example.org")).await.unwrap();

    let refused = sign_up(&app, newcomer("ben", "aNA@eXAMPLE.ORG")).await;

    assert_taken(refused, "Email already registered");
}

#[tokio::test]
async fn of_a_taken_address_and_a_taken_name_the_address_is_reported() {
    let TestApp { app, database: _test, .. } = TestApp::create().await;
    sign_up(&app, newcomer("ana", "ana@example.org")).await.unwrap();

    let refused = sign_up(&app, newcomer("ana", "ana@example.org")).await;

    assert_taken(refused, "Email already registered");
}

#[tokio::test]
async fn a_refused_newcomer_leaves_neither_account_nor_session() {
    let TestApp { app, database, .. } = TestApp::create().await;
    sign_up(&app, newcomer("ana", "ana@example.org")).await.unwrap();

    sign_up(&app, newcomer("ana", "other@example.org")).await.unwrap_err();

    assert_eq!(database.count("users").await, 1);
    assert_eq!(database.count("sessions").await, 1);
}

#[tokio::test]
async fn of_many_who_want_one_name_at_once_one_gets_it() {
    let TestApp { app, database, .. } = TestApp::create().await;

    let attempts = (0..8).map(|n| sign_up(&app, newcomer("ana", &format!("a{n}@example.org"))));
    let outcomes = futures_util::future::join_all(attempts).await;

    assert_eq!(outcomes.iter().filter(|it| it.is_ok()).count(), 1);
    for refused in outcomes.into_iter().filter(Result::is_err) {
        assert_taken(refused, "Username already taken");
    }
    assert_eq!(database.count("users").await, 1);
}

#[tokio::test]
async fn the_address_opens_in_whatever_case_and_with_space_around_it() {
    let TestApp { app, database, .. } = TestApp::create().await;
    let ana = a_user().with_username("Ana").insert_into(&database).await;

    for email in ["Ana@example.org", "ANA@EXAMPLE.ORG", "  ana@example.org\r\n"] {
        let token = accounts::log_in(&app, typed(email, PASSWORD)).await.unwrap();
        assert_eq!(sessions::authenticate(&app, &token).await.unwrap().user, ana.id, "{email:?}");
    }
}

#[tokio::test]
async fn a_wrong_password_and_an_unknown_account_are_refused_in_the_same_words() {
    let TestApp { app, database, .. } = TestApp::create().await;
    a_user().with_username("ana").insert_into(&database).await;

    for (email, password) in [
        ("ana@example.org", "battery staple"),
        ("ana@example.org", ""),
        ("ana@example.org", "correct horse "),
        ("ana@example.org", "Correct horse"),
        ("nobody@example.org", PASSWORD),
        ("", PASSWORD),
        ("ana", PASSWORD),
        ("ana@example.org\0", PASSWORD),
        ("ana@example.org\0", "\0"),
        ("%@example.org", PASSWORD),
        ("' OR 1=1 --", "' OR 1=1 --"),
    ] {
        let refused = accounts::log_in(&app, typed(email, password)).await.unwrap_err();
        assert!(
            matches!(refused, Error::Unauthenticated("Incorrect email or password")),
            "{email:?} {refused:?}"
        );
    }
    assert_eq!(database.count("sessions").await, 0);
}

/// A bound that only fails when one of the two does no hashing: that would be some hundred times faster.
#[tokio::test]
async fn an_unknown_account_costs_as_much_as_a_wrong_password() {
    let TestApp { app, database: _test, .. } = TestApp::create().await;
    sign_up(&app, newcomer("ana", "ana@example.org")).await.unwrap();

    let (mut known, mut unknown) = (Vec::new(), Vec::new());
    for _ in 0..15 {
        known.push(effort(&app, "ana@example.org").await);
        unknown.push(effort(&app, "nobody@example.org").await);
    }

    let (known_queries, known_time) = median(known);
    let (unknown_queries, unknown_time) = median(unknown);
    assert_eq!(known_queries, unknown_queries);
    let ratio = known_time.as_secs_f64() / unknown_time.as_secs_f64();
    assert!((0.25..4.0).contains(&ratio), "{known_time:?} {unknown_time:?}");
}

#[tokio::test]
async fn a_hash_of_an_older_installation_opens_and_is_replaced() {
    let TestApp { app, database, .. } = TestApp::create().await;
    let older = bcrypt::hash(PASSWORD, 4).unwrap();
    assert!(older.starts_with("$2b$"));
    let ana = a_user().with_password_hash(&older).insert_into(&database).await;

    log_in(&app, &ana).await;

    assert!(is_current(&hash_of(&app, ana.id).await));
    log_in(&app, &ana).await;
}

#[tokio::test]
async fn a_password_that_is_changed_while_it_is_checked_opens_nothing() {
    let TestApp { app, database, .. } = TestApp::create().await;
    let ana = a_user().insert_into(&database).await;
    let change = format!("UPDATE users SET hashed_password = 'another' WHERE id = {}", ana.id);
    let mut changing = database.begin(&change).await;

    let attempt =
        tokio::spawn(
            async move { accounts::log_in(&app, typed(ana.email.as_str(), PASSWORD)).await },
        );
    until_waiting(&database, 1).await;
    changing.batch_execute("COMMIT").await.unwrap();

    assert_unauthenticated(attempt.await.unwrap());
    assert_eq!(database.count("sessions").await, 0);
}

#[tokio::test]
async fn a_hash_of_an_older_installation_is_not_replaced_by_a_wrong_password() {
    let TestApp { app, database, .. } = TestApp::create().await;
    let older = bcrypt::hash(PASSWORD, 4).unwrap();
    let ana = a_user().with_password_hash(&older).insert_into(&database).await;

    accounts::log_in(&app, typed(ana.email.as_str(), "battery staple")).await.unwrap_err();

    assert_eq!(hash_of(&app, ana.id).await, older);
}

#[tokio::test]
async fn an_older_password_that_is_too_short_today_still_opens() {
    let TestApp { app, database, .. } = TestApp::create().await;
    let older = bcrypt::hash("short", 4).unwrap();
    let ana = a_user().with_password_hash(&older).insert_into(&database).await;

    accounts::log_in(&app, typed(ana.email.as_str(), "short")).await.unwrap();

    assert_eq!(hash_of(&app, ana.id).await, older);
}

#[tokio::test]
async fn a_changed_password_ends_all_sessions_but_the_one_it_is_changed_in() {
    let TestApp { app, database, .. } = TestApp::create().await;
    let ana = a_user().insert_into(&database).await;
    let ben = a_user().insert_into(&database).await;
    let here = log_in(&app, &ana).await;
    let session = sessions::authenticate(&app, &here).await.unwrap();
    let elsewhere = [log_in(&app, &ana).await, log_in(&app, &ana).await];
    let of_ben = log_in(&app, &ben).await;

    change(&app, &session, PASSWORD, "battery staple").await.unwrap();

    sessions::authenticate(&app, &here).await.unwrap();
    sessions::authenticate(&app, &of_ben).await.unwrap();
    for token in &elsewhere {
        assert_unauthenticated(sessions::authenticate(&app, token).await);
    }
    assert_unauthenticated(accounts::log_in(&app, typed(ana.email.as_str(), PASSWORD)).await);
    accounts::log_in(&app, typed(ana.email.as_str(), "battery staple")).await.unwrap();
}

#[tokio::test]
async fn whoever_does_not_know_the_current_password_changes_nothing() {
    let TestApp { app, database, .. } = TestApp::create().await;
    let ana = a_user().insert_into(&database).await;
    let here = session_of(&app, &ana).await;
    let elsewhere = log_in(&app, &ana).await;
    let before = hash_of(&app, ana.id).await;

    let refused = change(&app, &here, "wrong horse", "battery staple").await.unwrap_err();

    assert_wrong_password(&refused);
    assert_eq!(hash_of(&app, ana.id).await, before);
    sessions::authenticate(&app, &elsewhere).await.unwrap();
}

#[tokio::test]
async fn of_two_changes_at_once_one_wins() {
    let TestApp { app, database, .. } = TestApp::create().await;
    let ana = a_user().insert_into(&database).await;
    let (one, other) = (session_of(&app, &ana).await, session_of(&app, &ana).await);

    let (first, second) = tokio::join!(
        change(&app, &one, PASSWORD, "first staple"),
        change(&app, &other, PASSWORD, "second staple"),
    );

    let (winner, loser, refused) = match (first, second) {
        (Ok(()), Err(refused)) => ("first staple", "second staple", refused),
        (Err(refused), Ok(())) => ("second staple", "first staple", refused),
        both => panic!("{both:?}"),
    };
    assert_wrong_password(&refused);
    accounts::log_in(&app, typed(ana.email.as_str(), winner)).await.unwrap();
    assert_unauthenticated(accounts::log_in(&app, typed(ana.email.as_str(), loser)).await);
}

#[tokio::test]
async fn somebody_whose_account_is_gone_is_no_longer_signed_in() {
    let TestApp { app, database, .. } = TestApp::create().await;
    let ana = a_user().insert_into(&database).await;
    let session = session_of(&app, &ana).await;

    database.execute("DELETE FROM users").await;

    assert_unauthenticated(accounts::get(&app, ana.id).await);
    assert_unauthenticated(change(&app, &session, PASSWORD, "battery staple").await);
}

#[tokio::test]
async fn the_operator_gives_somebody_a_new_password_and_ends_all_their_sessions() {
    let TestApp { app, database, .. } = TestApp::create().await;
    let ana = a_user().with_username("Ana").insert_into(&database).await;
    let ben = a_user().insert_into(&database).await;
    let tokens = [log_in(&app, &ana).await, log_in(&app, &ana).await];
    let of_ben = log_in(&app, &ben).await;

    let ended = reset_password(&app, "aNA", password("battery staple")).await.unwrap();

    assert_eq!(ended, 2);
    for token in &tokens {
        assert_unauthenticated(sessions::authenticate(&app, token).await);
    }
    sessions::authenticate(&app, &of_ben).await.unwrap();
    accounts::log_in(&app, typed(ana.email.as_str(), "battery staple")).await.unwrap();
}

#[tokio::test]
async fn the_operator_is_told_where_nobody_has_the_name() {
    let TestApp { app, database: _test, .. } = TestApp::create().await;

    for name in ["nobody", "", "%", "no'body"] {
        let refused = reset_password(&app, name, password("battery staple")).await.unwrap_err();
        assert!(matches!(refused, Error::NotFound { resource: Resource::User, .. }), "{refused:?}");
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

/// What an attempt with a wrong password costs.
async fn effort(app: &App, email: &str) -> (u32, Duration) {
    let begun = Instant::now();
    let (refused, queries) =
        QueryLog::record(accounts::log_in(app, typed(email, "battery staple"))).await;
    assert_unauthenticated(refused);
    (queries.total(), begun.elapsed())
}

fn median(mut efforts: Vec<(u32, Duration)>) -> (u32, Duration) {
    efforts.sort_by_key(|(_, time)| *time);
    efforts[efforts.len() / 2]
}

#[track_caller]
fn assert_taken<T>(outcome: Result<T>, words: &str) {
    let error = outcome.err().expect("it is taken");
    let Error::AlreadyExists { resource: Resource::User, reason } = error else {
        panic!("{error:?}")
    };
    assert_eq!(reason, words);
}

#[track_caller]
fn assert_wrong_password(error: &Error) {
    assert!(matches!(error, Error::Forbidden { resource: Resource::User, .. }), "{error:?}");
    assert_eq!(error.to_string(), "Current password is incorrect");
}
