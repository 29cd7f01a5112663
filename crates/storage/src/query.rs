//! Builders for lists of posts, users, follows and notifications, and the macro for hand-written statements.
//!
//! Every builder starts with the viewer or the owner. Every list reads an index in its order, and
//! [`Limit`](grateful_domain::Limit) bounds a page. [`Page::next`](grateful_domain::Page::next) is the position after which
//! the next page starts.
//!
//! Imports `rows` and `schema`, never `repositories`, which run these queries.

mod follows;
mod functions;
#[cfg(test)]
pub(crate) mod golden;
mod hidden;

mod notifications;
mod paging;
mod posts;
mod statement;
mod users;

pub use self::follows::{FollowLists, FollowQuery};
pub(crate) use self::functions::lower;
pub(crate) use self::hidden::not_hidden;
pub use self::notifications::NotificationQuery;
pub(crate) use self::notifications::inbox_of;
pub(crate) use self::paging::{count_up_to, paginate};
pub use self::posts::PostQuery;
pub(crate) use self::posts::{PostForViewerRow, public_posts, visible_posts};
pub(crate) use self::statement::{Part, StatementText, statement};
pub use self::users::UserQuery;
pub(crate) use self::users::visible_users;
