//! Operations on many rows with a constant number of statements.

use grateful_domain::{Post, PostId, Visibility};
use grateful_storage::{CounterTable, Counters, NewHeart, QueryLog, Repositories};
use grateful_test_database::{TestDatabase, a_heart, a_post, create_user};

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
        let added = QueryLog::record(conn.hearts().add(&hearts)).await;

        inserted.0.unwrap();
        assert_eq!(added.0.unwrap().len(), number);
        assert_eq!([inserted.1.total(), added.1.total()], [2, 1]);
    }
}

pub(crate) async fn assert_counters_are_correct(database: &TestDatabase) {
    let mut conn = database.connect().await;
    for table in [CounterTable::Posts, CounterTable::Users] {
        let step = Counters::new(&mut conn).verify(table, None, 1_000).await.unwrap().unwrap();
        assert_eq!(step.mismatches, []);
    }
}
