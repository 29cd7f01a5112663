//! Deletion of old notifications and records, in batches.

use chrono::{DateTime, Utc};
use diesel::sql_types::{BigInt, Nullable, Text, Timestamptz};
use diesel_async::RunQueryDsl;
use grateful_domain::UserId;
use grateful_domain::notification::SuppressionReason;

use super::Notifications;
use crate::Result;
use crate::query::statement;
use crate::repositories::expired_rows::delete_part;

/// The result of deleting old unread notifications from some inboxes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UnreadDeletion {
    /// The number of deleted notifications, without children.
    pub deleted: i64,
    /// The next step continues after this user.
    pub next: Option<UserId>,
}

impl Notifications<'_> {
    /// Deletes up to `limit` notifications of inboxes that are read and have not changed since `before`, with their
    /// children. Returns their number. Locks inboxes, so it needs its own transaction.
    pub async fn delete_read_before(&mut self, before: DateTime<Utc>, limit: i64) -> Result<i64> {
        Ok(DeleteReadBefore { before, limit }.get_result(self.conn).await?)
    }

    /// Deletes up to `limit` unread notifications that have not changed since `before`, with their children, from the inboxes
    /// of the next users after `after`. Returns `None` if there are no further inboxes. Locks inboxes, so it needs its own
    /// transaction.
    ///
    /// Walks through the inboxes with unread notifications: an index by time of all unread notifications would be written
    /// with each act, for a deletion that few of them live to see.
    pub async fn delete_unread_before(
        &mut self,
        before: DateTime<Utc>,
        after: Option<UserId>,
        limit: i64,
    ) -> Result<Option<UnreadDeletion>> {
        let start = after.map_or(i64::MIN, i64::from);
        let delete = DeleteUnreadBefore { before, after: start, inboxes: Self::INBOXES, limit };
        let (deleted, last): (i64, Option<i64>) = delete.get_result(self.conn).await?;
        Ok(last.map(|last| {
            // The same inboxes may have more.
            let next = if deleted == limit { after } else { Some(last.into()) };
            UnreadDeletion { deleted, next }
        }))
    }

    /// The number of inboxes that one statement looks into.
    const INBOXES: i64 = 1_000;

    /// Deletes up to `limit` removals from before `before`. Streams can no longer resume from positions before them. Returns
    /// their number. Locks inboxes, so it needs its own transaction.
    pub async fn prune_removals(&mut self, before: DateTime<Utc>, limit: i64) -> Result<i64> {
        Ok(PruneRemovals { before, limit }.get_result(self.conn).await?)
    }

    /// Deletes up to `limit` notifications that were withdrawn before `before`. If their acts are repeated, they are created
    /// again instead of restored. Returns their number.
    pub async fn prune_withdrawn(&mut self, before: DateTime<Utc>, limit: i64) -> Result<i64> {
        Ok(PruneWithdrawn { before, limit }.get_result(self.conn).await?)
    }

    /// Deletes up to `limit` reasons stored before `before` for missing notifications. Their acts are at least as old, and that
    /// alone explains it from now on. The age of a restored notification does not say how old its act is. Returns their number.
    pub async fn prune_suppressed(&mut self, before: DateTime<Utc>, limit: i64) -> Result<i64> {
        let restored = SuppressionReason::Restored.code();
        Ok(PruneSuppressed { before, restored, limit }.get_result(self.conn).await?)
    }

    /// Deletes up to `limit` notifications of an inbox, with their children. Returns their number.
    pub async fn delete_batch_of(&mut self, owner: UserId, limit: i64) -> Result<i64> {
        Ok(DeleteInboxBatch { owner: owner.into(), limit }.get_result(self.conn).await?)
    }
}

statement! {
    /// Locks the inboxes in id order before it deletes any notification: restoring a notification into an old batch takes
    /// the same lock. Uses arrays instead of joins, because a generic plan does not know how few rows `$2` allows. The
    /// physical location (`ctid`) of a row is stable while the statement sees the row. Partitions can have rows in the same
    /// location, so the inbox must match, too.
    DeleteReadBefore { before: DateTime<Utc> as Timestamptz, limit: i64 as BigInt } -> BigInt,
    "WITH part AS MATERIALIZED (
        SELECT ctid AS place, user_id FROM notifications
        WHERE last_updated_at < :before AND parent_id IS NULL AND read
        ORDER BY last_updated_at LIMIT :limit
    ), inbox AS MATERIALIZED (
        SELECT user_id FROM inboxes WHERE user_id = ANY (ARRAY(SELECT user_id FROM part))
        ORDER BY user_id FOR UPDATE
    ), gone AS (
        DELETE FROM notifications AS it
        WHERE it.ctid = ANY (ARRAY(SELECT part.place FROM part JOIN inbox ON inbox.user_id = part.user_id))
            AND it.user_id = ANY (ARRAY(SELECT user_id FROM inbox))
            AND it.last_updated_at < :before AND it.parent_id IS NULL AND it.read
        RETURNING it.user_id
    ), counted AS (
        UPDATE inboxes SET total_count = greatest(total_count - old.number, 0)
        FROM (SELECT user_id, count(*) AS number FROM gone GROUP BY user_id) AS old
        WHERE inboxes.user_id = old.user_id
    )
    SELECT count(*) FROM gone"
}

statement! {
    /// Like [`DeleteReadBefore`], for the inboxes of the next users. Returns the last of them.
    DeleteUnreadBefore {
        before: DateTime<Utc> as Timestamptz,
        after: i64 as BigInt,
        inboxes: i64 as BigInt,
        limit: i64 as BigInt,
    } -> (BigInt, Nullable<BigInt>),
    "WITH next AS MATERIALIZED (
        SELECT user_id FROM inboxes WHERE user_id > :after AND unread_count > 0 ORDER BY user_id LIMIT :inboxes
    ), part AS MATERIALIZED (
        SELECT it.place, it.user_id FROM next, LATERAL (
            SELECT ctid AS place, user_id FROM notifications
            WHERE user_id = next.user_id AND parent_id IS NULL AND NOT read AND last_updated_at < :before
            ORDER BY last_updated_at, id LIMIT :limit
        ) AS it LIMIT :limit
    ), inbox AS MATERIALIZED (
        SELECT user_id FROM inboxes WHERE user_id = ANY (ARRAY(SELECT user_id FROM part))
        ORDER BY user_id FOR UPDATE
    ), gone AS (
        DELETE FROM notifications AS it
        WHERE it.ctid = ANY (ARRAY(SELECT part.place FROM part JOIN inbox ON inbox.user_id = part.user_id))
            AND it.user_id = ANY (ARRAY(SELECT user_id FROM inbox))
            AND it.last_updated_at < :before AND it.parent_id IS NULL AND NOT it.read
        RETURNING it.user_id
    ), counted AS (
        UPDATE inboxes SET unread_count = greatest(unread_count - old.number, 0),
            total_count = greatest(total_count - old.number, 0)
        FROM (SELECT user_id, count(*) AS number FROM gone GROUP BY user_id) AS old
        WHERE inboxes.user_id = old.user_id
    )
    SELECT (SELECT count(*) FROM gone), (SELECT max(user_id) FROM next)"
}

statement! {
    /// Like [`DeleteReadBefore`].
    PruneRemovals { before: DateTime<Utc> as Timestamptz, limit: i64 as BigInt } -> BigInt,
    "WITH part AS MATERIALIZED (
        SELECT ctid AS place, user_id FROM notification_removals
        WHERE removed_at < :before ORDER BY removed_at LIMIT :limit
    ), inbox AS MATERIALIZED (
        SELECT user_id FROM inboxes WHERE user_id = ANY (ARRAY(SELECT user_id FROM part))
        ORDER BY user_id FOR UPDATE
    ), gone AS (
        DELETE FROM notification_removals AS it
        WHERE it.ctid = ANY (ARRAY(SELECT part.place FROM part JOIN inbox ON inbox.user_id = part.user_id))
            AND it.user_id = ANY (ARRAY(SELECT user_id FROM inbox))
        RETURNING it.user_id, it.seq
    ), forgotten AS (
        UPDATE inboxes SET forgotten_seq = greatest(forgotten_seq, old.seq)
        FROM (SELECT user_id, max(seq) AS seq FROM gone GROUP BY user_id) AS old
        WHERE inboxes.user_id = old.user_id
    )
    SELECT count(*) FROM gone"
}

statement! {
    /// Deletes batches, and their children by the cascade of the foreign key; never a child without its batch. Locks the inbox
    /// only if there is something to delete: otherwise the transaction goes on with locks that come before those of inboxes.
    DeleteInboxBatch { owner: i64 as BigInt, limit: i64 as BigInt } -> BigInt,
    "WITH part AS MATERIALIZED (
        SELECT id FROM notifications WHERE user_id = :owner AND parent_id IS NULL LIMIT :limit
    ), inbox AS MATERIALIZED (
        SELECT user_id FROM inboxes WHERE user_id = :owner AND EXISTS (SELECT FROM part) FOR UPDATE
    ), gone AS (
        DELETE FROM notifications AS it USING part, inbox
        WHERE it.user_id = :owner AND it.id = part.id
        RETURNING it.read
    ), counted AS (
        UPDATE inboxes SET
            unread_count = greatest(unread_count - (SELECT count(*) FROM gone WHERE NOT read), 0),
            total_count = greatest(total_count - (SELECT count(*) FROM gone), 0)
        WHERE user_id = :owner AND EXISTS (SELECT FROM gone)
    )
    SELECT count(*) FROM gone"
}

statement! {
    PruneWithdrawn { before: DateTime<Utc> as Timestamptz, limit: i64 as BigInt } -> BigInt,
    delete_part("withdrawn_notifications", "withdrawn_at", "withdrawn_at < :before")
}

statement! {
    PruneSuppressed { before: DateTime<Utc> as Timestamptz, restored: &'static str as Text, limit: i64 as BigInt } -> BigInt,
    delete_part(
        "suppressed_notifications",
        "suppressed_at",
        "suppressed_at < :before AND reason <> :restored"
    )
}
