//! Carrying out what was decided, for any number of inboxes at once.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use diesel::sql_types::{Array, BigInt, Integer, Jsonb, Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use grateful_domain::UserId;
use grateful_domain::notification::{
    HourlyQuota, InboxChanges, NotificationType, WithdrawnNotification,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

use super::Notifications;
use crate::query::statement;
use crate::rows::NotificationRow;
use crate::{Result, StorageError};

impl Notifications<'_> {
    /// Carries out what was decided for some people, of whom each has one start at most. `last_seqs` is what
    /// [`Notifications::lock_and_reserve`] gave. Returns what the hourly limit held back, of which nothing was written.
    pub(super) async fn write(
        &mut self,
        outcomes: Vec<(UserId, InboxChanges)>,
        mut last_seqs: HashMap<UserId, i64>,
        now: DateTime<Utc>,
    ) -> Result<Vec<(UserId, NotificationType)>> {
        let mut write = PendingWrites::at(now);
        for (user, outcome) in outcomes {
            write.add(user, outcome, last_seqs.entry(user).or_default());
        }
        if write.is_empty() {
            return Ok(vec![]);
        }
        let held_back: Vec<(i64, String)> = write.into_statement().load(self.conn).await?;
        held_back
            .into_iter()
            .map(|(user, code)| {
                let corrupt = |_| StorageError::Corrupt { column: "notification_quotas.type" };
                Ok((user.into(), NotificationType::from_code(&code).map_err(corrupt)?))
            })
            .collect()
    }
}

/// What is to be written, table by table.
struct PendingWrites {
    now: DateTime<Utc>,
    rows: Vec<NotificationRow>,
    deleted: Vec<Uuid>,
    removals: Vec<RemovalRow>,
    withdrawn: Vec<WithdrawnRow>,
    returned: Vec<WithdrawnRow>,
    starts: Vec<(UserId, NotificationType)>,
}

impl PendingWrites {
    fn at(now: DateTime<Utc>) -> Self {
        Self {
            now,
            rows: vec![],
            deleted: vec![],
            removals: vec![],
            withdrawn: vec![],
            returned: vec![],
            starts: vec![],
        }
    }

    fn is_empty(&self) -> bool {
        self.rows.is_empty() && self.deleted.is_empty()
    }

    /// Numbers the changes of the list behind `last`: what leaves it comes before what is new in it.
    fn add(&mut self, user: UserId, outcome: InboxChanges, last: &mut i64) {
        let mut next = || {
            *last += 1;
            *last
        };
        for departed in outcome.removed_from_list {
            self.removals.push(RemovalRow {
                user_id: user.into(),
                seq: next(),
                notification_id: departed.into(),
                removed_at: self.now,
            });
        }
        for saved in &outcome.saved {
            let seq = if outcome.updated_in_list.contains(&saved.id) { next() } else { 0 };
            self.rows.push(NotificationRow::new(saved, seq));
        }
        self.deleted.extend(outcome.deleted.into_iter().map(Uuid::from));
        self.withdrawn.extend(outcome.withdrawn.into_iter().map(WithdrawnRow::from));
        self.returned.extend(outcome.restored.map(WithdrawnRow::from));
        self.starts.extend(outcome.consumes_quota_of.map(|kind| (user, kind)));
    }

    fn into_statement(self) -> ApplyInboxChanges {
        ApplyInboxChanges {
            rows: json!(self.rows),
            deleted: self.deleted,
            removals: json!(self.removals),
            withdrawn: json!(self.withdrawn),
            returned: json!(self.returned),
            starters: self.starts.iter().map(|(user, _)| i64::from(*user)).collect(),
            kinds: self.starts.iter().map(|(_, kind)| kind.code().to_owned()).collect(),
            now: self.now,
            lapsed: self.now - HourlyQuota::WINDOW,
            limit: HourlyQuota::LIMIT,
        }
    }
}

/// A row of `notification_removals`, column for column.
#[derive(Serialize)]
struct RemovalRow {
    user_id: i64,
    seq: i64,
    notification_id: Uuid,
    removed_at: DateTime<Utc>,
}

/// A row of `withdrawn_notifications`, column for column.
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
    fn from(it: WithdrawnNotification) -> Self {
        Self {
            user_id: it.recipient.into(),
            actor_id: it.actor.into(),
            act: it.act,
            notification_id: it.id.into(),
            created_at: it.created_at,
            read_at: it.read_at,
            parent_id: it.parent.map(Uuid::from),
            withdrawn_at: it.withdrawn_at,
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
    /// One upsert decides by the hourly limit: it counts who asks to start, and whoever asks beyond the limit gets nothing
    /// written. The rows are written in their order, so that a single has left the open place of its key before a batch
    /// takes it.
    ApplyInboxChanges(
        rows: Value as Jsonb,
        deleted: Vec<Uuid> as Array<SqlUuid>,
        removals: Value as Jsonb,
        withdrawn: Value as Jsonb,
        returned: Value as Jsonb,
        starters: Vec<i64> as Array<BigInt>,
        kinds: Vec<String> as Array<Text>,
        now: DateTime<Utc> as Timestamptz,
        lapsed: DateTime<Utc> as Timestamptz,
        limit: i32 as Integer
    ) -> (BigInt, Text) {
        "start AS (
            INSERT INTO notification_quotas AS quota (user_id, type, window_opened_at, asked)
            SELECT user_id, type, $8, 1 FROM unnest($6, $7) AS start (user_id, type)
            ON CONFLICT (user_id, type) DO UPDATE SET
                window_opened_at = CASE WHEN quota.window_opened_at <= $9 THEN $8 ELSE quota.window_opened_at END,
                asked = CASE WHEN quota.window_opened_at <= $9 THEN 1 ELSE quota.asked + 1 END,
                held_back = quota.held_back
                    + (quota.window_opened_at > $9 AND quota.asked >= $10)::integer
            RETURNING user_id, type, asked > $10 AS is_held_back
        ), gone AS (
            DELETE FROM notifications WHERE id = ANY ($2)
        ), saved AS (
            INSERT INTO notifications AS old
            SELECT * FROM jsonb_populate_recordset(NULL::notifications, $1) AS new
            WHERE NOT (new.user_id = ANY (SELECT user_id FROM start WHERE is_held_back))
            ON CONFLICT (id) DO UPDATE SET
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
                batch_count = excluded.batch_count,
                actor_count = excluded.actor_count,
                comment_id = excluded.comment_id,
                seq = CASE WHEN excluded.seq = 0 THEN old.seq ELSE excluded.seq END
        ), departed AS (
            INSERT INTO notification_removals
            SELECT * FROM jsonb_populate_recordset(NULL::notification_removals, $3)
        ), remembered AS (
            INSERT INTO withdrawn_notifications
            SELECT * FROM jsonb_populate_recordset(NULL::withdrawn_notifications, $4)
            ON CONFLICT (user_id, actor_id, act) DO UPDATE SET
                notification_id = excluded.notification_id,
                created_at = excluded.created_at,
                read_at = excluded.read_at,
                parent_id = excluded.parent_id,
                withdrawn_at = excluded.withdrawn_at
        ), came_back AS (
            DELETE FROM withdrawn_notifications AS old
            USING jsonb_populate_recordset(NULL::withdrawn_notifications, $5) AS back
            WHERE old.user_id = back.user_id AND old.actor_id = back.actor_id AND old.act = back.act
        )
        SELECT user_id, type FROM start WHERE is_held_back"
    }
}
