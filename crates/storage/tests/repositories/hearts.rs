//! The `likes` table through [`Hearts`](grateful_storage::Hearts).

use futures_util::future::join_all;
use grateful_domain::{Heart, HeartId, PostId, UserId};
use grateful_storage::{Database, NewHeart, RemovedHeart, Repositories, StorageError};
use grateful_testkit::{
    NOON, TestDatabase, a_heart, a_post, a_user, block, create_user, load_engagement,
};
use uuid::Uuid;

use crate::support::pages::{collect_pages, first_page};

#[tokio::test]
async fn a_heart_is_counted_and_listed_with_its_user() {
    let database = TestDatabase::create().await;
    let post = a_post().insert_into(&database).await.id;
    let ana = a_user().with_username("ana").insert_into(&database).await;
    database.execute("UPDATE users SET profile_image_url = '/a.jpg' WHERE username = 'ana'").await;
    let new = a_heart(ana.id, post);

    let count = add(&database, &new).await;

    assert_eq!(count, Some(1));
    assert_eq!(load_engagement(&database, post).await.hearts, 1);
    let [heart] = list(&database, ana.id, post).await.try_into().unwrap();
    assert_eq!((heart.id, heart.created_at), (new.id, new.at));
    assert_eq!((heart.user.id, heart.user.username), (ana.id, ana.username));
    assert_eq!(heart.user.profile_image_url.as_deref(), Some("/a.jpg"));
}

#[tokio::test]
async fn a_second_heart_of_a_user_changes_nothing() {
    let database = TestDatabase::create().await;
    let post = a_post().insert_into(&database).await.id;
    let ana = create_user(&database).await;
    let heart = a_heart(ana, post);
    add(&database, &heart).await;

    let again = add(&database, &a_heart(ana, post)).await;

    assert_eq!(again, None);
    assert_eq!(load_engagement(&database, post).await.hearts, 1);
    assert_eq!(ids(&list(&database, ana, post).await), [heart.id]);
}

#[tokio::test]
async fn hearts_are_counted_by_post() {
    let database = TestDatabase::create().await;
    let [sun, rain] =
        [a_post().insert_into(&database).await.id, a_post().insert_into(&database).await.id];
    let [ana, ben] = [create_user(&database).await, create_user(&database).await];

    let counts = [
        add(&database, &a_heart(ana, sun)).await,
        add(&database, &a_heart(ben, sun)).await,
        add(&database, &a_heart(ana, rain)).await,
    ];

    assert_eq!(counts, [Some(1), Some(2), Some(1)]);
    assert_eq!(load_engagement(&database, sun).await.hearts, 2);
    assert_eq!(load_engagement(&database, rain).await.hearts, 1);
}

#[tokio::test]
async fn a_removed_heart_is_not_counted_and_can_be_added_again() {
    let database = TestDatabase::create().await;
    let post = a_post().insert_into(&database).await.id;
    let [ana, ben] = [create_user(&database).await, create_user(&database).await];
    add(&database, &a_heart(ana, post)).await;
    add(&database, &a_heart(ben, post)).await;

    let removed = remove(&database, ana, post).await;

    assert_eq!(removed, Some(1));
    assert_eq!(load_engagement(&database, post).await.hearts, 1);
    assert_eq!(database.count(&format!("likes WHERE user_id = {ana}")).await, 0);
    assert_eq!(add(&database, &a_heart(ana, post)).await, Some(2));
}

#[tokio::test]
async fn removing_a_missing_heart_changes_no_count() {
    let database = TestDatabase::create().await;
    let post = a_post().insert_into(&database).await.id;
    let [ana, ben] = [create_user(&database).await, create_user(&database).await];
    add(&database, &a_heart(ben, post)).await;

    let removed = remove(&database, ana, post).await;

    assert_eq!(removed, None);
    assert_eq!(load_engagement(&database, post).await.hearts, 1);
}

#[tokio::test]
async fn only_the_author_can_heart_a_private_post() {
    let database = TestDatabase::create().await;
    let [ana, ben] = [create_user(&database).await, create_user(&database).await];
    let post = a_post().by(ana).private().insert_into(&database).await.id;

    let by_ben = add(&database, &a_heart(ben, post)).await;
    let by_ana = add(&database, &a_heart(ana, post)).await;

    assert_eq!((by_ben, by_ana), (None, Some(1)));
    assert_eq!(database.count(&format!("likes WHERE user_id = {ben}")).await, 0);
}

#[tokio::test]
async fn a_heart_on_a_post_made_private_stays_and_can_be_removed() {
    let database = TestDatabase::create().await;
    let post = a_post().insert_into(&database).await;
    let ana = create_user(&database).await;
    add(&database, &a_heart(ana, post.id)).await;
    database.execute("UPDATE posts SET is_public = false").await;
    assert_eq!(load_engagement(&database, post.id).await.hearts, 1);

    let removed = database.connect().await.hearts().remove(ana, post.id).await.unwrap();

    assert_eq!(removed, Some(RemovedHeart { count: 0, post_author: post.author }));
    assert_eq!(load_engagement(&database, post.id).await.hearts, 0);
    assert_eq!(database.count("likes").await, 0);
}

#[tokio::test]
async fn hearts_on_a_missing_post_cannot_be_added_or_removed() {
    let database = TestDatabase::create().await;
    let ana = create_user(&database).await;
    let missing = PostId::from(Uuid::from_u128(7));

    assert_eq!(add(&database, &a_heart(ana, missing)).await, None);
    assert_eq!(remove(&database, ana, missing).await, None);
}

#[tokio::test]
async fn a_heart_needs_an_existing_user() {
    let database = TestDatabase::create().await;
    let post = a_post().insert_into(&database).await.id;
    let missing_user = UserId::from(404);

    let rejected = database.connect().await.hearts().add(&a_heart(missing_user, post)).await;

    let Err(StorageError::ForeignKeyViolation { constraint }) = rejected else {
        panic!("{rejected:?}")
    };
    assert_eq!(constraint, "likes_user_id_fkey");
    assert_eq!(load_engagement(&database, post).await.hearts, 0);
}

#[tokio::test]
async fn hearts_are_listed_newest_first_and_then_by_id() {
    let database = TestDatabase::create().await;
    let post = a_post().insert_into(&database).await.id;
    let mut expected = Vec::new();
    for _ in 0..3 {
        let heart = NewHeart { at: NOON, ..a_heart(create_user(&database).await, post) };
        add(&database, &heart).await;
        expected.push(heart.id);
    }
    let newest = a_heart(create_user(&database).await, post);
    add(&database, &newest).await;
    expected.push(newest.id);
    expected.reverse();

    assert_eq!(ids(&list(&database, create_user(&database).await, post).await), expected);
}

#[tokio::test]
async fn paging_by_cursor_returns_each_heart_once_during_writes() {
    let database = TestDatabase::create().await;
    let post = a_post().insert_into(&database).await.id;
    let viewer = create_user(&database).await;
    let mut hearts = Vec::new();
    for _ in 0..7 {
        let heart = NewHeart { at: NOON, ..a_heart(create_user(&database).await, post) };
        add(&database, &heart).await;
        hearts.push(heart);
    }
    hearts.reverse();
    let [newest, .., oldest] = hearts[..] else { panic!() };

    let found = collect_pages(2, async |page| {
        let page = database.connect().await.hearts().list(viewer, post, page).await.unwrap();
        // Adds a heart that sorts first, removes one already returned, and the oldest one before it is reached.
        add(&database, &a_heart(create_user(&database).await, post)).await;
        remove(&database, newest.user, post).await;
        remove(&database, oldest.user, post).await;
        page
    })
    .await;

    let expected: Vec<HeartId> = hearts[..6].iter().map(|heart| heart.id).collect();
    assert_eq!(ids(&found), expected);
}

#[tokio::test]
async fn hearts_across_a_block_are_hidden_but_counted() {
    let database = TestDatabase::create().await;
    let post = a_post().insert_into(&database).await.id;
    let [ana, ben, eve] =
        [create_user(&database).await, create_user(&database).await, create_user(&database).await];
    for user in [ana, ben, eve] {
        add(&database, &a_heart(user, post)).await;
    }
    block(&database, ana, ben).await;

    assert_eq!(users(&list(&database, ana, post).await), [eve, ana]);
    assert_eq!(users(&list(&database, ben, post).await), [eve, ben]);
    assert_eq!(users(&list(&database, eve, post).await), [eve, ben, ana]);
    assert_eq!(load_engagement(&database, post).await.hearts, 3);
}

#[tokio::test]
async fn a_list_has_no_hearts_on_other_posts() {
    let database = TestDatabase::create().await;
    let [sun, rain] =
        [a_post().insert_into(&database).await.id, a_post().insert_into(&database).await.id];
    let ana = create_user(&database).await;
    add(&database, &a_heart(ana, rain)).await;

    assert_eq!(list(&database, ana, sun).await, []);
}

#[tokio::test]
async fn ten_concurrent_hearts_of_one_user_become_one() {
    let database = TestDatabase::create().await;
    let post = a_post().insert_into(&database).await.id;
    let ana = create_user(&database).await;

    let counts =
        join_all((0..10).map(|_| add_concurrently(&database.pool, a_heart(ana, post)))).await;

    assert_eq!(counts.iter().flatten().collect::<Vec<_>>(), [&1]);
    assert_eq!(load_engagement(&database, post).await.hearts, 1);
    assert_eq!(database.count("likes").await, 1);
}

#[tokio::test]
async fn concurrent_hearts_are_all_counted() {
    let database = TestDatabase::create().await;
    let post = a_post().insert_into(&database).await.id;
    let users = join_all((0..16).map(|_| create_user(&database))).await;

    let adding =
        users.into_iter().map(|user| add_concurrently(&database.pool, a_heart(user, post)));
    let mut counts: Vec<i32> = join_all(adding).await.into_iter().flatten().collect();

    counts.sort_unstable();
    assert_eq!(counts, (1..=16).collect::<Vec<_>>());
    assert_eq!(load_engagement(&database, post).await.hearts, 16);
}

async fn add(database: &TestDatabase, heart: &NewHeart) -> Option<i32> {
    database.connect().await.hearts().add(heart).await.unwrap()
}

async fn add_concurrently(pool: &Database, heart: NewHeart) -> Option<i32> {
    pool.acquire().await.unwrap().hearts().add(&heart).await.unwrap()
}

async fn remove(database: &TestDatabase, user: UserId, post: PostId) -> Option<i32> {
    let removed = database.connect().await.hearts().remove(user, post).await.unwrap();
    removed.map(|removed| removed.count)
}

async fn list(database: &TestDatabase, viewer: UserId, post: PostId) -> Vec<Heart> {
    database.connect().await.hearts().list(viewer, post, first_page(100)).await.unwrap().items
}

fn ids(hearts: &[Heart]) -> Vec<HeartId> {
    hearts.iter().map(|heart| heart.id).collect()
}

fn users(hearts: &[Heart]) -> Vec<UserId> {
    hearts.iter().map(|heart| heart.user.id).collect()
}
