//! More requests than the server can handle.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use grateful_tests::{Client, PASSWORD, Server, Setup, Token, Value, eventually, full_or_short};
use tokio::task::JoinSet;

/// The maximum resident set size under load without images, in bytes.
const MAX_MEMORY: u64 = 256 << 20;

#[tokio::test]
async fn without_a_free_database_connection_requests_get_503_at_once_until_one_is_free() {
    let setup = Setup::with_test_database()
        .await
        .env("GRATEFUL_WORKERS", 1)
        .env("GRATEFUL_CONNECTIONS_PER_WORKER", 1);
    let server = setup.start().await;
    let client = server.client();
    let ana = client.sign_up("ana").await;
    let lock_holder = server.sql().await;
    lock_holder.run("BEGIN; SELECT id FROM users FOR UPDATE").await;
    let blocked = tokio::spawn(client.create_post(&ana, "For patience.").send());
    let observer = server.sql().await;
    while observer.count_lock_waiters().await == 0 {}

    let start = Instant::now();
    let rejected = client.create_post(&ana, "For haste.").send().await;
    let elapsed = start.elapsed();
    let read = client.get_session(&ana).send().await;
    let alive = client.get("/livez").send().await;
    let ready = client.get("/readyz").send().await;
    lock_holder.run("COMMIT").await;

    let rejected = rejected.expect_problem(503, "unavailable");
    assert_eq!(rejected.header("retry-after"), Some("1"));
    // The pool times out after 0.8 s; the rest is for a busy machine.
    assert!(elapsed < Duration::from_secs(2), "{elapsed:?}");
    // Reads do not need the connection that is in use.
    read.expect(200);
    alive.expect(200);
    ready.expect_problem(503, "unavailable");
    blocked.await.unwrap().expect(201);
    client.get("/readyz").send().await.expect(200);
    client.get_session(&ana).send().await.expect(200);
}

#[tokio::test]
async fn a_statement_that_exceeds_its_timeout_is_cancelled_and_the_request_gets_503() {
    let setup = Setup::with_test_database().await.env("GRATEFUL_STATEMENT_TIMEOUT_MS", 300);
    let server = setup.start().await;
    let ana = server.client().sign_up("ana").await;
    let lock_holder = server.sql().await;
    lock_holder.run("BEGIN; SELECT id FROM users FOR UPDATE").await;

    let response = server.client().create_post(&ana, "For patience.").send().await;

    let response = response.expect_problem(503, "unavailable");
    assert_eq!(response.header("retry-after"), Some("1"));
    lock_holder.run("COMMIT").await;
    assert_eq!(lock_holder.run("SELECT count(*) FROM posts").await, "0");
    server.client().create_post(&ana, "For patience.").send().await.expect(201);
}

/// Two groups of hearts run at once, and 64 hearts of one user wait (docs/decisions/0037-acts-run-in-groups.md).
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_user_with_too_many_waiting_hearts_gets_503_and_does_not_keep_others_from_theirs() {
    const POSTS: u32 = 76;
    let server = Setup::with_test_database().await.start().await;
    let [ana, ben] = [server.client().sign_up("ana").await, server.client().sign_up("ben").await];
    let lock_holder = server.sql().await;
    let posts = format!(
        "INSERT INTO posts (id, author_id, content, post_type)
         SELECT ('00000000-0000-7000-8000-' || lpad(n::text, 12, '0'))::uuid, 1, 'For rain.', 'daily'
         FROM generate_series(1, {POSTS}) n"
    );
    lock_holder.run(&posts).await;
    let heart = |post: u32, user: &Token| {
        let path = format!("/api/v1/posts/00000000-0000-7000-8000-{post:012}/heart");
        server.client().post(&path).by(user).send()
    };
    lock_holder.run("BEGIN; SELECT id FROM posts FOR UPDATE").await;

    let observer = server.sql().await;
    let mut hearts = JoinSet::new();
    for running in 1..=2 {
        hearts.spawn(heart(running, &ana));
        while observer.count_lock_waiters().await < running {}
    }
    for waiting in 3..POSTS {
        hearts.spawn(heart(waiting, &ana));
    }
    // Two run, and 64 of the others wait.
    for _ in 1..POSTS - 2 - 64 {
        let refused = hearts.join_next().await.unwrap().unwrap();
        assert_eq!(refused.header("retry-after"), Some("1"));
        refused.expect_problem(503, "unavailable");
    }
    let other = tokio::spawn(heart(POSTS, &ben));
    lock_holder.run("COMMIT").await;

    // On a busy machine it may have waited for more than 0.8 s.
    let mut other = other.await.unwrap();
    while other.status == 503 {
        other = heart(POSTS, &ben).await;
    }
    other.expect(201);
    let mut done = 0;
    while let Some(response) = hearts.join_next().await {
        let response = response.unwrap();
        assert!([201, 503].contains(&response.status), "{response}");
        done += u32::from(response.status == 201);
    }
    assert_ne!(done, 0);
    let stored = observer.run("SELECT count(*) - 1 FROM likes").await;
    assert_eq!(stored, done.to_string(), "one heart for each success");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_five_times_too_many_writers_response_times_and_memory_stay_bounded() {
    let setup = Setup::with_test_database()
        .await
        .env("GRATEFUL_WORKERS", 1)
        .env("GRATEFUL_CONNECTIONS_PER_WORKER", 2);
    let server = setup.start().await;
    let ana = server.client().sign_up("ana").await;
    let duration = Duration::from_secs(full_or_short(10, 2));

    let light = Load { clients: 4, duration }.run(&server, &ana).await;
    // Five times the number of clients that fill the longest wait for a connection.
    let capacity = light.succeeded * 4 / (5 * usize::try_from(duration.as_secs()).unwrap());
    let clients = (5 * capacity).clamp(50, full_or_short(4_000, 800));
    let heavy = Load { clients, duration }.run(&server, &ana).await;

    let memory = server.resident_bytes();
    println!("4 clients: {light:?}; {clients} clients: {heavy:?}; {} MiB", memory >> 20);
    assert_ne!(heavy.succeeded, 0);
    assert!(heavy.slowest < Duration::from_secs(10), "{heavy:?}");
    assert!(memory < MAX_MEMORY, "{memory} bytes");
    server.client().create_post(&ana, "For calm.").send().await.expect(201);
    let sql = server.sql().await;
    assert_eq!(sql.find_post_count_mismatches().await, [] as [String; 0]);
    let rows: usize = sql.run("SELECT count(*) FROM posts").await.parse().unwrap();
    assert_eq!(rows, light.succeeded + heavy.succeeded + 1, "one row for each success");
    let refused = || sum_of_refusals(&server);
    let all = u64::try_from(light.rejected + heavy.rejected).unwrap();
    eventually("all refusals are in the log", || refused().0 == all).await;
    let (_, lines) = refused();
    assert!(lines <= full_or_short(40, 30), "{lines} lines for {all} refusals");
    let errors = server.log_as_json().into_iter().filter(|line| line["level"] == "ERROR");
    assert_eq!(errors.collect::<Vec<_>>(), [Value::Null; 0]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_concurrent_logins_neither_exceed_the_memory_limit_nor_delay_other_requests() {
    let server = Setup::with_test_database().await.start().await;
    let ana = server.client().sign_up("ana").await;
    let mut logins = JoinSet::new();
    for _ in 0..full_or_short(1_000, 300) {
        logins.spawn(server.client().log_in("ana", PASSWORD).send());
    }

    let start = Instant::now();
    server.client().get_session(&ana).send().await.expect(200);
    let elapsed = start.elapsed();
    let mut statuses = BTreeMap::<u16, u32>::new();
    while let Some(response) = logins.join_next().await {
        *statuses.entry(response.unwrap().status).or_default() += 1;
    }

    let memory = server.resident_bytes();
    println!("{statuses:?}, another request meanwhile: {elapsed:?}, {} MiB", memory >> 20);
    assert!(elapsed < Duration::from_secs(5), "{elapsed:?}");
    assert!(statuses.keys().all(|status| [200, 503].contains(status)), "{statuses:?}");
    assert!(statuses.contains_key(&200), "{statuses:?}");
    assert!(memory < MAX_MEMORY, "{memory} bytes");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_concurrent_readers_are_answered_or_refused_within_the_memory_limit() {
    let server = Setup::with_test_database().await.env("GRATEFUL_WORKERS", 1).start().await;
    let ana = server.client().sign_up("ana").await;
    for _ in 0..20 {
        server.client().create_post(&ana, "For company.").send().await.expect(201);
    }
    let mut readers = JoinSet::new();
    for reader in 0..1_000 {
        let paths = ["/api/v1/posts/feed", "/api/v1/users/me/posts", "/api/v1/users/me/profile"];
        let request = server.client().get(paths[reader % paths.len()]).by(&ana);
        readers.spawn(async move {
            let start = Instant::now();
            (request.send().await, start.elapsed())
        });
    }

    let (mut statuses, mut slowest) = (BTreeMap::<u16, u32>::new(), Duration::ZERO);
    while let Some(read) = readers.join_next().await {
        let (response, elapsed) = read.unwrap();
        *statuses.entry(response.status).or_default() += 1;
        slowest = slowest.max(elapsed);
        let retry_after = (response.status == 503).then_some("1");
        assert_eq!(response.header("retry-after"), retry_after, "{response}");
    }

    let memory = server.resident_bytes();
    println!("{statuses:?}, slowest: {slowest:?}, {} MiB", memory >> 20);
    assert!(statuses.keys().all(|status| [200, 503].contains(status)), "{statuses:?}");
    assert!(statuses.contains_key(&200), "{statuses:?}");
    assert!(memory < MAX_MEMORY, "{memory} bytes");
    server.client().get_session(&ana).send().await.expect(200);
}

/// The number of requests with 503 in the log, and the number of lines about them.
fn sum_of_refusals(server: &Server) -> (u64, usize) {
    let log = server.log_as_json().into_iter();
    let lines: Vec<Value> = log.filter(|line| line["message"] == "Refused requests").collect();
    (lines.iter().filter_map(|line| line["status_503"].as_u64()).sum(), lines.len())
}

/// Concurrent clients that create posts, each as fast as the server responds.
struct Load {
    clients: usize,
    duration: Duration,
}

#[derive(Debug, Default)]
struct LoadResult {
    succeeded: usize,
    rejected: usize,
    slowest: Duration,
}

impl Load {
    async fn run(&self, server: &Server, author: &Token) -> LoadResult {
        let end = Instant::now() + self.duration;
        let mut clients = JoinSet::new();
        for _ in 0..self.clients {
            clients.spawn(create_posts_until(end, server.client(), author.clone()));
        }
        let mut total = LoadResult::default();
        while let Some(result) = clients.join_next().await {
            total.add(&result.unwrap());
        }
        total
    }
}

impl LoadResult {
    fn add(&mut self, other: &Self) {
        self.succeeded += other.succeeded;
        self.rejected += other.rejected;
        self.slowest = self.slowest.max(other.slowest);
    }
}

async fn create_posts_until(end: Instant, client: Client, author: Token) -> LoadResult {
    let mut result = LoadResult::default();
    while Instant::now() < end {
        let start = Instant::now();
        let response = client.create_post(&author, "For more.").send().await;
        result.slowest = result.slowest.max(start.elapsed());
        match response.status {
            201 => result.succeeded += 1,
            503 => result.rejected += 1,
            _ => panic!("{response}"),
        }
    }
    result
}
