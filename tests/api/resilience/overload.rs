//! More than there is room for.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use grateful_tests::{Client, PASSWORD, Server, Setup, Token, full_or_short};
use tokio::task::JoinSet;

/// What a server may hold under load, pictures apart (`quality.md`).
const MEMORY: u64 = 256 << 20;

#[tokio::test]
async fn without_a_free_connection_the_answer_is_503_at_once_and_recovery_needs_no_help() {
    let setup = Setup::with_test_database()
        .await
        .env("GRATEFUL_WORKERS", 1)
        .env("GRATEFUL_CONNECTIONS_PER_WORKER", 1);
    let server = setup.start().await;
    let client = server.client();
    let ana = client.sign_up("ana").await;
    let held = server.sql().await;
    held.run("BEGIN; SELECT id FROM users FOR UPDATE").await;
    let publishing = tokio::spawn(client.create_post(&ana, "For patience.").send());
    let observer = server.sql().await;
    while observer.count_lock_waiters().await == 0 {}

    let begun = Instant::now();
    let refused = client.get_session(&ana).send().await;
    let took = begun.elapsed();
    let alive = client.get("/livez").send().await;
    let ready = client.get("/readyz").send().await;
    held.run("COMMIT").await;

    let refused = refused.expect_problem(503, "unavailable");
    assert_eq!(refused.header("retry-after"), Some("1"));
    // The pool gives up after 0.8 s; the rest is for a busy machine.
    assert!(took < Duration::from_secs(2), "{took:?}");
    alive.expect(200);
    ready.expect_problem(503, "unavailable");
    publishing.await.unwrap().expect(201);
    client.get("/readyz").send().await.expect(200);
    client.get_session(&ana).send().await.expect(200);
}

#[tokio::test]
async fn a_statement_that_waits_too_long_is_cancelled_and_says_so() {
    let setup = Setup::with_test_database().await.env("GRATEFUL_STATEMENT_TIMEOUT_MS", 300);
    let server = setup.start().await;
    let ana = server.client().sign_up("ana").await;
    let held = server.sql().await;
    held.run("BEGIN; SELECT id FROM users FOR UPDATE").await;

    let response = server.client().create_post(&ana, "For patience.").send().await;

    let response = response.expect_problem(503, "unavailable");
    assert_eq!(response.header("retry-after"), Some("1"));
    held.run("COMMIT").await;
    assert_eq!(held.run("SELECT count(*) FROM posts").await, "0");
    server.client().create_post(&ana, "For patience.").send().await.expect(201);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn five_times_too_many_writers_are_answered_or_sent_away_in_bounded_time_and_memory() {
    let setup = Setup::with_test_database()
        .await
        .env("GRATEFUL_WORKERS", 1)
        .env("GRATEFUL_CONNECTIONS_PER_WORKER", 2);
    let server = setup.start().await;
    let ana = server.client().sign_up("ana").await;
    let seconds = Duration::from_secs(full_or_short(10, 2));

    let at_ease = Load { clients: 4, lasts: seconds }.on(&server, &ana).await;
    // As many as would fill the longest wait for a connection, five times over.
    let fitting = at_ease.answered * 4 / (5 * usize::try_from(seconds.as_secs()).unwrap());
    let clients = (5 * fitting).clamp(50, full_or_short(4_000, 800));
    let in_need = Load { clients, lasts: seconds }.on(&server, &ana).await;

    let memory = server.resident_bytes();
    println!("4 clients: {at_ease:?}; {clients} clients: {in_need:?}; {} MiB", memory >> 20);
    assert_ne!(in_need.answered, 0);
    assert!(in_need.slowest < Duration::from_secs(10), "{in_need:?}");
    assert!(memory < MEMORY, "{memory} bytes");
    server.client().create_post(&ana, "For calm.").send().await.expect(201);
    let sql = server.sql().await;
    assert_eq!(sql.find_post_count_mismatches().await, [] as [String; 0]);
    let rows: usize = sql.run("SELECT count(*) FROM posts").await.parse().unwrap();
    assert_eq!(rows, at_ease.answered + in_need.answered + 1, "one row for each success");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rush_of_logins_fills_neither_memory_nor_the_way_of_others() {
    let server = Setup::with_test_database().await.start().await;
    let ana = server.client().sign_up("ana").await;
    let mut rush = JoinSet::new();
    for _ in 0..full_or_short(1_000, 300) {
        rush.spawn(server.client().log_in("ana", PASSWORD).send());
    }

    let begun = Instant::now();
    server.client().get_session(&ana).send().await.expect(200);
    let took = begun.elapsed();
    let mut responses = BTreeMap::<u16, u32>::new();
    while let Some(response) = rush.join_next().await {
        *responses.entry(response.unwrap().status).or_default() += 1;
    }

    let memory = server.resident_bytes();
    println!("{responses:?}, another request meanwhile: {took:?}, {} MiB", memory >> 20);
    assert!(took < Duration::from_secs(5), "{took:?}");
    assert!(responses.keys().all(|status| [200, 503].contains(status)), "{responses:?}");
    assert!(responses.contains_key(&200), "{responses:?}");
    assert!(memory < MEMORY, "{memory} bytes");
}

/// So many clients that publish as fast as they are answered.
struct Load {
    clients: usize,
    lasts: Duration,
}

/// How they fared.
#[derive(Debug, Default)]
struct Outcome {
    answered: usize,
    sent_away: usize,
    slowest: Duration,
}

impl Load {
    async fn on(&self, server: &Server, author: &Token) -> Outcome {
        let end = Instant::now() + self.lasts;
        let mut clients = JoinSet::new();
        for _ in 0..self.clients {
            clients.spawn(publish_until(end, server.client(), author.clone()));
        }
        let mut all = Outcome::default();
        while let Some(one) = clients.join_next().await {
            all.add(&one.unwrap());
        }
        all
    }
}

impl Outcome {
    fn add(&mut self, other: &Self) {
        self.answered += other.answered;
        self.sent_away += other.sent_away;
        self.slowest = self.slowest.max(other.slowest);
    }
}

async fn publish_until(end: Instant, client: Client, author: Token) -> Outcome {
    let mut outcome = Outcome::default();
    while Instant::now() < end {
        let begun = Instant::now();
        let response = client.create_post(&author, "For more.").send().await;
        outcome.slowest = outcome.slowest.max(begun.elapsed());
        match response.status {
            201 => outcome.answered += 1,
            503 => outcome.sent_away += 1,
            _ => panic!("{response}"),
        }
    }
    outcome
}
