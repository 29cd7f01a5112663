//! Acts of users, and the events that they cause in inboxes.

use chrono::{DateTime, Utc};
use serde_json::{Map, Value, json};

use super::{BatchConfig, BatchKey, NotificationType};
use crate::{CommentId, Emoji, NotificationId, PostId, ShareId, ShareMessage, UserId};

/// What a user (the actor) did that another user (the recipient) may be notified of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Act {
    /// Gave a heart to the recipient's post.
    Heart { post: PostId },
    /// Reacted to the recipient's post with an emoji.
    Reaction { post: PostId },
    /// Shared the recipient's post by link.
    LinkShare { post: PostId },
    /// Sent a post to the recipient.
    MessageShare { post: PostId, share: ShareId },
    /// Mentioned the recipient in a post, or in a comment on it.
    Mention { post: PostId, comment: Option<CommentId> },
    /// Commented on the recipient's post.
    Comment { post: PostId, comment: CommentId },
    /// Replied to the recipient's comment `parent`.
    Reply { post: PostId, comment: CommentId, parent: CommentId },
    /// Followed the recipient.
    Follow,
    /// Requested to follow the recipient.
    FollowRequest,
    /// Accepted the recipient's follow request.
    FollowAcceptance,
}

impl Act {
    /// The type of the notification.
    pub const fn kind(self) -> NotificationType {
        match self {
            Self::Heart { .. } => NotificationType::Like,
            Self::Reaction { .. } => NotificationType::EmojiReaction,
            Self::LinkShare { .. } | Self::MessageShare { .. } => NotificationType::PostShared,
            Self::Mention { .. } => NotificationType::Mention,
            Self::Comment { .. } => NotificationType::Comment,
            Self::Reply { .. } => NotificationType::CommentReply,
            Self::Follow => NotificationType::Follow,
            Self::FollowRequest => NotificationType::FollowRequest,
            Self::FollowAcceptance => NotificationType::FollowAccepted,
        }
    }

    /// How the act is batched. Follow requests and their acceptance are never batched.
    pub const fn config(self) -> Option<&'static BatchConfig> {
        Some(match self {
            Self::Heart { .. } | Self::Reaction { .. } => &BatchConfig::POST_INTERACTION,
            Self::LinkShare { .. } => &BatchConfig::POST_SHARED,
            Self::MessageShare { .. } => &BatchConfig::POST_SENT,
            Self::Mention { .. } => &BatchConfig::MENTION,
            Self::Comment { .. } => &BatchConfig::COMMENT,
            Self::Reply { .. } => &BatchConfig::COMMENT_REPLY,
            Self::Follow => &BatchConfig::FOLLOW,
            Self::FollowRequest | Self::FollowAcceptance => return None,
        })
    }

    /// The key that identifies the act among all acts of one actor toward one recipient. An inbox has at most one
    /// notification per actor and key.
    pub fn dedup_key(self) -> String {
        let kind = self.kind().code();
        match self {
            Self::MessageShare { share, .. } => format!("{kind}:share:{share}"),
            Self::Mention { comment: Some(comment), .. }
            | Self::Comment { comment, .. }
            | Self::Reply { comment, .. } => format!("{kind}:comment:{comment}"),
            Self::Heart { post }
            | Self::Reaction { post }
            | Self::LinkShare { post }
            | Self::Mention { post, comment: None } => format!("{kind}:post:{post}"),
            Self::Follow | Self::FollowRequest | Self::FollowAcceptance => kind.to_owned(),
        }
    }

    /// The post of the act.
    pub const fn post(self) -> Option<PostId> {
        match self {
            Self::Heart { post }
            | Self::Reaction { post }
            | Self::LinkShare { post }
            | Self::MessageShare { post, .. }
            | Self::Mention { post, .. }
            | Self::Comment { post, .. }
            | Self::Reply { post, .. } => Some(post),
            Self::Follow | Self::FollowRequest | Self::FollowAcceptance => None,
        }
    }

    /// The comment of the act.
    pub const fn comment(self) -> Option<CommentId> {
        match self {
            Self::Mention { comment, .. } => comment,
            Self::Comment { comment, .. } | Self::Reply { comment, .. } => Some(comment),
            _ => None,
        }
    }
}

/// An act with its actor and its recipient. An inbox has at most one notification per cause.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Cause {
    pub recipient: UserId,
    pub actor: UserId,
    pub act: Act,
}

impl Cause {
    /// The batch key of the act. `None` if the act is not batched.
    pub fn key(&self) -> Option<BatchKey> {
        let config = self.act.config()?;
        Some(match self.act {
            Act::Reply { parent, .. } => config.key(parent),
            Act::Follow => config.key(self.recipient),
            _ => config.key(self.act.post()?),
        })
    }
}

/// A cause at a point in time, with the details and ids that its notification needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    pub cause: Cause,
    pub details: EventDetails,
    pub at: DateTime<Utc>,
    /// The id of the notification, if one is created.
    pub id: NotificationId,
    /// The id of the batch, if the event creates one.
    pub batch_id: NotificationId,
}

/// The texts and the emoji shown in a notification.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EventDetails {
    /// The first [`PREVIEW_CHARS`](Self::PREVIEW_CHARS) characters of the post.
    pub post_preview: Option<String>,
    /// The first [`PREVIEW_CHARS`](Self::PREVIEW_CHARS) characters of the comment.
    pub comment_preview: Option<String>,
    /// The emoji of a reaction.
    pub emoji: Option<Emoji>,
    /// The message sent with a shared post.
    pub share_message: Option<ShareMessage>,
}

impl EventDetails {
    /// The maximum number of characters in a preview (docs/rules.md#notifications).
    pub const PREVIEW_CHARS: usize = 100;

    /// Details with the preview of a post.
    pub fn for_post(content: &str) -> Self {
        Self { post_preview: Some(preview(content)), ..Self::default() }
    }

    /// Adds the preview of a comment.
    #[must_use]
    pub fn with_comment(self, text: &str) -> Self {
        Self { comment_preview: Some(preview(text)), ..self }
    }

    /// Adds the emoji of a reaction.
    #[must_use]
    pub fn with_emoji(self, emoji: Emoji) -> Self {
        Self { emoji: Some(emoji), ..self }
    }
}

fn preview(text: &str) -> String {
    text.chars().take(EventDetails::PREVIEW_CHARS).collect()
}

impl Event {
    /// The data that clients need to display and link the notification, under the field names of the HTTP API.
    pub fn data(&self, actor_username: &str) -> Map<String, Value> {
        let Cause { actor, act, .. } = self.cause;
        let mut data = Map::new();
        let mut put = |name: &str, value: Option<Value>| {
            data.extend(value.map(|value| (name.to_owned(), value)));
        };
        put("actor_user_id", Some(actor.to_string().into()));
        put("post_id", act.post().map(|post| post.to_string().into()));
        put("comment_id", act.comment().map(|comment| comment.to_string().into()));
        put("post_preview", self.details.post_preview.clone().map(Value::from));
        put("comment_preview", self.details.comment_preview.clone().map(Value::from));
        put("emoji_code", self.details.emoji.map(|emoji| emoji.code().into()));
        let message = self.details.share_message.as_ref();
        put("share_message", message.map(|message| message.as_str().into()));
        match act {
            Act::LinkShare { .. } => put("share_method", Some("url".into())),
            Act::MessageShare { .. } => put("share_method", Some("message".into())),
            Act::Follow | Act::FollowRequest => put("follower_id", Some(json!(i64::from(actor)))),
            _ => (),
        }
        insert_actor_username(&mut data, act.kind(), actor_username);
        data
    }
}

/// Inserts the actor's username under `actor_username` and under the name specific to the type.
pub(super) fn insert_actor_username(
    data: &mut Map<String, Value>,
    kind: NotificationType,
    username: &str,
) {
    let alias = match kind {
        NotificationType::Like => Some("liker_username"),
        NotificationType::EmojiReaction => Some("reactor_username"),
        NotificationType::PostShared => Some("sharer_username"),
        NotificationType::Mention | NotificationType::Comment | NotificationType::CommentReply => {
            Some("author_username")
        }
        NotificationType::Follow | NotificationType::FollowRequest => Some("follower_username"),
        NotificationType::FollowAccepted | NotificationType::PostInteraction => None,
    };
    for name in alias.into_iter().chain(["actor_username"]) {
        data.insert(name.to_owned(), username.into());
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use uuid::Uuid;

    use super::*;

    #[test]
    fn each_act_has_the_data_fields_of_its_type() {
        let about_post = ["post_id", "post_preview"];
        let about_comment =
            ["post_id", "post_preview", "comment_id", "comment_preview", "author_username"];
        for (act, own) in [
            (Act::Heart { post: post() }, &["liker_username"][..]),
            (Act::Reaction { post: post() }, &["reactor_username", "emoji_code"]),
            (Act::LinkShare { post: post() }, &["sharer_username", "share_method"]),
            (message(), &["sharer_username", "share_method", "share_message"]),
            (Act::Mention { post: post(), comment: None }, &["author_username"]),
            (Act::Mention { post: post(), comment: Some(comment()) }, &about_comment),
            (Act::Comment { post: post(), comment: comment() }, &about_comment),
            (reply(), &about_comment),
            (Act::Follow, &["follower_id", "follower_username"]),
            (Act::FollowRequest, &["follower_id", "follower_username"]),
            (Act::FollowAcceptance, &[]),
        ] {
            let data = event(act).data("ben");

            let about_post = about_post.into_iter().filter(|_| act.post().is_some());
            let mut expected: BTreeSet<&str> = about_post.chain(own.iter().copied()).collect();
            expected.extend(["actor_user_id", "actor_username"]);
            let names: BTreeSet<&str> = data.keys().map(String::as_str).collect();
            assert_eq!(names, expected, "{act:?}");
            for (_, username) in data.iter().filter(|(name, _)| name.ends_with("_username")) {
                assert_eq!(username, "ben");
            }
        }
    }

    #[test]
    fn data_values_have_the_formats_of_the_api() {
        let [reaction, message, link, follow] = [
            Act::Reaction { post: post() },
            message(),
            Act::LinkShare { post: post() },
            Act::Follow,
        ]
        .map(|act| event(act).data("ben"));

        assert_eq!(reaction["actor_user_id"], "2");
        assert_eq!(reaction["post_id"], post().to_string());
        assert_eq!(reaction["emoji_code"], "hug");
        assert_eq!(
            (&message["share_method"], &link["share_method"]),
            (&json!("message"), &json!("url"))
        );
        assert_eq!(message["share_message"], "Look at that");
        assert_eq!(follow["follower_id"], 2);
    }

    #[test]
    fn previews_are_cut_after_a_hundred_characters() {
        for letter in ["a", "ü", "💜"] {
            let details =
                EventDetails::for_post(&letter.repeat(101)).with_comment(&letter.repeat(100));

            assert_eq!(details.post_preview, Some(letter.repeat(100)));
            assert_eq!(details.comment_preview, Some(letter.repeat(100)));
        }
    }

    #[test]
    fn different_acts_have_different_dedup_keys() {
        let keys: BTreeSet<String> = all_acts().into_iter().map(Act::dedup_key).collect();

        assert_eq!(keys.len(), all_acts().len());
    }

    #[test]
    fn batch_keys_have_the_documented_form() {
        let keys = all_acts().map(|act| cause(act).key().map(|key| key.to_string()));

        let (on_post, on_comment) = (|name| format!("{name}:post:{}", post()), parent());
        assert_eq!(
            keys.map(Option::unwrap_or_default),
            [
                on_post("post_interaction"),
                on_post("post_interaction"),
                on_post("post_shared"),
                on_post("post_sent"),
                on_post("mention"),
                on_post("mention"),
                on_post("comment"),
                format!("comment_reply:comment:{on_comment}"),
                "follow:user:1".to_owned(),
                String::new(),
                String::new(),
            ]
        );
    }

    fn all_acts() -> [Act; 11] {
        [
            Act::Heart { post: post() },
            Act::Reaction { post: post() },
            Act::LinkShare { post: post() },
            message(),
            Act::Mention { post: post(), comment: None },
            Act::Mention { post: post(), comment: Some(comment()) },
            Act::Comment { post: post(), comment: comment() },
            reply(),
            Act::Follow,
            Act::FollowRequest,
            Act::FollowAcceptance,
        ]
    }

    fn message() -> Act {
        Act::MessageShare { post: post(), share: Uuid::from_u128(0x5).into() }
    }

    fn reply() -> Act {
        Act::Reply { post: post(), comment: comment(), parent: parent() }
    }

    fn post() -> PostId {
        Uuid::from_u128(0xa).into()
    }

    fn comment() -> CommentId {
        Uuid::from_u128(0xc).into()
    }

    fn parent() -> CommentId {
        Uuid::from_u128(0xd).into()
    }

    fn cause(act: Act) -> Cause {
        Cause { recipient: 1.into(), actor: 2.into(), act }
    }

    fn event(act: Act) -> Event {
        let mut details = EventDetails::default();
        if act.post().is_some() {
            details = EventDetails::for_post("For the bus driver");
        }
        if act.comment().is_some() {
            details = details.with_comment("How lovely");
        }
        match act {
            Act::Reaction { .. } => details.emoji = Some(Emoji::Hug),
            Act::MessageShare { .. } => {
                details.share_message = ShareMessage::parse("Look at that").unwrap();
            }
            _ => (),
        }
        let (id, batch_id) = (Uuid::from_u128(1).into(), Uuid::from_u128(2).into());
        Event { cause: cause(act), details, at: DateTime::UNIX_EPOCH, id, batch_id }
    }
}
