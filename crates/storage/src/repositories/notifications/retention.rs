//! Forgetting, a little at a time.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Timestamptz};
use diesel_async::RunQueryDsl;
use grateful_domain::UserId;

use super::Notifications;
use crate::Result;
use crate::query::statement;
use crate::schema::withdrawn_notifications;

impl Notifications<'_> {
    /// Removes up to `limit` notifications of lists that were read and have not changed since `before`, with their entries.
    /// Tells how many there were. Run it in a transaction of its own: it locks inboxes.
    pub async fn delete_read_before(&mut self, before: DateTime<Utc>, limit: i64) -> Result<i64> {
        Ok(DeleteReadBefore { before, limit }.get_result(self.conn).await?)
    }

    /// Forgets up to `limit` removals from before `before`: streams no longer go on from there. Tells how many there were.
    /// Run it in a transaction of its own: it locks inboxes.
    pub async fn prune_removals(&mut self, before: DateTime<Utc>, limit: i64) -> Result<i64> {
        Ok(PruneRemovals { before, limit }.get_result(self.conn).await?)
    }

    /// Forgets what was withdrawn before `before`: done again, it is news. Tells how many there were.
    pub async fn prune_withdrawn(&mut self, before: DateTime<Utc>) -> Result<usize> {
        let old =
            withdrawn_notifications::table.filter(withdrawn_notifications::withdrawn_at.lt(before));
        Ok(diesel::delete(old).execute(self.conn).await?)
    }

    /// Removes up to `limit` notifications from somebody's own list, with their entries. Tells how many there were.
    pub async fn delete_batch_of(&mut self, owner: UserId, limit: i64) -> Result<i64> {
        Ok(DeleteInboxBatch { owner: owner.into(), limit }.get_result(self.conn).await?)
    }
}

statement! {
    /// Locks the inboxes, in the order of their ids, before it takes anything: what comes back to an old batch does so
    /// under the same lock. Arrays rather than joins: how few rows `$2` lets through is not known to a plan for any values.
    DeleteReadBefore(before: DateTime<Utc> as Timestamptz, limit: i64 as BigInt) -> BigInt {
        "part AS MATERIALIZED (
            SELECT id, user_id FROM notifications
            WHERE last_updated_at < $1 AND parent_id IS NULL AND read
            ORDER BY last_updated_at LIMIT $2
        ), inbox AS MATERIALIZED (
            SELECT user_id FROM inboxes WHERE user_id = ANY (ARRAY(SELECT user_id FROM part))
            ORDER BY user_id FOR UPDATE
        ), gone AS (
            DELETE FROM notifications AS it
            WHERE it.id = ANY (ARRAY(SELECT part.id FROM part JOIN inbox ON inbox.user_id = part.user_id))
                AND it.last_updated_at < $1 AND it.parent_id IS NULL AND it.read
            RETURNING it.id
        )
        SELECT count(*) FROM gone"
    }
}

statement! {
    /// As [`DeleteReadBefore`]. Where a row is stays its place for as long as the statement sees it.
    PruneRemovals(before: DateTime<Utc> as Timestamptz, limit: i64 as BigInt) -> BigInt {
        "part AS MATERIALIZED (
            SELECT ctid AS place, user_id FROM notification_removals
            WHERE removed_at < $1 ORDER BY removed_at LIMIT $2
        ), inbox AS MATERIALIZED (
            SELECT user_id FROM inboxes WHERE user_id = ANY (ARRAY(SELECT user_id FROM part))
            ORDER BY user_id FOR UPDATE
        ), gone AS (
            DELETE FROM notification_removals AS it
            WHERE it.ctid = ANY (ARRAY(SELECT part.place FROM part JOIN inbox ON inbox.user_id = part.user_id))
            RETURNING it.user_id, it.seq
        ), forgotten AS (
            UPDATE inboxes SET forgotten_seq = greatest(forgotten_seq, old.seq)
            FROM (SELECT user_id, max(seq) AS seq FROM gone GROUP BY user_id) AS old
            WHERE inboxes.user_id = old.user_id
        )
        SELECT count(*) FROM gone"
    }
}

statement! {
    /// A batch with its entries, which the foreign key takes along: never an entry without its batch.
    DeleteInboxBatch(owner: i64 as BigInt, limit: i64 as BigInt) -> BigInt {
        "inbox AS MATERIALIZED (
            SELECT user_id FROM inboxes WHERE user_id = $1 FOR UPDATE
        ), part AS MATERIALIZED (
            SELECT id FROM notifications WHERE user_id = $1 AND parent_id IS NULL LIMIT $2
        ), gone AS (
            DELETE FROM notifications AS it USING part, inbox WHERE it.id = part.id RETURNING it.id
        )
        SELECT count(*) FROM gone"
    }
}
