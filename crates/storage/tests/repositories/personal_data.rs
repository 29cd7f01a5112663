//! What one person has done all over, through [`PersonalData`].

use std::collections::BTreeSet;

use chrono::{DateTime, TimeDelta, Utc};
use grateful_domain::{Comment, Emoji, Post, Share, ShareDetails, UserId};
use grateful_storage::{NewReaction, PersonalData, Repositories};
use grateful_testkit::{
    NOON, TestDatabase, a_comment, a_heart, a_link_share, a_message_share, a_post, a_reaction,
    create_user,
};
use uuid::Uuid;

/// The ids in all parts of something, each of which is read behind the last entry of the one before.
macro_rules! parts {
    ($last:ident, $read:expr, |$it:ident| $id:expr) => {{
        let (mut parts, mut $last) = (Vec::new(), None);
        loop {
            let part = $read.await.unwrap();
            $last = part.last().map(|$it| $id);
            parts.push(part.into_iter().map(|$it| Uuid::from($id)).collect::<Vec<_>>());
            if $last.is_none() {
                break parts;
            }
        }
    }};
}

#[tokio::test]
async fn whoever_has_done_nothing_holds_nothing() {
    let database = TestDatabase::create().await;
    let (ana, ben) = (create_user(&database).await, create_user(&database).await);
    everything(
        &database,
        ben,
        &a_post().insert_into(&database).await,
        create_user(&database).await,
    )
    .await;
    let mut conn = database.connect().await;

    for nobody in [ana, UserId::from(-1)] {
        assert_eq!(conn.personal_data().hearts(nobody, None).await.unwrap(), []);
        assert_eq!(conn.personal_data().reactions(nobody, None).await.unwrap(), []);
        assert_eq!(conn.personal_data().shares(nobody, None).await.unwrap(), []);
        assert_eq!(conn.personal_data().received_shares(nobody, None).await.unwrap(), []);
        assert_eq!(conn.personal_data().comments(nobody, None).await.unwrap(), []);
    }
}

#[tokio::test]
async fn what_was_done_is_told_as_it_was_done_and_nothing_of_others() {
    let database = TestDatabase::create().await;
    let (ana, ben) = (create_user(&database).await, create_user(&database).await);
    let post = a_post().by(ben).insert_into(&database).await;
    let (link, sent, said) = everything(&database, ana, &post, ben).await;
    everything(&database, ben, &post, ana).await;
    let mut conn = database.connect().await;

    let [heart] = conn.personal_data().hearts(ana, None).await.unwrap().try_into().unwrap();
    assert_eq!(heart.post, post.id);
    let [reaction] = conn.personal_data().reactions(ana, None).await.unwrap().try_into().unwrap();
    assert_eq!((reaction.post, reaction.emoji), (post.id, Emoji::Fire));
    let shares = conn.personal_data().shares(ana, None).await.unwrap();
    assert_eq!(shares, [link, sent]);
    let [received] =
        conn.personal_data().received_shares(ben, None).await.unwrap().try_into().unwrap();
    assert_eq!((received.share, received.post), (shares[1].id, post.id));
    assert_eq!(received.message.as_ref(), shares[1].details.message());
    assert_eq!(received.at, shares[1].created_at);
    let users = format!("users WHERE id = {ana} AND username = '{}'", received.by);
    assert_eq!(database.count(&users).await, 1);
    assert_eq!(conn.personal_data().comments(ana, None).await.unwrap(), [said]);
}

/// A message stays one, though nobody is left who got it.
#[tokio::test]
async fn a_message_whose_recipients_have_left_is_no_link() {
    let database = TestDatabase::create().await;
    let (ana, ben) = (create_user(&database).await, create_user(&database).await);
    let post = a_post().insert_into(&database).await;
    let mut conn = database.connect().await;
    conn.shares().create(&a_message_share(ana, post.id, &[ben])).await.unwrap();
    database.execute(&format!("DELETE FROM users WHERE id = {ben}")).await;

    let [share] = conn.personal_data().shares(ana, None).await.unwrap().try_into().unwrap();

    let ShareDetails::Message { recipients, message } = share.details else { panic!("{share:?}") };
    assert_eq!(recipients.as_slice(), []);
    assert_eq!(message.unwrap().as_str(), "Look at that");
}

#[tokio::test]
async fn each_part_goes_on_behind_the_one_before() {
    let database = TestDatabase::create().await;
    let ana = create_user(&database).await;
    let total = 2 * PersonalData::BATCH_SIZE + 7;
    fill(&database, ana, total).await;
    let mut conn = database.connect().await;

    for met in [
        parts!(last, conn.personal_data().hearts(ana, last), |it| it.post),
        parts!(last, conn.personal_data().reactions(ana, last), |it| it.post),
        parts!(last, conn.personal_data().shares(ana, last), |it| it.id),
        parts!(last, conn.personal_data().received_shares(ana, last), |it| it.share),
    ] {
        assert_whole(met, total);
    }
}

/// Some hundred at each moment, so that parts begin and end among comments of one time.
#[tokio::test]
async fn comments_go_on_newest_first_by_time_and_then_by_id() {
    let database = TestDatabase::create().await;
    let ana = create_user(&database).await;
    let total = 2 * PersonalData::BATCH_SIZE + 7;
    fill(&database, ana, total).await;
    let mut conn = database.connect().await;

    let (mut met, mut last) = (Vec::new(), None);
    loop {
        let part = conn.personal_data().comments(ana, last).await.unwrap();
        assert!(i64::try_from(part.len()).unwrap() <= PersonalData::BATCH_SIZE);
        last = part.last().map(Comment::position);
        met.extend(part);
        if last.is_none() {
            break;
        }
    }

    let place = |it: &Comment| (it.created_at, Uuid::from(it.id));
    assert!(met.is_sorted_by(|one, next| place(one) > place(next)));
    assert_eq!(i64::try_from(met.len()).unwrap(), total);
}

/// All but the last two parts are full, the last is empty, and nothing comes twice.
#[track_caller]
fn assert_whole(parts: Vec<Vec<Uuid>>, total: i64) {
    let sizes: Vec<i64> = parts.iter().map(|part| i64::try_from(part.len()).unwrap()).collect();
    assert_eq!(sizes, [PersonalData::BATCH_SIZE, PersonalData::BATCH_SIZE, 7, 0]);
    let met: BTreeSet<Uuid> = parts.into_iter().flatten().collect();
    assert_eq!(i64::try_from(met.len()).unwrap(), total);
}

/// A heart, an emoji, a link, a message and a comment.
async fn everything(
    database: &TestDatabase,
    who: UserId,
    post: &Post,
    other: UserId,
) -> (Share, Share, Comment) {
    let mut conn = database.connect().await;
    conn.hearts().add(&a_heart(who, post.id)).await.unwrap();
    let fire = NewReaction { emoji: Emoji::Fire, ..a_reaction(who, post.id) };
    conn.emoji_reactions().set(&fire).await.unwrap();
    let (link, sent) = (a_link_share(who, post.id), a_message_share(who, post.id, &[other]));
    conn.shares().create(&link).await.unwrap();
    conn.shares().create(&sent).await.unwrap();
    (link, sent, a_comment().by(who).on(post).insert_into(database).await)
}

/// As many of everything as this.
async fn fill(database: &TestDatabase, who: UserId, total: i64) {
    let noon: DateTime<Utc> = NOON - TimeDelta::days(1);
    let author = create_user(database).await;
    database
        .execute(&format!(
            "INSERT INTO posts (id, author_id, content)
         SELECT gen_random_uuid(), {author}, 'Rain' FROM generate_series(1, {total});
         INSERT INTO likes (id, user_id, post_id) SELECT gen_random_uuid(), {who}, id FROM posts;
         INSERT INTO emoji_reactions (id, user_id, post_id, emoji_code)
         SELECT gen_random_uuid(), {who}, id, 'hug' FROM posts;
         INSERT INTO shares (id, user_id, post_id, share_method)
         SELECT gen_random_uuid(), {who}, id, 'url' FROM posts;
         INSERT INTO shares (id, user_id, post_id, share_method)
         SELECT gen_random_uuid(), {author}, id, 'message' FROM posts;
         INSERT INTO share_recipients (share_id, user_id)
         SELECT id, {who} FROM shares WHERE share_method = 'message';
         INSERT INTO comments (id, author_id, post_id, content, created_at)
         SELECT gen_random_uuid(), {who}, id, 'So kind',
             timestamptz '{noon}' + row_number() OVER () / 300 * interval '1 second'
         FROM posts"
        ))
        .await;
}
