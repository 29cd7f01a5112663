//! `/api/v1/auth`: signup, login, logout, sessions and the password.

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
const LOG_OUT_ALL: &str = "/api/v1/auth/logout-all";
const CHANGE_PASSWORD: &str = "/api/v1/auth/password";

#[actix_web::test]
async fn signup_creates_an_account_and_returns_a_valid_token() {
    let api = Api::create().await;

    let response = api.post(SIGN_UP).json(&signup_body()).send().await.expect(201);

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
async fn signup_with_a_taken_email_or_username_reports_the_email_first() {
    let api = Api::create().await;
    api.post(SIGN_UP).json(&signup_body()).send().await.expect(201);

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
async fn signup_reports_all_invalid_fields_at_once() {
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
async fn validation_errors_are_reported_by_field_and_in_the_detail() {
    let api = Api::create().await;

    let response = api.post(SIGN_UP).json(&json!({"username": 1, "email": "x"})).send().await;

    let details = assert_problem(&response, 422, "validation_error");
    let expected = json!({
        "email": "must be an email address such as ana@example.org",
        "password": "is required",
        "username": "must be a string",
    });
    assert_eq!(details["fields"], expected);
    assert_eq!(
        response.json()["detail"],
        "email: must be an email address such as ana@example.org; \
         password: is required; username: must be a string"
    );
}

#[actix_web::test]
async fn a_password_may_contain_any_characters() {
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
async fn login_with_the_right_password_returns_a_token() {
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
async fn failed_logins_get_the_same_error_for_every_reason() {
    let api = Api::create().await;
    a_user().with_username("ana").insert_into(api.database()).await;

    for (email, password) in [
        ("ana@example.org", "battery staple"),
        ("unknown@example.org", PASSWORD),
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
async fn login_requires_email_and_password_as_strings() {
    let api = Api::create().await;

    let response = api.post(LOG_IN).json(&json!({"email": 1})).send().await;

    assert_eq!(invalid_fields(&response), ["email", "password"]);
}

#[actix_web::test]
async fn invalid_tokens_are_rejected() {
    let (api, [ana]) = Api::with_users().await;
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
async fn logout_invalidates_the_token() {
    let (api, [ana]) = Api::with_users().await;

    let response = api.post(LOG_OUT).by(&ana).send().await.expect(200);

    assert_eq!(envelope_data(&response), json!({"message": "Successfully logged out"}));
    api.get(SESSION).by(&ana).send().await.expect(401);
}

#[actix_web::test]
async fn logout_succeeds_without_a_valid_token() {
    let (api, [ana]) = Api::with_users().await;
    api.post(LOG_OUT).by(&ana).send().await.expect(200);

    let without_token = api.post(LOG_OUT).send().await.expect(200);
    let again = api.post(LOG_OUT).by(&ana).send().await.expect(200);
    let malformed = api.post(LOG_OUT).header("Authorization", "nonsense").send().await.expect(200);

    for response in [without_token, again, malformed] {
        assert_eq!(envelope_data(&response), json!({"message": "Successfully logged out"}));
    }
}

#[actix_web::test]
async fn the_session_list_shows_all_sessions_of_the_user() {
    let (api, [ana]) = Api::with_users().await;
    let other = log_in_again(&api, &ana, Some("Fox/1 (ü)")).await;

    let response = api.get(SESSIONS).by(&ana).send().await.expect(200);

    let sessions = envelope_data(&response);
    let sessions = sessions.as_array().unwrap();
    assert_eq!(sessions.len(), 2);
    let current = sessions.iter().find(|session| session["current"] == true).unwrap();
    let other_session = sessions.iter().find(|session| session["current"] == false).unwrap();
    let fields = ["created_at", "current", "expires_at", "id", "last_used_at", "user_agent"];
    assert_eq!(sorted_keys(current), fields);
    assert_eq!((&current["current"], &current["user_agent"]), (&json!(true), &Value::Null));
    assert_eq!(
        (&other_session["current"], &other_session["user_agent"]),
        (&json!(false), &json!("Fox/1 (ü)"))
    );
    assert_eq!((&current["created_at"], &current["last_used_at"]), (&json!(NOON), &json!(NOON)));
    assert_eq!(current["expires_at"], "2026-01-12T12:00:00.000000Z");
    api.get(SESSION).by(&other).send().await.expect(200);
}

#[actix_web::test]
async fn a_user_can_end_one_of_their_sessions() {
    let (api, [ana]) = Api::with_users().await;
    let other = log_in_again(&api, &ana, None).await;
    let path = format!("{SESSIONS}/{}", current_session_id(&api, &other).await);

    let response = api.delete(&path).by(&ana).send().await.expect(200);

    assert_eq!(envelope_data(&response), json!({"ended": 1}));
    api.get(SESSION).by(&other).send().await.expect(401);
    api.get(SESSION).by(&ana).send().await.expect(200);
    let again = api.delete(&path).by(&ana).send().await;
    assert_eq!(assert_problem(&again, 404, "not_found")["resource"], "session");
}

#[actix_web::test]
async fn sessions_of_other_users_and_malformed_ids_are_not_found() {
    let (api, [ana, ben]) = Api::with_users().await;
    let session = current_session_id(&api, &ana).await;

    for id in [session.as_str(), UNKNOWN_ID, "1", "x", "%00", "..%2f", "null"] {
        let response = api.delete(&format!("{SESSIONS}/{id}")).by(&ben).send().await;
        assert_eq!(assert_problem(&response, 404, "not_found")["resource"], "session", "{id}");
    }
    api.get(SESSION).by(&ana).send().await.expect(200);
}

#[actix_web::test]
async fn logout_all_ends_all_sessions_of_the_user() {
    let (api, [ana, ben]) = Api::with_users().await;
    let other = log_in_again(&api, &ana, None).await;

    let response = api.post(LOG_OUT_ALL).by(&ana).send().await.expect(200);

    assert_eq!(envelope_data(&response), json!({"ended": 2}));
    api.get(SESSION).by(&ana).send().await.expect(401);
    api.get(SESSION).by(&other).send().await.expect(401);
    api.get(SESSION).by(&ben).send().await.expect(200);
}

#[actix_web::test]
async fn changing_the_password_ends_all_other_sessions() {
    let (api, [ana]) = Api::with_users().await;
    let other = log_in_again(&api, &ana, None).await;

    let body = json!({"current_password": PASSWORD, "new_password": "battery staple"});
    let response = api.put(CHANGE_PASSWORD).by(&ana).json(&body).send().await.expect(200);

    assert_eq!(sorted_keys(&envelope_data(&response)), ["message"]);
    api.get(SESSION).by(&ana).send().await.expect(200);
    api.get(SESSION).by(&other).send().await.expect(401);
    log_in(&api, &ana, PASSWORD).await.expect(401);
    log_in(&api, &ana, "battery staple").await.expect(200);
}

#[actix_web::test]
async fn a_wrong_current_password_changes_nothing() {
    let (api, [ana]) = Api::with_users().await;

    let body = json!({"current_password": "battery staple", "new_password": "another staple"});
    let response = api.put(CHANGE_PASSWORD).by(&ana).json(&body).send().await;

    let details = assert_problem(&response, 403, "permission_denied");
    assert_eq!(details, json!({"resource": "user", "action": "change_password"}));
    assert_eq!(response.json()["detail"], "Current password is incorrect");
    log_in(&api, &ana, PASSWORD).await.expect(200);
}

#[actix_web::test]
async fn changing_the_password_requires_both_passwords_and_a_valid_new_one() {
    let (api, [ana]) = Api::with_users().await;

    for (body, fields) in [
        (json!({}), &["current_password", "new_password"][..]),
        (json!({"current_password": 1, "new_password": 1}), &["current_password", "new_password"]),
        (json!({"current_password": PASSWORD, "new_password": "short"}), &["new_password"]),
    ] {
        let response = api.put(CHANGE_PASSWORD).by(&ana).json(&body).send().await;
        assert_eq!(invalid_fields(&response), fields, "{body}");
    }
}

fn signup_body() -> Value {
    json!({"username": "Ana", "email": "Ana@example.org", "password": PASSWORD})
}

async fn log_in(api: &Api, caller: &Caller, password: &str) -> ApiResponse {
    let body = json!({"email": caller.user.email.as_str(), "password": password});
    api.post(LOG_IN).json(&body).send().await
}

async fn log_in_again(api: &Api, caller: &Caller, user_agent: Option<&str>) -> Caller {
    let body = json!({"email": caller.user.email.as_str(), "password": PASSWORD});
    let request = api.post(LOG_IN).json(&body);
    let request = match user_agent {
        Some(agent) => request.header("User-Agent", agent),
        None => request,
    };
    let token = envelope_data(&request.send().await.expect(200))["access_token"].take();
    Caller { user: caller.user.clone(), token: token.as_str().unwrap().to_owned() }
}

/// Returns the id of the caller's session.
async fn current_session_id(api: &Api, caller: &Caller) -> String {
    let sessions = envelope_data(&api.get(SESSIONS).by(caller).send().await.expect(200));
    let current =
        sessions.as_array().unwrap().iter().find(|session| session["current"] == true).unwrap();
    current["id"].as_str().unwrap().to_owned()
}
