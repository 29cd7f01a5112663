//! The feature `serde`: what is serialized and read again is the same.

#![expect(clippy::unwrap_used, reason = "a failed setup is a failed test")]

use std::fmt::Debug;

use chrono::{DateTime, TimeDelta};
use grateful_domain::notification::{
    Act, Cause, Deliverability, Event, EventDetails, InboxUpdate, SuppressionReason,
};
use grateful_domain::{
    Author, Comment, CommentText, Content, DisplayName, Draft, Email, Emoji, Follow, FollowState,
    Inbox, NotificationId, NotificationType, OwnProfile, Post, PostType, Preferences, Priority,
    Profile, Recipients, Session, Share, ShareDetails, ShareMessage, ShareMethod, Suggestion, User,
    UserId, Username, Visibility,
};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

fn round_trip<T: Serialize + DeserializeOwned + PartialEq + Debug>(value: &T) -> Value {
    let json = serde_json::to_value(value).unwrap();
    assert_eq!(serde_json::from_value::<T>(json.clone()).unwrap(), *value);
    json
}

#[test]
fn ids_and_texts_are_written_as_what_they_wrap() {
    let id = Uuid::from_u128(7);

    assert_eq!(round_trip(&UserId::from(7)), json!(7));
    assert_eq!(round_trip(&NotificationId::from(id)), json!(id));
    assert_eq!(round_trip(&Username::from_stored("ana".to_owned())), json!("ana"));
    assert_eq!(round_trip(&DisplayName::from_stored("Ana".to_owned())), json!("Ana"));
}

#[test]
fn values_of_closed_lists_are_written_as_their_codes() {
    macro_rules! check {
        ($($list:ty),+) => {$(
            for value in <$list>::ALL {
                assert_eq!(round_trip(&value), json!(value.code()));
            }
        )+};
    }
    check!(Emoji, NotificationType, PostType, Priority, ShareMethod, SuppressionReason, Visibility);

    for state in FollowState::ALL {
        assert_eq!(round_trip(&state), json!(state.code().unwrap_or("none")));
    }
}

#[test]
fn a_post_its_comment_and_its_author_are_the_same_after_a_round_trip() {
    let author = Author::new(1.into(), Username::from_stored("ana".to_owned()));
    let content = Content::parse("For the bus driver", PostType::Daily).unwrap();
    let draft = Draft::new(content, PostType::Daily);
    let post = Post::publish(Uuid::from_u128(1).into(), author.id, draft, DateTime::UNIX_EPOCH);
    let comment = Comment {
        id: Uuid::from_u128(2).into(),
        post: post.id,
        author: author.id,
        parent: None,
        text: CommentText::parse("How lovely").unwrap(),
        created_at: DateTime::UNIX_EPOCH,
        updated_at: None,
    };

    let json = round_trip(&post);
    assert_eq!(json["draft"]["content"], "For the bus driver");
    assert_eq!(json["draft"]["visibility"], "public");
    round_trip(&comment);
    round_trip(&author);
    round_trip(&Share {
        id: Uuid::from_u128(3).into(),
        user: author.id,
        post: post.id,
        details: ShareDetails::Message {
            recipients: Recipients::parse(author.id, &[2]).unwrap(),
            message: ShareMessage::parse("Look").unwrap(),
        },
        created_at: DateTime::UNIX_EPOCH,
    });
}

#[test]
fn updates_and_the_notifications_that_they_make_are_the_same_after_a_round_trip() {
    let post = Uuid::from_u128(7).into();
    let mut inbox = Inbox::new(1.into());
    for (number, actor) in [(10, 2), (20, 3)] {
        let [id, batch_id] = [number, number + 1].map(|id| Uuid::from_u128(id).into());
        let cause = Cause { recipient: 1.into(), actor: actor.into(), act: Act::Reaction { post } };
        let at = DateTime::UNIX_EPOCH + TimeDelta::microseconds(1);
        let details = EventDetails::of_emoji(Emoji::Hug);
        let update = InboxUpdate::Record(Event { cause, details, at, id, batch_id });
        round_trip(&update);
        inbox.update(&update, Deliverability::Allowed);
    }

    let batch = inbox.top_level()[0];
    let json = round_trip(batch);
    assert_eq!((&json["kind"], &json["key"]), (&json!("post_interaction"), &json!(batch.key)));
    for child in inbox.children(batch.id) {
        round_trip(child);
    }
}

/// Entities that the tests above do not make.
#[test]
fn accounts_and_profiles_can_be_serialized() {
    fn is_serializable<T: Serialize + for<'de> Deserialize<'de>>() {}

    is_serializable::<User>();
    is_serializable::<Profile>();
    is_serializable::<OwnProfile>();
    is_serializable::<Session>();
    is_serializable::<Follow>();
    is_serializable::<Suggestion>();
    is_serializable::<Preferences>();
    round_trip(&Email::parse("ana@example.org").unwrap());
}
