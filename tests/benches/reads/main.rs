//! Reads over HTTP compared with PostgreSQL alone: the overhead of the server.
//!
//! Both sides run the same SQL in turn on the same database with the same number of connections. The ratio of the
//! throughputs is the share of PostgreSQL's speed that reaches a client. The goal is 0.7 or more.
//!
//! `cargo bench -p grateful-tests --bench reads`; `SECONDS` and `ROUNDS` set the duration.

mod dataset;
mod load;
mod pgbench;

use std::process::Stdio;
use std::time::Duration;

use grateful_tests::Setup;

use self::dataset::Dataset;
use self::load::Load;
use self::pgbench::Script;

/// A typical number for a small deployment. More connections only make both sides queue.
const CONNECTIONS: usize = 16;

fn main() {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    runtime.block_on(run());
}

async fn run() {
    let (seconds, rounds) = (setting("SECONDS", 4), setting("ROUNDS", 3));
    let dataset = Dataset::create().await;
    // With logging, as in production, but to /dev/null.
    let setup = Setup::with_database_url(&dataset.url);
    let server = setup.start_with_log(Stdio::null()).await;
    println!(
        "{} users, {} posts, {CONNECTIONS} connections, {rounds} rounds of {seconds} s",
        dataset::USERS,
        dataset::POSTS
    );
    println!(
        "{:<28} {:>10} {:>10} {:>7} {:>9} {:>9}",
        "", "HTTP/s", "pgbench/s", "ratio", "p50", "p99"
    );

    for case in dataset.cases().await {
        let load =
            Load { address: server.address(), connections: CONNECTIONS, requests: case.requests };
        let script = Script { url: &dataset.url, sql: &case.script, connections: CONNECTIONS };
        let mut measured = Vec::new();
        for _ in 0..rounds {
            let duration = Duration::from_secs(seconds);
            let http = load.run(duration).await;
            measured.push((script.run(duration), http));
        }
        // The round with the median ratio: on a shared machine the speed varies.
        measured.sort_by(|a, b| (a.1.per_second() / a.0).total_cmp(&(b.1.per_second() / b.0)));
        let (database, http) = &measured[measured.len() / 2];
        println!(
            "{:<28} {:>10.0} {:>10.0} {:>7.2} {:>7.2}ms {:>7.2}ms",
            case.name,
            http.per_second(),
            database,
            http.per_second() / database,
            http.percentile(0.50).as_secs_f64() * 1e3,
            http.percentile(0.99).as_secs_f64() * 1e3,
        );
    }
}

fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}
