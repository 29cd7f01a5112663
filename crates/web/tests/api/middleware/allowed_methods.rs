//! `405 Method Not Allowed`, and `HEAD`.

use actix_web::http::Method;
use grateful_testkit::{Api, a_post};
use serde_json::json;

use crate::support::{assert_problem, post_path};

#[actix_web::test]
async fn an_unsupported_method_is_rejected_with_the_allowed_ones() {
    let (api, [ana]) = Api::with_users().await;
    let post = post_path("01937b5e-7c2a-7000-8000-000000000001");

    for (method, path, allow) in [
        (Method::POST, "/health", "GET, HEAD"),
        (Method::DELETE, "/", "GET, HEAD"),
        (Method::PUT, "/docs", "GET, HEAD"),
        (Method::PUT, "/docs/swagger-ui.css", "GET, HEAD"),
        (Method::GET, "/api/v1/auth/login", "POST"),
        (Method::POST, "/api/v1/auth/password", "PUT"),
        (Method::GET, "/api/v1/posts", "POST"),
        (Method::PUT, &post, "GET, HEAD, PATCH, DELETE"),
        (Method::TRACE, &post, "GET, HEAD, PATCH, DELETE"),
        (Method::OPTIONS, &post, "GET, HEAD, PATCH, DELETE"),
        (Method::from_bytes(b"BREW").unwrap(), "/health", "GET, HEAD"),
    ] {
        let response = api.request(method.clone(), path).by(&ana).send().await;
        assert_eq!(
            assert_problem(&response, 405, "method_not_allowed"),
            json!({}),
            "{method} {path}"
        );
        assert_eq!(response.header("allow"), Some(allow), "{method} {path}");
    }
    let head = api.request(Method::HEAD, "/api/v1/auth/signup").send().await.expect(405);
    assert_eq!(head.header("allow"), Some("POST"));
}

#[actix_web::test]
async fn every_documented_path_rejects_undocumented_methods() {
    let (api, [ana]) = Api::with_users().await;
    let document = api.get("/openapi.json").send().await.expect(200).json();

    for (pattern, item) in document["paths"].as_object().unwrap() {
        let path = pattern.replace("{id}", "01937b5e-7c2a-7000-8000-000000000001");
        let documented = |method: &&str| item.get(method.to_lowercase()).is_some();
        let (supported, unsupported): (Vec<&str>, Vec<&str>) =
            ["GET", "POST", "PUT", "PATCH", "DELETE"].into_iter().partition(documented);
        for method in unsupported {
            let method = Method::from_bytes(method.as_bytes()).unwrap();
            let response = api.request(method.clone(), &path).by(&ana).send().await;
            assert_problem(&response, 405, "method_not_allowed");
            let allow: Vec<&str> = response.header("allow").unwrap().split(", ").collect();
            let has_supported = supported.iter().all(|method| allow.contains(method));
            assert!(has_supported, "{method} {path}: {allow:?}");
            assert!(!allow.contains(&method.as_str()), "{method} {path}: {allow:?}");
        }
    }
}

#[actix_web::test]
async fn head_responds_with_the_headers_of_get() {
    let (api, [ana]) = Api::with_users().await;
    let post = post_path(a_post().insert_into(api.database()).await.id);

    for path in
        ["/", "/health", "/readyz", "/api/v1/posts/feed", "/docs", "/api/v1/users/me/export", &post]
    {
        let get = api.get(path).by(&ana).send().await.expect(200);
        let head = api.request(Method::HEAD, path).by(&ana).send().await.expect(200);
        assert!(head.body.is_empty(), "{path}");
        for name in ["content-type", "etag", "cache-control", "vary", "content-disposition"] {
            assert_eq!(head.header(name), get.header(name), "{path}");
        }
    }
    api.request(Method::HEAD, "/api/v1/posts/feed").send().await.expect(401);
    api.request(Method::HEAD, "/nowhere").send().await.expect(404);
}
