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
async fn a_link_is_counted_and_found_again() {
    let database = TestDatabase::create().await;
    let post = a_post().insert_into(&database).await.id;
    let [ana, ben] = [create_user(&database).await, create_user(&database).await];
    let link = a_link_share(ana, post);

    assert!(put(&database, &link).await);

    assert_eq!(load_engagement(&database, post).await.shares, 1);
    assert_eq!(link_of(&database, ana, post).await, Some(link));
    assert_eq!(link_of(&database, ben, post).await, None);
}

#[tokio::test]
async fn a_second_link_to_the_same_post_is_not_taken() {
    let database = TestDatabase::create().await;
    let post = a_post().insert_into(&database).await.id;
    let ana = create_user(&database).await;
    let link = a_link_share(ana, post);
    put(&database, &link).await;

    assert!(!put(&database, &a_link_share(ana, post)).await);

    assert_eq!(load_engagement(&database, post).await.shares, 1);
    assert_eq!(link_of(&database, ana, post).await, Some(link));
}

#[tokio::test]
async fn links_are_counted_by_person_and_post() {
    let database = TestDatabase::create().await;
    let [sun, rain] =
        [a_post().insert_into(&database).await.id, a_post().insert_into(&database).await.id];
    let [ana, ben] = [create_user(&database).await, create_user(&database).await];

    for link in [a_link_share(ana, sun), a_link_share(ben, sun), a_link_share(ana, rain)] {
        assert!(put(&database, &link).await);
    }

    assert_eq!(load_engagement(&database, sun).await.shares, 2);
    assert_eq!(load_engagement(&database, rain).await.shares, 1);
}

#[tokio::test]
async fn a_link_that_is_given_back_counts_no_more_and_can_be_taken_again() {
    let database = TestDatabase::create().await;
    let post = a_post().insert_into(&database).await.id;
    let [ana, ben] = [create_user(&database).await, create_user(&database).await];
    put(&database, &a_link_share(ana, post)).await;
    put(&database, &a_link_share(ben, post)).await;

    assert!(give_back(&database, ana, post).await);

    assert_eq!(load_engagement(&database, post).await.shares, 1);
    assert_eq!(link_of(&database, ana, post).await, None);
    assert!(!give_back(&database, ana, post).await);
    assert!(put(&database, &a_link_share(ana, post)).await);
    assert_eq!(load_engagement(&database, post).await.shares, 2);
}

#[tokio::test]
async fn giving_a_link_back_leaves_messages_alone() {
    let database = TestDatabase::create().await;
    let post = a_post().insert_into(&database).await.id;
    let [ana, ben] = [create_user(&database).await, create_user(&database).await];
    put(&database, &a_message_share(ana, post, &[ben])).await;

    assert!(!give_back(&database, ana, post).await);

    assert_eq!(database.count("shares").await, 1);
    assert_eq!(load_engagement(&database, post).await.shares, 1);
}

#[tokio::test]
async fn a_message_keeps_its_words_and_its_recipients() {
    let database = TestDatabase::create().await;
    let post = a_post().insert_into(&database).await.id;
    let [ana, ben, eve] =
        [create_user(&database).await, create_user(&database).await, create_user(&database).await];
    let message = a_message_share(ana, post, &[ben, eve]);

    assert!(put(&database, &message).await);

    let at = message.created_at;
    let kept = format!(
        "shares WHERE id = '{}' AND user_id = {ana} AND post_id = '{post}'
         AND share_method = 'message' AND message_content = 'Look at that' AND created_at = '{at}'",
        message.id
    );
    assert_eq!(database.count(&kept).await, 1);
    for recipient in [ben, eve] {
        let told =
            format!("share_recipients WHERE share_id = '{}' AND user_id = {recipient}", message.id);
        assert_eq!(database.count(&told).await, 1);
    }
    assert_eq!(database.count("share_recipients").await, 2);
}

#[tokio::test]
async fn a_message_without_words_is_kept_without_words() {
    let database = TestDatabase::create().await;
    let post = a_post().insert_into(&database).await.id;
    let [ana, ben] = [create_user(&database).await, create_user(&database).await];
    let mut message = a_message_share(ana, post, &[ben]);
    if let ShareDetails::Message { message, .. } = &mut message.details {
        *message = None;
    }

    assert!(put(&database, &message).await);

    assert_eq!(database.count("shares WHERE message_content IS NULL").await, 1);
}

#[tokio::test]
async fn messages_of_one_person_about_one_post_count_once_beside_their_link() {
    let database = TestDatabase::create().await;
    let [sun, rain] =
        [a_post().insert_into(&database).await.id, a_post().insert_into(&database).await.id];
    let [ana, ben] = [create_user(&database).await, create_user(&database).await];
    let mut counts = Vec::new();

    for share in [
        a_message_share(ana, sun, &[ben]),
        a_message_share(ana, sun, &[ben]),
        a_link_share(ana, sun),
        a_message_share(ana, rain, &[ben]),
        a_message_share(ben, sun, &[ana]),
        a_message_share(ana, sun, &[ben]),
    ] {
        assert!(put(&database, &share).await);
        counts.push(load_engagement(&database, sun).await.shares);
    }

    assert_eq!(counts, [1, 1, 2, 2, 3, 3]);
    assert_eq!(load_engagement(&database, rain).await.shares, 1);
}

#[tokio::test]
async fn a_private_post_is_passed_on_by_nobody() {
    let database = TestDatabase::create().await;
    let [ana, ben] = [create_user(&database).await, create_user(&database).await];
    let post = a_post().by(ana).private().insert_into(&database).await.id;

    for share in
        [a_link_share(ana, post), a_link_share(ben, post), a_message_share(ana, post, &[ben])]
    {
        assert!(!put(&database, &share).await);
    }

    assert_eq!(database.count("shares").await, 0);
    assert_eq!(database.count("share_recipients").await, 0);
    assert_eq!(load_engagement(&database, post).await.shares, 0);
}

#[tokio::test]
async fn a_post_that_is_gone_is_not_passed_on() {
    let database = TestDatabase::create().await;
    let [ana, ben] = [create_user(&database).await, create_user(&database).await];
    let nowhere = PostId::from(Uuid::from_u128(7));

    assert!(!put(&database, &a_link_share(ana, nowhere)).await);
    assert!(!put(&database, &a_message_share(ana, nowhere, &[ben])).await);
    assert!(!give_back(&database, ana, nowhere).await);
}

#[tokio::test]
async fn a_message_to_somebody_unknown_leaves_nothing_behind_and_counts_nothing() {
    let database = TestDatabase::create().await;
    let post = a_post().insert_into(&database).await.id;
    let [ana, ben] = [create_user(&database).await, create_user(&database).await];
    let message = a_message_share(ana, post, &[ben, UserId::from(404)]);

    let refused = database.connect().await.shares().create(&message).await;

    let Err(StorageError::Missing { constraint }) = refused else { panic!("{refused:?}") };
    assert_eq!(constraint, "share_recipients_user_id_fkey");
    assert_eq!(database.count("shares").await, 0);
    assert_eq!(load_engagement(&database, post).await.shares, 0);
}

#[tokio::test]
async fn the_quota_reaches_back_to_the_twentieth_message_of_the_last_hour() {
    let database = TestDatabase::create().await;
    let post = a_post().insert_into(&database).await.id;
    let [ana, ben] = [create_user(&database).await, create_user(&database).await];
    let sent: Vec<DateTime<Utc>> = (0..21).map(|n| NOON + TimeDelta::minutes(n)).collect();
    let reach = async |now| {
        database.connect().await.shares().quota_exhausted_since(ana, now).await.unwrap()
    };

    for at in &sent[..19] {
        send_at(&database, ana, post, ben, *at).await;
    }
    assert_eq!(reach(sent[18]).await, None);
    send_at(&database, ana, post, ben, sent[19]).await;
    assert_eq!(reach(sent[19]).await, Some(sent[0]));
    send_at(&database, ana, post, ben, sent[20]).await;
    assert_eq!(reach(sent[20]).await, Some(sent[1]));
}

#[tokio::test]
async fn a_message_leaves_the_quota_after_an_hour_to_the_microsecond() {
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
    let then = conn.shares().quota_exhausted_since(ana, an_hour_later).await.unwrap();

    assert_eq!((before, then), (Some(NOON), None));
}

#[tokio::test]
async fn links_and_messages_of_others_are_not_in_the_quota() {
    let database = TestDatabase::create().await;
    let [ana, ben] = [create_user(&database).await, create_user(&database).await];
    for _ in 0..ShareQuota::MAX_PER_HOUR {
        let post = a_post().insert_into(&database).await.id;
        put(&database, &Share { created_at: NOON, ..a_link_share(ana, post) }).await;
        send_at(&database, ben, post, ana, NOON).await;
    }

    let reach = database.connect().await.shares().quota_exhausted_since(ana, NOON).await.unwrap();

    assert_eq!(reach, None);
}

#[tokio::test]
async fn ten_links_of_one_person_at_once_are_one() {
    let database = TestDatabase::create().await;
    let post = a_post().insert_into(&database).await.id;
    let ana = create_user(&database).await;

    let taken =
        join_all((0..10).map(|_| take_at_once(&database.pool, a_link_share(ana, post)))).await;

    assert_eq!(taken.iter().filter(|taken| **taken).count(), 1);
    assert_eq!(load_engagement(&database, post).await.shares, 1);
    assert_eq!(database.count("shares").await, 1);
}

#[tokio::test]
async fn messages_sent_at_once_under_the_lock_of_their_sender_count_once() {
    let database = TestDatabase::create().await;
    let post = a_post().insert_into(&database).await.id;
    let [ana, ben] = [create_user(&database).await, create_user(&database).await];

    let sent = (0..10).map(|_| send_at_once(&database.pool, a_message_share(ana, post, &[ben])));
    let sent = join_all(sent).await;

    assert!(sent.iter().all(|sent| *sent));
    assert_eq!(load_engagement(&database, post).await.shares, 1);
    assert_eq!(database.count("shares").await, 10);
}

async fn put(database: &TestDatabase, share: &Share) -> bool {
    database.connect().await.shares().create(share).await.unwrap()
}

async fn send_at(database: &TestDatabase, by: UserId, post: PostId, to: UserId, at: DateTime<Utc>) {
    assert!(put(database, &Share { created_at: at, ..a_message_share(by, post, &[to]) }).await);
}

async fn take_at_once(db: &Database, link: Share) -> bool {
    db.acquire().await.unwrap().shares().create(&link).await.unwrap()
}

async fn send_at_once(db: &Database, message: Share) -> bool {
    let sent: Result<bool> = db
        .transaction(async |tx| {
            tx.users().lock(message.by).await?;
            tx.shares().create(&message).await
        })
        .await;
    sent.unwrap()
}

async fn give_back(database: &TestDatabase, user: UserId, post: PostId) -> bool {
    database.connect().await.shares().delete_link(user, post).await.unwrap()
}

async fn link_of(database: &TestDatabase, user: UserId, post: PostId) -> Option<Share> {
    database.connect().await.shares().find_link(user, post).await.unwrap()
}
