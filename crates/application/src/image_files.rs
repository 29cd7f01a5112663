//! The files of uploaded images and their URLs (docs/rules.md#images). Each image gets a new name, so that the content of a
//! URL never changes.

use grateful_domain::{ImageUrl, ProfilePhoto, closed_enum};
use thiserror::Error;
use uuid::Uuid;

/// The URL path under which uploads are served.
const URL_PREFIX: &str = "/uploads/";
/// The directory of post images inside the upload directory.
const IMAGES: &str = "posts/";
/// The directory of profile photos inside the upload directory.
const PHOTOS: &str = "profile_photos/";

/// The path is not that of an image uploaded to this server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("must be an image uploaded to this server")]
pub struct ImageUrlError;

closed_enum! {
    /// A stored size of a profile photo, smallest first. All sizes are square. The code is at the end of the file name.
    pub enum PhotoSize {
        /// 64 pixels.
        Thumbnail = "thumbnail",
        /// 128 pixels.
        Small = "small",
        /// 256 pixels.
        Medium = "medium",
        /// 512 pixels.
        Large = "large",
    }
}

/// The URL of the image of a post with this id.
pub fn image_url(id: Uuid) -> ImageUrl {
    ImageUrl::from_stored(format!("{URL_PREFIX}{IMAGES}{id}.jpg"))
}

/// Parses a URL path of the form of [`image_url`]; `None` if it is blank. Does not check whether the file exists.
///
/// # Errors
/// Any other path or URL.
pub fn parse_image_url(raw: &str) -> Result<Option<ImageUrl>, ImageUrlError> {
    match raw.trim() {
        "" => Ok(None),
        path => {
            let file = path.strip_prefix(URL_PREFIX).and_then(image_of_file);
            file.map(Some).ok_or(ImageUrlError)
        }
    }
}

/// The path of the file of an image, inside the upload directory.
pub fn image_file(image: &ImageUrl) -> &str {
    image.as_str().strip_prefix(URL_PREFIX).unwrap_or(image.as_str())
}

/// The image of a file, if its path inside the upload directory has the form of [`image_file`].
pub(crate) fn image_of_file(path: &str) -> Option<ImageUrl> {
    let id = path.strip_prefix(IMAGES)?.strip_suffix(".jpg")?;
    // Compares with the formatted id, so that only the canonical spelling passes.
    Uuid::parse_str(id).ok().filter(|uuid| uuid.to_string() == id).map(image_url)
}

/// The profile photo with this id.
pub fn profile_photo(id: Uuid) -> ProfilePhoto {
    ProfilePhoto::from_stored(format!("profile_{id}"))
}

/// The path of the file of one size of a photo, inside the upload directory.
pub fn photo_file(photo: &ProfilePhoto, size: PhotoSize) -> String {
    format!("{PHOTOS}{}_{}.jpg", photo.as_str(), size.code())
}

/// The URL path of one size of a photo.
pub fn photo_url(photo: &ProfilePhoto, size: PhotoSize) -> String {
    format!("{URL_PREFIX}{}", photo_file(photo, size))
}

/// The photo of a file, if its path inside the upload directory has the form of [`photo_file`].
pub(crate) fn photo_of_file(path: &str) -> Option<ProfilePhoto> {
    let (name, size) = path.strip_prefix(PHOTOS)?.strip_suffix(".jpg")?.rsplit_once('_')?;
    PhotoSize::from_code(size).ok()?;
    let id = name.strip_prefix("profile_")?;
    let is_photo = !id.is_empty() && !id.contains('/');
    is_photo.then(|| ProfilePhoto::from_stored(name.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_url_of_an_image_leads_to_its_file_and_back() {
        let image = image_url(Uuid::from_u128(7));
        let file = "posts/00000000-0000-0000-0000-000000000007.jpg";

        assert_eq!(image.as_str(), format!("/uploads/{file}"));
        assert_eq!(image_file(&image), file);
        assert_eq!(image_of_file(file), Some(image.clone()));
        assert_eq!(parse_image_url(&format!(" /uploads/{file}")), Ok(Some(image)));
        assert_eq!(parse_image_url(" "), Ok(None));
    }

    #[test]
    fn malformed_and_external_urls_are_rejected() {
        for raw in [
            "https://example.org/a.jpg",
            "/uploads/ posts/01937b5e-7c2a-7000-8000-0123456789ab.jpg",
            "/uploads/posts/../profile_photos/a.jpg",
            "/uploads/posts/01937b5e-7c2a-7000-8000-0123456789AB.jpg",
            "/uploads/posts/01937b5e7c2a700080000123456789ab.jpg",
            "/uploads/posts/01937b5e-7c2a-7000-8000-0123456789ab.png",
        ] {
            assert_eq!(parse_image_url(raw), Err(ImageUrlError), "{raw}");
        }
    }

    #[test]
    fn every_file_of_a_photo_leads_back_to_it() {
        let photo = profile_photo(Uuid::from_u128(7));
        let medium = "profile_photos/profile_00000000-0000-0000-0000-000000000007_medium.jpg";

        assert_eq!(photo_file(&photo, PhotoSize::Medium), medium);
        assert_eq!(photo_url(&photo, PhotoSize::Medium), format!("/uploads/{medium}"));
        for size in PhotoSize::ALL {
            assert_eq!(photo_of_file(&photo_file(&photo, size)), Some(photo.clone()));
        }
    }

    #[test]
    fn malformed_paths_are_not_photos() {
        for path in [
            "profile_photos/profile_1.jpg",
            "profile_photos/profile_1_huge.jpg",
            "profile_photos/profile_1_small.png",
            "profile_photos/profile__small.jpg",
            "profile_photos/profile_a/b_small.jpg",
            "profile_photos/1_small.jpg",
            "posts/profile_1_small.jpg",
            "profile_photos/",
            "",
        ] {
            assert_eq!(photo_of_file(path), None, "{path}");
        }
    }
}
