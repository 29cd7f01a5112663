//! Who can read a post.

use thiserror::Error;

/// Who can read a post. Blocks restrict this further.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Visibility {
    /// All users and guests.
    Public,
    /// Only the author.
    Private,
}

/// A code that is not a privacy level. Other levels than these two are not supported.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("must be public or private")]
pub struct UnknownPrivacyLevel;

impl Visibility {
    /// All visibilities.
    pub const ALL: [Self; 2] = [Self::Public, Self::Private];

    /// Converts from the boolean used in the database and in JSON.
    pub fn from_is_public(is_public: bool) -> Self {
        if is_public { Self::Public } else { Self::Private }
    }

    /// Converts to the boolean used in the database and in JSON.
    pub fn is_public(self) -> bool {
        self == Self::Public
    }

    /// The privacy level that some clients send instead of the boolean, or together with it.
    pub const fn privacy_level(self) -> &'static str {
        match self {
            Self::Public => "public",
            Self::Private => "private",
        }
    }

    /// Parses a privacy level.
    ///
    /// # Errors
    /// [`UnknownPrivacyLevel`] for any other text than the two levels.
    pub fn from_privacy_level(level: &str) -> Result<Self, UnknownPrivacyLevel> {
        let visibility = Self::ALL.into_iter().find(|known| known.privacy_level() == level);
        visibility.ok_or(UnknownPrivacyLevel)
    }

    /// Combines what a client sent about the visibility of a post, if it sent anything. Private wins over public.
    pub fn requested(is_public: Option<bool>, privacy_level: Option<Self>) -> Option<Self> {
        let requested = [is_public.map(Self::from_is_public), privacy_level];
        let private = requested.into_iter().flatten().find(|requested| !requested.is_public());
        private.or_else(|| requested.into_iter().flatten().next())
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::nothing(None, None, None)]
    #[case::boolean(Some(true), None, Some(Visibility::Public))]
    #[case::level(None, Some(Visibility::Public), Some(Visibility::Public))]
    #[case::both_public(Some(true), Some(Visibility::Public), Some(Visibility::Public))]
    #[case::private_boolean(Some(false), None, Some(Visibility::Private))]
    #[case::private_level(None, Some(Visibility::Private), Some(Visibility::Private))]
    #[case::level_is_private(Some(true), Some(Visibility::Private), Some(Visibility::Private))]
    #[case::boolean_is_private(Some(false), Some(Visibility::Public), Some(Visibility::Private))]
    fn private_wins_over_public(
        #[case] is_public: Option<bool>,
        #[case] privacy_level: Option<Visibility>,
        #[case] requested: Option<Visibility>,
    ) {
        assert_eq!(Visibility::requested(is_public, privacy_level), requested);
    }

    #[test]
    fn exactly_two_privacy_levels_are_known() {
        for visibility in Visibility::ALL {
            let level = visibility.privacy_level();
            assert_eq!(Visibility::from_privacy_level(level), Ok(visibility));
        }
        for level in ["", "Private", " private", "PUBLIC", "custom", "friends", "true"] {
            assert_eq!(Visibility::from_privacy_level(level), Err(UnknownPrivacyLevel), "{level}");
        }
    }
}
