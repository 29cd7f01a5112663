//! Operations on many rows with a constant number of statements.

use futures_util::future::join_all;
use grateful_domain::{Post, PostId, Visibility};
use grateful_storage::{CounterTable, NewHeart, QueryLog, Repositories};
use grateful_testkit::{TestDatabase, a_heart, a_post, create_user, load_engagement};

#[tokio::test]
async fn posts_inserted_together_are_all_counted() {
    let database = TestDatabase::create().await;
    let [ana, ben] = [create_user(&database).await, create_user(&database).await];
    let by = |author, is_public: bool| {
        let post = a_post().by(author).with(|draft| {
            draft.visibility = Visibility::from_is_public(is_public);
        });
        post.build()
    };
    let posts = [by(ana, true), by(ana, false), by(ben, true)];

    database.connect().await.posts().insert_many(&posts).await.unwrap();

    assert_eq!(database.count("posts").await, 3);
    assert_counters_are_correct(&database).await;
    let public = format!("users WHERE id = {ana} AND posts_count = 2 AND public_posts_count = 1");
    assert_eq!(database.count(&public).await, 1);
}

/// Inserting posts takes two statements, for the counters and for the rows.
#[tokio::test]
async fn the_number_of_statements_does_not_depend_on_the_number_of_rows() {
    let database = TestDatabase::create().await;
    let ana = create_user(&database).await;
    for number in [1, 10, 50] {
        let posts: Vec<Post> = (0..number).map(|_| a_post().by(ana).build()).collect();
        let ids: Vec<PostId> = posts.iter().map(|post| post.id).collect();
        let hearts: Vec<NewHeart> = ids.iter().map(|post| a_heart(ana, *post)).collect();
        let mut conn = database.pool.acquire().await.unwrap();

        let inserted = QueryLog::record(conn.posts().insert_many(&posts)).await;
        let added = QueryLog::record(conn.hearts().add_many(&hearts)).await;

        inserted.0.unwrap();
        assert_eq!(added.0.unwrap(), number);
        assert_eq!([inserted.1.total(), added.1.total()], [2, 1]);
    }
}

#[tokio::test]
async fn hearts_added_together_skip_existing_ones_and_forbidden_posts() {
    let database = TestDatabase::create().await;
    let [ana, ben] = [create_user(&database).await, create_user(&database).await];
    let public = a_post().insert_into(&database).await.id;
    let hidden = a_post().private().insert_into(&database).await.id;
    let missing = PostId::from(uuid::Uuid::from_u128(1));
    database.connect().await.hearts().add(&a_heart(ana, public)).await.unwrap();
    let hearts =
        [a_heart(ana, public), a_heart(ben, public), a_heart(ben, hidden), a_heart(ben, missing)];

    let added = database.connect().await.hearts().add_many(&hearts).await.unwrap();

    assert_eq!(added, 1);
    assert_eq!(load_engagement(&database, public).await.hearts, 2);
    assert_counters_are_correct(&database).await;
}

#[tokio::test]
async fn concurrent_overlapping_batches_of_hearts_do_not_deadlock() {
    let database = TestDatabase::create().await;
    let posts = create_posts(&database, 8).await;
    let users = join_all((0..8).map(|_| create_user(&database))).await;

    let added = join_all(users.iter().enumerate().map(async |(number, user)| {
        let mut hearts: Vec<NewHeart> = posts.iter().map(|post| a_heart(*user, *post)).collect();
        // Every user starts with another post. Without a common lock order, they would deadlock.
        hearts.rotate_left(number);
        database.connect().await.hearts().add_many(&hearts).await.unwrap()
    }))
    .await;

    assert_eq!(added, [8; 8]);
    assert_counters_are_correct(&database).await;
}

async fn create_posts(database: &TestDatabase, count: usize) -> Vec<PostId> {
    let posts: Vec<Post> = join_all((0..count).map(|_| a_post().insert_into(database))).await;
    posts.into_iter().map(|post| post.id).collect()
}

async fn assert_counters_are_correct(database: &TestDatabase) {
    let mut conn = database.connect().await;
    for table in [CounterTable::Posts, CounterTable::Users] {
        let step = conn.counters().verify(table, None, 1_000).await.unwrap().unwrap();
        assert_eq!(step.mismatches, []);
    }
}
