//! Many rows in one statement: as many effects as rows, and numbers that equal them.

use futures_util::future::join_all;
use grateful_domain::{Emoji, Post, PostId, Visibility};
use grateful_storage::{CounterTable, NewHeart, QueryLog, Repositories, ViewerEngagement};
use grateful_testkit::{TestDatabase, a_heart, a_post, a_reaction, create_user, load_engagement};

#[tokio::test]
async fn many_posts_are_saved_and_counted_in_as_many_statements_as_one() {
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
    assert_all_numbers_are_right(&database).await;
    let public = format!("users WHERE id = {ana} AND posts_count = 2 AND public_posts_count = 1");
    assert_eq!(database.count(&public).await, 1);
}

/// Posts are counted by one statement and saved by another.
#[tokio::test]
async fn many_rows_cost_as_many_statements_as_one() {
    let database = TestDatabase::create().await;
    let ana = create_user(&database).await;
    for number in [1, 10, 50] {
        let posts: Vec<Post> = (0..number).map(|_| a_post().by(ana).build()).collect();
        let ids: Vec<PostId> = posts.iter().map(|post| post.id).collect();
        let likes: Vec<NewHeart> = ids.iter().map(|post| a_heart(ana, *post)).collect();
        let mut conn = database.pool.acquire().await.unwrap();

        let saved = QueryLog::record(conn.posts().insert_many(&posts)).await;
        let given = QueryLog::record(conn.hearts().add_many(&likes)).await;
        let hidden = QueryLog::record(async {
            conn.posts().set_visibility(ana, &ids, Visibility::Private).await
        })
        .await;

        saved.0.unwrap();
        assert_eq!((given.0.unwrap(), hidden.0.unwrap()), (number, number));
        assert_eq!([saved.1.total(), given.1.total(), hidden.1.total()], [2, 1, 1]);
    }
}

#[tokio::test]
async fn of_many_hearts_those_that_are_new_and_allowed_are_given_and_counted() {
    let database = TestDatabase::create().await;
    let [ana, ben] = [create_user(&database).await, create_user(&database).await];
    let open = a_post().insert_into(&database).await.id;
    let hidden = a_post().private().insert_into(&database).await.id;
    let gone = PostId::from(uuid::Uuid::from_u128(1));
    database.connect().await.hearts().add(&a_heart(ana, open)).await.unwrap();
    let likes = [a_heart(ana, open), a_heart(ben, open), a_heart(ben, hidden), a_heart(ben, gone)];

    let given = database.connect().await.hearts().add_many(&likes).await.unwrap();

    assert_eq!(given, 1);
    assert_eq!(load_engagement(&database, open).await.hearts, 2);
    assert_all_numbers_are_right(&database).await;
}

#[tokio::test]
async fn many_hearts_at_once_from_many_sides_do_not_wait_for_each_other_for_ever() {
    let database = TestDatabase::create().await;
    let posts = posts(&database, 8).await;
    let people = join_all((0..8).map(|_| create_user(&database))).await;

    let given = join_all(people.iter().enumerate().map(async |(number, person)| {
        let mut likes: Vec<NewHeart> = posts.iter().map(|post| a_heart(*person, *post)).collect();
        // Each begins elsewhere: without one order of locks, they would meet head on.
        likes.rotate_left(number);
        database.connect().await.hearts().add_many(&likes).await.unwrap()
    }))
    .await;

    assert_eq!(given, [8; 8]);
    assert_all_numbers_are_right(&database).await;
}

#[tokio::test]
async fn only_posts_of_their_author_that_were_not_so_before_change_their_visibility() {
    let database = TestDatabase::create().await;
    let ana = create_user(&database).await;
    let open = a_post().by(ana).insert_into(&database).await.id;
    let hidden = a_post().by(ana).private().insert_into(&database).await.id;
    let somebody_elses = a_post().insert_into(&database).await.id;

    let mut conn = database.connect().await;
    let all = [open, hidden, somebody_elses];
    let changed = conn.posts().set_visibility(ana, &all, Visibility::Private).await.unwrap();

    assert_eq!(changed, 1);
    assert_eq!(database.count("posts WHERE is_public").await, 1);
    assert_all_numbers_are_right(&database).await;
    let back = conn.posts().set_visibility(ana, &all, Visibility::Public).await.unwrap();
    assert_eq!(back, 2);
    assert_all_numbers_are_right(&database).await;
}

#[tokio::test]
async fn engagement_and_standing_of_many_posts_are_looked_up_together() {
    let database = TestDatabase::create().await;
    let [ana, ben] = [create_user(&database).await, create_user(&database).await];
    let [liked, untouched] = posts(&database, 2).await.try_into().unwrap();
    let mut conn = database.connect().await;
    conn.hearts().add(&a_heart(ana, liked)).await.unwrap();
    conn.hearts().add(&a_heart(ben, liked)).await.unwrap();
    conn.emoji_reactions().set(&a_reaction(ana, liked)).await.unwrap();

    let engagement = conn.posts().find_engagement(&[liked, untouched]).await.unwrap();
    let standing = conn.posts().find_viewer_engagement(ana, &[liked, untouched]).await.unwrap();
    let bens = conn.posts().find_viewer_engagement(ben, &[liked]).await.unwrap();

    assert_eq!((engagement[&liked].hearts, engagement[&liked].reactions), (2, 1));
    assert_eq!(engagement[&untouched].hearts, 0);
    assert_eq!(standing[&liked], ViewerEngagement { is_hearted: true, reaction: Some(Emoji::Hug) });
    assert_eq!(standing[&untouched], ViewerEngagement::default());
    assert_eq!(bens[&liked], ViewerEngagement { is_hearted: true, reaction: None });
}

async fn posts(database: &TestDatabase, number: usize) -> Vec<PostId> {
    let posts: Vec<Post> = join_all((0..number).map(|_| a_post().insert_into(database))).await;
    posts.into_iter().map(|post| post.id).collect()
}

async fn assert_all_numbers_are_right(database: &TestDatabase) {
    let mut conn = database.connect().await;
    for table in [CounterTable::Posts, CounterTable::Users] {
        let step = conn.counters().verify(table, None, 1_000).await.unwrap().unwrap();
        assert_eq!(step.mismatches, []);
    }
}
