//! The emoji with which people answer a post.

use chrono::{DateTime, Utc};
use thiserror::Error;

use crate::{Author, HeartId, PostId, ReactionId};

/// An emoji that somebody left on a post. There is one for a person and a post; changing one's mind changes the
/// emoji, and nothing else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reaction {
    pub id: ReactionId,
    pub post: PostId,
    pub by: Author,
    pub emoji: Emoji,
    /// When they first left one.
    pub created_at: DateTime<Utc>,
}

/// How many times one emoji was left on a post.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EmojiCount {
    pub emoji: Emoji,
    pub count: i64,
}

/// A heart that somebody gave a post.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heart {
    pub id: HeartId,
    pub by: Author,
    pub created_at: DateTime<Utc>,
}

/// One of the emoji that can be left on a post (rules §2): this list serves validation, display and texts.
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

/// A code that names no emoji of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error(
    "must be one of heart_eyes, heart_face, hug, pray, muscle, star, fire, clap, joy, thinking"
)]
pub struct UnknownEmoji;

impl Emoji {
    /// Every emoji, in the order in which clients offer them.
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

    /// The name under which it is stored and sent.
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

    /// The character that people see.
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

    /// The emoji with this code.
    ///
    /// # Errors
    /// No emoji of ours is called so.
    pub fn from_code(code: &str) -> Result<Self, UnknownEmoji> {
        Self::ALL.into_iter().find(|emoji| emoji.code() == code).ok_or(UnknownEmoji)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_leads_back_to_its_emoji_and_is_named_in_the_refusal() {
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
