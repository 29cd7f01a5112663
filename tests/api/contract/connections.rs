//! Connections: kept, shared, ended.

use std::time::Duration;

use grateful_tests::{Server, Setup, full_or_short};

const LIVEZ: &str = "GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n";

#[tokio::test]
async fn a_connection_serves_one_request_after_another() {
    let server = server().await;
    let mut connection = server.connect().await;

    for _ in 0..50 {
        connection.round_trip(LIVEZ).await.expect(200);
    }
    connection.round_trip("GET /nowhere HTTP/1.1\r\nHost: localhost\r\n\r\n").await.expect(404);

    connection.round_trip(LIVEZ).await.expect(200);
}

/// The web client keeps idle connections for 65 seconds, and fails where the server was quicker to close one.
#[tokio::test]
async fn an_idle_connection_is_kept_for_the_web_client() {
    let server = server().await;
    let mut connection = server.connect().await;
    connection.round_trip(LIVEZ).await.expect(200);
    // More than any limit on slow requests in the short form, more than the client's own in the long one.
    let idle = Duration::from_secs(full_or_short(66, 11));

    assert!(connection.stays_idle(idle).await, "closed before {idle:?}");

    connection.round_trip(LIVEZ).await.expect(200);
    println!("used again after {idle:?}");
}

#[tokio::test]
async fn requests_sent_ahead_are_answered_in_their_order() {
    let server = server().await;
    let mut connection = server.connect().await;
    let ask = |id: u32| {
        format!("GET /livez HTTP/1.1\r\nHost: localhost\r\nX-Request-Id: request-{id}\r\n\r\n")
    };

    connection.send((0..10).map(ask).collect::<String>()).await;

    for id in 0..10 {
        let response = connection.read_response().await.expect("an answer").expect(200);
        assert_eq!(response.header("x-request-id"), Some(format!("request-{id}").as_str()));
    }
}

#[tokio::test]
async fn a_connection_is_closed_where_the_client_wants_it() {
    let server = server().await;

    for request in [
        "GET /livez HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
        "GET /livez HTTP/1.0\r\n\r\n",
    ] {
        let mut connection = server.connect().await;
        connection.round_trip(request).await.expect(200);
        assert!(connection.wait_for_close().await < Duration::from_secs(5));
    }
}

#[tokio::test]
async fn a_client_that_has_said_all_it_wants_to_say_is_still_answered() {
    let server = server().await;
    let mut connection = server.connect().await;

    connection.send("GET /readyz HTTP/1.1\r\nHost: localhost\r\n\r\n").await;
    connection.close_write().await;

    connection.read_response().await.expect("an answer").expect(200);
    connection.wait_for_close().await;
}

#[tokio::test]
async fn head_is_get_without_its_body() {
    let server = server().await;

    for path in ["/", "/openapi.json", "/docs", "/nowhere", "/api/v1/auth/session"] {
        let get = server.client().get(path).send().await;
        let mut connection = server.connect().await;
        connection.send(format!("HEAD {path} HTTP/1.1\r\nHost: localhost\r\n\r\n")).await;
        let head = connection.read_head().await.expect("an answer").to_lowercase();

        assert!(head.starts_with(&format!("http/1.1 {} ", get.status)), "{path}: {head}");
        let length = format!("\r\ncontent-length: {}\r\n", get.body.len());
        assert!(format!("{head}\r\n").contains(&length), "{path}: {head}");
        // Whatever came behind the head would come before this.
        connection.round_trip(LIVEZ).await.expect(200);
    }
}

#[tokio::test]
async fn a_client_that_waits_to_be_asked_for_its_body_is_asked() {
    let server = server().await;
    let mut connection = server.connect().await;

    connection
        .send(
            "POST /api/v1/auth/login HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\
         Expect: 100-continue\r\n\r\n",
        )
        .await;

    assert_eq!(connection.read_head().await.as_deref(), Some("HTTP/1.1 100 Continue"));
    connection.round_trip("{}").await.expect_problem(422, "validation_error");
}

async fn server() -> Server {
    Setup::with_test_database().await.start().await
}
