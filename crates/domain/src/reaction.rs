//! Hearts and emoji reactions to posts (docs/rules.md#engagement).

use chrono::{DateTime, Utc};

use crate::{Author, HeartId, PostId, ReactionId, closed_enum};

/// An emoji reaction of a user to a post. Each user has at most one per post; reacting again replaces only the emoji.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Reaction {
    pub id: ReactionId,
    pub post: PostId,
    pub user: Author,
    pub emoji: Emoji,
    /// When the user first reacted.
    pub created_at: DateTime<Utc>,
}

/// The number of reactions with one emoji to a post.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct EmojiCount {
    pub emoji: Emoji,
    pub count: i64,
}

/// A heart of a user on a post.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Heart {
    pub id: HeartId,
    pub user: Author,
    pub created_at: DateTime<Utc>,
}

/// A heart that the user gave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct HeartRecord {
    /// The post.
    pub post: PostId,
    /// When the heart was given.
    pub at: DateTime<Utc>,
}

/// A reaction of the user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct ReactionRecord {
    /// The post.
    pub post: PostId,
    /// The emoji.
    pub emoji: Emoji,
    /// When the user reacted.
    pub at: DateTime<Utc>,
}

closed_enum! {
    /// The emoji that a reaction can have (docs/rules.md#engagement), in the order in which clients show them.
    #[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
    pub enum Emoji {
        HeartEyes = "heart_eyes",
        HeartFace = "heart_face",
        Hug = "hug",
        Pray = "pray",
        Muscle = "muscle",
        Star = "star",
        Fire = "fire",
        Clap = "clap",
        Joy = "joy",
        Thinking = "thinking",
    }
}

impl Emoji {
    /// The character shown to users.
    pub const fn display(self) -> &'static str {
        match self {
            Self::HeartEyes | Self::HeartFace => "😍",
            Self::Hug => "🤗",
            Self::Pray => "🙏",
            Self::Muscle => "💪",
            Self::Star => "⭐",
            Self::Fire => "🔥",
            Self::Clap => "👏",
            Self::Joy => "😂",
            Self::Thinking => "🤔",
        }
    }
}
