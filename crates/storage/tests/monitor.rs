//! Query logs, metrics, and warnings about slow and repeated statements.
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
use grateful_test_database::{MetricsCapture, TestDatabase, a_post, create_user};
use tracing_subscriber::fmt::MakeWriter;

#[tokio::test]
async fn a_list_takes_one_statement_at_any_length() {
    let database = TestDatabase::create().await;
    create_posts(&database, 50).await;
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
async fn begin_and_commit_are_counted() {
    let database = TestDatabase::create().await;
    let ana = create_user(&database).await;

    let work = database.pool.transaction(async |tx| tx.users().lock(ana).await);
    let (locked, log) = QueryLog::record(work).await;

    assert!(locked.unwrap());
    assert_eq!(log.total(), 3, "{log:#?}");
    let mut transaction_control: Vec<_> = log.repeated(1).map(|(sql, _)| sql).collect();
    transaction_control.retain(|sql| !sql.contains("users"));
    transaction_control.sort_unstable();
    assert_eq!(transaction_control, ["BEGIN", "COMMIT"]);
}

#[tokio::test]
async fn statements_of_a_failed_transaction_are_counted() {
    let database = TestDatabase::create().await;
    let post = a_post().insert_into(&database).await;

    let work = database.pool.transaction(async |tx| tx.posts().insert(&post).await);
    let (rejected, log) = QueryLog::record(work).await;

    assert!(rejected.is_err());
    // BEGIN, the update of the author's counter, the insertion of the post, and ROLLBACK.
    assert_eq!(log.total(), 4, "{log:#?}");
}

#[tokio::test]
async fn opening_a_connection_is_not_counted() {
    let database = TestDatabase::create().await;

    let (opened, log) = QueryLog::record(database.pool.acquire()).await;

    assert!(opened.is_ok());
    assert_eq!(log.total(), 0, "{log:#?}");
}

#[tokio::test]
async fn a_statement_in_a_loop_is_reported_as_repeated() {
    let database = TestDatabase::create().await;
    let posts = create_posts(&database, 10).await;
    let mut conn = database.pool.acquire().await.unwrap();

    let ((), log) = QueryLog::record(async {
        conn.posts().list(PostQuery::visible_to(Viewer::Guest)).await.unwrap();
        for post in posts {
            conn.posts().find(Viewer::Guest, post).await.unwrap();
        }
    })
    .await;

    let repeated: Vec<_> = log.repeated(10).collect();
    let [(sql, stats)] = repeated[..] else { panic!("{log:#?}") };
    assert!(sql.contains(r#""posts"."id" = $"#), "{sql}");
    assert_eq!(stats.count, 10);
    assert_eq!(log.repeated(11).count(), 0);
}

#[tokio::test]
async fn the_duration_of_a_statement_includes_its_execution() {
    let database = TestDatabase::create().await;
    let mut conn = database.pool.acquire().await.unwrap();

    let sleep = diesel::sql_query("SELECT pg_sleep(0.05)");
    let (slept, log) = QueryLog::record(sleep.execute(&mut conn)).await;

    slept.unwrap();
    assert!(Duration::from_millis(50) <= log.time(), "{log:?}");
}

#[tokio::test]
async fn a_nested_record_counts_in_both_logs() {
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
async fn statements_of_spawned_tasks_are_not_counted() {
    let database = TestDatabase::create().await;
    let ana = create_user(&database).await;
    let mut conn = database.pool.acquire().await.unwrap();

    let spawned = async move { tokio::spawn(async move { conn.users().find(ana).await }).await };
    let (found, log) = QueryLog::record(spawned).await;

    assert!(found.unwrap().unwrap().is_some());
    assert_eq!(log.total(), 0, "{log:#?}");
}

#[tokio::test]
async fn a_slow_statement_logs_a_warning_with_its_text_and_without_its_values() {
    let database = TestDatabase::create().await;
    let pool = database.pool_with(|config| with_slow_threshold(Duration::ZERO, config));
    let mut conn = pool.acquire().await.unwrap();
    let lines = Lines::default();

    let found = {
        let _capturing = capture(&lines);
        let secret = diesel::select("ana.secret@example.org".into_sql::<Text>());
        secret.get_result::<String>(&mut conn).await.unwrap();
        conn.users().find_credentials_by_email("ana.secret@example.org").await
    };

    assert!(found.unwrap().is_none());
    let logged = lines.text();
    let warnings: Vec<_> = logged.lines().filter(|line| line.contains("Slow statement")).collect();
    assert_eq!(warnings.len(), 2, "{logged}");
    for warning in warnings {
        assert!(warning.contains("WARN"), "{warning}");
        assert!(warning.contains("db.query.text=\"SELECT "), "{warning}");
        assert!(warning.contains("$1") && warning.contains("duration_ms="), "{warning}");
    }
    assert!(!logged.contains("secret"), "{logged}");
}

#[tokio::test]
async fn the_values_of_a_rejected_statement_are_not_logged() {
    let database = TestDatabase::create().await;
    let pool = database.pool_with(|config| with_slow_threshold(Duration::ZERO, config));
    let post = a_post().with_text("Something secret").insert_into(&database).await;
    let lines = Lines::default();

    let rejected: Result<()> = {
        let _capturing = capture(&lines);
        pool.transaction(async |tx| tx.posts().insert(&post).await).await
    };

    assert!(rejected.is_err());
    assert!(lines.text().contains("INSERT INTO"), "{}", lines.text());
    assert!(!lines.text().contains("secret"), "{}", lines.text());
    assert!(!format!("{rejected:?}").contains("secret"), "{rejected:?}");
}

#[tokio::test]
async fn every_statement_is_measured_and_slow_ones_are_counted() {
    let database = TestDatabase::create().await;
    let ana = create_user(&database).await;
    let metrics = MetricsCapture::start();

    for (slow, counted) in [(Duration::ZERO, 1), (Duration::from_hours(1), 0)] {
        let pool = database.pool_with(|config| with_slow_threshold(slow, config));
        let mut conn = pool.acquire().await.unwrap();
        metrics.take();

        conn.users().find(ana).await.unwrap();

        let counts = metrics.take();
        assert_eq!(counts["grateful_statement_duration_seconds"], 1);
        let slow = counts.get("grateful_statements_slow_total").copied();
        assert_eq!(slow.unwrap_or_default(), counted);
    }
}

#[tokio::test]
async fn a_repeated_statement_logs_a_warning_and_is_counted_by_operation() {
    let database = TestDatabase::create().await;
    let ana = create_user(&database).await;
    let mut conn = database.pool.acquire().await.unwrap();
    let lines = Lines::default();
    let metrics = MetricsCapture::start();
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

    let logged = lines.text();
    let warnings: Vec<_> = logged.lines().filter(|line| line.contains("(N+1)")).collect();
    let [warning] = warnings[..] else { panic!("{logged}") };
    assert!(warning.contains("WARN") && warning.contains("operation=\"digests\""), "{warning}");
    assert!(warning.contains("times=3") && warning.contains("$1"), "{warning}");
    let counted = metrics.take_named(&["grateful_statements_repeated_total"]);
    let once = ("grateful_statements_repeated_total{operation=digests}".to_owned(), 1);
    assert_eq!(counted, [once].into());
}

#[tokio::test]
async fn pool_metrics_sum_up_the_pools_of_one_name() {
    let database = TestDatabase::create().await;
    let with_one_connection = |config: DatabaseConfig| {
        config
            .with_max_connections(1)
            .with_acquire_timeout(Duration::from_millis(200))
            .with_pool_name("small")
    };
    let (first, second) =
        (database.pool_with(with_one_connection), database.pool_with(with_one_connection));
    let pools = PoolMetrics::default();
    pools.register(&first);
    pools.register(&second);
    let metrics = MetricsCapture::start();
    let take_gauges = || {
        pools.observe();
        let mut taken = metrics.take();
        taken.retain(|name, _| name.starts_with("grateful_pool_"));
        taken
    };

    let held = first.acquire().await.unwrap();
    drop(second.acquire().await.unwrap());
    assert_eq!(
        take_gauges(),
        gauges([
            ("grateful_pool_connections{pool=small,state=busy}", 1),
            ("grateful_pool_connections{pool=small,state=idle}", 1),
            ("grateful_pool_connections_max{pool=small}", 2),
            ("grateful_pool_wait_seconds{pool=small}", 2),
        ])
    );

    let mut waiting = Box::pin(first.acquire());
    assert!(futures_util::poll!(&mut waiting).is_pending());
    assert_eq!(take_gauges()["grateful_pool_waiting{pool=small}"], 1);
    assert!(waiting.await.is_err());
    let after = take_gauges();
    assert_eq!(after["grateful_pool_failures_total{pool=small}"], 1);
    assert_eq!(after.get("grateful_pool_waiting{pool=small}"), None, "{after:?}");

    drop(second);
    assert_eq!(take_gauges()["grateful_pool_connections_max{pool=small}"], 1);
    drop(held);
}

#[test]
fn metric_names_follow_the_conventions_of_prometheus() {
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
fn metrics_with_known_labels_start_at_zero() {
    let metrics = MetricsCapture::start();

    METRICS.iter().for_each(Metric::describe);

    let started = metrics.take_with_zeros();
    let outcomes = 6 * 9;
    let plain =
        ["statement_duration_seconds", "statements_slow_total", "transactions_retried_total"];
    assert_eq!(started.len(), outcomes + plain.len() + 1, "{started:?}");
    for name in plain.iter().chain(&["notifications_total{outcome=held_back,type=mention}"]) {
        assert_eq!(started.get(&format!("grateful_{name}")), Some(&0), "{started:?}");
    }
}

fn gauges<const N: usize>(counts: [(&str, u32); N]) -> BTreeMap<String, i64> {
    counts.map(|(name, count)| (name.to_owned(), count.into())).into()
}

#[tokio::test]
async fn a_fast_statement_logs_nothing() {
    let database = TestDatabase::create().await;
    let pool = database.pool_with(|config| with_slow_threshold(Duration::from_hours(1), config));
    let ana = create_user(&database).await;
    let lines = Lines::default();

    let found = {
        let _capturing = capture(&lines);
        pool.acquire().await.unwrap().users().find(ana).await.unwrap()
    };

    assert!(found.is_some());
    assert_eq!(lines.text(), "");
}

fn with_slow_threshold(slow: Duration, config: DatabaseConfig) -> DatabaseConfig {
    let thresholds = config.thresholds.with_slow(slow);
    config.with_thresholds(thresholds)
}

async fn create_posts(database: &TestDatabase, count: usize) -> Vec<PostId> {
    let ana = create_user(database).await;
    let mut posts = Vec::new();
    for _ in 0..count {
        posts.push(a_post().by(ana).insert_into(database).await.id);
    }
    posts
}

/// Writes everything that is logged on this thread to `lines`, until the guard is dropped.
fn capture(lines: &Lines) -> tracing::subscriber::DefaultGuard {
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_ansi(false)
        .with_writer(lines.clone())
        .finish();
    tracing::subscriber::set_default(subscriber)
}

/// Collects log lines.
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
