//! The notifications that each act creates (docs/rules.md#notifications).

use futures_util::future::join_all;
use grateful_application::comments::{self, CommentDraft};
use grateful_application::{Error, IdempotencyKey, IdempotentRequest, hearts};
use grateful_domain::notification::{Priority, RenderedNotification};
use grateful_domain::{CommentText, Emoji};
use grateful_testkit::{Scenario, create_user_named};

use crate::support::insert_post;

#[tokio::test]
async fn a_heart_notifies_the_author_of_the_post() {
    let scenario = Scenario::create().await;

    scenario.add_heart(scenario.ben).await;

    let rendered = scenario.only_notification(scenario.ana).await;
    assert_unread_notification(&rendered, "like", "New Like 💜", "ben liked your post");
    assert_eq!(rendered.actor.unwrap().id, scenario.ben);
    assert_eq!(rendered.notification.subject.priority, Priority::Normal);
    assert_eq!(rendered.notification.subject.post, Some(scenario.post.id));
    assert!(scenario.list(scenario.ben).await.is_empty());
}

#[tokio::test]
async fn a_reaction_notifies_the_author_of_the_post() {
    let scenario = Scenario::create().await;

    scenario.set_reaction(scenario.ben, Emoji::Hug).await;

    let rendered = scenario.only_notification(scenario.ana).await;
    assert_unread_notification(
        &rendered,
        "emoji_reaction",
        "New Reaction",
        "ben reacted to your post with 🤗",
    );
}

#[tokio::test]
async fn a_link_share_notifies_the_author_of_the_post_once() {
    let scenario = Scenario::create().await;

    scenario.share_link(scenario.ben).await;
    scenario.share_link(scenario.ben).await;

    let rendered = scenario.only_notification(scenario.ana).await;
    assert_unread_notification(&rendered, "post_shared", "Post Shared", "ben shared your post");
}

#[tokio::test]
async fn a_message_share_notifies_its_recipients_and_not_the_author() {
    let scenario = Scenario::create().await;
    let dora = create_user_named(&scenario.database, "dora").await;

    scenario.send_message(scenario.ben, &[dora, scenario.caro]).await;

    for recipient in [scenario.caro, dora] {
        let rendered = scenario.only_notification(recipient).await;
        assert_unread_notification(&rendered, "post_shared", "Post Sent", "ben sent you a post");
    }
    assert!(scenario.list(scenario.ana).await.is_empty());
}

#[tokio::test]
async fn an_author_who_is_sent_their_own_post_is_notified() {
    let scenario = Scenario::create().await;

    scenario.send_message(scenario.ben, &[scenario.ana]).await;

    assert_eq!(scenario.messages(scenario.ana).await, ["ben sent you a post"]);
}

#[tokio::test]
async fn a_comment_notifies_the_author_of_the_post_with_a_preview() {
    let scenario = Scenario::create().await;
    let long = "So kind of them, and so rare in a town like ours, at that hour of the day";

    let comment = scenario.comment(scenario.ben, long).await;

    let rendered = scenario.only_notification(scenario.ana).await;
    let quoted = "So kind of them, and so rare in a town like ours, …";
    let message = format!("ben commented on your post: {quoted}");
    assert_unread_notification(&rendered, "comment", "New Comment", &message);
    assert_eq!(rendered.notification.subject.comment, Some(comment));
}

#[tokio::test]
async fn a_reply_notifies_the_parent_author_of_a_reply_and_the_post_author_of_a_comment() {
    let scenario = Scenario::create().await;
    let comment = scenario.comment(scenario.ben, "So kind").await;

    let reply = scenario.reply(scenario.caro, comment, "Indeed").await;

    let rendered = scenario.only_notification(scenario.ben).await;
    assert_unread_notification(
        &rendered,
        "comment_reply",
        "New Reply",
        "caro replied to your comment: Indeed",
    );
    assert_eq!(rendered.notification.subject.comment, Some(reply));
    let batch = scenario.only_notification(scenario.ana).await;
    assert_unread_notification(
        &batch,
        "comment",
        "New Comments",
        "2 people commented on your post",
    );
}

#[tokio::test]
async fn a_reply_to_the_author_of_the_post_notifies_them_once_of_a_reply() {
    let scenario = Scenario::create().await;
    let own = scenario.comment(scenario.ana, "Thank you").await;

    scenario.reply(scenario.ben, own, "Gladly").await;

    assert_eq!(scenario.messages(scenario.ana).await, ["ben replied to your comment: Gladly"]);
}

#[tokio::test]
async fn the_preview_of_a_long_post_has_100_characters() {
    let scenario = Scenario::create().await;
    let long = "💜".repeat(101);
    let post = grateful_testkit::a_post()
        .by(scenario.ana)
        .with_text(&long)
        .insert_into(&scenario.database)
        .await;

    hearts::add(&scenario.app, scenario.ben, post.id).await.unwrap();

    let rendered = scenario.only_notification(scenario.ana).await;
    assert_eq!(rendered.post_preview, Some("💜".repeat(100)));
}

#[tokio::test]
async fn a_repeated_request_notifies_once() {
    let scenario = Scenario::create().await;
    let key = IdempotencyKey::parse("so-kind").unwrap();

    for _ in 0..2 {
        let idempotency = IdempotentRequest { key: key.clone(), fingerprint: [1; 32] };
        let text = CommentText::parse("So kind").unwrap();
        let draft = CommentDraft { post: scenario.post.id, parent: None, text };
        comments::create(&scenario.app, scenario.ben, draft, Some(idempotency), |_| Vec::new())
            .await
            .unwrap();
    }

    assert_eq!(scenario.messages(scenario.ana).await, ["ben commented on your post: So kind"]);
}

#[tokio::test]
async fn two_concurrent_hearts_of_one_user_notify_once() {
    let scenario = Scenario::create().await;
    let add_heart = || hearts::add(&scenario.app, scenario.ben, scenario.post.id);

    let (one, other) = tokio::join!(add_heart(), add_heart());

    assert_ne!(one.is_ok(), other.is_ok());
    assert_eq!(scenario.messages(scenario.ana).await, ["ben liked your post"]);
    scenario.assert_consistent().await;
}

#[tokio::test]
async fn concurrent_acts_of_many_users_join_one_batch() {
    let scenario = Scenario::create().await;
    let mut friends = Vec::new();
    while friends.len() < 20 {
        friends.push(
            create_user_named(&scenario.database, &format!("friend_{}", friends.len())).await,
        );
    }

    join_all(friends.iter().map(|user| async {
        scenario.add_heart(*user).await;
        scenario.set_reaction(*user, Emoji::Hug).await;
        scenario.remove_heart(*user).await;
    }))
    .await;

    let batch = scenario.only_notification(scenario.ana).await;
    assert_eq!(batch.text.message, "20 people engaged with your post");
    assert_eq!(batch.notification.batch_counts().child_count, 20);
    scenario.assert_consistent().await;
}

#[tokio::test]
async fn a_rejected_act_sends_no_notification() {
    let scenario = Scenario::create().await;
    scenario.add_heart(scenario.ben).await;
    let before = scenario.list(scenario.ana).await;

    let again = hearts::add(&scenario.app, scenario.ben, scenario.post.id).await;
    let unknown_parent =
        scenario.try_comment(scenario.ben, "Hm", Some(uuid::Uuid::nil().into())).await;

    assert!(matches!(again, Err(Error::AlreadyExists { .. })), "{again:?}");
    assert!(matches!(unknown_parent, Err(Error::NotFound { .. })), "{unknown_parent:?}");
    assert_eq!(scenario.list(scenario.ana).await, before);
}

#[tokio::test]
async fn an_act_fails_if_its_notification_cannot_be_stored() {
    let scenario = Scenario::create().await;
    scenario.database.execute("ALTER TABLE notifications ADD CONSTRAINT never CHECK (false)").await;
    let other = insert_post(&scenario.database, scenario.ben).await;

    let rejected = hearts::add(&scenario.app, scenario.ben, scenario.post.id).await;
    let own = hearts::add(&scenario.app, scenario.ben, other).await;

    assert!(matches!(rejected, Err(Error::Internal(_))), "{rejected:?}");
    own.unwrap();
    assert_eq!(scenario.database.count("likes").await, 1);
    assert_eq!(scenario.database.count("posts WHERE hearts_count = 1").await, 1);
}

#[tokio::test]
async fn an_act_that_fails_at_commit_sends_no_notification() {
    let scenario = Scenario::create().await;
    scenario.add_heart(scenario.ben).await;
    scenario
        .database
        .execute(
            "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS
                 $$ BEGIN RAISE EXCEPTION 'no'; END $$;
             CREATE CONSTRAINT TRIGGER refuse AFTER INSERT ON likes DEFERRABLE INITIALLY DEFERRED
                 FOR EACH ROW EXECUTE FUNCTION refuse()",
        )
        .await;
    let before = scenario.list(scenario.ana).await;

    hearts::add(&scenario.app, scenario.caro, scenario.post.id).await.unwrap_err();

    assert_eq!(scenario.list(scenario.ana).await, before);
    assert_eq!(scenario.counts(scenario.ana).await, (1, 1));
    scenario.assert_consistent().await;
}

#[track_caller]
fn assert_unread_notification(
    rendered: &RenderedNotification,
    kind: &str,
    title: &str,
    message: &str,
) {
    let notification = &rendered.notification;
    let actual =
        (notification.kind.code(), rendered.text.title.as_str(), rendered.text.message.as_str());
    assert_eq!(actual, (kind, title, message));
    assert_eq!(notification.read_at, None);
}
