//! The `emoji_reactions` table through [`EmojiReactions`](grateful_storage::EmojiReactions).

use std::collections::HashMap;

use chrono::TimeDelta;
use grateful_domain::{Emoji, EmojiCount, PostId, UserId};
use grateful_storage::{NewReaction, Repositories, SavedReaction, StorageError};
use grateful_test_database::{
    NOON, TestDatabase, a_post, a_reaction, create_user, load_engagement,
};

use crate::support::pages::{collect_pages, first_page};

#[tokio::test]
async fn a_reaction_needs_an_existing_user() {
    let database = TestDatabase::create().await;
    let post = a_post().insert_into(&database).await.id;
    let new = a_reaction(UserId::from(404), post);

    let rejected = database.connect().await.emoji_reactions().set(&[new]).await;

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
        set(&database, NewReaction { emoji, ..a_reaction(ana, post) }).await;

        let page =
            database.connect().await.emoji_reactions().list(ana, post, first_page(100)).await;
        let [reaction] = page.unwrap().items.try_into().unwrap();
        assert_eq!(reaction.emoji, emoji);
    }
}

#[tokio::test]
async fn paging_by_cursor_returns_each_reaction_to_a_post_once_during_writes() {
    let database = TestDatabase::create().await;
    let post = a_post().insert_into(&database).await.id;
    let viewer = create_user(&database).await;
    set(&database, a_reaction(viewer, a_post().insert_into(&database).await.id)).await;
    // The first one is the newest, the others have the same time.
    let mut expected = vec![];
    for at in [1, 0, 0, 0, 0].map(|hours| NOON + TimeDelta::hours(hours)) {
        let new = NewReaction { at, ..a_reaction(create_user(&database).await, post) };
        expected.push(set(&database, new).await.id);
    }
    expected[1..].reverse();

    let found = collect_pages(2, async |page| {
        let page =
            database.connect().await.emoji_reactions().list(viewer, post, page).await.unwrap();
        let first = a_reaction(create_user(&database).await, post);
        set(&database, NewReaction { at: NOON + TimeDelta::hours(2), ..first }).await;
        page
    })
    .await;

    assert_eq!(found.iter().map(|reaction| reaction.id).collect::<Vec<_>>(), expected);
}

/// A changed reaction keeps its id and its time, and is not counted again.
#[tokio::test]
async fn reactions_set_together_are_new_or_changed() {
    let database = TestDatabase::create().await;
    let [ana, ben] = [create_user(&database).await, create_user(&database).await];
    let post = a_post().insert_into(&database).await.id;
    let hidden = a_post().private().insert_into(&database).await.id;
    let hug = set(&database, a_reaction(ana, post)).await;

    let new = a_reaction(ben, post);
    let fire = NewReaction { emoji: Emoji::Fire, ..a_reaction(ana, post) };
    let reactions = [fire, new, a_reaction(ben, hidden)];
    let mut conn = database.connect().await;
    let mut saved = conn.emoji_reactions().set(&reactions).await.unwrap();

    saved.sort_unstable_by_key(|saved| saved.user);
    let expected = SavedReaction { id: new.id, user: ben, post, created_at: new.at, is_new: true };
    assert_eq!(saved, [SavedReaction { is_new: false, ..hug }, expected]);
    assert_eq!(counts(&database, &[post]).await[&post], [(Emoji::Fire, 1), (Emoji::Hug, 1)].into());
    assert_eq!(load_engagement(&database, post).await.reactions, 2);
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
        set(&database, new).await;
    }

    let counted = counts(&database, &[sun, rain, fog]).await;

    assert_eq!(counted[&sun], [(Emoji::Hug, 2), (Emoji::Joy, 1)].into());
    assert_eq!(counted[&rain], [(Emoji::Joy, 1)].into());
    assert!(!counted.contains_key(&fog));
    assert_eq!(counts(&database, &[rain]).await.len(), 1);
    assert_eq!(counts(&database, &[]).await.len(), 0);
}

async fn set(database: &TestDatabase, new: NewReaction) -> SavedReaction {
    let saved = database.connect().await.emoji_reactions().set(&[new]).await.unwrap();
    let [saved] = saved.try_into().unwrap();
    saved
}

async fn counts(database: &TestDatabase, posts: &[PostId]) -> HashMap<PostId, HashMap<Emoji, i64>> {
    let counts = database.connect().await.emoji_reactions().count_by_emoji(posts).await.unwrap();
    let by_emoji = |counts: Vec<EmojiCount>| {
        counts.into_iter().map(|count| (count.emoji, count.count)).collect()
    };
    counts.into_iter().map(|(post, counts)| (post, by_emoji(counts))).collect()
}
