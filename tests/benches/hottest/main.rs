//! Hearts on the hottest post: the throughput when 64 users add hearts to one post.
//!
//! The reference is a bare `UPDATE` of that row by as many pgbench clients, in turn on the same database. It checks no
//! user and no block and inserts no row, so the goal is half of its speed. The same load on a thousand posts shows the
//! throughput without lock contention.
//!
//! `cargo bench -p grateful-tests --bench hottest`; `SECONDS` and `ROUNDS` set the duration, `THREADS` and
//! `CONNECTIONS` the server's threads and connections per thread.

mod dataset;
mod heart_load;
#[path = "../reads/pgbench.rs"]
mod pgbench;

use std::time::Duration;

use self::dataset::Dataset;
use self::heart_load::HeartLoad;
use self::pgbench::Script;

/// Concurrent users.
const USERS: usize = 64;

fn main() {
    let (seconds, rounds) = (setting("SECONDS", 5), setting("ROUNDS", 3));
    let (threads, connections) = (setting("THREADS", 2), setting("CONNECTIONS", 8));
    let duration = Duration::from_secs(seconds);
    let dataset = Dataset::create();
    println!("{USERS} users on {threads} pools of {connections}, {rounds} rounds of {seconds} s");
    println!(
        "{:<12} {:>9} {:>9} {:>7} {:>9} {:>9}",
        "", "hearts/s", "UPDATE/s", "ratio", "p50", "p99"
    );

    for posts in [1, dataset::POSTS] {
        let load = HeartLoad { dataset: &dataset, threads, connections, posts };
        let sql = Dataset::update(posts);
        let script = Script { url: &dataset.url, sql: &sql, connections: USERS };
        let mut measured = Vec::new();
        for _ in 0..rounds {
            let surplus = dataset.surplus();
            let hearts = load.run(duration);
            assert_eq!(dataset.surplus(), surplus, "the heart counts do not match the rows");
            measured.push((script.run(duration), hearts));
        }
        // The round with the median ratio: on a shared machine the speed varies.
        measured.sort_by(|a, b| (a.1.per_second() / a.0).total_cmp(&(b.1.per_second() / b.0)));
        let (updates, hearts) = &measured[measured.len() / 2];
        println!(
            "{:<12} {:>9.0} {:>9.0} {:>7.2} {:>7.1}ms {:>7.1}ms",
            format!("{posts} post{}", if posts == 1 { "" } else { "s" }),
            hearts.per_second(),
            updates,
            hearts.per_second() / updates,
            hearts.percentile(0.50).as_secs_f64() * 1e3,
            hearts.percentile(0.99).as_secs_f64() * 1e3,
        );
    }
}

fn setting<T: std::str::FromStr>(name: &str, default: T) -> T {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}
