//! Locks of other transactions that a test holds, and statements that wait for them.

use std::time::{Duration, Instant};

use diesel_async::SimpleAsyncConnection;
use grateful_domain::UserId;
use grateful_storage::Connection;

use crate::TestDatabase;

/// Starts a transaction in which `blocker` blocks `blocked`, with the locks that a block takes.
pub async fn begin_block(database: &TestDatabase, blocker: UserId, blocked: UserId) -> Connection {
    let sql = format!(
        "SELECT FROM users WHERE id IN ({blocker}, {blocked}) ORDER BY id FOR UPDATE;
         INSERT INTO follows (id, follower_id, followed_id, status)
         VALUES (gen_random_uuid(), {blocked}, {blocker}, 'blocked')"
    );
    database.begin(&sql).await
}

/// Commits a transaction as soon as this number of statements in its database wait for a lock.
pub async fn commit_once_blocking(
    database: &TestDatabase,
    mut transaction: Connection,
    blocked_statements: i64,
) {
    wait_until_blocked(database, blocked_statements).await;
    transaction.batch_execute("COMMIT").await.unwrap();
}

/// Waits until this number of statements in this database wait for a lock, at most ten seconds.
pub async fn wait_until_blocked(database: &TestDatabase, statements: i64) {
    let blocked_statements =
        "pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
    let deadline = Instant::now() + Duration::from_secs(10);
    while database.count(blocked_statements).await < statements {
        assert!(Instant::now() < deadline, "fewer than {statements} statements wait");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}
