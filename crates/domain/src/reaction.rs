//! The emoji with which people answer a post.

use thiserror::Error;

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

    /// The emoji with this code.
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
