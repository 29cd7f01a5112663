//! `/api/v1/users/me/export`.

use grateful_storage::Repositories;
use std::collections::BTreeSet;

use actix_web::http::Method;
use grateful_application::hearts;
use grateful_testkit::{
    Api, Caller, TestApp, TestDatabase, a_heart, a_message_share, a_post, a_reaction, block,
    create_user,
};
use grateful_web::WebConfig;
use serde_json::{Value, json};

use crate::support::{POST_FIELDS, envelope_data, post_path, sorted_keys};

const EXPORT: &str = "/api/v1/users/me/export";

/// The sections, sorted.
const SECTIONS: [&str; 14] = [
    "blocks",
    "comments",
    "followers",
    "following",
    "hearts",
    "notifications",
    "posts",
    "profile",
    "reactions",
    "received_shares",
    "requests_received",
    "requests_sent",
    "sessions",
    "shares",
];

#[actix_web::test]
async fn a_new_user_has_a_complete_export() {
    let (api, [ana]) = Api::with_users().await;

    let response = api.get(EXPORT).by(&ana).send().await.expect(200);

    assert_eq!(response.header("cache-control"), Some("private, no-store"));
    let disposition = Some("attachment; filename=\"grateful-export.json\"");
    assert_eq!(response.header("content-disposition"), disposition);
    let data = envelope_data(&response);
    assert_eq!(sorted_keys(&data), SECTIONS);
    let profile = api.get("/api/v1/users/me/profile").by(&ana).send().await.data();
    assert_eq!(data["profile"], profile);
    let sessions = api.get("/api/v1/auth/sessions").by(&ana).send().await.data();
    assert_eq!(data["sessions"], sessions);
    for section in SECTIONS.iter().filter(|section| !["profile", "sessions"].contains(section)) {
        assert_eq!(data[section], json!([]), "{section}");
    }
}

#[actix_web::test]
async fn every_section_contains_its_data() {
    let (api, [ana, ben, sue]) = Api::with_users().await;
    let bens_post = a_post().by(ben.user.id).insert_into(api.database()).await;
    let anas_post = a_post().by(ana.user.id).private().insert_into(api.database()).await;
    let preferences = json!({"profile_preferences": {"approve_followers": true}});
    api.put("/api/v1/users/me/profile").by(&sue).json(&preferences).send().await.expect(200);
    let mut conn = api.database().connect().await;
    conn.hearts().add(&[a_heart(ana.user.id, bens_post.id)]).await.unwrap();
    conn.emoji_reactions().set(&[a_reaction(ana.user.id, bens_post.id)]).await.unwrap();
    conn.shares()
        .create(&a_message_share(ana.user.id, bens_post.id, &[sue.user.id, ben.user.id]))
        .await
        .unwrap();
    conn.shares()
        .create(&a_message_share(ben.user.id, bens_post.id, &[ana.user.id]))
        .await
        .unwrap();
    let link = json!({"share_method": "url"});
    for (caller, path, body) in [
        (&ana, format!("{}/share", post_path(bens_post.id)), link),
        (&ana, format!("{}/comments", post_path(bens_post.id)), json!({"content": "So\nkind"})),
        (&ana, format!("/api/v1/follows/{}", ben.user.id), json!({})),
        (&ben, format!("/api/v1/follows/{}", ana.user.id), json!({})),
        (&ana, format!("/api/v1/follows/{}", sue.user.id), json!({})),
    ] {
        api.post(&path).by(caller).json(&body).send().await.expect(201);
    }
    let (blocked, requester) =
        (create_user(api.database()).await, create_user(api.database()).await);
    block(api.database(), ana.user.id, blocked).await;
    block(api.database(), create_user(api.database()).await, ana.user.id).await;
    api.database()
        .execute(&format!(
            "INSERT INTO follows (id, follower_id, followed_id, status)
             VALUES (gen_random_uuid(), {requester}, {}, 'pending')",
            ana.user.id
        ))
        .await;

    let data = get_export(&api, &ana).await;

    let post = &data["posts"][0];
    assert_eq!(
        (sorted_keys(post), &post["id"]),
        (POST_FIELDS.to_vec(), &json!(anas_post.id.to_string()))
    );
    let bens_post = json!(bens_post.id.to_string());
    let item = |section: &str, index: usize| data[section][index].clone();
    assert_eq!(sorted_keys(&item("hearts", 0)), ["created_at", "post_id"]);
    assert_eq!(item("hearts", 0)["post_id"], bens_post);
    assert_eq!(item("reactions", 0)["post_id"], bens_post);
    assert_eq!(item("reactions", 0)["emoji_code"], "hug");
    let shares = data["shares"].as_array().unwrap();
    let (sent, links): (Vec<&Value>, Vec<&Value>) =
        shares.iter().partition(|share| share["message_content"] == "Look at that");
    let mut recipients = [i64::from(ben.user.id), i64::from(sue.user.id)];
    recipients.sort_unstable();
    assert_eq!((sent.len(), &sent[0]["recipient_ids"]), (1, &json!(recipients)));
    assert_eq!((links.len(), &links[0]["recipient_ids"]), (1, &json!([])));
    assert!(shares.iter().all(|share| share["post_id"] == bens_post), "{shares:?}");
    let received = item("received_shares", 0);
    assert_eq!(
        (&received["post_id"], &received["message_content"]),
        (&bens_post, &json!("Look at that"))
    );
    assert_eq!(received["from"], ben.user.username.as_str());
    assert_eq!(item("comments", 0)["content"], "So\nkind");
    for (section, other) in [
        ("followers", ben.user.id),
        ("following", ben.user.id),
        ("requests_sent", sue.user.id),
        ("requests_received", requester),
        ("blocks", blocked),
    ] {
        assert_eq!(data[section].as_array().unwrap().len(), 1, "{section}");
        assert_eq!(item(section, 0)["user"]["id"], i64::from(other), "{section}");
    }
    let notifications = api.get("/api/v1/notifications").by(&ana).send().await.json();
    assert_eq!(data["notifications"], notifications);
}

#[actix_web::test]
async fn sections_of_several_batches_are_complete_without_duplicates() {
    let (api, [ana]) = Api::with_users().await;
    insert_data(api.database(), &ana).await;
    let post = a_post().by(ana.user.id).insert_into(api.database()).await.id;
    let actors = 130;
    for _ in 0..actors {
        hearts::add(&api.app.app, create_user(api.database()).await, post).await.unwrap();
    }

    let data = get_export(&api, &ana).await;

    for (section, name, expected) in [
        ("posts", "id", 1 + 230),
        ("hearts", "post_id", 1_100),
        ("reactions", "post_id", 1_000),
        ("shares", "id", 1_100),
        ("received_shares", "id", 700),
        ("comments", "id", 1_100),
        ("notifications", "id", 250 + 1 + actors),
    ] {
        let items = data[section].as_array().unwrap();
        let distinct: BTreeSet<&str> =
            items.iter().map(|item| item[name].as_str().unwrap()).collect();
        assert_eq!((items.len(), distinct.len()), (expected, expected), "{section}");
    }
    for (section, expected) in [
        ("followers", 250),
        ("following", 250),
        ("blocks", 250),
        ("requests_received", 250),
        ("requests_sent", 250),
    ] {
        let items = data[section].as_array().unwrap();
        let distinct: BTreeSet<i64> =
            items.iter().map(|item| item["user"]["id"].as_i64().unwrap()).collect();
        assert_eq!((items.len(), distinct.len()), (expected, expected), "{section}");
    }
    let notifications = data["notifications"].as_array().unwrap();
    let batch = notifications.iter().find(|item| item["is_batch"] == true).unwrap();
    assert_eq!(batch["batch_count"], actors);
    let children = notifications.iter().filter(|item| item["parent_id"] == batch["id"]).count();
    assert_eq!(children, actors);
}

/// A comment on a post that has become private reveals no more than ids and times of the post.
#[actix_web::test]
async fn the_export_contains_no_private_data_of_other_users() {
    let (api, [ana, ben]) = Api::with_users().await;
    let secret = a_post().by(ben.user.id).with_text("Top secret").insert_into(api.database()).await;
    let mut conn = api.database().connect().await;
    conn.hearts().add(&[a_heart(ana.user.id, secret.id)]).await.unwrap();
    conn.hearts().add(&[a_heart(ben.user.id, secret.id)]).await.unwrap();
    conn.shares().create(&a_message_share(ben.user.id, secret.id, &[ana.user.id])).await.unwrap();
    let comments = format!("{}/comments", post_path(secret.id));
    api.post(&comments).by(&ana).json(&json!({"content": "Mine"})).send().await.expect(201);
    api.post(&comments).by(&ben).json(&json!({"content": "Not hers"})).send().await.expect(201);
    let hide = json!({"is_public": false});
    api.patch(&post_path(secret.id)).by(&ben).json(&hide).send().await.expect(200);
    let preferences = json!({"profile_preferences": {"theme": "of ben"}});
    api.put("/api/v1/users/me/profile").by(&ben).json(&preferences).send().await.expect(200);
    api.post(&format!("/api/v1/follows/{}", ana.user.id)).by(&ben).send().await.expect(201);

    let text = get_export(&api, &ana).await.to_string();

    assert!(text.contains(ana.user.email.as_str()) && text.contains("Mine"));
    for secret in [
        ben.user.email.as_str(),
        "Top secret",
        "Not hers",
        "of ben",
        "argon2",
        "hash",
        &ana.token,
        &ben.token,
    ] {
        assert!(!text.contains(secret), "{secret}: {text}");
    }
}

#[actix_web::test]
async fn the_export_is_streamed_without_holding_a_connection_between_chunks() {
    let api = with_one_connection().await;
    let ana = api.create_user().await;
    insert_data(api.database(), &ana).await;

    let mut response = api.get(EXPORT).by(&ana).send_streaming().await;
    assert_eq!(response.head.status.as_u16(), 200);
    let mut text = response.next_chunk().await.unwrap();
    assert!(text.starts_with(r#"{"success":true,"data":{"profile":{"#), "{text}");
    let mut chunks = 1;
    // The only connection is free between chunks.
    while let Some(chunk) = response.next_chunk().await {
        api.get("/api/v1/auth/session").by(&ana).send().await.expect(200);
        text.push_str(&chunk);
        chunks += 1;
    }

    assert!(20 < chunks, "{chunks} chunks");
    let export: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(export["data"]["hearts"].as_array().unwrap().len(), 1_100);
}

#[actix_web::test]
async fn an_aborted_export_releases_its_connection() {
    let api = with_one_connection().await;
    let ana = api.create_user().await;
    insert_data(api.database(), &ana).await;

    for chunks in [0, 1, 5] {
        let mut response = api.get(EXPORT).by(&ana).send_streaming().await;
        for _ in 0..chunks {
            response.next_chunk().await.unwrap();
        }
        drop(response);
        api.get("/api/v1/auth/session").by(&ana).send().await.expect(200);
    }
    let head = api.request(Method::HEAD, EXPORT).by(&ana).send_streaming().await;
    assert_eq!(head.head.status.as_u16(), 200);
    drop(head);
    assert_eq!(sorted_keys(&get_export(&api, &ana).await), SECTIONS);
}

/// Clients would mistake valid JSON for a complete export.
#[actix_web::test]
async fn an_export_that_fails_midway_is_not_valid_json() {
    let (api, [ana]) = Api::with_users().await;
    insert_data(api.database(), &ana).await;
    let mut response = api.get(EXPORT).by(&ana).send_streaming().await;
    let mut text = response.next_chunk().await.unwrap();

    api.database().execute("ALTER TABLE comments RENAME TO elsewhere").await;
    while let Some(chunk) = response.try_next_chunk().await {
        let Ok(chunk) = chunk else {
            assert!(serde_json::from_str::<Value>(&text).is_err());
            assert!(!text.contains("request_id"), "{text}");
            return;
        };
        text.push_str(&chunk);
    }
    panic!("the export ended without an error");
}

async fn get_export(api: &Api, caller: &Caller) -> Value {
    envelope_data(&api.get(EXPORT).by(caller).send().await.expect(200))
}

/// Serves an API with a pool of one connection.
async fn with_one_connection() -> Api {
    let database = TestDatabase::create().await;
    let db = database.pool_with(|config| config.with_max_connections(1));
    Api::serve(TestApp::with_pool(database, db), &WebConfig::default()).await
}

/// Inserts more data than one batch of each section holds, much of it with equal timestamps.
async fn insert_data(database: &TestDatabase, caller: &Caller) {
    let sql = DATA.replace("$1", &caller.user.id.to_string());
    database.execute(&sql).await;
}

const DATA: &str = "
    INSERT INTO users (email, username, hashed_password)
    SELECT 'p' || n || '@example.org', 'p' || n, 'x' FROM generate_series(1, 1000) n;
    INSERT INTO posts (id, author_id, content)
    SELECT gen_random_uuid(), id, 'Rain' FROM users WHERE username ~ '^p[0-9]';
    INSERT INTO posts (id, author_id, content, created_at)
    SELECT gen_random_uuid(), $1, 'Sun ' || n, now() - n / 60 * interval '1 minute'
    FROM generate_series(1, 230) n;
    INSERT INTO likes (id, user_id, post_id)
    SELECT gen_random_uuid(), $1, id FROM posts LIMIT 1100;
    INSERT INTO emoji_reactions (id, user_id, post_id, emoji_code)
    SELECT gen_random_uuid(), $1, id, 'hug' FROM posts LIMIT 1000;
    INSERT INTO shares (id, user_id, post_id, share_method)
    SELECT gen_random_uuid(), $1, id, 'url' FROM posts LIMIT 1100;
    INSERT INTO shares (id, user_id, post_id, share_method)
    SELECT gen_random_uuid(), author_id, id, 'message' FROM posts WHERE author_id <> $1 LIMIT 700;
    INSERT INTO share_recipients (share_id, user_id)
    SELECT id, $1 FROM shares WHERE share_method = 'message';
    INSERT INTO comments (id, author_id, post_id, content, created_at)
    SELECT gen_random_uuid(), $1, id, 'So kind', now() - row_number() OVER () / 300 * interval '1 minute'
    FROM posts LIMIT 1100;
    INSERT INTO follows (id, follower_id, followed_id, status)
    SELECT gen_random_uuid(), users.id, $1, CASE WHEN n <= 250 THEN 'active' WHEN n <= 500 THEN 'blocked' ELSE 'pending' END
    FROM generate_series(1, 750) n JOIN users ON username = 'p' || n;
    INSERT INTO follows (id, follower_id, followed_id, status)
    SELECT gen_random_uuid(), $1, users.id, CASE WHEN n <= 750 THEN 'active' ELSE 'pending' END
    FROM generate_series(501, 1000) n JOIN users ON username = 'p' || n;
    INSERT INTO notifications (
        id, user_id, actor_id, type, title, message, data, last_updated_at, seq, act
    )
    SELECT gen_random_uuid(), $1, id, 'follow', 'New Follower', 'Ana started following you',
           jsonb_build_object('actor_user_id', id::text, 'actor_username', username), now(), row_number() OVER (), 'follow'
    FROM (SELECT id, username FROM users WHERE username ~ '^p[0-9]' ORDER BY id LIMIT 250) AS others;
    INSERT INTO inboxes (user_id, last_seq) VALUES ($1, 250);
    ";
