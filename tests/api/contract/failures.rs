//! Error responses, for malformed HTTP, oversized requests and invalid input.

use grateful_tests::{Server, Setup, Value, eventually, json};

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

async fn start_server() -> Server {
    Setup::with_test_database().await.start().await
}

fn details(problem: &Value) -> &Value {
    &problem["error"]["details"]
}
