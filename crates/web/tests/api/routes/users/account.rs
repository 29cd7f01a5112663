//! `DELETE /api/v1/users/me`.

use grateful_testkit::{Api, ApiResponse, Caller, PASSWORD, a_post};
use serde_json::{Value, json};

use crate::support::{assert_problem, invalid_fields, post_path};

const ME: &str = "/api/v1/users/me";

#[actix_web::test]
async fn deleting_an_account_ends_its_sessions_and_deletes_its_data() {
    let (api, [ana, ben]) = Api::with_users().await;
    let post = post_path(a_post().by(ana.user.id).insert_into(api.database()).await.id);

    let response = delete_account(&api, &ana, &json!({"password": PASSWORD})).await.expect(204);

    assert!(response.body.is_empty());
    assert_problem(
        &api.get("/api/v1/auth/session").by(&ana).send().await,
        401,
        "authentication_error",
    );
    assert_problem(
        &delete_account(&api, &ana, &json!({"password": PASSWORD})).await,
        401,
        "authentication_error",
    );
    log_in(&api, &ana).await.expect(401);
    api.get(&post).by(&ben).send().await.expect(404);
    api.get(&format!("/api/v1/users/{}/profile", ana.user.id)).by(&ben).send().await.expect(404);
    assert_eq!(api.database().count(&format!("users WHERE id = {}", ana.user.id)).await, 0);
}

#[actix_web::test]
async fn the_email_of_a_deleted_account_is_available_and_the_username_is_reserved() {
    let (api, [ana]) = Api::with_users().await;
    delete_account(&api, &ana, &json!({"password": PASSWORD})).await.expect(204);

    let account = |username: &str| {
        json!({
            "username": username,
            "email": ana.user.email.as_str(),
            "password": PASSWORD,
        })
    };
    let same_name = account(&ana.user.username.as_str().to_uppercase());
    api.post("/api/v1/auth/signup").json(&same_name).send().await.expect(409);
    let other_name = account("ana_again");
    let created = api.post("/api/v1/auth/signup").json(&other_name).send().await.expect(201).data();

    assert_ne!(created["id"], i64::from(ana.user.id));
}

#[actix_web::test]
async fn a_wrong_password_changes_nothing() {
    let (api, [ana]) = Api::with_users().await;
    let post = post_path(a_post().by(ana.user.id).insert_into(api.database()).await.id);

    for wrong in
        ["battery staple", "", "correct horse ", "Correct horse", "\u{0}", &"x".repeat(10_000)]
    {
        let response = delete_account(&api, &ana, &json!({"password": wrong})).await;
        let details = assert_problem(&response, 403, "permission_denied");
        assert_eq!(details, json!({"resource": "user", "action": "delete"}));
        assert_eq!(response.json()["detail"], "Current password is incorrect");
    }
    api.get(&post).by(&ana).send().await.expect(200);
    log_in(&api, &ana).await.expect(200);
}

#[actix_web::test]
async fn deletion_requires_a_body_with_the_password() {
    let (api, [ana]) = Api::with_users().await;

    for body in
        [json!({}), json!({"password": null}), json!({"password": 1}), json!({"password": ["x"]})]
    {
        assert_eq!(
            invalid_fields(&delete_account(&api, &ana, &body).await),
            ["password"],
            "{body}"
        );
    }
    for body in ["", "null", "[]", "{"] {
        let response = api.delete(ME).by(&ana).json_bytes(body).send().await;
        assert_eq!(invalid_fields(&response), ["body"], "{body}");
    }
    let anonymous = api.delete(ME).json(&json!({"password": PASSWORD})).send().await;
    assert_problem(&anonymous, 401, "authentication_error");
    log_in(&api, &ana).await.expect(200);
}

async fn delete_account(api: &Api, caller: &Caller, body: &Value) -> ApiResponse {
    api.delete(ME).by(caller).json(body).send().await
}

async fn log_in(api: &Api, caller: &Caller) -> ApiResponse {
    let body = json!({"email": caller.user.email.as_str(), "password": PASSWORD});
    api.post("/api/v1/auth/login").json(&body).send().await
}
