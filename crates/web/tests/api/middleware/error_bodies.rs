//! Error bodies of unknown routes and of internal errors.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use chrono::{DateTime, Utc};
use grateful_application::Clock;
use grateful_testkit::{Api, ApiResponse, TestApp, a_post};
use grateful_web::WebConfig;
use serde_json::json;

use crate::support::{NOON, assert_problem, post_path};

#[actix_web::test]
async fn an_unknown_path_is_not_found_whether_or_not_the_caller_is_signed_in() {
    let (api, [ana]) = Api::with_users().await;

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
async fn an_internal_error_does_not_reveal_its_cause() {
    let (api, [ana]) = Api::with_users().await;
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
async fn the_error_for_an_unreadable_row_does_not_reveal_its_content() {
    let api = Api::create().await;
    let post = post_path(a_post().insert_into(api.database()).await.id);
    let corrupt = "ALTER TABLE posts DROP CONSTRAINT posts_post_type_check;
                 UPDATE posts SET post_type = 'hidden_treasure'";
    api.database().execute(corrupt).await;

    assert_internal(&api.get(&post).send().await);
}

#[actix_web::test]
async fn a_panic_is_an_internal_error_and_later_requests_succeed() {
    let clock = Arc::new(PanickingClock::default());
    let mut app = TestApp::create().await;
    app.app.clock = clock.clone();
    let api = Api::serve(app, &WebConfig::default()).await;

    let request = api.post("/api/v1/auth/signup").header("Origin", "http://localhost:3000");
    let body = json!({"username": "ana", "email": "ana@example.org", "password": "correct horse"});
    let response = request.header("X-Request-Id", "mine").json(&body).send().await;

    assert_internal(&response);
    assert_eq!(response.header("x-request-id"), Some("mine"));
    assert_eq!(response.header("access-control-allow-origin"), Some("http://localhost:3000"));
    assert_eq!(response.header("access-control-allow-credentials"), Some("true"));
    assert_eq!(response.header("x-content-type-options"), Some("nosniff"));
    clock.repair();
    api.post("/api/v1/auth/signup").json(&body).send().await.expect(201);
}

/// A clock that panics at the second and later reads, until repaired. The first read is that of the request context, so
/// the panic happens inside the use case.
#[derive(Default)]
struct PanickingClock {
    was_read: AtomicBool,
    is_repaired: AtomicBool,
}

impl PanickingClock {
    fn repair(&self) {
        self.is_repaired.store(true, Ordering::Relaxed);
    }
}

impl Clock for PanickingClock {
    fn now(&self) -> DateTime<Utc> {
        let was_read = self.was_read.swap(true, Ordering::Relaxed);
        assert!(!was_read || self.is_repaired.load(Ordering::Relaxed), "the hidden_treasure broke");
        grateful_testkit::NOON
    }
}

/// Asserts a 500 response that reveals nothing about its cause.
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
    assert_eq!(names, [None, None]);
}
