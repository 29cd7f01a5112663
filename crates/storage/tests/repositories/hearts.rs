//! The `likes` table through [`Hearts`](grateful_storage::Hearts).

use futures_util::future::join_all;
use grateful_domain::{Heart, HeartId, PostId, UserId};
use grateful_storage::{Database, NewHeart, Repositories, StorageError};
use grateful_testkit::{
    NOON, TestDatabase, a_heart, a_post, a_user, block, create_user, load_engagement,
};
use uuid::Uuid;

use crate::support::pages::{collect_pages, first_page};

#[tokio::test]
async fn a_heart_is_counted_and_listed_with_who_gave_it() {
    let database = TestDatabase::create().await;
    let post = a_post().insert_into(&database).await.id;
    let ana = a_user().with_username("ana").insert_into(&database).await;
    database.execute("UPDATE users SET profile_image_url = '/a.jpg' WHERE username = 'ana'").await;
    let like = a_heart(ana.id, post);

    let count = give(&database, &like).await;

    assert_eq!(count, Some(1));
    assert_eq!(load_engagement(&database, post).await.hearts, 1);
    let [heart] = list(&database, ana.id, post).await.try_into().unwrap();
    assert_eq!((heart.id, heart.created_at), (like.id, like.at));
    assert_eq!((heart.by.id, heart.by.username), (ana.id, ana.username));
    assert_eq!(heart.by.profile_image_url.as_deref(), Some("/a.jpg"));
}

#[tokio::test]
async fn a_second_heart_by_the_same_person_counts_nothing_and_changes_nothing() {
    let database = TestDatabase::create().await;
    let post = a_post().insert_into(&database).await.id;
    let ana = create_user(&database).await;
    let like = a_heart(ana, post);
    give(&database, &like).await;

    let again = give(&database, &a_heart(ana, post)).await;

    assert_eq!(again, None);
    assert_eq!(load_engagement(&database, post).await.hearts, 1);
    assert_eq!(ids(&list(&database, ana, post).await), [like.id]);
}

#[tokio::test]
async fn hearts_are_counted_by_post() {
    let database = TestDatabase::create().await;
    let [sun, rain] =
        [a_post().insert_into(&database).await.id, a_post().insert_into(&database).await.id];
    let [ana, ben] = [create_user(&database).await, create_user(&database).await];

    let counts = [
        give(&database, &a_heart(ana, sun)).await,
        give(&database, &a_heart(ben, sun)).await,
        give(&database, &a_heart(ana, rain)).await,
    ];

    assert_eq!(counts, [Some(1), Some(2), Some(1)]);
    assert_eq!(load_engagement(&database, sun).await.hearts, 2);
    assert_eq!(load_engagement(&database, rain).await.hearts, 1);
}

#[tokio::test]
async fn a_heart_that_is_taken_back_counts_no_more_and_can_be_given_again() {
    let database = TestDatabase::create().await;
    let post = a_post().insert_into(&database).await.id;
    let [ana, ben] = [create_user(&database).await, create_user(&database).await];
    give(&database, &a_heart(ana, post)).await;
    give(&database, &a_heart(ben, post)).await;

    let taken_back = take_back(&database, ana, post).await;

    assert_eq!(taken_back, Some(1));
    assert_eq!(load_engagement(&database, post).await.hearts, 1);
    assert_eq!(database.count(&format!("likes WHERE user_id = {ana}")).await, 0);
    assert_eq!(give(&database, &a_heart(ana, post)).await, Some(2));
}

#[tokio::test]
async fn taking_back_a_heart_that_was_never_given_counts_nothing() {
    let database = TestDatabase::create().await;
    let post = a_post().insert_into(&database).await.id;
    let [ana, ben] = [create_user(&database).await, create_user(&database).await];
    give(&database, &a_heart(ben, post)).await;

    let taken_back = take_back(&database, ana, post).await;

    assert_eq!(taken_back, None);
    assert_eq!(load_engagement(&database, post).await.hearts, 1);
}

#[tokio::test]
async fn nobody_but_its_author_gives_a_private_post_a_heart() {
    let database = TestDatabase::create().await;
    let [ana, ben] = [create_user(&database).await, create_user(&database).await];
    let post = a_post().by(ana).private().insert_into(&database).await.id;

    let by_ben = give(&database, &a_heart(ben, post)).await;
    let by_ana = give(&database, &a_heart(ana, post)).await;

    assert_eq!((by_ben, by_ana), (None, Some(1)));
    assert_eq!(database.count(&format!("likes WHERE user_id = {ben}")).await, 0);
}

#[tokio::test]
async fn a_heart_on_a_post_that_became_private_stays_counted() {
    let database = TestDatabase::create().await;
    let post = a_post().insert_into(&database).await.id;
    let ana = create_user(&database).await;
    give(&database, &a_heart(ana, post)).await;
    database.execute("UPDATE posts SET is_public = false").await;

    let taken_back = take_back(&database, ana, post).await;

    assert_eq!(taken_back, None);
    assert_eq!(load_engagement(&database, post).await.hearts, 1);
    assert_eq!(database.count("likes").await, 1);
}

#[tokio::test]
async fn a_post_that_is_gone_takes_no_heart_and_gives_none_back() {
    let database = TestDatabase::create().await;
    let ana = create_user(&database).await;
    let nowhere = PostId::from(Uuid::from_u128(7));

    assert_eq!(give(&database, &a_heart(ana, nowhere)).await, None);
    assert_eq!(take_back(&database, ana, nowhere).await, None);
}

#[tokio::test]
async fn nobody_gives_a_heart_without_an_account() {
    let database = TestDatabase::create().await;
    let post = a_post().insert_into(&database).await.id;
    let nobody = UserId::from(404);

    let refused = database.connect().await.hearts().add(&a_heart(nobody, post)).await;

    let Err(StorageError::Missing { constraint }) = refused else { panic!("{refused:?}") };
    assert_eq!(constraint, "likes_user_id_fkey");
    assert_eq!(load_engagement(&database, post).await.hearts, 0);
}

#[tokio::test]
async fn hearts_are_listed_newest_first_and_those_of_one_moment_by_id() {
    let database = TestDatabase::create().await;
    let post = a_post().insert_into(&database).await.id;
    let mut expected = Vec::new();
    for _ in 0..3 {
        let like = NewHeart { at: NOON, ..a_heart(create_user(&database).await, post) };
        give(&database, &like).await;
        expected.push(like.id);
    }
    let newest = a_heart(create_user(&database).await, post);
    give(&database, &newest).await;
    expected.push(newest.id);
    expected.reverse();

    assert_eq!(ids(&list(&database, create_user(&database).await, post).await), expected);
}

#[tokio::test]
async fn a_reader_who_goes_on_by_cursor_meets_each_heart_once_while_others_come_and_go() {
    let database = TestDatabase::create().await;
    let post = a_post().insert_into(&database).await.id;
    let viewer = create_user(&database).await;
    let mut likes = Vec::new();
    for _ in 0..7 {
        let like = NewHeart { at: NOON, ..a_heart(create_user(&database).await, post) };
        give(&database, &like).await;
        likes.push(like);
    }
    likes.reverse();
    let [first_met, .., last] = likes[..] else { panic!() };

    let met = collect_pages(2, async |page| {
        let slice = database.connect().await.hearts().list(viewer, post, page).await.unwrap();
        // One ahead of the reader, one that they have met, and the last one just before they come to it.
        give(&database, &a_heart(create_user(&database).await, post)).await;
        take_back(&database, first_met.user, post).await;
        take_back(&database, last.user, post).await;
        slice
    })
    .await;

    let expected: Vec<HeartId> = likes[..6].iter().map(|like| like.id).collect();
    assert_eq!(ids(&met), expected);
}

#[tokio::test]
async fn across_a_block_nobody_is_listed_and_everybody_stays_counted() {
    let database = TestDatabase::create().await;
    let post = a_post().insert_into(&database).await.id;
    let [ana, ben, eve] =
        [create_user(&database).await, create_user(&database).await, create_user(&database).await];
    for user in [ana, ben, eve] {
        give(&database, &a_heart(user, post)).await;
    }
    block(&database, ana, ben).await;

    assert_eq!(people(&list(&database, ana, post).await), [eve, ana]);
    assert_eq!(people(&list(&database, ben, post).await), [eve, ben]);
    assert_eq!(people(&list(&database, eve, post).await), [eve, ben, ana]);
    assert_eq!(load_engagement(&database, post).await.hearts, 3);
}

#[tokio::test]
async fn a_page_has_no_hearts_of_other_posts() {
    let database = TestDatabase::create().await;
    let [sun, rain] =
        [a_post().insert_into(&database).await.id, a_post().insert_into(&database).await.id];
    let ana = create_user(&database).await;
    give(&database, &a_heart(ana, rain)).await;

    assert_eq!(list(&database, ana, sun).await, []);
}

#[tokio::test]
async fn ten_hearts_of_one_person_at_once_are_one() {
    let database = TestDatabase::create().await;
    let post = a_post().insert_into(&database).await.id;
    let ana = create_user(&database).await;

    let counts = join_all((0..10).map(|_| at_once(&database.pool, a_heart(ana, post)))).await;

    assert_eq!(counts.iter().flatten().collect::<Vec<_>>(), [&1]);
    assert_eq!(load_engagement(&database, post).await.hearts, 1);
    assert_eq!(database.count("likes").await, 1);
}

#[tokio::test]
async fn hearts_of_many_at_once_are_each_counted() {
    let database = TestDatabase::create().await;
    let post = a_post().insert_into(&database).await.id;
    let people = join_all((0..16).map(|_| create_user(&database))).await;

    let given = people.into_iter().map(|user| at_once(&database.pool, a_heart(user, post)));
    let mut counts: Vec<i32> = join_all(given).await.into_iter().flatten().collect();

    counts.sort_unstable();
    assert_eq!(counts, (1..=16).collect::<Vec<_>>());
    assert_eq!(load_engagement(&database, post).await.hearts, 16);
}

async fn give(database: &TestDatabase, like: &NewHeart) -> Option<i32> {
    database.connect().await.hearts().add(like).await.unwrap()
}

async fn at_once(db: &Database, like: NewHeart) -> Option<i32> {
    db.acquire().await.unwrap().hearts().add(&like).await.unwrap()
}

async fn take_back(database: &TestDatabase, user: UserId, post: PostId) -> Option<i32> {
    database.connect().await.hearts().remove(user, post).await.unwrap()
}

async fn list(database: &TestDatabase, viewer: UserId, post: PostId) -> Vec<Heart> {
    database.connect().await.hearts().list(viewer, post, first_page(100)).await.unwrap().items
}

fn ids(hearts: &[Heart]) -> Vec<HeartId> {
    hearts.iter().map(|heart| heart.id).collect()
}

fn people(hearts: &[Heart]) -> Vec<UserId> {
    hearts.iter().map(|heart| heart.by.id).collect()
}
