//! Which acts share a batch, and for how long (docs/rules.md#batching).

use std::fmt;

use chrono::TimeDelta;

use super::NotificationType;

/// Identifies a batch: acts with the same recipient and the same key are batched.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct BatchKey(String);

/// What the acts of a batch have in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum BatchScope {
    /// The post that they are about.
    Post,
    /// The user that they are about.
    User,
    /// The comment that they reply to.
    Comment,
}

impl BatchScope {
    /// The code used in batch keys.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Post => "post",
            Self::User => "user",
            Self::Comment => "comment",
        }
    }
}

impl BatchKey {
    /// Builds the key `{name}:{scope}:{id}`.
    pub fn new(name: &str, scope: BatchScope, id: impl fmt::Display) -> Self {
        Self(format!("{name}:{}:{id}", scope.code()))
    }

    /// Wraps a stored key without checking it.
    pub fn from_stored(key: String) -> Self {
        Self(key)
    }

    /// The key as stored.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn name(&self) -> &str {
        self.0.split(':').next().unwrap_or_default()
    }
}

impl fmt::Display for BatchKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// How acts of one kind are batched (docs/rules.md#batching).
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct BatchConfig {
    /// The first part of the batch keys.
    pub name: &'static str,
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
    /// Hearts and reactions on a post.
    pub const POST_INTERACTION: Self = Self {
        summary_title: "New Engagement 💜",
        summary_template: "{n} people engaged with your post",
        icon_type: Icon::Heart,
        ..Self::usual("post_interaction", NotificationType::PostInteraction, BatchScope::Post)
    };
    /// Shares of a post by link.
    pub const POST_SHARED: Self = Self {
        summary_title: "Post Shared",
        summary_template: "{n} people shared your post",
        icon_type: Icon::Share,
        ..Self::usual("post_shared", NotificationType::PostShared, BatchScope::Post)
    };
    /// Shares of a post by message to the recipient.
    pub const POST_SENT: Self = Self {
        summary_title: "Post Sent",
        summary_template: "{n} people sent you a post",
        icon_type: Icon::Share,
        ..Self::usual("post_sent", NotificationType::PostShared, BatchScope::Post)
    };
    /// Mentions in a post and in its comments.
    pub const MENTION: Self = Self {
        summary_title: "You were mentioned",
        summary_template: "You were mentioned {batch_count} times",
        icon_type: Icon::Mention,
        ..Self::usual("mention", NotificationType::Mention, BatchScope::Post)
    };
    /// Comments on a post.
    pub const COMMENT: Self = Self {
        summary_title: "New Comments",
        summary_template: "{n} people commented on your post",
        icon_type: Icon::Comment,
        ..Self::usual("comment", NotificationType::Comment, BatchScope::Post)
    };
    /// Replies to a comment.
    pub const COMMENT_REPLY: Self = Self {
        summary_title: "New Replies",
        summary_template: "{n} people replied to your comment",
        icon_type: Icon::Comment,
        ..Self::usual("comment_reply", NotificationType::CommentReply, BatchScope::Comment)
    };
    /// New followers.
    pub const FOLLOW: Self = Self {
        max_size: Some(10),
        summary_title: "New Followers",
        summary_template: "{n} people started following you",
        icon_type: Icon::Follow,
        ..Self::usual("follow", NotificationType::Follow, BatchScope::User)
    };

    /// All configurations.
    pub const ALL: [&'static Self; 7] = [
        &Self::POST_INTERACTION,
        &Self::POST_SHARED,
        &Self::POST_SENT,
        &Self::MENTION,
        &Self::COMMENT,
        &Self::COMMENT_REPLY,
        &Self::FOLLOW,
    ];

    const fn usual(name: &'static str, kind: NotificationType, scope: BatchScope) -> Self {
        Self {
            name,
            notification_type: kind,
            scope,
            max_age: TimeDelta::hours(24),
            conversion_window: TimeDelta::hours(1),
            max_size: None,
            summary_title: "",
            summary_template: "",
            icon_type: Icon::Heart,
        }
    }

    /// The configuration of a key, if the key has one of the known names.
    pub fn for_key(key: &BatchKey) -> Option<&'static Self> {
        Self::ALL.into_iter().find(|config| config.name == key.name())
    }

    /// The key for one post, user or comment, depending on the scope.
    pub fn key(&self, id: impl fmt::Display) -> BatchKey {
        BatchKey::new(self.name, self.scope, id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_leads_to_its_configuration() {
        for config in BatchConfig::ALL {
            let key = config.key("0193");
            assert_eq!(BatchConfig::for_key(&key), Some(config));
            assert_eq!(key.as_str(), format!("{}:{}:0193", config.name, config.scope.code()));
            assert!(!config.summary_title.is_empty() && config.summary_template.contains('{'));
        }
    }

    #[test]
    fn a_key_can_have_an_unknown_name() {
        let key = BatchKey::new("profile_interaction", BatchScope::User, 456);
        assert_eq!(key.as_str(), "profile_interaction:user:456");
        assert_eq!(BatchConfig::for_key(&key), None);
    }
}
