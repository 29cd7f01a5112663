//! `POST` and `DELETE /api/v1/follows/{id}`.

mod requests;
mod status;
mod suggestions;

use grateful_testkit::Api;
use serde_json::json;

use crate::support::follows::{
    UNKNOWN_USER_ID, block, expected_status, follow, follow_path, get_follow_stats,
    get_follow_status, user_id, user_path, username,
};
use crate::support::{NOON, error_details, problem_code_and_detail};

#[actix_web::test]
async fn following_returns_the_follow_with_both_users() {
    let (api, [ana, ben]) = Api::with_users().await;
    let set_photo = "UPDATE users SET profile_image_url = '/ben.jpg' WHERE id =";
    api.database().execute(&format!("{set_photo} {}", user_id(&ben))).await;

    let response = follow(&api, &ana, &ben).await;

    let body = response.json();
    assert_eq!(body["success"], true);
    assert_eq!(body["request_id"].as_str(), response.header("x-request-id"));
    let mut follow_json = response.data();
    let follow_id = follow_json["id"].take();
    assert!(follow_id.as_str().unwrap().parse::<uuid::Uuid>().is_ok(), "{follow_id}");
    let expected = json!({
        "id": null,
        "follower_id": user_id(&ana),
        "followed_id": user_id(&ben),
        "status": "active",
        "created_at": NOON,
        "follower": {"id": user_id(&ana), "username": username(&ana), "profile_image_url": null},
        "followed": {"id": user_id(&ben), "username": username(&ben), "profile_image_url": "/ben.jpg"},
    });
    assert_eq!(follow_json, expected);
    assert_eq!(get_follow_stats(&api, &ana, &ben).await, [1, 0, 0, 0]);
    assert_eq!(get_follow_stats(&api, &ben, &ana).await, [0, 1, 0, 0]);
}

#[actix_web::test]
async fn a_user_cannot_follow_themselves() {
    let (api, [ana]) = Api::with_users().await;

    let response = api.post(&follow_path(user_id(&ana))).by(&ana).send().await;

    let expected = ("validation_error".to_owned(), "Cannot follow yourself".to_owned());
    assert_eq!(problem_code_and_detail(&response, 422), expected);
    assert_eq!(error_details(&response), json!({"fields": {"id": "Cannot follow yourself"}}));
    assert_eq!(get_follow_stats(&api, &ana, &ana).await, [0; 4]);
}

#[actix_web::test]
async fn following_twice_is_a_conflict() {
    let (api, [ana, ben]) = Api::with_users().await;
    follow(&api, &ana, &ben).await;

    let response = api.post(&follow_path(user_id(&ben))).by(&ana).send().await;

    let detail = "Already following this user".to_owned();
    assert_eq!(problem_code_and_detail(&response, 409), ("already_exists".to_owned(), detail));
    assert_eq!(error_details(&response), json!({"resource": "follow"}));
    assert_eq!(get_follow_stats(&api, &ana, &ben).await, [1, 0, 0, 0]);
}

#[actix_web::test]
async fn a_block_prevents_following_in_both_directions() {
    let (api, [ana, ben]) = Api::with_users().await;
    block(&api, &ana, &ben).await;

    for (actor, target) in [(&ana, &ben), (&ben, &ana)] {
        let response = api.post(&follow_path(user_id(target))).by(actor).send().await;

        let detail = "Cannot follow this user".to_owned();
        assert_eq!(
            problem_code_and_detail(&response, 403),
            ("permission_denied".to_owned(), detail)
        );
        assert_eq!(error_details(&response), json!({"resource": "user", "action": "follow"}));
    }
}

#[actix_web::test]
async fn following_or_unfollowing_an_unknown_user_is_not_found() {
    let (api, [ana]) = Api::with_users().await;

    for unknown in [UNKNOWN_USER_ID, 0, -1, i64::MAX] {
        let response = api.post(&follow_path(unknown)).by(&ana).send().await;
        assert_eq!(
            problem_code_and_detail(&response, 404),
            ("not_found".to_owned(), "User not found".to_owned())
        );
        let response = api.delete(&follow_path(unknown)).by(&ana).send().await;
        assert_eq!(problem_code_and_detail(&response, 404).0, "not_found");
    }
}

#[actix_web::test]
async fn a_malformed_user_id_is_invalid() {
    let (api, [ana]) = Api::with_users().await;

    for malformed in ["x", "1.5", "%00", "9223372036854775808"] {
        for path in [follow_path(malformed), format!("/api/v1/users/{malformed}/block")] {
            let response = api.post(&path).by(&ana).send().await;
            problem_code_and_detail(&response, 422);
            let fields = error_details(&response)["fields"].take();
            assert_eq!(fields, json!({"id": "must be a whole number"}), "{path}");
        }
    }
}

#[actix_web::test]
async fn unfollowing_succeeds_once() {
    let (api, [ana, ben]) = Api::with_users().await;
    follow(&api, &ana, &ben).await;
    follow(&api, &ben, &ana).await;

    let first = api.delete(&follow_path(user_id(&ben))).by(&ana).send().await.expect(200).data();
    let again = api.delete(&follow_path(user_id(&ben))).by(&ana).send().await;

    assert_eq!(first, json!({"success": true, "message": "Successfully unfollowed user"}));
    assert_eq!(problem_code_and_detail(&again, 404).0, "not_found");
    assert_eq!(get_follow_status(&api, &ana, &ben).await, expected_status(None, Some("active")));
    assert_eq!(get_follow_stats(&api, &ana, &ana).await, [1, 0, 0, 0]);
    assert_eq!(get_follow_stats(&api, &ben, &ben).await, [0, 1, 0, 0]);
}

#[actix_web::test]
async fn following_again_creates_a_new_follow() {
    let (api, [ana, ben]) = Api::with_users().await;
    let first = follow(&api, &ana, &ben).await.data();
    api.delete(&follow_path(user_id(&ben))).by(&ana).send().await.expect(200);
    api.app.clock.advance(chrono::TimeDelta::seconds(1));

    let second = follow(&api, &ana, &ben).await.data();

    assert_ne!(second["id"], first["id"]);
    assert_eq!(second["created_at"], "2026-01-05T12:00:01.000000Z");
}

#[actix_web::test]
async fn an_empty_json_body_is_accepted() {
    let (api, [ana, ben]) = Api::with_users().await;

    api.post(&follow_path(user_id(&ben))).by(&ana).json_bytes("").send().await.expect(201);
    api.get(&follow_path(format!("{}/status/", user_id(&ben))))
        .by(&ana)
        .json_bytes("")
        .send()
        .await
        .expect(200);
    api.delete(&follow_path(user_id(&ben))).by(&ana).json_bytes("").send().await.expect(200);
    api.post(&user_path(&ben, "block/")).by(&ana).json_bytes("").send().await.expect(200);
    api.delete(&user_path(&ben, "block")).by(&ana).json_bytes("").send().await.expect(200);
}
