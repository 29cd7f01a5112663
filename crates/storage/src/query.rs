//! What lists are asked with: a builder for each kind of list, which can only be started with whom it is for.
//!
//! What a builder says is one statement, with the total where that is asked for. It lets itself be ordered by what an index
//! has in that order, and be narrowed by what an index has, or within a bound that it names: what is not there would read
//! a table from end to end. [`Limit`](grateful_domain::Limit) bounds a part, and
//! [`Page::next`](grateful_domain::Page::next) tells where the next one begins.

mod blocks;
mod follows;
mod notifications;
mod paging;
mod posts;
mod reply_count;
mod sql;
mod statement;
mod top_per_list;
mod totals;
mod users;

pub(crate) use self::blocks::{blocked_by, blockers_of};
pub use self::follows::{FollowLists, FollowQuery};
pub use self::notifications::{
    BatchChildren, FilteredInbox, NotificationQuery, TopLevel, WholeInbox,
};
pub(crate) use self::paging::{Direction, paginate_by_time};
pub(crate) use self::posts::PostForViewerRow;
pub use self::posts::{
    AllAuthors, ByEngagement, ByRank, DateRange, NewestFirst, OneAuthor, PostOrder, PostQuery,
    SeveralAuthors, SingleRange, TimeOrder,
};
pub(crate) use self::reply_count::ReplyCount;
pub(crate) use self::sql::{Sql, lower};
pub(crate) use self::statement::statement;
pub(crate) use self::top_per_list::{ListOrder, top_per_list};
pub(crate) use self::totals::{WithTotal, load_page};
pub use self::users::{
    AllUsers, ByUsername, InCity, NewestMembersFirst, SelectedUsers, UserOrder, UserQuery,
};
