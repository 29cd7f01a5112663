//! Answers to bad requests, from the first byte that is no HTTP to the last that is too many.

use grateful_tests::{ApiRequest, Server, Setup, Token, Value, eventually, json};

#[tokio::test]
async fn what_is_no_http_is_refused_in_the_one_form_of_errors_and_the_connection_closed() {
    let server = server().await;

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
        let shown = String::from_utf8_lossy(sent).into_owned();
        let response = connection.round_trip(sent).await;
        assert_eq!(response.status, 400, "{shown:?}: {response}");
        let response = response.expect_problem(400, "business_logic_error");
        assert_eq!(details(&response.json()), &json!({"constraint": null}), "{shown:?}");
        connection.wait_for_close().await;
    }
    server.client().get("/livez").send().await.expect(200);
}

#[tokio::test]
async fn what_is_too_long_says_of_what() {
    let server = server().await;
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
    let fitting = format!("/livez?{}", long((8 << 10) - "/livez?".len()));
    server.connect().await.round_trip(head(&fitting, "")).await.expect(200);
}

#[tokio::test]
async fn a_body_over_the_limit_is_refused_whether_it_says_so_or_not() {
    let server = server().await;
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

/// The protocol layer takes broken chunks for a broken connection, and hangs up without a word.
#[tokio::test]
async fn a_body_in_broken_chunks_ends_its_connection_and_does_nothing() {
    let server = server().await;
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
async fn every_refusal_of_a_person_has_its_status_its_code_and_its_details() {
    let server = server().await;
    let client = server.client();
    let (ana, ben) = (client.sign_up("ana").await, client.sign_up("ben").await);
    let post = client.create_post(&ana, "For refusals.").send().await.expect(201).id();
    let path = format!("/api/v1/posts/{post}");
    let session = "/api/v1/auth/session";
    let account = json!({"username": "ANA", "email": "c@example.org", "password": "long enough"});
    let change = json!({"current_password": "nonsense", "new_password": "long enough"});
    let nothing = json!({});

    for (call, status, code, details) in [
        (client.get("/api/v1/posts/feed"), 401, "authentication_error", nothing.clone()),
        (client.get_session(&Token("x".into())), 401, "authentication_error", nothing.clone()),
        (
            client.get(session).header("Authorization", "Basic YTpi"),
            401,
            "authentication_error",
            nothing.clone(),
        ),
        (client.log_in("ana", "nonsense"), 401, "authentication_error", nothing.clone()),
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
            client.patch(&path).by(&ana).header("If-Match", "\"other\"").json(&nothing),
            412,
            "precondition_failed",
            nothing.clone(),
        ),
    ] {
        refused(call, status, code, &details).await;
    }
}

#[tokio::test]
async fn every_refusal_of_a_path_has_its_status_its_code_and_its_details() {
    let server = server().await;
    let client = server.client();
    let ana = client.sign_up("ana").await;
    let unknown = "00000000-0000-7000-8000-000000000000";
    let number = json!({"fields": {"id": "must be a whole number"}});
    let of_post = json!({"resource": "post"});
    let nobody = json!({"resource": "user", "id": "9223372036854775807"});

    for (path, status, code, details) in [
        ("/api/v2/posts", 404, "not_found", json!({"resource": "route"})),
        ("/api/v1/posts/7", 404, "not_found", of_post.clone()),
        ("/api/v1/posts/%00", 404, "not_found", of_post.clone()),
        ("/api/v1/posts/%ff", 404, "not_found", of_post),
        (
            &format!("/api/v1/posts/{unknown}"),
            404,
            "not_found",
            json!({"resource": "post", "id": unknown}),
        ),
        ("/api/v1/users/99999999999999999999/posts", 422, "validation_error", number.clone()),
        ("/api/v1/users/%00/posts", 422, "validation_error", number),
        ("/api/v1/users/9223372036854775807/posts", 404, "not_found", nobody),
        ("/api/v1/auth/login", 405, "method_not_allowed", json!({})),
    ] {
        refused(client.get(path).by(&ana), status, code, &details).await;
    }
    refused(client.delete("/health"), 405, "method_not_allowed", &json!({})).await;
    let trace = client.request("TRACE", "/api/v1/posts").by(&ana);
    refused(trace, 405, "method_not_allowed", &json!({})).await;
}

#[tokio::test]
async fn every_refusal_of_a_body_has_its_status_its_code_and_its_details() {
    let server = server().await;
    let ana = server.client().sign_up("ana").await;
    let post = || server.client().post("/api/v1/posts").by(&ana);
    let supported = json!({"supported": ["application/json"]});
    let wrong = json!({
        "content": 1, "is_public": "no", "title": "x".repeat(101), "post_type": "weekly",
    });

    for (call, status, code, details) in [
        (post().header("Content-Type", "text/plain"), 415, "unsupported_media_type", &supported),
        (
            post().json_bytes("{}").header("Content-Encoding", "br"),
            415,
            "unsupported_media_type",
            &supported,
        ),
        (
            post().json(&wrong),
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
        refused(call, status, code, details).await;
    }
}

#[tokio::test]
async fn a_body_that_is_no_object_of_json_is_refused_by_name() {
    let server = server().await;
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
async fn a_stranger_is_refused_before_the_body_is_looked_at() {
    let server = server().await;
    let head = "POST /api/v1/posts HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/plain\r\n";

    // Of a body that is announced, nothing has been sent yet.
    let response =
        server.connect().await.round_trip(format!("{head}Content-Length: 9999\r\n\r\n")).await;

    response.expect_problem(401, "authentication_error");
}

#[tokio::test]
async fn a_refused_request_leaves_one_line_and_no_error_in_the_log() {
    let server = server().await;

    server.connect().await.round_trip("hello\r\n\r\n").await.expect(400);
    server.client().get("/nowhere").send().await.expect(404);

    let line = || server.log().iter().any(|line| line.contains("GET (no route) 404"));
    eventually("the line of the last request", line).await;
    let errors = server.log_as_json().into_iter().filter(|line| line["level"] == "ERROR");
    assert_eq!(errors.collect::<Vec<_>>(), [] as [Value; 0]);
}

/// Sends a request from a page of the front end, which may read refusals like answers.
async fn refused(call: ApiRequest, status: u16, code: &str, expected: &Value) {
    let response = call.header("Origin", "http://localhost:3000").send().await;
    let response = response.expect_problem(status, code);
    assert_eq!(details(&response.json()), expected, "{response}");
    let origin = response.header("access-control-allow-origin");
    assert_eq!(origin, Some("http://localhost:3000"), "{response}");
    let challenge = (status == 401).then_some("Bearer");
    assert_eq!(response.header("www-authenticate"), challenge, "{response}");
    assert_eq!(response.header("allow").is_some(), status == 405, "{response}");
}

async fn server() -> Server {
    Setup::with_test_database().await.start().await
}

fn details(problem: &Value) -> &Value {
    &problem["error"]["details"]
}
