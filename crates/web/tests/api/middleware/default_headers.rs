//! Headers that every response has.

use grateful_testkit::{Api, a_post};

use crate::support::post_path;

#[actix_web::test]
async fn every_response_has_the_security_headers() {
    let (api, [ana]) = Api::with_users().await;
    let post = post_path(a_post().insert_into(api.database()).await.id);

    for request in [
        api.get("/health"),
        api.get("/docs"),
        api.get("/docs/swagger-ui.css"),
        api.get("/nowhere"),
        api.get(&post),
        api.get(&post).header("If-None-Match", "*"),
        api.get("/api/v1/posts/feed").by(&ana),
        api.get("/api/v1/posts/feed"),
        api.post("/api/v1/posts").by(&ana).json_bytes("{"),
    ] {
        let response = request.send().await;
        assert_eq!(response.header("x-content-type-options"), Some("nosniff"));
        assert_eq!(response.header("x-frame-options"), Some("DENY"));
        assert_eq!(response.header("referrer-policy"), Some("no-referrer"));
        let policy = response.header("content-security-policy").unwrap();
        assert!(policy.starts_with("default-src 'none'"), "{policy}");
        assert!(policy.contains("frame-ancestors 'none'"), "{policy}");
        assert!(response.header("x-request-id").is_some());
        assert!(response.header("cache-control").is_some());
    }
}

#[actix_web::test]
async fn responses_to_a_signed_in_user_are_not_cacheable() {
    let (api, [ana]) = Api::with_users().await;

    for path in ["/api/v1/auth/session", "/api/v1/posts/feed", "/api/v1/users/me/posts"] {
        let response = api.get(path).by(&ana).send().await.expect(200);
        assert_eq!(response.header("cache-control"), Some("no-store"), "{path}");
    }
}
