//! Clients that send slowly, or go away.

use std::time::{Duration, Instant};

use grateful_tests::{
    ApiResponse, RawConnection, Server, Setup, SqlConnection, Token, eventually, full_or_short,
    json,
};
use tokio::task::JoinSet;

/// How many pictures are received at once wherever there is a core.
const PLACES: usize = 16;

/// No connection that gives nothing lives longer.
const PATIENCE: Duration = Duration::from_secs(10);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn slow_clients_are_sent_away_and_harm_nobody() {
    let server = Setup::with_test_database().await.start().await;
    let ana = server.client().sign_up("ana").await;
    let each = full_or_short(500, 100);

    let mut slow = JoinSet::new();
    for _ in 0..each {
        slow.spawn(Trickle::head(&server).await.run());
        slow.spawn(Trickle::body(&server, &ana).await.run());
    }
    // Those that were admitted to the queue for pictures; the others are asked to come back at once.
    for _ in 0..PLACES {
        slow.spawn(Trickle::form(&server, &ana).await.run());
    }
    let mut ordinary = 0;
    let mut slowest = Duration::ZERO;
    let mut ended = Vec::new();
    while ended.len() < 2 * each + PLACES {
        let begun = Instant::now();
        server.client().get_session(&ana).send().await.expect(200);
        slowest = slowest.max(begun.elapsed());
        ordinary += 1;
        while let Some(one) = slow.try_join_next() {
            ended.push(one.unwrap());
        }
    }

    let longest = ended.iter().map(|(_, lived)| *lived).max().unwrap_or_default();
    println!(
        "{} slow clients, gone after at most {longest:?}; {ordinary} ordinary requests meanwhile, the slowest {slowest:?}",
        2 * each + PLACES
    );
    assert!(slowest < Duration::from_secs(2), "{slowest:?}");
    assert!(longest < PATIENCE, "{longest:?}");
    for (response, _) in ended {
        response.expect("an answer").expect_problem(408, "request_timeout");
    }
}

#[tokio::test]
async fn a_connection_on_which_nothing_is_ever_said_is_closed() {
    let server = Setup::with_test_database().await.start().await;

    let lived = server.connect().await.wait_for_close().await;

    assert!(lived < PATIENCE, "{lived:?}");
}

#[tokio::test]
async fn a_body_that_nobody_reads_keeps_no_connection_open() {
    let server = Setup::with_test_database().await.start().await;
    let mut connection = server.connect().await;

    connection
        .send("POST /api/v1/posts HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9999\r\n\r\n{")
        .await;
    let response = connection.read_response().await.expect("an answer");
    let lived = connection.wait_for_close().await;

    response.expect_problem(401, "authentication_error");
    assert!(lived < PATIENCE, "{lived:?}");
}

#[tokio::test]
async fn what_a_client_asked_for_is_done_whole_though_it_went_away() {
    let server = Setup::with_test_database().await.start().await;
    let (held, connection) = a_publication_that_waits(&server).await;
    let observer = server.sql().await;

    connection.reset();
    held.run("COMMIT").await;

    while observer.run("SELECT count(*) FROM posts").await != "1" {}
    assert_eq!(observer.find_post_count_mismatches().await, [] as [String; 0]);
    server.client().get("/readyz").send().await.expect(200);
}

#[tokio::test]
async fn a_request_whose_client_went_away_is_logged_like_any_other() {
    let server = Setup::with_test_database().await.start().await;
    let (held, connection) = a_publication_that_waits(&server).await;

    connection.reset();
    held.run("COMMIT").await;

    let line = || server.log().iter().any(|line| line.contains("POST /api/v1/posts 201"));
    eventually("its line is written", line).await;
}

#[tokio::test]
async fn a_request_that_is_cut_short_does_nothing() {
    let server = Setup::with_test_database().await.start().await;
    let ana = server.client().sign_up("ana").await;
    let mut connection = server.connect().await;
    let body = json!({"content": "For half of it."}).to_string();
    connection.send(publication(&ana, body.len() + 1)).await;
    connection.send(body).await;

    connection.reset();

    let line = || server.log().iter().any(|line| line.contains("POST /api/v1/posts 422"));
    eventually("it is refused", line).await;
    let sql = server.sql().await;
    assert_eq!(sql.run("SELECT count(*) FROM posts").await, "0");
}

/// A publication that waits for a row which somebody else holds until they commit.
async fn a_publication_that_waits(server: &Server) -> (SqlConnection, RawConnection) {
    let ana = server.client().sign_up("ana").await;
    let held = server.sql().await;
    held.run("BEGIN; SELECT id FROM users FOR UPDATE").await;
    let mut connection = server.connect().await;
    let body = json!({"content": "For whoever comes after me."}).to_string();
    connection.send(publication(&ana, body.len())).await;
    connection.send(body).await;
    let observer = server.sql().await;
    while observer.count_lock_waiters().await == 0 {}
    (held, connection)
}

/// The head of a publication whose body has so many bytes.
fn publication(author: &Token, length: usize) -> String {
    format!(
        "POST /api/v1/posts HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {}\r\n\
         Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n",
        author.0
    )
}

/// A client that sends a byte now and then, and so is never idle for long.
struct Trickle {
    connection: RawConnection,
    begun: Instant,
}

impl Trickle {
    /// One that never comes to the end of its head.
    async fn head(server: &Server) -> Self {
        let mut connection = server.connect().await;
        let begun = Instant::now();
        connection.send("GET /livez HTTP/1.1\r\nHost: localhost\r\nX-Slow: ").await;
        Self { connection, begun }
    }

    /// One that never comes to the end of its body.
    async fn body(server: &Server, author: &Token) -> Self {
        let mut connection = server.connect().await;
        let begun = Instant::now();
        connection.send(publication(author, 9_999)).await;
        connection.send(r#"{"content": ""#).await;
        Self { connection, begun }
    }

    /// One that never comes to the end of its picture.
    async fn form(server: &Server, author: &Token) -> Self {
        let mut connection = server.connect().await;
        let begun = Instant::now();
        let token = &author.0;
        connection.send(format!(
            "POST /api/v1/users/me/profile/photo HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n\
             Content-Type: multipart/form-data; boundary=x\r\nContent-Length: 9999\r\n\r\n\
             --x\r\nContent-Disposition: form-data; name=\"file\"\r\n\r\n"
        ))
        .await;
        Self { connection, begun }
    }

    /// What it is told in the end, and when it is cut off.
    async fn run(mut self) -> (Option<ApiResponse>, Duration) {
        let response = loop {
            match tokio::time::timeout(Duration::from_secs(1), self.connection.read_response())
                .await
            {
                Ok(response) => break response,
                Err(_) => self.connection.send("a").await,
            }
        };
        self.connection.wait_for_close().await;
        (response, self.begun.elapsed())
    }
}
