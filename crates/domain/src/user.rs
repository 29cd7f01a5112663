//! People: how they are named, and what they say of themselves.

mod avatar;
mod email;
mod location;
mod location_query;
mod password;
mod photo;
mod profile;
mod user_search_query;
mod username;
mod username_batch;

use chrono::{DateTime, Utc};

pub use self::avatar::{Colour, ColourError};
pub use self::email::{Email, EmailError};
pub use self::location::{Location, LocationError};
pub use self::location_query::{LocationQuery, LocationQueryError};
pub use self::password::{Password, PasswordError, PasswordHash};
pub use self::photo::{PhotoSize, ProfilePhoto};
pub use self::profile::{
    Bio, City, DisplayName, EntryListError, Institutions, Preferences, PreferencesError, Websites,
};
pub use self::user_search_query::UserSearchQuery;
pub use self::username::{Username, UsernameError};
pub use self::username_batch::{UsernameBatch, UsernameValidation};
use crate::UserId;

/// Someone with an account, as they know themselves: the email is for their eyes only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    pub id: UserId,
    pub username: Username,
    pub email: Email,
    pub created_at: DateTime<Utc>,
}

/// Someone as everybody sees them beside what they wrote.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Author {
    pub id: UserId,
    pub username: Username,
    pub display_name: Option<DisplayName>,
    /// Where their picture is: a path on this server, or absolute.
    pub profile_image_url: Option<String>,
}

/// Someone in a list of people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserListItem {
    pub author: Author,
    pub bio: Option<Bio>,
    pub joined_at: DateTime<Utc>,
}

/// Someone's page.
#[derive(Debug, Clone, PartialEq)]
pub struct Profile {
    pub author: Author,
    pub bio: Option<Bio>,
    pub city: Option<City>,
    pub location: Option<Location>,
    pub institutions: Institutions,
    pub websites: Websites,
    pub joined_at: DateTime<Utc>,
    /// How many of their posts whoever looks may see.
    pub posts: i64,
    /// How many people follow them.
    pub followers: i64,
    /// How many people they follow.
    pub following: i64,
}

/// One's own page, with what only oneself may see.
#[derive(Debug, Clone, PartialEq)]
pub struct OwnProfile {
    pub profile: Profile,
    pub email: Email,
    pub preferences: Preferences,
}

/// What to change about one's own page: `None` leaves as it is, `Some(None)` clears.
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
    /// What they are called: the display name where they chose one, else the username.
    pub fn name(&self) -> &str {
        self.display_name.as_ref().map_or(self.username.as_str(), DisplayName::as_str)
    }
}
