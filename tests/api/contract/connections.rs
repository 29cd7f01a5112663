//! The lifetime and reuse of connections.

use std::time::Duration;

use grateful_tests::{Server, Setup, full_or_short};

const LIVEZ: &str = "GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n";

#[tokio::test]
async fn a_connection_serves_many_requests() {
    let server = start_server().await;
    let mut connection = server.connect().await;

    for _ in 0..50 {
        connection.round_trip(LIVEZ).await.expect(200);
    }
    connection.round_trip("GET /nowhere HTTP/1.1\r\nHost: localhost\r\n\r\n").await.expect(404);

    connection.round_trip(LIVEZ).await.expect(200);
}

/// The web client keeps idle connections for 65 seconds. Its requests fail if the server closes them earlier.
#[tokio::test]
async fn an_idle_connection_stays_open_as_long_as_the_web_client_keeps_it() {
    let server = start_server().await;
    let mut connection = server.connect().await;
    connection.round_trip(LIVEZ).await.expect(200);
    // Longer than all timeouts of slow requests; in the full form, longer than the timeout of the web client.
    let idle = Duration::from_secs(full_or_short(66, 11));

    assert!(connection.stays_idle(idle).await, "closed before {idle:?}");

    connection.round_trip(LIVEZ).await.expect(200);
    println!("reused after {idle:?}");
}

#[tokio::test]
async fn pipelined_requests_get_responses_in_order() {
    let server = start_server().await;
    let mut connection = server.connect().await;
    let request = |id: u32| {
        format!("GET /livez HTTP/1.1\r\nHost: localhost\r\nX-Request-Id: request-{id}\r\n\r\n")
    };

    connection.send((0..10).map(request).collect::<String>()).await;

    for id in 0..10 {
        let response = connection.read_response().await.expect("a response").expect(200);
        assert_eq!(response.header("x-request-id"), Some(format!("request-{id}").as_str()));
    }
}

#[tokio::test]
async fn connection_close_and_http_1_0_close_the_connection() {
    let server = start_server().await;

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
async fn a_client_that_closes_its_sending_half_still_gets_its_response() {
    let server = start_server().await;
    let mut connection = server.connect().await;

    connection.send("GET /readyz HTTP/1.1\r\nHost: localhost\r\n\r\n").await;
    connection.close_write().await;

    connection.read_response().await.expect("a response").expect(200);
    connection.wait_for_close().await;
}

#[tokio::test]
async fn head_has_the_status_and_length_of_get_but_no_body() {
    let server = start_server().await;

    for path in ["/", "/openapi.json", "/docs", "/nowhere", "/api/v1/auth/session"] {
        let get = server.client().get(path).send().await;
        let mut connection = server.connect().await;
        connection.send(format!("HEAD {path} HTTP/1.1\r\nHost: localhost\r\n\r\n")).await;
        let head = connection.read_head().await.expect("a response").to_lowercase();

        assert!(head.starts_with(&format!("http/1.1 {} ", get.status)), "{path}: {head}");
        let length = format!("\r\ncontent-length: {}\r\n", get.body.len());
        assert!(format!("{head}\r\n").contains(&length), "{path}: {head}");
        // A body after the head would precede this response.
        connection.round_trip(LIVEZ).await.expect(200);
    }
}

#[tokio::test]
async fn head_of_the_notification_stream_opens_no_stream_and_keeps_connection_and_ticket() {
    let server = start_server().await;
    let client = server.client();
    let ana = client.sign_up("ana").await;
    let ticket = client.post("/api/v1/notifications/stream/ticket").by(&ana).send().await;
    let ticket = ticket.expect(200).json()["ticket"].as_str().unwrap().to_owned();
    let path = format!("/api/v1/notifications/stream?ticket={ticket}");

    // More than the streams that a user may have open.
    let mut connections = Vec::new();
    for _ in 0..12 {
        let mut connection = server.connect().await;
        connection.send(format!("HEAD {path} HTTP/1.1\r\nHost: localhost\r\n\r\n")).await;
        let head = connection.read_head().await.expect("a response").to_lowercase();
        assert!(head.starts_with("http/1.1 200 "), "{head}");
        assert!(head.contains("\r\ncontent-type: text/event-stream"), "{head}");
        connection.round_trip(LIVEZ).await.expect(200);
        connections.push(connection);
    }
    assert_eq!(open_streams(&server).await, 0);

    let stream = client.get(&path).open_event_stream().await.unwrap();
    assert_eq!(open_streams(&server).await, 1);
    drop(stream);
}

/// The number of open streams, from the metrics.
async fn open_streams(server: &Server) -> u64 {
    let page = server.client().get("/metrics").send().await.expect(200);
    let page = String::from_utf8(page.body).unwrap();
    let gauge = page.lines().find_map(|line| line.strip_prefix("grateful_streams_open "));
    gauge.map_or(0, |number| number.parse().unwrap())
}

#[tokio::test]
async fn expect_100_continue_gets_a_100_response() {
    let server = start_server().await;
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

async fn start_server() -> Server {
    Setup::with_test_database().await.start().await
}
