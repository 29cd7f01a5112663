//! `POST` and `DELETE /follows/{id}`.

mod requests;
mod status;
mod suggestions;

use grateful_testkit::Api;
use serde_json::{Value, json};

use crate::support::follows::{
    UNKNOWN_USER_ID, block, expected_status, follow, follow_path, get_follow_stats,
    get_follow_status, user_id, user_path, username,
};
use crate::support::{NOON, error_details, problem_code_and_detail};

#[actix_web::test]
async fn a_follow_is_answered_with_the_people_at_both_ends() {
    let api = Api::create().await;
    let [ana, ben] = [api.create_user().await, api.create_user().await];
    let pictured = "UPDATE users SET profile_image_url = '/ben.jpg' WHERE id =";
    api.database().execute(&format!("{pictured} {}", user_id(&ben))).await;

    let response = follow(&api, &ana, &ben).await;

    let body = response.json();
    assert_eq!(body["success"], true);
    assert_eq!(body["request_id"].as_str(), response.header("x-request-id"));
    let mut edge = response.data();
    let edge_id = edge["id"].take();
    assert!(edge_id.as_str().unwrap().parse::<uuid::Uuid>().is_ok(), "{edge_id}");
    let expected = json!({
        "id": null,
        "follower_id": user_id(&ana),
        "followed_id": user_id(&ben),
        "status": "active",
        "created_at": NOON,
        "follower": {"id": user_id(&ana), "username": username(&ana), "profile_image_url": null},
        "followed": {"id": user_id(&ben), "username": username(&ben), "profile_image_url": "/ben.jpg"},
    });
    assert_eq!(edge, expected);
    assert_eq!(get_follow_stats(&api, &ana, &ben).await, [1, 0, 0, 0]);
    assert_eq!(get_follow_stats(&api, &ben, &ana).await, [0, 1, 0, 0]);
}

#[actix_web::test]
async fn nobody_follows_themselves() {
    let api = Api::create().await;
    let ana = api.create_user().await;

    let refused = api.post(&follow_path(user_id(&ana))).by(&ana).send().await;

    assert_eq!(problem_code_and_detail(&refused, 422).0, "validation_error");
    assert_eq!(error_details(&refused), json!({"fields": {"id": "Cannot follow yourself"}}));
    assert_eq!(get_follow_stats(&api, &ana, &ana).await, [0; 4]);
}

#[actix_web::test]
async fn somebody_who_is_followed_already_is_not_followed_again() {
    let api = Api::create().await;
    let [ana, ben] = [api.create_user().await, api.create_user().await];
    follow(&api, &ana, &ben).await;

    let refused = api.post(&follow_path(user_id(&ben))).by(&ana).send().await;

    let words = "Already following this user".to_owned();
    assert_eq!(problem_code_and_detail(&refused, 409), ("already_exists".to_owned(), words));
    assert_eq!(error_details(&refused), json!({"resource": "follow"}));
    assert_eq!(get_follow_stats(&api, &ana, &ben).await, [1, 0, 0, 0]);
}

#[actix_web::test]
async fn nobody_follows_across_a_block_whoever_put_it_up() {
    let api = Api::create().await;
    let [ana, ben] = [api.create_user().await, api.create_user().await];
    block(&api, &ana, &ben).await;

    for (actor, target) in [(&ana, &ben), (&ben, &ana)] {
        let refused = api.post(&follow_path(user_id(target))).by(actor).send().await;

        let words = "Cannot follow this user".to_owned();
        assert_eq!(problem_code_and_detail(&refused, 403), ("permission_denied".to_owned(), words));
        assert_eq!(error_details(&refused), json!({"resource": "user", "action": "follow"}));
    }
}

#[actix_web::test]
async fn somebody_who_does_not_exist_is_neither_followed_nor_unfollowed() {
    let api = Api::create().await;
    let ana = api.create_user().await;

    for nobody in [UNKNOWN_USER_ID, 0, -1, i64::MAX] {
        let refused = api.post(&follow_path(nobody)).by(&ana).send().await;
        assert_eq!(
            problem_code_and_detail(&refused, 404),
            ("not_found".to_owned(), "User not found".to_owned())
        );
        let refused = api.delete(&follow_path(nobody)).by(&ana).send().await;
        assert_eq!(problem_code_and_detail(&refused, 404).0, "not_found");
    }
}

#[actix_web::test]
async fn an_id_that_is_none_is_refused_by_its_name() {
    let api = Api::create().await;
    let ana = api.create_user().await;

    for bad in ["x", "1.5", "%00", "9223372036854775808"] {
        for path in [follow_path(bad), format!("/api/v1/users/{bad}/block")] {
            let refused = api.post(&path).by(&ana).send().await;
            problem_code_and_detail(&refused, 422);
            let fields = error_details(&refused)["fields"].take();
            assert_eq!(fields, json!({"id": "must be a whole number"}), "{path}");
        }
    }
}

#[actix_web::test]
async fn an_unfollow_is_answered_in_the_words_of_the_contract_and_happens_once() {
    let api = Api::create().await;
    let [ana, ben] = [api.create_user().await, api.create_user().await];
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
async fn somebody_is_followed_anew_by_an_edge_of_that_moment() {
    let api = Api::create().await;
    let [ana, ben] = [api.create_user().await, api.create_user().await];
    let first = follow(&api, &ana, &ben).await.data();
    api.delete(&follow_path(user_id(&ben))).by(&ana).send().await.expect(200);
    api.app.clock.advance(chrono::TimeDelta::seconds(1));

    let anew = follow(&api, &ana, &ben).await.data();

    assert_ne!(anew["id"], first["id"]);
    assert_eq!(anew["created_at"], "2026-01-05T12:00:01.000000Z");
}

#[actix_web::test]
async fn who_is_blocked_does_not_lift_the_block_by_unfollowing() {
    let api = Api::create().await;
    let [ana, ben] = [api.create_user().await, api.create_user().await];
    follow(&api, &ben, &ana).await;
    block(&api, &ana, &ben).await;

    for (actor, target) in [(&ana, &ben), (&ben, &ana)] {
        let refused = api.delete(&follow_path(user_id(target))).by(actor).send().await;
        assert_eq!(problem_code_and_detail(&refused, 404).0, "not_found");
    }

    assert_eq!(get_follow_status(&api, &ben, &ana).await, expected_status(Some("blocked"), None));
}

#[actix_web::test]
async fn the_client_says_that_it_sends_json_and_sends_nothing() {
    let api = Api::create().await;
    let [ana, ben] = [api.create_user().await, api.create_user().await];

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

#[actix_web::test]
async fn an_answer_holds_nothing_of_the_other_that_is_not_for_everybody() {
    let api = Api::create().await;
    let [ana, ben] = [api.create_user().await, api.create_user().await];
    let followed = follow(&api, &ana, &ben).await.data();
    let listed = api.get(&user_path(&ben, "followers")).by(&ben).send().await.expect(200).data();

    for response in [followed, listed] {
        let text = Value::to_string(&response);
        assert!(!text.contains("@example.org") && !text.contains("argon2"), "{text}");
    }
}
