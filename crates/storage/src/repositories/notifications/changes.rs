//! Following somebody's list.

use std::collections::HashMap;

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use grateful_domain::notification::RenderedNotification;
use grateful_domain::{NotificationId, UserId};
use uuid::Uuid;

use super::Notifications;
use crate::Result;
use crate::query::statement;
use crate::schema::inboxes;

/// How far somebody's list has come, in numbers that its changes have.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct InboxPosition {
    /// Of its last change.
    pub last_seq: i64,
    /// Up to here, what left the list is no longer known.
    pub forgotten_seq: i64,
}

/// One step in the life of a list.
#[derive(Debug, Clone, PartialEq)]
pub struct InboxChange {
    /// Its number: later ones are higher.
    pub seq: i64,
    /// What became of the list.
    pub kind: InboxChangeKind,
}

/// What became of a list.
#[derive(Debug, Clone, PartialEq)]
pub enum InboxChangeKind {
    /// This is new in it, or reads differently.
    Upserted(Box<RenderedNotification>),
    /// This is in it no more.
    Removed(NotificationId),
}

impl Notifications<'_> {
    /// How far somebody's list has come.
    pub async fn find_inbox_position(&mut self, owner: UserId) -> Result<InboxPosition> {
        let row: Option<(i64, i64)> = inboxes::table
            .find(i64::from(owner))
            .select((inboxes::last_seq, inboxes::forgotten_seq))
            .first(self.conn)
            .await
            .optional()?;
        Ok(row.map_or_else(InboxPosition::default, |(last, forgotten)| InboxPosition {
            last_seq: last,
            forgotten_seq: forgotten,
        }))
    }

    /// The numbers of the last changes of many lists, in one statement.
    pub async fn find_last_seqs(&mut self, owners: &[UserId]) -> Result<HashMap<UserId, i64>> {
        let owners: Vec<i64> = owners.iter().copied().map(i64::from).collect();
        let rows: Vec<(i64, i64)> = inboxes::table
            .filter(inboxes::user_id.eq_any(owners))
            .select((inboxes::user_id, inboxes::last_seq))
            .load(self.conn)
            .await?;
        Ok(rows.into_iter().map(|(owner, last)| (owner.into(), last)).collect())
    }

    /// Up to `limit` changes of somebody's list behind the number `after`, in their order. Of what changed several times only
    /// the last change is given.
    ///
    /// Whoever goes on behind the number of the last one misses nothing: numbers are given under the lock of the inbox, so
    /// that none is seen before a lower one.
    pub async fn list_changes(
        &mut self,
        owner: UserId,
        after: i64,
        limit: i64,
    ) -> Result<Vec<InboxChange>> {
        let list = ListChanges { owner: owner.into(), after, limit };
        let rows: Vec<(i64, Uuid, bool)> = list.load(self.conn).await?;
        let shown: Vec<Uuid> =
            rows.iter().filter(|(.., is_removal)| !is_removal).map(|(_, id, _)| *id).collect();
        let mut shown =
            if shown.is_empty() { HashMap::new() } else { self.listed_of(owner, &shown).await? };
        let changes = rows.into_iter().filter_map(|(seq, id, is_removal)| {
            if is_removal {
                return Some(InboxChange { seq, kind: InboxChangeKind::Removed(id.into()) });
            }
            // What has changed again meanwhile comes later, under its new number.
            let (current, seen) = shown.remove(&id)?;
            (current == seq)
                .then(|| InboxChange { seq, kind: InboxChangeKind::Upserted(Box::new(seen)) })
        });
        Ok(changes.collect())
    }
}

statement! {
    /// Both in one statement, so that they are of one moment.
    ListChanges(owner: i64 as BigInt, after: i64 as BigInt, limit: i64 as BigInt) -> (BigInt, SqlUuid, Bool) {
        "shown AS (
            SELECT seq, id, false AS is_removal FROM notifications
            WHERE user_id = $1 AND parent_id IS NULL AND seq > $2 ORDER BY seq LIMIT $3
        ), removed AS (
            SELECT seq, notification_id, true FROM notification_removals
            WHERE user_id = $1 AND seq > $2 ORDER BY seq LIMIT $3
        )
        SELECT * FROM shown UNION ALL SELECT * FROM removed ORDER BY seq LIMIT $3"
    }
}
