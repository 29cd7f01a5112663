//! The `data` of a notification.

use grateful_domain::notification::RenderedNotification;
use grateful_domain::{Emoji, NotificationType, ShareMethod};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{UNKNOWN_USER_ID, UNKNOWN_USERNAME};
use crate::response::codes::{EmojiCode, ShareMethodCode};

/// What a client needs to display and link a notification, with current names and texts. For a batch, it is the data of
/// the newest child.
#[derive(Default, Serialize, ToSchema)]
pub(crate) struct NotificationDataView {
    /// The id of the actor, as a string.
    actor_user_id: String,
    actor_username: String,
    /// Equals `actor_username`. In `mention`, `comment` and `comment_reply`.
    #[schema(nullable = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    author_username: Option<String>,
    /// The comment. In `comment`, in `comment_reply`, and in a `mention` in a comment.
    #[schema(nullable = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    comment_id: Option<Uuid>,
    /// The start of the comment as it is now, with `comment_id`. Absent if the caller cannot see the comment.
    #[schema(max_length = 100, nullable = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    comment_preview: Option<String>,
    /// In `emoji_reaction`.
    #[schema(value_type = Option<EmojiCode>, nullable = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    emoji_code: Option<&'static str>,
    /// The id of the actor. In `follow` and `follow_request`.
    #[schema(nullable = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    follower_id: Option<i64>,
    /// Equals `actor_username`. In `follow` and `follow_request`.
    #[schema(nullable = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    follower_username: Option<String>,
    /// Equals `actor_username`. In `like`.
    #[schema(nullable = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    liker_username: Option<String>,
    /// The post. In all types but `follow`, `follow_request` and `follow_accepted`.
    #[schema(nullable = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    post_id: Option<Uuid>,
    /// The start of the post as it is now, in the same types as `post_id`. Absent if the caller cannot see the post.
    #[schema(max_length = 100, nullable = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    post_preview: Option<String>,
    /// Equals `actor_username`. In `emoji_reaction`.
    #[schema(nullable = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    reactor_username: Option<String>,
    /// In `post_shared`, if the share has a message.
    #[schema(nullable = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    share_message: Option<String>,
    /// In `post_shared`.
    #[schema(value_type = Option<ShareMethodCode>, nullable = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    share_method: Option<&'static str>,
    /// Equals `actor_username`. In `post_shared`.
    #[schema(nullable = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    sharer_username: Option<String>,
}

impl From<&RenderedNotification> for NotificationDataView {
    fn from(rendered: &RenderedNotification) -> Self {
        let RenderedNotification { notification, actor, post_preview, comment_preview, .. } =
            rendered;
        let (subject, details) = (&notification.subject, &notification.details);
        let username = actor.as_ref().map_or(UNKNOWN_USERNAME, |actor| actor.username.as_str());
        let id = actor.as_ref().map(|actor| actor.id);
        let mut view = Self {
            actor_user_id: id.map_or_else(|| UNKNOWN_USER_ID.to_owned(), |id| id.to_string()),
            actor_username: username.to_owned(),
            comment_id: subject.comment.map(Uuid::from),
            comment_preview: comment_preview.clone(),
            emoji_code: details.emoji.map(Emoji::code),
            post_id: subject.post.map(Uuid::from),
            post_preview: post_preview.clone(),
            share_message: details.share_message.as_ref().map(|text| text.as_str().to_owned()),
            share_method: subject.share_method.map(ShareMethod::code),
            ..Self::default()
        };
        // The older name of `actor_username`, specific to the type, that clients read.
        let alias = match rendered.displayed_kind() {
            NotificationType::Like => &mut view.liker_username,
            NotificationType::EmojiReaction => &mut view.reactor_username,
            NotificationType::PostShared => &mut view.sharer_username,
            NotificationType::Mention
            | NotificationType::Comment
            | NotificationType::CommentReply => &mut view.author_username,
            NotificationType::Follow | NotificationType::FollowRequest => {
                view.follower_id = id.map(i64::from);
                &mut view.follower_username
            }
            NotificationType::FollowAccepted | NotificationType::PostInteraction => return view,
        };
        *alias = Some(username.to_owned());
        view
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use chrono::DateTime;
    use grateful_domain::notification::{
        Act, Cause, Deliverability, Event, EventDetails, Inbox, QuotedTexts,
    };
    use grateful_domain::{Author, CommentId, PostId, ShareMessage, UserId, Username};
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn each_act_has_the_fields_of_its_type() {
        let (post, comment, parent) = (PostId::from(id(1)), CommentId::from(id(2)), id(3).into());
        let about_post = ["post_id", "post_preview"];
        let about_comment = ["author_username", "comment_id", "comment_preview"];
        for (act, own) in [
            (Act::Heart { post }, &["liker_username"][..]),
            (Act::Reaction { post }, &["reactor_username", "emoji_code"]),
            (Act::LinkShare { post }, &["sharer_username", "share_method"]),
            (
                Act::MessageShare { post, share: id(4).into() },
                &["sharer_username", "share_method", "share_message"],
            ),
            (Act::Mention { post, comment: None }, &["author_username"]),
            (Act::Mention { post, comment: Some(comment) }, &about_comment),
            (Act::Comment { post, comment }, &about_comment),
            (Act::Reply { post, comment, parent }, &about_comment),
            (Act::Follow, &["follower_id", "follower_username"]),
            (Act::FollowRequest, &["follower_id", "follower_username"]),
            (Act::FollowAcceptance, &[]),
        ] {
            let data = data_of(act);

            let about_post = about_post.into_iter().filter(|_| act.post().is_some());
            let mut expected: BTreeSet<&str> = about_post.chain(own.iter().copied()).collect();
            expected.extend(["actor_user_id", "actor_username"]);
            let fields = data.as_object().unwrap();
            assert_eq!(
                fields.keys().map(String::as_str).collect::<BTreeSet<_>>(),
                expected,
                "{act:?}"
            );
            assert_eq!(data["actor_user_id"], "2");
            assert!(data.get("follower_id").is_none_or(|id| *id == json!(2)));
            for (name, username) in fields.iter().filter(|(name, _)| name.ends_with("_username")) {
                assert_eq!(username, "ben", "{name}");
            }
        }
    }

    #[test]
    fn an_actor_with_a_deleted_account_has_placeholders() {
        let rendered = RenderedNotification { actor: None, ..rendered(Act::Follow) };

        let data = json!(NotificationDataView::from(&rendered));

        let unknown = json!({
            "actor_user_id": "0", "actor_username": "unknown", "follower_username": "unknown"
        });
        assert_eq!(data, unknown);
    }

    fn data_of(act: Act) -> Value {
        json!(NotificationDataView::from(&rendered(act)))
    }

    /// A notification of an act by Ben about a post and a comment that the recipient can see.
    fn rendered(act: Act) -> RenderedNotification {
        let actor = Author {
            id: UserId::from(2),
            username: Username::from_stored("ben".to_owned()),
            display_name: None,
            profile_image_url: None,
        };
        let is_message = matches!(act, Act::MessageShare { .. });
        let message = ShareMessage::from_stored("Look at that".to_owned());
        let mut details = EventDetails::default();
        details.emoji = matches!(act, Act::Reaction { .. }).then_some(Emoji::Hug);
        details.share_message = is_message.then_some(message);
        let event = Event {
            cause: Cause { recipient: UserId::from(1), actor: actor.id, act },
            details,
            at: DateTime::UNIX_EPOCH,
            id: id(5).into(),
            batch_id: id(6).into(),
        };
        let mut inbox = Inbox::new(event.cause.recipient);
        inbox.record(&event, Deliverability::Allowed);
        let quoted = QuotedTexts {
            post: act.post().map(|_| "The post".to_owned()),
            comment: act.comment().map(|_| "The comment".to_owned()),
        };
        inbox.render(inbox.top_level()[0], &quoted, |_| Some(actor.clone()))
    }

    fn id(number: u128) -> Uuid {
        Uuid::from_u128(number)
    }
}
