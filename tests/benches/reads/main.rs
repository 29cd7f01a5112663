//! Reads over HTTP compared with PostgreSQL alone: the overhead of the server.
//!
//! Both sides run the same statements in turn on the same database with the same number of connections. The ratio of the
//! throughputs is the share of PostgreSQL's speed that reaches a client. The goals are in docs/performance.md.
//!
//! `cargo bench -p grateful-tests --bench reads`; `SIZE` selects the dataset, `SECONDS` and `ROUNDS` set the duration, and
//! `GRATEFUL_BENCH=short` runs the short form.

#[path = "../shared/load.rs"]
mod load;
#[path = "../shared/measurements.rs"]
mod measurements;
#[path = "../shared/pgbench.rs"]
mod pgbench;
#[path = "../shared/read_comparison.rs"]
mod read_comparison;
#[path = "../shared/read_dataset.rs"]
mod read_dataset;
#[path = "../shared/recorded_reads.rs"]
mod recorded_reads;
#[path = "../shared/settings.rs"]
mod settings;
#[path = "../shared/statement_log.rs"]
mod statement_log;
#[path = "../shared/temporary_cluster.rs"]
mod temporary_cluster;

use self::read_comparison::compare_reads;
use self::read_dataset::{DatasetSize, ReadDataset};
use self::settings::setting;

fn main() {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    runtime.block_on(run());
}

async fn run() {
    let size: String = setting("SIZE", "S".to_owned(), "XS".to_owned());
    let dataset = ReadDataset::generate(DatasetSize::by_name(&size)).await;
    compare_reads(&dataset.cluster, dataset.reads()).await;
}
