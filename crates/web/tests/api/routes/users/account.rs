//! `DELETE /users/me`.

use grateful_testkit::{Api, ApiResponse, Caller, PASSWORD, a_post};
use serde_json::{Value, json};

use crate::support::{assert_problem, invalid_fields, post_path};

const ME: &str = "/api/v1/users/me";

#[actix_web::test]
async fn whoever_leaves_is_gone_with_all_that_was_theirs() {
    let api = Api::create().await;
    let (ana, ben) = (api.create_user().await, api.create_user().await);
    let post = post_path(a_post().by(ana.user.id).insert_into(api.database()).await.id);

    let response = leave(&api, &ana, &json!({"password": PASSWORD})).await.expect(204);

    assert!(response.body.is_empty());
    assert_problem(
        &api.get("/api/v1/auth/session").by(&ana).send().await,
        401,
        "authentication_error",
    );
    assert_problem(
        &leave(&api, &ana, &json!({"password": PASSWORD})).await,
        401,
        "authentication_error",
    );
    log_in(&api, &ana).await.expect(401);
    api.get(&post).by(&ben).send().await.expect(404);
    api.get(&format!("/api/v1/users/{}/profile", ana.user.id)).by(&ben).send().await.expect(404);
    assert_eq!(api.database().count(&format!("users WHERE id = {}", ana.user.id)).await, 0);
}

#[actix_web::test]
async fn the_name_and_the_address_are_free_again() {
    let api = Api::create().await;
    let ana = api.create_user().await;
    leave(&api, &ana, &json!({"password": PASSWORD})).await.expect(204);

    let newcomer = json!({
        "username": ana.user.username.as_str().to_uppercase(),
        "email": ana.user.email.as_str(),
        "password": PASSWORD,
    });
    let joined = api.post("/api/v1/auth/signup").json(&newcomer).send().await.expect(201).data();

    assert_ne!(joined["id"], i64::from(ana.user.id));
}

#[actix_web::test]
async fn others_are_counted_and_told_as_if_they_had_never_been_there() {
    let api = Api::create().await;
    let [ana, ben, caro] =
        [api.create_user().await, api.create_user().await, api.create_user().await];
    let post = post_path(a_post().by(ben.user.id).insert_into(api.database()).await.id);
    for fan in [&caro, &ana] {
        for (rest, body) in [
            ("heart", json!({})),
            ("reactions", json!({"emoji_code": "hug"})),
            ("share", json!({"share_method": "url"})),
            ("comments", json!({"content": "So kind"})),
        ] {
            api.post(&format!("{post}/{rest}")).by(fan).json(&body).send().await.expect(201);
        }
        api.post(&format!("/api/v1/follows/{}", ben.user.id)).by(fan).send().await.expect(201);
    }
    assert_eq!(numbers(&api, &ben, &post).await, [2, 2, 2, 2, 2]);

    leave(&api, &ana, &json!({"password": PASSWORD})).await.expect(204);

    assert_eq!(numbers(&api, &ben, &post).await, [1, 1, 1, 1, 1]);
    let told = api.get("/api/v1/notifications").by(&ben).send().await.expect(200);
    let told = told.json();
    let told = told.as_array().unwrap();
    assert_eq!(told.len(), 4, "{told:#?}");
    for it in told {
        assert_eq!(
            (&it["actor_count"], &it["from_user"]["username"]),
            (&json!(1), &json!(caro.user.username.as_str()))
        );
        assert!(!it.to_string().contains(ana.user.username.as_str()), "{it}");
    }
}

#[actix_web::test]
async fn a_wrong_password_changes_nothing() {
    let api = Api::create().await;
    let ana = api.create_user().await;
    let post = post_path(a_post().by(ana.user.id).insert_into(api.database()).await.id);

    for wrong in
        ["battery staple", "", "correct horse ", "Correct horse", "\u{0}", &"x".repeat(10_000)]
    {
        let refused = leave(&api, &ana, &json!({"password": wrong})).await;
        let details = assert_problem(&refused, 403, "permission_denied");
        assert_eq!(details, json!({"resource": "user", "action": "delete"}));
        assert_eq!(refused.json()["detail"], "Current password is incorrect");
    }
    api.get(&post).by(&ana).send().await.expect(200);
    log_in(&api, &ana).await.expect(200);
}

#[actix_web::test]
async fn nobody_leaves_by_mistake() {
    let api = Api::create().await;
    let ana = api.create_user().await;

    for body in
        [json!({}), json!({"password": null}), json!({"password": 1}), json!({"password": ["x"]})]
    {
        assert_eq!(invalid_fields(&leave(&api, &ana, &body).await), ["password"], "{body}");
    }
    for body in ["", "null", "[]", "{"] {
        let refused = api.delete(ME).by(&ana).json_bytes(body).send().await;
        assert_eq!(invalid_fields(&refused), ["body"], "{body}");
    }
    let anonymous = api.delete(ME).json(&json!({"password": PASSWORD})).send().await;
    assert_problem(&anonymous, 401, "authentication_error");
    log_in(&api, &ana).await.expect(200);
}

async fn leave(api: &Api, who: &Caller, body: &Value) -> ApiResponse {
    api.delete(ME).by(who).json(body).send().await
}

async fn log_in(api: &Api, who: &Caller) -> ApiResponse {
    let body = json!({"email": who.user.email.as_str(), "password": PASSWORD});
    api.post("/api/v1/auth/login").json(&body).send().await
}

/// Of a post its hearts, emoji, shares and comments, and the followers of its author.
async fn numbers(api: &Api, author: &Caller, post: &str) -> [i64; 5] {
    let post = api.get(post).by(author).send().await.expect(200).json();
    let mine = api.get("/api/v1/users/me/profile").by(author).send().await.expect(200).data();
    [
        &post["hearts_count"],
        &post["reactions_count"],
        &post["shares_count"],
        &post["comments_count"],
        &mine["followers_count"],
    ]
    .map(|number| number.as_i64().unwrap())
}
