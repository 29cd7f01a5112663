//! `/api/v1/posts` and `/api/v1/posts/{id}`: creating, reading, editing and deleting posts.

mod comments;
mod etags;
mod feed;
mod hearts;
mod ranked_feed;
mod reactions;
mod shares;
mod trending;
mod upload;
mod view;

use chrono::TimeDelta;
use grateful_testkit::{Api, ApiRequest, ApiResponse, Caller, a_post, block};
use serde_json::{Value, json};

use crate::support::{
    AUTHOR_FIELDS, NOON, POST_FIELDS, UNKNOWN_ID, assert_problem, create_post, invalid_fields,
    post_path, sorted_keys,
};

const POSTS: &str = "/api/v1/posts/";
const IMAGE: &str = "/uploads/posts/01937b5e-7c2a-7000-8000-000000000001.jpg";

#[actix_web::test]
async fn a_created_post_is_not_enveloped_and_reads_back_the_same() {
    let (api, [ana]) = Api::with_users().await;

    let body = json!({"content": " For rain.\r\nAnd sun.\t"});
    let response = api.post(POSTS).by(&ana).json(&body).send().await.expect(201);

    let post = response.json();
    assert_eq!(response.header("content-type"), Some("application/json"));
    let expected = json!({
        "id": post["id"],
        "author_id": i64::from(ana.user.id),
        "title": null,
        "content": "For rain.\nAnd sun.",
        "post_type": "spontaneous",
        "image_url": null,
        "location": null,
        "is_public": true,
        "created_at": NOON,
        "updated_at": null,
        "author": {
            "id": i64::from(ana.user.id),
            "username": ana.user.username.as_str(),
            "display_name": null,
            "name": ana.user.username.as_str(),
            "image": null,
            "profile_image_url": null,
        },
        "hearts_count": 0,
        "reactions_count": 0,
        "shares_count": 0,
        "comments_count": 0,
        "is_hearted": false,
        "current_user_reaction": null,
    });
    assert_eq!(post, expected);
    let read = api.get(&post_path(post["id"].as_str().unwrap())).send().await.expect(200);
    assert_eq!(read.json(), post);
    assert_eq!(read.header("etag"), response.header("etag"));
}

#[actix_web::test]
async fn all_fields_of_a_new_post_are_stored() {
    let (api, [ana]) = Api::with_users().await;
    create_post_with_image(&api).await;

    let body = json!({
        "content": "For rain.",
        "post_type": "photo",
        "title": " Rain ",
        "image_url": IMAGE,
        "location": "Lisboa",
        "is_public": false,
    });
    let response = api.post(POSTS).by(&ana).json(&body).send().await.expect(201);

    let post = response.json();
    assert_eq!(sorted_keys(&post), POST_FIELDS);
    assert_eq!(sorted_keys(&post["author"]), AUTHOR_FIELDS);
    for (field, value) in [
        ("post_type", json!("photo")),
        ("title", json!("Rain")),
        ("image_url", json!(IMAGE)),
        ("location", json!("Lisboa")),
        ("is_public", json!(false)),
    ] {
        assert_eq!(post[field], value);
    }
}

#[actix_web::test]
async fn null_fields_of_a_new_post_count_as_absent_and_unknown_fields_are_ignored() {
    let (api, [ana]) = Api::with_users().await;

    let body = json!({
        "content": "For rain.",
        "post_type": null,
        "title": null,
        "image_url": null,
        "location": null,
        "is_public": null,
        "id": 7,
        "author_id": 7,
        "hearts_count": 99,
        "created_at": "1999-01-01T00:00:00Z",
        "": {},
    });
    let post = api.post(POSTS).by(&ana).json(&body).send().await.expect(201).json();

    assert_eq!(post["author_id"], i64::from(ana.user.id));
    assert_eq!((&post["title"], &post["is_public"]), (&Value::Null, &json!(true)));
    assert_eq!((&post["hearts_count"], &post["created_at"]), (&json!(0), &json!(NOON)));
}

#[actix_web::test]
async fn the_post_type_is_detected_if_absent() {
    let (api, [ana]) = Api::with_users().await;
    create_post_with_image(&api).await;
    let twenty_words = vec!["word"; 20].join(" ");

    for (body, post_type) in [
        (json!({"content": "For rain."}), "spontaneous"),
        (json!({"content": twenty_words}), "daily"),
        (json!({"content": "x".repeat(201)}), "daily"),
        (json!({"content": "For rain.", "image_url": IMAGE}), "photo"),
        (json!({"content": "For rain.", "image_url": "  "}), "spontaneous"),
        (json!({"content": "x".repeat(301), "image_url": IMAGE}), "daily"),
        (json!({"content": "For rain.", "post_type": "photo"}), "photo"),
    ] {
        let response = api.post(POSTS).by(&ana).json(&body).send().await.expect(201);
        assert_eq!(response.json()["post_type"], post_type, "{body}");
    }
}

#[actix_web::test]
async fn all_invalid_fields_of_a_new_post_are_reported_at_once() {
    let (api, [ana]) = Api::with_users().await;
    let all = ["content", "image_url", "is_public", "location", "post_type", "title"];

    for (body, fields) in [
        (json!({}), &["content"][..]),
        (json!({"content": null}), &["content"]),
        (json!({"content": " \r\n\t"}), &["content"]),
        (json!({"content": "\u{200b}\u{3164} \u{e0020}"}), &["content"]),
        (json!({"content": "a\u{0}b"}), &["content"]),
        (json!({"content": "\u{1b}[31m!"}), &["content"]),
        (json!({"content": "x".repeat(501)}), &["content"]),
        (json!({"content": "x".repeat(201), "post_type": "spontaneous"}), &["content"]),
        (json!({"content": "x".repeat(301), "post_type": "photo"}), &["content"]),
        (json!({"content": "x", "post_type": "Daily"}), &["post_type"]),
        (json!({"content": "x", "title": "t".repeat(101)}), &["title"]),
        (json!({"content": "x", "title": "two\nlines"}), &["title"]),
        (json!({"content": "x", "location": "l".repeat(101)}), &["location"]),
        (json!({"content": "x", "is_public": "true"}), &["is_public"]),
        (json!({"content": "x", "is_public": 1}), &["is_public"]),
        (json!({"content": "x", "image_url": "https://example.org/x.jpg"}), &["image_url"]),
        (json!({"content": "x", "image_url": IMAGE}), &["image_url"]),
        (
            json!({
                "content": 1, "post_type": 2, "title": [], "image_url": {}, "location": true,
                "is_public": "no",
            }),
            &all,
        ),
        (
            json!({
                "content": "", "post_type": "", "title": "\u{0}", "image_url": "/etc/passwd",
                "location": "\u{7}", "is_public": 0,
            }),
            &all,
        ),
    ] {
        let response = api.post(POSTS).by(&ana).json(&body).send().await;
        assert_eq!(invalid_fields(&response), fields, "{body}");
    }
    assert_eq!(api.database().count("posts").await, 0);
}

#[actix_web::test]
async fn the_length_is_counted_after_normalization() {
    let (api, [ana]) = Api::with_users().await;

    // Each é is two code points before normalization, each line break two before unification.
    let content = format!("{}\r\n{}", "e\u{301}".repeat(249), "💜".repeat(250));
    let body = json!({"content": content, "post_type": "daily"});
    let post = api.post(POSTS).by(&ana).json(&body).send().await.expect(201).json();

    assert_eq!(post["content"].as_str().unwrap().chars().count(), 500);
}

#[actix_web::test]
async fn a_post_shows_the_heart_and_the_reaction_of_the_viewer() {
    let (api, [ana, ben]) = Api::with_users().await;
    let post = a_post().insert_into(api.database()).await;
    let react = format!(
        "INSERT INTO likes (id, user_id, post_id) VALUES (gen_random_uuid(), {user}, '{post}');
         INSERT INTO emoji_reactions (id, user_id, post_id, emoji_code)
             VALUES (gen_random_uuid(), {user}, '{post}', 'hug');
         UPDATE posts SET hearts_count = 1, reactions_count = 1",
        user = ana.user.id,
        post = post.id,
    );
    api.database().execute(&react).await;

    let viewer_state = async |request: ApiRequest<'_>| {
        let post = request.send().await.expect(200).json();
        (
            post["hearts_count"].clone(),
            post["is_hearted"].clone(),
            post["current_user_reaction"].clone(),
        )
    };
    let path = post_path(post.id);

    assert_eq!(viewer_state(api.get(&path).by(&ana)).await, (json!(1), json!(true), json!("hug")));
    assert_eq!(viewer_state(api.get(&path).by(&ben)).await, (json!(1), json!(false), Value::Null));
    assert_eq!(viewer_state(api.get(&path)).await, (json!(1), json!(false), Value::Null));
}

#[actix_web::test]
async fn the_author_has_a_display_name_and_a_photo_if_set() {
    let api = Api::create().await;
    let post = a_post().insert_into(api.database()).await;
    let set_profile =
        "UPDATE users SET display_name = 'Ana Böhm', profile_image_url = '/uploads/a.jpg'";
    api.database().execute(set_profile).await;

    let author = api.get(&post_path(post.id)).send().await.expect(200).json()["author"].take();

    assert_eq!(
        (&author["name"], &author["display_name"]),
        (&json!("Ana Böhm"), &json!("Ana Böhm"))
    );
    assert_eq!(author["image"], "/uploads/a.jpg");
    assert_eq!(author["profile_image_url"], "/uploads/a.jpg");
}

#[actix_web::test]
async fn an_invisible_post_is_not_found() {
    let (api, [ana, ben]) = Api::with_users().await;
    let private = a_post().by(ana.user.id).private().insert_into(api.database()).await;
    let public = a_post().by(ana.user.id).insert_into(api.database()).await;
    block(api.database(), ana.user.id, ben.user.id).await;

    for id in [private.id.to_string(), public.id.to_string(), UNKNOWN_ID.to_owned()] {
        let path = post_path(&id);
        for request in [
            api.get(&path).by(&ben),
            api.patch(&path).by(&ben).json(&json!({"title": "x"})),
            api.delete(&path).by(&ben),
        ] {
            let details = assert_problem(&request.send().await, 404, "not_found");
            assert_eq!(details, json!({"resource": "post", "id": id}));
        }
    }
    api.get(&post_path(private.id)).send().await.expect(404);
    api.get(&post_path(private.id)).by(&ana).send().await.expect(200);
}

#[actix_web::test]
async fn a_malformed_id_is_not_found() {
    let (api, [ana]) = Api::with_users().await;

    for id in
        ["1", "x", "%00", "null", "99999999999999999999999", "..%2f..", "01937b5e", "%F0%9F%92%9C"]
    {
        let path = post_path(id);
        for request in [
            api.get(&path),
            api.get(&path).by(&ana),
            api.patch(&path).by(&ana).json(&json!({"title": "x"})),
            api.delete(&path).by(&ana),
        ] {
            assert_eq!(
                assert_problem(&request.send().await, 404, "not_found")["resource"],
                "post",
                "{id}"
            );
        }
    }
}

#[actix_web::test]
async fn an_invalid_token_is_rejected_even_where_none_is_required() {
    let api = Api::create().await;
    let post = a_post().insert_into(api.database()).await;

    let request = api.get(&post_path(post.id)).header("Authorization", "Bearer nonsense");

    assert_problem(&request.send().await, 401, "authentication_error");
}

#[actix_web::test]
async fn only_the_author_may_edit_or_delete_a_visible_post() {
    let (api, [ana, ben]) = Api::with_users().await;
    let path = post_path(a_post().by(ana.user.id).insert_into(api.database()).await.id);

    let edit = api.patch(&path).by(&ben).json(&json!({"title": "x"})).send().await;
    let deletion = api.delete(&path).by(&ben).send().await;

    let details = |action| json!({"resource": "post", "action": action});
    assert_eq!(assert_problem(&edit, 403, "permission_denied"), details("edit"));
    assert_eq!(assert_problem(&deletion, 403, "permission_denied"), details("delete"));
    api.get(&path).send().await.expect(200);
}

#[actix_web::test]
async fn an_edit_sets_given_fields_clears_null_fields_and_keeps_the_rest() {
    let (api, [ana]) = Api::with_users().await;
    let body = json!({"content": "For rain.", "title": "Rain", "location": "Lisboa"});
    let post = api.post(POSTS).by(&ana).json(&body).send().await.expect(201).json();
    let path = post_path(post["id"].as_str().unwrap());
    api.app.clock.advance(TimeDelta::minutes(1));

    let patch = json!({"content": "For sun.", "title": null, "unknown": 1});
    let edited = api.patch(&path).by(&ana).json(&patch).send().await.expect(200).json();

    let mut expected = post.clone();
    expected["content"] = json!("For sun.");
    expected["title"] = Value::Null;
    expected["updated_at"] = json!("2026-01-05T12:01:00.000000Z");
    assert_eq!(edited, expected);
    assert_eq!(api.get(&path).send().await.expect(200).json(), edited);
}

#[actix_web::test]
async fn a_private_privacy_level_wins_over_is_public() {
    let (api, [ana]) = Api::with_users().await;

    for (level, is_public, result) in [
        (json!("private"), json!(true), false),
        (json!("private"), json!(null), false),
        (json!("public"), json!(false), false),
        (json!("public"), json!(null), true),
        (json!(null), json!(false), false),
    ] {
        let body = json!({"content": "x", "privacy_level": level, "is_public": is_public});
        let post = api.post(POSTS).by(&ana).json(&body).send().await.expect(201).json();
        assert_eq!(post["is_public"], result, "{body}");
    }
    for level in [json!("custom"), json!("Private"), json!(""), json!("friends"), json!(0)] {
        let body = json!({"content": "x", "privacy_level": level});
        let response = api.post(POSTS).by(&ana).json(&body).send().await;
        assert_eq!(invalid_fields(&response), ["privacy_level"], "{body}");
    }
}

#[actix_web::test]
async fn an_edit_can_change_the_privacy_level() {
    let (api, [ana]) = Api::with_users().await;
    let path = post_path(create_post(&api, &ana, "For rain.").await);
    let edit = |patch: Value| {
        let request = api.patch(&path).by(&ana).json(&patch);
        async move { request.send().await }
    };

    for (patch, is_public) in [
        (json!({"privacy_level": "private", "is_public": true}), false),
        (json!({"privacy_level": "public"}), true),
        (json!({"privacy_level": "public", "is_public": false}), false),
        (json!({"title": "Rain"}), false),
        (json!({"is_public": true}), true),
        (json!({"privacy_level": "private"}), false),
    ] {
        let post = edit(patch.clone()).await.expect(200).json();
        assert_eq!(post["is_public"], is_public, "{patch}");
    }
    for level in [json!("custom"), json!(null), json!(1)] {
        let response = edit(json!({"privacy_level": level, "is_public": true})).await;
        assert_eq!(invalid_fields(&response), ["privacy_level"], "{level}");
    }
}

#[actix_web::test]
async fn a_blank_value_clears_an_optional_field() {
    let (api, [ana]) = Api::with_users().await;
    create_post_with_image(&api).await;
    let body =
        json!({"content": "For rain.", "title": "Rain", "location": "Lisboa", "image_url": IMAGE});
    let post = api.post(POSTS).by(&ana).json(&body).send().await.expect(201).json();
    let path = post_path(post["id"].as_str().unwrap());

    let patch = json!({"title": " ", "location": "", "image_url": ""});
    let edited = api.patch(&path).by(&ana).json(&patch).send().await.expect(200).json();

    for field in ["title", "location", "image_url"] {
        assert_eq!(edited[field], Value::Null, "{field}");
    }
}

#[actix_web::test]
async fn an_invalid_edit_is_rejected_and_required_fields_cannot_be_cleared() {
    let (api, [ana]) = Api::with_users().await;
    let path = post_path(create_post(&api, &ana, "For rain.").await);
    let before = api.get(&path).send().await.expect(200);

    for (patch, fields) in [
        (
            json!({"content": null, "post_type": null, "is_public": null}),
            &["content", "is_public", "post_type"][..],
        ),
        (json!({"content": "\u{2800}"}), &["content"]),
        (json!({"content": 1, "title": 2}), &["content", "title"]),
        (json!({"post_type": "weekly"}), &["post_type"]),
        (json!({"content": "x".repeat(201)}), &["content"]),
        (json!({"image_url": IMAGE}), &["image_url"]),
    ] {
        let response = api.patch(&path).by(&ana).json(&patch).send().await;
        assert_eq!(invalid_fields(&response), fields, "{patch}");
    }
    assert_eq!(api.get(&path).send().await.expect(200).json(), before.json());
}

#[actix_web::test]
async fn a_retry_with_the_same_key_gets_the_same_response_and_creates_nothing() {
    let (api, [ana]) = Api::with_users().await;
    let body = json!({"content": "For rain."});

    let first = create_with_key(&api, &ana, "k-1", &body).await.expect(201);
    let again = create_with_key(&api, &ana, "k-1", &body).await.expect(201);

    assert_eq!(again.body, first.body);
    assert_eq!(again.header("etag"), first.header("etag"));
    assert_eq!(again.header("content-type"), first.header("content-type"));
    assert_eq!(first.header("idempotent-replayed"), None);
    assert_eq!(again.header("idempotent-replayed"), Some("true"));
    assert_eq!(api.database().count("posts").await, 1);
}

#[actix_web::test]
async fn a_retry_may_differ_in_the_trailing_slash() {
    let (api, [ana]) = Api::with_users().await;
    let body = json!({"content": "For rain."});

    for path in ["/api/v1/posts", "/api/v1/posts/"] {
        let request = api.post(path).by(&ana).header("Idempotency-Key", "k").json(&body);
        request.send().await.expect(201);
    }

    assert_eq!(api.database().count("posts").await, 1);
}

#[actix_web::test]
async fn another_body_with_the_same_key_is_rejected() {
    let (api, [ana]) = Api::with_users().await;
    create_with_key(&api, &ana, "k", &json!({"content": "For rain."})).await.expect(201);

    let response = create_with_key(&api, &ana, "k", &json!({"content": "For sun."})).await;

    assert_eq!(invalid_fields(&response), ["Idempotency-Key"]);
    assert_eq!(api.database().count("posts").await, 1);
}

#[actix_web::test]
async fn a_key_in_use_by_another_request_is_a_conflict() {
    let (api, [ana]) = Api::with_users().await;
    let body = json!({"content": "For rain."});
    create_with_key(&api, &ana, "k", &body).await.expect(201);
    api.database().execute("UPDATE idempotency_keys SET answer = NULL").await;

    let response = create_with_key(&api, &ana, "k", &body).await;

    assert_eq!(assert_problem(&response, 409, "conflict"), json!({"resource": "idempotency_key"}));
}

#[actix_web::test]
async fn a_rejected_request_does_not_use_up_its_key() {
    let (api, [ana]) = Api::with_users().await;

    create_with_key(&api, &ana, "k", &json!({"content": ""})).await.expect(422);

    create_with_key(&api, &ana, "k", &json!({"content": "For rain."})).await.expect(201);
}

#[actix_web::test]
async fn a_key_has_1_to_64_visible_ascii_characters() {
    let (api, [ana]) = Api::with_users().await;
    let body = json!({"content": "For rain."});

    for key in ["", "a b", "a\tb", "ü", &"k".repeat(65)] {
        let response = create_with_key(&api, &ana, key, &body).await;
        assert_eq!(invalid_fields(&response), ["Idempotency-Key"], "{key}");
    }
    assert_eq!(api.database().count("posts").await, 0);
    create_with_key(&api, &ana, &"~".repeat(64), &body).await.expect(201);
}

async fn create_with_key(api: &Api, author: &Caller, key: &str, body: &Value) -> ApiResponse {
    api.post(POSTS).by(author).header("Idempotency-Key", key).json(body).send().await
}

/// Inserts a post with [`IMAGE`], so that it counts as uploaded here.
async fn create_post_with_image(api: &Api) {
    let author = api.create_user().await.user.id;
    a_post().by(author).private().with_image(IMAGE).insert_into(api.database()).await;
}
