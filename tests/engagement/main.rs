//! Sixty-four people who do at random whatever can be done with a few posts, and read what they are told of it: nobody
//! meets an error that is not about what they asked for, and in the end every number equals its rows, every batch its
//! entries, and everything told has happened.
//!
//! The short form takes a few seconds, `GRATEFUL_FULL=1` a minute. `GRATEFUL_SEED` repeats the choices of an earlier run,
//! though not the order in which they met.

#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod dice;
mod person;

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use grateful_application::verify::{Progress, Repair, verify};
use grateful_application::{App, SystemClock, accounts};
use grateful_domain::UserId;
use grateful_storage::DatabaseConfig;
use grateful_testkit::{TestApp, TestDatabase, a_user};
use tokio::task::JoinSet;

use crate::dice::Dice;
use crate::person::{Person, Square, StatementStats};

const PEOPLE: usize = 64;
/// After so many acts each of them has been done, as good as certainly; a machine that is busy may not get there.
const ENOUGH: u32 = 5_000;
const POSTS: usize = 6;

/// So many share a pool, as the requests of one thread of a server do.
const TO_A_POOL: usize = 8;

const PATIENCE: Duration = Duration::from_secs(30);

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn random_acts_of_many_on_few_posts_leave_every_number_right() {
    let tally = play_and_verify(0).await;

    let done = tally.iter().filter(|((_, outcome), _)| *outcome == "done");
    let chances: u32 = tally.values().sum();
    assert!(chances < ENOUGH || done.count() == person::ACTS.len(), "something was never done");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn accounts_that_are_deleted_meanwhile_leave_every_number_right() {
    play_and_verify(16).await;
}

/// Lets everybody act, and so many of them leave before the end. Tells who did what.
async fn play_and_verify(leaving: usize) -> StatementStats {
    let full = std::env::var_os("GRATEFUL_FULL").is_some();
    let duration = Duration::from_secs(if full { 60 } else { 5 });
    let seed = seed();
    let TestApp { app, database, .. } = TestApp::create().await;
    let app = App { clock: Arc::new(SystemClock), ..app };

    let tally = play(&app, &database, seed, duration, leaving).await;

    println!("seed {seed}, {PEOPLE} people, of whom {leaving} leave, {duration:?}:");
    for ((act, outcome), times) in &tally {
        println!("{act:>16} {outcome:<18} {times:>7}");
    }
    for (what, rows) in TOLD {
        println!("{what:>35} {:>7}", database.count(rows).await);
    }
    let (untold, held_back) = (database.count(UNTOLD).await, database.count(HELD_BACK).await);
    assert!(untold <= held_back, "{untold} acts were not told, and {held_back} held back");
    assert_eq!(database.count(NOT_NAMED).await, 0, "somebody is told of being named, and is not");
    let deadlocks = deadlocks(&database).await;
    println!("{deadlocks:>43} deadlocks");
    // Whoever leaves is locked against everybody, and others refer to them from inboxes: PostgreSQL ends one of the two,
    // which is tried again.
    assert!(leaving != 0 || deadlocks == 0, "somebody took locks in another order");
    assert_eq!(mismatches(&app).await, [] as [String; 0], "seed {seed}");
    tally
}

async fn play(
    app: &App,
    database: &TestDatabase,
    seed: u64,
    duration: Duration,
    leaving: usize,
) -> StatementStats {
    let people = join_all((0..PEOPLE).map(|_| a_user().insert_into(database))).await;
    let authors: Vec<UserId> = people[..POSTS].iter().map(|person| person.id).collect();
    let square = Arc::new(Square::with_posts(app, &authors).await);
    // This is about what people leave, not about how long they wait on a machine that does other things as well.
    let patient = |config: DatabaseConfig| {
        config.with_acquire_timeout(PATIENCE).with_statement_timeout(PATIENCE)
    };
    let pools = people.chunks(TO_A_POOL).map(|_| database.pool_with(patient)).collect::<Vec<_>>();
    let until = Instant::now() + duration;
    let mut tasks = JoinSet::new();
    for (number, me) in people.iter().enumerate() {
        let person = Person {
            me: me.id,
            everybody: people.clone(),
            app: App { db: pools[number / TO_A_POOL].clone(), ..app.clone() },
            square: Arc::clone(&square),
            dice: Dice::of(number, seed),
        };
        tasks.spawn(person.act_until(until));
    }
    let mut pace = tokio::time::interval(duration / u32::try_from(leaving + 2).unwrap());
    pace.tick().await;
    for person in &people[..leaving] {
        pace.tick().await;
        accounts::delete(app, person.id).await.unwrap();
    }
    let mut all = StatementStats::new();
    while let Some(tally) = tasks.join_next().await {
        for (what, times) in tally.unwrap() {
            *all.entry(what).or_default() += times;
        }
    }
    all
}

/// What people are told in the end.
const TOLD: [(&str, &str); 5] = [
    ("notifications in lists", "notifications WHERE parent_id IS NULL"),
    ("batches", "notifications WHERE is_batch"),
    ("entries of batches", "notifications WHERE parent_id IS NOT NULL"),
    ("withdrawn and remembered", "withdrawn_notifications"),
    ("held back by the hourly limit", HELD_BACK),
];

const HELD_BACK: &str = "notification_quotas, generate_series(1, held_back)";

/// What was done to somebody else's post, or names somebody else in a post that they may see, and is not told.
const UNTOLD: &str = "(
        SELECT author_id, user_id AS actor_id, post_id, type FROM (
            SELECT post_id, user_id, 'like' AS type FROM likes
            UNION ALL SELECT post_id, user_id, 'emoji_reaction' FROM emoji_reactions
            UNION ALL SELECT post_id, user_id, 'post_shared' FROM shares WHERE share_method = 'url'
        ) AS act JOIN posts ON posts.id = act.post_id
        UNION ALL
        SELECT users.id, author_id, posts.id, 'mention' FROM posts
        JOIN users ON strpos(content, '@' || username || ' ') > 0 WHERE is_public
    ) AS act (user_id, actor_id, post_id, type)
    WHERE user_id <> actor_id AND NOT EXISTS (
        SELECT FROM notifications AS it
        WHERE it.user_id = act.user_id AND it.actor_id = act.actor_id AND it.post_id = act.post_id
            AND it.type = act.type AND (it.type <> 'mention' OR it.comment_id IS NULL)
    )";

/// What tells somebody that they are named where they are not.
const NOT_NAMED: &str = "notifications AS it
    JOIN users ON users.id = it.user_id
    JOIN posts ON posts.id = it.post_id
    LEFT JOIN comments ON comments.id = it.comment_id
    WHERE it.type = 'mention' AND it.act IS NOT NULL
        AND strpos(coalesce(comments.content, posts.content), '@' || username || ' ') = 0";

fn seed() -> u64 {
    let given = std::env::var("GRATEFUL_SEED").ok().map(|text| text.parse().unwrap());
    given.unwrap_or_else(|| std::process::id().into())
}

/// What `grateful verify` would print.
async fn mismatches(app: &App) -> Vec<String> {
    let mut found = Vec::new();
    verify(app, Repair::No, |progress| {
        if let Progress::Mismatch(difference) = progress {
            found.push(format!("{difference:?}"));
        }
    })
    .await
    .unwrap();
    found
}

/// How many transactions PostgreSQL ended in favour of others. It is told when connections end.
async fn deadlocks(database: &TestDatabase) -> i64 {
    let others = "pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()";
    let deadline = Instant::now() + Duration::from_secs(10);
    while 1 < database.count(others).await && Instant::now() < deadline {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    database
        .count("pg_stat_database, generate_series(1, deadlocks) WHERE datname = current_database()")
        .await
}
