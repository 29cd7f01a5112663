//! `/auth`: joining, signing in and out.

use chrono::TimeDelta;
use grateful_application::App;
use grateful_testkit::{Api, ApiResponse, Caller, PASSWORD, a_user};
use serde_json::{Value, json};

use crate::support::{
    NOON, UNKNOWN_ID, assert_problem, envelope_data, invalid_fields, sorted_keys,
};

const SIGN_UP: &str = "/api/v1/auth/signup";
const LOG_IN: &str = "/api/v1/auth/login";
const SESSION: &str = "/api/v1/auth/session";
const SESSIONS: &str = "/api/v1/auth/sessions";
const LOG_OUT: &str = "/api/v1/auth/logout";
const LOG_OUT_EVERYWHERE: &str = "/api/v1/auth/logout-all";
const CHANGE_PASSWORD: &str = "/api/v1/auth/password";

#[actix_web::test]
async fn whoever_joins_gets_an_account_and_a_token_that_works() {
    let api = Api::create().await;

    let response = api.post(SIGN_UP).json(&ana()).send().await.expect(201);

    let account = envelope_data(&response);
    assert_eq!(sorted_keys(&account), ["access_token", "email", "id", "token_type", "username"]);
    assert_eq!(account["email"], "Ana@example.org");
    assert_eq!(account["username"], "Ana");
    assert_eq!(account["token_type"], "bearer");
    let token = account["access_token"].as_str().unwrap();
    let bearer = format!("Bearer {token}");
    let session = api.get(SESSION).header("Authorization", &bearer).send().await.expect(200);
    let expected = json!({"id": account["id"], "email": "Ana@example.org", "username": "Ana"});
    assert_eq!(envelope_data(&session), expected);
}

#[actix_web::test]
async fn a_taken_name_and_a_taken_address_are_told_apart_the_address_first() {
    let api = Api::create().await;
    api.post(SIGN_UP).json(&ana()).send().await.expect(201);

    for (username, email, message) in [
        ("ANA", "other@example.org", "Username already taken"),
        ("ben", "ANA@EXAMPLE.ORG", "Email already registered"),
        ("ana", "ana@example.org", "Email already registered"),
    ] {
        let body = json!({"username": username, "email": email, "password": PASSWORD});
        let response = api.post(SIGN_UP).json(&body).send().await;
        assert_eq!(assert_problem(&response, 409, "already_exists"), json!({"resource": "user"}));
        assert_eq!(response.json()["detail"], message);
    }
}

#[actix_web::test]
async fn all_that_is_wrong_with_a_newcomer_is_said_at_once() {
    let api = Api::create().await;

    for (body, fields) in [
        (json!({}), &["email", "password", "username"][..]),
        (
            json!({"username": null, "email": null, "password": null}),
            &["email", "password", "username"],
        ),
        (
            json!({"username": 1, "email": true, "password": ["p"]}),
            &["email", "password", "username"],
        ),
        (
            json!({"username": "me", "email": "nowhere", "password": "short"}),
            &["email", "password", "username"],
        ),
        (
            json!({"username": "a\u{0}na", "email": "a\u{0}@example.org", "password": PASSWORD}),
            &["email", "username"],
        ),
        (
            json!({"username": "ana", "email": "ana@example.org", "password": "x".repeat(129)}),
            &["password"],
        ),
    ] {
        let response = api.post(SIGN_UP).json(&body).send().await;
        assert_eq!(invalid_fields(&response), fields, "{body}");
    }
    assert_eq!(api.database().count("users").await, 0);
}

#[actix_web::test]
async fn what_is_wrong_is_said_by_field_and_in_one_sentence() {
    let api = Api::create().await;

    let response = api.post(SIGN_UP).json(&json!({"username": 1, "email": "x"})).send().await;

    let details = assert_problem(&response, 422, "validation_error");
    let expected = json!({
        "email": "must be an email address such as ana@example.org",
        "password": "is required",
        "username": "must be a text",
    });
    assert_eq!(details["fields"], expected);
    assert_eq!(
        response.json()["detail"],
        "email: must be an email address such as ana@example.org; \
         password: is required; username: must be a text"
    );
}

#[actix_web::test]
async fn a_password_may_be_of_any_characters() {
    let api = Api::create().await;
    let password = "💜\u{0}\n\" \\ä    ";

    let body = json!({"username": "ana", "email": "ana@example.org", "password": password});
    api.post(SIGN_UP).json(&body).send().await.expect(201);

    let body = json!({"email": "ana@example.org", "password": password});
    api.post(LOG_IN).json(&body).send().await.expect(200);
    let body = json!({"email": "ana@example.org", "password": password.trim()});
    api.post(LOG_IN).json(&body).send().await.expect(401);
}

#[actix_web::test]
async fn whoever_knows_the_password_gets_a_token() {
    let api = Api::create().await;
    a_user().with_username("Ana").insert_into(api.database()).await;

    let body = json!({"email": " ANA@example.org ", "password": PASSWORD});
    let response = api.post(LOG_IN).json(&body).send().await.expect(200);

    let token = envelope_data(&response);
    assert_eq!(sorted_keys(&token), ["access_token", "token_type"]);
    assert_eq!(token["token_type"], "bearer");
    let bearer = format!("bearer {}", token["access_token"].as_str().unwrap());
    api.get(SESSION).header("Authorization", &bearer).send().await.expect(200);
}

#[actix_web::test]
async fn whoever_does_not_is_refused_in_the_same_words_whatever_is_wrong() {
    let api = Api::create().await;
    a_user().with_username("ana").insert_into(api.database()).await;

    for (email, password) in [
        ("ana@example.org", "battery staple"),
        ("nobody@example.org", PASSWORD),
        ("", ""),
        ("no address", PASSWORD),
        ("a\u{0}@example.org", "\u{0}"),
    ] {
        let body = json!({"email": email, "password": password});
        let response = api.post(LOG_IN).json(&body).send().await;
        assert_eq!(assert_problem(&response, 401, "authentication_error"), json!({}));
        assert_eq!(response.json()["detail"], "Incorrect email or password");
        assert_eq!(response.header("www-authenticate"), Some("Bearer"));
    }
}

#[actix_web::test]
async fn signing_in_needs_both_parts_as_text() {
    let api = Api::create().await;

    let response = api.post(LOG_IN).json(&json!({"email": 1})).send().await;

    assert_eq!(invalid_fields(&response), ["email", "password"]);
}

#[actix_web::test]
async fn a_token_that_is_not_good_opens_nothing() {
    let api = Api::create().await;
    let ana = api.create_user().await;
    let forged: String = ana.token.chars().rev().collect();

    for authorization in [
        String::new(),
        "Bearer".to_owned(),
        "Bearer ".to_owned(),
        format!("Basic {}", ana.token),
        ana.token.clone(),
        format!("Bearer {}x", ana.token),
        format!("Bearer {forged}"),
        format!("Bearer {}", "A".repeat(43)),
        format!("Bearer {}", "A".repeat(4_000)),
        "Bearer eyJhbGciOiJub25lIn0.eyJzdWIiOiIxIn0.".to_owned(),
        "Bearer null".to_owned(),
        "Bearer \u{fc}".to_owned(),
    ] {
        let response = api.get(SESSION).header("Authorization", &authorization).send().await;
        assert_eq!(assert_problem(&response, 401, "authentication_error"), json!({}));
        assert_eq!(response.header("www-authenticate"), Some("Bearer"), "{authorization}");
    }
}

#[actix_web::test]
async fn a_token_is_good_until_the_moment_it_expires() {
    let api = Api::create().await;
    let ana = api.create_user().await;

    api.app.clock.advance(App::SESSION_LIFETIME - TimeDelta::microseconds(1));
    api.get(SESSION).by(&ana).send().await.expect(200);
    api.app.clock.advance(TimeDelta::microseconds(1));
    api.get(SESSION).by(&ana).send().await.expect(401);
}

#[actix_web::test]
async fn the_token_of_a_deleted_account_is_no_longer_good() {
    let api = Api::create().await;
    let ana = api.create_user().await;

    api.database().execute("DELETE FROM users").await;

    api.get(SESSION).by(&ana).send().await.expect(401);
}

#[actix_web::test]
async fn logging_out_ends_the_token() {
    let api = Api::create().await;
    let ana = api.create_user().await;

    let response = api.post(LOG_OUT).by(&ana).send().await.expect(200);

    assert_eq!(envelope_data(&response), json!({"message": "Successfully logged out"}));
    api.get(SESSION).by(&ana).send().await.expect(401);
}

#[actix_web::test]
async fn logging_out_works_without_a_good_token_too() {
    let api = Api::create().await;
    let ana = api.create_user().await;
    api.post(LOG_OUT).by(&ana).send().await.expect(200);

    let nobody = api.post(LOG_OUT).send().await.expect(200);
    let again = api.post(LOG_OUT).by(&ana).send().await.expect(200);
    let nonsense = api.post(LOG_OUT).header("Authorization", "nonsense").send().await.expect(200);

    for response in [nobody, again, nonsense] {
        assert_eq!(envelope_data(&response), json!({"message": "Successfully logged out"}));
    }
}

#[actix_web::test]
async fn one_sees_where_one_is_signed_in() {
    let api = Api::create().await;
    let ana = api.create_user().await;
    let elsewhere = sign_in_again(&api, &ana, Some("Fox/1 (ü)")).await;

    let response = api.get(SESSIONS).by(&ana).send().await.expect(200);

    let sessions = envelope_data(&response);
    let sessions = sessions.as_array().unwrap();
    assert_eq!(sessions.len(), 2);
    let first = sessions.iter().find(|it| it["current"] == true).unwrap();
    let latest = sessions.iter().find(|it| it["current"] == false).unwrap();
    let fields = ["created_at", "current", "expires_at", "id", "last_used_at", "user_agent"];
    assert_eq!(sorted_keys(first), fields);
    assert_eq!((&first["current"], &first["user_agent"]), (&json!(true), &Value::Null));
    assert_eq!((&latest["current"], &latest["user_agent"]), (&json!(false), &json!("Fox/1 (ü)")));
    assert_eq!((&first["created_at"], &first["last_used_at"]), (&json!(NOON), &json!(NOON)));
    assert_eq!(first["expires_at"], "2026-01-12T12:00:00.000000Z");
    api.get(SESSION).by(&elsewhere).send().await.expect(200);
}

#[actix_web::test]
async fn one_ends_one_of_ones_own_sessions() {
    let api = Api::create().await;
    let ana = api.create_user().await;
    let elsewhere = sign_in_again(&api, &ana, None).await;
    let path = format!("{SESSIONS}/{}", session_of(&api, &elsewhere).await);

    let response = api.delete(&path).by(&ana).send().await.expect(200);

    assert_eq!(envelope_data(&response), json!({"ended": 1}));
    api.get(SESSION).by(&elsewhere).send().await.expect(401);
    api.get(SESSION).by(&ana).send().await.expect(200);
    let again = api.delete(&path).by(&ana).send().await;
    assert_eq!(assert_problem(&again, 404, "not_found")["resource"], "session");
}

#[actix_web::test]
async fn the_sessions_of_others_and_nonsense_are_not_found() {
    let api = Api::create().await;
    let (ana, ben) = (api.create_user().await, api.create_user().await);
    let of_ana = session_of(&api, &ana).await;

    for id in [of_ana.as_str(), UNKNOWN_ID, "1", "x", "%00", "..%2f", "null"] {
        let response = api.delete(&format!("{SESSIONS}/{id}")).by(&ben).send().await;
        assert_eq!(assert_problem(&response, 404, "not_found")["resource"], "session", "{id}");
    }
    api.get(SESSION).by(&ana).send().await.expect(200);
}

#[actix_web::test]
async fn one_logs_out_everywhere_at_once() {
    let api = Api::create().await;
    let (ana, ben) = (api.create_user().await, api.create_user().await);
    let elsewhere = sign_in_again(&api, &ana, None).await;

    let response = api.post(LOG_OUT_EVERYWHERE).by(&ana).send().await.expect(200);

    assert_eq!(envelope_data(&response), json!({"ended": 2}));
    api.get(SESSION).by(&ana).send().await.expect(401);
    api.get(SESSION).by(&elsewhere).send().await.expect(401);
    api.get(SESSION).by(&ben).send().await.expect(200);
}

#[actix_web::test]
async fn a_changed_password_ends_all_other_sessions() {
    let api = Api::create().await;
    let ana = api.create_user().await;
    let elsewhere = sign_in_again(&api, &ana, None).await;

    let body = json!({"current_password": PASSWORD, "new_password": "battery staple"});
    let response = api.put(CHANGE_PASSWORD).by(&ana).json(&body).send().await.expect(200);

    assert_eq!(sorted_keys(&envelope_data(&response)), ["message"]);
    api.get(SESSION).by(&ana).send().await.expect(200);
    api.get(SESSION).by(&elsewhere).send().await.expect(401);
    log_in(&api, &ana, PASSWORD).await.expect(401);
    log_in(&api, &ana, "battery staple").await.expect(200);
}

#[actix_web::test]
async fn a_wrong_current_password_is_no_reason_to_sign_anybody_out() {
    let api = Api::create().await;
    let ana = api.create_user().await;

    let body = json!({"current_password": "battery staple", "new_password": "another staple"});
    let response = api.put(CHANGE_PASSWORD).by(&ana).json(&body).send().await;

    let details = assert_problem(&response, 403, "permission_denied");
    assert_eq!(details, json!({"resource": "user", "action": "change_password"}));
    assert_eq!(response.json()["detail"], "Current password is incorrect");
    log_in(&api, &ana, PASSWORD).await.expect(200);
}

#[actix_web::test]
async fn a_new_password_must_fit_the_rule_and_both_must_be_there() {
    let api = Api::create().await;
    let ana = api.create_user().await;

    for (body, fields) in [
        (json!({}), &["current_password", "new_password"][..]),
        (json!({"current_password": 1, "new_password": 1}), &["current_password", "new_password"]),
        (json!({"current_password": PASSWORD, "new_password": "short"}), &["new_password"]),
    ] {
        let response = api.put(CHANGE_PASSWORD).by(&ana).json(&body).send().await;
        assert_eq!(invalid_fields(&response), fields, "{body}");
    }
}

fn ana() -> Value {
    json!({"username": "Ana", "email": "Ana@example.org", "password": PASSWORD})
}

async fn log_in(api: &Api, caller: &Caller, password: &str) -> ApiResponse {
    let body = json!({"email": caller.user.email.as_str(), "password": password});
    api.post(LOG_IN).json(&body).send().await
}

async fn sign_in_again(api: &Api, caller: &Caller, user_agent: Option<&str>) -> Caller {
    let body = json!({"email": caller.user.email.as_str(), "password": PASSWORD});
    let request = api.post(LOG_IN).json(&body);
    let request = match user_agent {
        Some(agent) => request.header("User-Agent", agent),
        None => request,
    };
    let token = envelope_data(&request.send().await.expect(200))["access_token"].take();
    Caller { user: caller.user.clone(), token: token.as_str().unwrap().to_owned() }
}

/// The id of the session that a caller is in.
async fn session_of(api: &Api, caller: &Caller) -> String {
    let sessions = envelope_data(&api.get(SESSIONS).by(caller).send().await.expect(200));
    let current = sessions.as_array().unwrap().iter().find(|it| it["current"] == true).unwrap();
    current["id"].as_str().unwrap().to_owned()
}
