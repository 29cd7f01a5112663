//! `/api/v1/follows/{id}/status` and `/api/v1/follows/status`.

use grateful_testkit::{Api, Caller};
use serde_json::{Value, json};

use crate::support::follows::{
    UNKNOWN_USER_ID, block, create_user_with_approval, expected_status, follow, follow_path,
    get_follow_status, user_id,
};
use crate::support::{error_details, problem_code_and_detail};

#[actix_web::test]
async fn the_status_depends_on_which_user_is_the_viewer() {
    let (api, [ana, ben]) = Api::with_users().await;

    assert_eq!(get_follow_status(&api, &ana, &ben).await, expected_status(None, None));
    follow(&api, &ana, &ben).await;
    assert_eq!(get_follow_status(&api, &ana, &ben).await, expected_status(Some("active"), None));
    assert_eq!(get_follow_status(&api, &ben, &ana).await, expected_status(None, Some("active")));
    follow(&api, &ben, &ana).await;
    let mutual = json!({
        "is_following": true,
        "follow_status": "active",
        "is_followed_by": true,
        "reverse_status": "active",
        "is_mutual": true,
    });
    assert_eq!(get_follow_status(&api, &ana, &ben).await, mutual);
}

#[actix_web::test]
async fn the_status_is_visible_across_a_block() {
    let (api, [ana, ben]) = Api::with_users().await;
    block(&api, &ana, &ben).await;

    assert_eq!(get_follow_status(&api, &ana, &ben).await, expected_status(None, Some("blocked")));
    assert_eq!(get_follow_status(&api, &ben, &ana).await, expected_status(Some("blocked"), None));
}

#[actix_web::test]
async fn the_status_of_an_unknown_user_is_not_found() {
    let (api, [ana]) = Api::with_users().await;

    let response = api.get(&follow_path(format!("{UNKNOWN_USER_ID}/status"))).by(&ana).send().await;

    assert_eq!(
        problem_code_and_detail(&response, 404),
        ("not_found".to_owned(), "User not found".to_owned())
    );
}

#[actix_web::test]
async fn the_statuses_of_many_users_are_keyed_by_id_without_unknown_users() {
    let (api, [ana, ben, caro]) = Api::with_users().await;
    let [dora, sue] = [api.create_user().await, create_user_with_approval(&api).await];
    follow(&api, &ana, &ben).await;
    follow(&api, &ben, &ana).await;
    follow(&api, &ana, &sue).await;
    block(&api, &ana, &caro).await;
    let ids = [
        user_id(&ben),
        user_id(&caro),
        user_id(&dora),
        user_id(&sue),
        user_id(&ben),
        UNKNOWN_USER_ID,
        -1,
    ];

    let statuses = get_statuses(&api, &ana, &json!({"user_ids": ids})).await.expect(200).data();

    let expected = json!({
        user_id(&ben).to_string(): expected_status(Some("active"), Some("active")),
        user_id(&caro).to_string(): expected_status(None, Some("blocked")),
        user_id(&dora).to_string(): expected_status(None, None),
        user_id(&sue).to_string(): expected_status(Some("pending"), None),
    });
    assert_eq!(statuses, expected);
    for other in [&ben, &caro, &dora, &sue] {
        assert_eq!(
            statuses[user_id(other).to_string()],
            get_follow_status(&api, &ana, other).await
        );
    }
}

#[actix_web::test]
async fn at_most_100_statuses_are_returned_at_once() {
    let (api, [ana]) = Api::with_users().await;
    let hundred: Vec<i64> = (UNKNOWN_USER_ID..UNKNOWN_USER_ID + 100).collect();
    let too_many: Vec<i64> = (UNKNOWN_USER_ID..UNKNOWN_USER_ID + 101).collect();

    let none = get_statuses(&api, &ana, &json!({"user_ids": []})).await.expect(200).data();
    let unknown = get_statuses(&api, &ana, &json!({"user_ids": hundred})).await.expect(200).data();
    let response = get_statuses(&api, &ana, &json!({"user_ids": too_many})).await;

    assert_eq!((none, unknown), (json!({}), json!({})));
    assert_eq!(problem_code_and_detail(&response, 422).0, "validation_error");
    assert_eq!(
        error_details(&response),
        json!({"fields": {"user_ids": "must have at most 100 ids"}})
    );
}

#[actix_web::test]
async fn malformed_user_ids_are_invalid() {
    let (api, [ana]) = Api::with_users().await;

    for body in [
        json!({}),
        json!({"user_ids": null}),
        json!({"user_ids": 7}),
        json!({"user_ids": ["7"]}),
        json!({"user_ids": [1.5]}),
        json!({"user_ids": [9_223_372_036_854_775_808_u64]}),
    ] {
        let response = get_statuses(&api, &ana, &body).await;
        assert_eq!(problem_code_and_detail(&response, 422).0, "validation_error", "{body}");
        assert!(
            error_details(&response)["fields"]["user_ids"].is_string(),
            "{body}: {}",
            error_details(&response)
        );
    }
}

async fn get_statuses(api: &Api, viewer: &Caller, body: &Value) -> grateful_testkit::ApiResponse {
    api.post(&follow_path("status")).by(viewer).json(body).send().await
}
