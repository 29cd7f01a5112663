//! Writes decided changes, to any number of inboxes in one statement.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use diesel::sql_types::{Array, BigInt, Integer, Jsonb, Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use grateful_domain::notification::{
    Cause, HourlyQuota, InboxChanges, NotificationType, SuppressedNotification, SuppressionReason,
    WithdrawnNotification,
};
use grateful_domain::{MAX_CLOCK_SKEW, NotificationId, UserId};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

use super::Notifications;
use crate::query::statement;
use crate::rows::NotificationRow;
use crate::{Result, StorageError};

impl Notifications<'_> {
    /// Applies changes to several inboxes, each with at most one new notification. `last_seqs` is the result of
    /// [`Notifications::lock_and_reserve`]. Returns the recipients and types of new notifications that the hourly limit held
    /// back. Nothing is written for these.
    pub(super) async fn write(
        &mut self,
        changes: Vec<(UserId, InboxChanges)>,
        last_seqs: HashMap<UserId, i64>,
        now: DateTime<Utc>,
    ) -> Result<Vec<(UserId, NotificationType)>> {
        self.apply(PendingWrites::new(changes, last_seqs, now)).await
    }

    /// Applies the changes of undone acts, and forgets why those acts had no notification.
    pub(super) async fn write_undone(
        &mut self,
        undone: &[Cause],
        changes: Vec<(UserId, InboxChanges)>,
        last_seqs: HashMap<UserId, i64>,
        now: DateTime<Utc>,
    ) -> Result<()> {
        let mut writes = PendingWrites::new(changes, last_seqs, now);
        writes.undone = undone.iter().copied().map(ActRow::from).collect();
        self.apply(writes).await?;
        Ok(())
    }

    async fn apply(&mut self, writes: PendingWrites) -> Result<Vec<(UserId, NotificationType)>> {
        if writes.is_empty() {
            return Ok(vec![]);
        }
        let held_back: Vec<(i64, String)> = writes.into_statement().load(self.conn).await?;
        held_back
            .into_iter()
            .map(|(user, code)| {
                let corrupt = |_| StorageError::Corrupt { column: "notification_quotas.type" };
                Ok((user.into(), NotificationType::from_code(&code).map_err(corrupt)?))
            })
            .collect()
    }
}

/// The rows to write, by table.
struct PendingWrites {
    now: DateTime<Utc>,
    rows: Vec<NotificationRow>,
    deleted: Vec<(i64, Uuid)>,
    removals: Vec<RemovalRow>,
    withdrawn: Vec<WithdrawnRow>,
    restored: Vec<WithdrawnRow>,
    suppressed: Vec<SuppressedRow>,
    /// Acts that are no longer suppressed because they were undone.
    undone: Vec<ActRow>,
    /// The causes of new top-level notifications.
    starts: Vec<ActRow>,
}

impl PendingWrites {
    fn new(
        changes: Vec<(UserId, InboxChanges)>,
        mut last_seqs: HashMap<UserId, i64>,
        now: DateTime<Utc>,
    ) -> Self {
        let mut writes = Self {
            now,
            rows: vec![],
            deleted: vec![],
            removals: vec![],
            withdrawn: vec![],
            restored: vec![],
            suppressed: vec![],
            undone: vec![],
            starts: vec![],
        };
        for (user, changes) in changes {
            writes.add(user, changes, last_seqs.entry(user).or_default());
        }
        writes
    }

    fn is_empty(&self) -> bool {
        self.rows.is_empty()
            && self.deleted.is_empty()
            && self.suppressed.is_empty()
            && self.undone.is_empty()
    }

    fn add(&mut self, user: UserId, mut changes: InboxChanges, last_seq: &mut i64) {
        let (removed, saved) = changes.take_numbered(last_seq);
        let removal = |(id, seq): (NotificationId, i64)| RemovalRow {
            user_id: user.into(),
            seq,
            notification_id: id.into(),
            removed_at: self.now,
        };
        self.removals.extend(removed.into_iter().map(removal));
        self.rows.extend(saved.iter().map(|(saved, seq)| NotificationRow::new(saved, *seq)));
        let own = |id: NotificationId| (user.into(), id.into());
        self.deleted.extend(changes.deleted.into_iter().map(own));
        self.withdrawn.extend(changes.withdrawn.into_iter().map(WithdrawnRow::from));
        self.restored.extend(changes.restored.map(WithdrawnRow::from));
        self.suppressed.extend(changes.suppressed.into_iter().map(SuppressedRow::from));
        self.starts.extend(changes.quota_use.map(ActRow::from));
    }

    fn into_statement(self) -> ApplyInboxChanges {
        let (deleted_of, deleted) = self.deleted.into_iter().unzip();
        ApplyInboxChanges {
            rows: json!(self.rows),
            deleted_of,
            deleted,
            removals: json!(self.removals),
            withdrawn: json!(self.withdrawn),
            restored: json!(self.restored),
            suppressed: json!(self.suppressed),
            undone: json!(self.undone),
            held_back: SuppressionReason::HeldBack.code().to_owned(),
            starts: json!(self.starts),
            now: self.now,
            open_after: self.now - HourlyQuota::WINDOW,
            open_until: self.now + MAX_CLOCK_SKEW,
            limit: HourlyQuota::LIMIT,
            limit_per_actor: HourlyQuota::LIMIT_PER_ACTOR,
        }
    }
}

/// A row of `suppressed_notifications`.
#[derive(Serialize)]
struct SuppressedRow {
    user_id: i64,
    actor_id: i64,
    act: String,
    reason: &'static str,
    suppressed_at: DateTime<Utc>,
}

impl From<SuppressedNotification> for SuppressedRow {
    fn from(suppressed: SuppressedNotification) -> Self {
        Self {
            user_id: suppressed.recipient.into(),
            actor_id: suppressed.actor.into(),
            act: suppressed.act,
            reason: suppressed.reason.code(),
            suppressed_at: suppressed.at,
        }
    }
}

/// An act, by the columns that identify it in an inbox.
#[derive(Serialize)]
struct ActRow {
    user_id: i64,
    actor_id: i64,
    act: String,
}

impl From<Cause> for ActRow {
    fn from(cause: Cause) -> Self {
        Self {
            user_id: cause.recipient.into(),
            actor_id: cause.actor.into(),
            act: cause.act.dedup_key(),
        }
    }
}

/// A row of `notification_removals`.
#[derive(Serialize)]
struct RemovalRow {
    user_id: i64,
    seq: i64,
    notification_id: Uuid,
    removed_at: DateTime<Utc>,
}

/// A row of `withdrawn_notifications`.
#[derive(Serialize, Deserialize)]
pub(super) struct WithdrawnRow {
    user_id: i64,
    actor_id: i64,
    act: String,
    notification_id: Uuid,
    created_at: DateTime<Utc>,
    read_at: Option<DateTime<Utc>>,
    parent_id: Option<Uuid>,
    withdrawn_at: DateTime<Utc>,
}

impl From<WithdrawnNotification> for WithdrawnRow {
    fn from(withdrawn: WithdrawnNotification) -> Self {
        Self {
            user_id: withdrawn.recipient.into(),
            actor_id: withdrawn.actor.into(),
            act: withdrawn.act,
            notification_id: withdrawn.id.into(),
            created_at: withdrawn.created_at,
            read_at: withdrawn.read_at,
            parent_id: withdrawn.parent.map(Uuid::from),
            withdrawn_at: withdrawn.withdrawn_at,
        }
    }
}

impl From<WithdrawnRow> for WithdrawnNotification {
    fn from(row: WithdrawnRow) -> Self {
        Self {
            recipient: row.user_id.into(),
            actor: row.actor_id.into(),
            act: row.act,
            id: row.notification_id.into(),
            created_at: row.created_at,
            read_at: row.read_at,
            parent: row.parent_id.map(Into::into),
            withdrawn_at: row.withdrawn_at,
        }
    }
}

statement! {
    /// One upsert of the quotas enforces the hourly limits: it adds the actor of each new notification to an open window or to
    /// a new one, and changes no row if a limit is reached. Nothing else is written for a notification that it holds back
    /// but its count and the reason. A reason is forgotten when its notification is saved or its act undone. A single notification
    /// that is withdrawn no longer counts. Rows are saved in their order, so that a single notification is no longer the open
    /// one of its key before a batch becomes the open one. The counts of the inboxes follow from the rows that were written:
    /// `before` reads each saved row as it was before this statement. The inboxes are an array and not a join, because a generic
    /// plan expects a thousand of them and would read all.
    ApplyInboxChanges {
        rows: Value as Jsonb,
        deleted_of: Vec<i64> as Array<BigInt>,
        deleted: Vec<Uuid> as Array<SqlUuid>,
        removals: Value as Jsonb,
        withdrawn: Value as Jsonb,
        restored: Value as Jsonb,
        starts: Value as Jsonb,
        now: DateTime<Utc> as Timestamptz,
        open_after: DateTime<Utc> as Timestamptz,
        open_until: DateTime<Utc> as Timestamptz,
        limit: i32 as Integer,
        limit_per_actor: i32 as Integer,
        suppressed: Value as Jsonb,
        undone: Value as Jsonb,
        held_back: String as Text,
    } -> (BigInt, Text),
    "WITH start AS (
        SELECT user_id, split_part(act, ':', 1) AS type, actor_id, act
        FROM jsonb_to_recordset(:starts) AS start (user_id bigint, actor_id bigint, act text)
    ), started AS (
        INSERT INTO notification_quotas AS quota (user_id, type, window_opened_at, actor_ids)
        SELECT user_id, type, :now, ARRAY[actor_id] FROM start
        ON CONFLICT (user_id, type) DO UPDATE SET (window_opened_at, actor_ids) = (
            SELECT CASE WHEN is_open THEN quota.window_opened_at ELSE :now END,
                CASE WHEN is_open THEN quota.actor_ids || excluded.actor_ids ELSE excluded.actor_ids END
            FROM (VALUES (quota.window_opened_at > :open_after AND quota.window_opened_at < :open_until)) AS it (is_open)
        )
        WHERE NOT (quota.window_opened_at > :open_after AND quota.window_opened_at < :open_until) OR (
            cardinality(quota.actor_ids) < :limit
            AND cardinality(array_positions(quota.actor_ids, excluded.actor_ids[1])) < :limit_per_actor
        )
        RETURNING user_id, type
    ), held_back AS (
        UPDATE notification_quotas AS quota SET held_back = quota.held_back + 1 FROM start
        WHERE quota.user_id = start.user_id AND quota.type = start.type
            AND NOT EXISTS (SELECT FROM started WHERE started.user_id = start.user_id AND started.type = start.type)
        RETURNING quota.user_id, quota.type, start.actor_id, start.act
    ), released AS (
        UPDATE notification_quotas AS quota SET actor_ids =
            quota.actor_ids[:array_position(quota.actor_ids, single.actor_id) - 1]
            || quota.actor_ids[array_position(quota.actor_ids, single.actor_id) + 1:]
        FROM jsonb_populate_recordset(NULL::withdrawn_notifications, :withdrawn) AS single
        WHERE single.parent_id IS NULL AND single.user_id = quota.user_id
            AND quota.type = split_part(single.act, ':', 1) AND quota.window_opened_at <= single.created_at
            AND single.actor_id = ANY (quota.actor_ids)
    ), gone AS (
        DELETE FROM notifications AS it USING unnest(:deleted_of, :deleted) AS old (user_id, id)
        WHERE it.user_id = old.user_id AND it.id = old.id
        RETURNING it.user_id, it.parent_id, it.read
    ), saved AS (
        INSERT INTO notifications AS old
        SELECT * FROM jsonb_populate_recordset(NULL::notifications, :rows) AS new
        WHERE NOT (new.user_id = ANY (SELECT user_id FROM held_back))
        ON CONFLICT (user_id, id) DO UPDATE SET
            type = excluded.type,
            actor_id = excluded.actor_id,
            title = excluded.title,
            message = excluded.message,
            data = excluded.data,
            read = excluded.read,
            read_at = excluded.read_at,
            last_updated_at = excluded.last_updated_at,
            closed_at = excluded.closed_at,
            parent_id = excluded.parent_id,
            batch_key = excluded.batch_key,
            batch_count = excluded.batch_count,
            actor_count = excluded.actor_count,
            comment_id = excluded.comment_id,
            seq = CASE WHEN excluded.seq = 0 THEN old.seq ELSE excluded.seq END
        RETURNING id, user_id, parent_id, read
    ), listed AS (
        SELECT user_id, read, 1 AS number FROM saved WHERE parent_id IS NULL
        UNION ALL
        SELECT user_id, read, -1 FROM gone WHERE parent_id IS NULL
        UNION ALL
        SELECT before.user_id, before.read, -1 FROM saved, LATERAL (
            SELECT user_id, read FROM notifications AS it
            WHERE it.user_id = saved.user_id AND it.id = saved.id AND it.parent_id IS NULL LIMIT 1
        ) AS before
    ), difference AS (
        SELECT user_id, sum(number) AS total, coalesce(sum(number) FILTER (WHERE NOT read), 0) AS unread
        FROM listed GROUP BY user_id
    ), counted AS (
        UPDATE inboxes SET (unread_count, total_count) = (
            SELECT greatest(unread_count + difference.unread, 0), greatest(total_count + difference.total, 0)
            FROM difference WHERE difference.user_id = inboxes.user_id
        )
        WHERE user_id = ANY (ARRAY(SELECT user_id FROM difference WHERE total <> 0 OR unread <> 0))
    ), departed AS (
        INSERT INTO notification_removals
        SELECT * FROM jsonb_populate_recordset(NULL::notification_removals, :removals)
    ), remembered AS (
        INSERT INTO withdrawn_notifications
        SELECT * FROM jsonb_populate_recordset(NULL::withdrawn_notifications, :withdrawn)
        ON CONFLICT (user_id, actor_id, act) DO UPDATE SET
            notification_id = excluded.notification_id,
            created_at = excluded.created_at,
            read_at = excluded.read_at,
            parent_id = excluded.parent_id,
            withdrawn_at = excluded.withdrawn_at
    ), came_back AS (
        DELETE FROM withdrawn_notifications AS old
        USING jsonb_populate_recordset(NULL::withdrawn_notifications, :restored) AS back
        WHERE old.user_id = back.user_id AND old.actor_id = back.actor_id AND old.act = back.act
    ), suppressed AS (
        SELECT user_id, actor_id, act, reason, suppressed_at
        FROM jsonb_populate_recordset(NULL::suppressed_notifications, :suppressed)
        UNION ALL
        SELECT user_id, actor_id, act, :held_back, :now FROM held_back
    ), explained AS (
        INSERT INTO suppressed_notifications SELECT * FROM suppressed
        ON CONFLICT (user_id, actor_id, act) DO UPDATE SET
            reason = excluded.reason, suppressed_at = excluded.suppressed_at
    ), no_longer_suppressed AS (
        DELETE FROM suppressed_notifications AS old USING (
            SELECT user_id, actor_id, act FROM jsonb_populate_recordset(NULL::notifications, :rows)
            UNION ALL
            SELECT user_id, actor_id, act FROM jsonb_populate_recordset(NULL::suppressed_notifications, :undone)
        ) AS it
        WHERE old.user_id = it.user_id AND old.actor_id = it.actor_id AND old.act = it.act
            AND NOT EXISTS (
                SELECT FROM suppressed
                WHERE suppressed.user_id = it.user_id AND suppressed.actor_id = it.actor_id
                    AND suppressed.act = it.act
            )
    )
    SELECT user_id, type FROM held_back"
}
