//! Shutdown by signals: during requests, during startup, and repeated.

use std::time::{Duration, Instant};

use grateful_tests::{PASSWORD, Server, Setup, SqlConnection, Token, eventually, json};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// More than a graceful shutdown takes, and less than any timeout of the server.
const MAX_SHUTDOWN_TIME: Duration = Duration::from_secs(5);

#[tokio::test]
async fn a_request_in_flight_completes_while_new_connections_are_refused() {
    let mut server = Setup::with_test_database().await.start().await;
    let (lock_holder, request) = start_blocked_request(&server).await;

    server.terminate();
    assert_refuses_connections(&server).await;
    assert!(!server.has_exited(), "the server waits for the request");
    lock_holder.run("COMMIT").await;

    let response = request.await.unwrap().unwrap();
    assert_eq!(response.status, 201, "{response}");
    let start = Instant::now();
    assert_eq!(server.wait_for_exit().await.code(), Some(0));
    assert!(start.elapsed() < MAX_SHUTDOWN_TIME, "{:?}", start.elapsed());
    assert_eq!(lock_holder.run("SELECT count(*) FROM posts").await, "1");
}

#[tokio::test]
async fn a_request_whose_body_is_still_arriving_completes() {
    let mut server = Setup::with_test_database().await.start().await;
    let body = json!({"username": "ana", "email": "ana@example.org", "password": PASSWORD});
    let body = body.to_string();
    let (first, second) = body.split_at(body.len() / 2);
    let mut connection = server.connect().await;
    let head = "POST /api/v1/auth/signup HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\n";
    connection.send(format!("{head}Content-Length: {}\r\n\r\n", body.len())).await;
    // Sent when the server starts to read the body: from here on the request is in flight.
    assert_eq!(connection.read_head().await.as_deref(), Some("HTTP/1.1 100 Continue"));
    connection.send(first).await;

    server.terminate();
    assert_refuses_connections(&server).await;
    connection.send(second).await;

    connection.read_response().await.expect("a response").expect(201);
    assert_eq!(server.wait_for_exit().await.code(), Some(0));
}

#[tokio::test]
async fn idle_connections_do_not_delay_shutdown() {
    let mut server = Setup::with_test_database().await.start().await;
    let mut idle = Vec::new();
    for _ in 0..20 {
        let mut used = server.connect().await;
        used.round_trip("GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n").await.expect(200);
        idle.extend([used, server.connect().await]);
    }

    server.terminate();
    let start = Instant::now();
    let status = server.wait_for_exit().await;

    assert_eq!(status.code(), Some(0));
    assert!(start.elapsed() < MAX_SHUTDOWN_TIME, "{:?}", start.elapsed());
    for connection in &mut idle {
        connection.wait_for_close().await;
    }
}

#[tokio::test]
async fn a_second_signal_aborts_requests_in_flight() {
    let mut server = Setup::with_test_database().await.start().await;
    let (lock_holder, request) = start_blocked_request(&server).await;

    server.interrupt();
    assert_refuses_connections(&server).await;
    server.interrupt();
    let start = Instant::now();
    let status = server.wait_for_exit().await;

    assert!(start.elapsed() < MAX_SHUTDOWN_TIME, "{:?}", start.elapsed());
    assert_eq!(status.code(), Some(0));
    assert!(request.await.unwrap().is_err(), "the request gets no response");
    lock_holder.run("COMMIT").await;
    let other_sessions = "SELECT count(*) FROM pg_stat_activity
                    WHERE datname = current_database() AND pid <> pg_backend_pid()";
    let mut remaining = String::new();
    while remaining != "0" {
        remaining = lock_holder.run(other_sessions).await;
    }
    assert_eq!(lock_holder.run("SELECT count(*) FROM posts").await, "0", "rolled back");
    assert_eq!(lock_holder.find_post_count_mismatches().await, [] as [String; 0]);
}

#[tokio::test]
async fn a_request_that_exceeds_the_shutdown_timeout_is_aborted() {
    let setup = Setup::with_test_database().await.env("GRATEFUL_SHUTDOWN_SECONDS", 1);
    let mut server = setup.start().await;
    let (lock_holder, request) = start_blocked_request(&server).await;

    server.terminate();
    let start = Instant::now();
    let status = server.wait_for_exit().await;

    assert!(start.elapsed() < MAX_SHUTDOWN_TIME, "{:?}", start.elapsed());
    assert_eq!(status.code(), Some(0));
    assert!(request.await.unwrap().is_err(), "the request gets no response");
    drop(lock_holder);
}

#[tokio::test]
async fn a_signal_during_startup_stops_the_server() {
    // Accepts connections as PostgreSQL does, but never responds.
    let unresponsive = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = unresponsive.local_addr().unwrap().port();
    let url = format!("postgresql://ana@127.0.0.1:{port}/grateful");
    let mut server = Setup::with_database_url(&url).spawn();
    let _connection = unresponsive.accept().await.unwrap();

    server.terminate();
    let start = Instant::now();
    let status = server.wait_for_exit().await;

    assert!(start.elapsed() < MAX_SHUTDOWN_TIME, "{:?}", start.elapsed());
    assert_eq!(status.code(), Some(0), "{}", server.log().join("\n"));
    assert_eq!(server.stdout(), [] as [String; 0]);
}

type RequestResult = Result<grateful_tests::ApiResponse, String>;

/// Starts a request that waits for a row lock until the returned connection commits.
async fn start_blocked_request(server: &Server) -> (SqlConnection, JoinHandle<RequestResult>) {
    let client = server.client();
    let ana: Token = client.sign_up("ana").await;
    let lock_holder = server.sql().await;
    lock_holder.run("BEGIN; SELECT id FROM users FOR UPDATE").await;
    let request = client.create_post(&ana, "For patience.");
    let request =
        tokio::spawn(async move { request.try_send().await.map_err(|error| error.to_string()) });
    let observer = server.sql().await;
    while observer.count_lock_waiters().await == 0 {}
    (lock_holder, request)
}

async fn assert_refuses_connections(server: &Server) {
    let address = server.address();
    let accepts = || std::net::TcpStream::connect(&address).is_ok();
    eventually("new connections are refused", || !accepts()).await;
    TcpStream::connect(&address).await.unwrap_err();
}
