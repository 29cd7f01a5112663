//! What each act tells, and whom.

use futures_util::future::join_all;
use grateful_application::comments::{self, CommentDraft};
use grateful_application::{Error, IdempotencyKey, IdempotentRequest, hearts};
use grateful_domain::notification::{Priority, RenderedNotification};
use grateful_domain::{CommentText, Emoji};
use serde_json::{Value, json};

use crate::support::{Stage, person, post_by};

#[tokio::test]
async fn a_heart_tells_the_author_of_the_post() {
    let stage = Stage::set().await;

    stage.heart(stage.ben).await;

    let told = stage.only(stage.ana).await;
    assert_says(&told, "like", "New Like 💜", "ben liked your post");
    let expected = json!({
        "actor_user_id": stage.ben.to_string(),
        "actor_username": "ben",
        "liker_username": "ben",
        "post_id": stage.post.id.to_string(),
        "post_preview": "The bus driver who waited",
    });
    assert_eq!(data(&told), expected);
    assert_eq!(told.actor.unwrap().id, stage.ben);
    assert_eq!(told.notification.priority, Priority::Normal);
    assert_eq!(told.notification.post, Some(stage.post.id));
    assert!(stage.list(stage.ben).await.is_empty());
}

#[tokio::test]
async fn an_emoji_tells_the_author_of_the_post() {
    let stage = Stage::set().await;

    stage.react(stage.ben, Emoji::Hug).await;

    let told = stage.only(stage.ana).await;
    assert_says(&told, "emoji_reaction", "New Reaction", "ben reacted to your post with 🤗");
    let expected = json!({
        "actor_user_id": stage.ben.to_string(),
        "actor_username": "ben",
        "emoji_code": "hug",
        "post_id": stage.post.id.to_string(),
        "post_preview": "The bus driver who waited",
        "reactor_username": "ben",
    });
    assert_eq!(data(&told), expected);
}

#[tokio::test]
async fn a_link_tells_the_author_of_the_post_once() {
    let stage = Stage::set().await;

    stage.link(stage.ben).await;
    stage.link(stage.ben).await;

    let told = stage.only(stage.ana).await;
    assert_says(&told, "post_shared", "Post Shared", "ben shared your post");
    let expected = json!({
        "actor_user_id": stage.ben.to_string(),
        "actor_username": "ben",
        "post_id": stage.post.id.to_string(),
        "post_preview": "The bus driver who waited",
        "share_method": "url",
        "sharer_username": "ben",
    });
    assert_eq!(data(&told), expected);
}

#[tokio::test]
async fn a_message_tells_everybody_to_whom_it_goes_and_not_the_author() {
    let stage = Stage::set().await;
    let dora = person(&stage.database, "dora").await;

    stage.send(stage.ben, &[dora, stage.caro]).await;

    for recipient in [stage.caro, dora] {
        let told = stage.only(recipient).await;
        assert_says(&told, "post_shared", "Post Sent", "ben sent you a post");
        let expected = json!({
            "actor_user_id": stage.ben.to_string(),
            "actor_username": "ben",
            "post_id": stage.post.id.to_string(),
            "post_preview": "The bus driver who waited",
            "share_message": "Look at that",
            "share_method": "message",
            "sharer_username": "ben",
        });
        assert_eq!(data(&told), expected);
    }
    assert!(stage.list(stage.ana).await.is_empty());
}

#[tokio::test]
async fn an_author_to_whom_their_own_post_is_sent_is_told_so() {
    let stage = Stage::set().await;

    stage.send(stage.ben, &[stage.ana]).await;

    assert_eq!(stage.told(stage.ana).await, ["ben sent you a post"]);
}

#[tokio::test]
async fn a_comment_tells_the_author_of_the_post_how_it_begins() {
    let stage = Stage::set().await;
    let long = "So kind of them, and so rare in a town like ours, at that hour of the day";

    let comment = stage.say(stage.ben, long).await;

    let told = stage.only(stage.ana).await;
    let quoted = "So kind of them, and so rare in a town like ours, …";
    let message = format!("ben commented on your post: {quoted}");
    assert_says(&told, "comment", "New Comment", &message);
    let expected = json!({
        "actor_user_id": stage.ben.to_string(),
        "actor_username": "ben",
        "author_username": "ben",
        "comment_id": comment.to_string(),
        "comment_preview": long,
        "post_id": stage.post.id.to_string(),
        "post_preview": "The bus driver who waited",
    });
    assert_eq!(data(&told), expected);
}

#[tokio::test]
async fn an_answer_tells_whom_it_answers_and_the_author_of_the_post_of_a_comment() {
    let stage = Stage::set().await;
    let comment = stage.say(stage.ben, "So kind").await;

    let answer = stage.reply(stage.caro, comment, "Indeed").await;

    let told = stage.only(stage.ben).await;
    assert_says(&told, "comment_reply", "New Reply", "caro replied to your comment: Indeed");
    assert_eq!(data(&told)["comment_id"], answer.to_string());
    let batch = stage.only(stage.ana).await;
    assert_says(&batch, "comment", "New Comments", "2 people commented on your post");
}

#[tokio::test]
async fn an_answer_to_the_author_of_the_post_tells_them_once_that_it_is_an_answer() {
    let stage = Stage::set().await;
    let own = stage.say(stage.ana, "Thank you").await;

    stage.reply(stage.ben, own, "Gladly").await;

    assert_eq!(stage.told(stage.ana).await, ["ben replied to your comment: Gladly"]);
}

#[tokio::test]
async fn a_long_post_is_shown_by_its_first_hundred_characters() {
    let stage = Stage::set().await;
    let long = "💜".repeat(101);
    let post = grateful_testkit::a_post()
        .by(stage.ana)
        .with_text(&long)
        .insert_into(&stage.database)
        .await;

    hearts::add(&stage.app, stage.ben, post.id).await.unwrap();

    let told = stage.only(stage.ana).await;
    assert_eq!(data(&told)["post_preview"], "💜".repeat(100));
}

#[tokio::test]
async fn a_request_that_is_repeated_tells_once() {
    let stage = Stage::set().await;
    let key = IdempotencyKey::parse("so-kind").unwrap();

    for _ in 0..2 {
        let idempotency = IdempotentRequest { key: key.clone(), fingerprint: [1; 32] };
        let text = CommentText::parse("So kind").unwrap();
        let say = CommentDraft { post: stage.post.id, parent: None, text };
        comments::create(&stage.app, stage.ben, say, Some(idempotency), |_| Vec::new())
            .await
            .unwrap();
    }

    assert_eq!(stage.told(stage.ana).await, ["ben commented on your post: So kind"]);
}

#[tokio::test]
async fn one_heart_that_is_given_twice_at_once_tells_once() {
    let stage = Stage::set().await;
    let give = || hearts::add(&stage.app, stage.ben, stage.post.id);

    let (one, other) = tokio::join!(give(), give());

    assert_ne!(one.is_ok(), other.is_ok());
    assert_eq!(stage.told(stage.ana).await, ["ben liked your post"]);
    stage.assert_sound().await;
}

#[tokio::test]
async fn many_who_act_at_once_are_in_one_batch() {
    let stage = Stage::set().await;
    let mut crowd = Vec::new();
    while crowd.len() < 20 {
        crowd.push(person(&stage.database, &format!("friend_{}", crowd.len())).await);
    }

    join_all(crowd.iter().map(|user| async {
        stage.heart(*user).await;
        stage.react(*user, Emoji::Hug).await;
        stage.unheart(*user).await;
    }))
    .await;

    let batch = stage.only(stage.ana).await;
    assert_eq!(batch.notification.text.message, "20 people engaged with your post");
    assert_eq!(batch.notification.batch_counts().child_count, 20);
    stage.assert_sound().await;
}

#[tokio::test]
async fn an_act_that_is_refused_tells_nobody() {
    let stage = Stage::set().await;
    stage.heart(stage.ben).await;
    let before = stage.list(stage.ana).await;

    let again = hearts::add(&stage.app, stage.ben, stage.post.id).await;
    let too_long_ago = stage.try_say(stage.ben, "Hm", Some(uuid::Uuid::nil().into())).await;

    assert!(matches!(again, Err(Error::AlreadyExists { .. })), "{again:?}");
    assert!(matches!(too_long_ago, Err(Error::NotFound { .. })), "{too_long_ago:?}");
    assert_eq!(stage.list(stage.ana).await, before);
}

#[tokio::test]
async fn an_act_does_not_happen_where_nobody_can_be_told() {
    let stage = Stage::set().await;
    stage.database.execute("ALTER TABLE notifications ADD CONSTRAINT never CHECK (false)").await;
    let other = post_by(&stage.database, stage.ben).await;

    let refused = hearts::add(&stage.app, stage.ben, stage.post.id).await;
    let own = hearts::add(&stage.app, stage.ben, other).await;

    assert!(matches!(refused, Err(Error::Internal(_))), "{refused:?}");
    own.unwrap();
    assert_eq!(stage.database.count("likes").await, 1);
    assert_eq!(stage.database.count("posts WHERE hearts_count = 1").await, 1);
}

#[tokio::test]
async fn nobody_is_told_of_an_act_that_comes_to_nothing_at_the_end() {
    let stage = Stage::set().await;
    stage.heart(stage.ben).await;
    stage
        .database
        .execute(
            "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS
                 $$ BEGIN RAISE EXCEPTION 'no'; END $$;
             CREATE CONSTRAINT TRIGGER refuse AFTER INSERT ON likes DEFERRABLE INITIALLY DEFERRED
                 FOR EACH ROW EXECUTE FUNCTION refuse()",
        )
        .await;
    let before = stage.list(stage.ana).await;

    hearts::add(&stage.app, stage.caro, stage.post.id).await.unwrap_err();

    assert_eq!(stage.list(stage.ana).await, before);
    assert_eq!(stage.counts(stage.ana).await, (1, 1));
    stage.assert_sound().await;
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
