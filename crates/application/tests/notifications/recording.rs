//! What each act tells, and whom.

use futures_util::future::join_all;
use grateful_application::comments::{self, CommentDraft};
use grateful_application::{Error, IdempotencyKey, IdempotentRequest, hearts};
use grateful_domain::notification::{Priority, RenderedNotification};
use grateful_domain::{CommentText, Emoji};
use serde_json::{Value, json};

use crate::support::{Scenario, create_post, create_user_named};

#[tokio::test]
async fn a_heart_tells_the_author_of_the_post() {
    let scenario = Scenario::create().await;

    scenario.add_heart(scenario.ben).await;

    let told = scenario.only_notification(scenario.ana).await;
    assert_says(&told, "like", "New Like 💜", "ben liked your post");
    let expected = json!({
        "actor_user_id": scenario.ben.to_string(),
        "actor_username": "ben",
        "liker_username": "ben",
        "post_id": scenario.post.id.to_string(),
        "post_preview": "The bus driver who waited",
    });
    assert_eq!(data(&told), expected);
    assert_eq!(told.actor.unwrap().id, scenario.ben);
    assert_eq!(told.notification.priority, Priority::Normal);
    assert_eq!(told.notification.post, Some(scenario.post.id));
    assert!(scenario.list(scenario.ben).await.is_empty());
}

#[tokio::test]
async fn an_emoji_tells_the_author_of_the_post() {
    let scenario = Scenario::create().await;

    scenario.set_reaction(scenario.ben, Emoji::Hug).await;

    let told = scenario.only_notification(scenario.ana).await;
    assert_says(&told, "emoji_reaction", "New Reaction", "ben reacted to your post with 🤗");
    let expected = json!({
        "actor_user_id": scenario.ben.to_string(),
        "actor_username": "ben",
        "emoji_code": "hug",
        "post_id": scenario.post.id.to_string(),
        "post_preview": "The bus driver who waited",
        "reactor_username": "ben",
    });
    assert_eq!(data(&told), expected);
}

#[tokio::test]
async fn a_link_tells_the_author_of_the_post_once() {
    let scenario = Scenario::create().await;

    scenario.share_link(scenario.ben).await;
    scenario.share_link(scenario.ben).await;

    let told = scenario.only_notification(scenario.ana).await;
    assert_says(&told, "post_shared", "Post Shared", "ben shared your post");
    let expected = json!({
        "actor_user_id": scenario.ben.to_string(),
        "actor_username": "ben",
        "post_id": scenario.post.id.to_string(),
        "post_preview": "The bus driver who waited",
        "share_method": "url",
        "sharer_username": "ben",
    });
    assert_eq!(data(&told), expected);
}

#[tokio::test]
async fn a_message_tells_everybody_to_whom_it_goes_and_not_the_author() {
    let scenario = Scenario::create().await;
    let dora = create_user_named(&scenario.database, "dora").await;

    scenario.send_message(scenario.ben, &[dora, scenario.caro]).await;

    for recipient in [scenario.caro, dora] {
        let told = scenario.only_notification(recipient).await;
        assert_says(&told, "post_shared", "Post Sent", "ben sent you a post");
        let expected = json!({
            "actor_user_id": scenario.ben.to_string(),
            "actor_username": "ben",
            "post_id": scenario.post.id.to_string(),
            "post_preview": "The bus driver who waited",
            "share_message": "Look at that",
            "share_method": "message",
            "sharer_username": "ben",
        });
        assert_eq!(data(&told), expected);
    }
    assert!(scenario.list(scenario.ana).await.is_empty());
}

#[tokio::test]
async fn an_author_to_whom_their_own_post_is_sent_is_told_so() {
    let scenario = Scenario::create().await;

    scenario.send_message(scenario.ben, &[scenario.ana]).await;

    assert_eq!(scenario.messages(scenario.ana).await, ["ben sent you a post"]);
}

#[tokio::test]
async fn a_comment_tells_the_author_of_the_post_how_it_begins() {
    let scenario = Scenario::create().await;
    let long = "So kind of them, and so rare in a town like ours, at that hour of the day";

    let comment = scenario.comment(scenario.ben, long).await;

    let told = scenario.only_notification(scenario.ana).await;
    let quoted = "So kind of them, and so rare in a town like ours, …";
    let message = format!("ben commented on your post: {quoted}");
    assert_says(&told, "comment", "New Comment", &message);
    let expected = json!({
        "actor_user_id": scenario.ben.to_string(),
        "actor_username": "ben",
        "author_username": "ben",
        "comment_id": comment.to_string(),
        "comment_preview": long,
        "post_id": scenario.post.id.to_string(),
        "post_preview": "The bus driver who waited",
    });
    assert_eq!(data(&told), expected);
}

#[tokio::test]
async fn an_answer_tells_whom_it_answers_and_the_author_of_the_post_of_a_comment() {
    let scenario = Scenario::create().await;
    let comment = scenario.comment(scenario.ben, "So kind").await;

    let answer = scenario.reply(scenario.caro, comment, "Indeed").await;

    let told = scenario.only_notification(scenario.ben).await;
    assert_says(&told, "comment_reply", "New Reply", "caro replied to your comment: Indeed");
    assert_eq!(data(&told)["comment_id"], answer.to_string());
    let batch = scenario.only_notification(scenario.ana).await;
    assert_says(&batch, "comment", "New Comments", "2 people commented on your post");
}

#[tokio::test]
async fn an_answer_to_the_author_of_the_post_tells_them_once_that_it_is_an_answer() {
    let scenario = Scenario::create().await;
    let own = scenario.comment(scenario.ana, "Thank you").await;

    scenario.reply(scenario.ben, own, "Gladly").await;

    assert_eq!(scenario.messages(scenario.ana).await, ["ben replied to your comment: Gladly"]);
}

#[tokio::test]
async fn a_long_post_is_shown_by_its_first_hundred_characters() {
    let scenario = Scenario::create().await;
    let long = "💜".repeat(101);
    let post = grateful_testkit::a_post()
        .by(scenario.ana)
        .with_text(&long)
        .insert_into(&scenario.database)
        .await;

    hearts::add(&scenario.app, scenario.ben, post.id).await.unwrap();

    let told = scenario.only_notification(scenario.ana).await;
    assert_eq!(data(&told)["post_preview"], "💜".repeat(100));
}

#[tokio::test]
async fn a_request_that_is_repeated_tells_once() {
    let scenario = Scenario::create().await;
    let key = IdempotencyKey::parse("so-kind").unwrap();

    for _ in 0..2 {
        let idempotency = IdempotentRequest { key: key.clone(), fingerprint: [1; 32] };
        let text = CommentText::parse("So kind").unwrap();
        let say = CommentDraft { post: scenario.post.id, parent: None, text };
        comments::create(&scenario.app, scenario.ben, say, Some(idempotency), |_| Vec::new())
            .await
            .unwrap();
    }

    assert_eq!(scenario.messages(scenario.ana).await, ["ben commented on your post: So kind"]);
}

#[tokio::test]
async fn one_heart_that_is_given_twice_at_once_tells_once() {
    let scenario = Scenario::create().await;
    let give = || hearts::add(&scenario.app, scenario.ben, scenario.post.id);

    let (one, other) = tokio::join!(give(), give());

    assert_ne!(one.is_ok(), other.is_ok());
    assert_eq!(scenario.messages(scenario.ana).await, ["ben liked your post"]);
    scenario.assert_consistent().await;
}

#[tokio::test]
async fn many_who_act_at_once_are_in_one_batch() {
    let scenario = Scenario::create().await;
    let mut crowd = Vec::new();
    while crowd.len() < 20 {
        crowd.push(create_user_named(&scenario.database, &format!("friend_{}", crowd.len())).await);
    }

    join_all(crowd.iter().map(|user| async {
        scenario.add_heart(*user).await;
        scenario.set_reaction(*user, Emoji::Hug).await;
        scenario.remove_heart(*user).await;
    }))
    .await;

    let batch = scenario.only_notification(scenario.ana).await;
    assert_eq!(batch.notification.text.message, "20 people engaged with your post");
    assert_eq!(batch.notification.batch_counts().child_count, 20);
    scenario.assert_consistent().await;
}

#[tokio::test]
async fn an_act_that_is_refused_tells_nobody() {
    let scenario = Scenario::create().await;
    scenario.add_heart(scenario.ben).await;
    let before = scenario.list(scenario.ana).await;

    let again = hearts::add(&scenario.app, scenario.ben, scenario.post.id).await;
    let too_long_ago =
        scenario.try_comment(scenario.ben, "Hm", Some(uuid::Uuid::nil().into())).await;

    assert!(matches!(again, Err(Error::AlreadyExists { .. })), "{again:?}");
    assert!(matches!(too_long_ago, Err(Error::NotFound { .. })), "{too_long_ago:?}");
    assert_eq!(scenario.list(scenario.ana).await, before);
}

#[tokio::test]
async fn an_act_does_not_happen_where_nobody_can_be_told() {
    let scenario = Scenario::create().await;
    scenario.database.execute("ALTER TABLE notifications ADD CONSTRAINT never CHECK (false)").await;
    let other = create_post(&scenario.database, scenario.ben).await;

    let refused = hearts::add(&scenario.app, scenario.ben, scenario.post.id).await;
    let own = hearts::add(&scenario.app, scenario.ben, other).await;

    assert!(matches!(refused, Err(Error::Internal(_))), "{refused:?}");
    own.unwrap();
    assert_eq!(scenario.database.count("likes").await, 1);
    assert_eq!(scenario.database.count("posts WHERE hearts_count = 1").await, 1);
}

#[tokio::test]
async fn nobody_is_told_of_an_act_that_comes_to_nothing_at_the_end() {
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
fn assert_says(told: &RenderedNotification, kind: &str, title: &str, message: &str) {
    let it = &told.notification;
    let said = (it.kind.code(), it.text.title.as_str(), it.text.message.as_str());
    assert_eq!(said, (kind, title, message));
    assert_eq!(it.read_at, None);
}

fn data(told: &RenderedNotification) -> Value {
    Value::Object(told.notification.data.clone())
}
