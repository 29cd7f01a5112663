//! The log line of a request.

use grateful_storage::Thresholds;
use grateful_testkit::{Api, PASSWORD, TestApp, TestDatabase, a_post};
use grateful_web::WebConfig;
use serde_json::{Value, json};

use crate::support::captured_log::CapturedLog;
use crate::support::post_path;

#[actix_web::test]
async fn every_request_logs_one_line_with_route_status_and_durations() {
    let (api, [ana]) = Api::with_users().await;
    let post = post_path(a_post().insert_into(api.database()).await.id);
    let log = CapturedLog::start();

    api.get(&format!("{post}/?x=1"))
        .by(&ana)
        .header("X-Request-Id", "mine")
        .send()
        .await
        .expect(200);

    let [line] = log.requests().try_into().unwrap();
    assert_eq!(line["level"], "INFO");
    assert_eq!(line["span"]["id"], "mine");
    let fields = &line["fields"];
    assert_eq!(fields["message"], "GET /api/v1/posts/{id} 200");
    assert_eq!(fields["http.method"], "GET");
    assert_eq!(fields["http.route"], "/api/v1/posts/{id}");
    assert_eq!(fields["http.status"], 200);
    assert_eq!(fields["user.id"], i64::from(ana.user.id));
    assert_eq!(fields["db.queries"], 2, "the session and the post");
    assert!(fields["db.duration_ms"].as_f64() > Some(0.0), "{fields}");
    assert!(fields["duration_ms"].as_f64() >= fields["db.duration_ms"].as_f64(), "{fields}");
}

#[actix_web::test]
async fn a_rejected_request_logs_one_line() {
    let (api, [ana]) = Api::with_users().await;
    let log = CapturedLog::start();

    api.get("/nowhere/secret").send().await.expect(404);
    api.get("/api/v1/posts/feed").send().await.expect(401);
    api.put("/health").send().await.expect(405);
    api.post("/api/v1/posts").by(&ana).json_bytes("{").send().await.expect(422);

    let lines = log.requests();
    let messages: Vec<&str> =
        lines.iter().map(|line| line["fields"]["message"].as_str().unwrap()).collect();
    let expected = [
        "GET (no route) 404",
        "GET /api/v1/posts/feed 401",
        "PUT /health 405",
        "POST /api/v1/posts 422",
    ];
    assert_eq!(messages, expected);
}

#[actix_web::test]
async fn an_internal_error_is_logged_once_with_its_cause() {
    let api = Api::create().await;
    let post = post_path(a_post().insert_into(api.database()).await.id);
    api.database().execute("ALTER TABLE posts RENAME COLUMN content TO hidden_treasure").await;
    let log = CapturedLog::start();

    api.get(&post).send().await.expect(500);

    let lines = log.lines();
    let errors: Vec<&Value> = lines.iter().filter(|line| line["level"] == "ERROR").collect();
    let [error] = errors.as_slice() else { panic!("{errors:#?}") };
    assert!(error.to_string().contains("posts.content does not exist"), "{error}");
}

#[actix_web::test]
async fn a_statement_repeated_within_one_request_is_logged_as_a_warning() {
    let database = TestDatabase::create().await;
    let thresholds = Thresholds::default().with_repeated(1);
    let db = database.pool_with(|config| config.with_thresholds(thresholds));
    let api = Api::serve(TestApp::with_pool(database, db), &WebConfig::default()).await;
    let post = post_path(a_post().insert_into(api.database()).await.id);
    let log = CapturedLog::start();

    api.get(&post).send().await.expect(200);

    let lines = log.lines();
    let warnings: Vec<&Value> = lines.iter().filter(|line| line["level"] == "WARN").collect();
    let [warning] = warnings.as_slice() else { panic!("{warnings:#?}") };
    assert_eq!(warning["fields"]["operation"], "/api/v1/posts/{id}");
    assert!(warning["span"]["id"].is_string(), "{warning}");
    assert_eq!(warning["fields"]["times"], 1);
}

#[actix_web::test]
async fn no_log_line_at_any_level_contains_user_data_or_secrets() {
    let api = Api::create().await;
    let log = CapturedLog::start();
    let secret = |name: &str| format!("hidden-treasure-{name}");

    let ana = api.create_user().await;
    let sign_up = json!({
        "username": "hidden-treasure-name",
        "email": "hidden-treasure-mail@example.org",
        "password": secret("password"),
    });
    api.post("/api/v1/auth/signup").json(&sign_up).send().await.expect(201);
    api.post("/api/v1/auth/signup").json(&sign_up).send().await.expect(409);
    let log_in = json!({"email": "hidden-treasure-mail@example.org", "password": secret("wrong")});
    api.post("/api/v1/auth/login").json(&log_in).send().await.expect(401);
    let change = json!({"current_password": PASSWORD, "new_password": secret("new-password")});
    api.put("/api/v1/auth/password").by(&ana).json(&change).send().await.expect(200);
    let draft = json!({"content": secret("content"), "title": secret("title")});
    let request = api.post("/api/v1/posts").by(&ana).header("Idempotency-Key", &secret("key"));
    let request =
        request.header("User-Agent", &secret("agent")).header("Cookie", &secret("cookie"));
    let post = request.json(&draft).send().await.expect(201).json();
    let path = post_path(post["id"].as_str().unwrap());
    let invalid =
        json!({"content": 1, "image_url": secret("image"), "title": "\u{0}hidden-treasure"});
    api.patch(&path).by(&ana).json(&invalid).send().await.expect(422);
    api.post("/api/v1/posts").by(&ana).json_bytes(secret("{")).send().await.expect(422);
    for path in [
        format!("{path}?x={}", secret("query")),
        format!("/{}", secret("path")),
        format!("/api/v1/posts/feed?cursor={}", secret("cursor")),
    ] {
        api.get(&path).by(&ana).send().await;
    }
    let forged = format!("Bearer {}", "hidden-treasure-".repeat(3));
    api.get("/api/v1/posts/feed").header("Authorization", &forged).send().await.expect(401);
    api.database().execute("ALTER TABLE posts ADD CONSTRAINT never CHECK (false) NOT VALID").await;
    api.post("/api/v1/posts").by(&ana).json(&draft).send().await.expect(500);
    let ticket = api.post("/api/v1/notifications/stream/ticket").by(&ana).send().await.expect(200);
    let ticket = ticket.json()["ticket"].as_str().unwrap().to_owned();
    let stream = format!("/api/v1/notifications/stream?ticket={ticket}&last_event_id=0");
    api.get(&stream).send_streaming().await.next_chunk().await.unwrap();
    api.get(&stream).send().await.expect(401);
    api.post("/api/v1/auth/logout").by(&ana).send().await.expect(200);

    let text = log.text();
    assert_eq!(log.requests().len(), 16);
    assert!(!text.contains(&ticket), "{}", lines_with(&text, &ticket));
    assert!(!text.contains("hidden-treasure"), "{}", lines_with(&text, "hidden-treasure"));
    assert!(!text.contains(&ana.token), "{}", lines_with(&text, &ana.token));
    assert!(!text.contains(PASSWORD), "{}", lines_with(&text, PASSWORD));
    let email = ana.user.email.as_str();
    assert!(!text.contains(email), "{}", lines_with(&text, email));
}

fn lines_with(text: &str, secret: &str) -> String {
    text.lines().filter(|line| line.contains(secret)).collect::<Vec<_>>().join("\n")
}
