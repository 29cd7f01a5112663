//! `/api/v1/posts/{id}/reactions`.

use chrono::TimeDelta;
use grateful_domain::Emoji;
use grateful_testkit::{Api, a_post};
use serde_json::{Value, json};

use crate::support::{
    NOON, assert_pagination, envelope_data, insert_101_users, invalid_fields, post_subpath,
    problem_code_and_detail, sorted_keys,
};

#[actix_web::test]
async fn a_reaction_is_enveloped_and_has_all_fields() {
    let (api, [ana]) = Api::with_users().await;
    let post = a_post().insert_into(api.database()).await.id;

    let response = react(&api, &ana, post, "hug").await.expect(201);

    let reaction = envelope_data(&response);
    assert_eq!(
        sorted_keys(&reaction),
        ["created_at", "emoji_code", "emoji_display", "id", "post_id", "user", "user_id"]
    );
    assert_eq!(reaction["user_id"], i64::from(ana.user.id));
    assert_eq!(reaction["post_id"], post.to_string());
    assert_eq!(
        (&reaction["emoji_code"], &reaction["emoji_display"]),
        (&json!("hug"), &json!("🤗"))
    );
    assert_eq!(reaction["created_at"], NOON);
    let user = json!({
        "id": i64::from(ana.user.id),
        "username": ana.user.username.as_str(),
        "display_name": null,
        "profile_image_url": null,
    });
    assert_eq!(reaction["user"], user);
    let list = api.get(&post_subpath(post, "reactions")).by(&ana).send().await.expect(200);
    assert_eq!(envelope_data(&list), json!([reaction]));
}

#[actix_web::test]
async fn changing_a_reaction_returns_201_and_keeps_its_id_and_time() {
    let (api, [ana]) = Api::with_users().await;
    let post = a_post().insert_into(api.database()).await.id;
    let hug = envelope_data(&react(&api, &ana, post, "hug").await.expect(201));
    api.app.clock.advance(TimeDelta::hours(1));

    let fire = envelope_data(&react(&api, &ana, post, "fire").await.expect(201));

    assert_eq!((&fire["id"], &fire["created_at"]), (&hug["id"], &hug["created_at"]));
    assert_eq!(fire["emoji_code"], "fire");
}

#[actix_web::test]
async fn removing_a_reaction_returns_204_without_a_body() {
    let (api, [ana]) = Api::with_users().await;
    let post = a_post().insert_into(api.database()).await.id;
    react(&api, &ana, post, "hug").await.expect(201);

    let removed = api.delete(&post_subpath(post, "reactions")).by(&ana).send().await.expect(204);
    let again = api.delete(&post_subpath(post, "reactions")).by(&ana).send().await;

    assert_eq!(removed.body, b"");
    assert_eq!(removed.header("content-type"), None);
    assert_eq!(
        problem_code_and_detail(&again, 404),
        ("not_found".into(), "Reaction not found".into())
    );
}

#[actix_web::test]
async fn exactly_the_known_emoji_codes_are_accepted() {
    let (api, [ana]) = Api::with_users().await;
    let post = a_post().insert_into(api.database()).await.id;

    for emoji in Emoji::ALL {
        let reaction = envelope_data(&react(&api, &ana, post, emoji.code()).await.expect(201));
        assert_eq!(reaction["emoji_display"], emoji.display());
    }
    for code in [
        json!("smile"),
        json!("HUG"),
        json!(""),
        json!("🤗"),
        json!("hug\0"),
        json!(7),
        json!(null),
    ] {
        let body = json!({"emoji_code": code});
        let response = api.post(&post_subpath(post, "reactions")).by(&ana).json(&body).send().await;
        assert_eq!(invalid_fields(&response), ["emoji_code"], "{code}");
    }
    for body in ["{}", r#"{"emoji": "hug"}"#] {
        let response =
            api.post(&post_subpath(post, "reactions")).by(&ana).json_bytes(body).send().await;
        assert_eq!(invalid_fields(&response), ["emoji_code"], "{body}");
    }
    for body in ["", "hug", "[]", r#""hug""#] {
        let response =
            api.post(&post_subpath(post, "reactions")).by(&ana).json_bytes(body).send().await;
        assert_eq!(invalid_fields(&response), ["body"], "{body}");
    }
}

#[actix_web::test]
async fn only_a_post_can_be_the_object_of_a_reaction() {
    let (api, [ana]) = Api::with_users().await;
    let post = a_post().insert_into(api.database()).await.id;
    let react = async |object_type: Value| {
        let body = json!({"emoji_code": "hug", "object_type": object_type});
        api.post(&post_subpath(post, "reactions")).by(&ana).json(&body).send().await
    };

    for object_type in [json!("comment"), json!("Post"), json!(""), json!(1)] {
        let response = react(object_type.clone()).await;
        assert_eq!(invalid_fields(&response), ["object_type"], "{object_type}");
    }
    assert_eq!(api.database().count("emoji_reactions").await, 0);
    for object_type in [json!("post"), json!(null)] {
        react(object_type).await.expect(201);
    }
}

#[actix_web::test]
async fn the_error_for_an_unknown_code_lists_the_known_ones() {
    let (api, [ana]) = Api::with_users().await;
    let post = a_post().insert_into(api.database()).await.id;

    let response = react(&api, &ana, post, "smile").await;

    let (_, detail) = problem_code_and_detail(&response, 422);
    assert!(detail.starts_with("emoji_code: must be one of heart_eyes, "), "{detail}");
}

#[actix_web::test]
async fn the_summary_counts_used_emojis_only() {
    let (api, [ana, ben, eve]) = Api::with_users().await;
    let post = a_post().insert_into(api.database()).await.id;
    let summary = async || {
        let response =
            api.get(&post_subpath(post, "reactions/summary")).by(&ana).send().await.expect(200);
        envelope_data(&response)
    };
    let empty = summary().await;
    for (caller, code) in [(&ana, "hug"), (&ben, "fire"), (&eve, "hug")] {
        react(&api, caller, post, code).await.expect(201);
    }

    assert_eq!(empty, json!({"total_count": 0, "emoji_counts": {}, "user_reaction": null}));
    let counts = json!({"hug": 2, "fire": 1});
    assert_eq!(
        summary().await,
        json!({"total_count": 3, "emoji_counts": counts, "user_reaction": "hug"})
    );
}

#[actix_web::test]
async fn reactions_are_listed_newest_first_and_paginated() {
    let (api, [ana, ben]) = Api::with_users().await;
    let post = a_post().insert_into(api.database()).await.id;
    react(&api, &ana, post, "hug").await.expect(201);
    api.app.clock.advance(TimeDelta::seconds(1));
    react(&api, &ben, post, "hug").await.expect(201);
    let list =
        envelope_data(&api.get(&post_subpath(post, "reactions")).by(&ana).send().await.expect(200));
    let username_at = |index: usize| list[index]["user"]["username"].as_str().unwrap();
    assert_eq!(
        [username_at(0), username_at(1)],
        [ben.user.username.as_str(), ana.user.username.as_str()]
    );

    let other_post = a_post().insert_into(api.database()).await.id;
    let insert = format!(
        "INSERT INTO emoji_reactions (id, user_id, post_id, emoji_code)
         SELECT gen_random_uuid(), id, '{other_post}', 'hug'"
    );
    insert_101_users(&api, &insert).await;
    assert_pagination(&api, &ana, &post_subpath(other_post, "reactions"), envelope_data).await;
}

#[actix_web::test]
async fn reactions_require_a_token_before_the_body_is_parsed() {
    let api = Api::create().await;
    let post = a_post().insert_into(api.database()).await.id;

    api.post(&post_subpath(post, "reactions")).json_bytes("{").send().await.expect(401);
    api.delete(&post_subpath(post, "reactions")).send().await.expect(401);
    api.get(&post_subpath(post, "reactions")).send().await.expect(401);
    api.get(&post_subpath(post, "reactions/summary")).send().await.expect(401);
}

async fn react(
    api: &Api,
    caller: &grateful_testkit::Caller,
    post: impl std::fmt::Display,
    code: &str,
) -> grateful_testkit::ApiResponse {
    let body: Value = json!({"emoji_code": code});
    api.post(&post_subpath(post, "reactions")).by(caller).json(&body).send().await
}
