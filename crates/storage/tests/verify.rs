//! Verification and repair of stored counters, and of the notifications of acts, through
//! [`Counters`](grateful_storage::Counters).

#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

use std::sync::atomic::{AtomicBool, Ordering};

use futures_util::future::join_all;
use grateful_domain::{Post, UserId};
use grateful_storage::{
    ActTable, CounterTable, Counters, Database, Mismatch, MissingNotification, Repositories, Result,
};
use grateful_test_database::{
    NOON, TestDatabase, a_comment, a_heart, a_link_share, a_message_share, a_post, a_reaction,
    create_user, load_engagement,
};

#[tokio::test]
async fn rows_written_by_the_repositories_have_no_mismatch() {
    let database = TestDatabase::create().await;
    create_fixture(&database).await;

    assert_eq!(mismatches(&database, CounterTable::Posts).await, []);
    assert_eq!(mismatches(&database, CounterTable::Users).await, []);
}

#[tokio::test]
async fn every_wrong_counter_of_a_post_is_found_with_its_actual_value() {
    let database = TestDatabase::create().await;
    let Fixture { post, .. } = create_fixture(&database).await;
    let table = CounterTable::Posts;
    for (column, actual) in
        [("hearts_count", 2), ("reactions_count", 1), ("shares_count", 3), ("comments_count", 2)]
    {
        let set = async |number| {
            let update = format!("UPDATE posts SET {column} = {number} WHERE id = '{}'", post.id);
            database.execute(&update).await;
        };
        for wrong in [0, actual - 1, actual + 5] {
            set(wrong).await;

            let found = mismatches(&database, table).await;

            let (column, key) = (column.to_owned(), post.id.to_string());
            assert_eq!(found, [Mismatch { table, key, column, stored: wrong, actual }]);
        }
        set(actual).await;
    }
}

#[tokio::test]
async fn every_wrong_counter_of_a_user_is_found_with_its_actual_value() {
    let database = TestDatabase::create().await;
    let Fixture { ana, .. } = create_fixture(&database).await;
    let table = CounterTable::Users;
    // A constraint rejects more public posts than posts.
    for (column, actual, wrong) in [
        ("followers_count", 1, 0),
        ("following_count", 2, 7),
        ("posts_count", 3, 8),
        ("public_posts_count", 2, 1),
    ] {
        let set = async |number| {
            database
                .execute(&format!("UPDATE users SET {column} = {number} WHERE id = {ana}"))
                .await;
        };
        set(wrong).await;

        let found = mismatches(&database, table).await;

        let (column, key) = (column.to_owned(), ana.to_string());
        assert_eq!(found, [Mismatch { table, key, column, stored: wrong, actual }]);
        set(actual).await;
    }
}

#[tokio::test]
async fn pending_and_blocked_follows_are_not_counted_as_followers() {
    let database = TestDatabase::create().await;
    let [ana, ben] = [create_user(&database).await, create_user(&database).await];
    for (status, follower, followed) in [("pending", ana, ben), ("blocked", ben, ana)] {
        insert_follow(&database, follower, followed, status).await;
    }

    assert_eq!(mismatches(&database, CounterTable::Users).await, []);
}

#[tokio::test]
async fn rows_are_verified_in_batches_without_gaps() {
    let database = TestDatabase::create().await;
    let author = create_user(&database).await;
    for _ in 0..7 {
        a_post().by(author).insert_into(&database).await;
    }
    database.execute("UPDATE posts SET hearts_count = 1").await;
    let mut conn = database.connect().await;
    let (mut batch_sizes, mut keys, mut after) = (Vec::new(), Vec::new(), None);

    while let Some(batch) =
        Counters::new(&mut conn).verify(CounterTable::Posts, after, 3).await.unwrap()
    {
        batch_sizes.push(batch.rows);
        assert_eq!(batch.mismatches.last().unwrap().key, batch.last_key);
        keys.extend(batch.mismatches.into_iter().map(|mismatch| mismatch.key));
        after = Some(batch.last_key);
    }

    assert_eq!(batch_sizes, [3, 3, 1]);
    assert_eq!(keys.len(), 7);
    assert!(keys.is_sorted_by(|a, b| a < b));
}

#[tokio::test]
async fn an_empty_table_has_no_batch() {
    let database = TestDatabase::create().await;
    let mut conn = database.connect().await;

    for table in [CounterTable::Posts, CounterTable::Users] {
        assert_eq!(Counters::new(&mut conn).verify(table, None, 10).await.unwrap(), None);
    }
}

#[tokio::test]
async fn repairing_a_mismatch_sets_all_counters_of_its_row_only() {
    let database = TestDatabase::create().await;
    let Fixture { post, .. } = create_fixture(&database).await;
    let correct = load_engagement(&database, post.id).await;
    database.execute(
        "UPDATE posts SET hearts_count = 9, reactions_count = 9, shares_count = 9, comments_count = 9",
    )
    .await;
    let found = mismatches(&database, CounterTable::Posts).await;
    let of_post = found.iter().find(|mismatch| mismatch.key == post.id.to_string()).unwrap();

    repair(&database, of_post).await;

    assert_eq!(load_engagement(&database, post.id).await, correct);
    assert_eq!(mismatches(&database, CounterTable::Posts).await.len(), found.len() - 4);
}

#[tokio::test]
async fn after_the_repair_no_mismatch_is_left() {
    let database = TestDatabase::create().await;
    create_fixture(&database).await;
    database.execute(
        "UPDATE posts SET hearts_count = 9, reactions_count = 0, shares_count = 9, comments_count = 0;
         UPDATE users SET followers_count = 9, following_count = 9, posts_count = 9,
                          public_posts_count = 0",
    )
    .await;

    for table in [CounterTable::Posts, CounterTable::Users] {
        for mismatch in mismatches(&database, table).await {
            repair(&database, &mismatch).await;
        }

        assert_eq!(mismatches(&database, table).await, []);
    }
}

#[tokio::test]
async fn repairing_a_deleted_row_succeeds() {
    let database = TestDatabase::create().await;
    let Fixture { post, .. } = create_fixture(&database).await;
    database.execute("UPDATE posts SET hearts_count = 9").await;
    let found = mismatches(&database, CounterTable::Posts).await;
    database.execute(&format!("DELETE FROM posts WHERE id = '{}'", post.id)).await;

    repair(&database, &found[0]).await;
}

#[tokio::test]
async fn concurrent_writes_cause_no_mismatch() {
    let database = TestDatabase::create().await;
    let post = a_post().insert_into(&database).await;
    let users = join_all((0..16).map(|_| create_user(&database))).await;
    let done = AtomicBool::new(false);

    let writing = users.into_iter().map(|user| write(&database.pool, user, &post, &done));
    let verifying = async {
        let mut found = Vec::new();
        for _ in 0..20 {
            found.extend(mismatches(&database, CounterTable::Posts).await);
            found.extend(mismatches(&database, CounterTable::Users).await);
        }
        done.store(true, Ordering::Relaxed);
        found
    };
    let (rounds, found) = tokio::join!(join_all(writing), verifying);

    assert_eq!(found, []);
    assert!(rounds.iter().all(|count| 0 < *count), "{rounds:?}");
    assert_eq!(mismatches(&database, CounterTable::Posts).await, []);
}

/// Two users, and a post with every kind of engagement.
struct Fixture {
    post: Post,
    ana: UserId,
}

async fn create_fixture(database: &TestDatabase) -> Fixture {
    let [ana, ben, eve] =
        [create_user(database).await, create_user(database).await, create_user(database).await];
    let post = a_post().by(ana).insert_into(database).await;
    a_post().by(ana).insert_into(database).await;
    a_post().by(ana).private().insert_into(database).await;
    let mut conn = database.connect().await;
    for user in [ana, ben] {
        conn.hearts().add(&[a_heart(user, post.id)]).await.unwrap();
    }
    conn.emoji_reactions().set(&[a_reaction(ben, post.id)]).await.unwrap();
    for share in [
        a_link_share(ben, post.id),
        a_message_share(ben, post.id, &[eve]),
        a_message_share(eve, post.id, &[ana, ben]),
        a_message_share(eve, post.id, &[ben]),
    ] {
        conn.shares().create(&share).await.unwrap();
    }
    let comment = a_comment().on(&post).insert_into(database).await;
    a_comment().replying_to(&comment).insert_into(database).await;
    for (follower, followed) in [(ana, ben), (ana, eve), (ben, ana)] {
        insert_follow(database, follower, followed, "active").await;
    }
    Fixture { post, ana }
}

/// Inserts a follow with this status. Active follows are counted.
async fn insert_follow(database: &TestDatabase, follower: UserId, followed: UserId, status: &str) {
    database
        .execute(&format!(
            "INSERT INTO follows (id, follower_id, followed_id, status)
         VALUES (gen_random_uuid(), {follower}, {followed}, '{status}')"
        ))
        .await;
    if status == "active" {
        database
            .execute(&format!(
                "UPDATE users SET following_count = following_count + 1 WHERE id = {follower};
             UPDATE users SET followers_count = followers_count + 1 WHERE id = {followed}"
            ))
            .await;
    }
}

/// Adds and removes hearts and adds comments until `done` is set. Returns the number of rounds.
async fn write(pool: &Database, user: UserId, post: &Post, done: &AtomicBool) -> u32 {
    let mut rounds = 0;
    while !done.load(Ordering::Relaxed) {
        let mut conn = pool.acquire().await.unwrap();
        let added = conn.hearts().add(&[a_heart(user, post.id)]).await.unwrap();
        if added.is_empty() {
            conn.hearts().remove(&[(user, post.id)]).await.unwrap();
        }
        conn.comments().insert(&a_comment().by(user).on(post).build()).await.unwrap();
        rounds += 1;
    }
    rounds
}

#[tokio::test]
async fn acts_are_verified_in_batches_without_gaps() {
    let database = TestDatabase::create().await;
    hearts_without_notification(&database, 7).await;
    let mut conn = database.connect().await;
    let (mut batch_sizes, mut missing, mut after) = (Vec::new(), 0, None);

    while let Some(batch) =
        Counters::new(&mut conn).verify_acts(ActTable::Hearts, after, 3, NOON).await.unwrap()
    {
        batch_sizes.push(batch.rows);
        missing += batch.missing.len();
        after = Some(batch.last_key);
    }

    assert_eq!((batch_sizes, missing), (vec![3, 3, 1], 7));
}

#[tokio::test]
async fn an_accepted_missing_notification_is_no_difference() {
    let database = TestDatabase::create().await;
    hearts_without_notification(&database, 2).await;
    let missing = missing_hearts(&database).await;

    for _ in 0..2 {
        accept(&database, &missing[0]).await;
    }

    assert_eq!(missing_hearts(&database).await, missing[1..]);
    assert_eq!(database.count("suppressed_notifications WHERE reason = 'unknown'").await, 1);
}

/// The reason would hide the loss of the notification of a later act.
#[tokio::test]
async fn accepting_the_notification_of_an_undone_act_stores_nothing() {
    let database = TestDatabase::create().await;
    hearts_without_notification(&database, 1).await;
    let missing = missing_hearts(&database).await;
    database.execute("DELETE FROM likes").await;

    accept(&database, &missing[0]).await;

    assert_eq!(database.count("suppressed_notifications").await, 0);
}

/// Adds hearts of different users to a post, without their notifications.
async fn hearts_without_notification(database: &TestDatabase, number: usize) {
    let post = a_post().insert_into(database).await.id;
    let mut conn = database.connect().await;
    for _ in 0..number {
        conn.hearts().add(&[a_heart(create_user(database).await, post)]).await.unwrap();
    }
}

async fn missing_hearts(database: &TestDatabase) -> Vec<MissingNotification> {
    let mut conn = database.connect().await;
    let batch =
        Counters::new(&mut conn).verify_acts(ActTable::Hearts, None, 1_000, NOON).await.unwrap();
    batch.unwrap().missing
}

async fn accept(database: &TestDatabase, missing: &MissingNotification) {
    let accepted: Result<()> = database
        .pool
        .transaction(async |tx| Counters::new(tx).accept_missing(missing.clone(), NOON, NOON).await)
        .await;
    accepted.unwrap();
}

async fn mismatches(database: &TestDatabase, table: CounterTable) -> Vec<Mismatch> {
    let batch =
        Counters::new(&mut database.connect().await).verify(table, None, 1_000).await.unwrap();
    batch.map(|batch| batch.mismatches).unwrap_or_default()
}

async fn repair(database: &TestDatabase, mismatch: &Mismatch) {
    let repaired: Result<()> =
        database.pool.transaction(async |tx| Counters::new(tx).repair(mismatch, NOON).await).await;
    repaired.unwrap();
}
