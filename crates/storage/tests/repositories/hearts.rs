//! The `likes` table through [`Hearts`](grateful_storage::Hearts).

use chrono::TimeDelta;
use futures_util::future::join_all;
use grateful_domain::{HeartId, Post, PostId, UserId};
use grateful_storage::{NewHeart, Repositories, StorageError};
use grateful_test_database::{NOON, TestDatabase, a_heart, a_post, create_user, load_engagement};
use uuid::Uuid;

use crate::multi_row_statements::assert_counters_are_correct;
use crate::support::pages::collect_pages;

#[tokio::test]
async fn a_heart_needs_an_existing_user() {
    let database = TestDatabase::create().await;
    let post = a_post().insert_into(&database).await.id;
    let missing_user = UserId::from(404);

    let rejected = database.connect().await.hearts().add(&[a_heart(missing_user, post)]).await;

    let Err(StorageError::ForeignKeyViolation { constraint }) = rejected else {
        panic!("{rejected:?}")
    };
    assert_eq!(constraint, "likes_user_id_fkey");
    assert_eq!(load_engagement(&database, post).await.hearts, 0);
}

#[tokio::test]
async fn paging_by_cursor_returns_each_heart_of_a_post_once_during_writes() {
    let database = TestDatabase::create().await;
    let [post, other] = create_posts(&database, 2).await.try_into().unwrap();
    let viewer = create_user(&database).await;
    add(&database, a_heart(viewer, other)).await;
    // The first one is the newest, the others have the same time.
    let mut hearts = vec![];
    for at in [1, 0, 0, 0, 0, 0, 0].map(|hours| NOON + TimeDelta::hours(hours)) {
        let heart = NewHeart { at, ..a_heart(create_user(&database).await, post) };
        add(&database, heart).await;
        hearts.push(heart);
    }
    hearts[1..].reverse();
    let [newest, .., oldest] = hearts[..] else { panic!() };

    let found = collect_pages(2, async |page| {
        let page = database.connect().await.hearts().list(viewer, post, page).await.unwrap();
        // Adds a heart that sorts first, removes one already returned, and the oldest one before it is reached.
        let first = a_heart(create_user(&database).await, post);
        add(&database, NewHeart { at: NOON + TimeDelta::hours(2), ..first }).await;
        remove(&database, newest.user, post).await;
        remove(&database, oldest.user, post).await;
        page
    })
    .await;

    let ids = |hearts: &mut dyn Iterator<Item = HeartId>| hearts.collect::<Vec<_>>();
    assert_eq!(
        ids(&mut found.iter().map(|heart| heart.id)),
        ids(&mut hearts[..6].iter().map(|heart| heart.id))
    );
}

/// The second heart of a user on a post, and hearts on posts that the user cannot see, are no error.
#[tokio::test]
async fn hearts_added_together_skip_existing_ones_and_forbidden_posts() {
    let database = TestDatabase::create().await;
    let [ana, ben] = [create_user(&database).await, create_user(&database).await];
    let [sun, rain] = create_posts(&database, 2).await.try_into().unwrap();
    let hidden = a_post().private().insert_into(&database).await.id;
    let missing = PostId::from(Uuid::from_u128(1));
    add(&database, a_heart(ana, sun)).await;
    let new = [a_heart(ben, sun), a_heart(ana, rain), a_heart(ben, rain)];
    let skipped = [a_heart(ana, sun), a_heart(ben, hidden), a_heart(ben, missing)];

    let hearts = [&new[..], &skipped[..]].concat();
    let added = database.connect().await.hearts().add(&hearts).await.unwrap();

    assert_eq!(added, new.map(|heart| (heart.id, 2)).into());
    assert_counters_are_correct(&database).await;
}

#[tokio::test]
async fn hearts_removed_together_are_those_of_the_given_pairs() {
    let database = TestDatabase::create().await;
    let [ana, ben] = [create_user(&database).await, create_user(&database).await];
    let [sun, rain] = create_posts(&database, 2).await.try_into().unwrap();
    let hearts = [a_heart(ana, sun), a_heart(ben, sun), a_heart(ana, rain), a_heart(ben, rain)];
    database.connect().await.hearts().add(&hearts).await.unwrap();

    let pairs = [(ana, sun), (ben, rain), (ben, PostId::from(Uuid::from_u128(1)))];
    let removed = database.connect().await.hearts().remove(&pairs).await.unwrap();

    let mut removed: Vec<_> =
        removed.into_iter().map(|heart| (heart.cause.actor, heart.count)).collect();
    removed.sort_unstable();
    assert_eq!(removed, [(ana, 1), (ben, 1)]);
    let left = format!(
        "likes WHERE user_id = {ana} AND post_id = '{rain}' OR user_id = {ben} AND post_id = '{sun}'"
    );
    assert_eq!((database.count(&left).await, database.count("likes").await), (2, 2));
    assert_counters_are_correct(&database).await;
}

/// Every user starts with another post. Without a common lock order, they would deadlock.
#[tokio::test]
async fn concurrent_overlapping_sets_of_hearts_do_not_deadlock_and_are_all_counted() {
    let database = TestDatabase::create().await;
    let posts = create_posts(&database, 8).await;
    let users = join_all((0..8).map(|_| create_user(&database))).await;
    let of_user = |user: UserId| posts.iter().map(move |post| a_heart(user, *post));

    let added = join_all(users.iter().enumerate().map(async |(number, user)| {
        let mut hearts: Vec<NewHeart> = of_user(*user).collect();
        hearts.rotate_left(number);
        database.connect().await.hearts().add(&hearts).await.unwrap().len()
    }))
    .await;
    assert_eq!(added, [8; 8]);
    assert_counters_are_correct(&database).await;

    let removed = join_all(users.iter().enumerate().map(async |(number, user)| {
        let mut hearts: Vec<_> = posts.iter().map(|post| (*user, *post)).collect();
        hearts.rotate_left(number);
        let pool = &database.pool;
        pool.transaction(async |tx| tx.hearts().remove(&hearts).await).await.unwrap().len()
    }))
    .await;
    assert_eq!(removed, [8; 8]);
    assert_counters_are_correct(&database).await;
}

async fn add(database: &TestDatabase, heart: NewHeart) {
    let added = database.connect().await.hearts().add(&[heart]).await.unwrap();
    assert!(added.contains_key(&heart.id));
}

async fn remove(database: &TestDatabase, user: UserId, post: PostId) {
    database.connect().await.hearts().remove(&[(user, post)]).await.unwrap();
}

async fn create_posts(database: &TestDatabase, count: usize) -> Vec<PostId> {
    let posts: Vec<Post> = join_all((0..count).map(|_| a_post().insert_into(database))).await;
    posts.into_iter().map(|post| post.id).collect()
}
