//! `/follows/{id}/status` and `/follows/status`.

use grateful_testkit::{Api, Caller};
use serde_json::{Value, json};

use crate::support::{NOBODY, block, details, edges, follow, follows, id, problem, shy, status};

#[actix_web::test]
async fn what_two_people_are_to_each_other_is_told_from_where_one_stands() {
    let api = Api::create().await;
    let [ana, ben] = [api.create_user().await, api.create_user().await];

    assert_eq!(status(&api, &ana, &ben).await, edges(None, None));
    follow(&api, &ana, &ben).await;
    assert_eq!(status(&api, &ana, &ben).await, edges(Some("active"), None));
    assert_eq!(status(&api, &ben, &ana).await, edges(None, Some("active")));
    follow(&api, &ben, &ana).await;
    let mutual = json!({
        "is_following": true,
        "follow_status": "active",
        "is_followed_by": true,
        "reverse_status": "active",
        "is_mutual": true,
    });
    assert_eq!(status(&api, &ana, &ben).await, mutual);
}

#[actix_web::test]
async fn the_status_is_answered_across_a_block() {
    let api = Api::create().await;
    let [ana, ben] = [api.create_user().await, api.create_user().await];
    block(&api, &ana, &ben).await;

    assert_eq!(status(&api, &ana, &ben).await, edges(None, Some("blocked")));
    assert_eq!(status(&api, &ben, &ana).await, edges(Some("blocked"), None));
}

#[actix_web::test]
async fn nobody_has_no_status() {
    let api = Api::create().await;
    let ana = api.create_user().await;

    let refused = api.get(&follows(format!("{NOBODY}/status"))).by(&ana).send().await;

    assert_eq!(problem(&refused, 404), ("not_found".to_owned(), "User not found".to_owned()));
}

#[actix_web::test]
async fn the_status_of_many_is_answered_by_id_for_those_who_exist() {
    let api = Api::create().await;
    let [ana, ben, caro] =
        [api.create_user().await, api.create_user().await, api.create_user().await];
    let [dora, sue] = [api.create_user().await, shy(&api).await];
    follow(&api, &ana, &ben).await;
    follow(&api, &ben, &ana).await;
    follow(&api, &ana, &sue).await;
    block(&api, &ana, &caro).await;
    let everybody = [id(&ben), id(&caro), id(&dora), id(&sue), id(&ben), NOBODY, -1];

    let many = ask(&api, &ana, &json!({"user_ids": everybody})).await.expect(200).data();

    let expected = json!({
        id(&ben).to_string(): edges(Some("active"), Some("active")),
        id(&caro).to_string(): edges(None, Some("blocked")),
        id(&dora).to_string(): edges(None, None),
        id(&sue).to_string(): edges(Some("pending"), None),
    });
    assert_eq!(many, expected);
    for other in [&ben, &caro, &dora, &sue] {
        assert_eq!(many[id(other).to_string()], status(&api, &ana, other).await);
    }
}

#[actix_web::test]
async fn a_hundred_are_asked_about_at_once_and_no_more() {
    let api = Api::create().await;
    let ana = api.create_user().await;
    let hundred: Vec<i64> = (NOBODY..NOBODY + 100).collect();
    let too_many: Vec<i64> = (NOBODY..NOBODY + 101).collect();

    let none = ask(&api, &ana, &json!({"user_ids": []})).await.expect(200).data();
    let unknown = ask(&api, &ana, &json!({"user_ids": hundred})).await.expect(200).data();
    let refused = ask(&api, &ana, &json!({"user_ids": too_many})).await;

    assert_eq!((none, unknown), (json!({}), json!({})));
    assert_eq!(problem(&refused, 422).0, "validation_error");
    assert_eq!(details(&refused), json!({"fields": {"user_ids": "must name at most 100 people"}}));
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
        assert_eq!(problem(&refused, 422).0, "validation_error", "{bad}");
        assert!(
            details(&refused)["fields"]["user_ids"].is_string(),
            "{bad}: {}",
            details(&refused)
        );
    }
}

async fn ask(api: &Api, who: &Caller, body: &Value) -> grateful_testkit::ApiResponse {
    api.post(&follows("status")).by(who).json(body).send().await
}
