//! Reads over HTTP compared with PostgreSQL alone.
//!
//! Both run the same statements in turn, on the same database, with the same number of connections. The ratio of the
//! throughputs is the share of PostgreSQL's speed that reaches a client.

use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use grateful_tests::Setup;

use crate::load::{Load, get_request};
use crate::measurements::Measurements;
use crate::recorded_reads::{Read, RecordedRead, record};
use crate::settings::setting;
use crate::temporary_cluster::TemporaryCluster;

/// A typical number for a small deployment. More connections only make both sides queue.
const CONNECTIONS: usize = 16;

/// Measures the reads and prints a row for each. Returns the p99 of each over HTTP, in milliseconds.
pub(crate) async fn compare_reads(
    cluster: &TemporaryCluster,
    reads: Vec<Read>,
) -> Vec<(&'static str, f64)> {
    let (seconds, rounds) = (setting("SECONDS", 4.0, 0.25), setting("ROUNDS", 3, 1));
    let recorded = record(cluster, reads).await;
    let url = cluster.url();
    // With log lines, as in production, but to /dev/null.
    let server = Setup::with_database_url(&url).start_with_log(Stdio::null()).await;
    println!("{CONNECTIONS} connections, {rounds} rounds of {seconds} s");
    println!(
        "{:<24} {:>10} {:>9} {:>9} {:>6} {:>10} {:>10}",
        "", "statements", "HTTP/s", "pgbench/s", "ratio", "p50", "p99"
    );

    let mut p99s = Vec::new();
    for RecordedRead { read, statement_count, script } in recorded {
        let request = get_request(&read.path, read.token.as_ref());
        let requests = Arc::new(vec![request]);
        let load = Load { address: server.address(), connections: CONNECTIONS, requests };
        let duration = Duration::from_secs_f64(seconds);
        let mut measured: Vec<(f64, Measurements)> = Vec::new();
        for _ in 0..rounds {
            let http = load.run(duration).await;
            measured.push((script.run(&url, CONNECTIONS, duration), http));
        }
        // The round with the median ratio: on a shared machine the speed varies.
        measured.sort_by(|a, b| (a.1.per_second() / a.0).total_cmp(&(b.1.per_second() / b.0)));
        let (database, http) = &measured[measured.len() / 2];
        println!(
            "{:<24} {statement_count:>10} {:>9.0} {database:>9.0} {:>6.2} {:>8.2}ms {:>8.2}ms",
            read.name,
            http.per_second(),
            http.per_second() / database,
            http.percentile(0.50),
            http.percentile(0.99),
        );
        p99s.push((read.name, http.percentile(0.99)));
    }
    p99s
}
