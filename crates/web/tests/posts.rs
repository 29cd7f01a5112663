//! `/posts` over HTTP.

use grateful_testkit::{Api, a_post};
use serde_json::json;

#[actix_web::test]
async fn a_post_is_published_and_read_back() {
    let api = Api::create().await;
    let ana = api.someone().await;

    let published = api
        .post("/api/v1/posts/")
        .by(&ana)
        .json(&json!({"content": "For rain.\r\nAnd sun."}))
        .send()
        .await
        .expect(201);
    let id = published.json()["id"].as_str().unwrap().to_owned();
    let read = api.get(&format!("/api/v1/posts/{id}")).send().await.expect(200);

    assert_eq!(read.json(), published.json());
    assert_eq!(read.json()["content"], "For rain.\nAnd sun.");
    assert_eq!(read.header("etag"), published.header("etag"));
}

#[actix_web::test]
async fn somebody_elses_private_post_is_not_there() {
    let api = Api::create().await;
    let ana = api.someone().await;
    let post = a_post().private().saved_in(api.test()).await;

    let path = format!("/api/v1/posts/{}", post.id);
    api.get(&path).send().await.expect(404);
    api.get(&path).by(&ana).send().await.expect(404);
    api.delete(&path).by(&ana).send().await.expect(404);
}
