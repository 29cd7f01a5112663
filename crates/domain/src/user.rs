//! Users and their profiles (docs/rules.md#accounts-and-profiles).

mod avatar;
mod email;
mod json;
mod location;
mod location_query;
mod password;
mod preferences;
mod profile;
mod released_username;
mod user_search_query;
mod username;
mod username_batch;
mod websites;

use chrono::{DateTime, Utc};

pub use self::avatar::{Colour, ColourError};
pub use self::email::{Email, EmailError};
pub use self::location::{Location, LocationError};
pub use self::location_query::{LocationQuery, LocationQueryError};
pub use self::password::{Password, PasswordError, PasswordHash};
pub use self::preferences::{Approval, Preferences, PreferencesError, PreferencesPatch};
pub use self::profile::{Bio, City, DisplayName, EntryListError, Institutions, ProfilePhoto};
pub use self::released_username::ReleasedUsername;
pub use self::user_search_query::UserSearchQuery;
pub use self::username::{Username, UsernameError};
pub use self::username_batch::{UsernameBatch, UsernameValidation};
pub use self::websites::Websites;
use crate::UserId;

/// A user account. The email address is visible only to the user.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct User {
    pub id: UserId,
    pub username: Username,
    pub email: Email,
    pub created_at: DateTime<Utc>,
}

/// The public identity of a user, shown with posts, comments and notifications.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Author {
    pub id: UserId,
    pub username: Username,
    pub display_name: Option<DisplayName>,
    /// The URL of the profile photo: a path on this server, or absolute.
    pub profile_image_url: Option<String>,
}

/// A user in a list.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct UserListItem {
    pub author: Author,
    pub bio: Option<Bio>,
    pub joined_at: DateTime<Utc>,
}

/// The public profile of a user.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Profile {
    pub author: Author,
    pub bio: Option<Bio>,
    pub city: Option<City>,
    pub location: Option<Location>,
    pub institutions: Institutions,
    pub websites: Websites,
    pub joined_at: DateTime<Utc>,
    /// The number of posts visible to the viewer.
    pub posts: i64,
    /// The number of followers.
    pub followers: i64,
    /// The number of followed users.
    pub following: i64,
}

/// The profile of the signed-in user, with the fields that only they can see.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct OwnProfile {
    pub profile: Profile,
    pub email: Email,
    pub preferences: Preferences,
}

/// The changes to a profile. `None` keeps a field, `Some(None)` clears it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ProfileEdit {
    pub username: Option<Username>,
    pub display_name: Option<Option<DisplayName>>,
    pub bio: Option<Option<Bio>>,
    pub city: Option<Option<City>>,
    pub location: Option<Option<Location>>,
    pub institutions: Option<Institutions>,
    pub websites: Option<Websites>,
    pub preferences: Option<Preferences>,
}

impl Author {
    /// A user without a display name and a photo.
    pub const fn new(id: UserId, username: Username) -> Self {
        Self { id, username, display_name: None, profile_image_url: None }
    }

    /// The display name if there is one that is visible, otherwise the username.
    pub fn name(&self) -> &str {
        let shown = self.display_name.as_ref().filter(|name| !name.is_blank());
        shown.map_or(self.username.as_str(), DisplayName::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_author_whose_stored_display_name_cannot_be_seen_is_shown_by_the_username() {
        for (display_name, shown) in
            [(None, "ana"), (Some("\u{3164}\u{202e}"), "ana"), (Some("Ana"), "Ana")]
        {
            let author = Author {
                id: UserId::from(1),
                username: Username::from_stored("ana".to_owned()),
                display_name: display_name.map(|name| DisplayName::from_stored(name.to_owned())),
                profile_image_url: None,
            };
            assert_eq!(author.name(), shown);
        }
    }
}
