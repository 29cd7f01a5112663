//! Verification of notifications: the counters of batches, the read state of children, and whether the acts exist.

use std::sync::LazyLock;

use diesel::sql_types::{BigInt, Nullable, Text};

use super::causes::ACT_EXISTS;
use crate::query::statement;

static COUNT_NOTIFICATIONS: LazyLock<String> = LazyLock::new(|| {
    format!(
        "part AS MATERIALIZED (
            SELECT * FROM notifications
            WHERE id > coalesce($1::uuid, '00000000-0000-0000-0000-000000000000') AND parent_id IS NULL
            ORDER BY id LIMIT $2
        )
        SELECT part.id::text, number.name, number.kept::bigint, number.counted
        FROM part, LATERAL (
            SELECT count(*) AS entries, count(DISTINCT it.actor_id) AS people,
                count(*) FILTER (WHERE part.read AND NOT it.read) AS unread,
                count(*) FILTER (WHERE it.user_id = part.user_id AND NOT it.is_batch AND {}) AS caused
            FROM notifications AS it
            WHERE it.parent_id = part.id OR (it.id = part.id AND NOT part.is_batch)
        ) AS entry, LATERAL (VALUES
            ('batch_count', batch_count, entries),
            ('actor_count', actor_count, people),
            ('unread entries below what was read', unread, 0),
            ('entries, which acts have caused', entries, caused),
            ('open under its key', 1, CASE
                WHEN closed_at IS NULL AND batch_key IS NOT NULL THEN (
                    SELECT count(*) FROM notifications AS it
                    WHERE it.user_id = part.user_id AND it.batch_key = part.batch_key
                        AND it.parent_id IS NULL AND it.closed_at IS NULL
                )
                ELSE 1
            END)
        ) AS number (name, kept, counted)
        ORDER BY part.id",
        *ACT_EXISTS
    )
});

statement! {
    /// Each notification of an inbox with its children. A single notification is its own only child.
    pub(super) CountNotifications(after: Option<String> as Nullable<Text>, limit: i64 as BigInt) -> (Text, Text, BigInt, BigInt) {
        &COUNT_NOTIFICATIONS
    }
}

/// The number of verified values per notification.
pub(super) const COLUMNS: u64 = 5;

pub(super) const LOCK_INBOX: &str = "SELECT FROM inboxes
    WHERE user_id = (SELECT user_id FROM notifications WHERE id = $1::uuid) FOR UPDATE";

/// Deletes the notification or its children if their act does not exist. A batch that loses children this way is read if all
/// others are read.
pub(super) static DELETE_WITHOUT_ACT: LazyLock<String> = LazyLock::new(|| {
    format!(
        "WITH gone AS (
            DELETE FROM notifications AS it
            WHERE (it.id = $1::uuid OR it.parent_id = $1::uuid) AND NOT it.is_batch AND NOT {}
            RETURNING it.id
        )
        UPDATE notifications AS top SET read = true, read_at = (
            SELECT max(it.read_at) FROM notifications AS it WHERE it.parent_id = top.id
        )
        WHERE top.id = $1::uuid AND top.is_batch AND NOT top.read AND EXISTS (SELECT FROM gone)
            AND NOT EXISTS (
                SELECT FROM notifications AS it
                WHERE it.parent_id = top.id AND NOT it.read AND it.id NOT IN (SELECT id FROM gone)
            )",
        *ACT_EXISTS
    )
});

/// Deletes a batch that has no children left. Otherwise recounts the children and actors, takes the displayed actor, data and
/// comment from the newest child, and marks the children of a read batch as read.
pub(super) const REPAIR_NOTIFICATION: [&str; 4] = [
    "DELETE FROM notifications AS it
    WHERE it.id = $1::uuid AND it.is_batch
        AND NOT EXISTS (SELECT FROM notifications AS entry WHERE entry.parent_id = it.id)",
    "UPDATE notifications AS it SET
        batch_count = (SELECT count(*) FROM notifications WHERE parent_id = it.id),
        actor_count = (SELECT count(DISTINCT actor_id) FROM notifications WHERE parent_id = it.id),
        (actor_id, data, comment_id) = (
            SELECT actor_id, data, comment_id FROM notifications WHERE parent_id = it.id
            ORDER BY created_at DESC, id DESC LIMIT 1
        )
    WHERE it.id = $1::uuid AND it.is_batch",
    "UPDATE notifications SET batch_count = 1, actor_count = 1 WHERE id = $1::uuid AND NOT is_batch",
    "UPDATE notifications AS it SET read = true, read_at = parent.read_at
    FROM notifications AS parent
    WHERE parent.id = $1::uuid AND it.parent_id = parent.id AND parent.read AND NOT it.read",
];
