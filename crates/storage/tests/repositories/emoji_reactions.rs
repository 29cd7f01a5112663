//! The `emoji_reactions` table through [`EmojiReactions`](grateful_storage::EmojiReactions).

use std::collections::HashMap;

use chrono::TimeDelta;
use futures_util::future::join_all;
use grateful_domain::{Emoji, EmojiCount, PostId, Reaction, ReactionId, UserId};
use grateful_storage::{Database, NewReaction, Repositories, SavedReaction, StorageError};
use grateful_testkit::{
    NOON, TestDatabase, a_post, a_reaction, a_user, block, create_user, load_engagement,
};
use uuid::Uuid;

use crate::support::pages::{collect_pages, first_page};

#[tokio::test]
async fn a_first_emoji_is_counted_and_listed_with_who_left_it() {
    let database = TestDatabase::create().await;
    let post = a_post().insert_into(&database).await.id;
    let ana = a_user().with_username("ana").insert_into(&database).await;
    let new = a_reaction(ana.id, post);

    let put = leave(&database, &new).await;

    assert_eq!(put, Some(SavedReaction { id: new.id, created_at: new.at, is_new: true }));
    assert_eq!(load_engagement(&database, post).await.reactions, 1);
    let [reaction] = list(&database, ana.id, post).await.try_into().unwrap();
    assert_eq!((reaction.id, reaction.post, reaction.emoji), (new.id, post, Emoji::Hug));
    assert_eq!((reaction.created_at, reaction.by.username), (new.at, ana.username));
}

#[tokio::test]
async fn a_change_of_mind_keeps_id_and_time_and_counts_nothing() {
    let database = TestDatabase::create().await;
    let post = a_post().insert_into(&database).await.id;
    let ana = create_user(&database).await;
    let hug = a_reaction(ana, post);
    leave(&database, &hug).await;

    let fire = NewReaction { emoji: Emoji::Fire, ..a_reaction(ana, post) };
    let put = leave(&database, &fire).await;

    assert_eq!(put, Some(SavedReaction { id: hug.id, created_at: hug.at, is_new: false }));
    assert_eq!(load_engagement(&database, post).await.reactions, 1);
    let [reaction] = list(&database, ana, post).await.try_into().unwrap();
    assert_eq!((reaction.id, reaction.emoji), (hug.id, Emoji::Fire));
    assert_eq!(reaction.created_at, hug.at);
}

#[tokio::test]
async fn the_same_emoji_again_is_not_new() {
    let database = TestDatabase::create().await;
    let post = a_post().insert_into(&database).await.id;
    let ana = create_user(&database).await;
    let hug = a_reaction(ana, post);
    leave(&database, &hug).await;

    let put = leave(&database, &a_reaction(ana, post)).await;

    assert_eq!(put, Some(SavedReaction { id: hug.id, created_at: hug.at, is_new: false }));
    assert_eq!(load_engagement(&database, post).await.reactions, 1);
}

#[tokio::test]
async fn an_emoji_that_is_taken_back_counts_no_more_and_the_next_one_is_new() {
    let database = TestDatabase::create().await;
    let post = a_post().insert_into(&database).await.id;
    let [ana, ben] = [create_user(&database).await, create_user(&database).await];
    leave(&database, &a_reaction(ana, post)).await;
    leave(&database, &a_reaction(ben, post)).await;

    assert!(take_back(&database, ana, post).await);

    assert_eq!(load_engagement(&database, post).await.reactions, 1);
    assert_eq!(people(&list(&database, ana, post).await), [ben]);
    assert!(leave(&database, &a_reaction(ana, post)).await.unwrap().is_new);
}

#[tokio::test]
async fn taking_back_an_emoji_that_was_never_left_counts_nothing() {
    let database = TestDatabase::create().await;
    let post = a_post().insert_into(&database).await.id;
    let [ana, ben] = [create_user(&database).await, create_user(&database).await];
    leave(&database, &a_reaction(ben, post)).await;

    assert!(!take_back(&database, ana, post).await);

    assert_eq!(load_engagement(&database, post).await.reactions, 1);
}

#[tokio::test]
async fn nobody_but_its_author_leaves_an_emoji_on_a_private_post() {
    let database = TestDatabase::create().await;
    let [ana, ben] = [create_user(&database).await, create_user(&database).await];
    let post = a_post().by(ana).private().insert_into(&database).await.id;

    let by_ben = leave(&database, &a_reaction(ben, post)).await;
    let by_ana = leave(&database, &a_reaction(ana, post)).await;

    assert_eq!(by_ben, None);
    assert!(by_ana.unwrap().is_new);
    assert_eq!(load_engagement(&database, post).await.reactions, 1);
    assert!(!take_back(&database, ben, post).await);
}

#[tokio::test]
async fn an_emoji_on_a_post_that_became_private_stays_as_it_is() {
    let database = TestDatabase::create().await;
    let post = a_post().insert_into(&database).await.id;
    let ana = create_user(&database).await;
    leave(&database, &a_reaction(ana, post)).await;
    database.execute("UPDATE posts SET is_public = false").await;

    let changed =
        leave(&database, &NewReaction { emoji: Emoji::Joy, ..a_reaction(ana, post) }).await;

    assert_eq!(changed, None);
    assert!(!take_back(&database, ana, post).await);
    assert_eq!(database.count("emoji_reactions WHERE emoji_code = 'hug'").await, 1);
    assert_eq!(load_engagement(&database, post).await.reactions, 1);
}

#[tokio::test]
async fn a_post_that_is_gone_takes_no_emoji_and_gives_none_back() {
    let database = TestDatabase::create().await;
    let ana = create_user(&database).await;
    let nowhere = PostId::from(Uuid::from_u128(7));

    assert_eq!(leave(&database, &a_reaction(ana, nowhere)).await, None);
    assert!(!take_back(&database, ana, nowhere).await);
}

#[tokio::test]
async fn nobody_leaves_an_emoji_without_an_account() {
    let database = TestDatabase::create().await;
    let post = a_post().insert_into(&database).await.id;
    let new = a_reaction(UserId::from(404), post);

    let refused = database.connect().await.emoji_reactions().set(&new).await;

    let Err(StorageError::Missing { constraint }) = refused else { panic!("{refused:?}") };
    assert_eq!(constraint, "emoji_reactions_user_id_fkey");
    assert_eq!(load_engagement(&database, post).await.reactions, 0);
}

#[tokio::test]
async fn every_emoji_of_the_domain_can_be_stored_and_read() {
    let database = TestDatabase::create().await;
    let post = a_post().insert_into(&database).await.id;
    let ana = create_user(&database).await;

    for emoji in Emoji::ALL {
        leave(&database, &NewReaction { emoji, ..a_reaction(ana, post) }).await;

        let [reaction] = list(&database, ana, post).await.try_into().unwrap();
        assert_eq!(reaction.emoji, emoji);
    }
}

#[tokio::test]
async fn emoji_are_listed_newest_first_and_those_of_one_moment_by_id() {
    let database = TestDatabase::create().await;
    let post = a_post().insert_into(&database).await.id;
    let mut expected = Vec::new();
    for at in [NOON, NOON, NOON, NOON + TimeDelta::microseconds(1)] {
        let new = NewReaction { at, ..a_reaction(create_user(&database).await, post) };
        leave(&database, &new).await;
        expected.push(new.id);
    }
    expected.reverse();

    assert_eq!(ids(&list(&database, create_user(&database).await, post).await), expected);
}

#[tokio::test]
async fn a_reader_who_goes_on_by_cursor_meets_each_emoji_once_while_others_write() {
    let database = TestDatabase::create().await;
    let post = a_post().insert_into(&database).await.id;
    let viewer = create_user(&database).await;
    let mut expected = Vec::new();
    for _ in 0..5 {
        let new = NewReaction { at: NOON, ..a_reaction(create_user(&database).await, post) };
        leave(&database, &new).await;
        expected.push(new.id);
    }
    expected.reverse();

    let met = collect_pages(2, async |page| {
        let slice =
            database.connect().await.emoji_reactions().list(viewer, post, page).await.unwrap();
        leave(&database, &a_reaction(create_user(&database).await, post)).await;
        slice
    })
    .await;

    assert_eq!(ids(&met), expected);
}

#[tokio::test]
async fn across_a_block_nobody_is_listed_and_everybody_stays_counted() {
    let database = TestDatabase::create().await;
    let post = a_post().insert_into(&database).await.id;
    let [ana, ben, eve] =
        [create_user(&database).await, create_user(&database).await, create_user(&database).await];
    for user in [ana, ben, eve] {
        leave(&database, &a_reaction(user, post)).await;
    }
    block(&database, ana, ben).await;

    assert_eq!(people(&list(&database, ana, post).await), [eve, ana]);
    assert_eq!(people(&list(&database, ben, post).await), [eve, ben]);
    assert_eq!(people(&list(&database, eve, post).await), [eve, ben, ana]);
    assert_eq!(counts(&database, &[post]).await[&post], [(Emoji::Hug, 3)].into());
}

#[tokio::test]
async fn emoji_are_counted_by_post_and_kind() {
    let database = TestDatabase::create().await;
    let [sun, rain, fog] = [
        a_post().insert_into(&database).await.id,
        a_post().insert_into(&database).await.id,
        a_post().insert_into(&database).await.id,
    ];
    for (post, emoji) in
        [(sun, Emoji::Hug), (sun, Emoji::Hug), (sun, Emoji::Joy), (rain, Emoji::Joy)]
    {
        let new = NewReaction { emoji, ..a_reaction(create_user(&database).await, post) };
        leave(&database, &new).await;
    }

    let counted = counts(&database, &[sun, rain, fog]).await;

    assert_eq!(counted[&sun], [(Emoji::Hug, 2), (Emoji::Joy, 1)].into());
    assert_eq!(counted[&rain], [(Emoji::Joy, 1)].into());
    assert!(!counted.contains_key(&fog));
    assert_eq!(counts(&database, &[rain]).await.len(), 1);
    assert_eq!(counts(&database, &[]).await.len(), 0);
}

#[tokio::test]
async fn ten_emoji_of_one_person_at_once_are_one_of_which_one_is_new() {
    let database = TestDatabase::create().await;
    let post = a_post().insert_into(&database).await.id;
    let ana = create_user(&database).await;
    let new = Emoji::ALL.map(|emoji| NewReaction { emoji, ..a_reaction(ana, post) });

    let put: Vec<SavedReaction> = join_all(new.map(|new| at_once(&database.pool, new))).await;

    assert_eq!(put.iter().filter(|put| put.is_new).count(), 1);
    assert!(put.iter().all(|it| it.id == put[0].id && it.created_at == put[0].created_at));
    assert_eq!(load_engagement(&database, post).await.reactions, 1);
    assert_eq!(database.count("emoji_reactions").await, 1);
}

async fn leave(database: &TestDatabase, new: &NewReaction) -> Option<SavedReaction> {
    database.connect().await.emoji_reactions().set(new).await.unwrap()
}

async fn at_once(db: &Database, new: NewReaction) -> SavedReaction {
    db.acquire().await.unwrap().emoji_reactions().set(&new).await.unwrap().unwrap()
}

async fn take_back(database: &TestDatabase, user: UserId, post: PostId) -> bool {
    database.connect().await.emoji_reactions().remove(user, post).await.unwrap()
}

async fn list(database: &TestDatabase, viewer: UserId, post: PostId) -> Vec<Reaction> {
    database
        .connect()
        .await
        .emoji_reactions()
        .list(viewer, post, first_page(100))
        .await
        .unwrap()
        .items
}

async fn counts(database: &TestDatabase, posts: &[PostId]) -> HashMap<PostId, HashMap<Emoji, i64>> {
    let counts = database.connect().await.emoji_reactions().count_by_emoji(posts).await.unwrap();
    let by_emoji =
        |counts: Vec<EmojiCount>| counts.into_iter().map(|it| (it.emoji, it.count)).collect();
    counts.into_iter().map(|(post, counts)| (post, by_emoji(counts))).collect()
}

fn ids(reactions: &[Reaction]) -> Vec<ReactionId> {
    reactions.iter().map(|reaction| reaction.id).collect()
}

fn people(reactions: &[Reaction]) -> Vec<UserId> {
    reactions.iter().map(|reaction| reaction.by.id).collect()
}
