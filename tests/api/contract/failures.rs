//! Error responses, for malformed HTTP, oversized requests and invalid input.

use grateful_tests::{ApiRequest, Server, Setup, Token, Value, eventually, json};

#[tokio::test]
async fn malformed_http_gets_a_problem_response_and_the_connection_is_closed() {
    let server = start_server().await;

    for sent in [
        &b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"[..],
        b"hello\r\n\r\n",
        b"GET\r\n\r\n",
        b"GET / HTTP/9.9\r\nHost: localhost\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: localhost\r\nno colon\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: localhost\r\nX: a\0b\r\n\r\n",
        b"GET /\xff\xfe HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
        b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    ] {
        let mut connection = server.connect().await;
        let text = String::from_utf8_lossy(sent).into_owned();
        let response = connection.round_trip(sent).await;
        assert_eq!(response.status, 400, "{text:?}: {response}");
        let response = response.expect_problem(400, "business_logic_error");
        assert_eq!(details(&response.json()), &json!({"constraint": null}), "{text:?}");
        connection.wait_for_close().await;
    }
    server.client().get("/livez").send().await.expect(200);
}

#[tokio::test]
async fn an_oversized_uri_gets_414_and_an_oversized_head_431() {
    let server = start_server().await;
    let head = |path: &str, field: &str| {
        format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nX-Long: {field}\r\n\r\n")
    };
    let long = |bytes: usize| "a".repeat(bytes);

    for (request, status, code) in [
        (head(&format!("/{}", long(8 << 10)), ""), 414, "uri_too_long"),
        (head(&format!("/{}", long(40 << 10)), ""), 414, "uri_too_long"),
        (head("/livez", &long(33 << 10)), 431, "headers_too_large"),
        (head("/livez", &long(300 << 10)), 431, "headers_too_large"),
        (head(&format!("/{}", long(300 << 10)), ""), 431, "headers_too_large"),
    ] {
        let response = server.connect().await.round_trip(request).await;
        let response = response.expect_problem(status, code);
        assert_eq!(details(&response.json()), &json!({}));
    }
    server.connect().await.round_trip(head("/livez", &long(30 << 10))).await.expect(200);
    let longest = format!("/livez?{}", long((8 << 10) - "/livez?".len()));
    server.connect().await.round_trip(head(&longest, "")).await.expect(200);
}

#[tokio::test]
async fn a_body_over_the_limit_gets_413_with_and_without_a_content_length() {
    let server = start_server().await;
    let ana = server.client().sign_up("ana").await;
    let head = format!(
        "POST /api/v1/posts HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {}\r\n\
         Content-Type: application/json\r\n",
        ana.0
    );
    let content = "a".repeat(65 << 10);

    let declared = format!("{head}Content-Length: {}\r\n\r\n", 10_u64 << 40);
    let declared = server.connect().await.round_trip(declared).await;
    let chunked = format!(
        "{head}Transfer-Encoding: chunked\r\n\r\n{:x}\r\n{content}\r\n0\r\n\r\n",
        content.len()
    );
    let chunked = server.connect().await.round_trip(chunked).await;

    for response in [declared, chunked] {
        let response = response.expect_problem(413, "payload_too_large");
        assert_eq!(details(&response.json()), &json!({"limit_bytes": 65_536}));
    }
    server.client().get_session(&ana).send().await.expect(200);
}

/// The protocol layer treats malformed chunks as a broken connection, and closes it without a response.
#[tokio::test]
async fn malformed_chunks_close_the_connection_and_change_nothing() {
    let server = start_server().await;
    let ana = server.client().sign_up("ana").await;
    let head = format!(
        "POST /api/v1/posts HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {}\r\n\
         Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n",
        ana.0
    );

    for chunks in
        ["zz\r\n{}\r\n", "fffffffffffffffff\r\n{}\r\n", "e\r\n{\"content\":\"a\"}X0\r\n\r\n"]
    {
        let mut connection = server.connect().await;
        connection.send(format!("{head}{chunks}")).await;
        connection.wait_for_close().await;
    }

    server.client().get_session(&ana).send().await.expect(200);
    assert_eq!(server.sql().await.run("SELECT count(*) FROM posts").await, "0");
}

#[tokio::test]
async fn authentication_permission_and_conflict_errors_have_their_status_code_and_details() {
    let server = start_server().await;
    let client = server.client();
    let (ana, ben) = (client.sign_up("ana").await, client.sign_up("ben").await);
    let post = client.create_post(&ana, "For refusals.").send().await.expect(201).id();
    let path = format!("/api/v1/posts/{post}");
    let session = "/api/v1/auth/session";
    let account = json!({"username": "ANA", "email": "c@example.org", "password": "long enough"});
    let change = json!({"current_password": "nonsense", "new_password": "long enough"});
    let empty = json!({});

    for (request, status, code, details) in [
        (client.get("/api/v1/posts/feed"), 401, "authentication_error", empty.clone()),
        (client.get_session(&Token("x".into())), 401, "authentication_error", empty.clone()),
        (
            client.get(session).header("Authorization", "Basic YTpi"),
            401,
            "authentication_error",
            empty.clone(),
        ),
        (client.log_in("ana", "nonsense"), 401, "authentication_error", empty.clone()),
        (
            client.put("/api/v1/auth/password").by(&ana).json(&change),
            403,
            "permission_denied",
            json!({"resource": "user", "action": "change_password"}),
        ),
        (
            client.delete(&path).by(&ben),
            403,
            "permission_denied",
            json!({"resource": "post", "action": "delete"}),
        ),
        (
            client.post("/api/v1/auth/signup").json(&account),
            409,
            "already_exists",
            json!({"resource": "user"}),
        ),
        (
            client.patch(&path).by(&ana).header("If-Match", "\"other\"").json(&empty),
            412,
            "precondition_failed",
            empty.clone(),
        ),
    ] {
        assert_problem(request, status, code, &details).await;
    }
}

#[tokio::test]
async fn path_errors_have_their_status_code_and_details() {
    let server = start_server().await;
    let client = server.client();
    let ana = client.sign_up("ana").await;
    let unknown = "00000000-0000-7000-8000-000000000000";
    let invalid_number = json!({"fields": {"id": "must be a whole number"}});
    let unknown_post = json!({"resource": "post"});
    let unknown_user = json!({"resource": "user", "id": "9223372036854775807"});

    for (path, status, code, details) in [
        ("/api/v2/posts", 404, "not_found", json!({"resource": "route"})),
        ("/api/v1/posts/7", 404, "not_found", unknown_post.clone()),
        ("/api/v1/posts/%00", 404, "not_found", unknown_post.clone()),
        ("/api/v1/posts/%ff", 404, "not_found", unknown_post),
        (
            &format!("/api/v1/posts/{unknown}"),
            404,
            "not_found",
            json!({"resource": "post", "id": unknown}),
        ),
        (
            "/api/v1/users/99999999999999999999/posts",
            422,
            "validation_error",
            invalid_number.clone(),
        ),
        ("/api/v1/users/%00/posts", 422, "validation_error", invalid_number),
        ("/api/v1/users/9223372036854775807/posts", 404, "not_found", unknown_user),
        ("/api/v1/auth/login", 405, "method_not_allowed", json!({})),
    ] {
        assert_problem(client.get(path).by(&ana), status, code, &details).await;
    }
    assert_problem(client.delete("/health"), 405, "method_not_allowed", &json!({})).await;
    let trace = client.request("TRACE", "/api/v1/posts").by(&ana);
    assert_problem(trace, 405, "method_not_allowed", &json!({})).await;
}

#[tokio::test]
async fn body_errors_have_their_status_code_and_details() {
    let server = start_server().await;
    let ana = server.client().sign_up("ana").await;
    let post = || server.client().post("/api/v1/posts").by(&ana);
    let supported = json!({"supported": ["application/json"]});
    let invalid = json!({
        "content": 1, "is_public": "no", "title": "x".repeat(101), "post_type": "weekly",
    });

    for (request, status, code, details) in [
        (post().header("Content-Type", "text/plain"), 415, "unsupported_media_type", &supported),
        (
            post().json_bytes("{}").header("Content-Encoding", "br"),
            415,
            "unsupported_media_type",
            &supported,
        ),
        (
            post().json(&invalid),
            422,
            "validation_error",
            &json!({"fields": {
                "content": "must be a string",
                "is_public": "must be true or false",
                "title": "must be at most 100 characters long, but has 101",
                "post_type": "must be daily, photo or spontaneous",
            }}),
        ),
        (
            post().json(&json!({"content": "a"})).header("Idempotency-Key", "two words"),
            422,
            "validation_error",
            &json!({"fields": {"Idempotency-Key": "must be 1 to 64 visible ASCII characters"}}),
        ),
    ] {
        assert_problem(request, status, code, details).await;
    }
}

#[tokio::test]
async fn a_body_that_is_not_a_valid_json_object_is_a_validation_error() {
    let server = start_server().await;
    let ana = server.client().sign_up("ana").await;
    let deep = format!("{}1{}", "[".repeat(10_000), "]".repeat(10_000));
    let deeper = format!(r#"{{"content": {deep}}}"#);

    for body in [
        &b""[..],
        b"null",
        b"[]",
        b"{",
        b"{\"content\": \"\xff\"}",
        br#"{"content": "\ud800"}"#,
        br#"{"content": "a"} x"#,
        br#"{"content": "a", }"#,
        b"\xef\xbb\xbf{}",
        deep.as_bytes(),
        deeper.as_bytes(),
    ] {
        let response = server.client().post("/api/v1/posts").by(&ana).json_bytes(body).send().await;
        let response = response.expect_problem(422, "validation_error");
        let problem = response.json();
        let fields = &details(&problem)["fields"];
        assert!(fields["body"].is_string(), "{response}");
        assert_eq!(fields.as_object().map(serde_json::Map::len), Some(1), "{response}");
    }
    let nul = br#"{"content": "a\u0000b"}"#;
    let response = server.client().post("/api/v1/posts").by(&ana).json_bytes(nul).send().await;
    let response = response.expect_problem(422, "validation_error");
    assert!(details(&response.json())["fields"]["content"].is_string(), "{response}");
}

#[tokio::test]
async fn a_request_without_a_token_gets_401_before_its_body_is_read() {
    let server = start_server().await;
    let head = "POST /api/v1/posts HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/plain\r\n";

    // The body that the head announces is never sent.
    let response =
        server.connect().await.round_trip(format!("{head}Content-Length: 9999\r\n\r\n")).await;

    response.expect_problem(401, "authentication_error");
}

#[tokio::test]
async fn a_rejected_request_logs_no_error() {
    let server = start_server().await;

    server.connect().await.round_trip("hello\r\n\r\n").await.expect(400);
    server.client().get("/nowhere").send().await.expect(404);

    let is_logged = || server.log().iter().any(|line| line.contains("GET (no route) 404"));
    eventually("the last request is logged", is_logged).await;
    let errors = server.log_as_json().into_iter().filter(|line| line["level"] == "ERROR");
    assert_eq!(errors.collect::<Vec<_>>(), [] as [Value; 0]);
}

#[tokio::test]
async fn an_unreachable_geocoder_is_a_400_that_names_the_constraint() {
    let closed_address = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let url = format!("http://{closed_address}");
    let server =
        Setup::with_test_database().await.env("GRATEFUL_NOMINATIM_URL", url.as_str()).start().await;
    let ana = server.client().sign_up("ana").await;
    let search = server.client().post("/api/v1/users/location/search").by(&ana);

    let response = search.json(&json!({"query": "Rain"})).send().await;

    let response = response.expect_problem(400, "business_logic_error");
    assert_eq!(details(&response.json()), &json!({"constraint": "nominatim_request_error"}));
}

/// Sends a request with the frontend's origin, and asserts the error response and its CORS headers.
async fn assert_problem(request: ApiRequest, status: u16, code: &str, expected: &Value) {
    let response = request.header("Origin", "http://localhost:3000").send().await;
    let response = response.expect_problem(status, code);
    assert_eq!(details(&response.json()), expected, "{response}");
    let origin = response.header("access-control-allow-origin");
    assert_eq!(origin, Some("http://localhost:3000"), "{response}");
    let challenge = (status == 401).then_some("Bearer");
    assert_eq!(response.header("www-authenticate"), challenge, "{response}");
    assert_eq!(response.header("allow").is_some(), status == 405, "{response}");
}

async fn start_server() -> Server {
    Setup::with_test_database().await.start().await
}

fn details(problem: &Value) -> &Value {
    &problem["error"]["details"]
}
