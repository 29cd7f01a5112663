//! Limits on the size of the URL and the headers. [`crate::request::json`] tests the limit on JSON bodies.

use grateful_testkit::Api;
use serde_json::json;

use crate::support::assert_problem;

#[actix_web::test]
async fn a_url_over_the_limit_is_rejected_with_414() {
    let api = Api::create().await;
    let ana = api.create_user().await;
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
    let api = Api::create().await;
    let ana = api.create_user().await;

    let fits = api.get("/api/v1/posts/feed").by(&ana).header("X-Padding", &"x".repeat(30_000));
    let over = api.get("/api/v1/posts/feed").by(&ana).header("X-Padding", &"x".repeat(33_000));

    fits.send().await.expect(200);
    assert_eq!(assert_problem(&over.send().await, 431, "headers_too_large"), json!({}));
}
