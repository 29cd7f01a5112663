//! Housekeeping on several nodes at once (docs/decisions/0050-housekeeping-of-several-nodes.md).

use std::cell::Cell;
use std::time::Duration;

use chrono::TimeDelta;
use diesel_async::SimpleAsyncConnection as _;
use futures_util::future::join_all;
use grateful_application::housekeeping::{DailyJob, SweepReport, run_daily, sweep};
use grateful_application::{App, Error, QueryLog};
use grateful_testkit::{TestApp, TestDatabase};
use tokio::time::timeout;

#[tokio::test]
async fn three_nodes_that_sweep_at_once_delete_each_row_once_and_in_few_statements() {
    let test_app = TestApp::create().await;
    insert_expired_rows(&test_app.database).await;
    test_app.clock.advance(TimeDelta::days(400));
    let nodes = [(); 3].map(|()| node(&test_app));

    let sweeps = join_all(nodes.iter().map(|node| QueryLog::record(sweep(node)))).await;

    let reports = sweeps.iter().map(|(report, _)| counts(report.as_ref().unwrap()));
    let sums = reports.reduce(|sum, counts| std::array::from_fn(|kind| sum[kind] + counts[kind]));
    assert_eq!(sums.unwrap(), [ROWS; 9]);
    for rows in EXPIRED_ROWS {
        assert_eq!(test_app.database.count(rows).await, 0, "{rows}");
    }
    // Per kind six full steps and an empty one, each with BEGIN, the lock and COMMIT, and at most as much again for what the other
    // nodes look at.
    let statements: u32 = sweeps.iter().map(|(_, queries)| queries.total()).sum();
    assert!(statements <= 12 * (7 + 2) * 4 + 3, "{statements}");
}

#[tokio::test]
async fn a_node_that_stands_still_in_the_middle_of_a_sweep_keeps_no_other_waiting() {
    let test_app = TestApp::create().await;
    insert_expired_rows(&test_app.database).await;
    test_app.clock.advance(TimeDelta::days(400));
    let locks =
        "SELECT pg_advisory_xact_lock(x'73776565'::int, kind) FROM generate_series(1, 12) AS kind;
                 SELECT FROM inboxes FOR UPDATE";
    let mut other_node = test_app.database.begin(locks).await;

    let beside = timeout(Duration::from_secs(3), sweep(&test_app.app)).await.unwrap().unwrap();
    other_node.batch_execute("ROLLBACK").await.unwrap();
    let after = sweep(&test_app.app).await.unwrap();

    assert_eq!(counts(&beside), [0; 9]);
    assert_eq!(counts(&after), [ROWS; 9]);
}

#[tokio::test]
async fn a_daily_job_runs_on_one_node_and_again_a_day_later() {
    let test_app = TestApp::create().await;
    let nodes = [(); 3].map(|()| node(&test_app));
    let run_on_all = async || {
        let runs = nodes.iter().map(|node| run(node, async { Ok(()) }));
        join_all(runs).await.into_iter().filter(|ran| *ran == Ok(true)).count()
    };

    assert_eq!(run_on_all().await, 1);
    test_app.clock.advance(TimeDelta::days(1) - TimeDelta::microseconds(1));
    assert_eq!(run_on_all().await, 0);
    test_app.clock.advance(TimeDelta::microseconds(1));
    assert_eq!(run_on_all().await, 1);
}

#[tokio::test]
async fn a_daily_job_that_runs_on_one_node_does_not_run_on_another() {
    let test_app = TestApp::create().await;
    let other_node = node(&test_app);
    let beside = Cell::new(None);
    let work = async {
        beside.set(Some(run(&other_node, async { Ok(()) }).await));
        Ok(())
    };

    assert_eq!(run(&test_app.app, work).await, Ok(true));

    assert_eq!(beside.take(), Some(Ok(false)));
}

#[tokio::test]
async fn a_daily_job_that_fails_can_run_again_at_once() {
    let TestApp { app, .. } = TestApp::create().await;

    let failed = run(&app, async { Err("the bucket is unavailable") }).await;

    assert_eq!(failed, Err(()));
    assert_eq!(run(&app, async { Ok(()) }).await, Ok(true));
    assert_eq!(run(&app, async { Err("not reached") }).await, Ok(false));
}

#[tokio::test]
async fn a_daily_job_whose_node_stops_runs_again_two_hours_later() {
    let TestApp { app, clock, .. } = TestApp::create().await;
    timeout(Duration::from_millis(300), run(&app, std::future::pending())).await.unwrap_err();

    clock.advance(TimeDelta::hours(2) - TimeDelta::microseconds(1));
    assert_eq!(run(&app, async { Ok(()) }).await, Ok(false));
    clock.advance(TimeDelta::microseconds(1));
    assert_eq!(run(&app, async { Ok(()) }).await, Ok(true));
}

/// A node that was too slow must not say that the job is done while another one is at it.
#[tokio::test]
async fn a_node_whose_claim_was_taken_over_ends_only_its_own() {
    let TestApp { app, clock, database, .. } = TestApp::create().await;
    let slow = async {
        clock.advance(TimeDelta::hours(3));
        timeout(Duration::from_millis(300), run(&app, std::future::pending())).await.unwrap_err();
        Ok(())
    };

    assert_eq!(run(&app, slow).await, Ok(true));

    assert_eq!(database.count("daily_jobs WHERE done_at IS NULL AND claim IS NOT NULL").await, 1);
}

#[tokio::test]
async fn times_of_a_clock_that_was_ahead_keep_no_daily_job_from_running() {
    let TestApp { app, clock, .. } = TestApp::create().await;
    clock.advance(TimeDelta::days(30));
    assert_eq!(run(&app, async { Ok(()) }).await, Ok(true));
    clock.advance(TimeDelta::days(-20));
    timeout(Duration::from_millis(300), run(&app, std::future::pending())).await.unwrap_err();
    clock.advance(TimeDelta::days(-10));

    assert_eq!(run(&app, async { Ok(()) }).await, Ok(true));
}

/// Whether the job ran. `Err` if it has failed.
async fn run(node: &App, work: impl Future<Output = Result<(), &'static str>>) -> Result<bool, ()> {
    let work = async { work.await.map_err(|reason| Error::Unavailable(reason.into())) };
    let ran = run_daily(node, DailyJob::SweepFiles, work).await;
    ran.map(|ran| ran.is_some()).map_err(|_| ())
}

/// Another node: an application with a pool of its own.
fn node(test_app: &TestApp) -> App {
    test_app.app.with_database(test_app.database.pool_with(|config| config))
}

/// The number of expired rows of each kind.
const ROWS: i64 = 3_000;

fn counts(report: &SweepReport) -> [i64; 9] {
    [
        report.sessions,
        report.idempotency_keys,
        report.stream_tickets,
        report.usernames,
        report.withdrawn,
        report.suppressed,
        report.removals,
        report.notifications,
        report.unread_notifications,
    ]
}

/// What [`insert_expired_rows`] inserts and a sweep deletes or corrects.
const EXPIRED_ROWS: [&str; 9] = [
    "sessions WHERE expires_at < '2100-01-01'",
    "idempotency_keys",
    "stream_tickets",
    "released_usernames WHERE username LIKE 'past%' OR released_at > '2100-01-01'",
    "withdrawn_notifications",
    "suppressed_notifications",
    "notification_removals",
    "notifications",
    "inboxes WHERE total_count <> 0 OR unread_count <> 0 OR forgotten_seq <> last_seq",
];

/// Inserts [`ROWS`] of each kind, of 30 users.
async fn insert_expired_rows(database: &TestDatabase) {
    database
        .execute(
            "INSERT INTO users (email, username, hashed_password)
             SELECT 'p' || n || '@example.org', 'p' || n, 'x' FROM generate_series(1, 30) n;
             CREATE TEMPORARY TABLE expired AS
             SELECT users.id AS owner, n, timestamptz '2026-01-04' AS at FROM users, generate_series(1, 100) n;
             INSERT INTO sessions (id, user_id, token_hash, expires_at)
             SELECT gen_random_uuid(), owner, sha256(('s' || owner || ' ' || n)::bytea), at FROM expired;
             INSERT INTO sessions (id, user_id, token_hash, expires_at)
             SELECT gen_random_uuid(), id, sha256(('t' || id)::bytea), '2999-01-01' FROM users;
             INSERT INTO stream_tickets (ticket_hash, session_id, expires_at)
             SELECT sha256((sessions.id || ' ' || n)::bytea), sessions.id, at
             FROM expired JOIN sessions ON user_id = owner AND sessions.expires_at > at;
             INSERT INTO idempotency_keys (user_id, key, fingerprint, claim, claimed_at, answer)
             SELECT owner, n, sha256('request'), gen_random_uuid(), at, '' FROM expired;
             INSERT INTO released_usernames (username, released_at) SELECT 'past' || owner || '_' || n, at FROM expired;
             INSERT INTO released_usernames (username, released_at)
             SELECT 'ahead' || owner || '_' || n, '2999-01-01' FROM expired;
             INSERT INTO withdrawn_notifications (user_id, actor_id, act, notification_id, created_at, withdrawn_at)
             SELECT owner, owner, 'act ' || n, gen_random_uuid(), at, at FROM expired;
             INSERT INTO suppressed_notifications (user_id, actor_id, act, reason, suppressed_at)
             SELECT owner, owner, 'act ' || n, 'muted', at FROM expired;
             INSERT INTO inboxes (user_id, last_seq) SELECT id, 100 FROM users;
             INSERT INTO notification_removals (user_id, seq, notification_id, removed_at)
             SELECT owner, n, gen_random_uuid(), at FROM expired;
             INSERT INTO notifications (id, user_id, type, created_at, last_updated_at, read, read_at)
             SELECT gen_random_uuid(), owner, 'like', at, at, read, CASE WHEN read THEN at END
             FROM expired, (VALUES (true), (false)) AS states (read);
             UPDATE inboxes SET total_count = 200, unread_count = 100;
             DROP TABLE expired",
        )
        .await;
}
