//! What a post is made of.

use thiserror::Error;
use uuid::Uuid;

use crate::text::{self, Lines, TextError, texts};

texts! {
    /// The words of a post: trimmed, never empty, never longer than its type allows.
    Content,
    /// A headline.
    Title,
    /// Where it was written, in the author's words.
    LocationName,
    /// Where the picture of a post is: always one that was uploaded here.
    ImageUrl,
}

/// How much a post wants to be: its room, its looks and its bonus in the feed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PostType {
    /// What one is thankful for today, at some length. It has the largest bonus.
    Daily,
    /// A picture with a few words; it has a bonus if it really has a picture.
    Photo,
    /// A passing thought.
    Spontaneous,
}

/// A word that names no type of post.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("must be daily, photo or spontaneous")]
pub struct UnknownPostType;

impl PostType {
    /// Every type.
    pub const ALL: [Self; 3] = [Self::Daily, Self::Photo, Self::Spontaneous];

    /// The most characters of content (rules §3).
    pub const fn max_chars(self) -> usize {
        match self {
            Self::Daily => 500,
            Self::Photo => 300,
            Self::Spontaneous => 200,
        }
    }

    /// The type of a post whose author named none (rules §3). Counts what [`Content::parse`] would keep.
    pub fn detect(raw: &str, has_image: bool) -> Self {
        let Ok(content) = text::tidy(raw, Lines::Many) else { return Self::Daily };
        let chars = content.chars().count();
        if has_image && chars <= Self::Photo.max_chars() {
            Self::Photo
        } else if content.split_whitespace().count() < SPONTANEOUS_WORDS
            && chars <= Self::Spontaneous.max_chars()
        {
            Self::Spontaneous
        } else {
            Self::Daily
        }
    }

    /// The name under which it is stored and sent.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Daily => "daily",
            Self::Photo => "photo",
            Self::Spontaneous => "spontaneous",
        }
    }

    /// The type with this name.
    ///
    /// # Errors
    /// No type is called so.
    pub fn from_code(code: &str) -> Result<Self, UnknownPostType> {
        Self::ALL.into_iter().find(|post_type| post_type.code() == code).ok_or(UnknownPostType)
    }
}

/// From this many words on, a text is no passing thought any more.
const SPONTANEOUS_WORDS: usize = 20;

impl Content {
    /// Checks the words of a post of this type.
    ///
    /// # Errors
    /// Nothing but white space, more characters than the type allows, or a control character other than a line feed.
    pub fn parse(raw: &str, post_type: PostType) -> Result<Self, TextError> {
        text::required(raw, Lines::Many, post_type.max_chars()).map(Self)
    }
}

impl Title {
    /// The most characters.
    pub const MAX_CHARS: usize = 100;

    /// Checks a headline; a blank one is none.
    ///
    /// # Errors
    /// More than [`Title::MAX_CHARS`], or a control character, a line feed among them.
    pub fn parse(raw: &str) -> Result<Option<Self>, TextError> {
        Ok(text::optional(raw, Lines::One, Self::MAX_CHARS)?.map(Self))
    }
}

impl LocationName {
    /// The most characters.
    pub const MAX_CHARS: usize = 100;

    /// Checks the name of a place; a blank one is none.
    ///
    /// # Errors
    /// More than [`LocationName::MAX_CHARS`], or a control character, a line feed among them.
    pub fn parse(raw: &str) -> Result<Option<Self>, TextError> {
        Ok(text::optional(raw, Lines::One, Self::MAX_CHARS)?.map(Self))
    }
}

/// An image that is not one of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("must be an image that was uploaded here")]
pub struct ImageUrlError;

impl ImageUrl {
    /// Where uploads are served from.
    pub const PREFIX: &'static str = "/uploads/";
    /// Where the images of posts are inside the folder of uploads.
    pub const FOLDER: &'static str = "posts";

    /// The one with this id. A new picture gets a new one, so that what is under a name never changes.
    pub fn new(id: Uuid) -> Self {
        Self(format!("{}{}/{id}.jpg", Self::PREFIX, Self::FOLDER))
    }

    /// Which image a file is, where its path inside the folder of uploads has the form of those that we give.
    pub fn from_file(path: &str) -> Option<Self> {
        let image = Self::parse(&format!("{}{path}", Self::PREFIX)).ok().flatten();
        image.filter(|image| image.file() == path)
    }

    /// Checks that the path has the form of the names that we give to uploads; whether there is such a file
    /// is the caller's to ask. Blank is none.
    ///
    /// # Errors
    /// Any other path or address.
    pub fn parse(raw: &str) -> Result<Option<Self>, ImageUrlError> {
        let path = raw.trim();
        let id = path.strip_prefix("/uploads/posts/").and_then(|name| name.strip_suffix(".jpg"));
        match id {
            _ if path.is_empty() => Ok(None),
            // Back and forth, so that only our own spelling of the id passes.
            Some(id) if Uuid::parse_str(id).is_ok_and(|uuid| uuid.to_string() == id) => {
                Ok(Some(Self(path.to_owned())))
            }
            _ => Err(ImageUrlError),
        }
    }

    /// The path of the file inside the folder of uploads.
    pub fn file(&self) -> &str {
        self.0.strip_prefix(Self::PREFIX).unwrap_or(&self.0)
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
    fn the_type_is_detected(#[case] raw: &str, #[case] has_image: bool, #[case] found: PostType) {
        assert_eq!(PostType::detect(raw, has_image), found);
    }

    #[rstest]
    #[case(PostType::Daily, 500)]
    #[case(PostType::Photo, 300)]
    #[case(PostType::Spontaneous, 200)]
    fn each_type_has_its_length(#[case] post_type: PostType, #[case] max: usize) {
        assert!(Content::parse(&"💜".repeat(max), post_type).is_ok());
        assert_eq!(
            Content::parse(&"💜".repeat(max + 1), post_type),
            Err(TextError::TooLong { chars: max + 1, max })
        );
    }

    #[test]
    fn blank_content_is_refused_but_a_blank_title_is_none() {
        assert_eq!(Content::parse(" \n\t", PostType::Daily), Err(TextError::Empty));
        assert_eq!(Title::parse("  "), Ok(None));
    }

    #[rstest]
    #[case("https://example.org/a.jpg")]
    #[case("/uploads/posts/../profile_photos/a.jpg")]
    #[case("/uploads/posts/01937b5e-7c2a-7000-8000-0123456789AB.jpg")]
    #[case("/uploads/posts/01937b5e7c2a700080000123456789ab.jpg")]
    #[case("/uploads/posts/01937b5e-7c2a-7000-8000-0123456789ab.png")]
    fn foreign_images_are_refused(#[case] raw: &str) {
        assert_eq!(ImageUrl::parse(raw), Err(ImageUrlError));
    }

    #[test]
    fn an_upload_of_ours_passes_and_names_its_file() {
        let image = ImageUrl::parse("/uploads/posts/01937b5e-7c2a-7000-8000-0123456789ab.jpg");
        let image = image.unwrap().unwrap();
        assert_eq!(image.file(), "posts/01937b5e-7c2a-7000-8000-0123456789ab.jpg");
        assert_eq!(ImageUrl::from_file(image.file()), Some(image));
        assert_eq!(ImageUrl::from_file(" posts/01937b5e-7c2a-7000-8000-0123456789ab.jpg"), None);
    }

    #[test]
    fn an_image_that_is_named_here_passes() {
        let image = ImageUrl::new(Uuid::from_u128(7));
        assert_eq!(ImageUrl::parse(image.as_str()), Ok(Some(image)));
    }
}
