//! The `shares` and `share_recipients` tables through [`Shares`](grateful_storage::Shares).

use chrono::{DateTime, TimeDelta, Utc};
use futures_util::future::join_all;
use grateful_domain::{PostId, Share, ShareDetails, ShareQuota, UserId};
use grateful_storage::{Database, Repositories, Result, StorageError};
use grateful_testkit::{
    NOON, TestDatabase, a_link_share, a_message_share, a_post, create_user, load_engagement,
};
use uuid::Uuid;

#[tokio::test]
async fn a_link_share_is_counted_and_found() {
    let database = TestDatabase::create().await;
    let post = a_post().insert_into(&database).await.id;
    let [ana, ben] = [create_user(&database).await, create_user(&database).await];
    let link = a_link_share(ana, post);

    assert!(create(&database, &link).await);

    assert_eq!(load_engagement(&database, post).await.shares, 1);
    assert_eq!(link_of(&database, ana, post).await, Some(link));
    assert_eq!(link_of(&database, ben, post).await, None);
}

#[tokio::test]
async fn a_second_link_share_of_the_same_post_is_not_created() {
    let database = TestDatabase::create().await;
    let post = a_post().insert_into(&database).await.id;
    let ana = create_user(&database).await;
    let link = a_link_share(ana, post);
    create(&database, &link).await;

    assert!(!create(&database, &a_link_share(ana, post)).await);

    assert_eq!(load_engagement(&database, post).await.shares, 1);
    assert_eq!(link_of(&database, ana, post).await, Some(link));
}

#[tokio::test]
async fn link_shares_are_counted_by_user_and_post() {
    let database = TestDatabase::create().await;
    let [sun, rain] =
        [a_post().insert_into(&database).await.id, a_post().insert_into(&database).await.id];
    let [ana, ben] = [create_user(&database).await, create_user(&database).await];

    for link in [a_link_share(ana, sun), a_link_share(ben, sun), a_link_share(ana, rain)] {
        assert!(create(&database, &link).await);
    }

    assert_eq!(load_engagement(&database, sun).await.shares, 2);
    assert_eq!(load_engagement(&database, rain).await.shares, 1);
}

#[tokio::test]
async fn a_deleted_link_share_is_not_counted_and_can_be_created_again() {
    let database = TestDatabase::create().await;
    let post = a_post().insert_into(&database).await.id;
    let [ana, ben] = [create_user(&database).await, create_user(&database).await];
    create(&database, &a_link_share(ana, post)).await;
    create(&database, &a_link_share(ben, post)).await;

    assert!(delete_link(&database, ana, post).await);

    assert_eq!(load_engagement(&database, post).await.shares, 1);
    assert_eq!(link_of(&database, ana, post).await, None);
    assert!(!delete_link(&database, ana, post).await);
    assert!(create(&database, &a_link_share(ana, post)).await);
    assert_eq!(load_engagement(&database, post).await.shares, 2);
}

#[tokio::test]
async fn deleting_a_link_share_keeps_messages() {
    let database = TestDatabase::create().await;
    let post = a_post().insert_into(&database).await.id;
    let [ana, ben] = [create_user(&database).await, create_user(&database).await];
    create(&database, &a_message_share(ana, post, &[ben])).await;

    assert!(!delete_link(&database, ana, post).await);

    assert_eq!(database.count("shares").await, 1);
    assert_eq!(load_engagement(&database, post).await.shares, 1);
}

#[tokio::test]
async fn a_message_is_stored_with_its_text_and_recipients() {
    let database = TestDatabase::create().await;
    let post = a_post().insert_into(&database).await.id;
    let [ana, ben, eve] =
        [create_user(&database).await, create_user(&database).await, create_user(&database).await];
    let message = a_message_share(ana, post, &[ben, eve]);

    assert!(create(&database, &message).await);

    let at = message.created_at;
    let stored = format!(
        "shares WHERE id = '{}' AND user_id = {ana} AND post_id = '{post}'
         AND share_method = 'message' AND message_content = 'Look at that' AND created_at = '{at}'",
        message.id
    );
    assert_eq!(database.count(&stored).await, 1);
    for recipient in [ben, eve] {
        let received =
            format!("share_recipients WHERE share_id = '{}' AND user_id = {recipient}", message.id);
        assert_eq!(database.count(&received).await, 1);
    }
    assert_eq!(database.count("share_recipients").await, 2);
}

#[tokio::test]
async fn a_message_may_have_no_text() {
    let database = TestDatabase::create().await;
    let post = a_post().insert_into(&database).await.id;
    let [ana, ben] = [create_user(&database).await, create_user(&database).await];
    let mut message = a_message_share(ana, post, &[ben]);
    if let ShareDetails::Message { message, .. } = &mut message.details {
        *message = None;
    }

    assert!(create(&database, &message).await);

    assert_eq!(database.count("shares WHERE message_content IS NULL").await, 1);
}

#[tokio::test]
async fn messages_of_a_user_about_a_post_count_once_in_addition_to_their_link() {
    let database = TestDatabase::create().await;
    let [sun, rain] =
        [a_post().insert_into(&database).await.id, a_post().insert_into(&database).await.id];
    let [ana, ben] = [create_user(&database).await, create_user(&database).await];
    let mut shares = Vec::new();

    for share in [
        a_message_share(ana, sun, &[ben]),
        a_message_share(ana, sun, &[ben]),
        a_link_share(ana, sun),
        a_message_share(ana, rain, &[ben]),
        a_message_share(ben, sun, &[ana]),
        a_message_share(ana, sun, &[ben]),
    ] {
        assert!(create(&database, &share).await);
        shares.push(load_engagement(&database, sun).await.shares);
    }

    assert_eq!(shares, [1, 1, 2, 2, 3, 3]);
    assert_eq!(load_engagement(&database, rain).await.shares, 1);
}

#[tokio::test]
async fn a_private_post_cannot_be_shared() {
    let database = TestDatabase::create().await;
    let [ana, ben] = [create_user(&database).await, create_user(&database).await];
    let post = a_post().by(ana).private().insert_into(&database).await.id;

    for share in
        [a_link_share(ana, post), a_link_share(ben, post), a_message_share(ana, post, &[ben])]
    {
        assert!(!create(&database, &share).await);
    }

    assert_eq!(database.count("shares").await, 0);
    assert_eq!(database.count("share_recipients").await, 0);
    assert_eq!(load_engagement(&database, post).await.shares, 0);
}

#[tokio::test]
async fn a_missing_post_cannot_be_shared() {
    let database = TestDatabase::create().await;
    let [ana, ben] = [create_user(&database).await, create_user(&database).await];
    let missing = PostId::from(Uuid::from_u128(7));

    assert!(!create(&database, &a_link_share(ana, missing)).await);
    assert!(!create(&database, &a_message_share(ana, missing, &[ben])).await);
    assert!(!delete_link(&database, ana, missing).await);
}

#[tokio::test]
async fn a_message_to_an_unknown_user_is_rejected_and_stores_nothing() {
    let database = TestDatabase::create().await;
    let post = a_post().insert_into(&database).await.id;
    let [ana, ben] = [create_user(&database).await, create_user(&database).await];
    let message = a_message_share(ana, post, &[ben, UserId::from(404)]);

    let rejected = database.connect().await.shares().create(&message).await;

    let Err(StorageError::ForeignKeyViolation { constraint }) = rejected else {
        panic!("{rejected:?}")
    };
    assert_eq!(constraint, "share_recipients_user_id_fkey");
    assert_eq!(database.count("shares").await, 0);
    assert_eq!(load_engagement(&database, post).await.shares, 0);
}

#[tokio::test]
async fn the_quota_is_exhausted_since_the_twentieth_message_of_the_last_hour() {
    let database = TestDatabase::create().await;
    let post = a_post().insert_into(&database).await.id;
    let [ana, ben] = [create_user(&database).await, create_user(&database).await];
    let sent: Vec<DateTime<Utc>> = (0..21).map(|n| NOON + TimeDelta::minutes(n)).collect();
    let exhausted_since = async |now| {
        database.connect().await.shares().quota_exhausted_since(ana, now).await.unwrap()
    };

    for at in &sent[..19] {
        send_at(&database, ana, post, ben, *at).await;
    }
    assert_eq!(exhausted_since(sent[18]).await, None);
    send_at(&database, ana, post, ben, sent[19]).await;
    assert_eq!(exhausted_since(sent[19]).await, Some(sent[0]));
    send_at(&database, ana, post, ben, sent[20]).await;
    assert_eq!(exhausted_since(sent[20]).await, Some(sent[1]));
}

#[tokio::test]
async fn a_message_leaves_the_quota_after_exactly_one_hour() {
    let database = TestDatabase::create().await;
    let post = a_post().insert_into(&database).await.id;
    let [ana, ben] = [create_user(&database).await, create_user(&database).await];
    for _ in 0..ShareQuota::MAX_PER_HOUR {
        send_at(&database, ana, post, ben, NOON).await;
    }
    let an_hour_later = NOON + TimeDelta::hours(1);
    let mut conn = database.connect().await;

    let before = an_hour_later - TimeDelta::microseconds(1);
    let before = conn.shares().quota_exhausted_since(ana, before).await.unwrap();
    let after = conn.shares().quota_exhausted_since(ana, an_hour_later).await.unwrap();

    assert_eq!((before, after), (Some(NOON), None));
}

#[tokio::test]
async fn the_quota_counts_only_messages_of_that_user() {
    let database = TestDatabase::create().await;
    let [ana, ben] = [create_user(&database).await, create_user(&database).await];
    for _ in 0..ShareQuota::MAX_PER_HOUR {
        let post = a_post().insert_into(&database).await.id;
        create(&database, &Share { created_at: NOON, ..a_link_share(ana, post) }).await;
        send_at(&database, ben, post, ana, NOON).await;
    }

    let exhausted_since =
        database.connect().await.shares().quota_exhausted_since(ana, NOON).await.unwrap();

    assert_eq!(exhausted_since, None);
}

#[tokio::test]
async fn ten_concurrent_link_shares_of_one_user_become_one() {
    let database = TestDatabase::create().await;
    let post = a_post().insert_into(&database).await.id;
    let ana = create_user(&database).await;

    let created =
        join_all((0..10).map(|_| create_concurrently(&database.pool, a_link_share(ana, post))))
            .await;

    assert_eq!(created.iter().filter(|is_new| **is_new).count(), 1);
    assert_eq!(load_engagement(&database, post).await.shares, 1);
    assert_eq!(database.count("shares").await, 1);
}

#[tokio::test]
async fn messages_sent_concurrently_under_the_sender_lock_count_once() {
    let database = TestDatabase::create().await;
    let post = a_post().insert_into(&database).await.id;
    let [ana, ben] = [create_user(&database).await, create_user(&database).await];

    let sending =
        (0..10).map(|_| send_concurrently(&database.pool, a_message_share(ana, post, &[ben])));
    let sent = join_all(sending).await;

    assert!(sent.iter().all(|is_sent| *is_sent));
    assert_eq!(load_engagement(&database, post).await.shares, 1);
    assert_eq!(database.count("shares").await, 10);
}

async fn create(database: &TestDatabase, share: &Share) -> bool {
    database.connect().await.shares().create(share).await.unwrap()
}

async fn send_at(database: &TestDatabase, by: UserId, post: PostId, to: UserId, at: DateTime<Utc>) {
    assert!(create(database, &Share { created_at: at, ..a_message_share(by, post, &[to]) }).await);
}

async fn create_concurrently(pool: &Database, link: Share) -> bool {
    pool.acquire().await.unwrap().shares().create(&link).await.unwrap()
}

async fn send_concurrently(pool: &Database, message: Share) -> bool {
    let sent: Result<bool> = pool
        .transaction(async |tx| {
            tx.users().lock(message.user).await?;
            tx.shares().create(&message).await
        })
        .await;
    sent.unwrap()
}

async fn delete_link(database: &TestDatabase, user: UserId, post: PostId) -> bool {
    database.connect().await.shares().delete_link(user, post).await.unwrap().is_some()
}

async fn link_of(database: &TestDatabase, user: UserId, post: PostId) -> Option<Share> {
    database.connect().await.shares().find_link(user, post).await.unwrap()
}
