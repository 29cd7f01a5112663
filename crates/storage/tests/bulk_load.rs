//! Bulk loading by `COPY`: a load is atomic and all constraints hold.

#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

use grateful_domain::{Email, Follow, FollowState, Post, UserId, Username, Viewer};
use grateful_storage::{BulkLoad, BulkUser, NewHeart, Repositories, Result, StorageError};
use grateful_test_database::{
    NOON, TestDatabase, a_comment, a_heart, a_link_share, a_message_share, a_post, a_reaction,
    create_user,
};

fn new_user(id: UserId, name: &str) -> BulkUser {
    BulkUser {
        id,
        username: Username::parse(name).unwrap(),
        email: Email::parse(&format!("{name}@example.org")).unwrap(),
        password: "no hash".to_owned().into(),
        display_name: None,
        bio: None,
        city: None,
        institutions: None,
        websites: None,
        location: None,
        photo: None,
        photo_url: None,
        preferences: None,
        created_at: NOON,
        followers: 0,
        following: 0,
        posts: 0,
        public_posts: 0,
    }
}

fn new_follow(from: UserId, to: UserId) -> Follow {
    let id = uuid::Uuid::from_u128(7).into();
    Follow { id, follower: from, followed: to, state: FollowState::Active, created_at: NOON }
}

/// Begins a load and adds two users.
async fn begin_with_two_users(url: &str) -> (BulkLoad, UserId, UserId) {
    let mut load = BulkLoad::begin(url).await.unwrap();
    let ids = load.reserve_user_ids(2).await.unwrap();
    let users = [new_user(ids[0], "ana"), new_user(ids[1], "ben")];
    load.users(users.into_iter()).await.unwrap();
    (load, ids[0], ids[1])
}

/// Loads hearts and commits.
async fn commit_with_hearts(mut load: BulkLoad, hearts: &[NewHeart]) -> Result<()> {
    load.hearts(hearts.iter().copied()).await?;
    load.commit().await
}

/// Returns the connection URL of a new account that may write rows but is not a superuser.
async fn url_of_ordinary_account(database: &TestDatabase) -> String {
    let name = format!("plain_{}", std::process::id());
    database
        .execute(&format!(
            "CREATE ROLE {name} LOGIN;
         GRANT ALL ON ALL TABLES IN SCHEMA public TO {name};
         GRANT ALL ON ALL SEQUENCES IN SCHEMA public TO {name}"
        ))
        .await;
    database.url().replacen("grateful@", &format!("{name}@"), 1)
}

#[track_caller]
fn assert_missing(loaded: Result<()>, key: &str) {
    match loaded {
        Err(StorageError::ForeignKeyViolation { constraint }) => assert_eq!(constraint, key),
        other => panic!("not rejected by {key}: {other:?}"),
    }
}

#[tokio::test]
async fn loaded_rows_become_visible_unchanged_at_commit() {
    let database = TestDatabase::create().await;
    let (mut load, ana, ben) = begin_with_two_users(&database.url()).await;
    let post: Post = a_post().by(ana).build();

    load.posts([post.clone()].into_iter()).await.unwrap();
    load.follows([new_follow(ben, ana)].into_iter()).await.unwrap();
    load.hearts([a_heart(ben, post.id)].into_iter()).await.unwrap();
    load.emoji_reactions([a_reaction(ben, post.id)].into_iter()).await.unwrap();
    let shares = [a_link_share(ben, post.id), a_message_share(ben, post.id, &[ana])];
    load.shares(shares.into_iter()).await.unwrap();
    load.comments([a_comment().by(ben).on(&post).build()].into_iter()).await.unwrap();
    let before = database.count("users").await;
    load.commit().await.unwrap();

    assert_eq!(before, 0);
    let seen = database.connect().await.posts().find(Viewer::Guest, post.id).await.unwrap();
    assert_eq!(seen.unwrap().post, post);
    let everything = "likes, emoji_reactions, share_recipients, comments, follows";
    assert_eq!(database.count(everything).await, 1);
    assert_eq!(database.count("shares").await, 2);
}

#[tokio::test]
async fn a_dropped_load_leaves_no_rows() {
    let database = TestDatabase::create().await;
    let (load, ..) = begin_with_two_users(&database.url()).await;

    drop(load);

    assert_eq!(database.count("users").await, 0);
    let (again, ..) = begin_with_two_users(&database.url()).await;
    again.commit().await.unwrap();
    assert_eq!(database.count("users").await, 2);
}

#[tokio::test]
async fn reserved_ids_are_not_given_out_again() {
    let database = TestDatabase::create().await;
    let one = BulkLoad::begin(&database.url()).await.unwrap();
    let other = BulkLoad::begin(&database.url()).await.unwrap();

    let first = one.reserve_user_ids(3).await.unwrap();
    let second = other.reserve_user_ids(2).await.unwrap();

    let next = create_user(&database).await;
    assert_eq!([first, second, vec![next]].concat(), (1..=6).map(UserId::from).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_taken_username_is_found_and_cannot_be_loaded_again() {
    let database = TestDatabase::create().await;
    let (load, ..) = begin_with_two_users(&database.url()).await;
    load.commit().await.unwrap();

    let mut load = BulkLoad::begin(&database.url()).await.unwrap();
    let found = load.find_taken_username(&["eve".to_owned(), "BEN".to_owned()]).await.unwrap();
    let none = load.find_taken_username(&["eve".to_owned()]).await.unwrap();
    let ids = load.reserve_user_ids(1).await.unwrap();
    let taken = load.users([new_user(ids[0], "Ben")].into_iter()).await;

    assert_eq!((found.as_deref(), none), (Some("ben"), None));
    assert!(matches!(taken, Err(StorageError::UniqueViolation { .. })), "{taken:?}");
}

#[tokio::test]
async fn dangling_references_are_rejected_for_every_account() {
    let database = TestDatabase::create().await;
    let plain = url_of_ordinary_account(&database).await;
    for url in [database.url(), plain] {
        let missing_post = a_post().by(1.into()).build().id;
        let missing_user = UserId::from(1_000_000);

        let (load, ana, _) = begin_with_two_users(&url).await;
        assert_missing(
            commit_with_hearts(load, &[a_heart(ana, missing_post)]).await,
            "likes_post_id_fkey",
        );
        let (mut load, ana, _) = begin_with_two_users(&url).await;
        let post = a_post().by(ana).build();
        load.posts([post.clone()].into_iter()).await.unwrap();
        assert_missing(
            commit_with_hearts(load, &[a_heart(missing_user, post.id)]).await,
            "likes_user_id_fkey",
        );
    }

    assert_eq!(database.count("users").await, 0);
}

#[tokio::test]
async fn a_reply_to_a_comment_on_another_post_is_rejected() {
    let database = TestDatabase::create().await;
    let (mut load, ana, _) = begin_with_two_users(&database.url()).await;
    let posts = [a_post().by(ana).build(), a_post().by(ana).build()];
    let first = a_comment().by(ana).on(&posts[0]).build();
    let mut reply = a_comment().by(ana).on(&posts[1]).build();
    reply.parent = Some(first.id);

    load.posts(posts.into_iter()).await.unwrap();
    load.comments([first, reply].into_iter()).await.unwrap();
    let loaded = load.commit().await;

    assert_missing(loaded, "comments_parent_id_fkey");
}

#[tokio::test]
async fn rows_from_before_the_load_cannot_be_referenced() {
    let database = TestDatabase::create().await;
    let old = a_post().insert_into(&database).await.id;

    let (load, ana, _) = begin_with_two_users(&database.url()).await;
    let loaded = commit_with_hearts(load, &[a_heart(ana, old)]).await;

    assert_missing(loaded, "likes_post_id_fkey");
}

#[tokio::test]
async fn an_unreachable_database_is_reported_as_unavailable() {
    let away = BulkLoad::begin("postgresql://unknown@127.0.0.1:1/nothing").await;

    assert!(matches!(away.err(), Some(StorageError::Unavailable(_))));
}
