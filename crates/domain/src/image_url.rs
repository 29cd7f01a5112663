//! URLs of uploaded images.

use thiserror::Error;
use uuid::Uuid;

use crate::text::texts;

texts! {
    /// The path of the image of a post. Always an image uploaded to this server.
    ImageUrl,
}

/// The path is not that of an image uploaded to this server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("must be an image uploaded to this server")]
pub struct ImageUrlError;

impl ImageUrl {
    /// The URL path under which uploads are served.
    pub const PREFIX: &'static str = "/uploads/";
    /// The directory of post images inside the upload directory.
    pub const DIRECTORY: &'static str = "posts";

    /// The URL of the image with this id. Each image gets a new id, so that the content of a URL never changes.
    pub fn new(id: Uuid) -> Self {
        Self(format!("{}{}/{id}.jpg", Self::PREFIX, Self::DIRECTORY))
    }

    /// The URL of a file, if its path inside the upload directory has the form of a post image.
    pub fn from_file(path: &str) -> Option<Self> {
        let image = Self::parse(&format!("{}{path}", Self::PREFIX)).ok().flatten();
        image.filter(|image| image.file() == path)
    }

    /// Parses a URL path of the form of [`ImageUrl::new`]; `None` if it is blank. Does not check whether the file
    /// exists.
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

    /// The path of the file inside the upload directory.
    pub fn file(&self) -> &str {
        self.0.strip_prefix(Self::PREFIX).unwrap_or(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("https://example.org/a.jpg")]
    #[case("/uploads/posts/../profile_photos/a.jpg")]
    #[case("/uploads/posts/01937b5e-7c2a-7000-8000-0123456789AB.jpg")]
    #[case("/uploads/posts/01937b5e7c2a700080000123456789ab.jpg")]
    #[case("/uploads/posts/01937b5e-7c2a-7000-8000-0123456789ab.png")]
    fn malformed_and_external_urls_are_rejected(#[case] raw: &str) {
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
