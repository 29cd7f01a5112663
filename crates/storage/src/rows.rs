//! Rows that statements return, and their conversion to domain types.
//!
//! Contains only rows that several modules use. Imports only the schema and the error type.

mod comments;
mod emoji_reactions;
mod notifications;
mod posts;
mod sessions;
mod users;

pub(crate) use self::comments::CommentRow;
pub(crate) use self::emoji_reactions::emoji_from_code;
pub(crate) use self::notifications::NotificationRow;
pub(crate) use self::posts::PostRow;
pub(crate) use self::sessions::SessionRow;
pub(crate) use self::users::{
    AuthorColumns, AuthorRow, UserListItemRow, author_from_columns, list_item_from_columns,
};
