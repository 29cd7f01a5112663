//! `/follows/suggestions`.

use grateful_testkit::{Api, Caller};
use serde_json::{Value, json};

use crate::support::follows::{
    block, create_user_with_approval, follow, follow_path, user_id, user_ids,
};
use crate::support::{NOON, error_details, problem_code_and_detail};

#[actix_web::test]
async fn whom_those_follow_whom_one_follows_is_suggested_with_who_they_are() {
    let api = Api::create().await;
    let [ana, ben, caro] = named(&api, ["ana", "ben", "caro"]).await;
    let told = "UPDATE users SET bio = 'Hi', profile_image_url = '/c.jpg' WHERE id =";
    api.database().execute(&format!("{told} {}", user_id(&caro))).await;
    follow(&api, &ana, &ben).await;
    follow(&api, &ben, &caro).await;

    let response = suggestions(&api, &ana, "").await;

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
async fn who_has_most_mutuals_comes_first_and_then_whose_name_does() {
    let api = Api::create().await;
    let [ana, ben, caro] = named(&api, ["ana", "ben", "caro"]).await;
    let [zoe, dora, emil] = named(&api, ["zoe", "Dora", "emil"]).await;
    for mutual in [&ben, &caro] {
        follow(&api, &ana, mutual).await;
        follow(&api, mutual, &zoe).await;
    }
    follow(&api, &ben, &emil).await;
    follow(&api, &caro, &dora).await;

    let all = suggestions(&api, &ana, "").await;
    let two = suggestions(&api, &ana, "?limit=2").await;

    assert_eq!(user_ids(&all["suggestions"]), [user_id(&zoe), user_id(&dora), user_id(&emil)]);
    assert_eq!(user_ids(&two["suggestions"]), [user_id(&zoe), user_id(&dora)]);
    assert_eq!(all["suggestions"][0]["mutuals"], json!(["ben", "caro"]));
}

#[actix_web::test]
async fn at_most_three_mutuals_are_named_and_all_are_counted() {
    let api = Api::create().await;
    let [ana, zoe] = named(&api, ["ana", "zoe"]).await;
    for mutual in &named(&api, ["emil", "caro", "Ben", "dora"]).await {
        follow(&api, &ana, mutual).await;
        follow(&api, mutual, &zoe).await;
    }

    let suggested = suggestions(&api, &ana, "").await;

    assert_eq!(suggested["suggestions"][0]["mutual_count"], 4);
    assert_eq!(suggested["suggestions"][0]["mutuals"], json!(["Ben", "caro", "dora"]));
}

#[actix_web::test]
async fn neither_oneself_nor_whom_one_follows_or_asked_nor_anybody_behind_a_block_is_suggested() {
    let api = Api::create().await;
    let [ana, ben, followed] =
        [api.create_user().await, api.create_user().await, api.create_user().await];
    let [blocked, blocking, asked] =
        [api.create_user().await, api.create_user().await, create_user_with_approval(&api).await];
    let left = api.create_user().await;
    follow(&api, &ana, &ben).await;
    follow(&api, &ana, &followed).await;
    follow(&api, &ana, &asked).await;
    for known in [&ana, &followed, &blocked, &blocking, &left] {
        follow(&api, &ben, known).await;
    }
    follow(&api, &ben, &asked).await;
    let accept = follow_path(format!("requests/{}/accept", user_id(&ben)));
    api.post(&accept).by(&asked).send().await.expect(200);
    block(&api, &ana, &blocked).await;
    block(&api, &blocking, &ana).await;

    let suggested = suggestions(&api, &ana, "").await;

    assert_eq!(user_ids(&suggested["suggestions"]), [user_id(&left)]);
}

#[actix_web::test]
async fn requests_suggest_nobody() {
    let api = Api::create().await;
    let [ana, ben, sue] =
        [api.create_user().await, api.create_user().await, create_user_with_approval(&api).await];
    follow(&api, &ana, &sue).await;
    follow(&api, &sue, &ben).await;
    follow(&api, &ben, &sue).await;

    assert_eq!(suggestions(&api, &ana, "").await["suggestions"], json!([]));
}

#[actix_web::test]
async fn ten_are_suggested_unless_asked_otherwise_and_at_most_twenty() {
    let api = Api::create().await;
    let [ana, ben] = named(&api, ["ana", "ben"]).await;
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
        let suggested = suggestions(&api, &ana, query).await;
        assert_eq!(suggested["suggestions"].as_array().unwrap().len(), expected, "{query}");
    }
    for bad in ["0", "21", "-1", "x", "", "99999999999999999999"] {
        let path = follow_path(format!("suggestions?limit={bad}"));
        let refused = api.get(&path).by(&ana).send().await;
        assert_eq!(problem_code_and_detail(&refused, 422).0, "validation_error", "{bad}");
        assert!(error_details(&refused)["fields"]["limit"].is_string(), "{bad}");
    }
}

async fn suggestions(api: &Api, to: &Caller, query: &str) -> Value {
    api.get(&follow_path(format!("suggestions{query}"))).by(to).send().await.expect(200).data()
}

/// People of these names, signed in.
async fn named<const N: usize>(api: &Api, names: [&str; N]) -> [Caller; N] {
    let mut people = Vec::new();
    for name in names {
        let person = api.create_user().await;
        let sql = format!("UPDATE users SET username = '{name}' WHERE id = {}", user_id(&person));
        api.database().execute(&sql).await;
        people.push(person);
    }
    people.try_into().unwrap()
}
