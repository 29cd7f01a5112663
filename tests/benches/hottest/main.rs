//! Hearts on the hottest post: the throughput when 64 users add hearts to one post.
//!
//! The reference is a bare `UPDATE` of that row by as many pgbench clients, in turn on the same database. It checks no
//! user and no block and inserts no row, but commits each by itself. Hearts run in groups, so the goal is three times its speed.
//! The same load on a thousand posts shows the throughput without lock contention.
//!
//! `cargo bench -p grateful-tests --bench hottest`; `SECONDS` and `ROUNDS` set the duration, `THREADS` and
//! `CONNECTIONS` the server's threads and connections per thread. `GRATEFUL_BENCH=short` runs the short form.

mod dataset;
mod heart_load;
#[path = "../shared/measurements.rs"]
mod measurements;
#[path = "../shared/pgbench.rs"]
mod pgbench;
#[path = "../shared/settings.rs"]
mod settings;
#[path = "../shared/temporary_cluster.rs"]
mod temporary_cluster;

use std::time::Duration;

use self::dataset::Dataset;
use self::heart_load::HeartLoad;
use self::pgbench::Script;
use self::settings::setting;

/// Concurrent users.
const USERS: usize = 64;

fn main() {
    let (seconds, rounds) = (setting("SECONDS", 5.0, 0.25), setting("ROUNDS", 3, 1));
    let (threads, connections) = (setting("THREADS", 2, 2), setting("CONNECTIONS", 8, 8));
    let duration = Duration::from_secs_f64(seconds);
    let dataset = Dataset::create();
    println!("{USERS} users on {threads} pools of {connections}, {rounds} rounds of {seconds} s");
    println!(
        "{:<12} {:>9} {:>9} {:>7} {:>9} {:>9}",
        "", "hearts/s", "UPDATE/s", "ratio", "p50", "p99"
    );

    for posts in [1, dataset::POSTS] {
        let load = HeartLoad { dataset: &dataset, threads, connections, posts };
        let script = Script::new(Dataset::update(posts));
        let mut measured = Vec::new();
        for _ in 0..rounds {
            let surplus = dataset.surplus();
            let hearts = load.run(duration);
            assert_eq!(dataset.surplus(), surplus, "the heart counts do not match the rows");
            measured.push((script.run(&dataset.url, USERS, duration), hearts));
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
            hearts.percentile(0.50),
            hearts.percentile(0.99),
        );
    }
}
