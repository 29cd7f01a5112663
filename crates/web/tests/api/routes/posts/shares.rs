//! `/posts/{id}/share`.

use chrono::TimeDelta;
use grateful_testkit::{Api, ApiResponse, Caller, a_post, block, load_engagement};
use serde_json::{Value, json};

use crate::support::{
    MALFORMED_IDS, NOON, UNKNOWN_ID, error_details, invalid_fields, post_subpath,
    problem_code_and_detail, sorted_keys,
};

#[actix_web::test]
async fn a_link_is_answered_bare_with_its_address_in_the_front_end() {
    let api = Api::create().await;
    let ana = api.create_user().await;
    let post = a_post().insert_into(api.database()).await.id;

    let shared = share(&api, &ana, post, &json!({"share_method": "url"})).await.expect(201);

    let share = shared.json();
    assert_eq!(
        sorted_keys(&share),
        [
            "created_at",
            "id",
            "message_content",
            "post_id",
            "recipient_count",
            "share_method",
            "share_url",
            "user_id"
        ]
    );
    assert_eq!(shared.header("content-type"), Some("application/json"));
    assert_eq!(share["share_url"], format!("http://localhost:3000/post/{post}"));
    assert_eq!(share["share_method"], "url");
    assert_eq!(
        (&share["recipient_count"], &share["message_content"]),
        (&json!(null), &json!(null))
    );
    assert_eq!(share["user_id"], i64::from(ana.user.id));
    assert_eq!(share["post_id"], post.to_string());
    assert_eq!(share["created_at"], NOON);
}

#[actix_web::test]
async fn a_second_link_is_created_too_and_is_the_first_one() {
    let api = Api::create().await;
    let ana = api.create_user().await;
    let post = a_post().insert_into(api.database()).await.id;
    let link = json!({"share_method": "url"});
    let first = share(&api, &ana, post, &link).await.expect(201).json();
    api.app.clock.advance(TimeDelta::hours(1));

    let second = share(&api, &ana, post, &link).await.expect(201).json();

    assert_eq!(second, first);
    assert_eq!(load_engagement(api.database(), post).await.shares, 1);
}

#[actix_web::test]
async fn a_link_asks_for_nobody_and_no_words() {
    let api = Api::create().await;
    let ana = api.create_user().await;
    let post = a_post().insert_into(api.database()).await.id;
    let body = json!({"share_method": "url", "recipient_ids": null, "message": null});

    share(&api, &ana, post, &body).await.expect(201);
}

#[actix_web::test]
async fn a_link_that_is_given_back_is_answered_with_nothing_at_all() {
    let api = Api::create().await;
    let ana = api.create_user().await;
    let post = a_post().insert_into(api.database()).await.id;
    share(&api, &ana, post, &json!({"share_method": "url"})).await.expect(201);

    let given_back = api.delete(&post_subpath(post, "share")).by(&ana).send().await.expect(204);
    let again = api.delete(&post_subpath(post, "share")).by(&ana).send().await;

    assert_eq!(given_back.body, b"");
    assert_eq!(
        problem_code_and_detail(&again, 404),
        ("not_found".into(), "Share not found".into())
    );
}

#[actix_web::test]
async fn a_message_is_answered_with_its_words_and_how_many_it_reaches() {
    let api = Api::create().await;
    let [ana, ben, eve] =
        [api.create_user().await, api.create_user().await, api.create_user().await];
    let post = a_post().insert_into(api.database()).await.id;
    let ids = [ben.user.id, eve.user.id, ben.user.id].map(i64::from);
    let body =
        json!({"share_method": "message", "recipient_ids": ids, "message": "  Look!\r\n💜 "});

    let share = share(&api, &ana, post, &body).await.expect(201).json();

    assert_eq!((&share["share_method"], &share["share_url"]), (&json!("message"), &json!(null)));
    assert_eq!(share["recipient_count"], 2);
    assert_eq!(share["message_content"], "Look!\n💜");
}

#[actix_web::test]
async fn blank_words_are_none() {
    let api = Api::create().await;
    let [ana, ben] = [api.create_user().await, api.create_user().await];
    let post = a_post().insert_into(api.database()).await.id;

    for message in [json!(null), json!(""), json!(" \r\n ")] {
        let body = json!({"share_method": "message", "recipient_ids": [i64::from(ben.user.id)], "message": message});
        let share = share(&api, &ana, post, &body).await.expect(201).json();
        assert_eq!(share["message_content"], json!(null));
    }
}

#[actix_web::test]
async fn recipients_who_are_none_or_too_many_or_oneself_are_refused() {
    let api = Api::create().await;
    let [ana, ben] = [api.create_user().await, api.create_user().await];
    let post = a_post().insert_into(api.database()).await.id;
    let me = i64::from(ana.user.id);

    for ids in [
        json!([]),
        json!(null),
        json!([me]),
        json!([i64::from(ben.user.id), me]),
        json!([101, 102, 103, 104, 105, 106]),
        json!("7"),
        json!(["7"]),
        json!([7.5]),
        json!([9_223_372_036_854_775_808_u64]),
    ] {
        let body = json!({"share_method": "message", "recipient_ids": ids});
        let refused = share(&api, &ana, post, &body).await;
        assert_eq!(invalid_fields(&refused), ["recipient_ids"], "{ids}");
    }
    assert_eq!(api.database().count("shares").await, 0);
}

#[actix_web::test]
async fn six_names_of_five_people_are_five() {
    let api = Api::create().await;
    let ana = api.create_user().await;
    let post = a_post().insert_into(api.database()).await.id;
    let mut ids = Vec::new();
    for _ in 0..5 {
        ids.push(i64::from(api.create_user().await.user.id));
    }
    ids.push(ids[0]);
    let body = json!({"share_method": "message", "recipient_ids": ids});

    let share = share(&api, &ana, post, &body).await.expect(201).json();

    assert_eq!(share["recipient_count"], 5);
}

#[actix_web::test]
async fn every_failing_field_is_named() {
    let api = Api::create().await;
    let ana = api.create_user().await;
    let post = a_post().insert_into(api.database()).await.id;
    let long = "💜".repeat(201);

    for (body, fields) in [
        (json!({}), &["recipient_ids", "share_method"][..]),
        (json!({"share_method": "mail", "recipient_ids": [2]}), &["share_method"]),
        (json!({"share_method": 1, "recipient_ids": [2]}), &["share_method"]),
        (
            json!({"share_method": "message", "recipient_ids": [], "message": long}),
            &["message", "recipient_ids"],
        ),
        (json!({"share_method": "message", "recipient_ids": [2], "message": "\0"}), &["message"]),
    ] {
        let refused = share(&api, &ana, post, &body).await;
        assert_eq!(invalid_fields(&refused), fields, "{body}");
    }
}

#[actix_web::test]
async fn an_unknown_recipient_is_not_found_and_one_across_a_block_forbidden() {
    let api = Api::create().await;
    let [ana, ben, eve] =
        [api.create_user().await, api.create_user().await, api.create_user().await];
    let post = a_post().insert_into(api.database()).await.id;
    block(api.database(), ben.user.id, ana.user.id).await;
    block(api.database(), ana.user.id, eve.user.id).await;

    let unknown = share(&api, &ana, post, &to(i64::MAX)).await;
    assert_eq!(
        problem_code_and_detail(&unknown, 404),
        ("not_found".into(), "User not found".into())
    );
    for caller in [&ben, &eve] {
        let refused = share(&api, &ana, post, &to(caller.user.id)).await;
        assert_eq!(problem_code_and_detail(&refused, 403).0, "permission_denied");
        assert_eq!(error_details(&refused), json!({"resource": "user", "action": "share"}));
    }
    assert_eq!(load_engagement(api.database(), post).await.shares, 0);
}

#[actix_web::test]
async fn ones_own_private_post_cannot_be_shared() {
    let api = Api::create().await;
    let ana = api.create_user().await;
    let post = a_post().by(ana.user.id).private().insert_into(api.database()).await.id;

    let refused = share(&api, &ana, post, &json!({"share_method": "url"})).await;

    let reason = "This post cannot be shared due to privacy settings.";
    assert_eq!(
        problem_code_and_detail(&refused, 400),
        ("business_logic_error".into(), reason.into())
    );
    assert_eq!(error_details(&refused), json!({"constraint": "private_post"}));
}

#[actix_web::test]
async fn a_post_that_one_may_not_see_is_not_there_to_share() {
    let api = Api::create().await;
    let [ana, eve] = [api.create_user().await, api.create_user().await];
    let private = a_post().private().insert_into(api.database()).await.id.to_string();
    let by_eve = a_post().by(eve.user.id).insert_into(api.database()).await.id.to_string();
    block(api.database(), eve.user.id, ana.user.id).await;

    let unseen = [&private, &by_eve, UNKNOWN_ID].into_iter().chain(MALFORMED_IDS);
    for post in unseen {
        let shared = share(&api, &ana, post, &json!({"share_method": "url"})).await;
        let given_back = api.delete(&post_subpath(post, "share")).by(&ana).send().await;
        for refused in [shared, given_back] {
            assert_eq!(
                problem_code_and_detail(&refused, 404),
                ("not_found".into(), "Post not found".into())
            );
        }
    }
}

#[actix_web::test]
async fn the_twenty_first_message_within_an_hour_is_told_when_to_come_back() {
    let api = Api::create().await;
    let [ana, ben] = [api.create_user().await, api.create_user().await];
    let post = a_post().insert_into(api.database()).await.id;
    for _ in 0..20 {
        share(&api, &ana, post, &to(ben.user.id)).await.expect(201);
    }
    api.app.clock.advance(TimeDelta::minutes(59) + TimeDelta::milliseconds(1));

    let refused = share(&api, &ana, post, &to(ben.user.id)).await;

    assert_eq!(problem_code_and_detail(&refused, 429).0, "rate_limit_exceeded");
    // 59.999 s are a little less than a minute: whoever comes back after 60 is not too early.
    assert_eq!(error_details(&refused), json!({"limit": 20, "retry_after": 60}));
    assert_eq!(refused.header("retry-after"), Some("60"));
    assert_eq!(refused.header("ratelimit"), Some(r#""shares";r=0;t=60"#));
    assert_eq!(refused.header("ratelimit-policy"), Some(r#""shares";q=20;w=3600"#));
    share(&api, &ana, post, &json!({"share_method": "url"})).await.expect(201);
}

#[actix_web::test]
async fn a_repeated_request_is_answered_with_the_first_share() {
    let api = Api::create().await;
    let [ana, ben] = [api.create_user().await, api.create_user().await];
    let post = a_post().insert_into(api.database()).await.id;
    let send = async |body: &Value| {
        let request =
            api.post(&post_subpath(post, "share")).by(&ana).header("Idempotency-Key", "k");
        request.json(body).send().await
    };

    let first = send(&to(ben.user.id)).await.expect(201);
    let again = send(&to(ben.user.id)).await.expect(201);
    let other = send(&json!({"share_method": "url"})).await;

    assert_eq!(again.json(), first.json());
    assert_eq!(first.header("idempotent-replayed"), None);
    assert_eq!(again.header("idempotent-replayed"), Some("true"));
    assert_eq!(invalid_fields(&other), ["Idempotency-Key"]);
    assert_eq!(api.database().count("shares").await, 1);
}

#[actix_web::test]
async fn without_a_token_nobody_shares() {
    let api = Api::create().await;
    let post = a_post().insert_into(api.database()).await.id;

    api.post(&post_subpath(post, "share")).json_bytes("{").send().await.expect(401);
    api.delete(&post_subpath(post, "share")).send().await.expect(401);
}

async fn share(
    api: &Api,
    caller: &Caller,
    post: impl std::fmt::Display,
    body: &Value,
) -> ApiResponse {
    api.post(&post_subpath(post, "share")).by(caller).json(body).send().await
}

/// A message to somebody.
fn to(recipient: impl Into<i64>) -> Value {
    json!({"share_method": "message", "recipient_ids": [recipient.into()], "message": "Hi"})
}
