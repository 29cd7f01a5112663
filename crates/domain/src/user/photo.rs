//! Profile photos: one image in four sizes (docs/rules.md#images).

use std::fmt;

use uuid::Uuid;

use crate::ImageUrl;

/// A profile photo, identified by the common prefix of its file names. Each photo gets a new name, so that the content of
/// a URL never changes.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ProfilePhoto(String);

/// A stored size of a profile photo. All sizes are square.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PhotoSize {
    Thumbnail,
    Small,
    Medium,
    Large,
}

impl PhotoSize {
    /// All sizes, smallest first.
    pub const ALL: [Self; 4] = [Self::Thumbnail, Self::Small, Self::Medium, Self::Large];

    /// The code used in JSON and at the end of the file name.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Thumbnail => "thumbnail",
            Self::Small => "small",
            Self::Medium => "medium",
            Self::Large => "large",
        }
    }
}

impl ProfilePhoto {
    /// The directory of profile photos inside the upload directory.
    pub const DIRECTORY: &'static str = "profile_photos";

    /// The photo with this id.
    pub fn new(id: Uuid) -> Self {
        Self(format!("profile_{id}"))
    }

    /// Wraps a stored name without checking it. An older installation may have chosen it.
    pub fn from_stored(name: String) -> Self {
        Self(name)
    }

    /// The common prefix of the file names.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The path of the file of one size, inside the upload directory.
    pub fn file(&self, size: PhotoSize) -> String {
        format!("{}/{}_{}.jpg", Self::DIRECTORY, self.0, size.code())
    }

    /// The URL path of one size.
    pub fn url(&self, size: PhotoSize) -> String {
        format!("{}{}", ImageUrl::PREFIX, self.file(size))
    }

    /// The photo of a file, if its path inside the upload directory has the form of [`ProfilePhoto::file`].
    pub fn from_file(path: &str) -> Option<Self> {
        let name = path.strip_prefix(Self::DIRECTORY)?.strip_prefix('/')?.strip_suffix(".jpg")?;
        let (name, size) = name.rsplit_once('_')?;
        let is_size = PhotoSize::ALL.iter().any(|known| known.code() == size);
        let id = name.strip_prefix("profile_")?;
        (is_size && !id.is_empty() && !id.contains('/')).then(|| Self(name.to_owned()))
    }
}

impl fmt::Display for ProfilePhoto {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_leads_back_to_its_photo() {
        let photo = ProfilePhoto::new(Uuid::from_u128(7));
        let files = PhotoSize::ALL.map(|size| photo.file(size));
        let id = "00000000-0000-0000-0000-000000000007";
        assert_eq!(files[2], format!("profile_photos/profile_{id}_medium.jpg"));
        assert_eq!(photo.url(PhotoSize::Medium), format!("/uploads/{}", files[2]));
        for file in files {
            assert_eq!(ProfilePhoto::from_file(&file), Some(photo.clone()));
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
            assert_eq!(ProfilePhoto::from_file(path), None, "{path}");
        }
    }
}
