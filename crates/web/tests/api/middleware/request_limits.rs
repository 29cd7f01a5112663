//! Limits on the size of the URL and the headers, and encoded bodies. [`crate::request::json`] tests the limit on JSON
//! bodies.

use grateful_testkit::Api;
use serde_json::json;

use crate::support::assert_problem;

#[actix_web::test]
async fn a_url_over_the_limit_is_rejected_with_414() {
    let (api, [ana]) = Api::with_users().await;
    let path = |bytes: usize| {
        let start = "/api/v1/posts/feed?x=";
        format!("{start}{}", "x".repeat(bytes - start.len()))
    };

    api.get(&path(8_192)).by(&ana).send().await.expect(200);
    for request in [api.get(&path(8_193)).by(&ana), api.get(&path(8_193)), api.get(&path(60_000))] {
        assert_eq!(assert_problem(&request.send().await, 414, "uri_too_long"), json!({}));
    }
}

#[actix_web::test]
async fn headers_over_the_limit_are_rejected_with_431() {
    let (api, [ana]) = Api::with_users().await;

    let fits = api.get("/api/v1/posts/feed").by(&ana).header("X-Padding", &"x".repeat(30_000));
    let over = api.get("/api/v1/posts/feed").by(&ana).header("X-Padding", &"x".repeat(33_000));

    fits.send().await.expect(200);
    assert_eq!(assert_problem(&over.send().await, 431, "headers_too_large"), json!({}));
}

#[actix_web::test]
async fn an_encoded_body_is_rejected_with_415_unless_the_encoding_is_identity() {
    let (api, [ana]) = Api::with_users().await;
    let create = |encoding: &str| {
        let request = api.post("/api/v1/posts").by(&ana).header("Content-Encoding", encoding);
        request.json(&json!({"content": "For rain."})).send()
    };

    for encoding in ["identity", "Identity"] {
        create(encoding).await.expect(201);
    }
    for encoding in ["gzip", "br", "x", "", "identity, gzip"] {
        let details = assert_problem(&create(encoding).await, 415, "unsupported_media_type");
        assert_eq!(details, json!({"supported": ["application/json"]}), "{encoding}");
    }
}

#[actix_web::test]
async fn the_token_is_checked_before_the_headers_of_the_body() {
    let api = Api::create().await;
    let headers = [
        ("Content-Encoding", "gzip"),
        ("Content-Length", "99999999999"),
        ("Content-Type", "text/plain"),
        ("Content-Type", "multipart/form-data"),
        ("Idempotency-Key", ""),
    ];

    for path in ["/api/v1/posts", "/api/v1/posts/upload", "/api/v1/users/me/profile/photo"] {
        for (name, value) in headers {
            let request = || api.post(path).header(name, value).json_bytes("{");
            let wrong_token = request().header("Authorization", "Bearer x").send().await;
            for response in [request().send().await, wrong_token] {
                assert_problem(&response, 401, "authentication_error");
            }
        }
    }
}
