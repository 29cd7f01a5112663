//! What thousands of notification streams cost.

use std::time::{Duration, Instant};

use grateful_tests::{Client, EventStream, Server, Setup, TIMEOUT, Token, eventually};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::task::JoinSet;
use tokio::time::timeout;

/// Each user has at most ten streams open.
const USERS: usize = 200;
const STREAMS: usize = 10 * USERS;

const POLL_INTERVAL: Duration = Duration::from_millis(300);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_thousand_silent_streams_are_polled_with_one_statement_for_the_whole_process() {
    raise_open_files_limit();
    // All statements count as slow, so the log has them.
    let setup = Setup::with_test_database().await.env("GRATEFUL_SLOW_STATEMENT_MS", 0);
    let server = setup.env("RUST_LOG", "warn").env("GRATEFUL_WORKERS", 4).start().await;
    let client = server.client();
    insert_sessions(&server).await;
    let mut streams = open_streams(&client).await;
    wait_for_polls(&server, 2).await;
    let (before, start) = (statements(&server), Instant::now());

    wait_for_polls(&server, 10).await;
    let silent = statements(&server).split_off(before.len());
    let elapsed = start.elapsed();

    let polls = silent.iter().filter(|statement| is_poll(statement)).count();
    println!("{STREAMS} silent streams: {polls} polls, {} statements in {elapsed:?}", silent.len());
    // One poll every 300 ms at most, and a statement every five seconds that looks for background jobs.
    assert!(POLL_INTERVAL * 9 <= elapsed, "{polls} polls in {elapsed:?}");
    let of_jobs_at_most = elapsed.as_secs() / 5 + 1;
    let others: Vec<_> = silent.iter().filter(|statement| !is_poll(statement)).collect();
    assert!(others.len() as u64 <= of_jobs_at_most, "{others:#?}");

    // Each is woken, on all threads of the server.
    server
        .sql()
        .await
        .run(
            "INSERT INTO inboxes (user_id, last_seq) SELECT id, 1 FROM users;
             INSERT INTO notification_removals (user_id, seq, notification_id, removed_at)
             SELECT id, 1, gen_random_uuid(), now() FROM users",
        )
        .await;
    for stream in &mut streams {
        assert_eq!(next_event(stream).await.as_deref(), Some("removed"));
    }

    // A session that is gone ends its streams with the next poll.
    server.sql().await.run("DELETE FROM sessions").await;
    let start = Instant::now();
    for stream in &mut streams {
        assert_eq!(next_event(stream).await, None);
    }
    assert!(start.elapsed() < Duration::from_secs(10), "{:?}", start.elapsed());
}

/// The name of the next event. `None` if the stream has ended.
async fn next_event(stream: &mut EventStream) -> Option<String> {
    loop {
        let event = timeout(TIMEOUT, stream.next_event()).await.unwrap()?;
        // On a busy machine a comment may come first, which keeps the connection open.
        if let Some(name) = event.get("event") {
            return Some(name.clone());
        }
    }
}

/// All statements that the log has.
fn statements(server: &Server) -> Vec<String> {
    server.log().into_iter().filter(|line| line.contains("Slow statement")).collect()
}

fn is_poll(statement: &str) -> bool {
    statement.contains("known_seq")
}

/// Waits until the log has this many more polls.
async fn wait_for_polls(server: &Server, count: usize) {
    let polls = || server.log().iter().filter(|line| is_poll(line)).count();
    let before = polls();
    eventually("the streams are polled", || before + count <= polls()).await;
}

/// The test has a socket for each stream.
fn raise_open_files_limit() {
    let limit = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit }).unwrap();
}

/// The token of a session that [`insert_sessions`] inserts.
fn token(number: usize) -> Token {
    Token(format!("{number:0>42}A"))
}

async fn insert_sessions(server: &Server) {
    let insert = format!(
        "INSERT INTO users (email, username, hashed_password)
         SELECT 'p' || n || '@example.org', 'p' || n, 'x' FROM generate_series(1, {USERS}) n;
         INSERT INTO sessions (id, user_id, token_hash, expires_at)
         SELECT gen_random_uuid(), users.id, sha256((lpad((n * {USERS} + substr(username, 2)::int)::text, 42, '0') || 'A')::bytea),
             now() + interval '1 day'
         FROM users, generate_series(0, 9) n"
    );
    server.sql().await.run(&insert).await;
}

/// Opens one stream for each session, and takes its first event.
async fn open_streams(client: &Client) -> Vec<EventStream> {
    let mut streams = Vec::new();
    for chunk in (1..=STREAMS).collect::<Vec<_>>().chunks(200) {
        let mut opening = JoinSet::new();
        for number in chunk {
            let request = client.get("/api/v1/notifications/stream").by(&token(*number));
            opening.spawn(async {
                let mut stream = request.open_event_stream().await.unwrap();
                stream.next_event().await.unwrap();
                stream
            });
        }
        streams.extend(opening.join_all().await);
    }
    streams
}
