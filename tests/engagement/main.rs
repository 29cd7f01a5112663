//! Sixty-four concurrent users on two nodes run random actions on a few posts and read their notifications. Actions fail only with
//! errors about the request itself. In the end all cached counts equal their rows, all batches their children, and all
//! notifications the acts they are about.
//!
//! The short form takes a few seconds, `GRATEFUL_FULL=1` a minute. `GRATEFUL_SEED` repeats the choices of an earlier run,
//! but not the order in which concurrent actions ran.

#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod rng;
mod simulated_user;

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use grateful_application::background_jobs::run_pending;
use grateful_application::verify::{Progress, Repair, verify};
use grateful_application::{App, Combiner, CombinerLimits, SystemClock, accounts};
use grateful_domain::UserId;
use grateful_testkit::{TestApp, TestDatabase, a_user};
use tokio::task::JoinSet;

use crate::rng::Rng;
use crate::simulated_user::{ActionCounts, SimulatedUser, Targets};

const USERS: usize = 64;
/// After this number of actions, each kind has almost certainly succeeded once. A busy machine may not reach it.
const ENOUGH_ACTIONS: u32 = 5_000;
const POSTS: usize = 6;

/// The number of users who share a connection pool, as the requests of one server thread do.
const USERS_PER_POOL: usize = 8;

/// On a busy machine, a transaction may wait for one of the few rows longer than the server lets a statement wait.
const MAX_LOCK_WAIT: Duration = Duration::from_mins(1);

/// The pools belong to the threads of this number of nodes.
const NODES: usize = 2;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn after_random_actions_of_many_users_on_few_posts_all_counts_match_their_rows() {
    let counts = run_and_verify(0).await;

    let succeeded = counts.iter().filter(|((_, outcome), _)| *outcome == "done");
    let total: u32 = counts.values().sum();
    assert!(
        total < ENOUGH_ACTIONS || succeeded.count() == simulated_user::ACTIONS.len(),
        "one kind of action never succeeded"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn after_random_actions_and_account_deletions_all_counts_match_their_rows() {
    run_and_verify(16).await;
}

/// Runs all users, deletes this number of accounts meanwhile, and verifies the database. Returns the action counts.
async fn run_and_verify(deletions: usize) -> ActionCounts {
    let full = std::env::var_os("GRATEFUL_FULL").is_some();
    let duration = Duration::from_secs(if full { 60 } else { 5 });
    let seed = seed();
    let TestApp { app, database, .. } = TestApp::create().await;
    // Requests leave most of a large job to the background, which works beside them.
    let job_budget = Duration::from_millis(5);
    let app = App { clock: Arc::new(SystemClock), job_budget, ..app };

    let counts = run_users(&app, &database, seed, duration, deletions).await;

    println!("seed {seed}, {USERS} users, {deletions} account deletions, {duration:?}:");
    for ((action, outcome), count) in &counts {
        println!("{action:>18} {outcome:<20} {count:>7}");
    }
    for (label, rows) in NOTIFICATION_COUNTS {
        println!("{label:>39} {:>7}", database.count(rows).await);
    }
    assert_eq!(
        database.count(STALE_MENTION_NOTIFICATIONS).await,
        0,
        "a mention notification is about a text that does not mention its recipient"
    );
    assert_eq!(database.count(FOLLOWS_ACROSS_BLOCKS).await, 0, "a follow exists across a block");
    assert_eq!(database.count(STALE_REQUESTS).await, 0, "a request needs no approval");
    let deadlocks = count_deadlocks(&database).await;
    println!("{deadlocks:>47} deadlocks");
    assert_eq!(deadlocks, 0, "locks were taken in different orders");
    assert_eq!(find_mismatches(&app).await, [] as [String; 0], "seed {seed}");
    counts
}

async fn run_users(
    app: &App,
    database: &TestDatabase,
    seed: u64,
    duration: Duration,
    deletions: usize,
) -> ActionCounts {
    let users = join_all((0..USERS).map(|_| a_user().insert_into(database))).await;
    let authors: Vec<UserId> = users[..POSTS].iter().map(|user| user.id).collect();
    let targets = Arc::new(Targets::with_posts(app, &authors).await);
    let approving =
        r#"UPDATE users SET profile_preferences = '{"approve_followers": true}' WHERE id % 2 = 0"#;
    database.execute(approving).await;
    let pools = users
        .chunks(USERS_PER_POOL)
        .map(|_| database.pool_with(|config| config.with_statement_timeout(MAX_LOCK_WAIT)))
        .collect::<Vec<_>>();
    // Each node runs hearts, reactions, follows and reads in groups of its own.
    let limits = CombinerLimits { wait: Duration::from_mins(1), ..CombinerLimits::default() };
    let combiners: [Combiner; NODES] = std::array::from_fn(|_| Combiner::new(limits));
    let end = Instant::now() + duration;
    let mut tasks = JoinSet::new();
    for (index, user) in users.iter().enumerate() {
        let simulated_user = SimulatedUser {
            id: user.id,
            all_users: users.clone(),
            app: App {
                db: pools[index / USERS_PER_POOL].clone(),
                combiner: combiners[index / USERS_PER_POOL % NODES].clone(),
                ..app.clone()
            },
            targets: Arc::clone(&targets),
            rng: Rng::for_user(index, seed),
        };
        tasks.spawn(simulated_user.act_until(end));
    }
    let background = tokio::spawn(run_jobs(app.clone()));
    let mut interval = tokio::time::interval(duration / u32::try_from(deletions + 2).unwrap());
    interval.tick().await;
    for user in &users[..deletions] {
        interval.tick().await;
        accounts::delete(app, user.id).await.unwrap();
    }
    let mut total = ActionCounts::new();
    while let Some(counts) = tasks.join_next().await {
        for (key, count) in counts.unwrap() {
            *total.entry(key).or_default() += count;
        }
    }
    background.abort();
    while run_pending(app).await.unwrap() != 0 {}
    total
}

/// Runs background jobs as another node does, until it is aborted.
async fn run_jobs(app: App) {
    loop {
        run_pending(&app).await.unwrap();
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// The rows that the report counts.
const NOTIFICATION_COUNTS: [(&str, &str); 5] = [
    ("notifications in lists", "notifications WHERE parent_id IS NULL"),
    ("batches", "notifications WHERE is_batch"),
    ("children of batches", "notifications WHERE parent_id IS NOT NULL"),
    ("withdrawn and restorable", "withdrawn_notifications"),
    ("held back by the hourly limit", HELD_BACK),
];

const HELD_BACK: &str = "notification_quotas, generate_series(1, held_back)";

/// Mention notifications whose text does not mention the recipient.
const STALE_MENTION_NOTIFICATIONS: &str = "notifications AS it
    JOIN users ON users.id = it.user_id
    JOIN posts ON posts.id = it.post_id
    LEFT JOIN comments ON comments.id = it.comment_id
    WHERE it.type = 'mention' AND it.act IS NOT NULL
        AND strpos(coalesce(comments.content, posts.content), '@' || username || ' ') = 0";

const FOLLOWS_ACROSS_BLOCKS: &str = "follows AS it JOIN follows AS back
    ON back.follower_id = it.followed_id AND back.followed_id = it.follower_id
    WHERE it.status = 'blocked' AND back.status <> 'blocked'";

const STALE_REQUESTS: &str = "follows JOIN users ON users.id = followed_id WHERE status = 'pending'
    AND profile_preferences -> 'approve_followers' IS DISTINCT FROM 'true'";

fn seed() -> u64 {
    let configured = std::env::var("GRATEFUL_SEED").ok().map(|text| text.parse().unwrap());
    configured.unwrap_or_else(|| std::process::id().into())
}

/// The mismatches that `grateful verify` would report.
async fn find_mismatches(app: &App) -> Vec<String> {
    let mut mismatches = Vec::new();
    verify(app, Repair::No, |progress| {
        if matches!(progress, Progress::Mismatch(_) | Progress::MissingNotification(_)) {
            mismatches.push(format!("{progress:?}"));
        }
    })
    .await
    .unwrap();
    mismatches
}

/// The number of deadlocks that PostgreSQL resolved. Connections report them when they close.
async fn count_deadlocks(database: &TestDatabase) -> i64 {
    let other_connections =
        "pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()";
    let deadline = Instant::now() + Duration::from_secs(10);
    while 1 < database.count(other_connections).await && Instant::now() < deadline {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    database
        .count("pg_stat_database, generate_series(1, deadlocks) WHERE datname = current_database()")
        .await
}
