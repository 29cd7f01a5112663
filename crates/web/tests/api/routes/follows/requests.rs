//! `/api/v1/follows/requests`: follow requests to users who approve followers.

use chrono::TimeDelta;
use grateful_testkit::{Api, Caller};
use serde_json::json;

use crate::support::follows::{
    UNKNOWN_USER_ID, block, create_user_with_approval, expected_status, follow, follow_path,
    get_follow_stats, get_follow_status, user_id, username,
};
use crate::support::{NOON, error_details, next_link, problem_code_and_detail};

#[actix_web::test]
async fn following_a_user_with_approval_creates_a_request() {
    let api = Api::create().await;
    let [ana, sue] = [api.create_user().await, create_user_with_approval(&api).await];

    let follow_json = follow(&api, &ana, &sue).await.data();

    assert_eq!(follow_json["status"], "pending");
    assert_eq!(get_follow_status(&api, &ana, &sue).await, expected_status(Some("pending"), None));
    assert_eq!(get_follow_status(&api, &sue, &ana).await, expected_status(None, Some("pending")));
    assert_eq!(get_follow_stats(&api, &ana, &ana).await, [0, 0, 0, 1]);
    assert_eq!(get_follow_stats(&api, &sue, &sue).await, [0, 0, 1, 0]);
}

#[actix_web::test]
async fn requesting_twice_is_a_conflict() {
    let api = Api::create().await;
    let [ana, sue] = [api.create_user().await, create_user_with_approval(&api).await];
    follow(&api, &ana, &sue).await;

    let response = api.post(&follow_path(user_id(&sue))).by(&ana).send().await;

    let detail = "Follow request already pending".to_owned();
    assert_eq!(problem_code_and_detail(&response, 409), ("already_exists".to_owned(), detail));
    assert_eq!(error_details(&response), json!({"resource": "follow"}));
}

#[actix_web::test]
async fn other_users_do_not_see_the_numbers_of_pending_requests() {
    let api = Api::create().await;
    let [ana, sue] = [api.create_user().await, create_user_with_approval(&api).await];
    follow(&api, &ana, &sue).await;

    assert_eq!(get_follow_stats(&api, &ana, &sue).await, [0; 4]);
    assert_eq!(get_follow_stats(&api, &sue, &ana).await, [0; 4]);
}

#[actix_web::test]
async fn requests_are_listed_newest_first() {
    let api = Api::create().await;
    let [ana, ben, sue] =
        [api.create_user().await, api.create_user().await, create_user_with_approval(&api).await];
    let set_profile =
        "UPDATE users SET display_name = 'Ana A.', bio = 'Hi', profile_image_url = '/a.jpg'";
    api.database().execute(&format!("{set_profile} WHERE id = {}", user_id(&ana))).await;
    follow(&api, &ana, &sue).await;
    api.app.clock.advance(TimeDelta::seconds(1));
    follow(&api, &ben, &sue).await;

    let response = list_requests(&api, &sue, "").await;

    let by_ana = json!({
        "user": {
            "id": user_id(&ana),
            "username": username(&ana),
            "display_name": "Ana A.",
            "bio": "Hi",
            "profile_image_url": "/a.jpg",
        },
        "created_at": NOON,
    });
    let by_ben = json!({
        "user": {
            "id": user_id(&ben),
            "username": username(&ben),
            "display_name": null,
            "bio": null,
            "profile_image_url": null,
        },
        "created_at": "2026-01-05T12:00:01.000000Z",
    });
    let expected = json!({
        "requests": [by_ben, by_ana],
        "total_count": 2,
        "limit": 100,
        "offset": 0,
        "has_more": false,
    });
    assert_eq!(response.data(), expected);
    assert_eq!(next_link(&response), None);
    assert_eq!(list_requests(&api, &ana, "").await.data()["requests"], json!([]));
}

#[actix_web::test]
async fn requests_are_paginated() {
    let api = Api::create().await;
    let [ana, ben, sue] =
        [api.create_user().await, api.create_user().await, create_user_with_approval(&api).await];
    for requester in [&ana, &ben] {
        follow(&api, requester, &sue).await;
        api.app.clock.advance(TimeDelta::seconds(1));
    }

    let first = list_requests(&api, &sue, "?limit=1").await;
    let second = api.get(&next_link(&first).unwrap()).by(&sue).send().await.expect(200);

    assert_eq!(first.data()["requests"][0]["user"]["id"], user_id(&ben));
    assert_eq!(
        (&first.data()["total_count"], &first.data()["has_more"]),
        (&json!(2), &json!(true))
    );
    assert_eq!(second.data()["requests"][0]["user"]["id"], user_id(&ana));
    assert_eq!(second.data()["has_more"], false);
    assert_eq!(next_link(&second), None);
}

#[actix_web::test]
async fn accepting_a_request_creates_the_follow() {
    let api = Api::create().await;
    let [ana, sue] = [api.create_user().await, create_user_with_approval(&api).await];
    follow(&api, &ana, &sue).await;

    let response = decide(&api, &sue, &ana, "accept").await;

    assert_eq!(response.expect(200).data(), json!({"status": "active"}));
    assert_eq!(get_follow_status(&api, &ana, &sue).await, expected_status(Some("active"), None));
    assert_eq!(get_follow_stats(&api, &sue, &sue).await, [1, 0, 0, 0]);
    assert_eq!(get_follow_stats(&api, &ana, &ana).await, [0, 1, 0, 0]);
    assert_eq!(list_requests(&api, &sue, "").await.data()["total_count"], 0);
    let again = api.post(&follow_path(user_id(&sue))).by(&ana).send().await;
    assert_eq!(problem_code_and_detail(&again, 409).1, "Already following this user");
}

#[actix_web::test]
async fn a_declined_user_may_request_again() {
    let api = Api::create().await;
    let [ana, sue] = [api.create_user().await, create_user_with_approval(&api).await];
    follow(&api, &ana, &sue).await;

    let response = decide(&api, &sue, &ana, "decline").await;

    assert_eq!(response.expect(200).data(), json!({"status": null}));
    assert_eq!(get_follow_status(&api, &ana, &sue).await, expected_status(None, None));
    assert_eq!(get_follow_stats(&api, &sue, &sue).await, [0; 4]);
    assert_eq!(follow(&api, &ana, &sue).await.data()["status"], "pending");
}

#[actix_web::test]
async fn deciding_on_a_missing_request_is_not_found() {
    let api = Api::create().await;
    let [ana, ben, sue] =
        [api.create_user().await, api.create_user().await, create_user_with_approval(&api).await];
    follow(&api, &ben, &ana).await;
    follow(&api, &ana, &sue).await;
    block(&api, &ana, &api.create_user().await).await;

    for decision in ["accept", "decline"] {
        // A follower, a user with a request from the caller, the caller, and an unknown user.
        for other in [user_id(&ben), user_id(&sue), user_id(&ana), UNKNOWN_USER_ID] {
            let path = follow_path(format!("requests/{other}/{decision}"));
            let response = api.post(&path).by(&ana).send().await;
            let expected = ("not_found".to_owned(), "Follow request not found".to_owned());
            assert_eq!(problem_code_and_detail(&response, 404), expected, "{path}");
            assert_eq!(error_details(&response), json!({"resource": "follow_request"}));
        }
    }
    assert_eq!(get_follow_status(&api, &ana, &ben).await, expected_status(None, Some("active")));
    assert_eq!(get_follow_status(&api, &ana, &sue).await, expected_status(Some("pending"), None));
}

async fn list_requests(api: &Api, caller: &Caller, query: &str) -> grateful_testkit::ApiResponse {
    api.get(&follow_path(format!("requests{query}"))).by(caller).send().await.expect(200)
}

async fn decide(
    api: &Api,
    caller: &Caller,
    requester: &Caller,
    decision: &str,
) -> grateful_testkit::ApiResponse {
    let path = follow_path(format!("requests/{}/{decision}", user_id(requester)));
    api.post(&path).by(caller).send().await
}
