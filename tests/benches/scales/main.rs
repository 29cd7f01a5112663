//! The same reads in worlds of different sizes: what a page costs must not grow with what others have posted.
//!
//! Each world is made by `grateful seed` and read over HTTP, and by pgbench with the same SQL in turn. Printed are both
//! throughputs and their ratio, p50 and p99 over HTTP, and in the end p99 in the largest world over that in the smallest.
//!
//! `cargo bench -p grateful-tests --bench scales`; `SIZES` names some of `S,M,L` (S and M unless it is set), `SECONDS` and
//! `ROUNDS` make it longer.

#[path = "../reads/load.rs"]
mod load;
#[path = "../reads/pgbench.rs"]
mod pgbench;
mod world;

use std::collections::BTreeMap;
use std::process::Stdio;
use std::time::Duration;

use grateful_tests::Setup;

use self::load::Load;
use self::pgbench::Script;
use self::world::{BY_ENGAGEMENT, Size, World};

/// As many at once as a small deployment sees; more only make both sides queue.
const CONNECTIONS: usize = 16;

fn main() {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    runtime.block_on(run());
}

async fn run() {
    let sizes = std::env::var("SIZES").unwrap_or_else(|_| "S,M".to_owned());
    let mut slowest: BTreeMap<&str, Vec<(&str, Duration)>> = BTreeMap::new();
    for size in Size::ALL.iter().filter(|size| sizes.split(',').any(|name| name == size.name)) {
        for (read, p99) in measure(size).await {
            slowest.entry(read).or_default().push((size.name, p99));
        }
    }
    for (read, times) in slowest {
        if let [(small, first), .., (large, last)] = times[..] {
            let growth = last.as_secs_f64() / first.as_secs_f64();
            println!("{read:<24} p99 in {large} over {small}: {growth:.2}");
        }
    }
}

/// How long the slowest hundredth of each read takes.
async fn measure(size: &Size) -> Vec<(&'static str, Duration)> {
    let (seconds, rounds) = (setting("SECONDS", 4), setting("ROUNDS", 3));
    let world = World::create(size).await;
    // With its log lines, as it runs everywhere; where they go is not what is measured.
    let setup = Setup::on(&world.url).with("GRATEFUL_STATEMENT_TIMEOUT_MS", "60000");
    let server = setup.start_logging_to(Stdio::null()).await;
    println!(
        "{}: {} people, {} posts, {} engagements; {CONNECTIONS} connections, {rounds} rounds of {seconds} s",
        size.name, size.users, size.posts, size.engagements
    );
    println!(
        "{:<24} {:>9} {:>9} {:>6} {:>9} {:>9}",
        "", "HTTP/s", "pgbench/s", "ratio", "p50", "p99"
    );

    let mut slowest = Vec::new();
    for case in world.cases().await {
        let requests = std::sync::Arc::clone(&case.requests);
        let load = Load { address: server.address(), connections: CONNECTIONS, requests };
        let script = Script { url: &world.url, sql: &case.script, connections: CONNECTIONS };
        let mut measured = Vec::new();
        for _ in 0..rounds {
            let duration = Duration::from_secs(seconds);
            let http = load.run(duration).await;
            measured.push((script.run(duration), http));
        }
        // The median round by its ratio: a machine that others use has good and bad moments.
        measured.sort_by(|a, b| (a.1.per_second() / a.0).total_cmp(&(b.1.per_second() / b.0)));
        let (database, http) = &measured[measured.len() / 2];
        println!(
            "{:<24} {:>9.0} {:>9.0} {:>6.2} {:>7.2}ms {:>7.2}ms",
            case.name,
            http.per_second(),
            database,
            http.per_second() / database,
            http.percentile(0.50).as_secs_f64() * 1e3,
            http.percentile(0.99).as_secs_f64() * 1e3,
        );
        slowest.push((case.name, http.percentile(0.99)));
    }
    let script = Script { url: &world.url, sql: BY_ENGAGEMENT, connections: 1 };
    let per_second = script.run(Duration::from_secs(seconds));
    println!(
        "{:<24} {:>9} {:>9.0} {:>6} {:>7.2}ms alone",
        "order by engagement",
        "",
        per_second,
        "",
        1e3 / per_second
    );
    slowest
}

fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}
