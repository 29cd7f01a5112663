//! Fifty readers who walk through the ranked feed, page by page and each page on another node, while a hundred times a second
//! somebody posts, likes, deletes, follows or blocks: nobody meets a post twice, nor misses one that was there when their walk
//! began and still is.
//!
//! The short form takes a few seconds for each world, `GRATEFUL_FULL=1` a minute; both print what they counted.

#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

#[path = "../engagement/dice.rs"]
mod dice;
mod walker;
mod world;
mod writer;

use std::sync::Arc;
use std::time::{Duration, Instant};

use grateful_application::{App, SystemClock};
use grateful_storage::DatabaseConfig;
use grateful_testkit::TestApp;
use grateful_tests::{SqlConnection, TIMEOUT};
use tokio::task::JoinSet;

use crate::dice::Dice;
use crate::walker::{Findings, Walker};
use crate::world::World;
use crate::writer::{Writer, Written};

const WALKERS: usize = 50;
const WRITERS: usize = 10;

/// So often does each of the writers write.
const PACE: Duration = Duration::from_millis(100);

/// Servers, as it were: each with connections of its own, and nothing else in common but the database.
const NODES: usize = 4;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_small_world_is_read_to_its_end_without_a_repeat_or_a_hole() {
    let findings = walk_while_others_write(World { people: 80, posts: 400 }).await;

    assert!(0 < findings.read_to_the_end, "nobody came to the end");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_large_world_is_read_to_place_500_without_a_repeat_or_a_hole() {
    let findings = walk_while_others_write(World { people: 1000, posts: 5000 }).await;

    assert!(0 < findings.read_to_place_500, "nobody came to place 500");
}

/// One world at a time, so that the other does not slow down those who write.
static ONE: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());

async fn walk_while_others_write(world: World) -> Findings {
    let _one = ONE.lock().await;
    let TestApp { app, database, .. } = TestApp::create().await;
    let world = Arc::new(world.made_in(&database).await);
    // On a busy machine a node may keep people waiting; how long is not what this is about.
    let patient = |config: DatabaseConfig| {
        config
            .with_acquire_timeout(TIMEOUT)
            .with_statement_timeout(TIMEOUT)
            .with_max_connections(WRITERS)
    };
    let node =
        || App { db: database.pool_with(patient), clock: Arc::new(SystemClock), ..app.clone() };
    let nodes: Vec<App> = (0..NODES).map(|_| node()).collect();
    // Of their own, so that they write as often as they are to, however many read.
    let writing = node();
    let begun = Instant::now();
    let until = begun + Duration::from_secs(grateful_tests::full_or_short(60, 6));
    let mut writers = JoinSet::new();
    for number in 0..WRITERS {
        let writer = Writer {
            app: writing.clone(),
            sql: SqlConnection::connect(&database.url()).await,
            world: Arc::clone(&world),
            dice: Dice::of(number, 1),
        };
        writers.spawn(writer.write(PACE));
    }
    let mut walkers = JoinSet::new();
    for number in 0..WALKERS {
        let walker = Walker {
            me: i64::try_from(number + 1).unwrap(),
            nodes: nodes.clone(),
            sql: SqlConnection::connect(&database.url()).await,
            world: Arc::clone(&world),
            dice: Dice::of(number, 2),
        };
        walkers.spawn(walker.walk_until(until));
    }
    let findings = walkers.join_all().await.into_iter().fold(Findings::default(), Findings::and);
    world.close();
    let written = writers.join_all().await.into_iter().fold(Written::default(), Written::and);
    let seconds = begun.elapsed().as_secs();
    println!("{written:?}, {} in {seconds} s\n{findings:?}", written.all());
    assert_eq!((findings.repeats, findings.holes), (0, 0), "{findings:?}");
    assert!(0 < findings.comparisons, "nothing was compared");
    assert!(written.has_all_kinds(), "{written:?}");
    findings
}
