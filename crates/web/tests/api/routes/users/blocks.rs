//! `/api/v1/users/{id}/block` and `/api/v1/users/me/blocks`.

use chrono::TimeDelta;
use grateful_testkit::{Api, Caller};
use serde_json::json;

use crate::support::follows::{
    UNKNOWN_USER_ID, block, expected_status, follow, get_follow_status, user_id, user_ids,
    user_path, username,
};
use crate::support::{error_details, next_link, problem_code_and_detail};

#[actix_web::test]
async fn blocking_and_unblocking_are_idempotent() {
    let (api, [ana, ben]) = Api::with_users().await;
    let path = user_path(&ben, "block");

    for _ in 0..2 {
        let blocked = api.post(&path).by(&ana).send().await.expect(200).data();
        assert_eq!(blocked, json!({"blocked": true}));
        assert_eq!(
            get_follow_status(&api, &ana, &ben).await,
            expected_status(None, Some("blocked"))
        );
    }
    for _ in 0..2 {
        let unblocked = api.delete(&path).by(&ana).send().await.expect(200).data();
        assert_eq!(unblocked, json!({"blocked": false}));
        assert_eq!(get_follow_status(&api, &ana, &ben).await, expected_status(None, None));
    }
    follow(&api, &ben, &ana).await;
}

#[actix_web::test]
async fn a_user_cannot_block_themselves_or_an_unknown_user() {
    let (api, [ana]) = Api::with_users().await;

    for method in [actix_web::http::Method::POST, actix_web::http::Method::DELETE] {
        let own = api.request(method.clone(), &user_path(&ana, "block")).by(&ana).send().await;
        let unknown = format!("/api/v1/users/{UNKNOWN_USER_ID}/block");
        let unknown = api.request(method, &unknown).by(&ana).send().await;

        let expected = ("validation_error".to_owned(), "Cannot block yourself".to_owned());
        assert_eq!(problem_code_and_detail(&own, 422), expected);
        assert_eq!(error_details(&own), json!({"fields": {"id": "Cannot block yourself"}}));
        assert_eq!(
            problem_code_and_detail(&unknown, 404),
            ("not_found".to_owned(), "User not found".to_owned())
        );
    }
    assert_eq!(list_blocks(&api, &ana, "").await.data()["blocks"], json!([]));
}

#[actix_web::test]
async fn the_blocks_of_a_user_are_listed_newest_first_to_them_only() {
    let (api, [ana, ben, caro]) = Api::with_users().await;
    for target in [&ben, &caro] {
        block(&api, &ana, target).await;
        api.app.clock.advance(TimeDelta::seconds(1));
    }
    // Mutual blocks are listed too.
    block(&api, &ben, &ana).await;

    let response = list_blocks(&api, &ana, "").await;

    let item = |target: &Caller| {
        json!({
            "id": user_id(target),
            "username": username(target),
            "display_name": null,
            "bio": null,
            "profile_image_url": null,
        })
    };
    let expected = json!({
        "blocks": [item(&caro), item(&ben)],
        "total_count": 2,
        "limit": 100,
        "offset": 0,
        "has_more": false,
    });
    assert_eq!(response.data(), expected);
    assert_eq!(user_ids(&list_blocks(&api, &ben, "").await.data()["blocks"]), [user_id(&ana)]);
    assert_eq!(list_blocks(&api, &caro, "").await.data()["total_count"], 0);
}

#[actix_web::test]
async fn a_repeated_block_keeps_its_position_in_the_list() {
    let (api, [ana, ben, caro]) = Api::with_users().await;
    for target in [&ben, &caro, &ben] {
        block(&api, &ana, target).await;
        api.app.clock.advance(TimeDelta::seconds(1));
    }

    let list = list_blocks(&api, &ana, "").await.data();

    assert_eq!(user_ids(&list["blocks"]), [user_id(&caro), user_id(&ben)]);
}

#[actix_web::test]
async fn blocks_are_paginated() {
    let (api, [ana, ben, caro]) = Api::with_users().await;
    for target in [&ben, &caro] {
        block(&api, &ana, target).await;
        api.app.clock.advance(TimeDelta::seconds(1));
    }

    let first = list_blocks(&api, &ana, "?limit=1").await;
    let second = api.get(&next_link(&first).unwrap()).by(&ana).send().await.expect(200);
    let by_offset = list_blocks(&api, &ana, "?limit=1&offset=1").await;

    assert_eq!(user_ids(&first.data()["blocks"]), [user_id(&caro)]);
    assert_eq!(first.data()["has_more"], true);
    assert_eq!(second.data()["blocks"], by_offset.data()["blocks"]);
    assert_eq!(user_ids(&by_offset.data()["blocks"]), [user_id(&ben)]);
    assert_eq!((next_link(&second), next_link(&by_offset)), (None, None));
}

async fn list_blocks(api: &Api, caller: &Caller, query: &str) -> grateful_testkit::ApiResponse {
    let path = format!("/api/v1/users/me/blocks{query}");
    api.get(&path).by(caller).send().await.expect(200)
}
