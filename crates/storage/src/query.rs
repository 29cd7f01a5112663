//! What the query builders share.

mod paging;
mod posts;
mod replies;

use diesel::dsl;
use diesel::prelude::*;
use diesel::sql_types::Text;

pub(crate) use self::paging::{Order, paged};
pub use self::posts::PostQuery;
pub(crate) use self::posts::SeenRow;
pub(crate) use self::replies::Replies;
use crate::schema::follows;

diesel::define_sql_function! {
    /// The text in lower case; the columns it is used on fold ASCII letters alone.
    fn lower(text: Text) -> Text;
}

/// Those who have blocked `viewer`. Use it as `NOT (x = ANY(…))`: that is one hashed look-up for a whole list,
/// where `x <> ALL(…)` would scan the blocks again for every row.
#[dsl::auto_type]
pub(crate) fn who_blocked(viewer: i64) -> _ {
    follows::table
        .filter(follows::follower_id.eq(viewer))
        .filter(follows::status.eq("blocked"))
        .select(follows::followed_id)
}

/// Those whom `viewer` has blocked; see [`who_blocked`].
#[dsl::auto_type]
pub(crate) fn whom_blocked_by(viewer: i64) -> _ {
    follows::table
        .filter(follows::followed_id.eq(viewer))
        .filter(follows::status.eq("blocked"))
        .select(follows::follower_id)
}
