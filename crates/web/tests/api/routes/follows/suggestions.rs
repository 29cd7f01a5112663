//! `/api/v1/follows/suggestions`.

use grateful_testkit::{Api, Caller};
use serde_json::{Value, json};

use crate::support::follows::{follow, follow_path, user_id};
use crate::support::{NOON, error_details, problem_code_and_detail};

#[actix_web::test]
async fn follows_of_followed_users_are_suggested_with_their_profile() {
    let api = Api::create().await;
    let [ana, ben, caro] = create_users(&api, ["ana", "ben", "caro"]).await;
    let set_profile = "UPDATE users SET bio = 'Hi', profile_image_url = '/c.jpg' WHERE id =";
    api.database().execute(&format!("{set_profile} {}", user_id(&caro))).await;
    follow(&api, &ana, &ben).await;
    follow(&api, &ben, &caro).await;

    let response = get_suggestions(&api, &ana, "").await;

    let expected = json!({"suggestions": [{
        "id": user_id(&caro),
        "username": "caro",
        "bio": "Hi",
        "profile_image_url": "/c.jpg",
        "created_at": NOON,
        "mutual_count": 1,
        "mutuals": ["ben"],
    }]});
    assert_eq!(response, expected);
}

#[actix_web::test]
async fn the_limit_is_10_by_default_and_at_most_20() {
    let api = Api::create().await;
    let [ana, ben] = create_users(&api, ["ana", "ben"]).await;
    follow(&api, &ana, &ben).await;
    api.database()
        .execute(&format!(
            "INSERT INTO users (email, username, hashed_password)
             SELECT 'p' || n || '@example.org', 'p' || n, 'x' FROM generate_series(1, 25) n;
             INSERT INTO follows (id, follower_id, followed_id, status)
             SELECT gen_random_uuid(), {}, id, 'active' FROM users WHERE hashed_password = 'x'",
            user_id(&ben)
        ))
        .await;

    for (query, expected) in [("", 10), ("?limit=1", 1), ("?limit=20", 20)] {
        let body = get_suggestions(&api, &ana, query).await;
        assert_eq!(body["suggestions"].as_array().unwrap().len(), expected, "{query}");
    }
    for limit in ["0", "21", "-1", "x", "", "99999999999999999999"] {
        let path = follow_path(format!("suggestions?limit={limit}"));
        let response = api.get(&path).by(&ana).send().await;
        assert_eq!(problem_code_and_detail(&response, 422).0, "validation_error", "{limit}");
        assert!(error_details(&response)["fields"]["limit"].is_string(), "{limit}");
    }
}

async fn get_suggestions(api: &Api, caller: &Caller, query: &str) -> Value {
    api.get(&follow_path(format!("suggestions{query}"))).by(caller).send().await.expect(200).data()
}

/// Creates users with these usernames and logs them in.
async fn create_users<const N: usize>(api: &Api, names: [&str; N]) -> [Caller; N] {
    let mut users = Vec::new();
    for name in names {
        let user = api.create_user().await;
        let sql = format!("UPDATE users SET username = '{name}' WHERE id = {}", user_id(&user));
        api.database().execute(&sql).await;
        users.push(user);
    }
    users.try_into().unwrap()
}
