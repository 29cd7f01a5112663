//! Who can read a post.

use crate::closed_enum;

closed_enum! {
    /// Who can read a post. Blocks restrict this further.
    #[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
    pub enum Visibility {
        /// All users and guests.
        Public = "public",
        /// Only the author.
        Private = "private",
    }
}

impl Visibility {
    /// The visibility of a post that is public or not.
    pub const fn from_is_public(is_public: bool) -> Self {
        if is_public { Self::Public } else { Self::Private }
    }

    /// Whether all users and guests can read the post.
    pub fn is_public(self) -> bool {
        self == Self::Public
    }
}
