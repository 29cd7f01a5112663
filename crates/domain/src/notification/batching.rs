//! What is gathered into one notification, and for how long (rules §4).

use std::fmt;

use chrono::TimeDelta;

use super::NotificationType;

/// What the recipient sees gathered: acts with the same key.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct BatchKey(String);

/// What a batch is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Scope {
    /// A post.
    Post,
    /// A person.
    User,
    /// A comment.
    Comment,
}

impl Scope {
    /// The word for it in a key.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Post => "post",
            Self::User => "user",
            Self::Comment => "comment",
        }
    }
}

impl BatchKey {
    /// The key of whatever is called `name` about one post, person or comment: `{name}:{scope}:{id}`.
    pub fn new(name: &str, scope: Scope, id: impl fmt::Display) -> Self {
        Self(format!("{name}:{}:{id}", scope.code()))
    }

    /// Takes back a key that was stored.
    pub fn from_stored(key: String) -> Self {
        Self(key)
    }

    /// The key as it is stored.
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

/// How acts of one kind are gathered (rules §4).
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct BatchConfig {
    /// The first part of its keys.
    pub name: &'static str,
    /// The type of a batch.
    pub notification_type: NotificationType,
    /// What its keys are about.
    pub scope: Scope,
    /// How long after its creation others may join a batch.
    pub max_age: TimeDelta,
    /// How long after a single another act makes a batch of the two.
    pub conversion_window: TimeDelta,
    /// How many entries a batch may have; as many as there are where nothing is said.
    pub max_size: Option<i32>,
    /// The title of a batch of several.
    pub summary_title: &'static str,
    /// What a batch of several people says: `{n}` stands for the people, `{batch_count}` for the entries.
    pub summary_template: &'static str,
    /// What clients show beside it.
    pub icon_type: Icon,
}

/// What clients show beside a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Icon {
    Heart,
    Share,
    Mention,
    Comment,
    Follow,
}

impl BatchConfig {
    /// Hearts and emoji on a post.
    pub const POST_INTERACTION: Self = Self {
        summary_title: "New Engagement 💜",
        summary_template: "{n} people engaged with your post",
        icon_type: Icon::Heart,
        ..Self::usual("post_interaction", NotificationType::PostInteraction, Scope::Post)
    };
    /// Links taken to a post.
    pub const POST_SHARED: Self = Self {
        summary_title: "Post Shared",
        summary_template: "{n} people shared your post",
        icon_type: Icon::Share,
        ..Self::usual("post_shared", NotificationType::PostShared, Scope::Post)
    };
    /// A post sent to somebody.
    pub const POST_SENT: Self = Self {
        summary_title: "Post Sent",
        summary_template: "{n} people sent you a post",
        icon_type: Icon::Share,
        ..Self::usual("post_sent", NotificationType::PostShared, Scope::Post)
    };
    /// Being named in a post, or in what is said about it.
    pub const MENTION: Self = Self {
        summary_title: "You were mentioned",
        summary_template: "You were mentioned {batch_count} times",
        icon_type: Icon::Mention,
        ..Self::usual("mention", NotificationType::Mention, Scope::Post)
    };
    /// What is said about a post.
    pub const COMMENT: Self = Self {
        summary_title: "New Comments",
        summary_template: "{n} people commented on your post",
        icon_type: Icon::Comment,
        ..Self::usual("comment", NotificationType::Comment, Scope::Post)
    };
    /// Answers to a comment.
    pub const COMMENT_REPLY: Self = Self {
        summary_title: "New Replies",
        summary_template: "{n} people replied to your comment",
        icon_type: Icon::Comment,
        ..Self::usual("comment_reply", NotificationType::CommentReply, Scope::Comment)
    };
    /// New followers.
    pub const FOLLOW: Self = Self {
        max_size: Some(10),
        summary_title: "New Followers",
        summary_template: "{n} people started following you",
        icon_type: Icon::Follow,
        ..Self::usual("follow", NotificationType::Follow, Scope::User)
    };

    /// Every way of gathering.
    pub const ALL: [&'static Self; 7] = [
        &Self::POST_INTERACTION,
        &Self::POST_SHARED,
        &Self::POST_SENT,
        &Self::MENTION,
        &Self::COMMENT,
        &Self::COMMENT_REPLY,
        &Self::FOLLOW,
    ];

    const fn usual(name: &'static str, kind: NotificationType, scope: Scope) -> Self {
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

    /// How acts with this key are gathered.
    pub fn of(key: &BatchKey) -> Option<&'static Self> {
        Self::ALL.into_iter().find(|config| config.name == key.name())
    }

    /// The key of this kind about one post, person or comment.
    pub fn key(&self, id: impl fmt::Display) -> BatchKey {
        BatchKey::new(self.name, self.scope, id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_leads_back_to_its_way_of_gathering() {
        for config in BatchConfig::ALL {
            let key = config.key("0193");
            assert_eq!(BatchConfig::of(&key), Some(config));
            assert_eq!(key.as_str(), format!("{}:{}:0193", config.name, config.scope.code()));
            assert!(!config.summary_title.is_empty() && config.summary_template.contains('{'));
        }
    }

    #[test]
    fn a_key_takes_any_name_and_scope() {
        let key = BatchKey::new("profile_interaction", Scope::User, 456);
        assert_eq!(key.as_str(), "profile_interaction:user:456");
        assert_eq!(BatchConfig::of(&key), None);
    }
}
