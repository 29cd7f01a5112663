//! The routes, in files that mirror the paths.

mod auth;
mod avatars;
mod follows;
mod health;
mod metrics;
mod notifications;
mod posts;
mod uploads;
mod users;

use grateful_testkit::Api;

use crate::support::{create_post, post_path};

#[actix_web::test]
async fn every_path_works_with_additional_slashes() {
    let (api, [ana]) = Api::with_users().await;
    let post = post_path(create_post(&api, &ana, "For rain.").await);
    let posts_of_ana = format!("/api/v1/users/{}/posts", ana.user.id);

    for path in [
        "/health",
        "/livez",
        "/readyz",
        "/openapi.json",
        "/docs",
        "/api/v1/auth/session",
        "/api/v1/auth/sessions",
        "/api/v1/posts/feed",
        "/api/v1/users/me/posts",
        &posts_of_ana,
        &post,
    ] {
        api.get(path).by(&ana).send().await.expect(200);
        api.get(&format!("{path}/")).by(&ana).send().await.expect(200);
        api.get(&format!("{path}/?x=1")).by(&ana).send().await.expect(200);
        api.get(&format!("{}//?x=//", path.replace('/', "//"))).by(&ana).send().await.expect(200);
    }
}

#[actix_web::test]
async fn letters_of_a_path_can_be_encoded() {
    let (api, [ana]) = Api::with_users().await;
    let encoded = "/api/v1/%70osts/feed";

    api.get(encoded).by(&ana).send().await.expect(200);
    api.get(encoded).send().await.expect(401);
    let response = api.delete(encoded).by(&ana).send().await.expect(405);
    assert_eq!(response.header("allow"), Some("GET, HEAD"));
    // A slash in a segment is no separator.
    api.get("/api/v1/posts%2Ffeed").by(&ana).send().await.expect(404);
}
