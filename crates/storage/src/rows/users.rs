//! Rows of `users`, as other users see them.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use grateful_domain::{Author, Bio, DisplayName, UserId, UserListItem, Username};

use crate::schema::users;

/// The columns of `users` that are shown next to a post or comment of the user.
#[derive(Queryable, Selectable)]
#[diesel(table_name = users)]
pub(crate) struct AuthorRow {
    pub(crate) id: i64,
    username: String,
    display_name: Option<String>,
    profile_image_url: Option<String>,
}

impl From<AuthorRow> for Author {
    fn from(row: AuthorRow) -> Self {
        Self {
            id: row.id.into(),
            username: Username::from_stored(row.username),
            display_name: row.display_name.map(DisplayName::from_stored),
            profile_image_url: row.profile_image_url,
        }
    }
}

/// The columns of `users` that are shown in a list of users.
#[derive(Queryable, Selectable)]
#[diesel(table_name = users)]
pub(crate) struct UserListItemRow {
    #[diesel(embed)]
    author: AuthorRow,
    bio: Option<String>,
    created_at: DateTime<Utc>,
}

impl From<UserListItemRow> for UserListItem {
    fn from(row: UserListItemRow) -> Self {
        Self {
            author: row.author.into(),
            bio: row.bio.map(Bio::from_stored),
            joined_at: row.created_at,
        }
    }
}

/// The columns of an author other than the id, in the result of a hand-written statement.
pub(crate) type AuthorColumns = (String, Option<String>, Option<String>);

/// Converts the author in the result of a hand-written statement.
pub(crate) fn author_from_columns(id: UserId, columns: AuthorColumns) -> Author {
    let (username, display_name, profile_image_url) = columns;
    AuthorRow { id: id.into(), username, display_name, profile_image_url }.into()
}

type UserListItemColumns =
    (i64, String, Option<String>, Option<String>, Option<String>, DateTime<Utc>);

/// Converts a user in the result of a hand-written statement.
pub(crate) fn list_item_from_columns(columns: UserListItemColumns) -> UserListItem {
    let (id, username, display_name, bio, profile_image_url, joined_at) = columns;
    let author = AuthorRow { id, username, display_name, profile_image_url };
    UserListItem { author: author.into(), bio: bio.map(Bio::from_stored), joined_at }
}
