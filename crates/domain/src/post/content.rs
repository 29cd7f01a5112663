//! The fields of a post.

use crate::closed_enum;
use crate::text::{self, Lines, TextError, texts};

texts! {
    /// The content of a post: trimmed, with 1 character to the maximum of its type.
    Content,
    /// The title of a post.
    Title,
    /// The location of a post, as free text.
    LocationName,
    /// Where clients find the image of a post. It identifies the image.
    ImageUrl,
}

closed_enum! {
    /// The type of a post. It decides the maximum length, the layout in clients and the bonus in the feed.
    #[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
    pub enum PostType {
        /// What the author is grateful for today, in a longer text. It has the largest bonus.
        Daily = "daily",
        /// An image with a short text. It has a bonus only if there is an image.
        Photo = "photo",
        /// A short thought, without a bonus.
        Spontaneous = "spontaneous",
    }
}

impl PostType {
    /// The maximum number of characters of the content (docs/rules.md#posts).
    pub(super) const fn max_chars(self) -> usize {
        match self {
            Self::Daily => 500,
            Self::Photo => 300,
            Self::Spontaneous => 200,
        }
    }

    /// Detects the type of a post whose author did not choose one (docs/rules.md#posts). Lengths are counted as in
    /// [`Content::parse`].
    pub fn detect(raw: &str, has_image: bool) -> Self {
        let Ok(content) = text::normalize(raw, Lines::Multiple) else { return Self::Daily };
        let chars = content.chars().count();
        if has_image && chars <= Self::Photo.max_chars() {
            Self::Photo
        } else if content.split_whitespace().count() < DAILY_MIN_WORDS
            && chars <= Self::Spontaneous.max_chars()
        {
            Self::Spontaneous
        } else {
            Self::Daily
        }
    }
}

/// A text with this many words or more is not detected as spontaneous.
const DAILY_MIN_WORDS: usize = 20;

impl Content {
    /// Parses the content of a post of this type.
    ///
    /// # Errors
    /// The text is blank, has more characters than the type allows, or contains a control character other than a line
    /// feed.
    pub fn parse(raw: &str, post_type: PostType) -> Result<Self, TextError> {
        text::required(raw, Lines::Multiple, post_type.max_chars()).map(Self)
    }
}

impl Title {
    /// The maximum number of characters.
    pub const MAX_CHARS: usize = 100;

    /// Parses a title; `None` if it is blank.
    ///
    /// # Errors
    /// The text has more than [`Title::MAX_CHARS`] characters, or contains a control character or a line feed.
    pub fn parse(raw: &str) -> Result<Option<Self>, TextError> {
        Ok(text::optional(raw, Lines::Single, Self::MAX_CHARS)?.map(Self))
    }
}

impl LocationName {
    /// The maximum number of characters.
    pub const MAX_CHARS: usize = 100;

    /// Parses the name of a location; `None` if it is blank.
    ///
    /// # Errors
    /// The text has more than [`LocationName::MAX_CHARS`] characters, or contains a control character or a line feed.
    pub fn parse(raw: &str) -> Result<Option<Self>, TextError> {
        Ok(text::optional(raw, Lines::Single, Self::MAX_CHARS)?.map(Self))
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::short(&"word ".repeat(19), false, PostType::Spontaneous)]
    #[case::twenty_words(&"word ".repeat(20), false, PostType::Daily)]
    #[case::few_but_long_words(&"x".repeat(201), false, PostType::Daily)]
    #[case::two_hundred(&"x".repeat(200), false, PostType::Spontaneous)]
    #[case::image(&"word ".repeat(60), true, PostType::Photo)]
    #[case::image_and_a_long_text(&"word ".repeat(61), true, PostType::Daily)]
    #[case::padding_does_not_count(&format!("{}{}", " ".repeat(400), "x"), true, PostType::Photo)]
    fn the_type_is_detected(
        #[case] raw: &str,
        #[case] has_image: bool,
        #[case] expected: PostType,
    ) {
        assert_eq!(PostType::detect(raw, has_image), expected);
    }

    #[rstest]
    #[case(PostType::Daily, 500)]
    #[case(PostType::Photo, 300)]
    #[case(PostType::Spontaneous, 200)]
    fn each_type_has_its_own_maximum_length(#[case] post_type: PostType, #[case] max: usize) {
        assert!(Content::parse(&"💜".repeat(max), post_type).is_ok());
        assert_eq!(
            Content::parse(&"💜".repeat(max + 1), post_type),
            Err(TextError::TooLong { chars: max + 1, max })
        );
    }

    #[test]
    fn blank_content_is_rejected_and_a_blank_title_counts_as_absent() {
        assert_eq!(Content::parse(" \n\t", PostType::Daily), Err(TextError::Empty));
        assert_eq!(Title::parse("  "), Ok(None));
    }
}
