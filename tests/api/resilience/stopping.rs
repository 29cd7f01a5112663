//! Orders to stop, early, late and repeated.

use std::time::{Duration, Instant};

use grateful_tests::{PASSWORD, Server, Setup, SqlConnection, Token, eventually, json};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// More than an orderly stop takes, less than anything that waits for a time limit.
const PROMPTLY: Duration = Duration::from_secs(5);

#[tokio::test]
async fn a_request_in_flight_is_finished_while_new_ones_are_refused() {
    let mut server = Setup::with_test_database().await.start().await;
    let (held, publishing) = a_request_in_flight(&server).await;

    server.terminate();
    refuses(&server).await;
    assert!(!server.has_exited(), "it waits");
    held.run("COMMIT").await;

    let response = publishing.await.unwrap().unwrap();
    assert_eq!(response.status, 201, "{response}");
    let begun = Instant::now();
    assert_eq!(server.wait_for_exit().await.code(), Some(0));
    assert!(begun.elapsed() < PROMPTLY, "{:?}", begun.elapsed());
    assert_eq!(held.run("SELECT count(*) FROM posts").await, "1");
}

#[tokio::test]
async fn a_body_that_is_under_way_is_read_to_its_end_and_answered() {
    let mut server = Setup::with_test_database().await.start().await;
    let body = json!({"username": "ana", "email": "ana@example.org", "password": PASSWORD});
    let body = body.to_string();
    let (first, second) = body.split_at(body.len() / 2);
    let mut connection = server.connect().await;
    let head = "POST /api/v1/auth/signup HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\n";
    connection.send(format!("{head}Content-Length: {}\r\n\r\n", body.len())).await;
    // Said when the body begins to be read: from here on the request is in flight.
    assert_eq!(connection.read_head().await.as_deref(), Some("HTTP/1.1 100 Continue"));
    connection.send(first).await;

    server.terminate();
    refuses(&server).await;
    connection.send(second).await;

    connection.read_response().await.expect("an answer").expect(201);
    assert_eq!(server.wait_for_exit().await.code(), Some(0));
}

#[tokio::test]
async fn idle_connections_do_not_hold_a_stop_up() {
    let mut server = Setup::with_test_database().await.start().await;
    let mut idle = Vec::new();
    for _ in 0..20 {
        let mut used = server.connect().await;
        used.round_trip("GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n").await.expect(200);
        idle.extend([used, server.connect().await]);
    }

    server.terminate();
    let begun = Instant::now();
    let status = server.wait_for_exit().await;

    assert_eq!(status.code(), Some(0));
    assert!(begun.elapsed() < PROMPTLY, "{:?}", begun.elapsed());
    for connection in &mut idle {
        connection.wait_for_close().await;
    }
}

#[tokio::test]
async fn a_second_order_stops_at_once() {
    let mut server = Setup::with_test_database().await.start().await;
    let (held, publishing) = a_request_in_flight(&server).await;

    server.interrupt();
    refuses(&server).await;
    server.interrupt();
    let begun = Instant::now();
    let status = server.wait_for_exit().await;

    assert!(begun.elapsed() < PROMPTLY, "{:?}", begun.elapsed());
    assert_eq!(status.code(), Some(0));
    assert!(publishing.await.unwrap().is_err(), "nobody answers any more");
    held.run("COMMIT").await;
    let sessions = "SELECT count(*) FROM pg_stat_activity
                    WHERE datname = current_database() AND pid <> pg_backend_pid()";
    let mut left = String::new();
    while left != "0" {
        left = held.run(sessions).await;
    }
    assert_eq!(held.run("SELECT count(*) FROM posts").await, "0", "what was cut short is undone");
    assert_eq!(held.find_post_count_mismatches().await, [] as [String; 0]);
}

#[tokio::test]
async fn what_takes_longer_than_the_limit_is_given_up() {
    let setup = Setup::with_test_database().await.env("GRATEFUL_SHUTDOWN_SECONDS", 1);
    let mut server = setup.start().await;
    let (held, publishing) = a_request_in_flight(&server).await;

    server.terminate();
    let begun = Instant::now();
    let status = server.wait_for_exit().await;

    assert!(begun.elapsed() < PROMPTLY, "{:?}", begun.elapsed());
    assert_eq!(status.code(), Some(0));
    assert!(publishing.await.unwrap().is_err(), "nobody answers any more");
    drop(held);
}

#[tokio::test]
async fn an_order_is_obeyed_while_the_server_still_starts() {
    // Takes connections like PostgreSQL, and never says a word.
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = silent.local_addr().unwrap().port();
    let mut server =
        Setup::with_database_url(&format!("postgresql://ana@127.0.0.1:{port}/grateful")).spawn();
    let _connection = silent.accept().await.unwrap();

    server.terminate();
    let begun = Instant::now();
    let status = server.wait_for_exit().await;

    assert!(begun.elapsed() < PROMPTLY, "{:?}", begun.elapsed());
    assert_eq!(status.code(), Some(0), "{}", server.log().join("\n"));
    assert_eq!(server.stdout(), [] as [String; 0]);
}

type Published = Result<grateful_tests::ApiResponse, String>;

/// A post that waits for a row which somebody else holds until they commit.
async fn a_request_in_flight(server: &Server) -> (SqlConnection, JoinHandle<Published>) {
    let client = server.client();
    let ana: Token = client.sign_up("ana").await;
    let held = server.sql().await;
    held.run("BEGIN; SELECT id FROM users FOR UPDATE").await;
    let publishing = client.create_post(&ana, "For patience.");
    let publishing =
        tokio::spawn(async move { publishing.try_send().await.map_err(|error| error.to_string()) });
    let observer = server.sql().await;
    while observer.count_lock_waiters().await == 0 {}
    (held, publishing)
}

async fn refuses(server: &Server) {
    let address = server.address();
    let connects = || std::net::TcpStream::connect(&address).is_ok();
    eventually("new connections are refused", || !connects()).await;
    TcpStream::connect(&address).await.unwrap_err();
}
