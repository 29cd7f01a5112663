//! Numbers beside rows through [`Counters`](grateful_storage::Counters).

#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

use std::sync::atomic::{AtomicBool, Ordering};

use futures_util::future::join_all;
use grateful_domain::{Post, UserId};
use grateful_storage::{CounterTable, Database, Mismatch, Repositories, Result};
use grateful_testkit::{
    TestDatabase, a_comment, a_heart, a_link_share, a_message_share, a_post, a_reaction,
    create_user, load_engagement,
};

#[tokio::test]
async fn what_the_repositories_have_written_differs_nowhere() {
    let database = TestDatabase::create().await;
    world(&database).await;

    assert_eq!(mismatches(&database, CounterTable::Posts).await, []);
    assert_eq!(mismatches(&database, CounterTable::Users).await, []);
}

#[tokio::test]
async fn every_wrong_number_of_a_post_is_found_with_what_it_should_be() {
    let database = TestDatabase::create().await;
    let World { post, .. } = world(&database).await;
    let table = CounterTable::Posts;
    for (column, counted) in
        [("hearts_count", 2), ("reactions_count", 1), ("shares_count", 3), ("comments_count", 2)]
    {
        let set = async |number| {
            let update = format!("UPDATE posts SET {column} = {number} WHERE id = '{}'", post.id);
            database.execute(&update).await;
        };
        for wrong in [0, counted - 1, counted + 5] {
            set(wrong).await;

            let found = mismatches(&database, table).await;

            let (column, key) = (column.to_owned(), post.id.to_string());
            assert_eq!(found, [Mismatch { table, key, column, stored: wrong, actual: counted }]);
        }
        set(counted).await;
    }
}

#[tokio::test]
async fn every_wrong_number_of_a_user_is_found_with_what_it_should_be() {
    let database = TestDatabase::create().await;
    let World { ana, .. } = world(&database).await;
    let table = CounterTable::Users;
    // The table itself refuses more public posts than posts.
    for (column, counted, wrong) in [
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
        assert_eq!(found, [Mismatch { table, key, column, stored: wrong, actual: counted }]);
        set(counted).await;
    }
}

#[tokio::test]
async fn rows_that_came_or_went_uncounted_are_found() {
    let database = TestDatabase::create().await;
    let World { post, ana, ben } = world(&database).await;
    for sql in [
        format!("DELETE FROM likes WHERE user_id = {ben}"),
        format!("DELETE FROM shares WHERE user_id = {ben} AND share_method = 'message'"),
        format!("DELETE FROM follows WHERE follower_id = {ana} AND status = 'active'"),
    ] {
        database.execute(&sql).await;
    }

    let on_posts = mismatches(&database, CounterTable::Posts).await;
    let on_users = mismatches(&database, CounterTable::Users).await;

    let told: Vec<_> = on_posts.iter().map(|it| (&*it.column, it.stored, it.actual)).collect();
    assert_eq!(told, [("hearts_count", 2, 1), ("shares_count", 3, 2)]);
    assert!(on_posts.iter().all(|mismatch| mismatch.key == post.id.to_string()));
    // Ana followed two people, who each lost a follower.
    assert_eq!(on_users.len(), 3);
}

#[tokio::test]
async fn pending_and_blocked_edges_are_no_followers() {
    let database = TestDatabase::create().await;
    let [ana, ben] = [create_user(&database).await, create_user(&database).await];
    for (status, follower, followed) in [("pending", ana, ben), ("blocked", ben, ana)] {
        relate(&database, follower, followed, status).await;
    }

    assert_eq!(mismatches(&database, CounterTable::Users).await, []);
}

#[tokio::test]
async fn rows_are_gone_through_in_steps_that_leave_none_out() {
    let database = TestDatabase::create().await;
    let author = create_user(&database).await;
    for _ in 0..7 {
        a_post().by(author).insert_into(&database).await;
    }
    database.execute("UPDATE posts SET hearts_count = 1").await;
    let mut conn = database.connect().await;
    let (mut sizes, mut keys, mut after) = (Vec::new(), Vec::new(), None);

    while let Some(step) = conn.counters().verify(CounterTable::Posts, after, 3).await.unwrap() {
        sizes.push(step.rows);
        assert_eq!(step.mismatches.last().unwrap().key, step.last_key);
        keys.extend(step.mismatches.into_iter().map(|mismatch| mismatch.key));
        after = Some(step.last_key);
    }

    assert_eq!(sizes, [3, 3, 1]);
    assert_eq!(keys.len(), 7);
    assert!(keys.is_sorted_by(|a, b| a < b));
}

#[tokio::test]
async fn people_are_gone_through_by_number_and_not_by_digits() {
    let database = TestDatabase::create().await;
    for _ in 0..11 {
        create_user(&database).await;
    }
    let mut conn = database.connect().await;
    let (mut rows, mut after) = (0, None);

    while let Some(step) = conn.counters().verify(CounterTable::Users, after, 1).await.unwrap() {
        rows += step.rows;
        after = Some(step.last_key);
    }

    assert_eq!(rows, 11);
}

#[tokio::test]
async fn nothing_is_gone_through_where_there_is_nothing() {
    let database = TestDatabase::create().await;
    let mut conn = database.connect().await;

    for table in [CounterTable::Posts, CounterTable::Users] {
        assert_eq!(conn.counters().verify(table, None, 10).await.unwrap(), None);
    }
}

#[tokio::test]
async fn mending_one_difference_sets_all_numbers_of_its_row_and_of_no_other() {
    let database = TestDatabase::create().await;
    let World { post, .. } = world(&database).await;
    let right = load_engagement(&database, post.id).await;
    database.execute(
        "UPDATE posts SET hearts_count = 9, reactions_count = 9, shares_count = 9, comments_count = 9",
    )
    .await;
    let found = mismatches(&database, CounterTable::Posts).await;
    let of_post = found.iter().find(|it| it.key == post.id.to_string()).unwrap();

    mend(&database, of_post).await;

    assert_eq!(load_engagement(&database, post.id).await, right);
    assert_eq!(mismatches(&database, CounterTable::Posts).await.len(), found.len() - 4);
}

#[tokio::test]
async fn mending_leaves_nothing_that_differs() {
    let database = TestDatabase::create().await;
    world(&database).await;
    database.execute(
        "UPDATE posts SET hearts_count = 9, reactions_count = 0, shares_count = 9, comments_count = 0;
         UPDATE users SET followers_count = 9, following_count = 9, posts_count = 9,
                          public_posts_count = 0",
    )
    .await;

    for table in [CounterTable::Posts, CounterTable::Users] {
        for mismatch in mismatches(&database, table).await {
            mend(&database, &mismatch).await;
        }

        assert_eq!(mismatches(&database, table).await, []);
    }
}

#[tokio::test]
async fn mending_a_row_that_is_gone_meanwhile_is_no_failure() {
    let database = TestDatabase::create().await;
    let World { post, .. } = world(&database).await;
    database.execute("UPDATE posts SET hearts_count = 9").await;
    let found = mismatches(&database, CounterTable::Posts).await;
    database.execute(&format!("DELETE FROM posts WHERE id = '{}'", post.id)).await;

    mend(&database, &found[0]).await;
}

#[tokio::test]
async fn sixteen_writers_are_no_difference_while_they_write() {
    let database = TestDatabase::create().await;
    let post = a_post().insert_into(&database).await;
    let people = join_all((0..16).map(|_| create_user(&database))).await;
    let done = AtomicBool::new(false);

    let writing = people.into_iter().map(|user| write(&database.pool, user, &post, &done));
    let verifying = async {
        let mut found = Vec::new();
        for _ in 0..20 {
            found.extend(mismatches(&database, CounterTable::Posts).await);
            found.extend(mismatches(&database, CounterTable::Users).await);
        }
        done.store(true, Ordering::Relaxed);
        found
    };
    let (acts, found) = tokio::join!(join_all(writing), verifying);

    assert_eq!(found, []);
    assert!(acts.iter().all(|acts| 0 < *acts), "{acts:?}");
    assert_eq!(mismatches(&database, CounterTable::Posts).await, []);
}

/// Two people, and one post that has something of everything.
struct World {
    post: Post,
    ana: UserId,
    ben: UserId,
}

async fn world(database: &TestDatabase) -> World {
    let [ana, ben, eve] =
        [create_user(database).await, create_user(database).await, create_user(database).await];
    let post = a_post().by(ana).insert_into(database).await;
    a_post().by(ana).insert_into(database).await;
    a_post().by(ana).private().insert_into(database).await;
    let mut conn = database.connect().await;
    for user in [ana, ben] {
        conn.hearts().add(&a_heart(user, post.id)).await.unwrap();
    }
    conn.emoji_reactions().set(&a_reaction(ben, post.id)).await.unwrap();
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
    for (fan, star) in [(ana, ben), (ana, eve), (ben, ana)] {
        relate(database, fan, star, "active").await;
    }
    World { post, ana, ben }
}

/// Makes one person stand in this relation to another; active ones are counted.
async fn relate(database: &TestDatabase, fan: UserId, star: UserId, status: &str) {
    database
        .execute(&format!(
            "INSERT INTO follows (id, follower_id, followed_id, status)
         VALUES (gen_random_uuid(), {fan}, {star}, '{status}')"
        ))
        .await;
    if status == "active" {
        database
            .execute(&format!(
                "UPDATE users SET following_count = following_count + 1 WHERE id = {fan};
             UPDATE users SET followers_count = followers_count + 1 WHERE id = {star}"
            ))
            .await;
    }
}

/// Gives and takes back until told to stop. Returns how often.
async fn write(db: &Database, user: UserId, post: &Post, done: &AtomicBool) -> u32 {
    let mut acts = 0;
    while !done.load(Ordering::Relaxed) {
        let mut conn = db.acquire().await.unwrap();
        let given = conn.hearts().add(&a_heart(user, post.id)).await.unwrap();
        if given.is_none() {
            conn.hearts().remove(user, post.id).await.unwrap();
        }
        conn.comments().insert(&a_comment().by(user).on(post).build()).await.unwrap();
        acts += 1;
    }
    acts
}

async fn mismatches(database: &TestDatabase, table: CounterTable) -> Vec<Mismatch> {
    let step = database.connect().await.counters().verify(table, None, 1_000).await.unwrap();
    step.map(|step| step.mismatches).unwrap_or_default()
}

async fn mend(database: &TestDatabase, mismatch: &Mismatch) {
    let mended: Result<()> =
        database.pool.transaction(async |tx| tx.counters().repair(mismatch).await).await;
    mended.unwrap();
}
