//! Hearts on the hottest post: what PostgreSQL loses of its speed when 64 people like one post.
//!
//! The measure is a bare `UPDATE` of that row by as many clients of pgbench, on the same database in turn. It knows no
//! person, no block and no row of its own to write, so half of its speed is the goal. The same on a thousand posts shows
//! what is left where nobody waits for anybody.
//!
//! `cargo bench -p grateful-tests --bench hottest`; `SECONDS` and `ROUNDS` make it longer. `THREADS` and `CONNECTIONS` are
//! those of the server.

mod likers;
#[path = "../reads/pgbench.rs"]
mod pgbench;
mod world;

use std::time::Duration;

use self::likers::Likers;
use self::pgbench::Script;
use self::world::World;

/// So many at once.
const PEOPLE: usize = 64;

fn main() {
    let (seconds, rounds) = (setting("SECONDS", 5), setting("ROUNDS", 3));
    let (threads, connections) = (setting("THREADS", 2), setting("CONNECTIONS", 8));
    let duration = Duration::from_secs(seconds);
    let world = World::create();
    println!("{PEOPLE} people on {threads} pools of {connections}, {rounds} rounds of {seconds} s");
    println!(
        "{:<12} {:>9} {:>9} {:>7} {:>9} {:>9}",
        "", "hearts/s", "UPDATE/s", "ratio", "p50", "p99"
    );

    for posts in [1, world::POSTS] {
        let likers = Likers { world: &world, threads, connections, posts };
        let sql = World::update(posts);
        let script = Script { url: &world.url, sql: &sql, connections: PEOPLE };
        let mut measured = Vec::new();
        for _ in 0..rounds {
            let surplus = world.surplus();
            let hearts = likers.run(duration);
            assert_eq!(world.surplus(), surplus, "hearts were counted that nobody gave");
            measured.push((script.run(duration), hearts));
        }
        // The median round by its ratio: a machine that others use has good and bad moments.
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
