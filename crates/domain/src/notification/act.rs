//! Acts of users, and what their notifications show of them.

use super::{BatchKey, BatchKind, NotificationType, Priority};
use crate::{CommentId, Emoji, PostId, ShareId, ShareMessage, ShareMethod, UserId};

/// What a user (the actor) did that another user (the recipient) may be notified of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
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

    /// The comment of the act.
    pub const fn comment(self) -> Option<CommentId> {
        match self {
            Self::Mention { comment, .. } => comment,
            Self::Comment { comment, .. } | Self::Reply { comment, .. } => Some(comment),
            _ => None,
        }
    }
    /// The key of the batch that the act belongs to in the inbox of `recipient`. `None` if it is not batched.
    pub(super) fn batch_key(self, recipient: UserId) -> Option<BatchKey> {
        let kind = self.batch_kind()?;
        Some(match self {
            Self::Reply { parent, .. } => kind.key(parent),
            Self::Follow => kind.key(recipient),
            _ => kind.key(self.post()?),
        })
    }
}

/// What a notification is about, as its act says.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Subject {
    pub post: Option<PostId>,
    pub comment: Option<CommentId>,
    /// The method of a share.
    pub share_method: Option<ShareMethod>,
    pub priority: Priority,
}

impl From<Act> for Subject {
    fn from(act: Act) -> Self {
        let share_method = match act {
            Act::LinkShare { .. } => Some(ShareMethod::Url),
            Act::MessageShare { .. } => Some(ShareMethod::Message),
            _ => None,
        };
        let priority = act.kind().priority();
        Self { post: act.post(), comment: act.comment(), share_method, priority }
    }
}

/// What only the caller knows about an act. A [`RenderedNotification`](super::RenderedNotification) adds what can be looked up
/// when it is read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct EventDetails {
    /// The emoji of a reaction.
    pub emoji: Option<Emoji>,
    /// The message sent with a shared post.
    pub share_message: Option<ShareMessage>,
}

impl EventDetails {
    /// The details of a reaction.
    pub fn of_emoji(emoji: Emoji) -> Self {
        Self { emoji: Some(emoji), ..Self::default() }
    }

    /// The details of a share.
    pub fn of_message(message: Option<ShareMessage>) -> Self {
        Self { share_message: message, ..Self::default() }
    }
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
        let keys = all_acts().map(|act| act.batch_key(1.into()).map(|key| key.as_str().to_owned()));

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
}
