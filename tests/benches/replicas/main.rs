//! What a replica takes off the primary: pages of the feed over HTTP with the primary alone, and with one replica, in turn on
//! the same database.
//!
//! The figure is the processor time of the primary for each page. With a replica, the look-up of the session is left, and the
//! sending of the log. The goal is 0.3 of before.
//!
//! `cargo bench -p grateful-tests --bench replicas`; `SECONDS`, `ROUNDS`, `CONNECTIONS`, `USERS` and `POSTS` set the load and
//! the dataset, and `GRATEFUL_BENCH=short` runs the short form.

#[path = "../shared/load.rs"]
mod load;
#[path = "../shared/measurements.rs"]
mod measurements;
#[path = "../shared/settings.rs"]
mod settings;

use std::fmt;
use std::process::Stdio;
use std::sync::Arc;
use std::time::{Duration, Instant};

use grateful_local_postgres::{Node, NodeOptions, ReplicatedCluster};
use grateful_tests::{Server, Setup, TIMEOUT, Token, json};

use self::load::{Load, get_request};
use self::measurements::Measurements;
use self::settings::setting;

const DATABASE: &str = "postgres";

/// The password of all generated users.
const PASSWORD: &str = "grateful every day";

fn main() {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    runtime.block_on(run());
}

async fn run() {
    let (seconds, rounds) = (setting("SECONDS", 4.0, 0.5), setting("ROUNDS", 3, 1));
    let connections = setting("CONNECTIONS", 16, 4);
    let duration = Duration::from_secs_f64(seconds);
    let cluster = ReplicatedCluster::throwaway_with("bench", 1, &NodeOptions::default());
    let cluster = cluster.expect("a primary and a standby");
    let [primary, standby] = cluster.nodes() else { panic!("two nodes") };
    let setup = Setup::with_database_url(&primary.url(DATABASE)).env("GRATEFUL_WORKERS", 2);
    generate(&setup);
    let with_replica = setup.clone().env("GRATEFUL_REPLICA_URLS", &*standby.url(DATABASE));
    let alone = setup.start_with_log(Stdio::null()).await;
    let with_replica = with_replica.start_with_log(Stdio::null()).await;
    let reader = log_in(&alone, &setup).await;
    standby.wait_until_replayed(primary).expect("a standby that replays");
    wait_until_replica_serves(&with_replica, &reader).await;

    println!(
        "{connections} connections, {rounds} rounds of {seconds} s; processor time of the primary for each page"
    );
    println!(
        "{:<12} {:>9} {:>9} {:>9} {:>9} {:>9} {:>9} {:>7}",
        "", "alone/s", "p99", "time", "replica/s", "p99", "time", "ratio"
    );
    for (name, path) in [
        ("ranked feed", "/api/v1/posts/feed"),
        ("newest feed", "/api/v1/posts/feed?algorithm=false"),
    ] {
        let load = |server: &Server| {
            let requests = Arc::new(vec![get_request(path, Some(&reader))]);
            Load { address: server.address(), connections, requests }
        };
        let mut measured = Vec::new();
        for _ in 0..rounds {
            let before = measure(primary, &load(&alone), duration).await;
            let after = measure(primary, &load(&with_replica), duration).await;
            measured.push([before, after]);
        }
        let ratio = |[before, after]: &[Measured; 2]| after.primary_time / before.primary_time;
        measured.sort_by(|one, other| ratio(one).total_cmp(&ratio(other)));
        let median = &measured[measured.len() / 2];
        let [before, after] = median;
        println!("{name:<12} {before} {after} {:>7.2}", ratio(median));
    }
}

/// What one server did.
struct Measured {
    pages: Measurements,
    /// The processor time of the primary for each page, in microseconds.
    primary_time: f64,
}

impl fmt::Display for Measured {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (per_second, p99) = (self.pages.per_second(), self.pages.percentile(0.99));
        write!(f, "{per_second:>9.0} {p99:>7.1}ms {:>7.0}µs", self.primary_time)
    }
}

async fn measure(primary: &Node, load: &Load, duration: Duration) -> Measured {
    let before = primary.cpu_time().expect("processes of the primary");
    let start = Instant::now();
    let pages = load.run(duration).await;
    let elapsed = start.elapsed().as_secs_f64();
    let spent = primary.cpu_time().expect("processes of the primary").saturating_sub(before);
    let primary_time = spent.as_secs_f64() * 1e6 / (pages.per_second() * elapsed);
    Measured { pages, primary_time }
}

fn generate(setup: &Setup) {
    let (users, posts) = (setting("USERS", 1_000, 200), setting("POSTS", 20_000, 2_000));
    let (engagements, follows) = (4 * posts, 20 * users);
    let arguments = format!(
        "seed --users {users} --posts {posts} --engagements {engagements} --follows {follows} --notifications {posts}"
    );
    setup.run(&arguments.split(' ').collect::<Vec<_>>()).expect(0);
}

/// A session of the user with the median number of follows.
async fn log_in(server: &Server, setup: &Setup) -> Token {
    let sql = setup.sql().await;
    sql.run("VACUUM ANALYZE").await;
    let median = "SELECT email FROM users ORDER BY following_count, id
                  OFFSET (SELECT count(*) / 2 FROM users) LIMIT 1";
    let credentials = json!({"email": sql.run(median).await, "password": PASSWORD});
    let response = server.client().post("/api/v1/auth/login").json(&credentials).send().await;
    response.expect(200).token()
}

async fn wait_until_replica_serves(server: &Server, reader: &Token) {
    let (client, start) = (server.client(), Instant::now());
    loop {
        client.get("/api/v1/posts/feed").by(reader).send().await.expect(200);
        let page = client.get("/metrics").send().await.expect(200);
        if String::from_utf8_lossy(&page.body).contains("why=\"replayed\"") {
            return;
        }
        assert!(start.elapsed() < TIMEOUT, "the replica serves no reads");
    }
}
