//! The photo of a person: one picture in four sizes, under names that are ours.

use std::fmt;

use uuid::Uuid;

use crate::ImageUrl;

/// The photo of a person, by the name that its files begin with. A new picture gets a new name, so that what is under a
/// name never changes.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ProfilePhoto(String);

/// A size in which a photo is kept; all are squares.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PhotoSize {
    Thumbnail,
    Small,
    Medium,
    Large,
}

impl PhotoSize {
    /// Every size, the smallest first.
    pub const ALL: [Self; 4] = [Self::Thumbnail, Self::Small, Self::Medium, Self::Large];

    /// The name under which it is sent, and which its file ends in.
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
    /// Where their files are inside the folder of uploads.
    pub const FOLDER: &'static str = "profile_photos";

    /// The one with this id.
    pub fn new(id: Uuid) -> Self {
        Self(format!("profile_{id}"))
    }

    /// One that was checked before it was stored, perhaps by an older installation.
    pub fn from_stored(name: String) -> Self {
        Self(name)
    }

    /// The name that its files begin with.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The path of one of its files inside the folder of uploads.
    pub fn file(&self, size: PhotoSize) -> String {
        format!("{}/{}_{}.jpg", Self::FOLDER, self.0, size.code())
    }

    /// Where one of its sizes is served.
    pub fn url(&self, size: PhotoSize) -> String {
        format!("{}{}", ImageUrl::PREFIX, self.file(size))
    }

    /// Of which photo a file is, where its path inside the folder of uploads has the form of those that we give.
    pub fn from_file(path: &str) -> Option<Self> {
        let name = path.strip_prefix(Self::FOLDER)?.strip_prefix('/')?.strip_suffix(".jpg")?;
        let (name, size) = name.rsplit_once('_')?;
        let is_size = PhotoSize::ALL.iter().any(|it| it.code() == size);
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
    fn every_size_has_a_file_that_names_its_photo() {
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
    fn other_files_belong_to_no_photo() {
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
