//! Writes decided changes, to any number of inboxes in one statement.

use std::borrow::Cow;

use chrono::{DateTime, Utc};
use diesel::sql_types::{Array, BigInt, Jsonb, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use grateful_domain::notification::{
    Cause, HourlyQuota, InboxDiff, InboxUpdate, StoredQuota, SuppressedNotification,
    WithdrawnNotification,
};
use grateful_domain::{NotificationType, UserId};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

use super::Notifications;
use crate::query::statement;
use crate::rows::NotificationRow;
use crate::{Result, StorageError};

impl Notifications<'_> {
    /// Writes changes of several inboxes.
    pub(super) async fn write(&mut self, writes: PendingWrites) -> Result<()> {
        if !writes.is_empty() {
            writes.into_statement().execute(self.conn).await?;
        }
        Ok(())
    }
}

/// The rows to write, by table.
pub(super) struct PendingWrites {
    now: DateTime<Utc>,
    rows: Vec<NotificationRow>,
    deleted: Vec<(i64, Uuid)>,
    removals: Vec<RemovalRow>,
    withdrawn: Vec<WithdrawnRow>,
    restored: Vec<WithdrawnRow>,
    suppressed: Vec<SuppressedRow>,
    /// Acts that are not suppressed any more, because they were undone or have a notification, unless they are in
    /// `suppressed`.
    not_suppressed: Vec<ActRow>,
    quotas: Vec<QuotaRow>,
}

impl PendingWrites {
    /// Nothing but to forget why the undone acts had no notification. Removals get the time `now`.
    pub(super) fn of_withdrawals(updates: &[InboxUpdate], now: DateTime<Utc>) -> Self {
        let undone = updates.iter().filter_map(|update| match update {
            InboxUpdate::Withdraw { cause, .. } => Some(ActRow::from(*cause)),
            _ => None,
        });
        Self {
            now,
            rows: vec![],
            deleted: vec![],
            removals: vec![],
            withdrawn: vec![],
            restored: vec![],
            suppressed: vec![],
            not_suppressed: undone.collect(),
            quotas: vec![],
        }
    }

    fn is_empty(&self) -> bool {
        self.rows.is_empty()
            && self.deleted.is_empty()
            && self.suppressed.is_empty()
            && self.not_suppressed.is_empty()
            && self.quotas.is_empty()
    }

    pub(super) fn add(&mut self, owner: UserId, diff: InboxDiff) {
        let user_id = owner.into();
        let removed_at = self.now;
        self.removals.extend(diff.removals.into_iter().map(|(id, seq)| RemovalRow {
            user_id,
            seq,
            notification_id: id.into(),
            removed_at,
        }));
        self.rows.extend(diff.saved.iter().map(|(saved, seq)| NotificationRow::new(saved, *seq)));
        self.deleted.extend(diff.deleted.into_iter().map(|id| (user_id, id.into())));
        self.withdrawn.extend(diff.withdrawn.into_iter().map(WithdrawnRow::from));
        self.restored.extend(diff.restored.into_iter().map(WithdrawnRow::from));
        self.suppressed.extend(diff.suppressed.into_iter().map(SuppressedRow::from));
        let recorded = diff.recorded.into_iter();
        self.not_suppressed.extend(recorded.map(|(actor, act)| ActRow {
            user_id,
            actor_id: actor.into(),
            act,
        }));
        self.quotas.extend(diff.quotas.into_iter().map(|quota| QuotaRow::new(user_id, quota)));
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
            not_suppressed: json!(self.not_suppressed),
            quotas: json!(self.quotas),
        }
    }
}

/// A row of `notification_quotas`.
#[derive(Serialize, Deserialize)]
pub(super) struct QuotaRow {
    user_id: i64,
    #[serde(rename = "type")]
    kind: Cow<'static, str>,
    window_opened_at: DateTime<Utc>,
    actor_ids: Vec<i64>,
    held_back: i64,
}

impl QuotaRow {
    fn new(user_id: i64, StoredQuota { kind, quota, held_back }: StoredQuota) -> Self {
        Self {
            user_id,
            kind: kind.code().into(),
            window_opened_at: quota.window_opened_at,
            actor_ids: quota.actors.into_iter().map(i64::from).collect(),
            held_back,
        }
    }

    pub(super) fn user_id(&self) -> i64 {
        self.user_id
    }
}

impl TryFrom<QuotaRow> for StoredQuota {
    type Error = StorageError;

    fn try_from(row: QuotaRow) -> Result<Self> {
        let corrupt = |_| StorageError::Corrupt { column: "notification_quotas.type" };
        Ok(Self {
            kind: NotificationType::from_code(&row.kind).map_err(corrupt)?,
            quota: HourlyQuota {
                window_opened_at: row.window_opened_at,
                actors: row.actor_ids.into_iter().map(UserId::from).collect(),
            },
            held_back: row.held_back,
        })
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

impl WithdrawnRow {
    pub(super) fn user_id(&self) -> i64 {
        self.user_id
    }
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
    /// Rows are deleted before any is saved, and saved in their order, so that a single notification is no longer the open
    /// one of its key before a batch becomes the open one. The reason why an act has no notification is forgotten when a
    /// notification is created or the act undone. The counts of the inboxes follow from the rows that were written:
    /// `before` reads each saved row as it was before this statement. The inboxes are an array and not a join, because a generic
    /// plan expects a thousand of them and would read all.
    ApplyInboxChanges {
        rows: Value as Jsonb,
        deleted_of: Vec<i64> as Array<BigInt>,
        deleted: Vec<Uuid> as Array<SqlUuid>,
        removals: Value as Jsonb,
        withdrawn: Value as Jsonb,
        restored: Value as Jsonb,
        quotas: Value as Jsonb,
        suppressed: Value as Jsonb,
        not_suppressed: Value as Jsonb,
    } -> BigInt,
    "WITH limited AS (
        INSERT INTO notification_quotas AS old
        SELECT * FROM jsonb_populate_recordset(NULL::notification_quotas, :quotas)
        ON CONFLICT (user_id, type) DO UPDATE SET
            window_opened_at = excluded.window_opened_at,
            actor_ids = excluded.actor_ids,
            held_back = excluded.held_back
    ), gone AS (
        DELETE FROM notifications AS it USING unnest(:deleted_of, :deleted) AS old (user_id, id)
        WHERE it.user_id = old.user_id AND it.id = old.id
        RETURNING it.user_id, it.parent_id, it.read
    ), saved AS (
        INSERT INTO notifications AS old
        SELECT * FROM jsonb_populate_recordset(NULL::notifications, :rows) AS new
        WHERE (SELECT count(*) FROM gone) >= 0
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
        SELECT * FROM jsonb_populate_recordset(NULL::suppressed_notifications, :suppressed)
    ), explained AS (
        INSERT INTO suppressed_notifications SELECT * FROM suppressed
        ON CONFLICT (user_id, actor_id, act) DO UPDATE SET
            reason = excluded.reason, suppressed_at = excluded.suppressed_at
    ), no_longer_suppressed AS (
        DELETE FROM suppressed_notifications AS old
        USING jsonb_populate_recordset(NULL::suppressed_notifications, :not_suppressed) AS it
        WHERE old.user_id = it.user_id AND old.actor_id = it.actor_id AND old.act = it.act
            AND NOT EXISTS (
                SELECT FROM suppressed
                WHERE suppressed.user_id = it.user_id AND suppressed.actor_id = it.actor_id
                    AND suppressed.act = it.act
            )
    )
    SELECT count(*) FROM saved"
}
