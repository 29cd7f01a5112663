//! `/api/v1/posts/{id}/share`.

use chrono::TimeDelta;
use grateful_testkit::{Api, ApiResponse, Caller, a_post, block, load_engagement};
use serde_json::{Value, json};

use crate::support::{
    NOON, error_details, invalid_fields, post_subpath, problem_code_and_detail, sorted_keys,
};

#[actix_web::test]
async fn a_link_share_is_not_enveloped_and_has_the_url_of_the_front_end() {
    let (api, [ana]) = Api::with_users().await;
    let post = a_post().insert_into(api.database()).await.id;

    let response = share(&api, &ana, post, &json!({"share_method": "url"})).await.expect(201);

    let share = response.json();
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
    assert_eq!(response.header("content-type"), Some("application/json"));
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
async fn sharing_a_link_again_returns_201_with_the_first_share() {
    let (api, [ana]) = Api::with_users().await;
    let post = a_post().insert_into(api.database()).await.id;
    let link = json!({"share_method": "url"});
    let first = share(&api, &ana, post, &link).await.expect(201).json();
    api.app.clock.advance(TimeDelta::hours(1));

    let second = share(&api, &ana, post, &link).await.expect(201).json();

    assert_eq!(second, first);
    assert_eq!(load_engagement(api.database(), post).await.shares, 1);
}

#[actix_web::test]
async fn a_link_share_accepts_null_recipients_and_message() {
    let (api, [ana]) = Api::with_users().await;
    let post = a_post().insert_into(api.database()).await.id;
    let body = json!({"share_method": "url", "recipient_ids": null, "message": null});

    share(&api, &ana, post, &body).await.expect(201);
}

/// A link reaches no recipient, so the message would be lost.
#[actix_web::test]
async fn a_link_share_with_recipients_or_a_message_is_rejected() {
    let (api, [ana, ben]) = Api::with_users().await;
    let post = a_post().insert_into(api.database()).await.id;
    let recipients = json!([i64::from(ben.user.id)]);

    let body = json!({"share_method": "url", "recipient_ids": recipients, "message": "Look!"});
    let response = share(&api, &ana, post, &body).await;

    assert_eq!(invalid_fields(&response), ["message", "recipient_ids"]);
    assert_eq!(api.database().count("shares").await, 0);
    let body = json!({"share_method": "url", "recipient_ids": [], "message": " "});
    share(&api, &ana, post, &body).await.expect(201);
}

#[actix_web::test]
async fn removing_a_link_share_returns_204_without_a_body() {
    let (api, [ana]) = Api::with_users().await;
    let post = a_post().insert_into(api.database()).await.id;
    share(&api, &ana, post, &json!({"share_method": "url"})).await.expect(201);

    let removed = api.delete(&post_subpath(post, "share")).by(&ana).send().await.expect(204);
    let again = api.delete(&post_subpath(post, "share")).by(&ana).send().await;

    assert_eq!(removed.body, b"");
    assert_eq!(
        problem_code_and_detail(&again, 404),
        ("not_found".into(), "Share not found".into())
    );
}

#[actix_web::test]
async fn a_message_share_has_the_message_and_the_recipient_count() {
    let (api, [ana, ben, eve]) = Api::with_users().await;
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
async fn a_blank_message_is_null() {
    let (api, [ana, ben]) = Api::with_users().await;
    let post = a_post().insert_into(api.database()).await.id;

    for message in [json!(null), json!(""), json!(" \r\n ")] {
        let body = json!({"share_method": "message", "recipient_ids": [i64::from(ben.user.id)], "message": message});
        let share = share(&api, &ana, post, &body).await.expect(201).json();
        assert_eq!(share["message_content"], json!(null));
    }
}

#[actix_web::test]
async fn invalid_recipients_are_rejected() {
    let (api, [ana, ben]) = Api::with_users().await;
    let post = a_post().insert_into(api.database()).await.id;
    let sender = i64::from(ana.user.id);

    for ids in [
        json!([]),
        json!(null),
        json!([sender]),
        json!([i64::from(ben.user.id), sender]),
        json!([101, 102, 103, 104, 105, 106]),
        json!("7"),
        json!(["7"]),
        json!([7.5]),
        json!([9_223_372_036_854_775_808_u64]),
    ] {
        let body = json!({"share_method": "message", "recipient_ids": ids});
        let response = share(&api, &ana, post, &body).await;
        assert_eq!(invalid_fields(&response), ["recipient_ids"], "{ids}");
    }
    assert_eq!(api.database().count("shares").await, 0);
}

#[actix_web::test]
async fn all_invalid_fields_of_a_share_are_reported() {
    let (api, [ana]) = Api::with_users().await;
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
        let response = share(&api, &ana, post, &body).await;
        assert_eq!(invalid_fields(&response), fields, "{body}");
    }
}

#[actix_web::test]
async fn an_unknown_recipient_is_not_found_and_a_blocked_one_is_forbidden() {
    let (api, [ana, ben, eve]) = Api::with_users().await;
    let post = a_post().insert_into(api.database()).await.id;
    block(api.database(), ben.user.id, ana.user.id).await;
    block(api.database(), ana.user.id, eve.user.id).await;

    let unknown = share(&api, &ana, post, &message_share(i64::MAX)).await;
    assert_eq!(
        problem_code_and_detail(&unknown, 404),
        ("not_found".into(), "User not found".into())
    );
    for caller in [&ben, &eve] {
        let response = share(&api, &ana, post, &message_share(caller.user.id)).await;
        assert_eq!(problem_code_and_detail(&response, 403).0, "permission_denied");
        assert_eq!(error_details(&response), json!({"resource": "user", "action": "share"}));
    }
    assert_eq!(load_engagement(api.database(), post).await.shares, 0);
}

#[actix_web::test]
async fn a_private_post_cannot_be_shared_by_its_author() {
    let (api, [ana]) = Api::with_users().await;
    let post = a_post().by(ana.user.id).private().insert_into(api.database()).await.id;

    let response = share(&api, &ana, post, &json!({"share_method": "url"})).await;

    let detail = "This post cannot be shared due to privacy settings.";
    assert_eq!(
        problem_code_and_detail(&response, 400),
        ("business_logic_error".into(), detail.into())
    );
    assert_eq!(error_details(&response), json!({"constraint": "private_post"}));
}

#[actix_web::test]
async fn the_21st_message_share_within_an_hour_gets_429() {
    let (api, [ana, ben]) = Api::with_users().await;
    let post = a_post().insert_into(api.database()).await.id;
    for _ in 0..20 {
        share(&api, &ana, post, &message_share(ben.user.id)).await.expect(201);
    }
    api.app.clock.advance(TimeDelta::minutes(59) + TimeDelta::milliseconds(1));

    let response = share(&api, &ana, post, &message_share(ben.user.id)).await;

    assert_eq!(problem_code_and_detail(&response, 429).0, "rate_limit_exceeded");
    // The remaining 59.999 s are rounded up, so that a retry after 60 s is not too early.
    assert_eq!(error_details(&response), json!({"limit": 20, "retry_after": 60}));
    assert_eq!(response.header("retry-after"), Some("60"));
    assert_eq!(response.header("ratelimit"), Some(r#""shares";r=0;t=60"#));
    assert_eq!(response.header("ratelimit-policy"), Some(r#""shares";q=20;w=3600"#));
    share(&api, &ana, post, &json!({"share_method": "url"})).await.expect(201);
}

#[actix_web::test]
async fn a_retry_gets_the_first_share() {
    let (api, [ana, ben]) = Api::with_users().await;
    let post = a_post().insert_into(api.database()).await.id;
    let send = async |body: &Value| {
        let request =
            api.post(&post_subpath(post, "share")).by(&ana).header("Idempotency-Key", "k");
        request.json(body).send().await
    };

    let first = send(&message_share(ben.user.id)).await.expect(201);
    let again = send(&message_share(ben.user.id)).await.expect(201);
    let other = send(&json!({"share_method": "url"})).await;

    assert_eq!(again.json(), first.json());
    assert_eq!(first.header("idempotent-replayed"), None);
    assert_eq!(again.header("idempotent-replayed"), Some("true"));
    assert_eq!(invalid_fields(&other), ["Idempotency-Key"]);
    assert_eq!(api.database().count("shares").await, 1);
}

async fn share(
    api: &Api,
    caller: &Caller,
    post: impl std::fmt::Display,
    body: &Value,
) -> ApiResponse {
    api.post(&post_subpath(post, "share")).by(caller).json(body).send().await
}

/// Returns the body of a share with a message to this recipient.
fn message_share(recipient: impl Into<i64>) -> Value {
    json!({"share_method": "message", "recipient_ids": [recipient.into()], "message": "Hi"})
}
