//! The `emoji_reactions` table through [`EmojiReactions`](grateful_storage::EmojiReactions).

use std::collections::HashMap;

use chrono::TimeDelta;
use futures_util::future::join_all;
use grateful_domain::{Emoji, EmojiCount, Post, PostId, Reaction, ReactionId, UserId};
use grateful_storage::{Database, NewReaction, Repositories, SavedReaction, StorageError};
use grateful_testkit::{
    NOON, TestDatabase, a_post, a_reaction, a_user, block, create_user, load_engagement,
};
use uuid::Uuid;

use crate::support::pages::{collect_pages, first_page};

#[tokio::test]
async fn a_new_reaction_is_counted_and_listed_with_its_user() {
    let database = TestDatabase::create().await;
    let post = a_post().insert_into(&database).await.id;
    let ana = a_user().with_username("ana").insert_into(&database).await;
    let new = a_reaction(ana.id, post);

    let saved = set(&database, &new).await;

    assert_eq!(saved, Some(SavedReaction { id: new.id, created_at: new.at, is_new: true }));
    assert_eq!(load_engagement(&database, post).await.reactions, 1);
    let [reaction] = list(&database, ana.id, post).await.try_into().unwrap();
    assert_eq!((reaction.id, reaction.post, reaction.emoji), (new.id, post, Emoji::Hug));
    assert_eq!((reaction.created_at, reaction.user.username), (new.at, ana.username));
}

#[tokio::test]
async fn changing_a_reaction_keeps_its_id_and_time_and_the_count() {
    let database = TestDatabase::create().await;
    let post = a_post().insert_into(&database).await.id;
    let ana = create_user(&database).await;
    let hug = a_reaction(ana, post);
    set(&database, &hug).await;

    let fire = NewReaction { emoji: Emoji::Fire, ..a_reaction(ana, post) };
    let saved = set(&database, &fire).await;

    assert_eq!(saved, Some(SavedReaction { id: hug.id, created_at: hug.at, is_new: false }));
    assert_eq!(load_engagement(&database, post).await.reactions, 1);
    let [reaction] = list(&database, ana, post).await.try_into().unwrap();
    assert_eq!((reaction.id, reaction.emoji), (hug.id, Emoji::Fire));
    assert_eq!(reaction.created_at, hug.at);
}

#[tokio::test]
async fn setting_the_same_emoji_again_is_not_new() {
    let database = TestDatabase::create().await;
    let post = a_post().insert_into(&database).await.id;
    let ana = create_user(&database).await;
    let hug = a_reaction(ana, post);
    set(&database, &hug).await;

    let saved = set(&database, &a_reaction(ana, post)).await;

    assert_eq!(saved, Some(SavedReaction { id: hug.id, created_at: hug.at, is_new: false }));
    assert_eq!(load_engagement(&database, post).await.reactions, 1);
}

#[tokio::test]
async fn a_removed_reaction_is_not_counted_and_the_next_one_is_new() {
    let database = TestDatabase::create().await;
    let post = a_post().insert_into(&database).await.id;
    let [ana, ben] = [create_user(&database).await, create_user(&database).await];
    set(&database, &a_reaction(ana, post)).await;
    set(&database, &a_reaction(ben, post)).await;

    assert!(remove(&database, ana, post).await);

    assert_eq!(load_engagement(&database, post).await.reactions, 1);
    assert_eq!(users(&list(&database, ana, post).await), [ben]);
    assert!(set(&database, &a_reaction(ana, post)).await.unwrap().is_new);
}

#[tokio::test]
async fn removing_a_missing_reaction_changes_no_count() {
    let database = TestDatabase::create().await;
    let post = a_post().insert_into(&database).await.id;
    let [ana, ben] = [create_user(&database).await, create_user(&database).await];
    set(&database, &a_reaction(ben, post)).await;

    assert!(!remove(&database, ana, post).await);

    assert_eq!(load_engagement(&database, post).await.reactions, 1);
}

#[tokio::test]
async fn only_the_author_can_react_to_a_private_post() {
    let database = TestDatabase::create().await;
    let [ana, ben] = [create_user(&database).await, create_user(&database).await];
    let post = a_post().by(ana).private().insert_into(&database).await.id;

    let by_ben = set(&database, &a_reaction(ben, post)).await;
    let by_ana = set(&database, &a_reaction(ana, post)).await;

    assert_eq!(by_ben, None);
    assert!(by_ana.unwrap().is_new);
    assert_eq!(load_engagement(&database, post).await.reactions, 1);
    assert!(!remove(&database, ben, post).await);
}

#[tokio::test]
async fn a_reaction_to_a_post_made_private_cannot_change_but_be_removed() {
    let database = TestDatabase::create().await;
    let Post { id: post, author, .. } = a_post().insert_into(&database).await;
    let ana = create_user(&database).await;
    set(&database, &a_reaction(ana, post)).await;
    database.execute("UPDATE posts SET is_public = false").await;

    let changed = set(&database, &NewReaction { emoji: Emoji::Joy, ..a_reaction(ana, post) }).await;

    assert_eq!(changed, None);
    assert_eq!(database.count("emoji_reactions WHERE emoji_code = 'hug'").await, 1);
    assert_eq!(load_engagement(&database, post).await.reactions, 1);
    let removed = database.connect().await.emoji_reactions().remove(ana, post).await.unwrap();
    assert_eq!(removed, Some(author));
    assert_eq!(load_engagement(&database, post).await.reactions, 0);
}

#[tokio::test]
async fn reactions_to_a_missing_post_cannot_be_set_or_removed() {
    let database = TestDatabase::create().await;
    let ana = create_user(&database).await;
    let missing = PostId::from(Uuid::from_u128(7));

    assert_eq!(set(&database, &a_reaction(ana, missing)).await, None);
    assert!(!remove(&database, ana, missing).await);
}

#[tokio::test]
async fn a_reaction_needs_an_existing_user() {
    let database = TestDatabase::create().await;
    let post = a_post().insert_into(&database).await.id;
    let new = a_reaction(UserId::from(404), post);

    let rejected = database.connect().await.emoji_reactions().set(&new).await;

    let Err(StorageError::ForeignKeyViolation { constraint }) = rejected else {
        panic!("{rejected:?}")
    };
    assert_eq!(constraint, "emoji_reactions_user_id_fkey");
    assert_eq!(load_engagement(&database, post).await.reactions, 0);
}

#[tokio::test]
async fn every_emoji_can_be_stored_and_read() {
    let database = TestDatabase::create().await;
    let post = a_post().insert_into(&database).await.id;
    let ana = create_user(&database).await;

    for emoji in Emoji::ALL {
        set(&database, &NewReaction { emoji, ..a_reaction(ana, post) }).await;

        let [reaction] = list(&database, ana, post).await.try_into().unwrap();
        assert_eq!(reaction.emoji, emoji);
    }
}

#[tokio::test]
async fn reactions_are_listed_newest_first_and_then_by_id() {
    let database = TestDatabase::create().await;
    let post = a_post().insert_into(&database).await.id;
    let mut expected = Vec::new();
    for at in [NOON, NOON, NOON, NOON + TimeDelta::microseconds(1)] {
        let new = NewReaction { at, ..a_reaction(create_user(&database).await, post) };
        set(&database, &new).await;
        expected.push(new.id);
    }
    expected.reverse();

    assert_eq!(ids(&list(&database, create_user(&database).await, post).await), expected);
}

#[tokio::test]
async fn paging_by_cursor_returns_each_reaction_once_during_writes() {
    let database = TestDatabase::create().await;
    let post = a_post().insert_into(&database).await.id;
    let viewer = create_user(&database).await;
    let mut expected = Vec::new();
    for _ in 0..5 {
        let new = NewReaction { at: NOON, ..a_reaction(create_user(&database).await, post) };
        set(&database, &new).await;
        expected.push(new.id);
    }
    expected.reverse();

    let found = collect_pages(2, async |page| {
        let page =
            database.connect().await.emoji_reactions().list(viewer, post, page).await.unwrap();
        set(&database, &a_reaction(create_user(&database).await, post)).await;
        page
    })
    .await;

    assert_eq!(ids(&found), expected);
}

#[tokio::test]
async fn reactions_across_a_block_are_hidden_but_counted() {
    let database = TestDatabase::create().await;
    let post = a_post().insert_into(&database).await.id;
    let [ana, ben, eve] =
        [create_user(&database).await, create_user(&database).await, create_user(&database).await];
    for user in [ana, ben, eve] {
        set(&database, &a_reaction(user, post)).await;
    }
    block(&database, ana, ben).await;

    assert_eq!(users(&list(&database, ana, post).await), [eve, ana]);
    assert_eq!(users(&list(&database, ben, post).await), [eve, ben]);
    assert_eq!(users(&list(&database, eve, post).await), [eve, ben, ana]);
    assert_eq!(counts(&database, &[post]).await[&post], [(Emoji::Hug, 3)].into());
}

#[tokio::test]
async fn reactions_are_counted_by_post_and_emoji() {
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
        set(&database, &new).await;
    }

    let counted = counts(&database, &[sun, rain, fog]).await;

    assert_eq!(counted[&sun], [(Emoji::Hug, 2), (Emoji::Joy, 1)].into());
    assert_eq!(counted[&rain], [(Emoji::Joy, 1)].into());
    assert!(!counted.contains_key(&fog));
    assert_eq!(counts(&database, &[rain]).await.len(), 1);
    assert_eq!(counts(&database, &[]).await.len(), 0);
}

#[tokio::test]
async fn ten_concurrent_reactions_of_one_user_become_one() {
    let database = TestDatabase::create().await;
    let post = a_post().insert_into(&database).await.id;
    let ana = create_user(&database).await;
    let new = Emoji::ALL.map(|emoji| NewReaction { emoji, ..a_reaction(ana, post) });

    let saved: Vec<SavedReaction> =
        join_all(new.map(|new| set_concurrently(&database.pool, new))).await;

    assert_eq!(saved.iter().filter(|saved| saved.is_new).count(), 1);
    assert!(
        saved.iter().all(
            |reaction| reaction.id == saved[0].id && reaction.created_at == saved[0].created_at
        )
    );
    assert_eq!(load_engagement(&database, post).await.reactions, 1);
    assert_eq!(database.count("emoji_reactions").await, 1);
}

async fn set(database: &TestDatabase, new: &NewReaction) -> Option<SavedReaction> {
    database.connect().await.emoji_reactions().set(new).await.unwrap()
}

async fn set_concurrently(pool: &Database, new: NewReaction) -> SavedReaction {
    pool.acquire().await.unwrap().emoji_reactions().set(&new).await.unwrap().unwrap()
}

async fn remove(database: &TestDatabase, user: UserId, post: PostId) -> bool {
    database.connect().await.emoji_reactions().remove(user, post).await.unwrap().is_some()
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
    let by_emoji = |counts: Vec<EmojiCount>| {
        counts.into_iter().map(|count| (count.emoji, count.count)).collect()
    };
    counts.into_iter().map(|(post, counts)| (post, by_emoji(counts))).collect()
}

fn ids(reactions: &[Reaction]) -> Vec<ReactionId> {
    reactions.iter().map(|reaction| reaction.id).collect()
}

fn users(reactions: &[Reaction]) -> Vec<UserId> {
    reactions.iter().map(|reaction| reaction.user.id).collect()
}
