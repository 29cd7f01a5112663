//! The `shares` and `share_recipients` tables through [`Shares`](grateful_storage::Shares).

use chrono::{DateTime, TimeDelta, Utc};
use futures_util::future::join_all;
use grateful_domain::{PostId, Share, ShareDetails, UserId};
use grateful_storage::{Database, Repositories, Result, StorageError};
use grateful_test_database::{
    NOON, TestDatabase, a_message_share, a_post, create_user, load_engagement,
};

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

async fn send_concurrently(pool: &Database, message: Share) -> bool {
    let sent: Result<bool> = pool
        .transaction(async |tx| {
            tx.users().lock(message.user).await?;
            tx.shares().create(&message).await
        })
        .await;
    sent.unwrap()
}
