//! People: how they are named, and what they say of themselves.

mod asked_names;
mod email;
mod location;
mod location_query;
mod password;
mod people_query;
mod profile;
mod username;

use chrono::{DateTime, Utc};

pub use self::asked_names::{AskedNames, SortedNames};
pub use self::email::{Email, EmailError};
pub use self::location::{Location, LocationError};
pub use self::location_query::{LocationQuery, LocationQueryError};
pub use self::password::{Password, PasswordError, PasswordHash};
pub use self::people_query::PeopleQuery;
pub use self::profile::{
    Bio, City, DisplayName, Institutions, ListError, Preferences, PreferencesError, Websites,
};
pub use self::username::{Username, UsernameError};
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
pub struct Person {
    pub author: Author,
    pub bio: Option<Bio>,
    pub joined_at: DateTime<Utc>,
}

impl Author {
    /// What they are called: the display name where they chose one, else the username.
    pub fn name(&self) -> &str {
        self.display_name.as_ref().map_or(self.username.as_str(), DisplayName::as_str)
    }
}
