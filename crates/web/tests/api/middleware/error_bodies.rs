//! The one body of errors, and what makes the server itself fail.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use actix_web::http::Method;
use chrono::{DateTime, Utc};
use grateful_application::Clock;
use grateful_testkit::{Api, ApiResponse, TestApp, a_post};
use grateful_web::WebConfig;
use serde_json::{Value, json};

use crate::support::{NOON, assert_problem, post_path};

#[actix_web::test]
async fn a_path_that_leads_nowhere_does_so_for_everybody() {
    let api = Api::create().await;
    let ana = api.create_user().await;

    for path in [
        "/nowhere",
        "/api",
        "/api/v1",
        "/api/v1/",
        "/api/v2/posts",
        "/api/v1/posts/feed/more",
        "/api/v1/nowhere",
        "/API/V1/posts",
        "/health/x",
        "/docs/nowhere",
        "/docs/..%2f..%2fetc%2fpasswd",
        "/%00",
        "/uploads",
    ] {
        for request in [api.get(path), api.get(path).by(&ana), api.post(path).json_bytes("{")] {
            let response = request.send().await;
            if !path.starts_with("/docs") || response.status != 405 {
                let details = assert_problem(&response, 404, "not_found");
                assert_eq!(details, json!({"resource": "route"}), "{path}");
            }
        }
    }
}

#[actix_web::test]
async fn a_mistake_of_ours_is_told_without_what_it_was() {
    let api = Api::create().await;
    let ana = api.create_user().await;
    let post = post_path(a_post().insert_into(api.database()).await.id);
    api.database().execute("ALTER TABLE posts RENAME COLUMN content TO hidden_treasure").await;

    let body = json!({"content": "For rain."});
    for response in [
        api.get(&post).send().await,
        api.get("/api/v1/posts/feed").by(&ana).send().await,
        api.post("/api/v1/posts").by(&ana).json(&body).send().await,
    ] {
        assert_internal(&response);
    }
}

#[actix_web::test]
async fn a_row_that_cannot_be_read_is_told_without_what_is_in_it() {
    let api = Api::create().await;
    let post = post_path(a_post().insert_into(api.database()).await.id);
    let spoil = "ALTER TABLE posts DROP CONSTRAINT posts_post_type_check;
                 UPDATE posts SET post_type = 'hidden_treasure'";
    api.database().execute(spoil).await;

    assert_internal(&api.get(&post).send().await);
}

#[actix_web::test]
async fn a_panic_is_told_as_any_other_mistake_of_ours_and_the_next_request_is_served() {
    let broken = Arc::new(BrokenClock::default());
    let mut app = TestApp::create().await;
    app.app.clock = broken.clone();
    let api = Api::serve(app, &WebConfig::default()).await;

    let request = api.post("/api/v1/auth/signup").header("Origin", "http://localhost:3000");
    let body = json!({"username": "ana", "email": "ana@example.org", "password": "correct horse"});
    let response = request.header("X-Request-Id", "mine").json(&body).send().await;

    assert_internal(&response);
    assert_eq!(response.header("x-request-id"), Some("mine"));
    assert_eq!(response.header("access-control-allow-origin"), Some("http://localhost:3000"));
    assert_eq!(response.header("access-control-allow-credentials"), Some("true"));
    assert_eq!(response.header("x-content-type-options"), Some("nosniff"));
    broken.mend();
    api.post("/api/v1/auth/signup").json(&body).send().await.expect(201);
}

/// A clock that the frame of a request can read, and that panics in whoever asks next, deep inside a use case.
#[derive(Default)]
struct BrokenClock {
    was_read: AtomicBool,
    is_mended: AtomicBool,
}

impl BrokenClock {
    fn mend(&self) {
        self.is_mended.store(true, Ordering::Relaxed);
    }
}

impl Clock for BrokenClock {
    fn now(&self) -> DateTime<Utc> {
        let was_read = self.was_read.swap(true, Ordering::Relaxed);
        assert!(!was_read || self.is_mended.load(Ordering::Relaxed), "the hidden_treasure broke");
        grateful_testkit::NOON
    }
}

/// That nothing is told but that it was our mistake.
#[track_caller]
fn assert_internal(response: &ApiResponse) {
    assert_eq!(assert_problem(response, 500, "internal_error"), json!({}));
    let expected = json!({
        "type": "urn:grateful:problem:internal_error",
        "title": "Internal error",
        "status": 500,
        "detail": "Something went wrong on our side",
        "success": false,
        "message": "Something went wrong on our side",
        "error": {
            "code": "internal_error",
            "message": "Something went wrong on our side",
            "details": {},
        },
        "timestamp": NOON,
        "request_id": response.header("x-request-id"),
    });
    assert_eq!(response.json(), expected);
    let names = ["server", "x-powered-by"].map(|name| response.header(name).map(str::to_owned));
    assert_eq!(names, [None, None], "{}", Value::Null);
}
