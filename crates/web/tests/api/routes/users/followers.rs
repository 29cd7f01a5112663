//! `/api/v1/users/{id}/followers`, `/api/v1/users/{id}/following`, `/api/v1/users/{id}/follow-stats` and
//! `/api/v1/users/me/followers/{id}`.

use chrono::TimeDelta;
use grateful_testkit::{Api, ApiResponse, Caller};
use serde_json::{Value, json};

use crate::support::follows::{
    UNKNOWN_USER_ID, block, follow, get_follow_stats, user_id, user_ids, user_path, username,
};
use crate::support::{NOON, error_details, next_link, problem_code_and_detail};

const LISTS: [&str; 2] = ["followers", "following"];

#[actix_web::test]
async fn followers_are_listed_newest_first_with_is_following_of_the_viewer() {
    let (api, [ana, ben, caro]) = Api::with_users().await;
    let set_profile = "UPDATE users SET bio = 'Hi', profile_image_url = '/b.jpg' WHERE id =";
    api.database().execute(&format!("{set_profile} {}", user_id(&ben))).await;
    follow_in_sequence(&api, &[(&ben, &ana), (&caro, &ana), (&caro, &ben)]).await;

    let response = api.get(&user_path(&ana, "followers")).by(&caro).send().await.expect(200);

    let item = |actor: &Caller, is_following: bool| {
        json!({
            "id": user_id(actor),
            "username": username(actor),
            "bio": null,
            "profile_image_url": null,
            "created_at": NOON,
            "is_following": is_following,
        })
    };
    let mut ben_item = item(&ben, true);
    ben_item["bio"] = json!("Hi");
    ben_item["profile_image_url"] = json!("/b.jpg");
    let expected = json!({
        "followers": [item(&caro, false), ben_item],
        "total_count": 2,
        "limit": 50,
        "offset": 0,
        "has_more": false,
    });
    assert_eq!(response.data(), expected);
    assert_eq!(next_link(&response), None);
}

#[actix_web::test]
async fn a_follower_is_removed_once() {
    let (api, [ana, ben]) = Api::with_users().await;
    follow(&api, &ben, &ana).await;
    let path = format!("/api/v1/users/me/followers/{}", user_id(&ben));

    let removed = api.delete(&path).by(&ana).send().await.expect(200);
    let again = api.delete(&path).by(&ana).send().await;

    let expected = json!({"success": true, "message": "Successfully removed follower"});
    assert_eq!(removed.data(), expected);
    assert_eq!(get_follow_stats(&api, &ana, &ana).await, [0; 4]);
    assert_eq!(get_follow_stats(&api, &ben, &ben).await, [0; 4]);
    assert_eq!(problem_code_and_detail(&again, 404).0, "not_found");
    assert_eq!(error_details(&again), json!({"resource": "follow"}));
    for unknown in [UNKNOWN_USER_ID.to_string(), user_id(&ana).to_string()] {
        let path = format!("/api/v1/users/me/followers/{unknown}");
        api.delete(&path).by(&ana).send().await.expect(404);
    }
    api.delete("/api/v1/users/me/followers/x").by(&ana).send().await.expect(422);
    api.get(&path).by(&ana).send().await.expect(405);
}

#[actix_web::test]
async fn followed_users_are_listed_newest_first_with_is_following_of_the_viewer() {
    let (api, [ana, ben, caro]) = Api::with_users().await;
    follow_in_sequence(&api, &[(&ana, &ben), (&ana, &caro), (&ben, &caro)]).await;

    let by_ben = get_list(&api, &ben, &ana, "following").await;
    let by_ana = get_list(&api, &ana, &ana, "following").await;

    assert_eq!(user_ids(&by_ben["following"]), [user_id(&caro), user_id(&ben)]);
    assert_eq!(following_flags(&by_ben["following"]), [true, false]);
    assert_eq!(following_flags(&by_ana["following"]), [true, true]);
    assert_eq!(by_ana["total_count"], 2);
    assert_eq!(by_ana["limit"], 50);
}

#[actix_web::test]
async fn next_links_and_offsets_cover_the_list_without_duplicates() {
    let (api, [ana]) = Api::with_users().await;
    insert_mutual_followers(&api, &ana, 120).await;

    for name in LISTS {
        let path = user_path(&ana, name);
        let (mut by_link, mut page_sizes, mut link) = (Vec::new(), Vec::new(), Some(path.clone()));
        while let Some(current) = link {
            let response = api.get(&current).by(&ana).send().await.expect(200);
            let data = response.data();
            page_sizes.push(data[name].as_array().unwrap().len());
            by_link.extend(user_ids(&data[name]));
            link = next_link(&response);
            assert_eq!(data["has_more"], link.is_some());
            assert_eq!((&data["total_count"], &data["limit"]), (&json!(120), &json!(50)));
        }
        let mut by_offset = Vec::new();
        for offset in [0, 50, 100] {
            let query = format!("{path}?offset={offset}");
            let data = api.get(&query).by(&ana).send().await.expect(200).data();
            assert_eq!(
                (&data["offset"], &data["has_more"]),
                (&json!(offset), &json!(offset < 100))
            );
            by_offset.extend(user_ids(&data[name]));
        }

        assert_eq!(page_sizes, [50, 50, 20]);
        assert_eq!(by_link, by_offset);
        let distinct: std::collections::BTreeSet<_> = by_link.iter().collect();
        assert_eq!(distinct.len(), 120);
    }
}

#[actix_web::test]
async fn invalid_query_parameters_are_rejected() {
    let (api, [ana]) = Api::with_users().await;
    insert_mutual_followers(&api, &ana, 2).await;
    let page = api.get(&format!("{}?limit=1", user_path(&ana, "followers"))).by(&ana).send().await;
    let link = next_link(&page).unwrap();
    let cursor = link.split("cursor=").nth(1).unwrap();

    for list in LISTS {
        for (query, field) in [
            ("limit=0", "limit"),
            ("limit=101", "limit"),
            ("limit=x", "limit"),
            ("offset=-1", "offset"),
            ("offset=10001", "offset"),
            ("cursor=x", "cursor"),
        ] {
            assert_invalid_field(&api, &ana, &format!("{}?{query}", user_path(&ana, list)), field)
                .await;
        }
    }
    let wrong_list = format!("{}?cursor={cursor}", user_path(&ana, "following"));
    assert_invalid_field(&api, &ana, &wrong_list, "cursor").await;
}

#[actix_web::test]
async fn lists_and_stats_of_unknown_and_blocked_users_are_not_found() {
    let (api, [ana, ben]) = Api::with_users().await;
    block(&api, &ana, &ben).await;

    for rest in ["followers", "following", "follow-stats"] {
        for (viewer, target) in
            [(&ana, user_id(&ben)), (&ben, user_id(&ana)), (&ana, UNKNOWN_USER_ID)]
        {
            let path = format!("/api/v1/users/{target}/{rest}");
            let response = api.get(&path).by(viewer).send().await;
            let expected = ("not_found".to_owned(), "User not found".to_owned());
            assert_eq!(problem_code_and_detail(&response, 404), expected, "{path}");
        }
    }
    assert_eq!(get_follow_stats(&api, &ana, &ana).await, [0; 4]);
}

async fn assert_invalid_field(api: &Api, caller: &Caller, path: &str, field: &str) {
    let response = api.get(path).by(caller).send().await;
    assert_eq!(problem_code_and_detail(&response, 422).0, "validation_error", "{path}");
    let fields = error_details(&response)["fields"].take();
    assert_eq!(fields.as_object().unwrap().keys().collect::<Vec<_>>(), [field], "{path}");
}

async fn get_list(api: &Api, viewer: &Caller, target: &Caller, name: &str) -> Value {
    api.get(&user_path(target, name)).by(viewer).send().await.expect(200).data()
}

fn following_flags(list: &Value) -> Vec<bool> {
    list.as_array().unwrap().iter().map(|user| user["is_following"].as_bool().unwrap()).collect()
}

/// Creates these follows, one second apart.
async fn follow_in_sequence(api: &Api, follows: &[(&Caller, &Caller)]) {
    for (actor, target) in follows {
        let _: ApiResponse = follow(api, actor, target).await;
        api.app.clock.advance(TimeDelta::seconds(1));
    }
}

/// Inserts users with mutual follows, two at a time with the same `created_at`.
async fn insert_mutual_followers(api: &Api, caller: &Caller, count: u32) {
    let id = user_id(caller);
    api.database()
        .execute(&format!(
            "INSERT INTO users (email, username, hashed_password)
             SELECT 'p' || n || '@example.org', 'p' || n, 'x' FROM generate_series(1, {count}) n;
             INSERT INTO follows (id, follower_id, followed_id, status, created_at)
             SELECT gen_random_uuid(), id, {id}, 'active', timestamptz '2026-01-01' + id / 2 * interval '1 s'
             FROM users WHERE hashed_password = 'x';
             INSERT INTO follows (id, follower_id, followed_id, status, created_at)
             SELECT gen_random_uuid(), followed_id, follower_id, status, created_at FROM follows;
             UPDATE users SET followers_count = {count}, following_count = {count} WHERE id = {id};
             UPDATE users SET followers_count = 1, following_count = 1 WHERE hashed_password = 'x'"
        ))
        .await;
}
