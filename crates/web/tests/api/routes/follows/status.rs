//! `/follows/{id}/status` and `/follows/status`.

use grateful_testkit::{Api, Caller};
use serde_json::{Value, json};

use crate::support::follows::{
    UNKNOWN_USER_ID, block, create_user_with_approval, expected_status, follow, follow_path,
    get_follow_status, user_id,
};
use crate::support::{error_details, problem_code_and_detail};

#[actix_web::test]
async fn what_two_people_are_to_each_other_is_told_from_where_one_stands() {
    let api = Api::create().await;
    let [ana, ben] = [api.create_user().await, api.create_user().await];

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
async fn the_status_is_answered_across_a_block() {
    let api = Api::create().await;
    let [ana, ben] = [api.create_user().await, api.create_user().await];
    block(&api, &ana, &ben).await;

    assert_eq!(get_follow_status(&api, &ana, &ben).await, expected_status(None, Some("blocked")));
    assert_eq!(get_follow_status(&api, &ben, &ana).await, expected_status(Some("blocked"), None));
}

#[actix_web::test]
async fn nobody_has_no_status() {
    let api = Api::create().await;
    let ana = api.create_user().await;

    let refused = api.get(&follow_path(format!("{UNKNOWN_USER_ID}/status"))).by(&ana).send().await;

    assert_eq!(
        problem_code_and_detail(&refused, 404),
        ("not_found".to_owned(), "User not found".to_owned())
    );
}

#[actix_web::test]
async fn the_status_of_many_is_answered_by_id_for_those_who_exist() {
    let api = Api::create().await;
    let [ana, ben, caro] =
        [api.create_user().await, api.create_user().await, api.create_user().await];
    let [dora, sue] = [api.create_user().await, create_user_with_approval(&api).await];
    follow(&api, &ana, &ben).await;
    follow(&api, &ben, &ana).await;
    follow(&api, &ana, &sue).await;
    block(&api, &ana, &caro).await;
    let everybody = [
        user_id(&ben),
        user_id(&caro),
        user_id(&dora),
        user_id(&sue),
        user_id(&ben),
        UNKNOWN_USER_ID,
        -1,
    ];

    let many = ask(&api, &ana, &json!({"user_ids": everybody})).await.expect(200).data();

    let expected = json!({
        user_id(&ben).to_string(): expected_status(Some("active"), Some("active")),
        user_id(&caro).to_string(): expected_status(None, Some("blocked")),
        user_id(&dora).to_string(): expected_status(None, None),
        user_id(&sue).to_string(): expected_status(Some("pending"), None),
    });
    assert_eq!(many, expected);
    for other in [&ben, &caro, &dora, &sue] {
        assert_eq!(many[user_id(other).to_string()], get_follow_status(&api, &ana, other).await);
    }
}

#[actix_web::test]
async fn a_hundred_are_asked_about_at_once_and_no_more() {
    let api = Api::create().await;
    let ana = api.create_user().await;
    let hundred: Vec<i64> = (UNKNOWN_USER_ID..NOBODY + 100).collect();
    let too_many: Vec<i64> = (UNKNOWN_USER_ID..NOBODY + 101).collect();

    let none = ask(&api, &ana, &json!({"user_ids": []})).await.expect(200).data();
    let unknown = ask(&api, &ana, &json!({"user_ids": hundred})).await.expect(200).data();
    let refused = ask(&api, &ana, &json!({"user_ids": too_many})).await;

    assert_eq!((none, unknown), (json!({}), json!({})));
    assert_eq!(problem_code_and_detail(&refused, 422).0, "validation_error");
    assert_eq!(
        error_details(&refused),
        json!({"fields": {"user_ids": "must name at most 100 people"}})
    );
}

#[actix_web::test]
async fn ids_that_are_none_are_refused_by_name() {
    let api = Api::create().await;
    let ana = api.create_user().await;

    for bad in [
        json!({}),
        json!({"user_ids": null}),
        json!({"user_ids": 7}),
        json!({"user_ids": ["7"]}),
        json!({"user_ids": [1.5]}),
        json!({"user_ids": [9_223_372_036_854_775_808_u64]}),
    ] {
        let refused = ask(&api, &ana, &bad).await;
        assert_eq!(problem_code_and_detail(&refused, 422).0, "validation_error", "{bad}");
        assert!(
            error_details(&refused)["fields"]["user_ids"].is_string(),
            "{bad}: {}",
            error_details(&refused)
        );
    }
}

async fn ask(api: &Api, actor: &Caller, body: &Value) -> grateful_testkit::ApiResponse {
    api.post(&follow_path("status")).by(actor).json(body).send().await
}
