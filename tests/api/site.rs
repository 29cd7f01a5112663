//! The web client in the program: beside the API, with previews of public posts from the database.

use grateful_testkit::a_png;
use grateful_tests::{ApiResponse, Client, Setup, eventually, json};

/// What a browser sends when the user opens an address.
const BROWSER: &str = "text/html,application/xhtml+xml,*/*;q=0.8";

#[tokio::test]
async fn the_root_is_a_page_for_browsers_and_json_for_everything_else() {
    let server = Setup::with_test_database().await.start().await;
    let client = server.client();

    let page = client.get("/").header("Accept", BROWSER).send().await.expect(200);
    let greeting = client.get("/").send().await.expect(200);

    assert_eq!(page.header("content-type"), Some("text/html; charset=utf-8"));
    assert!(vary(&page).contains("Accept, "), "{:?}", page.headers);
    assert!(page.header("content-security-policy").unwrap().contains("script-src 'self'"));
    assert_eq!(page.header("x-content-type-options"), Some("nosniff"));
    assert_eq!(greeting.json(), json!({"message": "Grateful API is running"}));
    assert!(vary(&greeting).contains("Accept"), "{:?}", greeting.headers);
}

#[tokio::test]
async fn the_head_of_a_page_and_of_a_file_is_that_of_the_whole_response() {
    let server = Setup::with_test_database().await.start().await;
    let client = server.client();

    for path in ["/", "/settings", "/assets/1/main.js"] {
        let whole = client.get(path).header("Accept", BROWSER).send().await.expect(200);
        let head = client.request("HEAD", path).header("Accept", BROWSER).send().await.expect(200);

        assert_eq!(head.body, b"");
        assert_eq!(head.header("etag"), whole.header("etag"), "{path}");
        let length = whole.body.len().to_string();
        assert_eq!(head.header("content-length"), Some(length.as_str()), "{path}");
    }
}

#[tokio::test]
async fn pages_are_logged_by_their_pattern_and_have_the_limits_of_the_api() {
    let server = Setup::with_test_database().await.start().await;
    let client = server.client();

    client.get("/people/ana").header("Accept", BROWSER).send().await.expect(200);
    let long = format!("/settings?{}", "x".repeat(9_000));
    client.get(&long).header("Accept", BROWSER).send().await.expect_problem(414, "uri_too_long");

    let is_logged = || server.log().iter().any(|line| line.contains("GET /people/{username} 200"));
    eventually("the page is logged", is_logged).await;
}

#[tokio::test]
async fn other_methods_and_unknown_files_get_the_error_body_of_the_api() {
    let server = Setup::with_test_database().await.start().await;
    let client = server.client();

    for path in ["/settings", "/people/ana", "/post/1", "/assets/1/main.js"] {
        let refused = client.post(path).send().await.expect_problem(405, "method_not_allowed");
        assert_eq!(refused.header("allow"), Some("GET, HEAD"), "{path}");
    }
    client
        .post("/")
        .header("Accept", BROWSER)
        .send()
        .await
        .expect_problem(405, "method_not_allowed");
    client.get("/assets/1/unknown.js").send().await.expect_problem(404, "not_found");
    for path in ["/elsewhere", "/people/ana/enemies"] {
        client.get(path).send().await.expect_problem(404, "not_found");
        client.post(path).header("Accept", BROWSER).send().await.expect_problem(404, "not_found");
    }
}

#[tokio::test]
async fn an_unknown_address_is_a_page_for_browsers_but_never_within_the_api() {
    let server = Setup::with_test_database().await.start().await;
    let client = server.client();

    for path in ["/elsewhere", "/people/ana/enemies", "/apparently"] {
        let page = client.get(path).header("Accept", BROWSER).send().await.expect(404);
        assert_eq!(page.header("content-type"), Some("text/html; charset=utf-8"), "{path}");
        assert!(page.header("content-security-policy").unwrap().contains("script-src 'self'"));
        assert_eq!(page.header("cache-control"), Some("no-store"));
        assert!(page.body.starts_with(b"<!doctype html>"), "{path}");
    }
    for path in ["/api/v1/elsewhere", "/api", "/uploads", "/uploads/none.jpg", "/assets/1/none.js"]
    {
        let problem = client.get(path).header("Accept", BROWSER).send().await;
        problem.expect_problem(404, "not_found");
    }
}

#[tokio::test]
async fn the_site_can_be_switched_off() {
    let server = Setup::with_test_database().await.env("GRATEFUL_SITE", "off").start().await;
    let client = server.client();

    let root = client.get("/").header("Accept", BROWSER).send().await.expect(200);

    assert_eq!(root.json(), json!({"message": "Grateful API is running"}));
    client.get("/settings").send().await.expect_problem(404, "not_found");
    client.get("/assets/1/main.js").send().await.expect_problem(404, "not_found");
}

#[tokio::test]
async fn the_page_of_a_public_post_has_a_preview() {
    let setup = Setup::with_test_database().await;
    let server = setup.env("GRATEFUL_FRONTEND_URL", "https://grateful.example").start().await;
    let client = server.client();
    let ana = client.sign_up("ana").await;
    let image = a_png(64, 48);
    let parts: [(&str, &[u8]); 3] =
        [("title", b"Monday"), ("content", b"For <b>\"rain\"</b> & snow."), ("image", &image)];
    let post = client.post("/api/v1/posts/upload").by(&ana).multipart(&parts);
    let post = post.send().await.expect(201);

    let page = page_of(&client, &post.id()).await;

    assert!(page.contains("<title>Monday · Grateful</title>"), "{page}");
    let description = "For &lt;b&gt;&quot;rain&quot;&lt;/b&gt; &amp; snow.";
    let image = format!("https://grateful.example{}", post.json()["image_url"].as_str().unwrap());
    let address = format!("https://grateful.example/post/{}", post.id());
    for (property, content) in [
        ("og:title", "Monday"),
        ("og:description", description),
        ("og:image", &image),
        ("og:url", &address),
        ("article:author", "ana"),
    ] {
        let element = format!(r#"<meta property="{property}" content="{content}">"#);
        assert!(page.contains(&element), "{element} is not in {page}");
    }
}

#[tokio::test]
async fn a_private_post_a_deleted_one_and_an_unknown_one_have_the_same_page() {
    let server = Setup::with_test_database().await.start().await;
    let client = server.client();
    let ana = client.sign_up("ana").await;
    let (hidden, deleted) = (
        client.create_post(&ana, "For secrets.").send().await.expect(201).id(),
        client.create_post(&ana, "For mistakes.").send().await.expect(201).id(),
    );
    assert!(page_of(&client, &hidden).await.contains("For secrets."));

    let post = |id: &str| format!("/api/v1/posts/{id}");
    client
        .patch(&post(&hidden))
        .by(&ana)
        .json(&json!({"is_public": false}))
        .send()
        .await
        .expect(200);
    client.delete(&post(&deleted)).by(&ana).send().await.expect(204);

    let unknown = page_of(&client, "01a20692-f682-77f2-9d5c-e2325899747b").await;
    for id in [&hidden, &deleted, "no-id", "%00", "%3Cscript%3E"] {
        assert_eq!(page_of(&client, id).await, unknown, "{id}");
    }
    assert!(!unknown.contains("og:"), "{unknown}");
}

async fn page_of(client: &Client, post: &str) -> String {
    let path = format!("/post/{post}");
    let page = client.get(&path).header("Accept", BROWSER).send().await.expect(200);
    assert_eq!(page.header("cache-control"), Some("no-cache"));
    String::from_utf8(page.body).unwrap()
}

fn vary(response: &ApiResponse) -> String {
    let fields = response.headers.iter().filter(|(name, _)| name == "vary");
    fields.map(|(_, value)| value.clone() + ", ").collect()
}
