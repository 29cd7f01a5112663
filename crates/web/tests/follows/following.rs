//! `POST` and `DELETE /follows/{id}`.

use grateful_testkit::Api;
use serde_json::{Value, json};

use crate::support::{
    NOBODY, NOON, block, details, edges, follow, follows, id, name, of, problem, stats, status,
};

#[actix_web::test]
async fn a_follow_is_answered_with_the_people_at_both_ends() {
    let api = Api::create().await;
    let [ana, ben] = [api.create_user().await, api.create_user().await];
    let pictured = "UPDATE users SET profile_image_url = '/ben.jpg' WHERE id =";
    api.database().execute(&format!("{pictured} {}", id(&ben))).await;

    let answer = follow(&api, &ana, &ben).await;

    let body = answer.json();
    assert_eq!(body["success"], true);
    assert_eq!(body["request_id"].as_str(), answer.header("x-request-id"));
    let mut edge = answer.data();
    let edge_id = edge["id"].take();
    assert!(edge_id.as_str().unwrap().parse::<uuid::Uuid>().is_ok(), "{edge_id}");
    let expected = json!({
        "id": null,
        "follower_id": id(&ana),
        "followed_id": id(&ben),
        "status": "active",
        "created_at": NOON,
        "follower": {"id": id(&ana), "username": name(&ana), "profile_image_url": null},
        "followed": {"id": id(&ben), "username": name(&ben), "profile_image_url": "/ben.jpg"},
    });
    assert_eq!(edge, expected);
    assert_eq!(stats(&api, &ana, &ben).await, [1, 0, 0, 0]);
    assert_eq!(stats(&api, &ben, &ana).await, [0, 1, 0, 0]);
}

#[actix_web::test]
async fn nobody_follows_themselves() {
    let api = Api::create().await;
    let ana = api.create_user().await;

    let refused = api.post(&follows(id(&ana))).by(&ana).send().await;

    assert_eq!(problem(&refused, 422).0, "validation_error");
    assert_eq!(details(&refused), json!({"fields": {"id": "Cannot follow yourself"}}));
    assert_eq!(stats(&api, &ana, &ana).await, [0; 4]);
}

#[actix_web::test]
async fn somebody_who_is_followed_already_is_not_followed_again() {
    let api = Api::create().await;
    let [ana, ben] = [api.create_user().await, api.create_user().await];
    follow(&api, &ana, &ben).await;

    let refused = api.post(&follows(id(&ben))).by(&ana).send().await;

    let words = "Already following this user".to_owned();
    assert_eq!(problem(&refused, 409), ("already_exists".to_owned(), words));
    assert_eq!(details(&refused), json!({"resource": "follow"}));
    assert_eq!(stats(&api, &ana, &ben).await, [1, 0, 0, 0]);
}

#[actix_web::test]
async fn nobody_follows_across_a_block_whoever_put_it_up() {
    let api = Api::create().await;
    let [ana, ben] = [api.create_user().await, api.create_user().await];
    block(&api, &ana, &ben).await;

    for (who, whom) in [(&ana, &ben), (&ben, &ana)] {
        let refused = api.post(&follows(id(whom))).by(who).send().await;

        let words = "Cannot follow this user".to_owned();
        assert_eq!(problem(&refused, 403), ("permission_denied".to_owned(), words));
        assert_eq!(details(&refused), json!({"resource": "user", "action": "follow"}));
    }
}

#[actix_web::test]
async fn somebody_who_does_not_exist_is_neither_followed_nor_unfollowed() {
    let api = Api::create().await;
    let ana = api.create_user().await;

    for nobody in [NOBODY, 0, -1, i64::MAX] {
        let refused = api.post(&follows(nobody)).by(&ana).send().await;
        assert_eq!(problem(&refused, 404), ("not_found".to_owned(), "User not found".to_owned()));
        let refused = api.delete(&follows(nobody)).by(&ana).send().await;
        assert_eq!(problem(&refused, 404).0, "not_found");
    }
}

#[actix_web::test]
async fn an_id_that_is_none_is_refused_by_its_name() {
    let api = Api::create().await;
    let ana = api.create_user().await;

    for bad in ["x", "1.5", "%00", "9223372036854775808"] {
        for path in [follows(bad), format!("/api/v1/users/{bad}/block")] {
            let refused = api.post(&path).by(&ana).send().await;
            problem(&refused, 422);
            let fields = details(&refused)["fields"].take();
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

    let first = api.delete(&follows(id(&ben))).by(&ana).send().await.expect(200).data();
    let again = api.delete(&follows(id(&ben))).by(&ana).send().await;

    assert_eq!(first, json!({"success": true, "message": "Successfully unfollowed user"}));
    assert_eq!(problem(&again, 404).0, "not_found");
    assert_eq!(status(&api, &ana, &ben).await, edges(None, Some("active")));
    assert_eq!(stats(&api, &ana, &ana).await, [1, 0, 0, 0]);
    assert_eq!(stats(&api, &ben, &ben).await, [0, 1, 0, 0]);
}

#[actix_web::test]
async fn somebody_is_followed_anew_by_an_edge_of_that_moment() {
    let api = Api::create().await;
    let [ana, ben] = [api.create_user().await, api.create_user().await];
    let first = follow(&api, &ana, &ben).await.data();
    api.delete(&follows(id(&ben))).by(&ana).send().await.expect(200);
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

    for (who, whom) in [(&ana, &ben), (&ben, &ana)] {
        let refused = api.delete(&follows(id(whom))).by(who).send().await;
        assert_eq!(problem(&refused, 404).0, "not_found");
    }

    assert_eq!(status(&api, &ben, &ana).await, edges(Some("blocked"), None));
}

#[actix_web::test]
async fn the_client_says_that_it_sends_json_and_sends_nothing() {
    let api = Api::create().await;
    let [ana, ben] = [api.create_user().await, api.create_user().await];

    api.post(&follows(id(&ben))).by(&ana).json_bytes("").send().await.expect(201);
    api.get(&follows(format!("{}/status/", id(&ben))))
        .by(&ana)
        .json_bytes("")
        .send()
        .await
        .expect(200);
    api.delete(&follows(id(&ben))).by(&ana).json_bytes("").send().await.expect(200);
    api.post(&of(&ben, "block/")).by(&ana).json_bytes("").send().await.expect(200);
    api.delete(&of(&ben, "block")).by(&ana).json_bytes("").send().await.expect(200);
}

#[actix_web::test]
async fn an_answer_holds_nothing_of_the_other_that_is_not_for_everybody() {
    let api = Api::create().await;
    let [ana, ben] = [api.create_user().await, api.create_user().await];
    let followed = follow(&api, &ana, &ben).await.data();
    let listed = api.get(&of(&ben, "followers")).by(&ben).send().await.expect(200).data();

    for answer in [followed, listed] {
        let text = Value::to_string(&answer);
        assert!(!text.contains("@example.org") && !text.contains("argon2"), "{text}");
    }
}
