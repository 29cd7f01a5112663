//! The change log of an inbox, for notification streams.

use std::collections::HashMap;

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use grateful_domain::UserId;
use grateful_domain::notification::{InboxChange, InboxChangeKind};
use uuid::Uuid;

use super::Notifications;
use crate::query::statement;
use crate::schema::inboxes;
use crate::{ReadConnection, Result};

/// The position of an inbox in its change log, as sequence numbers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct InboxPosition {
    /// The number of the last change.
    pub last_seq: i64,
    /// Removals up to this number have been pruned.
    pub forgotten_seq: i64,
}

impl<C: ReadConnection> Notifications<'_, C> {
    /// Finds the position of an inbox. An inbox that never had a notification is at position 0.
    pub async fn find_inbox_position(&mut self, owner: UserId) -> Result<InboxPosition> {
        let row: Option<(i64, i64)> = inboxes::table
            .find(i64::from(owner))
            .select((inboxes::last_seq, inboxes::forgotten_seq))
            .first(self.conn)
            .await
            .optional()?;
        Ok(row.map_or_else(InboxPosition::default, |(last_seq, forgotten_seq)| InboxPosition {
            last_seq,
            forgotten_seq,
        }))
    }

    /// Lists up to `limit` changes of an inbox after the number `after`, in order. Of several changes of a notification,
    /// only the last one is listed.
    ///
    /// A caller that continues after the last number misses no change: numbers are reserved under the inbox lock, so no
    /// change becomes visible before one with a lower number.
    pub async fn list_changes(
        &mut self,
        owner: UserId,
        after: i64,
        limit: i64,
    ) -> Result<Vec<InboxChange>> {
        let list = ListChanges { owner: owner.into(), after, limit };
        let rows: Vec<(i64, Uuid, bool)> = list.load(self.conn).await?;
        let upserted: Vec<Uuid> =
            rows.iter().filter(|(.., is_removal)| !is_removal).map(|(_, id, _)| *id).collect();
        let mut upserted = if upserted.is_empty() {
            HashMap::new()
        } else {
            self.find_in_inbox(owner, &upserted).await?
        };
        let changes = rows.into_iter().filter_map(|(seq, id, is_removal)| {
            if is_removal {
                return Some(InboxChange { seq, kind: InboxChangeKind::Removed(id.into()) });
            }
            // If it changed again in the meantime, it is listed later, with its new number.
            let (current_seq, notification) = upserted.remove(&id)?;
            (current_seq == seq).then(|| InboxChange {
                seq,
                kind: InboxChangeKind::Upserted(Box::new(notification)),
            })
        });
        Ok(changes.collect())
    }
}

statement! {
    /// Reads both tables in one statement, so that both are in the state of the same moment.
    ListChanges { owner: i64 as BigInt, after: i64 as BigInt, limit: i64 as BigInt } -> (BigInt, SqlUuid, Bool),
    "WITH shown AS (
        SELECT seq, id, false AS is_removal FROM notifications
        WHERE user_id = :owner AND parent_id IS NULL AND seq > :after ORDER BY seq LIMIT :limit
    ), removed AS (
        SELECT seq, notification_id, true FROM notification_removals
        WHERE user_id = :owner AND seq > :after ORDER BY seq LIMIT :limit
    )
    SELECT * FROM shown UNION ALL SELECT * FROM removed ORDER BY seq LIMIT :limit"
}
