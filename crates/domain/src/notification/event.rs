//! Acts of users, and the events that they cause in inboxes.

use chrono::{DateTime, Utc};

use super::{BatchKey, BatchKind, NotificationType};
use crate::{CommentId, Emoji, NotificationId, PostId, ShareId, ShareMessage, ShareMethod, UserId};

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

    /// The kind of batches that the act belongs to. Follow requests and their acceptance are never batched.
    pub(super) const fn batch_kind(self) -> Option<BatchKind> {
        Some(match self {
            Self::Heart { .. } | Self::Reaction { .. } => BatchKind::PostInteraction,
            Self::LinkShare { .. } => BatchKind::PostShared,
            Self::MessageShare { .. } => BatchKind::PostSent,
            Self::Mention { .. } => BatchKind::Mention,
            Self::Comment { .. } => BatchKind::Comment,
            Self::Reply { .. } => BatchKind::CommentReply,
            Self::Follow => BatchKind::Follow,
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

    /// The method of a share.
    pub(super) const fn share_method(self) -> Option<ShareMethod> {
        match self {
            Self::LinkShare { .. } => Some(ShareMethod::Url),
            Self::MessageShare { .. } => Some(ShareMethod::Message),
            _ => None,
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
        let kind = self.act.batch_kind()?;
        Some(match self.act {
            Act::Reply { parent, .. } => kind.key(parent),
            Act::Follow => kind.key(self.recipient),
            _ => kind.key(self.act.post()?),
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

/// What only the act says about its notification.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EventDetails {
    /// The emoji of a reaction.
    pub emoji: Option<Emoji>,
    /// The method of a share. [`record`](super::record) sets it by the act.
    pub share_method: Option<ShareMethod>,
    /// The message sent with a shared post.
    pub share_message: Option<ShareMessage>,
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use uuid::Uuid;

    use super::*;

    #[test]
    fn different_acts_have_different_dedup_keys() {
        let keys: BTreeSet<String> = all_acts().into_iter().map(Act::dedup_key).collect();

        assert_eq!(keys.len(), all_acts().len());
    }

    #[test]
    fn batch_keys_have_the_documented_form() {
        let keys = all_acts().map(|act| cause(act).key().map(|key| key.as_str().to_owned()));

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
}
