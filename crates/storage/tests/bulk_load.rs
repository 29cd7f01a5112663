//! Loading by COPY: all of it or nothing, and nothing that a constraint would not allow.

#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

use grateful_domain::{Email, Follow, FollowState, Post, UserId, Username, Viewer};
use grateful_storage::{BulkLoad, BulkUser, NewHeart, Repositories, Result, StorageError};
use grateful_testkit::{
    NOON, TestDatabase, a_comment, a_heart, a_link_share, a_message_share, a_post, a_reaction,
    create_user,
};

fn a_person(id: UserId, name: &str) -> BulkUser {
    BulkUser {
        id,
        username: Username::parse(name).unwrap(),
        email: Email::parse(&format!("{name}@example.org")).unwrap(),
        password: "no hash".to_owned().into(),
        display_name: None,
        bio: None,
        city: None,
        preferences: None,
        created_at: NOON,
        followers: 0,
        following: 0,
        posts: 0,
        public_posts: 0,
    }
}

fn a_follow(from: UserId, to: UserId) -> Follow {
    let id = uuid::Uuid::from_u128(7).into();
    Follow { id, follower: from, followed: to, state: FollowState::Active, created_at: NOON }
}

/// A load with two people in it.
async fn with_two_people(url: &str) -> (BulkLoad, UserId, UserId) {
    let mut load = BulkLoad::begin(url).await.unwrap();
    let ids = load.reserve_user_ids(2).await.unwrap();
    let people = [a_person(ids[0], "ana"), a_person(ids[1], "ben")];
    load.users(people.into_iter()).await.unwrap();
    (load, ids[0], ids[1])
}

/// Loads hearts and commits.
async fn hearts(mut load: BulkLoad, hearts: &[NewHeart]) -> Result<()> {
    load.hearts(hearts.iter().copied()).await?;
    load.commit().await
}

/// The address of an account that may write rows, and is no superuser.
async fn as_somebody_plain(database: &TestDatabase) -> String {
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
        Err(StorageError::Missing { constraint }) => assert_eq!(constraint, key),
        other => panic!("not refused by {key}: {other:?}"),
    }
}

#[tokio::test]
async fn what_is_loaded_is_there_as_it_was_given_from_the_commit_on() {
    let database = TestDatabase::create().await;
    let (mut load, ana, ben) = with_two_people(&database.url()).await;
    let post: Post = a_post().by(ana).build();

    load.posts([post.clone()].into_iter()).await.unwrap();
    load.follows([a_follow(ben, ana)].into_iter()).await.unwrap();
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
async fn a_load_that_is_given_up_leaves_nothing_behind() {
    let database = TestDatabase::create().await;
    let (load, ..) = with_two_people(&database.url()).await;

    drop(load);

    assert_eq!(database.count("users").await, 0);
    let (again, ..) = with_two_people(&database.url()).await;
    again.commit().await.unwrap();
    assert_eq!(database.count("users").await, 2);
}

#[tokio::test]
async fn ids_are_reserved_for_one_load_alone() {
    let database = TestDatabase::create().await;
    let one = BulkLoad::begin(&database.url()).await.unwrap();
    let other = BulkLoad::begin(&database.url()).await.unwrap();

    let first = one.reserve_user_ids(3).await.unwrap();
    let second = other.reserve_user_ids(2).await.unwrap();

    let next = create_user(&database).await;
    assert_eq!([first, second, vec![next]].concat(), (1..=6).map(UserId::from).collect::<Vec<_>>());
}

#[tokio::test]
async fn whoever_has_one_of_the_names_is_found_and_nobody_gets_it_twice() {
    let database = TestDatabase::create().await;
    let (load, ..) = with_two_people(&database.url()).await;
    load.commit().await.unwrap();

    let mut load = BulkLoad::begin(&database.url()).await.unwrap();
    let found = load.find_taken_username(&["eve".to_owned(), "BEN".to_owned()]).await.unwrap();
    let nobody = load.find_taken_username(&["eve".to_owned()]).await.unwrap();
    let ids = load.reserve_user_ids(1).await.unwrap();
    let taken = load.users([a_person(ids[0], "Ben")].into_iter()).await;

    assert_eq!((found.as_deref(), nobody), (Some("ben"), None));
    assert!(matches!(taken, Err(StorageError::Taken { .. })), "{taken:?}");
}

#[tokio::test]
async fn what_refers_to_nothing_is_refused_whoever_loads_it() {
    let database = TestDatabase::create().await;
    let plain = as_somebody_plain(&database).await;
    for url in [database.url(), plain] {
        let nowhere = a_post().by(1.into()).build().id;
        let nobody = UserId::from(1_000_000);

        let (load, ana, _) = with_two_people(&url).await;
        assert_missing(hearts(load, &[a_heart(ana, nowhere)]).await, "likes_post_id_fkey");
        let (mut load, ana, _) = with_two_people(&url).await;
        let post = a_post().by(ana).build();
        load.posts([post.clone()].into_iter()).await.unwrap();
        assert_missing(hearts(load, &[a_heart(nobody, post.id)]).await, "likes_user_id_fkey");
    }

    assert_eq!(database.count("users").await, 0);
}

#[tokio::test]
async fn an_answer_to_nothing_and_one_to_a_comment_elsewhere_are_refused() {
    let database = TestDatabase::create().await;
    let (mut load, ana, _) = with_two_people(&database.url()).await;
    let posts = [a_post().by(ana).build(), a_post().by(ana).build()];
    let first = a_comment().by(ana).on(&posts[0]).build();
    let mut elsewhere = a_comment().by(ana).on(&posts[1]).build();
    elsewhere.parent = Some(first.id);

    load.posts(posts.into_iter()).await.unwrap();
    load.comments([first, elsewhere].into_iter()).await.unwrap();
    let loaded = load.commit().await;

    assert_missing(loaded, "comments_parent_id_fkey");
}

#[tokio::test]
async fn what_was_there_before_cannot_be_referred_to_since_it_may_go_away_meanwhile() {
    let database = TestDatabase::create().await;
    let old = a_post().insert_into(&database).await.id;

    let (load, ana, _) = with_two_people(&database.url()).await;
    let loaded = hearts(load, &[a_heart(ana, old)]).await;

    assert_missing(loaded, "likes_post_id_fkey");
}

#[tokio::test]
async fn a_database_that_is_away_is_said_to_be() {
    let away = BulkLoad::begin("postgresql://nobody@127.0.0.1:1/nothing").await;

    assert!(matches!(away.err(), Some(StorageError::Unavailable(_))));
}
