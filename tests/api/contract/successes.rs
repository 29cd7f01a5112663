//! Bodies and headers of successful responses.

use grateful_tests::{PASSWORD, Server, Setup, Value, is_timestamp, json};

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
async fn auth_and_users_respond_with_an_envelope() {
    let server = start_server().await;
    let client = server.client();
    let account = json!({"username": "ana", "email": "ana@example.org", "password": PASSWORD});

    let signed_up = client.post("/api/v1/auth/signup").json(&account).send().await.expect(201);
    let ana = signed_up.token();
    let signed_in = client.log_in("ana", PASSWORD).send().await.expect(200);
    let session = client.get_session(&ana).send().await.expect(200);
    let sessions = client.get("/api/v1/auth/sessions").by(&ana).send().await.expect(200);
    let posts = client.get("/api/v1/users/me/posts").by(&ana).send().await.expect(200);
    let posts_by_id = client.get("/api/v1/users/1/posts").by(&ana).send().await.expect(200);
    let logged_out = client.post("/api/v1/auth/logout").by(&ana).send().await.expect(200);

    let all = [&signed_up, &signed_in, &session, &sessions, &posts, &posts_by_id, &logged_out];
    for response in all {
        let envelope = response.json();
        assert_eq!(keys(&envelope), ["data", "request_id", "success", "timestamp"]);
        assert_eq!(envelope["success"], true);
        assert!(is_timestamp(&envelope["timestamp"]), "{response}");
        assert_eq!(envelope["request_id"].as_str(), response.header("x-request-id"));
        assert_eq!(response.header("content-type"), Some("application/json"), "{response}");
    }
    let token = &ana.0;
    let account = json!({
        "id": 1, "email": "ana@example.org", "username": "ana", "access_token": token,
        "token_type": "bearer",
    });
    assert_eq!(signed_up.data(), account);
    assert_eq!(keys(&signed_in.data()), ["access_token", "token_type"]);
    assert_eq!(session.data(), json!({"id": 1, "email": "ana@example.org", "username": "ana"}));
    assert_eq!(
        keys(&sessions.data()[0]),
        ["created_at", "current", "expires_at", "id", "last_used_at", "user_agent"]
    );
    assert_eq!((posts.data(), posts_by_id.data()), (json!([]), json!([])));
    assert_eq!(logged_out.data(), json!({"message": "Successfully logged out"}));
}

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
async fn a_valid_request_id_is_echoed_and_an_invalid_one_replaced() {
    let server = start_server().await;
    let too_long = "x".repeat(129);

    for (sent, is_echoed) in
        [("0193-a.b_c:d", true), ("two words", false), ("<b>", false), (&too_long, false)]
    {
        for path in ["/health", "/nowhere"] {
            let response = server.client().get(path).header("X-Request-Id", sent).send().await;
            assert_eq!(response.header("x-request-id") == Some(sent), is_echoed, "{response}");
        }
    }
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
async fn requests_of_the_web_client_are_accepted() {
    let server = start_server().await;
    let client = server.client();
    let ana = client.sign_up("ana").await;
    let sent = json!({
        "content": "  One.\r\nTwo.\t\r\n", "title": null, "image_url": null, "location": null,
        "post_type": null, "is_public": null, "unknown_field": {"deep": [1]},
    });

    let post = client.post("/api/v1/posts/").by(&ana).json(&sent).send().await.expect(201);
    // An empty body with a content type, on requests that need no body.
    let with_empty_body = |method, path: &str| client.request(method, path).by(&ana).json_bytes("");
    with_empty_body("GET", "/api/v1/posts/feed").send().await.expect(200);
    with_empty_body("DELETE", &format!("/api/v1/posts/{}", post.id())).send().await.expect(204);
    with_empty_body("POST", "/api/v1/auth/logout-all").send().await.expect(200);
    with_empty_body("POST", "/api/v1/auth/logout").send().await.expect(200);

    let post = post.json();
    assert_eq!(post["content"], "One.\nTwo.");
    assert_eq!((&post["is_public"], &post["post_type"]), (&json!(true), &json!("spontaneous")));
}

#[tokio::test]
async fn etags_are_strong_and_change_with_every_edit() {
    let server = start_server().await;
    let client = server.client();
    let ana = client.sign_up("ana").await;
    let post = client.create_post(&ana, "For tags.").send().await.expect(201);
    let path = format!("/api/v1/posts/{}", post.id());
    let first = post.header("etag").unwrap().to_owned();

    let not_modified = client.get(&path).header("If-None-Match", &first).send().await.expect(304);
    let edit = |title: &str| client.patch(&path).by(&ana).json(&json!({"title": title}));
    let edited = edit("New").header("If-Match", &first).send().await.expect(200);
    let second = edited.header("etag").unwrap();
    let stale = edit("Newer").header("If-Match", &first).send().await;
    let read = client.get(&path).header("If-None-Match", &first).send().await.expect(200);

    assert!(first.starts_with('"') && first.ends_with('"'), "{first}");
    assert_ne!(first, second);
    assert_eq!((not_modified.body.len(), not_modified.header("etag")), (0, Some(first.as_str())));
    stale.expect_problem(412, "precondition_failed");
    assert_eq!((read.header("etag"), &read.json()["title"]), (Some(second), &json!("New")));
}

#[tokio::test]
async fn cors_allows_the_frontend_all_methods_and_headers() {
    let server = start_server().await;

    for method in ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"] {
        let preflight = server.client().request("OPTIONS", "/api/v1/posts/feed");
        let preflight = preflight.header("Origin", "http://localhost:3000");
        let preflight = preflight.header("Access-Control-Request-Method", method);
        let request_headers = "authorization,cache-control,content-type,idempotency-key,if-match,\
                               if-none-match,if-range,last-event-id,range,x-request-id";
        let response =
            preflight.header("Access-Control-Request-Headers", request_headers).send().await;

        assert_eq!(response.status, 200, "{response}");
        let header = |name| response.header(name).unwrap_or_default().to_lowercase();
        assert_eq!(header("access-control-allow-origin"), "http://localhost:3000");
        let methods = header("access-control-allow-methods");
        assert!(methods.contains(&method.to_lowercase()), "{response}");
        for name in request_headers.split(',') {
            assert!(header("access-control-allow-headers").contains(name), "{name}: {response}");
        }
    }
    let response = server.client().get("/").header("Origin", "http://localhost:3000").send().await;
    let exposed =
        response.header("access-control-expose-headers").unwrap_or_default().to_lowercase();
    for name in ["etag", "link", "ratelimit", "ratelimit-policy", "retry-after", "x-request-id"] {
        assert!(exposed.contains(name), "{response}");
    }
    assert!(
        response.header("vary").is_some_and(|vary| vary.to_lowercase().contains("origin")),
        "{response}"
    );
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
