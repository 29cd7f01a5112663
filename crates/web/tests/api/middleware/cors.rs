//! Cross-origin requests.

use std::collections::BTreeSet;

use actix_web::http::Method;
use grateful_testkit::{Api, ApiRequest, ApiResponse, TestApp, a_post};
use grateful_web::WebConfig;
use serde_json::json;

use crate::openapi::operations;
use crate::support::{assert_problem, post_path};

/// An origin that the default configuration allows.
const ALLOWED: &str = "http://localhost:3000";

#[actix_web::test]
async fn an_allowed_origin_passes_the_preflight() {
    let api = Api::create().await;

    for method in ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"] {
        let headers = "accept, accept-language, authorization, cache-control, content-type, \
                       idempotency-key, if-match, if-none-match, if-range, last-event-id, range, \
                       x-request-id";
        let response = preflight(&api, ALLOWED, method, headers).send().await.expect(200);
        assert_eq!(response.header("access-control-allow-origin"), Some(ALLOWED));
        assert_eq!(response.header("access-control-allow-credentials"), Some("true"));
        assert_lists(&response, "access-control-allow-methods", &[method]);
        assert_lists(
            &response,
            "access-control-allow-headers",
            &headers.split(", ").collect::<Vec<_>>(),
        );
    }
}

#[actix_web::test]
async fn an_allowed_origin_may_read_every_response_including_errors() {
    let (api, [ana]) = Api::with_users().await;
    let post = post_path(a_post().insert_into(api.database()).await.id);

    let new_post = json!({"content": "For rain."});
    for (request, status) in [
        (api.get(&post), 200),
        (api.get(&post).header("If-None-Match", "*"), 304),
        (api.get("/api/v1/posts/feed").by(&ana), 200),
        (api.get("/api/v1/posts/feed"), 401),
        (api.delete(&post).by(&ana), 403),
        (api.get("/nowhere"), 404),
        (api.put("/health"), 405),
        (api.get("/api/avatar/1").header("Range", "bytes=0-0"), 200),
        (api.get("/api/v1/users/me/export").by(&ana), 200),
        (api.post("/api/v1/posts").by(&ana).header("Idempotency-Key", "k").json(&new_post), 201),
        (api.post("/api/v1/posts").by(&ana).header("Idempotency-Key", "k").json(&new_post), 201),
        (api.patch(&post).by(&ana).header("If-Match", "x").json_bytes("{}"), 403),
        (api.post("/api/v1/posts").by(&ana).json_bytes("x".repeat(70_000)), 413),
        (api.get(&format!("/{}", "x".repeat(9_000))), 414),
        (api.post("/api/v1/posts").by(&ana).header("Content-Encoding", "br").json_bytes("x"), 415),
        (api.post("/api/v1/posts").by(&ana).json_bytes("{"), 422),
    ] {
        let response = request.header("Origin", ALLOWED).send().await.expect(status);
        assert_eq!(response.header("access-control-allow-origin"), Some(ALLOWED), "{status}");
        assert_eq!(response.header("access-control-allow-credentials"), Some("true"));
        let names: Vec<&str> = response.header_names().filter(is_for_pages).collect();
        assert_lists(&response, "access-control-expose-headers", &names);
        assert_lists(&response, "vary", &["origin"]);
    }
}

#[actix_web::test]
async fn headers_that_only_some_responses_have_are_exposed_too() {
    let api = Api::create().await;

    let response = api.get("/health").header("Origin", ALLOWED).send().await.expect(200);

    let names = "accept-ranges, allow, content-disposition, content-encoding, content-range, date, \
                 etag, idempotent-replayed, link, ratelimit, ratelimit-policy, retry-after, \
                 www-authenticate, x-accel-buffering, x-request-id";
    let names: Vec<&str> = names.split(", ").collect();
    assert_lists(&response, "access-control-expose-headers", &names);
}

#[actix_web::test]
async fn every_request_header_of_the_openapi_document_passes_the_preflight() {
    let api = Api::create().await;
    let mut names = Vec::new();
    for (.., operation) in operations() {
        for parameter in operation["parameters"].as_array().into_iter().flatten() {
            if parameter["in"] == "header" {
                names.push(parameter["name"].as_str().unwrap().to_lowercase());
            }
        }
    }

    assert!(names.iter().any(|name| name == "last-event-id"), "{names:?}");
    for name in names {
        preflight(&api, ALLOWED, "GET", &name).send().await.expect(200);
    }
}

#[actix_web::test]
async fn pages_can_send_or_read_every_header_of_the_api_description() {
    let api = Api::create().await;
    let description = include_str!("../../../../../docs/http-api.md");
    let response = api.get("/health").header("Origin", ALLOWED).send().await.expect(200);
    let exposed = response.header("access-control-expose-headers").unwrap().to_lowercase();
    let exposed: Vec<&str> = exposed.split(',').map(str::trim).collect();

    let names: BTreeSet<String> =
        description.split('`').skip(1).step_by(2).filter_map(hyphenated_header_name).collect();

    assert!(names.contains("last-event-id") && names.contains("if-range"), "{names:?}");
    for name in names {
        // Of the parts of a form, not of a request.
        if name != "content-transfer-encoding" && !exposed.contains(&name.as_str()) {
            preflight(&api, ALLOWED, "GET", &name).send().await.expect(200);
        }
    }
}

#[actix_web::test]
async fn a_response_for_one_viewer_varies_by_token_and_origin() {
    let api = Api::create().await;
    let post = post_path(a_post().insert_into(api.database()).await.id);

    // Also without an `Origin`: a cache must not give this response to a page of another origin.
    for request in [api.get(&post), api.get(&post).header("Origin", ALLOWED)] {
        assert_lists(&request.send().await.expect(200), "vary", &["authorization", "origin"]);
    }
}

#[actix_web::test]
async fn other_origins_may_not_read_responses_and_fail_the_preflight() {
    let api = Api::create().await;
    let post = post_path(a_post().insert_into(api.database()).await.id);

    for origin in [
        "https://evil.example",
        "http://localhost:3001",
        "https://localhost:3000",
        "http://localhost:3000.evil.example",
        "null",
    ] {
        let response = api.get(&post).header("Origin", origin).send().await.expect(200);
        assert_eq!(response.header("access-control-allow-origin"), None, "{origin}");
        let preflight = preflight(&api, origin, "GET", "authorization").send().await;
        assert_eq!(preflight.header("access-control-allow-origin"), None, "{origin}");
        assert_problem(&preflight, 400, "business_logic_error");
    }
}

#[actix_web::test]
async fn allowed_origins_are_configurable() {
    let config = WebConfig {
        allowed_origins: vec!["https://grateful.example".to_owned()],
        ..WebConfig::default()
    };
    let api = Api::serve(TestApp::create().await, &config).await;

    for (origin, is_allowed) in [("https://grateful.example", true), (ALLOWED, false)] {
        let response = api.get("/health").header("Origin", origin).send().await.expect(200);
        let allow_origin = response.header("access-control-allow-origin");
        assert_eq!(allow_origin, is_allowed.then_some(origin));
    }
}

/// The name of the header in `code`, in lower case, if it is one like `If-Match` or `Retry-After: 30`.
fn hyphenated_header_name(code: &str) -> Option<String> {
    let name = code.split(':').next()?;
    let starts_upper = |word: &str| word.starts_with(|first: char| first.is_ascii_uppercase());
    let is_word = |word: &str| word.chars().all(|letter| letter.is_ascii_alphanumeric());
    let is_name =
        name.contains('-') && name.split('-').all(|word| starts_upper(word) && is_word(word));
    is_name.then(|| name.to_lowercase())
}

/// Whether pages read the header. Browsers read those of CORS themselves.
fn is_for_pages(name: &&str) -> bool {
    !name.starts_with("access-control-")
}

fn preflight<'a>(api: &'a Api, origin: &str, method: &str, headers: &str) -> ApiRequest<'a> {
    api.request(Method::OPTIONS, "/api/v1/posts")
        .header("Origin", origin)
        .header("Access-Control-Request-Method", method)
        .header("Access-Control-Request-Headers", headers)
}

#[track_caller]
fn assert_lists(response: &ApiResponse, header: &str, names: &[&str]) {
    let listed = response.header(header).unwrap_or_default().to_lowercase();
    let listed: Vec<&str> = listed.split(',').map(str::trim).collect();
    for name in names {
        assert!(listed.contains(&name.to_lowercase().as_str()), "{header}: {listed:?}");
    }
}
