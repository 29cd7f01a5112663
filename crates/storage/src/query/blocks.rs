//! Blocks between users.

use diesel::dsl;
use diesel::prelude::*;

use crate::schema::follows;

/// The ids of the users who blocked `viewer`. Use it as `NOT (x = ANY(…))`, which is one hashed lookup for a whole list.
/// `x <> ALL(…)` would scan the blocks again for every row.
#[dsl::auto_type]
pub(crate) fn blockers_of(viewer: i64) -> _ {
    follows::table
        .filter(follows::follower_id.eq(viewer))
        .filter(follows::status.eq("blocked"))
        .select(follows::followed_id)
}

/// The ids of the users that `viewer` blocked. See [`blockers_of`].
#[dsl::auto_type]
pub(crate) fn blocked_by(viewer: i64) -> _ {
    follows::table
        .filter(follows::followed_id.eq(viewer))
        .filter(follows::status.eq("blocked"))
        .select(follows::follower_id)
}
