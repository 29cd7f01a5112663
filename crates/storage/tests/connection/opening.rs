//! Transactions whose first statements are sent with `BEGIN`.

use futures_util::future::join;
use grateful_domain::{UserId, Viewer};
use grateful_storage::{Connection, Participants, QueryLog, Repositories, Result, StorageError};
use grateful_test_database::{TestDatabase, a_post, create_user};

#[tokio::test]
async fn the_opening_is_sent_with_begin_and_belongs_to_the_transaction() {
    let database = TestDatabase::create().await;
    let (ana, ben) = (create_user(&database).await, create_user(&database).await);
    let post = a_post().by(ana).insert_into(&database).await.id;
    let opening = async |tx: &Connection| {
        let (mut locking, mut reading) = (tx, tx);
        let participants =
            Participants { users: &[ben], authors_of_posts: &[post], ..Participants::default() };
        let (locked, found) = join(
            locking.users().lock_participants(participants),
            reading.posts().find(Viewer::User(ben), post),
        )
        .await;
        Ok::<_, StorageError>((locked?.users.len(), found?.is_some()))
    };

    let (opened, log) = QueryLog::record(database.pool.transaction_after(
        opening,
        async |_: &mut Connection, opened| {
            // The lock is held until the transaction ends.
            let delete = format!("SET lock_timeout = 1; DELETE FROM users WHERE id = {ben}");
            let error = try_execute(&mut database.connect().await, &delete).await.unwrap_err();
            assert!(error.to_string().contains("lock timeout"), "{error}");
            Ok::<_, StorageError>(opened)
        },
    ))
    .await;

    assert_eq!(opened.unwrap(), (2, true));
    assert_eq!((log.total(), log.round_trips()), (4, 2), "{log:#?}");
    database.execute(&format!("DELETE FROM users WHERE id = {ben}")).await;
}

/// A block that was committed while the lock was awaited must be seen by the statement that was sent with the lock.
#[tokio::test]
async fn a_statement_that_is_sent_with_a_lock_sees_what_was_committed_before_the_lock() {
    let database = TestDatabase::create().await;
    let (ana, ben) = (create_user(&database).await, create_user(&database).await);
    let post = a_post().by(ana).insert_into(&database).await.id;
    let mut blocking = database
        .begin(&format!(
            "SELECT FROM users WHERE id = {ana} FOR UPDATE;
             INSERT INTO follows (id, follower_id, followed_id, status)
             VALUES (gen_random_uuid(), {ana}, {ben}, 'blocked')"
        ))
        .await;
    let opening = async |tx: &Connection| {
        let (mut locking, mut reading) = (tx, tx);
        let participants =
            Participants { users: &[ben], authors_of_posts: &[post], ..Participants::default() };
        let (locked, found) = join(
            locking.users().lock_participants(participants),
            reading.posts().find(Viewer::User(ben), post),
        )
        .await;
        locked?;
        found
    };

    let opened = database.pool.transaction_after(opening, async |_: &mut Connection, found| {
        Ok::<_, StorageError>(found.is_some())
    });
    let commit = async {
        while database
            .count(
                "pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()",
            )
            .await
            == 0
        {
            tokio::task::yield_now().await;
        }
        try_execute(&mut blocking, "COMMIT").await.unwrap();
    };

    assert!(!join(opened, commit).await.0.unwrap());
}

#[tokio::test]
async fn an_opening_that_fails_is_rolled_back_and_the_connection_stays_usable() {
    let database = TestDatabase::create().await;
    let pool = database.pool_with(|config| config.with_max_connections(1));
    let ana = create_user(&database).await;

    let failed: Result<()> = pool
        .transaction_after(
            async |tx: &Connection| {
                lock(tx, ana).await?;
                Err(StorageError::Unavailable("a test".into()))
            },
            async |_: &mut Connection, (): ()| panic!("the opening failed"),
        )
        .await;

    assert!(matches!(failed, Err(StorageError::Unavailable(_))), "{failed:?}");
    let locks =
        "pg_stat_activity WHERE state LIKE 'idle in transaction%' AND datname = current_database()";
    assert_eq!(database.count(locks).await, 0);
    let work = async |tx: &mut Connection, (): ()| lock(tx, ana).await;
    pool.transaction_after(async |tx: &Connection| lock(tx, ana).await, work).await.unwrap();
}

/// Otherwise the next user of the connection would be in a transaction of this one.
#[tokio::test]
async fn a_connection_whose_begin_was_cancelled_is_closed() {
    let database = TestDatabase::create().await;
    let pool = database.pool_with(|config| config.with_max_connections(1));
    let ana = create_user(&database).await;
    let holder = database.begin(&format!("SELECT FROM users WHERE id = {ana} FOR UPDATE")).await;
    let waiting = pool.transaction_after(
        async |tx: &Connection| lock(tx, ana).await,
        async |_: &mut Connection, (): ()| Ok::<_, StorageError>(()),
    );
    let blocked = async {
        while database
            .count(
                "pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()",
            )
            .await
            == 0
        {
            tokio::task::yield_now().await;
        }
    };
    tokio::select! {
        _ = waiting => panic!("the row is locked"),
        () = blocked => (),
    }
    drop(holder);

    let mut conn = pool.acquire().await.unwrap();
    try_execute(&mut conn, "SAVEPOINT outside").await.unwrap_err();
}

async fn lock(mut tx: &Connection, user: UserId) -> Result<()> {
    let participants = Participants { users: &[user], ..Participants::default() };
    tx.users().lock_participants(participants).await.map(|_| ())
}

async fn try_execute(conn: &mut Connection, sql: &str) -> diesel::QueryResult<()> {
    diesel_async::SimpleAsyncConnection::batch_execute(conn, sql).await
}
