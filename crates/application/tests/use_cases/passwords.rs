//! Passwords: how they are composed, and the limit of wrong ones.

use grateful_storage::Repositories;
use std::sync::Arc;

use chrono::TimeDelta;
use futures_util::future::join_all;
use grateful_application::accounts::{ChangePassword, SignUp};
use grateful_application::{App, Error, LoginThrottle, QueryLog, Result, accounts, housekeeping};
use grateful_domain::{Rate, Session, UserId};
use grateful_testkit::{PASSWORD, TestApp, a_user, assert_queries};

use crate::support::{
    assert_forbidden, assert_unauthenticated, credentials, password, session_of, sign_up_data,
};

const COMPOSED: &str = "caf\u{e9} au lait";
const DECOMPOSED: &str = "cafe\u{301} au lait";

#[tokio::test]
async fn a_password_logs_in_however_it_is_composed() {
    let TestApp { app, .. } = TestApp::create().await;
    for (number, chosen) in (0..).zip([COMPOSED, DECOMPOSED]) {
        let email = format!("ana{number}@example.org");
        let data = sign_up_data(&format!("ana{number}"), &email);
        accounts::sign_up(&app, SignUp { password: password(chosen), ..data }).await.unwrap();

        for typed in [COMPOSED, DECOMPOSED] {
            accounts::log_in(&app, credentials(&email, typed)).await.unwrap();
        }
        let other = "cafe\u{300} au lait";
        assert_unauthenticated(accounts::log_in(&app, credentials(&email, other)).await);
    }
}

#[tokio::test]
async fn a_hash_of_the_raw_password_is_accepted_and_replaced() {
    let TestApp { app, database, .. } = TestApp::create().await;
    let raw_hash = bcrypt::hash(DECOMPOSED, 4).unwrap();
    let ana = a_user().with_password_hash(&raw_hash).insert_into(&database).await;
    let email = ana.email.as_str();
    assert_unauthenticated(accounts::log_in(&app, credentials(email, COMPOSED)).await);

    accounts::log_in(&app, credentials(email, DECOMPOSED)).await.unwrap();

    assert!(hash_of(&app, ana.id).await.starts_with("$argon2id$"));
    for typed in [COMPOSED, DECOMPOSED] {
        accounts::log_in(&app, credentials(email, typed)).await.unwrap();
    }
}

#[tokio::test]
async fn passwords_are_changed_reset_and_confirmed_however_they_are_composed() {
    let TestApp { app, database, .. } = TestApp::create().await;
    let ana = a_user().insert_into(&database).await;
    let session = session_of(&app, &ana).await;

    change(&app, &session, PASSWORD, COMPOSED).await.unwrap();
    change(&app, &session, DECOMPOSED, DECOMPOSED).await.unwrap();
    accounts::log_in(&app, credentials(ana.email.as_str(), COMPOSED)).await.unwrap();
    let new = password(DECOMPOSED);
    accounts::reset_password(&app, ana.username.as_str(), new).await.unwrap();
    accounts::log_in(&app, credentials(ana.email.as_str(), COMPOSED)).await.unwrap();
    accounts::delete_own(&app, ana.id, DECOMPOSED.to_owned()).await.unwrap();
}

#[tokio::test]
async fn wrong_passwords_of_a_signed_in_user_count_as_failed_logins() {
    let TestApp { mut app, database, clock, .. } = TestApp::create().await;
    let ana = a_user().insert_into(&database).await;
    let ben = a_user().insert_into(&database).await;
    let session = session_of(&app, &ana).await;
    app.login_throttle = Arc::new(LoginThrottle::new(LoginThrottle::RATE));
    for _ in 0..3 {
        assert_forbidden(change(&app, &session, "wrong horse", PASSWORD).await);
        assert_forbidden(accounts::delete_own(&app, ana.id, "wrong horse".to_owned()).await);
        let log_in = accounts::log_in(&app, credentials(ana.email.as_str(), "wrong horse"));
        assert_unauthenticated(log_in.await);
    }
    // Successes do not count.
    for _ in 0..20 {
        change(&app, &session, PASSWORD, PASSWORD).await.unwrap();
    }
    assert_forbidden(change(&app, &session, "wrong horse", PASSWORD).await);

    for typed in ["wrong horse", PASSWORD] {
        assert_rate_limited(change(&app, &session, typed, "battery staple").await);
        assert_rate_limited(accounts::delete_own(&app, ana.id, typed.to_owned()).await);
        assert_rate_limited(accounts::log_in(&app, credentials(ana.email.as_str(), typed)).await);
    }

    accounts::log_in(&app, credentials(ben.email.as_str(), PASSWORD)).await.unwrap();
    clock.advance(TimeDelta::seconds(90));
    change(&app, &session, PASSWORD, "battery staple").await.unwrap();
}

#[tokio::test]
async fn wrong_passwords_are_counted_on_all_nodes_together() {
    let TestApp { app, database, clock, .. } = TestApp::create().await;
    let ana = a_user().insert_into(&database).await;
    let nodes = [(); 3].map(|()| node(&app, LoginThrottle::RATE));
    for number in 0..10 {
        let log_in = credentials(ana.email.as_str(), "wrong horse");
        assert_unauthenticated(accounts::log_in(&nodes[number % 3], log_in).await);
    }

    for node in &nodes {
        for typed in ["wrong horse", PASSWORD] {
            let log_in = accounts::log_in(node, credentials(ana.email.as_str(), typed));
            let (result, queries) = QueryLog::record(log_in).await;
            assert_eq!(rate_limit_of(result), (10, TimeDelta::seconds(90)));
            // A difference would tell which one is right.
            assert_eq!(queries.total(), 2, "{typed}: {queries:#?}");
        }
    }

    clock.advance(TimeDelta::seconds(90));
    accounts::log_in(&nodes[0], credentials(ana.email.as_str(), PASSWORD)).await.unwrap();
    let wrong = credentials(ana.email.as_str(), "wrong horse");
    assert_unauthenticated(accounts::log_in(&nodes[1], wrong).await);
    assert_rate_limited(
        accounts::log_in(&nodes[2], credentials(ana.email.as_str(), PASSWORD)).await,
    );
}

#[tokio::test]
async fn concurrent_wrong_passwords_on_several_nodes_do_not_exceed_the_limit() {
    let TestApp { app, .. } = TestApp::create().await;
    let nodes = [(); 3].map(|()| node(&app, Rate::new(3, TimeDelta::hours(1))));

    let log_in =
        |number: usize| accounts::log_in(&nodes[number % 3], credentials("x@y.z", "wrong"));
    let results = join_all((0..9).map(log_in)).await;

    let is_counted = |result: &&Result<_>| matches!(result, Err(Error::Unauthenticated(_)));
    assert_eq!(results.iter().filter(is_counted).count(), 3);
    for result in results.into_iter().filter(|result| !is_counted(&result)) {
        assert_eq!(rate_limit_of(result), (3, TimeDelta::minutes(20)));
    }
}

#[tokio::test]
async fn a_right_password_writes_nothing_to_the_count_and_a_wrong_one_a_row_without_the_address() {
    let TestApp { app, database, clock, .. } = TestApp::create().await;
    let ana = a_user().insert_into(&database).await;
    let node = node(&app, LoginThrottle::RATE);

    assert_queries!(6, accounts::log_in(&node, credentials(ana.email.as_str(), PASSWORD)));
    assert_eq!(database.count("failed_logins").await, 0);
    let wrong = accounts::log_in(&node, credentials(ana.email.as_str(), "wrong horse"));
    let (result, queries) = QueryLog::record(wrong).await;
    assert_unauthenticated(result);
    assert_eq!(queries.total(), 3, "{queries:#?}");

    let row = "SELECT failed_logins::text AS line FROM failed_logins";
    assert!(!database.lines(row).await[0].contains("example"));
    clock.advance(TimeDelta::seconds(89));
    let early = housekeeping::sweep(&app).await.unwrap().failed_logins;
    clock.advance(TimeDelta::seconds(1));
    let swept = housekeeping::sweep(&app).await.unwrap().failed_logins;
    assert_eq!((early, swept, database.count("failed_logins").await), (0, 1, 0));
}

/// Another node with a throttle of its own.
fn node(app: &App, rate: Rate) -> App {
    App { login_throttle: Arc::new(LoginThrottle::new(rate)), ..app.clone() }
}

async fn change(app: &App, session: &Session, current: &str, new: &str) -> Result<()> {
    let change = ChangePassword { current: current.to_owned(), new: password(new) };
    accounts::change_password(app, session, change).await
}

async fn hash_of(app: &App, user: UserId) -> String {
    let credentials = app.db.acquire().await.unwrap().users().find_credentials(user).await;
    credentials.unwrap().unwrap().password.as_str().to_owned()
}

#[track_caller]
fn assert_rate_limited<T>(result: Result<T>) {
    assert_eq!(rate_limit_of(result).0, 10);
}

/// The limit that was reached, and how long to wait.
#[track_caller]
fn rate_limit_of<T>(result: Result<T>) -> (u32, TimeDelta) {
    let error = result.err().expect("an error");
    let Error::RateLimited { policy, limit, retry_after, .. } = error else {
        panic!("not rate limited: {error}")
    };
    assert_eq!(policy, "failed-logins");
    (limit, retry_after)
}
