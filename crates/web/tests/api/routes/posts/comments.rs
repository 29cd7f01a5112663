//! `/posts/{id}/comments` and `/comments`.

use actix_web::http::Method;
use chrono::TimeDelta;
use grateful_testkit::{Api, ApiResponse, Caller, a_comment, a_post, block, load_engagement};
use serde_json::{Value, json};

use crate::support::{
    MALFORMED_IDS, NOON, UNKNOWN_ID, assert_pagination, envelope_data, error_details, ids,
    insert_101_users, invalid_fields, post_subpath, problem_code_and_detail, sorted_keys,
};

#[actix_web::test]
async fn a_comment_is_answered_whole_in_an_envelope() {
    let api = Api::create().await;
    let ana = api.create_user().await;
    let post = a_post().insert_into(api.database()).await.id;

    let said = say(&api, &ana, post, &json!({"content": " Yes!\r\n💜\t "})).await.expect(201);

    let comment = envelope_data(&said);
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
    let listed = api.get(&post_subpath(post, "comments")).by(&ana).send().await.expect(200);
    assert_eq!(envelope_data(&listed), json!([comment]));
}

#[actix_web::test]
async fn an_answer_is_listed_below_what_it_answers_and_not_beside_it() {
    let api = Api::create().await;
    let ana = api.create_user().await;
    let post = a_post().insert_into(api.database()).await.id;
    let comment = said(&api, &ana, post, &json!({"content": "A"})).await;

    let response =
        said(&api, &ana, post, &json!({"content": "B", "parent_id": comment["id"]})).await;

    assert_eq!(response["parent_id"], comment["id"]);
    let listed = api.get(&post_subpath(post, "comments")).by(&ana).send().await.expect(200);
    let listed = envelope_data(&listed);
    assert_eq!(ids(&listed), [comment["id"].as_str().unwrap()]);
    assert_eq!(listed[0]["replies_count"], 1);
    let replies = api.get(&of(&comment["id"], "/replies")).by(&ana).send().await.expect(200);
    assert_eq!(envelope_data(&replies), json!([response]));
}

#[actix_web::test]
async fn what_is_no_comment_is_refused_with_every_failing_field() {
    let api = Api::create().await;
    let ana = api.create_user().await;
    let post = a_post().insert_into(api.database()).await.id;
    let long = "💜".repeat(501);

    for content in
        [json!(""), json!(" \r\n\t\u{a0}"), json!(null), json!(7), json!(long), json!("a\0b")]
    {
        let refused = say(&api, &ana, post, &json!({"content": content})).await;
        assert_eq!(invalid_fields(&refused), ["content"], "{content}");
    }
    let refused = say(&api, &ana, post, &json!({"parent_id": "x"})).await;
    assert_eq!(invalid_fields(&refused), ["content", "parent_id"]);
    let refused = say(&api, &ana, post, &json!({"content": "A", "parent_id": 7})).await;
    assert_eq!(invalid_fields(&refused), ["parent_id"]);
    say(&api, &ana, post, &json!({"content": "💜".repeat(500), "parent_id": null}))
        .await
        .expect(201);
    assert_eq!(load_engagement(api.database(), post).await.comments, 1);
}

#[actix_web::test]
async fn a_comment_of_another_post_is_not_there_to_answer() {
    let api = Api::create().await;
    let ana = api.create_user().await;
    let post = a_post().insert_into(api.database()).await.id;
    let elsewhere = a_comment().insert_into(api.database()).await.id.to_string();

    for parent in [&elsewhere, UNKNOWN_ID] {
        let refused = say(&api, &ana, post, &json!({"content": "A", "parent_id": parent})).await;
        assert_eq!(
            problem_code_and_detail(&refused, 404),
            ("not_found".into(), "Comment not found".into())
        );
        assert_eq!(error_details(&refused), json!({"resource": "comment", "id": parent}));
    }
    assert_eq!(load_engagement(api.database(), post).await.comments, 0);
}

#[actix_web::test]
async fn other_words_are_answered_with_the_whole_comment() {
    let api = Api::create().await;
    let ana = api.create_user().await;
    let post = a_post().insert_into(api.database()).await.id;
    let mut comment = said(&api, &ana, post, &json!({"content": "A"})).await;
    api.app.clock.advance(TimeDelta::seconds(1));

    let edited = api.patch(&of(&comment["id"], "")).by(&ana).json(&json!({"content": " B "}));
    let edited = envelope_data(&edited.send().await.expect(200));

    comment["content"] = json!("B");
    comment["updated_at"] = json!("2026-01-05T12:00:01.000000Z");
    assert_eq!(edited, comment);
}

#[actix_web::test]
async fn words_that_are_no_comment_do_not_replace_one() {
    let api = Api::create().await;
    let ana = api.create_user().await;
    let post = a_post().insert_into(api.database()).await.id;
    let comment = said(&api, &ana, post, &json!({"content": "A"})).await;

    for body in
        [json!({}), json!({"content": null}), json!({"content": " "}), json!({"content": 7})]
    {
        let refused = api.patch(&of(&comment["id"], "")).by(&ana).json(&body).send().await;
        assert_eq!(invalid_fields(&refused), ["content"], "{body}");
    }
    assert_eq!(api.database().count("comments WHERE content = 'A'").await, 1);
}

#[actix_web::test]
async fn a_comment_is_changed_by_its_author_and_deleted_by_them_and_the_posts_author() {
    let api = Api::create().await;
    let [ana, ben, eve] =
        [api.create_user().await, api.create_user().await, api.create_user().await];
    let post = a_post().by(ben.user.id).insert_into(api.database()).await.id;
    let [a, b] = [
        said(&api, &ana, post, &json!({"content": "A"})).await,
        said(&api, &ana, post, &json!({"content": "B"})).await,
    ];

    for caller in [&ben, &eve] {
        let request = api.patch(&of(&a["id"], "")).by(caller).json(&json!({"content": "C"}));
        let refused = request.send().await;
        assert_eq!(problem_code_and_detail(&refused, 403).0, "permission_denied");
        assert_eq!(error_details(&refused), json!({"resource": "comment", "action": "edit"}));
    }
    let refused = api.delete(&of(&a["id"], "")).by(&eve).send().await;
    assert_eq!(error_details(&refused), json!({"resource": "comment", "action": "delete"}));
    problem_code_and_detail(&refused, 403);

    for (comment, caller) in [(&a, &ana), (&b, &ben)] {
        let deleted = api.delete(&of(&comment["id"], "")).by(caller).send().await.expect(204);
        assert_eq!(deleted.body, b"");
        let again = api.delete(&of(&comment["id"], "")).by(caller).send().await;
        assert_eq!(
            problem_code_and_detail(&again, 404),
            ("not_found".into(), "Comment not found".into())
        );
    }
    assert_eq!(load_engagement(api.database(), post).await.comments, 0);
}

#[actix_web::test]
async fn comments_are_listed_oldest_first_in_pages_of_a_hundred() {
    let api = Api::create().await;
    let ana = api.create_user().await;
    let post = a_post().insert_into(api.database()).await;
    let first = said(&api, &ana, post.id, &json!({"content": "A"})).await;
    api.app.clock.advance(TimeDelta::seconds(1));
    let second = said(&api, &ana, post.id, &json!({"content": "B"})).await;
    let listed = api.get(&post_subpath(post.id, "comments")).by(&ana).send().await.expect(200);
    assert_eq!(envelope_data(&listed), json!([first, second]));

    let crowded = a_comment().insert_into(api.database()).await;
    let act = format!(
        "INSERT INTO comments (id, author_id, post_id, parent_id, content)
         SELECT gen_random_uuid(), id, '{}', '{}', 'A'",
        crowded.post, crowded.id
    );
    insert_101_users(&api, &act).await;
    assert_pagination(&api, &ana, &of(&json!(crowded.id.to_string()), "/replies"), envelope_data)
        .await;
    let top = format!(
        "UPDATE comments SET parent_id = NULL WHERE content = 'A' AND post_id = '{}'; DELETE FROM comments WHERE id = '{}'",
        crowded.post, crowded.id
    );
    api.database().execute(&top).await;
    assert_pagination(&api, &ana, &post_subpath(crowded.post, "comments"), envelope_data).await;
}

#[actix_web::test]
async fn a_post_that_one_may_not_see_has_no_comments() {
    let api = Api::create().await;
    let [ana, eve] = [api.create_user().await, api.create_user().await];
    let private = a_post().private().insert_into(api.database()).await;
    let by_eve = a_post().by(eve.user.id).insert_into(api.database()).await;
    let on_private = a_comment().by(private.author).on(&private).insert_into(api.database()).await;
    let on_eves = a_comment().on(&by_eve).insert_into(api.database()).await;
    block(api.database(), eve.user.id, ana.user.id).await;

    let posts = [private.id.to_string(), by_eve.id.to_string(), UNKNOWN_ID.to_owned()];
    let malformed = MALFORMED_IDS.map(str::to_owned);
    for post in posts.iter().chain(&malformed) {
        let said = say(&api, &ana, post, &json!({"content": "A"})).await;
        let listed = api.get(&post_subpath(post, "comments")).by(&ana).send().await;
        for refused in [said, listed] {
            assert_eq!(problem_code_and_detail(&refused, 404).1, "Post not found");
        }
    }
    let comments = [on_private.id.to_string(), on_eves.id.to_string(), UNKNOWN_ID.to_owned()];
    for comment in comments.iter().chain(&malformed) {
        let words = json!({"content": "A"});
        for (method, rest) in [(Method::GET, "/replies"), (Method::PATCH, ""), (Method::DELETE, "")]
        {
            let path = of(&json!(comment), rest);
            let request = api.request(method.clone(), &path).by(&ana);
            let request = if method == Method::PATCH { request.json(&words) } else { request };
            assert_eq!(problem_code_and_detail(&request.send().await, 404).1, "Comment not found");
        }
    }
}

#[actix_web::test]
async fn a_repeated_request_is_answered_with_the_first_comment_under_its_own_name() {
    let api = Api::create().await;
    let ana = api.create_user().await;
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

#[actix_web::test]
async fn without_a_token_nobody_comments() {
    let api = Api::create().await;
    let comment = a_comment().insert_into(api.database()).await;
    let id = json!(comment.id.to_string());

    api.post(&post_subpath(comment.post, "comments")).json_bytes("{").send().await.expect(401);
    api.get(&post_subpath(comment.post, "comments")).send().await.expect(401);
    api.get(&of(&id, "/replies")).send().await.expect(401);
    api.patch(&of(&id, "")).json_bytes("{").send().await.expect(401);
    api.delete(&of(&id, "")).send().await.expect(401);
}

async fn say(
    api: &Api,
    caller: &Caller,
    post: impl std::fmt::Display,
    body: &Value,
) -> ApiResponse {
    api.post(&post_subpath(post, "comments")).by(caller).json(body).send().await
}

async fn said(api: &Api, caller: &Caller, post: impl std::fmt::Display, body: &Value) -> Value {
    envelope_data(&say(api, caller, post, body).await.expect(201))
}

/// A path below a comment.
fn of(comment: &Value, rest: &str) -> String {
    format!("/api/v1/comments/{}{rest}", comment.as_str().unwrap())
}
