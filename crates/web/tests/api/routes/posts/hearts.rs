//! `/api/v1/posts/{id}/heart` and `/api/v1/posts/{id}/hearts`.

use grateful_testkit::{Api, ApiResponse, a_post, block};
use serde_json::json;

use crate::support::{
    NOON, assert_pagination, error_details, insert_101_users, post_subpath,
    problem_code_and_detail, sorted_keys,
};

#[actix_web::test]
async fn adding_and_removing_a_heart_returns_the_count_without_an_envelope() {
    let (api, [ana, ben]) = Api::with_users().await;
    let post = a_post().insert_into(api.database()).await.id;
    api.post(&post_subpath(post, "heart")).by(&ben).send().await.expect(201);

    let added = api.post(&post_subpath(post, "heart")).by(&ana).send().await.expect(201);
    let count = api.get(&post_subpath(post, "hearts")).by(&ana).send().await.expect(200);
    let removed = api.delete(&post_subpath(post, "heart")).by(&ana).send().await.expect(200);
    let count_after_removal =
        api.get(&post_subpath(post, "hearts")).by(&ana).send().await.expect(200);

    let post = post.to_string();
    assert_eq!(added.json(), json!({"hearts_count": 2, "is_hearted": true, "post_id": post}));
    assert_eq!(count.json(), json!({"hearts_count": 2, "is_hearted": true}));
    assert_eq!(removed.json(), json!({"hearts_count": 1, "is_hearted": false, "post_id": post}));
    assert_eq!(count_after_removal.json(), json!({"hearts_count": 1, "is_hearted": false}));
}

#[actix_web::test]
async fn adding_a_heart_twice_or_removing_a_missing_one_is_an_error() {
    let (api, [ana]) = Api::with_users().await;
    let post = a_post().insert_into(api.database()).await.id;
    let heart = post_subpath(post, "heart");

    let missing = api.delete(&heart).by(&ana).send().await;
    api.post(&heart).by(&ana).send().await.expect(201);
    let again = api.post(&heart).by(&ana).send().await;

    assert_eq!(
        problem_code_and_detail(&missing, 404),
        ("not_found".to_owned(), "No heart found to remove".to_owned())
    );
    assert_eq!(
        problem_code_and_detail(&again, 409),
        ("already_exists".to_owned(), "Post already hearted by user".to_owned())
    );
    assert_eq!(error_details(&again), json!({"resource": "heart"}));
}

#[actix_web::test]
async fn an_empty_json_body_is_accepted() {
    let (api, [ana]) = Api::with_users().await;
    let post = a_post().insert_into(api.database()).await.id;

    api.post(&post_subpath(post, "heart")).by(&ana).json_bytes("").send().await.expect(201);
    api.get(&post_subpath(post, "hearts")).by(&ana).json_bytes("").send().await.expect(200);
    api.delete(&post_subpath(post, "heart")).by(&ana).json_bytes("").send().await.expect(200);
}

#[actix_web::test]
async fn hearts_are_listed_in_camel_case_with_user_ids_as_strings() {
    let (api, [ana, ben]) = Api::with_users().await;
    let set_profile = format!(
        "UPDATE users SET display_name = 'Ana A.', profile_image_url = '/a.jpg' WHERE id = {}",
        ana.user.id
    );
    api.database().execute(&set_profile).await;
    let post = a_post().insert_into(api.database()).await.id;
    for caller in [&ana, &ben] {
        api.post(&post_subpath(post, "heart")).by(caller).send().await.expect(201);
        api.app.clock.advance(chrono::TimeDelta::seconds(1));
    }

    let list =
        api.get(&post_subpath(post, "hearts/users")).by(&ben).send().await.expect(200).json();

    let [by_ben, by_ana] = &list.as_array().unwrap()[..] else { panic!("{list}") };
    assert_eq!(sorted_keys(by_ana), ["createdAt", "id", "userId", "userImage", "userName"]);
    assert_eq!(by_ana["userId"], ana.user.id.to_string());
    assert_eq!(by_ana["userName"], "Ana A.");
    assert_eq!(by_ana["userImage"], "/a.jpg");
    assert_eq!(by_ana["createdAt"], NOON);
    assert_eq!(by_ben["userName"], ben.user.username.as_str());
    assert_eq!(by_ben["userImage"], json!(null));
}

#[actix_web::test]
async fn hearts_are_paginated() {
    let (api, [ana]) = Api::with_users().await;
    let post = a_post().insert_into(api.database()).await.id;
    insert_101_users(
        &api,
        &format!("INSERT INTO likes (id, user_id, post_id) SELECT gen_random_uuid(), id, '{post}'"),
    )
    .await;

    assert_pagination(&api, &ana, &post_subpath(post, "hearts/users"), ApiResponse::json).await;
}

/// The number of hearts would tell that the post still exists, and how it is doing.
#[actix_web::test]
async fn removing_a_heart_from_an_invisible_post_returns_the_count_0() {
    let (api, [ana, eve]) = Api::with_users().await;
    let post = a_post().by(eve.user.id).insert_into(api.database()).await.id;
    let heart = post_subpath(post, "heart");
    for caller in [&eve, &ana] {
        api.post(&heart).by(caller).send().await.expect(201);
    }
    block(api.database(), eve.user.id, ana.user.id).await;

    let removed = api.delete(&heart).by(&ana).send().await.expect(200);
    let again = api.delete(&heart).by(&ana).send().await;

    let expected = json!({"hearts_count": 0, "is_hearted": false, "post_id": post.to_string()});
    assert_eq!(removed.json(), expected);
    assert_eq!(problem_code_and_detail(&again, 404).1, "Post not found");
    let left = api.get(&post_subpath(post, "hearts")).by(&eve).send().await.json();
    assert_eq!(left["hearts_count"], 1);
}

#[actix_web::test]
async fn a_trailing_slash_is_accepted() {
    let (api, [ana]) = Api::with_users().await;
    let post = a_post().insert_into(api.database()).await.id;

    api.post(&post_subpath(post, "heart/")).by(&ana).send().await.expect(201);
    api.get(&post_subpath(post, "hearts/users/")).by(&ana).send().await.expect(200);
    api.put(&post_subpath(post, "heart")).by(&ana).send().await.expect(405);
}
