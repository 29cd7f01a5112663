//! Authenticating, listing and revoking sessions.

use chrono::{DateTime, TimeDelta, Utc};
use grateful_application::{AccessToken, App, QueryLog, accounts, posts, sessions};
use grateful_domain::{SessionId, User, Viewer};
use grateful_storage::Repositories;
use grateful_storage::TokenHash;
use grateful_testkit::{NOON, TestApp, TestDatabase, a_post, a_user, draft};
use sha2::Digest;
use sha2::Sha256;
use uuid::Uuid;

use crate::support::{
    assert_not_found, assert_unauthenticated, create_post, credentials, log_in, session_of,
};

#[tokio::test]
async fn a_token_is_valid_until_its_session_expires() {
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
async fn a_forged_token_is_unauthenticated() {
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
async fn only_the_hash_of_a_token_is_stored() {
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
async fn the_last_use_of_a_session_is_recorded_at_most_every_ten_minutes() {
    let TestApp { app, database, clock, .. } = TestApp::create().await;
    let ana = a_user().insert_into(&database).await;
    let token = log_in(&app, &ana).await;

    let first = count_authentication_queries(&app, &token).await;
    clock.advance(TimeDelta::minutes(10) - TimeDelta::microseconds(1));
    let fresh = count_authentication_queries(&app, &token).await;
    let last_use_before = last_use_of(&database, &ana, clock_now(&app)).await;
    clock.advance(TimeDelta::microseconds(1));
    let due = count_authentication_queries(&app, &token).await;
    let last_use_after = last_use_of(&database, &ana, clock_now(&app)).await;
    let again = count_authentication_queries(&app, &token).await;

    assert_eq!([first, fresh, due, again], [1, 1, 2, 1]);
    assert_eq!(last_use_before, NOON);
    assert_eq!(last_use_after, NOON + TimeDelta::minutes(10));
}

#[tokio::test]
async fn using_a_session_does_not_extend_it() {
    let TestApp { app, database, clock, .. } = TestApp::create().await;
    let ana = a_user().insert_into(&database).await;
    let token = log_in(&app, &ana).await;

    clock.advance(TimeDelta::days(6));
    sessions::authenticate(&app, &token).await.unwrap();
    clock.advance(TimeDelta::days(1));

    assert_unauthenticated(sessions::authenticate(&app, &token).await);
}

#[tokio::test]
async fn the_active_sessions_of_a_user_are_listed_newest_first() {
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

    let active = sessions::list(&app, ana.id).await.unwrap();

    assert_eq!(active, [third, second]);
}

#[tokio::test]
async fn user_agents_are_stored_without_control_characters_and_truncated() {
    let TestApp { app, database, .. } = TestApp::create().await;
    let ana = a_user().insert_into(&database).await;

    for (sent, expected) in [
        (Some("Fox/1\0\u{1b}[31m".to_owned()), Some("Fox/1[31m".to_owned())),
        (Some("ü".repeat(1_000)), Some("ü".repeat(300))),
        (Some(" \t".to_owned()), None),
        (None, None),
    ] {
        let mut log_in_data = credentials(ana.email.as_str(), grateful_testkit::PASSWORD);
        log_in_data.user_agent = sent;
        let token = accounts::log_in(&app, log_in_data).await.unwrap();
        assert_eq!(sessions::authenticate(&app, &token).await.unwrap().user_agent, expected);
    }
}

#[tokio::test]
async fn logging_out_revokes_only_the_session_of_the_token() {
    let TestApp { app, database, .. } = TestApp::create().await;
    let ana = a_user().insert_into(&database).await;
    let (current, other) = (log_in(&app, &ana).await, log_in(&app, &ana).await);

    sessions::log_out(&app, &current).await.unwrap();

    assert_unauthenticated(sessions::authenticate(&app, &current).await);
    sessions::authenticate(&app, &other).await.unwrap();
    sessions::log_out(&app, &current).await.unwrap();
}

#[tokio::test]
async fn users_can_revoke_only_their_own_sessions() {
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
async fn revoking_all_sessions_affects_only_the_user_and_returns_their_number() {
    let TestApp { app, database, .. } = TestApp::create().await;
    let ana = a_user().insert_into(&database).await;
    let ben = a_user().insert_into(&database).await;
    let tokens = [log_in(&app, &ana).await, log_in(&app, &ana).await];
    let of_ben = log_in(&app, &ben).await;

    let revoked = sessions::revoke_all(&app, ana.id).await.unwrap();

    assert_eq!(revoked, 2);
    for token in &tokens {
        assert_unauthenticated(sessions::authenticate(&app, token).await);
    }
    sessions::authenticate(&app, &of_ben).await.unwrap();
    assert_eq!(sessions::revoke_all(&app, ana.id).await.unwrap(), 0);
}

#[tokio::test]
async fn deleting_an_account_invalidates_its_sessions() {
    let TestApp { app, database, .. } = TestApp::create().await;
    let ana = a_user().insert_into(&database).await;
    let post = a_post().by(ana.id).insert_into(&database).await;
    let token = log_in(&app, &ana).await;

    database.execute("DELETE FROM users").await;

    assert_unauthenticated(sessions::authenticate(&app, &token).await);
    assert_unauthenticated(create_post(&app, ana.id, draft("For nothing."), None).await);
    assert_not_found(posts::get(&app, Viewer::User(ana.id), post.id).await);
}

async fn count_authentication_queries(app: &App, token: &AccessToken) -> u32 {
    let (session, queries) = QueryLog::record(sessions::authenticate(app, token)).await;
    session.unwrap();
    queries.total()
}

async fn last_use_of(database: &TestDatabase, user: &User, now: DateTime<Utc>) -> DateTime<Utc> {
    let active = database.connect().await.sessions().list_active(user.id, now).await.unwrap();
    active[0].last_used_at
}

fn clock_now(app: &App) -> DateTime<Utc> {
    app.clock.now()
}
