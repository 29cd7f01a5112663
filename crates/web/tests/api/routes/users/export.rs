//! `/users/me/export`.

use std::collections::BTreeSet;

use actix_web::http::Method;
use grateful_application::hearts;
use grateful_storage::Repositories;
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
async fn whoever_has_done_nothing_has_a_whole_document_all_the_same() {
    let api = Api::create().await;
    let ana = api.create_user().await;

    let response = api.get(EXPORT).by(&ana).send().await.expect(200);

    assert_eq!(response.header("cache-control"), Some("private, no-store"));
    let named = Some("attachment; filename=\"grateful-export.json\"");
    assert_eq!(response.header("content-disposition"), named);
    let data = envelope_data(&response);
    assert_eq!(sorted_keys(&data), SECTIONS);
    let own = api.get("/api/v1/users/me/profile").by(&ana).send().await.data();
    assert_eq!(data["profile"], own);
    let sessions = api.get("/api/v1/auth/sessions").by(&ana).send().await.data();
    assert_eq!(data["sessions"], sessions);
    for section in SECTIONS.iter().filter(|it| !["profile", "sessions"].contains(it)) {
        assert_eq!(data[section], json!([]), "{section}");
    }
}

#[actix_web::test]
async fn every_section_says_what_was_done() {
    let api = Api::create().await;
    let [ana, ben, sue] =
        [api.create_user().await, api.create_user().await, api.create_user().await];
    let bens = a_post().by(ben.user.id).insert_into(api.database()).await;
    let anas = a_post().by(ana.user.id).private().insert_into(api.database()).await;
    let shy = json!({"profile_preferences": {"approve_followers": true}});
    api.put("/api/v1/users/me/profile").by(&sue).json(&shy).send().await.expect(200);
    let mut conn = api.database().connect().await;
    conn.hearts().add(&a_heart(ana.user.id, bens.id)).await.unwrap();
    conn.emoji_reactions().set(&a_reaction(ana.user.id, bens.id)).await.unwrap();
    conn.shares()
        .create(&a_message_share(ana.user.id, bens.id, &[sue.user.id, ben.user.id]))
        .await
        .unwrap();
    conn.shares().create(&a_message_share(ben.user.id, bens.id, &[ana.user.id])).await.unwrap();
    let link = json!({"share_method": "url"});
    for (who, path, body) in [
        (&ana, format!("{}/share", post_path(bens.id)), link),
        (&ana, format!("{}/comments", post_path(bens.id)), json!({"content": "So\nkind"})),
        (&ana, format!("/api/v1/follows/{}", ben.user.id), json!({})),
        (&ben, format!("/api/v1/follows/{}", ana.user.id), json!({})),
        (&ana, format!("/api/v1/follows/{}", sue.user.id), json!({})),
    ] {
        api.post(&path).by(who).json(&body).send().await.expect(201);
    }
    let (blocked, asker) = (create_user(api.database()).await, create_user(api.database()).await);
    block(api.database(), ana.user.id, blocked).await;
    block(api.database(), create_user(api.database()).await, ana.user.id).await;
    api.database()
        .execute(&format!(
            "INSERT INTO follows (id, follower_id, followed_id, status)
             VALUES (gen_random_uuid(), {asker}, {}, 'pending')",
            ana.user.id
        ))
        .await;

    let data = exported(&api, &ana).await;

    let post = &data["posts"][0];
    assert_eq!(
        (sorted_keys(post), &post["id"]),
        (POST_FIELDS.to_vec(), &json!(anas.id.to_string()))
    );
    let bens = json!(bens.id.to_string());
    let entry = |section: &str, number: usize| data[section][number].clone();
    assert_eq!(sorted_keys(&entry("hearts", 0)), ["created_at", "post_id"]);
    assert_eq!(entry("hearts", 0)["post_id"], bens);
    assert_eq!(entry("reactions", 0)["post_id"], bens);
    assert_eq!(entry("reactions", 0)["emoji_code"], "hug");
    let shares = data["shares"].as_array().unwrap();
    let (sent, links): (Vec<&Value>, Vec<&Value>) =
        shares.iter().partition(|share| share["message_content"] == "Look at that");
    let mut recipients = [i64::from(ben.user.id), i64::from(sue.user.id)];
    recipients.sort_unstable();
    assert_eq!((sent.len(), &sent[0]["recipient_ids"]), (1, &json!(recipients)));
    assert_eq!((links.len(), &links[0]["recipient_ids"]), (1, &json!([])));
    assert!(shares.iter().all(|share| share["post_id"] == bens), "{shares:?}");
    let received = entry("received_shares", 0);
    assert_eq!(
        (&received["post_id"], &received["message_content"]),
        (&bens, &json!("Look at that"))
    );
    assert_eq!(received["from"], ben.user.username.as_str());
    assert_eq!(entry("comments", 0)["content"], "So\nkind");
    for (section, other) in [
        ("followers", ben.user.id),
        ("following", ben.user.id),
        ("requests_sent", sue.user.id),
        ("requests_received", asker),
        ("blocks", blocked),
    ] {
        assert_eq!(data[section].as_array().unwrap().len(), 1, "{section}");
        assert_eq!(entry(section, 0)["user"]["id"], i64::from(other), "{section}");
    }
    let listed = api.get("/api/v1/notifications").by(&ana).send().await.json();
    assert_eq!(data["notifications"], listed);
}

#[actix_web::test]
async fn what_takes_many_parts_comes_whole_and_once() {
    let api = Api::create().await;
    let ana = api.create_user().await;
    fill(api.database(), &ana).await;
    let post = a_post().by(ana.user.id).insert_into(api.database()).await.id;
    let fans = 130;
    for _ in 0..fans {
        hearts::add(&api.app.app, create_user(api.database()).await, post).await.unwrap();
    }

    let data = exported(&api, &ana).await;

    for (section, name, expected) in [
        ("posts", "id", 1 + 230),
        ("hearts", "post_id", 1_100),
        ("reactions", "post_id", 1_000),
        ("shares", "id", 1_100),
        ("received_shares", "id", 700),
        ("comments", "id", 1_100),
        ("notifications", "id", 250 + 1 + fans),
    ] {
        let entries = data[section].as_array().unwrap();
        let met: BTreeSet<&str> = entries.iter().map(|it| it[name].as_str().unwrap()).collect();
        assert_eq!((entries.len(), met.len()), (expected, expected), "{section}");
    }
    for (section, expected) in [
        ("followers", 250),
        ("following", 250),
        ("blocks", 250),
        ("requests_received", 250),
        ("requests_sent", 250),
    ] {
        let entries = data[section].as_array().unwrap();
        let met: BTreeSet<i64> =
            entries.iter().map(|it| it["user"]["id"].as_i64().unwrap()).collect();
        assert_eq!((entries.len(), met.len()), (expected, expected), "{section}");
    }
    let notifications = data["notifications"].as_array().unwrap();
    let batch = notifications.iter().find(|it| it["is_batch"] == true).unwrap();
    assert_eq!(batch["batch_count"], fans);
    let gathered = notifications.iter().filter(|it| it["parent_id"] == batch["id"]).count();
    assert_eq!(gathered, fans);
}

/// Ids and times are all that a comment on another's private post may tell of it.
#[actix_web::test]
async fn of_others_there_is_no_more_than_they_show_everybody() {
    let api = Api::create().await;
    let (ana, ben) = (api.create_user().await, api.create_user().await);
    let secret =
        a_post().by(ben.user.id).with_text("Nobody may know").insert_into(api.database()).await;
    let mut conn = api.database().connect().await;
    conn.hearts().add(&a_heart(ana.user.id, secret.id)).await.unwrap();
    conn.hearts().add(&a_heart(ben.user.id, secret.id)).await.unwrap();
    conn.shares().create(&a_message_share(ben.user.id, secret.id, &[ana.user.id])).await.unwrap();
    let comments = format!("{}/comments", post_path(secret.id));
    api.post(&comments).by(&ana).json(&json!({"content": "Mine"})).send().await.expect(201);
    api.post(&comments).by(&ben).json(&json!({"content": "Not hers"})).send().await.expect(201);
    let hidden = json!({"is_public": false});
    api.patch(&post_path(secret.id)).by(&ben).json(&hidden).send().await.expect(200);
    let private = json!({"profile_preferences": {"theme": "of ben"}});
    api.put("/api/v1/users/me/profile").by(&ben).json(&private).send().await.expect(200);
    api.post(&format!("/api/v1/follows/{}", ana.user.id)).by(&ben).send().await.expect(201);

    let text = exported(&api, &ana).await.to_string();

    assert!(text.contains(ana.user.email.as_str()) && text.contains("Mine"));
    for secret in [
        ben.user.email.as_str(),
        "Nobody may know",
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
async fn it_comes_bit_by_bit_and_holds_no_connection_while_somebody_reads_slowly() {
    let api = with_one_connection().await;
    let ana = api.create_user().await;
    fill(api.database(), &ana).await;

    let mut opened = api.get(EXPORT).by(&ana).send_streaming().await;
    assert_eq!(opened.head.status.as_u16(), 200);
    let mut text = opened.next_chunk().await.unwrap();
    assert!(text.starts_with(r#"{"success":true,"data":{"profile":{"#), "{text}");
    let mut bits = 1;
    // The one connection is free in between, however little was read.
    while let Some(bit) = opened.next_chunk().await {
        api.get("/api/v1/auth/session").by(&ana).send().await.expect(200);
        text.push_str(&bit);
        bits += 1;
    }

    assert!(20 < bits, "{bits} bits");
    let whole: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(whole["data"]["hearts"].as_array().unwrap().len(), 1_100);
}

#[actix_web::test]
async fn whoever_goes_away_leaves_no_connection_held() {
    let api = with_one_connection().await;
    let ana = api.create_user().await;
    fill(api.database(), &ana).await;

    for bits in [0, 1, 5] {
        let mut opened = api.get(EXPORT).by(&ana).send_streaming().await;
        for _ in 0..bits {
            opened.next_chunk().await.unwrap();
        }
        drop(opened);
        api.get("/api/v1/auth/session").by(&ana).send().await.expect(200);
    }
    let head = api.request(Method::HEAD, EXPORT).by(&ana).send_streaming().await;
    assert_eq!(head.head.status.as_u16(), 200);
    drop(head);
    assert_eq!(sorted_keys(&exported(&api, &ana).await), SECTIONS);
}

/// A document that looked whole would be taken for everything.
#[actix_web::test]
async fn a_document_that_is_cut_short_does_not_end() {
    let api = Api::create().await;
    let ana = api.create_user().await;
    fill(api.database(), &ana).await;
    let mut opened = api.get(EXPORT).by(&ana).send_streaming().await;
    let mut text = opened.next_chunk().await.unwrap();

    api.database().execute("ALTER TABLE comments RENAME TO elsewhere").await;
    while let Some(bit) = opened.try_next_chunk().await {
        let Ok(bit) = bit else {
            assert!(serde_json::from_str::<Value>(&text).is_err());
            assert!(!text.contains("request_id"), "{text}");
            return;
        };
        text.push_str(&bit);
    }
    panic!("it ended as if nothing had happened");
}

async fn exported(api: &Api, who: &Caller) -> Value {
    envelope_data(&api.get(EXPORT).by(who).send().await.expect(200))
}

/// Nobody gets a second connection.
async fn with_one_connection() -> Api {
    let database = TestDatabase::create().await;
    let db = database.pool_with(|config| config.with_max_connections(1));
    Api::serve(TestApp::with_pool(database, db), &WebConfig::default()).await
}

/// Lets somebody have done so much that no section fits into one part; much of it at the same moment.
async fn fill(database: &TestDatabase, who: &Caller) {
    let sql = FILL.replace("$1", &who.user.id.to_string());
    database.execute(&sql).await;
}

const FILL: &str = "
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
    SELECT gen_random_uuid(), $1, id, 'follow', 'New Follower', 'Somebody started following you', '{}', now(), row_number() OVER (), 'follow'
    FROM (SELECT id FROM users WHERE username ~ '^p[0-9]' ORDER BY id LIMIT 250) AS others;
    INSERT INTO inboxes (user_id, last_seq) VALUES ($1, 250);
    ";
