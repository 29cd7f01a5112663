//! Verification of notifications: the counters of batches, the read state of children, and whether the acts exist.

use std::str::FromStr;

use chrono::{DateTime, Utc};
use diesel::dsl::{exists, not};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use grateful_domain::notification::WithdrawalReason;
use uuid::Uuid;

use super::causes::act_exists;
use super::counters::RepairInbox;
use crate::query::statement;
use crate::repositories::Repositories;
use crate::schema::notifications;
use crate::{Connection, Result};

/// The children `it` of a notification `top`. A single notification is its own only child. Two searches, since one by the user
/// and either id could read all rows of the user.
const CHILDREN: &str = "FROM (
        SELECT * FROM notifications WHERE parent_id = top.id AND user_id = top.user_id
        UNION ALL
        SELECT * FROM notifications WHERE user_id = top.user_id AND id = top.id AND NOT top.is_batch
    ) AS it";

/// The values of `batch_count` and `actor_count`, counted from [`CHILDREN`].
const COUNTERS: &str = "count(*) AS children, count(DISTINCT it.actor_id) AS actors";

/// The number of verified values per notification.
pub(super) const COLUMNS: u64 = 5;

statement! {
    /// Each notification of an inbox with its children.
    pub(super) VerifyNotifications {
        after_user: i64 as BigInt,
        after_id: Uuid as SqlUuid,
        limit: i64 as BigInt,
    } -> (Text, Text, BigInt, BigInt),
    format!(
        "WITH top AS MATERIALIZED (
    SELECT * FROM notifications WHERE (user_id, id) > (:after_user, :after_id) AND parent_id IS NULL
    ORDER BY user_id, id LIMIT :limit
)
SELECT top.user_id || '/' || top.id, counter.name, counter.stored::bigint, counter.actual
FROM top, LATERAL (
    SELECT {COUNTERS},
        count(*) FILTER (WHERE top.read AND NOT it.read) AS unread,
        count(*) FILTER (WHERE NOT it.is_batch AND {}) AS caused
    {CHILDREN}
) AS entry, LATERAL (VALUES
    ('batch_count', batch_count, children),
    ('actor_count', actor_count, actors),
    ('unread entries below what was read', unread, 0),
    ('entries, which acts have caused', children, caused),
    ('open under its key', 1, CASE
        WHEN closed_at IS NULL AND batch_key IS NOT NULL THEN (
            SELECT count(*) FROM notifications AS it
            WHERE it.user_id = top.user_id AND it.batch_key = top.batch_key
                AND hashtextextended(it.batch_key, 0) = hashtextextended(top.batch_key, 0)
                AND it.parent_id IS NULL AND it.closed_at IS NULL
        )
        ELSE 1
    END)
) AS counter (name, stored, actual)
ORDER BY top.user_id, top.id",
        act_exists()
    )
}

/// The key of a notification, as text `user/id`.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct NotificationKey {
    pub(super) owner: i64,
    pub(super) id: Uuid,
}

impl FromStr for NotificationKey {
    type Err = InvalidKey;

    fn from_str(text: &str) -> Result<Self, InvalidKey> {
        let (owner, id) = text.split_once('/').ok_or(InvalidKey)?;
        let owner = owner.parse().map_err(|_| InvalidKey)?;
        Ok(Self { owner, id: id.parse().map_err(|_| InvalidKey)? })
    }
}

/// The text is no key of a notification.
pub(super) struct InvalidKey;

/// Withdraws the notification, or those of its children, whose act does not exist. Deletes a batch that has no children.
/// Otherwise sets its counters, the actor, data and comment of its newest child, and the read state of its children. The
/// counts of the inbox follow.
pub(super) async fn repair(
    conn: &mut Connection,
    NotificationKey { owner, id }: NotificationKey,
    now: DateTime<Utc>,
) -> Result<()> {
    // Separate statements: those after the lock see what was committed while the lock was awaited.
    conn.notifications().lock_inboxes(&[owner.into()]).await?;
    let without_act = FindWithoutAct { owner, id }.load(conn).await?;
    conn.notifications().withdraw_refs(without_act, WithdrawalReason::Undone, now).await?;
    let child = diesel::alias!(notifications as children);
    let has_children = child
        .filter(child.field(notifications::user_id).eq(owner))
        .filter(child.field(notifications::parent_id).eq(notifications::id.nullable()));
    diesel::delete(notifications::table.find((owner, id)))
        .filter(notifications::is_batch)
        .filter(not(exists(has_children)))
        .execute(conn)
        .await?;
    RepairNotification { owner, id }.execute(conn).await?;
    RepairInbox { key: owner }.execute(conn).await?;
    Ok(())
}

statement! {
    FindWithoutAct {
        owner: i64 as BigInt,
        id: Uuid as SqlUuid,
    } -> (SqlUuid, BigInt),
    format!(
        "SELECT id, user_id FROM notifications AS it
WHERE it.user_id = :owner AND (it.id = :id OR it.parent_id = :id) AND NOT it.is_batch AND NOT {}",
        act_exists()
    )
}

statement! {
    RepairNotification {
        owner: i64 as BigInt,
        id: Uuid as SqlUuid,
    } -> (),
    format!(
        "WITH read AS (
    UPDATE notifications AS it SET read = true, read_at = top.read_at FROM notifications AS top
    WHERE top.user_id = :owner AND top.id = :id AND it.user_id = :owner AND it.parent_id = top.id AND top.read AND NOT it.read
)
UPDATE notifications AS top SET
    (batch_count, actor_count) = (SELECT {COUNTERS} {CHILDREN}),
    (actor_id, data, comment_id) = (
        SELECT it.actor_id, it.data, it.comment_id {CHILDREN} ORDER BY it.created_at DESC, it.id DESC LIMIT 1
    )
WHERE top.user_id = :owner AND top.id = :id"
    )
}
