//! `/posts/{id}/heart` and `/posts/{id}/hearts`.

use actix_web::http::Method;
use grateful_testkit::{Api, ApiResponse, a_post, block};
use serde_json::json;

use crate::support::{
    MALFORMED_IDS, NOON, UNKNOWN_ID, assert_pagination, error_details, insert_101_users,
    post_subpath, problem_code_and_detail, sorted_keys,
};

#[actix_web::test]
async fn a_heart_is_answered_bare_with_where_the_post_stands() {
    let api = Api::create().await;
    let [ana, ben] = [api.create_user().await, api.create_user().await];
    let post = a_post().insert_into(api.database()).await.id;
    api.post(&post_subpath(post, "heart")).by(&ben).send().await.expect(201);

    let given = api.post(&post_subpath(post, "heart")).by(&ana).send().await.expect(201);
    let counted = api.get(&post_subpath(post, "hearts")).by(&ana).send().await.expect(200);
    let taken = api.delete(&post_subpath(post, "heart")).by(&ana).send().await.expect(200);
    let counted_anew = api.get(&post_subpath(post, "hearts")).by(&ana).send().await.expect(200);

    let post = post.to_string();
    assert_eq!(given.json(), json!({"hearts_count": 2, "is_hearted": true, "post_id": post}));
    assert_eq!(counted.json(), json!({"hearts_count": 2, "is_hearted": true}));
    assert_eq!(taken.json(), json!({"hearts_count": 1, "is_hearted": false, "post_id": post}));
    assert_eq!(counted_anew.json(), json!({"hearts_count": 1, "is_hearted": false}));
}

#[actix_web::test]
async fn hearts_that_are_there_already_or_not_at_all_are_refused_in_the_words_of_the_contract() {
    let api = Api::create().await;
    let ana = api.create_user().await;
    let post = a_post().insert_into(api.database()).await.id;
    let heart = post_subpath(post, "heart");

    let none = api.delete(&heart).by(&ana).send().await;
    api.post(&heart).by(&ana).send().await.expect(201);
    let again = api.post(&heart).by(&ana).send().await;

    assert_eq!(
        problem_code_and_detail(&none, 404),
        ("not_found".to_owned(), "No heart found to remove".to_owned())
    );
    assert_eq!(
        problem_code_and_detail(&again, 409),
        ("already_exists".to_owned(), "Post already hearted by user".to_owned())
    );
    assert_eq!(error_details(&again), json!({"resource": "heart"}));
}

#[actix_web::test]
async fn the_client_says_that_it_sends_json_and_sends_nothing() {
    let api = Api::create().await;
    let ana = api.create_user().await;
    let post = a_post().insert_into(api.database()).await.id;

    api.post(&post_subpath(post, "heart")).by(&ana).json_bytes("").send().await.expect(201);
    api.get(&post_subpath(post, "hearts")).by(&ana).json_bytes("").send().await.expect(200);
    api.delete(&post_subpath(post, "heart")).by(&ana).json_bytes("").send().await.expect(200);
}

#[actix_web::test]
async fn who_gave_a_heart_is_listed_in_camel_case_with_their_id_as_text() {
    let api = Api::create().await;
    let [ana, ben] = [api.create_user().await, api.create_user().await];
    let named = format!(
        "UPDATE users SET display_name = 'Ana A.', profile_image_url = '/a.jpg' WHERE id = {}",
        ana.user.id
    );
    api.database().execute(&named).await;
    let post = a_post().insert_into(api.database()).await.id;
    for caller in [&ana, &ben] {
        api.post(&post_subpath(post, "heart")).by(caller).send().await.expect(201);
        api.app.clock.advance(chrono::TimeDelta::seconds(1));
    }

    let listed =
        api.get(&post_subpath(post, "hearts/users")).by(&ben).send().await.expect(200).json();

    let [by_ben, by_ana] = &listed.as_array().unwrap()[..] else { panic!("{listed}") };
    assert_eq!(sorted_keys(by_ana), ["createdAt", "id", "userId", "userImage", "userName"]);
    assert_eq!(by_ana["userId"], ana.user.id.to_string());
    assert_eq!(by_ana["userName"], "Ana A.");
    assert_eq!(by_ana["userImage"], "/a.jpg");
    assert_eq!(by_ana["createdAt"], NOON);
    assert_eq!(by_ben["userName"], ben.user.username.as_str());
    assert_eq!(by_ben["userImage"], json!(null));
}

#[actix_web::test]
async fn who_gave_a_heart_is_listed_in_pages_of_a_hundred() {
    let api = Api::create().await;
    let ana = api.create_user().await;
    let post = a_post().insert_into(api.database()).await.id;
    insert_101_users(
        &api,
        &format!("INSERT INTO likes (id, user_id, post_id) SELECT gen_random_uuid(), id, '{post}'"),
    )
    .await;

    assert_pagination(&api, &ana, &post_subpath(post, "hearts/users"), ApiResponse::json).await;
}

#[actix_web::test]
async fn a_post_that_one_may_not_see_has_no_hearts() {
    let api = Api::create().await;
    let [ana, eve] = [api.create_user().await, api.create_user().await];
    let private = a_post().private().insert_into(api.database()).await.id.to_string();
    let by_eve = a_post().by(eve.user.id).insert_into(api.database()).await.id.to_string();
    block(api.database(), eve.user.id, ana.user.id).await;

    let unseen = [&private, &by_eve, UNKNOWN_ID].into_iter().chain(MALFORMED_IDS);
    for post in unseen {
        for (method, rest) in [
            (Method::POST, "heart"),
            (Method::DELETE, "heart"),
            (Method::GET, "hearts"),
            (Method::GET, "hearts/users"),
        ] {
            let refused = api.request(method, &post_subpath(post, rest)).by(&ana).send().await;
            assert_eq!(
                problem_code_and_detail(&refused, 404),
                ("not_found".into(), "Post not found".into())
            );
        }
    }
}

#[actix_web::test]
async fn without_a_token_nobody_gives_or_sees_hearts() {
    let api = Api::create().await;
    let post = a_post().insert_into(api.database()).await.id;

    for (method, rest) in [
        (Method::POST, "heart"),
        (Method::DELETE, "heart"),
        (Method::GET, "hearts"),
        (Method::GET, "hearts/users"),
    ] {
        api.request(method, &post_subpath(post, rest)).send().await.expect(401);
    }
}

#[actix_web::test]
async fn with_or_without_a_slash_it_is_the_same_route() {
    let api = Api::create().await;
    let ana = api.create_user().await;
    let post = a_post().insert_into(api.database()).await.id;

    api.post(&post_subpath(post, "heart/")).by(&ana).send().await.expect(201);
    api.get(&post_subpath(post, "hearts/users/")).by(&ana).send().await.expect(200);
    api.put(&post_subpath(post, "heart")).by(&ana).send().await.expect(405);
}
