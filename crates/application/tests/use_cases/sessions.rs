//! Being signed in: on which devices, and no longer.

use chrono::{DateTime, TimeDelta, Utc};
use grateful_application::sessions;
use grateful_application::{AccessToken, App, QueryLog, accounts, posts};
use grateful_domain::{SessionId, User, Viewer};
use grateful_storage::{Repositories, TokenHash};
use grateful_testkit::{NOON, TestApp, TestDatabase, a_post, a_user};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::support::{
    assert_not_found, assert_unauthenticated, draft, log_in, publish, session_of, typed,
};

#[tokio::test]
async fn a_token_opens_its_session_until_the_moment_it_expires() {
    let TestApp { app, database, clock, .. } = TestApp::create().await;
    let ana = a_user().insert_into(&database).await;
    let token = log_in(&app, &ana).await;

    let session = sessions::authenticate(&app, &token).await.unwrap();
    clock.advance(App::SESSION_LIFETIME - TimeDelta::microseconds(1));
    let in_time = sessions::authenticate(&app, &token).await;
    clock.advance(TimeDelta::microseconds(1));
    let too_late = sessions::authenticate(&app, &token).await;

    assert_eq!(session.expires_at, NOON + TimeDelta::days(7));
    assert_eq!(in_time.unwrap().id, session.id);
    assert_unauthenticated(too_late);
}

#[tokio::test]
async fn a_token_that_nobody_was_given_opens_nothing() {
    let TestApp { app, database, .. } = TestApp::create().await;
    let ana = a_user().insert_into(&database).await;
    let token = log_in(&app, &ana).await;
    let forged = format!(
        "{}{}",
        if token.as_str().starts_with('A') { "B" } else { "A" },
        &token.as_str()[1..]
    );

    let forged = AccessToken::parse(&forged).unwrap();

    assert_unauthenticated(sessions::authenticate(&app, &forged).await);
}

#[tokio::test]
async fn of_a_token_only_the_hash_is_kept() {
    let TestApp { app, database, .. } = TestApp::create().await;
    let ana = a_user().insert_into(&database).await;

    let token = log_in(&app, &ana).await;

    let hash = TokenHash(Sha256::digest(token.as_str()).into());
    let found = database.connect().await.sessions().find_active(hash, NOON).await.unwrap();
    assert_eq!(found.unwrap().user, ana.id);
    let token = token.as_str();
    let readable = format!("strpos(sessions::text, '{token}') > 0");
    let encoded = format!("strpos(sessions::text, encode('{token}', 'hex')) > 0");
    assert_eq!(database.count(&format!("sessions WHERE {readable} OR {encoded}")).await, 0);
    assert_eq!(database.count("sessions").await, 1);
}

#[tokio::test]
async fn the_use_of_a_session_is_written_down_once_in_ten_minutes() {
    let TestApp { app, database, clock, .. } = TestApp::create().await;
    let ana = a_user().insert_into(&database).await;
    let token = log_in(&app, &ana).await;

    let begun = cost_of_opening(&app, &token).await;
    clock.advance(TimeDelta::minutes(10) - TimeDelta::microseconds(1));
    let fresh = cost_of_opening(&app, &token).await;
    let noted_before = last_use(&database, &ana, clock_now(&app)).await;
    clock.advance(TimeDelta::microseconds(1));
    let due = cost_of_opening(&app, &token).await;
    let noted_after = last_use(&database, &ana, clock_now(&app)).await;
    let again = cost_of_opening(&app, &token).await;

    assert_eq!([begun, fresh, due, again], [1, 1, 2, 1]);
    assert_eq!(noted_before, NOON);
    assert_eq!(noted_after, NOON + TimeDelta::minutes(10));
}

#[tokio::test]
async fn using_a_session_does_not_prolong_it() {
    let TestApp { app, database, clock, .. } = TestApp::create().await;
    let ana = a_user().insert_into(&database).await;
    let token = log_in(&app, &ana).await;

    clock.advance(TimeDelta::days(6));
    sessions::authenticate(&app, &token).await.unwrap();
    clock.advance(TimeDelta::days(1));

    assert_unauthenticated(sessions::authenticate(&app, &token).await);
}

#[tokio::test]
async fn one_sees_ones_own_live_sessions_newest_first() {
    let TestApp { app, database, clock, .. } = TestApp::create().await;
    let ana = a_user().insert_into(&database).await;
    let ben = a_user().insert_into(&database).await;
    session_of(&app, &ana).await;
    clock.advance(TimeDelta::days(1));
    let second = session_of(&app, &ana).await;
    session_of(&app, &ben).await;
    clock.advance(TimeDelta::days(1));
    let third = session_of(&app, &ana).await;
    clock.advance(TimeDelta::days(5));

    let live = sessions::list(&app, ana.id).await.unwrap();

    assert_eq!(live, [third, second]);
}

#[tokio::test]
async fn what_a_device_calls_itself_is_kept_legible_and_short() {
    let TestApp { app, database, .. } = TestApp::create().await;
    let ana = a_user().insert_into(&database).await;

    for (sent, kept) in [
        (Some("Fox/1\0\u{1b}[31m".to_owned()), Some("Fox/1[31m".to_owned())),
        (Some("ü".repeat(1_000)), Some("ü".repeat(300))),
        (Some(" \t".to_owned()), None),
        (None, None),
    ] {
        let mut typed = typed(ana.email.as_str(), grateful_testkit::PASSWORD);
        typed.user_agent = sent;
        let token = accounts::log_in(&app, typed).await.unwrap();
        assert_eq!(sessions::authenticate(&app, &token).await.unwrap().user_agent, kept);
    }
}

#[tokio::test]
async fn logging_out_ends_the_session_that_asks_and_no_other() {
    let TestApp { app, database, .. } = TestApp::create().await;
    let ana = a_user().insert_into(&database).await;
    let (here, elsewhere) = (log_in(&app, &ana).await, log_in(&app, &ana).await);

    sessions::log_out(&app, &here).await.unwrap();

    assert_unauthenticated(sessions::authenticate(&app, &here).await);
    sessions::authenticate(&app, &elsewhere).await.unwrap();
    sessions::log_out(&app, &here).await.unwrap();
}

#[tokio::test]
async fn one_ends_ones_own_sessions_and_nobody_elses() {
    let TestApp { app, database, .. } = TestApp::create().await;
    let ana = a_user().insert_into(&database).await;
    let ben = a_user().insert_into(&database).await;
    let token = log_in(&app, &ana).await;
    let session = sessions::authenticate(&app, &token).await.unwrap().id;

    assert_not_found(sessions::revoke(&app, ben.id, session).await);
    sessions::authenticate(&app, &token).await.unwrap();

    sessions::revoke(&app, ana.id, session).await.unwrap();
    assert_unauthenticated(sessions::authenticate(&app, &token).await);
    assert_not_found(sessions::revoke(&app, ana.id, session).await);
    assert_not_found(sessions::revoke(&app, ana.id, SessionId::from(Uuid::nil())).await);
}

#[tokio::test]
async fn ending_all_sessions_ends_ones_own_alone_and_counts_them() {
    let TestApp { app, database, .. } = TestApp::create().await;
    let ana = a_user().insert_into(&database).await;
    let ben = a_user().insert_into(&database).await;
    let tokens = [log_in(&app, &ana).await, log_in(&app, &ana).await];
    let of_ben = log_in(&app, &ben).await;

    let ended = sessions::revoke_all(&app, ana.id).await.unwrap();

    assert_eq!(ended, 2);
    for token in &tokens {
        assert_unauthenticated(sessions::authenticate(&app, token).await);
    }
    sessions::authenticate(&app, &of_ben).await.unwrap();
    assert_eq!(sessions::revoke_all(&app, ana.id).await.unwrap(), 0);
}

#[tokio::test]
async fn the_sessions_of_somebody_whose_account_is_gone_are_over() {
    let TestApp { app, database, .. } = TestApp::create().await;
    let ana = a_user().insert_into(&database).await;
    let post = a_post().by(ana.id).insert_into(&database).await;
    let token = log_in(&app, &ana).await;

    database.execute("DELETE FROM users").await;

    assert_unauthenticated(sessions::authenticate(&app, &token).await);
    assert_unauthenticated(publish(&app, ana.id, draft("For nothing."), None).await);
    assert_not_found(posts::get(&app, Viewer::User(ana.id), post.id).await);
}

async fn cost_of_opening(app: &App, token: &AccessToken) -> u32 {
    let (session, queries) = QueryLog::record(sessions::authenticate(app, token)).await;
    session.unwrap();
    queries.total()
}

async fn last_use(database: &TestDatabase, user: &User, now: DateTime<Utc>) -> DateTime<Utc> {
    let live = database.connect().await.sessions().list_active(user.id, now).await.unwrap();
    live[0].last_used_at
}

fn clock_now(app: &App) -> DateTime<Utc> {
    app.clock.now()
}
