//! Builders for lists of posts, users, follows and notifications. Every builder starts with the viewer or the owner.
//!
//! A query is one statement, including the total if one is requested. An order compiles only if an index has it. A filter
//! compiles only if an index supports it, or if it reads a bounded number of rows, which its documentation names. Any other
//! query would scan a table. [`Limit`](grateful_domain::Limit) bounds a page, and
//! [`Page::next`](grateful_domain::Page::next) is the position after which the next page starts.
//!
//! Imports `rows` and `schema`, never `repositories`, which run these queries.

mod blocks;
mod comments;
mod follows;
#[cfg(test)]
pub(crate) mod golden;
mod hidden;
mod notifications;
mod paging;
mod posts;
mod sql;
mod statement;
mod top_per_list;
mod totals;
mod users;

pub(crate) use self::blocks::{
    blocked_by, blockers_of, deleted_accounts, hidden_user_array, hidden_users,
};
pub(crate) use self::comments::{CommentFilter, ReplyCount};
pub use self::follows::{FollowLists, FollowQuery};
pub(crate) use self::hidden::not_hidden;
pub use self::notifications::{
    BatchChildren, FilteredInbox, NotificationQuery, TopLevel, WholeInbox,
};
pub(crate) use self::paging::{Direction, paginate_by_time};
pub(crate) use self::posts::PostForViewerRow;
pub use self::posts::{
    AllAuthors, ByEngagement, ByRank, DateRange, NewestFirst, OneAuthor, PostOrder, PostQuery,
    SeveralAuthors, SingleRange, TimeOrder,
};
pub(crate) use self::sql::{Sql, lower};
pub(crate) use self::statement::{Part, StatementText, statement};
pub(crate) use self::totals::{WithTotal, load_page};
pub use self::users::{
    AllUsers, ByUsername, InCity, NewestMembersFirst, SelectedUsers, UserOrder, UserQuery,
};
