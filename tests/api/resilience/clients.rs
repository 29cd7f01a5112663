//! Clients that send slowly or disconnect.

use std::time::{Duration, Instant};

use grateful_tests::{
    ApiResponse, RawConnection, Server, Setup, SqlConnection, Token, eventually, full_or_short,
    json,
};
use tokio::task::JoinSet;

/// The number of slow uploads.
const SLOW_UPLOADS: usize = 16;

/// The number of uploads that the server receives at once from one account.
const UPLOADS_PER_ACCOUNT: usize = 2;

/// The maximum lifetime of a connection on which no complete request arrives.
const MAX_LIFETIME: Duration = Duration::from_secs(10);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn slow_clients_are_disconnected_without_delaying_other_requests() {
    let server = Setup::with_test_database().await.start().await;
    let ana = server.client().sign_up("ana").await;
    let clients_per_kind = full_or_short(500, 100);

    let mut slow = JoinSet::new();
    for _ in 0..clients_per_kind {
        slow.spawn(SlowClient::with_slow_head(&server).await.run());
        slow.spawn(SlowClient::with_slow_body(&server, &ana).await.run());
    }
    for account in 0..SLOW_UPLOADS / UPLOADS_PER_ACCOUNT {
        let uploader = server.client().sign_up(&format!("uploader{account}")).await;
        for _ in 0..UPLOADS_PER_ACCOUNT {
            slow.spawn(SlowClient::with_slow_upload(&server, &uploader).await.run());
        }
    }
    let slow_clients = 2 * clients_per_kind + SLOW_UPLOADS;
    let mut other_requests = 0;
    let mut slowest = Duration::ZERO;
    let mut disconnected = Vec::new();
    while disconnected.len() < slow_clients {
        let start = Instant::now();
        server.client().get_session(&ana).send().await.expect(200);
        slowest = slowest.max(start.elapsed());
        other_requests += 1;
        while let Some(client) = slow.try_join_next() {
            disconnected.push(client.unwrap());
        }
    }

    let longest = disconnected.iter().map(|(_, lifetime)| *lifetime).max().unwrap_or_default();
    println!(
        "{slow_clients} slow clients, disconnected after at most {longest:?}; \
         {other_requests} other requests, the slowest {slowest:?}"
    );
    assert!(slowest < Duration::from_secs(2), "{slowest:?}");
    assert!(longest < MAX_LIFETIME, "{longest:?}");
    for (response, _) in disconnected {
        response.expect("a response").expect_problem(408, "request_timeout");
    }
}

#[tokio::test]
async fn a_connection_without_any_request_is_closed() {
    let server = Setup::with_test_database().await.start().await;

    let lifetime = server.connect().await.wait_for_close().await;

    assert!(lifetime < MAX_LIFETIME, "{lifetime:?}");
}

#[tokio::test]
async fn a_connection_with_an_unread_body_is_closed() {
    let server = Setup::with_test_database().await.start().await;
    let mut connection = server.connect().await;

    connection
        .send("POST /api/v1/posts HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9999\r\n\r\n{")
        .await;
    let response = connection.read_response().await.expect("a response");
    let lifetime = connection.wait_for_close().await;

    response.expect_problem(401, "authentication_error");
    assert!(lifetime < MAX_LIFETIME, "{lifetime:?}");
}

#[tokio::test]
async fn a_request_completes_although_its_client_disconnects() {
    let server = Setup::with_test_database().await.start().await;
    let (lock_holder, connection) = send_blocked_post(&server).await;
    let observer = server.sql().await;

    connection.reset();
    lock_holder.run("COMMIT").await;

    while observer.run("SELECT count(*) FROM posts").await != "1" {}
    assert_eq!(observer.find_post_count_mismatches().await, [] as [String; 0]);
    server.client().get("/readyz").send().await.expect(200);
}

#[tokio::test]
async fn a_request_whose_client_disconnects_is_logged() {
    let server = Setup::with_test_database().await.start().await;
    let (lock_holder, connection) = send_blocked_post(&server).await;

    connection.reset();
    lock_holder.run("COMMIT").await;

    let is_logged = || server.log().iter().any(|line| line.contains("POST /api/v1/posts 201"));
    eventually("the request is logged", is_logged).await;
}

#[tokio::test]
async fn a_request_with_an_incomplete_body_changes_nothing() {
    let server = Setup::with_test_database().await.start().await;
    let ana = server.client().sign_up("ana").await;
    let mut connection = server.connect().await;
    let body = json!({"content": "For half of it."}).to_string();
    connection.send(post_request_head(&ana, body.len() + 1)).await;
    connection.send(body).await;

    connection.reset();

    let is_logged = || server.log().iter().any(|line| line.contains("POST /api/v1/posts 422"));
    eventually("the request is rejected", is_logged).await;
    let sql = server.sql().await;
    assert_eq!(sql.run("SELECT count(*) FROM posts").await, "0");
}

/// Sends a request that waits for a row lock until the returned database connection commits.
async fn send_blocked_post(server: &Server) -> (SqlConnection, RawConnection) {
    let ana = server.client().sign_up("ana").await;
    let lock_holder = server.sql().await;
    lock_holder.run("BEGIN; SELECT id FROM users FOR UPDATE").await;
    let mut connection = server.connect().await;
    let body = json!({"content": "For the next in line."}).to_string();
    connection.send(post_request_head(&ana, body.len())).await;
    connection.send(body).await;
    let observer = server.sql().await;
    while observer.count_lock_waiters().await == 0 {}
    (lock_holder, connection)
}

/// The head of a request that creates a post, for a body of `length` bytes.
fn post_request_head(author: &Token, length: usize) -> String {
    format!(
        "POST /api/v1/posts HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {}\r\n\
         Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n",
        author.0
    )
}

/// A client that sends one byte a second and never completes its request.
struct SlowClient {
    connection: RawConnection,
    start: Instant,
}

impl SlowClient {
    /// Never completes the head.
    async fn with_slow_head(server: &Server) -> Self {
        let mut connection = server.connect().await;
        let start = Instant::now();
        connection.send("GET /livez HTTP/1.1\r\nHost: localhost\r\nX-Slow: ").await;
        Self { connection, start }
    }

    /// Never completes a JSON body.
    async fn with_slow_body(server: &Server, author: &Token) -> Self {
        let mut connection = server.connect().await;
        let start = Instant::now();
        connection.send(post_request_head(author, 9_999)).await;
        connection.send(r#"{"content": ""#).await;
        Self { connection, start }
    }

    /// Never completes the upload of an image.
    async fn with_slow_upload(server: &Server, author: &Token) -> Self {
        let mut connection = server.connect().await;
        let start = Instant::now();
        let token = &author.0;
        connection.send(format!(
            "POST /api/v1/users/me/profile/photo HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n\
             Content-Type: multipart/form-data; boundary=x\r\nContent-Length: 9999\r\n\r\n\
             --x\r\nContent-Disposition: form-data; name=\"file\"\r\n\r\n"
        ))
        .await;
        Self { connection, start }
    }

    /// Sends until the server responds and closes the connection. Returns the response and the lifetime of the
    /// connection.
    async fn run(mut self) -> (Option<ApiResponse>, Duration) {
        let interval = Duration::from_secs(1);
        let response = loop {
            match tokio::time::timeout(interval, self.connection.read_response()).await {
                Ok(response) => break response,
                Err(_) => self.connection.send("a").await,
            }
        };
        self.connection.wait_for_close().await;
        (response, self.start.elapsed())
    }
}
