//! `/posts/{id}/reactions`.

use actix_web::http::Method;
use chrono::TimeDelta;
use grateful_domain::Emoji;
use grateful_testkit::{Api, a_post, block};
use serde_json::{Value, json};

use crate::support::{
    MALFORMED_IDS, NOON, UNKNOWN_ID, assert_pagination, envelope_data, insert_101_users,
    invalid_fields, post_subpath, problem_code_and_detail, sorted_keys,
};

#[actix_web::test]
async fn a_reaction_is_answered_whole_in_an_envelope() {
    let api = Api::create().await;
    let ana = api.create_user().await;
    let post = a_post().insert_into(api.database()).await.id;

    let left = react(&api, &ana, post, "hug").await.expect(201);

    let reaction = envelope_data(&left);
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
    let listed = api.get(&post_subpath(post, "reactions")).by(&ana).send().await.expect(200);
    assert_eq!(envelope_data(&listed), json!([reaction]));
}

#[actix_web::test]
async fn a_changed_reaction_is_created_too_with_its_old_id_and_time() {
    let api = Api::create().await;
    let ana = api.create_user().await;
    let post = a_post().insert_into(api.database()).await.id;
    let hug = envelope_data(&react(&api, &ana, post, "hug").await.expect(201));
    api.app.clock.advance(TimeDelta::hours(1));

    let fire = envelope_data(&react(&api, &ana, post, "fire").await.expect(201));

    assert_eq!((&fire["id"], &fire["created_at"]), (&hug["id"], &hug["created_at"]));
    assert_eq!(fire["emoji_code"], "fire");
}

#[actix_web::test]
async fn a_reaction_that_is_taken_back_is_answered_with_nothing_at_all() {
    let api = Api::create().await;
    let ana = api.create_user().await;
    let post = a_post().insert_into(api.database()).await.id;
    react(&api, &ana, post, "hug").await.expect(201);

    let taken = api.delete(&post_subpath(post, "reactions")).by(&ana).send().await.expect(204);
    let again = api.delete(&post_subpath(post, "reactions")).by(&ana).send().await;

    assert_eq!(taken.body, b"");
    assert_eq!(taken.header("content-type"), None);
    assert_eq!(
        problem_code_and_detail(&again, 404),
        ("not_found".into(), "Reaction not found".into())
    );
}

#[actix_web::test]
async fn every_code_is_taken_and_no_other() {
    let api = Api::create().await;
    let ana = api.create_user().await;
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
        let refused = api.post(&post_subpath(post, "reactions")).by(&ana).json(&body).send().await;
        assert_eq!(invalid_fields(&refused), ["emoji_code"], "{code}");
    }
    for body in ["{}", r#"{"emoji": "hug"}"#] {
        let refused =
            api.post(&post_subpath(post, "reactions")).by(&ana).json_bytes(body).send().await;
        assert_eq!(invalid_fields(&refused), ["emoji_code"], "{body}");
    }
    for body in ["", "hug", "[]", r#""hug""#] {
        let refused =
            api.post(&post_subpath(post, "reactions")).by(&ana).json_bytes(body).send().await;
        assert_eq!(invalid_fields(&refused), ["body"], "{body}");
    }
}

#[actix_web::test]
async fn an_unknown_code_is_told_which_there_are() {
    let api = Api::create().await;
    let ana = api.create_user().await;
    let post = a_post().insert_into(api.database()).await.id;

    let refused = react(&api, &ana, post, "smile").await;

    let (_, detail) = problem_code_and_detail(&refused, 422);
    assert!(detail.starts_with("emoji_code: must be one of heart_eyes, "), "{detail}");
}

#[actix_web::test]
async fn a_summary_counts_what_was_left_and_leaves_out_what_was_not() {
    let api = Api::create().await;
    let [ana, ben, eve] =
        [api.create_user().await, api.create_user().await, api.create_user().await];
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
async fn reactions_are_listed_newest_first_in_pages_of_a_hundred() {
    let api = Api::create().await;
    let [ana, ben] = [api.create_user().await, api.create_user().await];
    let post = a_post().insert_into(api.database()).await.id;
    react(&api, &ana, post, "hug").await.expect(201);
    api.app.clock.advance(TimeDelta::seconds(1));
    react(&api, &ben, post, "hug").await.expect(201);
    let listed =
        envelope_data(&api.get(&post_subpath(post, "reactions")).by(&ana).send().await.expect(200));
    let by = |number: usize| listed[number]["user"]["username"].as_str().unwrap();
    assert_eq!([by(0), by(1)], [ben.user.username.as_str(), ana.user.username.as_str()]);

    let crowded = a_post().insert_into(api.database()).await.id;
    let act = format!(
        "INSERT INTO emoji_reactions (id, user_id, post_id, emoji_code)
         SELECT gen_random_uuid(), id, '{crowded}', 'hug'"
    );
    insert_101_users(&api, &act).await;
    assert_pagination(&api, &ana, &post_subpath(crowded, "reactions"), envelope_data).await;
}

#[actix_web::test]
async fn a_post_that_one_may_not_see_has_no_reactions() {
    let api = Api::create().await;
    let [ana, eve] = [api.create_user().await, api.create_user().await];
    let private = a_post().private().insert_into(api.database()).await.id.to_string();
    let by_eve = a_post().by(eve.user.id).insert_into(api.database()).await.id.to_string();
    block(api.database(), ana.user.id, eve.user.id).await;

    let unseen = [&private, &by_eve, UNKNOWN_ID].into_iter().chain(MALFORMED_IDS);
    for post in unseen {
        let refused = react(&api, &ana, post, "hug").await;
        assert_eq!(problem_code_and_detail(&refused, 404).1, "Post not found");
        for (method, rest) in [
            (Method::DELETE, "reactions"),
            (Method::GET, "reactions"),
            (Method::GET, "reactions/summary"),
        ] {
            let refused = api.request(method, &post_subpath(post, rest)).by(&ana).send().await;
            assert_eq!(problem_code_and_detail(&refused, 404).1, "Post not found");
        }
    }
}

#[actix_web::test]
async fn a_strangers_body_is_not_even_parsed() {
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
