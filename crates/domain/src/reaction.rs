//! Hearts and emoji reactions to posts (docs/rules.md#engagement).

use chrono::{DateTime, Utc};
use thiserror::Error;

use crate::{Author, HeartId, PostId, ReactionId};

/// An emoji reaction of a user to a post. Each user has at most one per post; reacting again replaces only the emoji.
#[derive(Debug, Clone, PartialEq, Eq)]
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
pub struct EmojiCount {
    pub emoji: Emoji,
    pub count: i64,
}

/// A heart of a user on a post.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heart {
    pub id: HeartId,
    pub user: Author,
    pub created_at: DateTime<Utc>,
}

/// The emoji that a reaction can have (docs/rules.md#engagement), used for validation, display and notification texts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Emoji {
    HeartEyes,
    HeartFace,
    Hug,
    Pray,
    Muscle,
    Star,
    Fire,
    Clap,
    Joy,
    Thinking,
}

/// A code that is not a supported emoji.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error(
    "must be one of heart_eyes, heart_face, hug, pray, muscle, star, fire, clap, joy, thinking"
)]
pub struct UnknownEmoji;

impl Emoji {
    /// All emoji, in the order in which clients show them.
    pub const ALL: [Self; 10] = [
        Self::HeartEyes,
        Self::HeartFace,
        Self::Hug,
        Self::Pray,
        Self::Muscle,
        Self::Star,
        Self::Fire,
        Self::Clap,
        Self::Joy,
        Self::Thinking,
    ];

    /// The code used in the database and in JSON.
    pub const fn code(self) -> &'static str {
        match self {
            Self::HeartEyes => "heart_eyes",
            Self::HeartFace => "heart_face",
            Self::Hug => "hug",
            Self::Pray => "pray",
            Self::Muscle => "muscle",
            Self::Star => "star",
            Self::Fire => "fire",
            Self::Clap => "clap",
            Self::Joy => "joy",
            Self::Thinking => "thinking",
        }
    }

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

    /// Looks up the emoji with this code.
    ///
    /// # Errors
    /// No supported emoji has this code.
    pub fn from_code(code: &str) -> Result<Self, UnknownEmoji> {
        Self::ALL.into_iter().find(|emoji| emoji.code() == code).ok_or(UnknownEmoji)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_parses_and_the_error_lists_all_codes() {
        for emoji in Emoji::ALL {
            assert_eq!(Emoji::from_code(emoji.code()), Ok(emoji));
            assert!(UnknownEmoji.to_string().contains(emoji.code()));
        }
    }

    #[test]
    fn codes_are_case_sensitive() {
        assert_eq!(Emoji::from_code("Hug"), Err(UnknownEmoji));
    }
}
