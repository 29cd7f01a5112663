//! Which statements are counted, and what is said about slow ones.
#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use diesel::prelude::*;
use diesel::sql_types::Text;
use diesel_async::RunQueryDsl;
use grateful_domain::{Limit, PageRequest, PostId, Viewer};
use grateful_storage::{
    DatabaseConfig, METRICS, Metric, MetricKind, PoolMetrics, PostQuery, QueryLog, Repositories,
    Result, Thresholds,
};
use grateful_testkit::{MetricsCapture, TestDatabase, a_post, create_user};
use tracing_subscriber::fmt::MakeWriter;

#[tokio::test]
async fn a_list_costs_one_statement_however_long_it_is() {
    let database = TestDatabase::create().await;
    save_posts(&database, 50).await;
    let mut conn = database.pool.acquire().await.unwrap();

    for size in [1, 10, 50] {
        let page = PageRequest::first(Limit::parse(size).unwrap());
        let query = PostQuery::visible_to(Viewer::Guest).page(page);

        let (listed, log) = QueryLog::record(conn.posts().list(query)).await;

        assert_eq!(i64::try_from(listed.unwrap().items.len()), Ok(size));
        assert_eq!(log.total(), 1, "{log:#?}");
    }
}

#[tokio::test]
async fn the_beginning_and_the_end_of_a_transaction_count() {
    let database = TestDatabase::create().await;
    let ana = create_user(&database).await;

    let work = database.pool.transaction(async |tx| tx.users().lock(ana).await);
    let (locked, log) = QueryLog::record(work).await;

    assert!(locked.unwrap());
    assert_eq!(log.total(), 3, "{log:#?}");
    let mut framing: Vec<_> = log.repeated(1).map(|(sql, _)| sql).collect();
    framing.retain(|sql| !sql.contains("users"));
    framing.sort_unstable();
    assert_eq!(framing, ["BEGIN", "COMMIT"]);
}

#[tokio::test]
async fn a_transaction_that_fails_counts_what_it_did_all_the_same() {
    let database = TestDatabase::create().await;
    let post = a_post().insert_into(&database).await;

    let work = database.pool.transaction(async |tx| tx.posts().insert(&post).await);
    let (refused, log) = QueryLog::record(work).await;

    assert!(refused.is_err());
    // Between BEGIN and ROLLBACK, the author's number and the post.
    assert_eq!(log.total(), 4, "{log:#?}");
}

#[tokio::test]
async fn opening_a_connection_does_not_count() {
    let database = TestDatabase::create().await;

    let (opened, log) = QueryLog::record(database.pool.acquire()).await;

    assert!(opened.is_ok());
    assert_eq!(log.total(), 0, "{log:#?}");
}

#[tokio::test]
async fn a_statement_in_a_loop_stands_out() {
    let database = TestDatabase::create().await;
    let posts = save_posts(&database, 10).await;
    let mut conn = database.pool.acquire().await.unwrap();

    let ((), log) = QueryLog::record(async {
        conn.posts().list(PostQuery::visible_to(Viewer::Guest)).await.unwrap();
        for post in posts {
            conn.posts().find(Viewer::Guest, post).await.unwrap();
        }
    })
    .await;

    let repeated: Vec<_> = log.repeated(10).collect();
    let [(sql, tally)] = repeated[..] else { panic!("{log:#?}") };
    assert!(sql.contains(r#""posts"."id" = $"#), "{sql}");
    assert_eq!(tally.count, 10);
    assert_eq!(log.repeated(11).count(), 0);
}

#[tokio::test]
async fn statements_are_timed_while_postgresql_works_on_them() {
    let database = TestDatabase::create().await;
    let mut conn = database.pool.acquire().await.unwrap();

    let nap = diesel::sql_query("SELECT pg_sleep(0.05)");
    let (napped, log) = QueryLog::record(nap.execute(&mut conn)).await;

    napped.unwrap();
    assert!(Duration::from_millis(50) <= log.time(), "{log:?}");
}

#[tokio::test]
async fn what_is_recorded_inside_a_record_counts_in_both() {
    let database = TestDatabase::create().await;
    let ana = create_user(&database).await;
    let mut conn = database.pool.acquire().await.unwrap();

    let (inner, outer) = QueryLog::record(async {
        conn.users().find(ana).await.unwrap();
        let twice = async {
            conn.users().find(ana).await.unwrap();
            conn.users().find(ana).await.unwrap();
        };
        QueryLog::record(twice).await.1
    })
    .await;

    assert_eq!((inner.total(), outer.total()), (2, 3));
}

#[tokio::test]
async fn what_is_spawned_does_not_count() {
    let database = TestDatabase::create().await;
    let ana = create_user(&database).await;
    let mut conn = database.pool.acquire().await.unwrap();

    let spawned = async move { tokio::spawn(async move { conn.users().find(ana).await }).await };
    let (found, log) = QueryLog::record(spawned).await;

    assert!(found.unwrap().unwrap().is_some());
    assert_eq!(log.total(), 0, "{log:#?}");
}

#[tokio::test]
async fn a_slow_statement_is_a_warning_with_its_text_and_without_its_values() {
    let database = TestDatabase::create().await;
    let db = database.pool_with(|config| reporting_from(Duration::ZERO, config));
    let mut conn = db.acquire().await.unwrap();
    let lines = Lines::default();

    let found = {
        let _capturing = capture(&lines);
        let secret = diesel::select("ana.secret@example.org".into_sql::<Text>());
        secret.get_result::<String>(&mut conn).await.unwrap();
        conn.users().find_credentials_by_email("ana.secret@example.org").await
    };

    assert!(found.unwrap().is_none());
    let said = lines.text();
    let warnings: Vec<_> = said.lines().filter(|line| line.contains("Slow statement")).collect();
    assert_eq!(warnings.len(), 2, "{said}");
    for warning in warnings {
        assert!(warning.contains("WARN"), "{warning}");
        assert!(warning.contains("db.query.text=\"SELECT "), "{warning}");
        assert!(warning.contains("$1") && warning.contains("duration_ms="), "{warning}");
    }
    assert!(!said.contains("secret"), "{said}");
}

#[tokio::test]
async fn a_value_that_a_statement_was_refused_for_is_not_logged_either() {
    let database = TestDatabase::create().await;
    let db = database.pool_with(|config| reporting_from(Duration::ZERO, config));
    let post = a_post().with_text("Something secret").insert_into(&database).await;
    let lines = Lines::default();

    let refused: Result<()> = {
        let _capturing = capture(&lines);
        db.transaction(async |tx| tx.posts().insert(&post).await).await
    };

    assert!(refused.is_err());
    assert!(lines.text().contains("INSERT INTO"), "{}", lines.text());
    assert!(!lines.text().contains("secret"), "{}", lines.text());
    assert!(!format!("{refused:?}").contains("secret"), "{refused:?}");
}

#[tokio::test]
async fn every_statement_is_measured_and_slow_ones_are_counted() {
    let database = TestDatabase::create().await;
    let ana = create_user(&database).await;
    let measured = MetricsCapture::start();

    for (slow, counted) in [(Duration::ZERO, 1), (Duration::from_hours(1), 0)] {
        let db = database.pool_with(|config| reporting_from(slow, config));
        let mut conn = db.acquire().await.unwrap();
        measured.take();

        conn.users().find(ana).await.unwrap();

        let counts = measured.take();
        assert_eq!(counts["grateful_statement_duration_seconds"], 1);
        let slow = counts.get("grateful_statements_slow_total").copied();
        assert_eq!(slow.unwrap_or_default(), counted);
    }
}

#[tokio::test]
async fn a_statement_in_a_loop_is_a_warning_and_counted_by_the_work_that_it_ran_for() {
    let database = TestDatabase::create().await;
    let ana = create_user(&database).await;
    let mut conn = database.pool.acquire().await.unwrap();
    let lines = Lines::default();
    let measured = MetricsCapture::start();
    let thresholds = Thresholds::default().with_repeated(3);

    for times in [2, 3] {
        let _capturing = capture(&lines);
        let work = async {
            for _ in 0..times {
                conn.users().find(ana).await.unwrap();
            }
            times
        };
        assert_eq!(QueryLog::watch("digests", &thresholds, work).await, times);
    }

    let said = lines.text();
    let warnings: Vec<_> = said.lines().filter(|line| line.contains("(N+1)")).collect();
    let [warning] = warnings[..] else { panic!("{said}") };
    assert!(warning.contains("WARN") && warning.contains("operation=\"digests\""), "{warning}");
    assert!(warning.contains("times=3") && warning.contains("$1"), "{warning}");
    let counted = measured.take_named(&["grateful_statements_repeated_total"]);
    let once = ("grateful_statements_repeated_total{operation=digests}".to_owned(), 1);
    assert_eq!(counted, [once].into());
}

#[tokio::test]
async fn what_a_pool_has_and_who_waits_for_it_is_measured_by_its_name() {
    let database = TestDatabase::create().await;
    let one = |config: DatabaseConfig| {
        config
            .with_max_connections(1)
            .with_acquire_timeout(Duration::from_millis(200))
            .with_pool_name("small")
    };
    let (first, second) = (database.pool_with(one), database.pool_with(one));
    let pools = PoolMetrics::default();
    pools.register(&first);
    pools.register(&second);
    let measured = MetricsCapture::start();
    let look = || {
        pools.observe();
        let mut gauges = measured.take();
        gauges.retain(|name, _| name.starts_with("grateful_pool_"));
        gauges
    };

    let held = first.acquire().await.unwrap();
    drop(second.acquire().await.unwrap());
    assert_eq!(
        look(),
        named([
            ("grateful_pool_connections{pool=small,state=busy}", 1),
            ("grateful_pool_connections{pool=small,state=idle}", 1),
            ("grateful_pool_connections_max{pool=small}", 2),
            ("grateful_pool_wait_seconds{pool=small}", 2),
        ])
    );

    let mut waiting = Box::pin(first.acquire());
    assert!(futures_util::poll!(&mut waiting).is_pending());
    assert_eq!(look()["grateful_pool_waiting{pool=small}"], 1);
    assert!(waiting.await.is_err());
    let after = look();
    assert_eq!(after["grateful_pool_failures_total{pool=small}"], 1);
    assert_eq!(after.get("grateful_pool_waiting{pool=small}"), None, "{after:?}");

    drop(second);
    assert_eq!(look()["grateful_pool_connections_max{pool=small}"], 1);
    drop(held);
}

#[test]
fn metrics_are_called_what_prometheus_would_call_them() {
    for metric in METRICS {
        let is_plain = |c: char| c.is_ascii_lowercase() || c == '_';
        assert!(metric.name.chars().all(is_plain), "{}", metric.name);
        assert!(metric.name.starts_with("grateful_"), "{}", metric.name);
        let is_counter = metric.kind == MetricKind::Counter;
        assert_eq!(metric.name.ends_with("_total"), is_counter, "{}", metric.name);
        assert!(metric.help.ends_with('.'), "{}", metric.name);
        if let MetricKind::Histogram(bounds) = metric.kind {
            assert!(bounds.is_sorted_by(|one, next| one < next), "{}", metric.name);
        }
    }
}

#[test]
fn what_is_described_begins_at_zero_where_all_its_labels_are_known() {
    let measured = MetricsCapture::start();

    METRICS.iter().for_each(Metric::describe);

    let begun = measured.take_with_zeros();
    let outcomes = 6 * 9;
    let plain =
        ["statement_duration_seconds", "statements_slow_total", "transactions_retried_total"];
    assert_eq!(begun.len(), outcomes + plain.len() + 1, "{begun:?}");
    for name in plain.iter().chain(&["notifications_total{outcome=held_back,type=mention}"]) {
        assert_eq!(begun.get(&format!("grateful_{name}")), Some(&0), "{begun:?}");
    }
}

fn named<const N: usize>(counts: [(&str, u32); N]) -> BTreeMap<String, i64> {
    counts.map(|(name, count)| (name.to_owned(), count.into())).into()
}

#[tokio::test]
async fn a_fast_statement_is_not_worth_a_word() {
    let database = TestDatabase::create().await;
    let db = database.pool_with(|config| reporting_from(Duration::from_hours(1), config));
    let ana = create_user(&database).await;
    let lines = Lines::default();

    let found = {
        let _capturing = capture(&lines);
        db.acquire().await.unwrap().users().find(ana).await.unwrap()
    };

    assert!(found.is_some());
    assert_eq!(lines.text(), "");
}

fn reporting_from(slow: Duration, config: DatabaseConfig) -> DatabaseConfig {
    let thresholds = config.thresholds.with_slow(slow);
    config.with_thresholds(thresholds)
}

async fn save_posts(database: &TestDatabase, number: usize) -> Vec<PostId> {
    let ana = create_user(database).await;
    let mut posts = Vec::new();
    for _ in 0..number {
        posts.push(a_post().by(ana).insert_into(database).await.id);
    }
    posts
}

/// Whatever this crate says from now on in this thread goes into `lines`, until the guard is dropped.
fn capture(lines: &Lines) -> tracing::subscriber::DefaultGuard {
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_ansi(false)
        .with_writer(lines.clone())
        .finish();
    tracing::subscriber::set_default(subscriber)
}

/// What was logged.
#[derive(Debug, Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Lines {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Lines {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}
