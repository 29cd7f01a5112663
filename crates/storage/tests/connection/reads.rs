//! Reads on shared connections: what holds them up, what interrupts them, and what they must not do.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures_util::future::{join_all, try_join};
use grateful_domain::{PostId, UserId, Viewer};
use grateful_storage::{
    Database, DatabaseConfig, PoolMetrics, QueryLog, Reader, Repositories, Result, StorageError,
};
use grateful_test_database::{MetricsCapture, TestDatabase, a_post, create_user};
use tokio::task::JoinSet;

#[tokio::test]
async fn reads_share_one_connection_until_it_is_busy() {
    let database = TestDatabase::create().await;
    let ana = create_user(&database).await;

    for _ in 0..3 {
        let found = join_all((0..8).map(|_| find_user(&database.pool, ana))).await;
        assert!(found.into_iter().all(|found| found.unwrap()));
    }

    assert_eq!(count_sessions(&database).await, 1);
}

#[tokio::test]
async fn statements_that_are_sent_together_are_one_round_trip() {
    let database = TestDatabase::create().await;
    let ana = create_user(&database).await;
    let together = async |mut conn: Reader| {
        let mut other = conn.clone();
        try_join(conn.users().find(ana), other.follows().count(ana)).await
    };
    let one_after_the_other = async |mut conn: Reader| {
        conn.users().find(ana).await?;
        conn.follows().count(ana).await
    };

    let (found, joined) = QueryLog::record(database.pool.read(together)).await;
    let (_, sequential) = QueryLog::record(database.pool.read(one_after_the_other)).await;
    let pooled = async {
        let mut conn = database.pool.acquire().await.unwrap();
        conn.users().find(ana).await.unwrap();
        conn.users().find(ana).await.unwrap();
    };
    let ((), pooled) = QueryLog::record(pooled).await;

    assert!(matches!(found.unwrap(), (Some(_), Some(_))));
    assert_eq!((joined.total(), joined.round_trips()), (2, 1));
    assert_eq!((sequential.total(), sequential.round_trips()), (2, 2));
    assert_eq!((pooled.total(), pooled.round_trips()), (2, 2));
}

#[tokio::test]
async fn a_slow_read_holds_up_no_other_read() {
    let database = TestDatabase::create().await;
    let ana = create_user(&database).await;
    let post = a_post().by(ana).insert_into(&database).await.id;
    find_user(&database.pool, ana).await.unwrap();

    let slow = database.begin("LOCK posts IN ACCESS EXCLUSIVE MODE").await;
    let mut blocked = JoinSet::new();
    // More than there are shared connections, so that the last ones use the pool.
    for _ in 0..4 {
        blocked.spawn(find_post(database.pool.clone(), post));
    }
    for _ in 0..100 {
        assert!(find_user(&database.pool, ana).await.unwrap());
    }
    let finished_meanwhile = blocked.try_join_next().is_some();
    drop(slow);

    assert!(!finished_meanwhile);
    while let Some(found) = blocked.join_next().await {
        assert!(found.unwrap().unwrap());
    }
}

#[tokio::test]
async fn reads_that_wait_for_a_slow_one_move_to_another_connection() {
    let database = TestDatabase::create().await;
    let ana = create_user(&database).await;
    let post = a_post().by(ana).insert_into(&database).await.id;
    find_user(&database.pool, ana).await.unwrap();

    let slow = database.begin("LOCK posts IN ACCESS EXCLUSIVE MODE").await;
    let mut blocked = Box::pin(find_post(database.pool.clone(), post));
    assert!(futures_util::poll!(&mut blocked).is_pending());
    // These are sent on the same connection at once, before it is known to be slow.
    let found = join_all((0..10).map(|_| find_user(&database.pool, ana))).await;
    let is_blocked = futures_util::poll!(&mut blocked).is_pending();
    drop(slow);

    assert!(found.into_iter().all(|found| found.unwrap()));
    assert!(is_blocked);
    assert!(blocked.await.unwrap());
}

#[tokio::test]
async fn reads_on_a_connection_that_is_killed_run_once_more_elsewhere() {
    let database = TestDatabase::create().await;
    let ana = create_user(&database).await;
    let posts = create_posts(&database, ana, 50).await;
    find_user(&database.pool, ana).await.unwrap();
    let metrics = MetricsCapture::start();
    let runs = AtomicUsize::new(0);

    let lock = database.begin("LOCK posts IN ACCESS EXCLUSIVE MODE").await;
    let reads = join_all(posts.iter().map(|post| {
        database.pool.read(async |mut conn| {
            runs.fetch_add(1, Ordering::Relaxed);
            conn.posts().find(Viewer::Guest, *post).await
        })
    }));
    let kill = async {
        while kill_waiting(&database).await == 0 {}
        drop(lock);
    };
    let (found, ()) = tokio::join!(reads, kill);

    let found: Vec<PostId> =
        found.into_iter().map(|found| found.unwrap().unwrap().post.id).collect();
    assert_eq!(found, posts);
    let runs = runs.load(Ordering::Relaxed);
    // Each moves at most twice, and is repeated once.
    assert!((51..=200).contains(&runs), "{runs}");
    let counted = metrics.take();
    assert!(counted.contains_key("grateful_reads_repeated_total{pool=main,reason=lost}"));
    assert!(counted.contains_key("grateful_read_connections_discarded_total{pool=main}"));
}

#[tokio::test]
async fn a_connection_that_is_lost_while_idle_is_replaced() {
    let database = TestDatabase::create().await;
    let ana = create_user(&database).await;
    find_user(&database.pool, ana).await.unwrap();

    for _ in 0..3 {
        kill_sessions(&database).await;
        assert!(find_user(&database.pool, ana).await.unwrap());
    }
}

#[tokio::test]
async fn a_connection_that_does_not_answer_is_discarded() {
    let database = TestDatabase::create().await;
    let ana = create_user(&database).await;
    let post = a_post().by(ana).insert_into(&database).await.id;
    let pool =
        database.pool_with(|config| config.with_statement_timeout(Duration::from_millis(50)));
    database.execute(NEVER_ANSWERING_POSTS).await;
    let pools = PoolMetrics::default();
    pools.register(&pool);
    let metrics = MetricsCapture::start();

    let found = find_post(pool.clone(), post).await;

    assert!(matches!(found, Err(StorageError::Unavailable(_))), "{found:?}");
    assert_eq!(metrics.take()["grateful_read_connections_discarded_total{pool=main}"], 2);
    assert!(find_user(&pool, ana).await.unwrap());
}

#[tokio::test]
async fn reads_over_the_maximum_are_refused_in_time() {
    let database = TestDatabase::create().await;
    let ana = create_user(&database).await;
    let post = a_post().by(ana).insert_into(&database).await.id;
    let pool = database.pool_with(|config| {
        config.with_max_reads(2).with_acquire_timeout(Duration::from_millis(200))
    });
    find_user(&pool, ana).await.unwrap();
    let metrics = MetricsCapture::start();

    let lock = database.begin("LOCK posts IN ACCESS EXCLUSIVE MODE").await;
    let mut blocked = JoinSet::new();
    for _ in 0..2 {
        blocked.spawn(find_post(pool.clone(), post));
    }
    tokio::task::yield_now().await;
    let refused = join_all((0..50).map(|_| find_user(&pool, ana))).await;
    drop(lock);

    for refused in refused {
        assert!(matches!(refused, Err(StorageError::Unavailable(_))), "{refused:?}");
    }
    assert_eq!(metrics.take()["grateful_reads_refused_total{pool=main}"], 50);
    while let Some(found) = blocked.join_next().await {
        assert!(found.unwrap().unwrap());
    }
    assert!(find_user(&pool, ana).await.unwrap());
}

#[tokio::test]
async fn without_shared_connections_reads_use_the_pool() {
    let database = TestDatabase::create().await;
    let ana = create_user(&database).await;
    let pool = database.pool_with(|config| config.with_readers(0));

    assert!(find_user(&pool, ana).await.unwrap());

    assert_eq!(count_sessions(&database).await, 0);
}

#[tokio::test]
async fn a_database_that_is_down_is_unavailable() {
    let config = DatabaseConfig::new("postgresql://ana@%2Fnowhere/grateful");
    let pool = Database::connect_lazily(config);

    let found = join_all((0..20).map(|_| find_user(&pool, UserId::from(1)))).await;

    for found in found {
        assert!(matches!(found, Err(StorageError::Unavailable(_))), "{found:?}");
    }
}

/// The types allow no write on a shared connection; the session refuses it even where a read calls a function that writes.
#[tokio::test]
async fn a_function_that_writes_fails() {
    let database = TestDatabase::create().await;
    let ana = create_user(&database).await;
    let post = a_post().by(ana).insert_into(&database).await.id;
    let hide =
        "CREATE OR REPLACE FUNCTION hidden_users(viewer_id bigint) RETURNS TABLE (user_id bigint)
        LANGUAGE plpgsql AS $$ BEGIN DELETE FROM sessions; RETURN; END $$";
    database.execute(hide).await;

    let found =
        database.pool.read(async |mut conn| conn.posts().find(Viewer::User(ana), post).await).await;

    let Err(StorageError::Query(error)) = found else { panic!("{found:?}") };
    assert!(error.to_string().contains("read-only transaction"), "{error}");
}

async fn find_user(pool: &Database, user: UserId) -> Result<bool> {
    pool.read(async |mut conn| Ok(conn.users().find(user).await?.is_some())).await
}

async fn find_post(pool: Database, post: PostId) -> Result<bool> {
    pool.read(async |mut conn| Ok(conn.posts().find(Viewer::Guest, post).await?.is_some())).await
}

async fn create_posts(database: &TestDatabase, author: UserId, count: usize) -> Vec<PostId> {
    let mut posts = Vec::new();
    while posts.len() < count {
        posts.push(a_post().by(author).insert_into(database).await.id);
    }
    posts
}

/// Renames the table, and puts a view in its place whose rows PostgreSQL does not stop computing at the statement timeout.
const NEVER_ANSWERING_POSTS: &str =
    "CREATE FUNCTION wait() RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN
        PERFORM pg_sleep(20);
        RETURN true;
    EXCEPTION WHEN query_canceled THEN
        PERFORM pg_sleep(20);
        RETURN true;
    END $$;
    ALTER TABLE posts RENAME TO real_posts;
    CREATE VIEW posts AS SELECT * FROM real_posts WHERE wait()";

/// Selects the shared sessions of the current database.
const SESSIONS: &str =
    "pg_stat_activity WHERE datname = current_database() AND application_name = 'grateful reads'";

async fn count_sessions(database: &TestDatabase) -> i64 {
    database.count(SESSIONS).await
}

async fn kill_sessions(database: &TestDatabase) {
    let kill = format!("SELECT pg_terminate_backend(pid, 10000)::text AS line FROM {SESSIONS}");
    database.lines(&kill).await;
}

/// Ends the shared sessions that wait for a lock. Returns how many.
async fn kill_waiting(database: &TestDatabase) -> usize {
    let kill = format!(
        "SELECT pg_terminate_backend(pid)::text AS line FROM {SESSIONS} AND wait_event_type = 'Lock'"
    );
    database.lines(&kill).await.len()
}
