//! The fields of a post.

use thiserror::Error;
use uuid::Uuid;

use crate::text::{self, Lines, TextError, texts};

texts! {
    /// The content of a post: 1 character to the maximum of its type.
    Content,
    /// The title of a post.
    Title,
    /// The location of a post, as free text.
    LocationName,
    /// The path of the image of a post. Always an image uploaded to this server.
    ImageUrl,
}

/// The type of a post. It decides the maximum length, the layout in clients and the bonus in the feed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PostType {
    /// A long daily entry. It has the largest bonus.
    Daily,
    /// An image with a short text. It has a bonus only if there is an image.
    Photo,
    /// A short thought, without a bonus.
    Spontaneous,
}

/// A code that is not a post type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("must be daily, photo or spontaneous")]
pub struct UnknownPostType;

impl PostType {
    /// All types.
    pub const ALL: [Self; 3] = [Self::Daily, Self::Photo, Self::Spontaneous];

    /// The maximum number of characters of the content (docs/rules.md#posts).
    pub const fn max_chars(self) -> usize {
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

    /// The code used in the database and in JSON.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Daily => "daily",
            Self::Photo => "photo",
            Self::Spontaneous => "spontaneous",
        }
    }

    /// Looks up the type with this code.
    ///
    /// # Errors
    /// No type has this code.
    pub fn from_code(code: &str) -> Result<Self, UnknownPostType> {
        Self::ALL.into_iter().find(|post_type| post_type.code() == code).ok_or(UnknownPostType)
    }
}

/// A text with this many words or more is not detected as spontaneous.
const DAILY_MIN_WORDS: usize = 20;

impl Content {
    /// Parses the content of a post of this type.
    ///
    /// # Errors
    /// The text is blank, has more characters than the type allows, or contains a control character other than a line feed.
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

/// The path is not that of an image uploaded to this server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("must be an image uploaded to this server")]
pub struct ImageUrlError;

impl ImageUrl {
    /// The URL path under which uploads are served.
    pub const PREFIX: &'static str = "/uploads/";
    /// The folder of post images inside the upload folder.
    pub const FOLDER: &'static str = "posts";

    /// The URL of the image with this id. Each image gets a new id, so that the content of a URL never changes.
    pub fn new(id: Uuid) -> Self {
        Self(format!("{}{}/{id}.jpg", Self::PREFIX, Self::FOLDER))
    }

    /// The URL of a file, if its path inside the upload folder has the form of a post image.
    pub fn from_file(path: &str) -> Option<Self> {
        let image = Self::parse(&format!("{}{path}", Self::PREFIX)).ok().flatten();
        image.filter(|image| image.file() == path)
    }

    /// Parses a URL path of the form of [`ImageUrl::new`]; `None` if it is blank. Does not check whether the file exists.
    ///
    /// # Errors
    /// Any other path or URL.
    pub fn parse(raw: &str) -> Result<Option<Self>, ImageUrlError> {
        let path = raw.trim();
        let id = path.strip_prefix("/uploads/posts/").and_then(|name| name.strip_suffix(".jpg"));
        match id {
            _ if path.is_empty() => Ok(None),
            // Compares with the formatted id, so that only the canonical spelling passes.
            Some(id) if Uuid::parse_str(id).is_ok_and(|uuid| uuid.to_string() == id) => {
                Ok(Some(Self(path.to_owned())))
            }
            _ => Err(ImageUrlError),
        }
    }

    /// The path of the file inside the upload folder.
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
    fn blank_content_is_refused_but_a_blank_title_is_allowed() {
        assert_eq!(Content::parse(" \n\t", PostType::Daily), Err(TextError::Empty));
        assert_eq!(Title::parse("  "), Ok(None));
    }

    #[rstest]
    #[case("https://example.org/a.jpg")]
    #[case("/uploads/posts/../profile_photos/a.jpg")]
    #[case("/uploads/posts/01937b5e-7c2a-7000-8000-0123456789AB.jpg")]
    #[case("/uploads/posts/01937b5e7c2a700080000123456789ab.jpg")]
    #[case("/uploads/posts/01937b5e-7c2a-7000-8000-0123456789ab.png")]
    fn urls_of_other_forms_are_refused(#[case] raw: &str) {
        assert_eq!(ImageUrl::parse(raw), Err(ImageUrlError));
    }

    #[test]
    fn the_url_of_an_uploaded_image_leads_to_its_file_and_back() {
        let image = ImageUrl::parse("/uploads/posts/01937b5e-7c2a-7000-8000-0123456789ab.jpg");
        let image = image.unwrap().unwrap();
        assert_eq!(image.file(), "posts/01937b5e-7c2a-7000-8000-0123456789ab.jpg");
        assert_eq!(ImageUrl::from_file(image.file()), Some(image));
        assert_eq!(ImageUrl::from_file(" posts/01937b5e-7c2a-7000-8000-0123456789ab.jpg"), None);
    }

    #[test]
    fn a_new_image_url_can_be_parsed() {
        let image = ImageUrl::new(Uuid::from_u128(7));
        assert_eq!(ImageUrl::parse(image.as_str()), Ok(Some(image)));
    }
}
