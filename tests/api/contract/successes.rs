//! Bodies and headers of successful responses.

use grateful_tests::{Server, Setup, Value, is_timestamp, json};

const POST_FIELDS: [&str; 17] = [
    "author",
    "author_id",
    "comments_count",
    "content",
    "created_at",
    "current_user_reaction",
    "hearts_count",
    "id",
    "image_url",
    "is_hearted",
    "is_public",
    "location",
    "post_type",
    "reactions_count",
    "shares_count",
    "title",
    "updated_at",
];

#[tokio::test]
async fn posts_and_the_root_respond_without_an_envelope() {
    let server = start_server().await;
    let client = server.client();
    let ana = client.sign_up("ana").await;

    let created = client.create_post(&ana, "For bare facts.").send().await.expect(201);
    let read = client.get(&format!("/api/v1/posts/{}", created.id())).send().await.expect(200);
    let feed = client.get("/api/v1/posts/feed").by(&ana).send().await.expect(200);
    let root = client.get("/").send().await.expect(200);
    let health = client.get("/health").send().await.expect(200);

    let post = created.json();
    assert_eq!(keys(&post), POST_FIELDS);
    assert!(is_timestamp(&post["created_at"]), "{created}");
    assert_eq!(
        post["author"],
        json!({
            "id": 1, "username": "ana", "display_name": null, "name": "ana", "image": null,
            "profile_image_url": null,
        })
    );
    assert_eq!(read.json(), post);
    assert_eq!(feed.json(), json!([post]));
    assert_eq!(root.json(), json!({"message": "Grateful API is running"}));
    assert_eq!(health.json(), json!({"status": "healthy", "service": "grateful-api"}));
    for response in [&created, &read, &feed, &root, &health] {
        assert_eq!(response.header("content-type"), Some("application/json"), "{response}");
        let text = String::from_utf8(response.body.clone()).unwrap();
        assert!(!text.contains("\": ") && !text.contains('\n'), "compact: {text}");
    }
}

#[tokio::test]
async fn every_response_has_a_request_id_and_security_headers() {
    let server = start_server().await;
    let client = server.client();
    let ana = client.sign_up("ana").await;

    for (request, policy) in [
        (client.get("/"), "default-src 'none'; frame-ancestors 'none'"),
        (client.get_session(&ana), "default-src 'none'; frame-ancestors 'none'"),
        (client.get("/nowhere"), "default-src 'none'; frame-ancestors 'none'"),
        (client.get("/docs"), "default-src 'none'; script-src 'self'; "),
    ] {
        let response = request.send().await;
        assert!(response.header("x-request-id").is_some_and(|id| 16 < id.len()), "{response}");
        assert_eq!(response.header("x-content-type-options"), Some("nosniff"), "{response}");
        assert_eq!(response.header("x-frame-options"), Some("DENY"), "{response}");
        assert_eq!(response.header("referrer-policy"), Some("no-referrer"), "{response}");
        let sent = response.header("content-security-policy");
        assert!(sent.is_some_and(|sent| sent.starts_with(policy)), "{response}");
        assert!(response.header("date").is_some(), "{response}");
    }
    let session = client.get_session(&ana).send().await;
    assert_eq!(session.header("cache-control"), Some("no-store"), "{session}");
}

#[tokio::test]
async fn a_trailing_slash_makes_no_difference() {
    let server = start_server().await;
    let client = server.client();
    let ana = client.sign_up("ana").await;
    let post = json!({"content": "For slashes."});

    let post = client.post("/api/v1/posts/").by(&ana).json(&post).send().await.expect(201);
    client.get(&format!("/api/v1/posts/{}/", post.id())).send().await.expect(200);
    client.get("/api/v1/posts/feed/?limit=1").by(&ana).send().await.expect(200);
    client.get("/api/v1/auth/session/").by(&ana).send().await.expect(200);
    client.get("/health/").send().await.expect(200);
    client.get("/docs/").send().await.expect(200);
}

#[tokio::test]
async fn all_assets_of_the_docs_page_are_served_by_the_binary() {
    let server = start_server().await;
    let page = server.client().get("/docs").send().await.expect(200);
    let html = String::from_utf8(page.body.clone()).unwrap();

    let assets: Vec<&str> = html.split(['"']).filter(|text| text.starts_with("/docs/")).collect();

    assert!(
        page.header("content-type").is_some_and(|value| value.starts_with("text/html")),
        "{page}"
    );
    assert!(!html.contains("http"), "the page has an external URL: {html}");
    assert!(3 < assets.len(), "{html}");
    for asset in assets {
        server.client().get(asset).send().await.expect(200);
    }
    let initializer = server.client().get("/docs/swagger-initializer.js").send().await.expect(200);
    let initializer = String::from_utf8(initializer.body).unwrap();
    assert!(initializer.contains("/openapi.json"), "{initializer}");
    server
        .client()
        .get("/docs/..%2f..%2fetc%2fpasswd")
        .send()
        .await
        .expect_problem(404, "not_found");
}

async fn start_server() -> Server {
    Setup::with_test_database().await.start().await
}

/// The sorted keys of an object.
fn keys(object: &Value) -> Vec<String> {
    let mut keys: Vec<_> = object.as_object().unwrap().keys().cloned().collect();
    keys.sort_unstable();
    keys
}
