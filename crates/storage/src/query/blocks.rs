//! Who is across a block.

use diesel::dsl;
use diesel::prelude::*;

use crate::schema::follows;

/// Those who have blocked `viewer`. Use it as `NOT (x = ANY(…))`: that is one hashed look-up for a whole list,
/// where `x <> ALL(…)` would scan the blocks again for every row.
#[dsl::auto_type]
pub(crate) fn blockers_of(viewer: i64) -> _ {
    follows::table
        .filter(follows::follower_id.eq(viewer))
        .filter(follows::status.eq("blocked"))
        .select(follows::followed_id)
}

/// Those whom `viewer` has blocked; see [`blockers_of`].
#[dsl::auto_type]
pub(crate) fn blocked_by(viewer: i64) -> _ {
    follows::table
        .filter(follows::followed_id.eq(viewer))
        .filter(follows::status.eq("blocked"))
        .select(follows::follower_id)
}
