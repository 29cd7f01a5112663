//! JSON bodies: syntax, size, encoding and content type.

use actix_web::http::Method;
use grateful_testkit::{Api, ApiResponse, a_post};
use serde_json::json;

use crate::support::{assert_problem, create_post, invalid_fields, post_path};

const POSTS: &str = "/api/v1/posts";

/// The maximum size of a body in bytes (docs/rules.md#request-limits).
const LIMIT: usize = 65_536;

#[actix_web::test]
async fn a_body_that_is_not_a_json_object_is_invalid() {
    let (api, [ana]) = Api::with_users().await;
    let deep = "[".repeat(10_000);
    let deep_field = format!(r#"{{"content": {deep}1{}}}"#, "]".repeat(10_000));
    let deep_objects = format!("{}1{}", r#"{"a":"#.repeat(10_000), "}".repeat(10_000));

    for body in [
        &b""[..],
        b" ",
        b"{",
        b"{}}",
        b"null",
        b"true",
        b"1",
        b"\"For rain.\"",
        b"[]",
        br#"["For rain.", null, null, null, null, true]"#,
        br#"[{"content": "For rain."}]"#,
        br#"{"content": "For rain."} {"content": "For sun."}"#,
        br"{'content': 'For rain.'}",
        br#"{"content": "For rain.",}"#,
        br#"{"content": NaN}"#,
        br#"{"content": "\ud800"}"#,
        br#"{"content": "\udc00\ud800"}"#,
        br#"{"content": "\x00"}"#,
        b"{\"content\": \"a\0b\"}",
        b"{\"content\": \"a\nb\"}",
        b"{\"content\": \"\xff\xfe\"}",
        b"{\"content\": \"\xc0\xaf\"}",
        b"{\"content\": \"\xed\xa0\x80\"}",
        b"\xef\xbb\xbf{\"content\": \"For rain.\"}",
        b"\0",
        deep.as_bytes(),
        deep_field.as_bytes(),
        deep_objects.as_bytes(),
        b"content=For+rain.",
    ] {
        let response = api.post(POSTS).by(&ana).json_bytes(body.to_vec()).send().await;
        let excerpt = String::from_utf8_lossy(&body[..body.len().min(60)]);
        assert_eq!(invalid_fields(&response), ["body"], "{excerpt}");
    }
    assert_eq!(api.database().count("posts").await, 0);
}

#[actix_web::test]
async fn the_last_of_duplicate_fields_wins() {
    let (api, [ana]) = Api::with_users().await;

    let body = br#"{"content": "For rain.", "content": 1, "content": "For sun."}"#;
    let response = api.post(POSTS).by(&ana).json_bytes(body.to_vec()).send().await.expect(201);

    assert_eq!(response.json()["content"], "For sun.");
}

#[actix_web::test]
async fn escaped_surrogate_pairs_are_decoded() {
    let (api, [ana]) = Api::with_users().await;

    let body = br#"{"content": "\ud83d\udc9c"}"#;
    let response = api.post(POSTS).by(&ana).json_bytes(body.to_vec()).send().await.expect(201);

    assert_eq!(response.json()["content"], "💜");
}

#[actix_web::test]
async fn the_error_for_an_empty_body_says_that_it_is_missing() {
    let (api, [ana]) = Api::with_users().await;

    let response = api.post(POSTS).by(&ana).json_bytes("").send().await;

    assert_eq!(response.json()["detail"], "body: is missing");
}

#[actix_web::test]
async fn routes_without_a_body_accept_an_empty_json_body() {
    let (api, [ana]) = Api::with_users().await;
    let post = post_path(create_post(&api, &ana, "For rain.").await);

    for (method, path) in [
        (Method::GET, post.as_str()),
        (Method::GET, "/api/v1/posts/feed"),
        (Method::GET, "/api/v1/auth/session"),
        (Method::DELETE, &post),
        (Method::POST, "/api/v1/auth/logout-all"),
        (Method::POST, "/api/v1/auth/logout"),
    ] {
        let response = api.request(method, path).by(&ana).json_bytes("").send().await;
        assert!(response.status.is_success(), "{path}: {}", response.status);
    }
}

#[actix_web::test]
async fn a_body_of_the_maximum_size_is_accepted() {
    let (api, [ana]) = Api::with_users().await;

    let body = padded(LIMIT);
    assert_eq!(body.len(), LIMIT);

    api.post(POSTS).by(&ana).json_bytes(body).send().await.expect(201);
}

#[actix_web::test]
async fn a_body_over_the_limit_is_rejected_with_and_without_content_length() {
    let (api, [ana]) = Api::with_users().await;
    let post = post_path(create_post(&api, &ana, "For rain.").await);

    for (method, path) in [
        (Method::POST, POSTS),
        (Method::PATCH, post.as_str()),
        (Method::POST, "/api/v1/auth/signup"),
        (Method::POST, "/api/v1/auth/login"),
        (Method::PUT, "/api/v1/auth/password"),
    ] {
        let request = || api.request(method.clone(), path).by(&ana);
        let declared = request().json_bytes("{}").header("Content-Length", "65537").send().await;
        let undeclared = request().json_bytes(padded(LIMIT + 1)).send().await;
        let huge = request()
            .json_bytes("{}")
            .header("Content-Length", "18446744073709551615")
            .send()
            .await;
        for response in [declared, undeclared, huge] {
            let details = assert_problem(&response, 413, "payload_too_large");
            assert_eq!(details, json!({"limit_bytes": LIMIT}), "{path}");
        }
    }
}

#[actix_web::test]
async fn compressed_bodies_are_rejected() {
    let (api, [ana]) = Api::with_users().await;

    for encoding in ["gzip", "br", "deflate", "zstd", "identity, gzip", "GZIP", "x"] {
        let request = api.post(POSTS).by(&ana).header("Content-Encoding", encoding);
        let response = request.json_bytes(r#"{"content": "For rain."}"#).send().await;
        assert_unsupported(&response);
    }
    assert_eq!(api.database().count("posts").await, 0);
    let plain = api.post(POSTS).by(&ana).header("Content-Encoding", "identity");
    plain.json_bytes(r#"{"content": "For rain."}"#).send().await.expect(201);
}

#[actix_web::test]
async fn content_types_other_than_json_are_rejected() {
    let (api, [ana]) = Api::with_users().await;
    let body = r#"{"content": "For rain."}"#;
    let send = async |content_type: &str| {
        let request = api.post(POSTS).by(&ana).json_bytes(body);
        request.header("Content-Type", content_type).send().await
    };

    for content_type in [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/jsonx",
        "application/problem+json",
        "json",
        "",
        "text/html; application/json",
    ] {
        assert_unsupported(&send(content_type).await);
    }
    assert_eq!(api.database().count("posts").await, 0);
    for content_type in ["application/json", "Application/JSON; charset=utf-8", "application/json;"]
    {
        send(content_type).await.expect(201);
    }
}

#[actix_web::test]
async fn unauthenticated_requests_are_rejected_before_their_body_is_read() {
    let api = Api::create().await;
    let post = post_path(a_post().insert_into(api.database()).await.id);

    for (method, path) in [
        (Method::POST, POSTS),
        (Method::PATCH, post.as_str()),
        (Method::PUT, "/api/v1/auth/password"),
    ] {
        let request = || api.request(method.clone(), path);
        for request in [
            request().json_bytes("{"),
            request().json_bytes("{").header("Authorization", "Bearer nonsense"),
            request().json_bytes(padded(LIMIT + 1)),
            request().json_bytes("{").header("Content-Length", "99999999"),
            request().json_bytes("{").header("Content-Type", "text/plain"),
            request().json_bytes("{").header("Idempotency-Key", "not valid"),
        ] {
            let response = request.send().await;
            assert_eq!(assert_problem(&response, 401, "authentication_error"), json!({}), "{path}");
        }
    }
}

/// Returns a valid body of this size.
fn padded(bytes: usize) -> String {
    let (start, end) = (r#"{"content": "For rain.", "padding": ""#, r#""}"#);
    format!("{start}{}{end}", "x".repeat(bytes - start.len() - end.len()))
}

#[track_caller]
fn assert_unsupported(response: &ApiResponse) {
    let details = assert_problem(response, 415, "unsupported_media_type");
    assert_eq!(details, json!({"supported": ["application/json"]}));
}
