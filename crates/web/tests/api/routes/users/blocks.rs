//! `/users/{id}/block` and `/users/me/blocks`.

use chrono::TimeDelta;
use grateful_testkit::{Api, Caller};
use serde_json::json;

use crate::support::follows::{
    UNKNOWN_USER_ID, block, expected_status, follow, get_follow_stats, get_follow_status, user_id,
    user_ids, user_path, username,
};
use crate::support::{error_details, next_link, problem_code_and_detail};

#[actix_web::test]
async fn a_block_and_its_end_may_be_repeated() {
    let api = Api::create().await;
    let [ana, ben] = [api.create_user().await, api.create_user().await];
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
        let lifted = api.delete(&path).by(&ana).send().await.expect(200).data();
        assert_eq!(lifted, json!({"blocked": false}));
        assert_eq!(get_follow_status(&api, &ana, &ben).await, expected_status(None, None));
    }
    follow(&api, &ben, &ana).await;
}

#[actix_web::test]
async fn a_block_ends_follows_both_ways() {
    let api = Api::create().await;
    let [ana, ben] = [api.create_user().await, api.create_user().await];
    follow(&api, &ana, &ben).await;
    follow(&api, &ben, &ana).await;

    block(&api, &ana, &ben).await;

    assert_eq!(get_follow_status(&api, &ana, &ben).await, expected_status(None, Some("blocked")));
    assert_eq!(get_follow_status(&api, &ben, &ana).await, expected_status(Some("blocked"), None));
    assert_eq!(get_follow_stats(&api, &ana, &ana).await, [0; 4]);
    assert_eq!(get_follow_stats(&api, &ben, &ben).await, [0; 4]);
}

#[actix_web::test]
async fn the_end_of_a_block_brings_no_follow_back() {
    let api = Api::create().await;
    let [ana, ben] = [api.create_user().await, api.create_user().await];
    follow(&api, &ben, &ana).await;
    block(&api, &ana, &ben).await;

    api.delete(&user_path(&ben, "block")).by(&ana).send().await.expect(200);

    assert_eq!(get_follow_status(&api, &ana, &ben).await, expected_status(None, None));
    assert_eq!(get_follow_stats(&api, &ana, &ana).await, [0; 4]);
}

#[actix_web::test]
async fn an_unblock_without_a_block_leaves_follows_alone() {
    let api = Api::create().await;
    let [ana, ben] = [api.create_user().await, api.create_user().await];
    follow(&api, &ana, &ben).await;
    follow(&api, &ben, &ana).await;

    api.delete(&user_path(&ben, "block")).by(&ana).send().await.expect(200);

    assert_eq!(
        get_follow_status(&api, &ana, &ben).await,
        expected_status(Some("active"), Some("active"))
    );
}

#[actix_web::test]
async fn each_of_two_who_block_each_other_lifts_their_own() {
    let api = Api::create().await;
    let [ana, ben] = [api.create_user().await, api.create_user().await];
    block(&api, &ana, &ben).await;
    block(&api, &ben, &ana).await;

    api.delete(&user_path(&ben, "block")).by(&ana).send().await.expect(200);

    assert_eq!(get_follow_status(&api, &ana, &ben).await, expected_status(Some("blocked"), None));
}

#[actix_web::test]
async fn neither_oneself_nor_nobody_is_blocked() {
    let api = Api::create().await;
    let ana = api.create_user().await;

    for method in [actix_web::http::Method::POST, actix_web::http::Method::DELETE] {
        let oneself = api.request(method.clone(), &user_path(&ana, "block")).by(&ana).send().await;
        let nobody = format!("/api/v1/users/{UNKNOWN_USER_ID}/block");
        let nobody = api.request(method, &nobody).by(&ana).send().await;

        assert_eq!(problem_code_and_detail(&oneself, 422).0, "validation_error");
        assert_eq!(error_details(&oneself), json!({"fields": {"id": "Cannot block yourself"}}));
        assert_eq!(
            problem_code_and_detail(&nobody, 404),
            ("not_found".to_owned(), "User not found".to_owned())
        );
    }
    assert_eq!(blocks(&api, &ana, "").await.data()["blocks"], json!([]));
}

#[actix_web::test]
async fn whom_one_has_blocked_is_listed_newest_first_to_oneself_alone() {
    let api = Api::create().await;
    let [ana, ben, caro] =
        [api.create_user().await, api.create_user().await, api.create_user().await];
    for target in [&ben, &caro] {
        block(&api, &ana, target).await;
        api.app.clock.advance(TimeDelta::seconds(1));
    }
    // Across a block that both have put up, too.
    block(&api, &ben, &ana).await;

    let response = blocks(&api, &ana, "").await;

    let listed = |target: &Caller| {
        json!({
            "id": user_id(target),
            "username": username(target),
            "display_name": null,
            "bio": null,
            "profile_image_url": null,
        })
    };
    let expected = json!({
        "blocks": [listed(&caro), listed(&ben)],
        "total_count": 2,
        "limit": 100,
        "offset": 0,
        "has_more": false,
    });
    assert_eq!(response.data(), expected);
    assert_eq!(user_ids(&blocks(&api, &ben, "").await.data()["blocks"]), [user_id(&ana)]);
    assert_eq!(blocks(&api, &caro, "").await.data()["total_count"], 0);
}

#[actix_web::test]
async fn a_repeated_block_keeps_its_place_in_the_list() {
    let api = Api::create().await;
    let [ana, ben, caro] =
        [api.create_user().await, api.create_user().await, api.create_user().await];
    for target in [&ben, &caro, &ben] {
        block(&api, &ana, target).await;
        api.app.clock.advance(TimeDelta::seconds(1));
    }

    let listed = blocks(&api, &ana, "").await.data();

    assert_eq!(user_ids(&listed["blocks"]), [user_id(&caro), user_id(&ben)]);
}

#[actix_web::test]
async fn blocks_are_listed_part_by_part() {
    let api = Api::create().await;
    let [ana, ben, caro] =
        [api.create_user().await, api.create_user().await, api.create_user().await];
    for target in [&ben, &caro] {
        block(&api, &ana, target).await;
        api.app.clock.advance(TimeDelta::seconds(1));
    }

    let first = blocks(&api, &ana, "?limit=1").await;
    let second = api.get(&next_link(&first).unwrap()).by(&ana).send().await.expect(200);
    let by_offset = blocks(&api, &ana, "?limit=1&offset=1").await;

    assert_eq!(user_ids(&first.data()["blocks"]), [user_id(&caro)]);
    assert_eq!(first.data()["has_more"], true);
    assert_eq!(second.data()["blocks"], by_offset.data()["blocks"]);
    assert_eq!(user_ids(&by_offset.data()["blocks"]), [user_id(&ben)]);
    assert_eq!((next_link(&second), next_link(&by_offset)), (None, None));
}

async fn blocks(api: &Api, of: &Caller, query: &str) -> grateful_testkit::ApiResponse {
    let path = format!("/api/v1/users/me/blocks{query}");
    api.get(&path).by(of).send().await.expect(200)
}
