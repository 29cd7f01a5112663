//! Reading a user's data for the export, through [`PersonalData`].

use std::collections::BTreeSet;

use chrono::{DateTime, TimeDelta, Utc};
use grateful_domain::{Comment, Emoji, Post, Share, ShareDetails, UserId};
use grateful_storage::{NewReaction, PersonalData, Repositories};
use grateful_test_database::{
    NOON, TestDatabase, a_comment, a_heart, a_link_share, a_message_share, a_post, a_reaction,
    block, create_user,
};
use uuid::Uuid;

/// Reads a section to its end and returns the ids of each batch. Each batch continues after the last item of the previous
/// one.
macro_rules! read_batches {
    ($last:ident, $read:expr, |$item:ident| $id:expr) => {{
        let (mut batches, mut $last) = (Vec::new(), None);
        loop {
            let batch = $read.await.unwrap();
            $last = batch.last().map(|$item| $id);
            batches.push(batch.into_iter().map(|$item| Uuid::from($id)).collect::<Vec<_>>());
            if $last.is_none() {
                break batches;
            }
        }
    }};
}

#[tokio::test]
async fn a_user_without_any_data_gets_empty_sections() {
    let database = TestDatabase::create().await;
    let (ana, ben) = (create_user(&database).await, create_user(&database).await);
    create_data(
        &database,
        ben,
        &a_post().insert_into(&database).await,
        create_user(&database).await,
    )
    .await;
    let mut conn = database.connect().await;

    for user in [ana, UserId::from(-1)] {
        assert_eq!(conn.personal_data().list_hearts(user, None).await.unwrap(), []);
        assert_eq!(conn.personal_data().list_reactions(user, None).await.unwrap(), []);
        assert_eq!(conn.personal_data().list_shares(user, None).await.unwrap(), []);
        assert_eq!(conn.personal_data().list_received_shares(user, None).await.unwrap(), []);
        assert_eq!(conn.personal_data().list_comments(user, None).await.unwrap(), []);
    }
}

#[tokio::test]
async fn sections_hold_all_data_of_the_user_and_nothing_of_other_users() {
    let database = TestDatabase::create().await;
    let (ana, ben) = (create_user(&database).await, create_user(&database).await);
    let post = a_post().by(ben).insert_into(&database).await;
    let (link, sent, comment) = create_data(&database, ana, &post, ben).await;
    create_data(&database, ben, &post, ana).await;
    let mut conn = database.connect().await;

    let [heart] = conn.personal_data().list_hearts(ana, None).await.unwrap().try_into().unwrap();
    assert_eq!(heart.post, post.id);
    let [reaction] =
        conn.personal_data().list_reactions(ana, None).await.unwrap().try_into().unwrap();
    assert_eq!((reaction.post, reaction.emoji), (post.id, Emoji::Fire));
    let shares = conn.personal_data().list_shares(ana, None).await.unwrap();
    assert_eq!(shares, [link, sent]);
    let [received] =
        conn.personal_data().list_received_shares(ben, None).await.unwrap().try_into().unwrap();
    assert_eq!((received.share, received.post), (shares[1].id, post.id));
    assert_eq!(received.message.as_ref(), shares[1].details.message());
    assert_eq!(received.at, shares[1].created_at);
    let users = format!("users WHERE id = {ana} AND username = '{}'", received.by);
    assert_eq!(database.count(&users).await, 1);
    assert_eq!(conn.personal_data().list_comments(ana, None).await.unwrap(), [comment]);
}

#[tokio::test]
async fn a_message_across_a_block_is_exported_without_its_text() {
    let database = TestDatabase::create().await;
    for is_blocked_by_sender in [true, false] {
        let (ana, ben) = (create_user(&database).await, create_user(&database).await);
        let post = a_post().insert_into(&database).await;
        let mut conn = database.connect().await;
        conn.shares().create(&a_message_share(ben, post.id, &[ana])).await.unwrap();
        let (blocker, blocked) = if is_blocked_by_sender { (ben, ana) } else { (ana, ben) };
        block(&database, blocker, blocked).await;

        let received = conn.personal_data().list_received_shares(ana, None).await.unwrap();

        assert_eq!(received.len(), 1);
        assert_eq!(received[0].message, None);
    }
}

/// A message stays a message after all its recipients have been deleted.
#[tokio::test]
async fn a_message_without_remaining_recipients_does_not_become_a_link() {
    let database = TestDatabase::create().await;
    let (ana, ben) = (create_user(&database).await, create_user(&database).await);
    let post = a_post().insert_into(&database).await;
    let mut conn = database.connect().await;
    conn.shares().create(&a_message_share(ana, post.id, &[ben])).await.unwrap();
    database.execute(&format!("DELETE FROM users WHERE id = {ben}")).await;

    let [share] = conn.personal_data().list_shares(ana, None).await.unwrap().try_into().unwrap();

    let ShareDetails::Message { recipients, message } = share.details else { panic!("{share:?}") };
    assert_eq!(recipients.as_slice(), []);
    assert_eq!(message.unwrap().as_str(), "Look at that");
}

#[tokio::test]
async fn each_batch_continues_after_the_previous_one() {
    let database = TestDatabase::create().await;
    let ana = create_user(&database).await;
    let total = 2 * PersonalData::BATCH_SIZE + 7;
    create_rows(&database, ana, total).await;
    let mut conn = database.connect().await;

    for batches in [
        read_batches!(last, conn.personal_data().list_hearts(ana, last), |heart| heart.post),
        read_batches!(last, conn.personal_data().list_reactions(ana, last), |reaction| reaction
            .post),
        read_batches!(last, conn.personal_data().list_shares(ana, last), |share| share.id),
        read_batches!(last, conn.personal_data().list_received_shares(ana, last), |received| {
            received.share
        }),
    ] {
        assert_complete(batches, total);
    }
}

/// Several hundred comments have the same time, so batches begin and end between comments of equal times.
#[tokio::test]
async fn comments_are_read_newest_first_by_time_and_then_by_id() {
    let database = TestDatabase::create().await;
    let ana = create_user(&database).await;
    let total = 2 * PersonalData::BATCH_SIZE + 7;
    create_rows(&database, ana, total).await;
    let mut conn = database.connect().await;

    let (mut comments, mut last) = (Vec::new(), None);
    loop {
        let batch = conn.personal_data().list_comments(ana, last).await.unwrap();
        assert!(i64::try_from(batch.len()).unwrap() <= PersonalData::BATCH_SIZE);
        last = batch.last().map(Comment::position);
        comments.extend(batch);
        if last.is_none() {
            break;
        }
    }

    let position = |comment: &Comment| (comment.created_at, Uuid::from(comment.id));
    assert!(comments.is_sorted_by(|one, next| position(one) > position(next)));
    assert_eq!(i64::try_from(comments.len()).unwrap(), total);
}

/// Checks that all batches but the last two are full, that the last one is empty, and that no id repeats.
#[track_caller]
fn assert_complete(batches: Vec<Vec<Uuid>>, total: i64) {
    let sizes: Vec<i64> = batches.iter().map(|batch| i64::try_from(batch.len()).unwrap()).collect();
    assert_eq!(sizes, [PersonalData::BATCH_SIZE, PersonalData::BATCH_SIZE, 7, 0]);
    let ids: BTreeSet<Uuid> = batches.into_iter().flatten().collect();
    assert_eq!(i64::try_from(ids.len()).unwrap(), total);
}

/// Creates a heart, a reaction, a link share, a message and a comment.
async fn create_data(
    database: &TestDatabase,
    user: UserId,
    post: &Post,
    other: UserId,
) -> (Share, Share, Comment) {
    let mut conn = database.connect().await;
    conn.hearts().add(&[a_heart(user, post.id)]).await.unwrap();
    let fire = NewReaction { emoji: Emoji::Fire, ..a_reaction(user, post.id) };
    conn.emoji_reactions().set(&[fire]).await.unwrap();
    let (link, sent) = (a_link_share(user, post.id), a_message_share(user, post.id, &[other]));
    conn.shares().create(&link).await.unwrap();
    conn.shares().create(&sent).await.unwrap();
    (link, sent, a_comment().by(user).on(post).insert_into(database).await)
}

/// Creates `total` rows of each kind.
async fn create_rows(database: &TestDatabase, user: UserId, total: i64) {
    let noon: DateTime<Utc> = NOON - TimeDelta::days(1);
    let author = create_user(database).await;
    database
        .execute(&format!(
            "INSERT INTO posts (id, author_id, content)
         SELECT gen_random_uuid(), {author}, 'Rain' FROM generate_series(1, {total});
         INSERT INTO likes (id, user_id, post_id) SELECT gen_random_uuid(), {user}, id FROM posts;
         INSERT INTO emoji_reactions (id, user_id, post_id, emoji_code)
         SELECT gen_random_uuid(), {user}, id, 'hug' FROM posts;
         INSERT INTO shares (id, user_id, post_id, share_method)
         SELECT gen_random_uuid(), {user}, id, 'url' FROM posts;
         INSERT INTO shares (id, user_id, post_id, share_method)
         SELECT gen_random_uuid(), {author}, id, 'message' FROM posts;
         INSERT INTO share_recipients (share_id, user_id)
         SELECT id, {user} FROM shares WHERE share_method = 'message';
         INSERT INTO comments (id, author_id, post_id, content, created_at)
         SELECT gen_random_uuid(), {user}, id, 'So kind',
             timestamptz '{noon}' + row_number() OVER () / 300 * interval '1 second'
         FROM posts"
        ))
        .await;
}
