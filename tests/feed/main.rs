//! Fifty readers page through the ranked feed, each page on another node, while a hundred times a second a user posts, adds
//! a heart, deletes a post, follows or blocks. No post is returned twice, and no post that exists throughout is missed.
//!
//! The short form takes a few seconds for each dataset, `GRATEFUL_FULL=1` a minute. Both print their counts.

#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod dataset;
mod reader;
#[path = "../engagement/rng.rs"]
mod rng;
mod writer;

use std::sync::Arc;
use std::time::{Duration, Instant};

use grateful_application::{App, SystemClock};
use grateful_testkit::TestApp;
use grateful_tests::SqlConnection;
use tokio::task::JoinSet;

use crate::dataset::DatasetSize;
use crate::reader::{ReadReport, Reader};
use crate::rng::Rng;
use crate::writer::{WriteCounts, Writer};

const READERS: usize = 50;
const WRITERS: usize = 10;

/// The interval between two writes of one writer.
const WRITE_INTERVAL: Duration = Duration::from_millis(100);

/// Simulated servers: each has its own connections, and they share only the database.
const NODES: usize = 4;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_small_feed_is_read_to_its_end_without_repeated_or_missed_posts() {
    let report = read_during_writes(DatasetSize { users: 80, posts: 400 }).await;

    assert!(0 < report.complete_passes, "no reader reached the end");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_large_feed_is_read_to_position_500_without_repeated_or_missed_posts() {
    let report = read_during_writes(DatasetSize { users: 1000, posts: 5000 }).await;

    assert!(0 < report.truncated_passes, "no reader reached position 500");
}

/// Runs one test at a time, so that one does not slow down the writers of the other.
static RUN_LOCK: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());

async fn read_during_writes(size: DatasetSize) -> ReadReport {
    let _guard = RUN_LOCK.lock().await;
    let TestApp { app, database, .. } = TestApp::create().await;
    let dataset = Arc::new(size.insert_into(&database).await);
    let create_node = || App {
        db: database.pool_with(|config| config.with_max_connections(WRITERS)),
        clock: Arc::new(SystemClock),
        ..app.clone()
    };
    let nodes: Vec<App> = (0..NODES).map(|_| create_node()).collect();
    // Writers have a node of their own, so that readers do not slow them down.
    let writer_node = create_node();
    let start = Instant::now();
    let end = start + Duration::from_secs(grateful_tests::full_or_short(60, 6));
    let mut writers = JoinSet::new();
    for index in 0..WRITERS {
        let writer = Writer {
            app: writer_node.clone(),
            sql: SqlConnection::connect(&database.url()).await,
            dataset: Arc::clone(&dataset),
            rng: Rng::for_user(index, 1),
        };
        writers.spawn(writer.write(WRITE_INTERVAL));
    }
    let mut readers = JoinSet::new();
    for index in 0..READERS {
        let reader = Reader {
            user: i64::try_from(index + 1).unwrap(),
            nodes: nodes.clone(),
            sql: SqlConnection::connect(&database.url()).await,
            dataset: Arc::clone(&dataset),
            rng: Rng::for_user(index, 2),
        };
        readers.spawn(reader.read_until(end));
    }
    let reports = readers.join_all().await;
    let report = reports.into_iter().fold(ReadReport::default(), ReadReport::merge);
    dataset.finish_reading();
    let writes = writers.join_all().await;
    let writes = writes.into_iter().fold(WriteCounts::default(), WriteCounts::merge);
    let seconds = start.elapsed().as_secs();
    println!("{writes:?}, {} writes in {seconds} s\n{report:?}", writes.total());
    assert_eq!((report.repeated, report.missed), (0, 0), "{report:?}");
    assert!(0 < report.comparisons, "nothing was compared");
    assert!(writes.has_all_kinds(), "{writes:?}");
    report
}
