//! Which acts share a batch, and for how long (docs/rules.md#batching).

use std::fmt;

use chrono::TimeDelta;

use super::NotificationType;
use crate::batching::BatchLimits;
use crate::closed_enum;

/// Identifies a batch: acts with the same recipient and the same key are batched.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(transparent))]
pub struct BatchKey(String);

closed_enum! {
    /// What the acts of a batch have in common.
    pub enum BatchScope {
        /// The post that they are about.
        Post = "post",
        /// The user that they are about.
        User = "user",
        /// The comment that they reply to.
        Comment = "comment",
    }
}

closed_enum! {
    /// A kind of acts that share batches. The code is the first part of their batch keys.
    pub enum BatchKind {
        /// Hearts and reactions on a post.
        PostInteraction = "post_interaction",
        /// Shares of a post by link.
        PostShared = "post_shared",
        /// Shares of a post by message to the recipient.
        PostSent = "post_sent",
        /// Mentions in a post and in its comments.
        Mention = "mention",
        /// Comments on a post.
        Comment = "comment",
        /// Replies to a comment.
        CommentReply = "comment_reply",
        /// New followers.
        Follow = "follow",
    }
}

/// How acts of one kind are batched (docs/rules.md#batching).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct BatchConfig {
    /// The type of the batch notification.
    pub notification_type: NotificationType,
    /// The second part of the batch keys.
    pub scope: BatchScope,
    /// How long after its creation a batch accepts children.
    pub max_age: TimeDelta,
    /// How long after its creation a single notification can be converted to a batch by another act.
    pub conversion_window: TimeDelta,
    /// The maximum number of children. `None` means no limit.
    pub max_size: Option<i32>,
    /// The title of a batch with two or more children.
    pub summary_title: &'static str,
    /// The message of a batch with two or more actors. `{n}` is the number of actors, `{batch_count}` the number of
    /// children.
    pub summary_template: &'static str,
    /// The icon that clients show next to the batch.
    pub icon_type: Icon,
}

/// The icon of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Icon {
    Heart,
    Share,
    Mention,
    Comment,
    Follow,
}

impl BatchConfig {
    /// How long and how far the batches grow.
    pub(super) const fn limits(self) -> BatchLimits {
        let Self { max_age, conversion_window, max_size, .. } = self;
        BatchLimits { max_age, conversion_window, max_size }
    }
}

impl BatchKind {
    /// How acts of this kind are batched.
    pub const fn config(self) -> BatchConfig {
        use NotificationType as Type;
        let (notification_type, scope, summary_title, summary_template, icon_type) = match self {
            Self::PostInteraction => (
                Type::PostInteraction,
                BatchScope::Post,
                "New Engagement 💜",
                "{n} people engaged with your post",
                Icon::Heart,
            ),
            Self::PostShared => (
                Type::PostShared,
                BatchScope::Post,
                "Post Shared",
                "{n} people shared your post",
                Icon::Share,
            ),
            Self::PostSent => (
                Type::PostShared,
                BatchScope::Post,
                "Post Sent",
                "{n} people sent you a post",
                Icon::Share,
            ),
            Self::Mention => (
                Type::Mention,
                BatchScope::Post,
                "You were mentioned",
                "You were mentioned {batch_count} times",
                Icon::Mention,
            ),
            Self::Comment => (
                Type::Comment,
                BatchScope::Post,
                "New Comments",
                "{n} people commented on your post",
                Icon::Comment,
            ),
            Self::CommentReply => (
                Type::CommentReply,
                BatchScope::Comment,
                "New Replies",
                "{n} people replied to your comment",
                Icon::Comment,
            ),
            Self::Follow => (
                Type::Follow,
                BatchScope::User,
                "New Followers",
                "{n} people started following you",
                Icon::Follow,
            ),
        };
        BatchConfig {
            notification_type,
            scope,
            max_age: TimeDelta::hours(24),
            conversion_window: TimeDelta::hours(1),
            max_size: if matches!(self, Self::Follow) { Some(10) } else { None },
            summary_title,
            summary_template,
            icon_type,
        }
    }

    /// The key for one post, user or comment, depending on the scope.
    pub fn key(self, id: impl fmt::Display) -> BatchKey {
        BatchKey(format!("{}:{}:{id}", self.code(), self.config().scope.code()))
    }
}

impl BatchKey {
    /// Wraps a stored key without checking it.
    pub fn from_stored(key: String) -> Self {
        Self(key)
    }

    /// The key as stored: `{kind}:{scope}:{id}`.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The configuration of the batch. `None` if older versions stored the key under a name that is not known.
    pub(super) fn config(&self) -> Option<BatchConfig> {
        let (kind, _) = self.0.split_once(':')?;
        Some(BatchKind::from_code(kind).ok()?.config())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_leads_to_its_configuration() {
        for kind in BatchKind::ALL {
            assert_eq!(kind.key("0193").config(), Some(kind.config()));
        }
        let unknown = BatchKey::from_stored("profile_interaction:user:456".to_owned());
        assert_eq!(unknown.config(), None);
    }
}
