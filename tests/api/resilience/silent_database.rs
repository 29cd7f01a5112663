//! A database whose connections freeze, and one that is restarted while it is read.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use grateful_testkit::{Proxy, TestDatabase};
use grateful_tests::{Client, Setup, Value, eventually, full_or_short};
use tokio::task::JoinSet;

use super::crashes::create_users;
use super::post_load::PostLoad;

/// As when a network forgets connections, or the machine of the database has vanished and another one has its address.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn when_all_open_connections_freeze_requests_end_in_time_and_the_server_serves_again() {
    // With the default, a round takes more than six seconds.
    let (rounds, timeout) = full_or_short((20, 5_000), (3, 1_000));
    let statement_timeout = Duration::from_millis(timeout);
    let database = TestDatabase::create().await;
    let proxy = Proxy::start(&database.url()).await;
    let setup =
        Setup::with_database_url(&proxy.url()).env("GRATEFUL_STATEMENT_TIMEOUT_MS", timeout);
    let server = setup.start().await;
    let users = create_users(&server).await;
    let post = server.client().create_post(&users[0], "For quiet.").send().await.expect(201);
    let reads = ReadLoad::start(&server.client(), &post.json());
    let load = PostLoad::start(&server, &users);
    let mut longest_outage = Duration::ZERO;

    for _ in 0..rounds {
        load.wait_for_writes(50).await;
        reads.wait_for_answers(50).await;
        proxy.freeze_open_connections();
        let (start, responses) = (Instant::now(), load.responses());
        // Some were answered already.
        load.wait_for_writes(2 * users.len()).await;
        reads.wait_for_answers(50).await;
        longest_outage = longest_outage.max(start.elapsed());
        // The next silence must not meet requests that have waited for this one.
        load.wait_for_requests_in_flight_at(&responses).await;
    }
    let longest_response = load.longest_response();
    let refused_reads = reads.stop().await;
    let posts = load.stop().await;

    println!(
        "{rounds} silences: served again after at most {longest_outage:?}, answered within {longest_response:?}, \
         {} acknowledged posts, {refused_reads} refused reads",
        posts.len()
    );
    assert!(longest_response < statement_timeout + Duration::from_secs(2), "{longest_response:?}");
    assert!(longest_outage < statement_timeout + Duration::from_secs(5), "{longest_outage:?}");
    server.client().get("/readyz").send().await.expect(200);
    posts.assert_stored_in(&grateful_tests::SqlConnection::connect(&database.url()).await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn reads_in_flight_while_postgresql_restarts_are_answered_right_or_refused() {
    let setup = Setup::with_private_postgres();
    let server = setup.start().await;
    let users = create_users(&server).await;
    let post = server.client().create_post(&users[0], "For rest.").send().await.expect(201);
    let reads = ReadLoad::start(&server.client(), &post.json());

    for _ in 0..full_or_short(5, 2) {
        reads.wait_for_answers(200).await;
        setup.working_dir().kill_postgres().await;
        reads.wait_for_answers(200).await;
    }
    let refused = reads.stop().await;

    println!("{refused} refused reads while PostgreSQL was down");
}

/// Concurrent guests who read a post, and compare each answer with what it must be.
struct ReadLoad {
    tasks: JoinSet<usize>,
    answered: Arc<AtomicUsize>,
    should_stop: Arc<AtomicBool>,
}

impl ReadLoad {
    const READERS: usize = 8;

    fn start(client: &Client, post: &Value) -> Self {
        let (answered, should_stop): (Arc<AtomicUsize>, Arc<AtomicBool>) = Default::default();
        let mut tasks = JoinSet::new();
        for _ in 0..Self::READERS {
            let (client, post) = (client.clone(), post.clone());
            let (answered, should_stop) = (Arc::clone(&answered), Arc::clone(&should_stop));
            tasks.spawn(async move {
                let path = format!("/api/v1/posts/{}", post["id"].as_str().unwrap());
                let mut refused = 0;
                while !should_stop.load(Ordering::Relaxed) {
                    let response = client.get(&path).send().await;
                    if response.status == 503 {
                        response.expect_problem(503, "unavailable");
                        refused += 1;
                    } else {
                        assert_eq!(response.expect(200).json()["content"], post["content"]);
                        answered.fetch_add(1, Ordering::Relaxed);
                    }
                }
                refused
            });
        }
        Self { tasks, answered, should_stop }
    }

    async fn wait_for_answers(&self, count: usize) {
        let target = self.answered.load(Ordering::Relaxed) + count;
        let is_reached = || target <= self.answered.load(Ordering::Relaxed);
        eventually("reads are answered", is_reached).await;
    }

    /// Stops all readers. Returns how many reads were refused.
    async fn stop(mut self) -> usize {
        self.should_stop.store(true, Ordering::Relaxed);
        let mut refused = 0;
        while let Some(of_reader) = self.tasks.join_next().await {
            refused += of_reader.unwrap();
        }
        refused
    }
}
