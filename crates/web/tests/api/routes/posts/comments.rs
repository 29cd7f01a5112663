//! `/api/v1/posts/{id}/comments` and `/api/v1/comments`.

use chrono::TimeDelta;
use grateful_testkit::{Api, ApiResponse, Caller, a_comment, a_post, block, load_engagement};
use serde_json::{Value, json};

use crate::support::{
    NOON, UNKNOWN_ID, assert_pagination, envelope_data, error_details, ids, insert_101_users,
    invalid_fields, post_subpath, problem_code_and_detail, sorted_keys,
};

#[actix_web::test]
async fn a_created_comment_is_enveloped_and_has_all_fields() {
    let (api, [ana]) = Api::with_users().await;
    let post = a_post().insert_into(api.database()).await.id;

    let response =
        post_comment(&api, &ana, post, &json!({"content": " Yes!\r\n💜\t "})).await.expect(201);

    let comment = envelope_data(&response);
    assert_eq!(
        sorted_keys(&comment),
        [
            "author",
            "content",
            "created_at",
            "id",
            "parent_id",
            "post_id",
            "replies_count",
            "updated_at"
        ]
    );
    let author = ["display_name", "id", "image", "name", "profile_image_url", "username"];
    assert_eq!(sorted_keys(&comment["author"]), author);
    assert_eq!(comment["author"]["name"], ana.user.username.as_str());
    assert_eq!(comment["content"], "Yes!\n💜");
    assert_eq!(comment["post_id"], post.to_string());
    assert_eq!((&comment["parent_id"], &comment["updated_at"]), (&json!(null), &json!(null)));
    assert_eq!(comment["replies_count"], 0);
    assert_eq!(comment["created_at"], NOON);
    let list = api.get(&post_subpath(post, "comments")).by(&ana).send().await.expect(200);
    assert_eq!(envelope_data(&list), json!([comment]));
}

#[actix_web::test]
async fn a_reply_is_listed_below_its_parent_only() {
    let (api, [ana]) = Api::with_users().await;
    let post = a_post().insert_into(api.database()).await.id;
    let comment = create_comment(&api, &ana, post, &json!({"content": "A"})).await;

    let reply =
        create_comment(&api, &ana, post, &json!({"content": "B", "parent_id": comment["id"]}))
            .await;

    assert_eq!(reply["parent_id"], comment["id"]);
    let list = api.get(&post_subpath(post, "comments")).by(&ana).send().await.expect(200);
    let list = envelope_data(&list);
    assert_eq!(ids(&list), [comment["id"].as_str().unwrap()]);
    assert_eq!(list[0]["replies_count"], 1);
    let replies =
        api.get(&comment_path(&comment["id"], "/replies")).by(&ana).send().await.expect(200);
    assert_eq!(envelope_data(&replies), json!([reply]));
}

#[actix_web::test]
async fn all_invalid_fields_of_a_new_comment_are_reported() {
    let (api, [ana]) = Api::with_users().await;
    let post = a_post().insert_into(api.database()).await.id;
    let long = "💜".repeat(501);

    for content in
        [json!(""), json!(" \r\n\t\u{a0}"), json!(null), json!(7), json!(long), json!("a\0b")]
    {
        let response = post_comment(&api, &ana, post, &json!({"content": content})).await;
        assert_eq!(invalid_fields(&response), ["content"], "{content}");
    }
    let response = post_comment(&api, &ana, post, &json!({"parent_id": "x"})).await;
    assert_eq!(invalid_fields(&response), ["content", "parent_id"]);
    let response = post_comment(&api, &ana, post, &json!({"content": "A", "parent_id": 7})).await;
    assert_eq!(invalid_fields(&response), ["parent_id"]);
    post_comment(&api, &ana, post, &json!({"content": "💜".repeat(500), "parent_id": null}))
        .await
        .expect(201);
    assert_eq!(load_engagement(api.database(), post).await.comments, 1);
}

#[actix_web::test]
async fn replying_to_a_comment_of_another_post_is_not_found() {
    let (api, [ana]) = Api::with_users().await;
    let post = a_post().insert_into(api.database()).await.id;
    let other_comment = a_comment().insert_into(api.database()).await.id.to_string();

    for parent in [&other_comment, UNKNOWN_ID] {
        let response =
            post_comment(&api, &ana, post, &json!({"content": "A", "parent_id": parent})).await;
        assert_eq!(
            problem_code_and_detail(&response, 404),
            ("not_found".into(), "Comment not found".into())
        );
        assert_eq!(error_details(&response), json!({"resource": "comment", "id": parent}));
    }
    assert_eq!(load_engagement(api.database(), post).await.comments, 0);
}

#[actix_web::test]
async fn an_edit_returns_the_whole_comment() {
    let (api, [ana]) = Api::with_users().await;
    let post = a_post().insert_into(api.database()).await.id;
    let mut comment = create_comment(&api, &ana, post, &json!({"content": "A"})).await;
    api.app.clock.advance(TimeDelta::seconds(1));

    let edited =
        api.patch(&comment_path(&comment["id"], "")).by(&ana).json(&json!({"content": " B "}));
    let edited = envelope_data(&edited.send().await.expect(200));

    comment["content"] = json!("B");
    comment["updated_at"] = json!("2026-01-05T12:00:01.000000Z");
    assert_eq!(edited, comment);
}

#[actix_web::test]
async fn an_invalid_edit_is_rejected() {
    let (api, [ana]) = Api::with_users().await;
    let post = a_post().insert_into(api.database()).await.id;
    let comment = create_comment(&api, &ana, post, &json!({"content": "A"})).await;

    for body in [
        json!({}),
        json!({"content": null}),
        json!({"content": " \u{200b}"}),
        json!({"content": 7}),
    ] {
        let response =
            api.patch(&comment_path(&comment["id"], "")).by(&ana).json(&body).send().await;
        assert_eq!(invalid_fields(&response), ["content"], "{body}");
    }
    assert_eq!(api.database().count("comments WHERE content = 'A'").await, 1);
}

#[actix_web::test]
async fn the_author_may_edit_a_comment_and_the_post_author_may_also_delete_it() {
    let (api, [ana, ben, eve]) = Api::with_users().await;
    let post = a_post().by(ben.user.id).insert_into(api.database()).await.id;
    let [a, b] = [
        create_comment(&api, &ana, post, &json!({"content": "A"})).await,
        create_comment(&api, &ana, post, &json!({"content": "B"})).await,
    ];

    for caller in [&ben, &eve] {
        let request =
            api.patch(&comment_path(&a["id"], "")).by(caller).json(&json!({"content": "C"}));
        let response = request.send().await;
        assert_eq!(problem_code_and_detail(&response, 403).0, "permission_denied");
        assert_eq!(error_details(&response), json!({"resource": "comment", "action": "edit"}));
    }
    let response = api.delete(&comment_path(&a["id"], "")).by(&eve).send().await;
    assert_eq!(error_details(&response), json!({"resource": "comment", "action": "delete"}));
    problem_code_and_detail(&response, 403);

    for (comment, caller) in [(&a, &ana), (&b, &ben)] {
        let deleted =
            api.delete(&comment_path(&comment["id"], "")).by(caller).send().await.expect(204);
        assert_eq!(deleted.body, b"");
        let again = api.delete(&comment_path(&comment["id"], "")).by(caller).send().await;
        assert_eq!(
            problem_code_and_detail(&again, 404),
            ("not_found".into(), "Comment not found".into())
        );
    }
    assert_eq!(load_engagement(api.database(), post).await.comments, 0);
}

#[actix_web::test]
async fn comments_are_listed_oldest_first_and_paginated() {
    let (api, [ana]) = Api::with_users().await;
    let post = a_post().insert_into(api.database()).await;
    let first = create_comment(&api, &ana, post.id, &json!({"content": "A"})).await;
    api.app.clock.advance(TimeDelta::seconds(1));
    let second = create_comment(&api, &ana, post.id, &json!({"content": "B"})).await;
    let list = api.get(&post_subpath(post.id, "comments")).by(&ana).send().await.expect(200);
    assert_eq!(envelope_data(&list), json!([first, second]));

    let parent = a_comment().insert_into(api.database()).await;
    let replies = format!(
        "INSERT INTO comments (id, author_id, post_id, parent_id, content)
         SELECT gen_random_uuid(), id, '{}', '{}', 'A'",
        parent.post, parent.id
    );
    insert_101_users(&api, &replies).await;
    assert_pagination(
        &api,
        &ana,
        &comment_path(&json!(parent.id.to_string()), "/replies"),
        envelope_data,
    )
    .await;
    let make_top_level = format!(
        "UPDATE comments SET parent_id = NULL WHERE content = 'A' AND post_id = '{}'; DELETE FROM comments WHERE id = '{}'",
        parent.post, parent.id
    );
    api.database().execute(&make_top_level).await;
    assert_pagination(&api, &ana, &post_subpath(parent.post, "comments"), envelope_data).await;
}

#[actix_web::test]
async fn the_placeholder_of_a_comment_across_a_block_has_no_author_and_no_content() {
    let (api, [ana, eve, fay]) = Api::with_users().await;
    let post = a_post().by(ana.user.id).insert_into(api.database()).await.id;
    let secret = "Something rude";
    let by_eve = create_comment(&api, &eve, post, &json!({"content": secret})).await;
    let body = json!({"content": "No", "parent_id": by_eve["id"]});
    let by_fay = create_comment(&api, &fay, post, &body).await;
    let list = async |caller: &Caller| {
        let request = api.get(&post_subpath(post, "comments")).by(caller);
        envelope_data(&request.send().await.expect(200))
    };
    assert_eq!(list(&ana).await[0].get("hidden"), None);
    block(api.database(), ana.user.id, eve.user.id).await;

    let placeholder = json!({
        "id": by_eve["id"],
        "post_id": post.to_string(),
        "author": null,
        "parent_id": null,
        "content": null,
        "created_at": NOON,
        "updated_at": null,
        "replies_count": 1,
        "hidden": true,
    });
    assert_eq!(list(&ana).await, json!([placeholder]));
    let replies = api.get(&comment_path(&by_eve["id"], "/replies")).by(&ana).send().await;
    assert_eq!(envelope_data(&replies.expect(200)), json!([by_fay]));
    assert_eq!(list(&fay).await[0]["content"], secret);
    assert_eq!(list(&fay).await[0].get("hidden"), None);
}

#[actix_web::test]
async fn a_retry_gets_the_first_comment_with_a_new_request_id() {
    let (api, [ana]) = Api::with_users().await;
    let post = a_post().insert_into(api.database()).await.id;
    let send = async |content: &str| {
        let request =
            api.post(&post_subpath(post, "comments")).by(&ana).header("Idempotency-Key", "k");
        request.json(&json!({"content": content})).send().await
    };

    let first = send("A").await.expect(201);
    let again = send("A").await.expect(201);
    let other = send("B").await;

    assert_eq!(envelope_data(&again), envelope_data(&first));
    assert_ne!(again.header("x-request-id"), first.header("x-request-id"));
    assert_eq!(first.header("idempotent-replayed"), None);
    assert_eq!(again.header("idempotent-replayed"), Some("true"));
    assert_eq!(invalid_fields(&other), ["Idempotency-Key"]);
    assert_eq!(load_engagement(api.database(), post).await.comments, 1);
}

async fn post_comment(
    api: &Api,
    caller: &Caller,
    post: impl std::fmt::Display,
    body: &Value,
) -> ApiResponse {
    api.post(&post_subpath(post, "comments")).by(caller).json(body).send().await
}

async fn create_comment(
    api: &Api,
    caller: &Caller,
    post: impl std::fmt::Display,
    body: &Value,
) -> Value {
    envelope_data(&post_comment(api, caller, post, body).await.expect(201))
}

/// The path of a comment, or one below it.
fn comment_path(comment: &Value, rest: &str) -> String {
    format!("/api/v1/comments/{}{rest}", comment.as_str().unwrap())
}
