//! The `notifications` table, and the tables that support it: inboxes, quotas, removals and withdrawn notifications.
//!
//! Every change to the notifications of a user locks the user's row in `inboxes` first. So the state on which a change was
//! decided is still current when the change is written, and the changes of an inbox have an order that a stream can follow.

mod changes;
mod list;
mod loading;
mod read_state;
mod recording;
mod retention;
mod unread;
mod withdrawal;
mod writes;

use std::collections::HashMap;

use diesel::sql_types::{Array, BigInt};
use diesel_async::RunQueryDsl;
use grateful_domain::UserId;

pub use self::changes::InboxPosition;
pub use self::read_state::NotificationRead;
pub use self::recording::{HeldBackEvent, RecordResult};
pub use self::retention::UnreadDeletion;
pub use self::withdrawal::RemovedMentions;
use crate::query::statement;
use crate::{Connection, Result};

/// The repository of notifications.
pub struct Notifications<'c, C = Connection> {
    pub(super) conn: &'c mut C,
}

impl Notifications<'_> {
    /// Locks the inboxes of these users in id order until the transaction ends, and reserves the given number of sequence
    /// numbers in each. Returns, for each inbox of an existing user, the last number before the reserved ones.
    async fn lock_and_reserve(
        &mut self,
        changes: &HashMap<UserId, i64>,
    ) -> Result<HashMap<UserId, i64>> {
        let lock = LockInboxes {
            users: changes.keys().copied().map(i64::from).collect(),
            changes: changes.values().copied().collect(),
        };
        let rows: Vec<(i64, i64)> = lock.load(self.conn).await?;
        let last_seq = |(user, last): (i64, i64)| {
            let user = UserId::from(user);
            (user, last - changes.get(&user).copied().unwrap_or_default())
        };
        Ok(rows.into_iter().map(last_seq).collect())
    }
}

statement! {
    /// Inserts the inbox if the user has none.
    LockInboxes { users: Vec<i64> as Array<BigInt>, changes: Vec<i64> as Array<BigInt> } -> (BigInt, BigInt),
    "WITH wanted AS (
        SELECT users.id, wanted.changes
        FROM unnest(:users, :changes) AS wanted (user_id, changes) JOIN users ON users.id = wanted.user_id
        ORDER BY users.id
    )
    INSERT INTO inboxes AS inbox (user_id, last_seq) SELECT id, changes FROM wanted
    ON CONFLICT (user_id) DO UPDATE SET last_seq = inbox.last_seq + excluded.last_seq
    RETURNING user_id, last_seq"
}
