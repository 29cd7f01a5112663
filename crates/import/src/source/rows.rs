//! How rows of the older tables are read: by the names of their columns.

use tokio_postgres::Row;
use tokio_postgres::types::FromSql;

use super::Table;
use crate::engagement::{OldComment, OldReaction, OldShare};
use crate::error::ImportError;
use crate::follows::OldFollow;
use crate::notices::OldNotice;
use crate::posts::OldPost;
use crate::users::OldUser;

/// A row of an older table.
pub(crate) trait FromRow: Sized {
    const TABLE: Table;
    /// The columns and the types that they are read as.
    const COLUMNS: &[(&str, &str)];

    /// The id, for the report.
    fn id(&self) -> String;

    /// # Errors
    /// A column without a value that every row has.
    fn from_row(row: &Row) -> Result<Self, ImportError>;
}

/// A value of a row, by the index of its column.
fn value<'r, T: FromSql<'r>>(row: &'r Row, index: usize) -> Result<T, ImportError> {
    row.try_get(index).map_err(|error| ImportError::of_reading(&error))
}

/// Implements [`FromRow`] from the table, the fields and the columns, in the same order.
macro_rules! from_row {
    ($row:ident of $table:ident { $($field:ident: $column:literal as $kind:literal,)+ }) => {
        impl FromRow for $row {
            const TABLE: Table = Table::$table;
            const COLUMNS: &[(&str, &str)] = &[$(($column, $kind)),+];

            fn id(&self) -> String {
                self.id.to_string()
            }

            fn from_row(row: &Row) -> Result<Self, ImportError> {
                let mut columns = 0..;
                $(let $field = value(row, columns.next().unwrap_or_default())?;)+
                Ok(Self { $($field,)+ })
            }
        }
    };
}

from_row!(OldUser of Users {
    id: "id" as "bigint",
    email: "email" as "text",
    username: "username" as "text",
    hashed_password: "hashed_password" as "text",
    bio: "bio" as "text",
    profile_image_url: "profile_image_url" as "text",
    created_at: "created_at" as "timestamptz",
    display_name: "display_name" as "text",
    city: "city" as "text",
    institutions: "institutions" as "text",
    websites: "websites" as "text",
    location: "location" as "text",
    preferences: "profile_preferences" as "text",
});

from_row!(OldPost of Posts {
    id: "id" as "text",
    author_id: "author_id" as "bigint",
    title: "title" as "text",
    content: "content" as "text",
    post_type: "post_type" as "text",
    image_url: "image_url" as "text",
    location: "location" as "text",
    is_public: "is_public" as "boolean",
    created_at: "created_at" as "timestamptz",
    updated_at: "updated_at" as "timestamptz",
});

from_row!(OldFollow of Follows {
    id: "id" as "text",
    follower: "follower_id" as "bigint",
    followed: "followed_id" as "bigint",
    status: "status" as "text",
    created_at: "created_at" as "timestamptz",
});

from_row!(OldShare of Shares {
    id: "id" as "text",
    user_id: "user_id" as "bigint",
    post_id: "post_id" as "text",
    method: "share_method" as "text",
    recipients: "recipient_user_ids" as "text",
    message: "message_content" as "text",
    created_at: "created_at" as "timestamptz",
});

from_row!(OldComment of Comments {
    id: "id" as "text",
    author_id: "author_id" as "bigint",
    post_id: "post_id" as "text",
    parent_id: "parent_id" as "text",
    content: "content" as "text",
    created_at: "created_at" as "timestamptz",
    updated_at: "updated_at" as "timestamptz",
});

/// A heart, whose table has no emoji.
pub(crate) struct OldHeart(pub(crate) OldReaction);

impl FromRow for OldHeart {
    const TABLE: Table = Table::Likes;
    const COLUMNS: &[(&str, &str)] = OldReaction::COLUMNS;

    fn id(&self) -> String {
        self.0.id.clone()
    }

    fn from_row(row: &Row) -> Result<Self, ImportError> {
        OldReaction::from_row(row).map(Self)
    }
}

impl FromRow for OldReaction {
    const TABLE: Table = Table::EmojiReactions;
    const COLUMNS: &[(&str, &str)] = &[
        ("id", "text"),
        ("user_id", "bigint"),
        ("post_id", "text"),
        ("emoji_code", "text"),
        ("created_at", "timestamptz"),
        ("updated_at", "timestamptz"),
    ];

    fn id(&self) -> String {
        self.id.clone()
    }

    fn from_row(row: &Row) -> Result<Self, ImportError> {
        Ok(Self {
            id: value(row, 0)?,
            user_id: value(row, 1)?,
            post_id: value(row, 2)?,
            emoji_code: value::<Option<_>>(row, 3)?.unwrap_or_default(),
            created_at: value(row, 4)?,
            updated_at: value(row, 5)?,
        })
    }
}

impl FromRow for OldNotice {
    const TABLE: Table = Table::Notifications;
    const COLUMNS: &[(&str, &str)] = &[
        ("id", "text"),
        ("user_id", "bigint"),
        ("type", "text"),
        ("data", "text"),
        ("read", "boolean"),
        ("created_at", "timestamptz"),
        ("read_at", "timestamptz"),
        ("parent_id", "text"),
        ("is_batch", "boolean"),
        ("batch_count", "bigint"),
        ("last_updated_at", "timestamptz"),
    ];

    fn id(&self) -> String {
        self.id.clone()
    }

    fn from_row(row: &Row) -> Result<Self, ImportError> {
        let (created_at, last_updated_at) = (value::<Option<_>>(row, 5)?, value(row, 10)?);
        Ok(Self {
            id: value(row, 0)?,
            user_id: value(row, 1)?,
            kind: value(row, 2)?,
            data: value(row, 3)?,
            read: value::<Option<_>>(row, 4)?.unwrap_or_default(),
            created_at: created_at.or(last_updated_at).unwrap_or_default(),
            read_at: value(row, 6)?,
            parent_id: value(row, 7)?,
            is_batch: value::<Option<_>>(row, 8)?.unwrap_or_default(),
            batch_count: value(row, 9)?,
            last_updated_at,
        })
    }
}
