//! Verification and repair of stored counters, and of notifications.
//!
//! Counters change in the transaction that changes the counted rows. This module counts the rows again, to prove that, or to
//! repair what was changed by other means than this crate. Notifications and the acts that cause them are compared in both
//! directions.

mod acts;
mod causes;
mod counters;
mod missing;
mod notifications;

use std::str::FromStr;

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;

pub use self::acts::ActTable;
use self::counters::{
    RepairInbox, RepairPost, RepairUser, VerifyInboxes, VerifyPosts, VerifyUsers,
};
pub use self::missing::{MissingNotification, VerifiedActs};
use self::notifications::{NotificationKey, VerifyNotifications};
use crate::repositories::Repositories;
use crate::schema::{posts, users};
use crate::{Connection, Result, StorageError};

/// The repository of counters.
pub struct Counters<'c> {
    conn: &'c mut Connection,
}

/// A table with stored counters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CounterTable {
    /// Posts: hearts, reactions, shares and comments.
    Posts,
    /// Users: followers, following, posts and public posts.
    Users,
    /// Notifications of inboxes: children and actors, and whether their acts exist.
    Notifications,
    /// Inboxes: unread notifications, and all notifications. There is one for each user.
    Inboxes,
}

impl CounterTable {
    /// The number of verified values per row.
    const fn columns(self) -> u64 {
        match self {
            Self::Posts | Self::Users => 4,
            Self::Notifications => notifications::COLUMNS,
            Self::Inboxes => 2,
        }
    }
}

/// The key of a row, as text for any type.
pub type RowKey = String;

/// A counter that differs from its rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mismatch {
    /// The table of the counter.
    pub table: CounterTable,
    /// The key of the row.
    pub key: RowKey,
    /// The column.
    pub column: String,
    /// The value of the column.
    pub stored: i64,
    /// The counted number of rows.
    pub actual: i64,
}

/// The result of verifying a batch of rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifiedBatch {
    /// The number of verified rows.
    pub rows: u64,
    /// The key of the last row.
    pub last_key: RowKey,
    /// The mismatches.
    pub mismatches: Vec<Mismatch>,
}

type Row = (String, String, i64, i64);

impl<'c> Counters<'c> {
    /// The counters on any connection.
    pub fn new(conn: &'c mut Connection) -> Self {
        Self { conn }
    }

    /// Verifies up to `limit` rows after the key `after`. One statement reads the counters and counts the rows, so both are
    /// of the same moment. Returns `None` if there are no more rows.
    pub async fn verify(
        &mut self,
        table: CounterTable,
        after: Option<RowKey>,
        limit: i64,
    ) -> Result<Option<VerifiedBatch>> {
        let rows: Vec<Row> = match table {
            CounterTable::Posts => {
                VerifyPosts { after: parse_key(after.as_ref())?, limit }.load(self.conn).await?
            }
            CounterTable::Users => {
                VerifyUsers { after: parse_key(after.as_ref())?, limit }.load(self.conn).await?
            }
            CounterTable::Notifications => {
                let NotificationKey { owner, id } = parse_key(after.as_ref())?;
                VerifyNotifications { after_user: owner, after_id: id, limit }
                    .load(self.conn)
                    .await?
            }
            CounterTable::Inboxes => {
                VerifyInboxes { after: parse_key(after.as_ref())?, limit }.load(self.conn).await?
            }
        };
        let Some(last_key) = rows.last().map(|(key, ..)| key.clone()) else { return Ok(None) };
        let is_mismatch = |(.., stored, actual): &Row| stored != actual;
        let values = u64::try_from(rows.len()).unwrap_or(u64::MAX);
        let mismatches = rows
            .into_iter()
            .filter(is_mismatch)
            .map(|(key, column, stored, actual)| Mismatch { table, key, column, stored, actual });
        Ok(Some(VerifiedBatch {
            rows: values / table.columns(),
            last_key,
            mismatches: mismatches.collect(),
        }))
    }

    /// Sets all counters of the row to the counted values, and withdraws notifications without an act. Locks the row, so that
    /// nothing changes between counting and writing, and needs its own transaction.
    pub async fn repair(&mut self, mismatch: &Mismatch, now: DateTime<Utc>) -> Result<()> {
        let key = Some(&mismatch.key);
        // Separate statements: those after the lock see what was committed while the lock was awaited.
        match mismatch.table {
            CounterTable::Posts => {
                let key = parse_key(key)?;
                let lock = posts::table.find(key).select(posts::id).for_no_key_update();
                lock.execute(self.conn).await?;
                RepairPost { key }.execute(self.conn).await?;
            }
            CounterTable::Users => {
                let key = parse_key(key)?;
                let lock = users::table.find(key).select(users::id).for_no_key_update();
                lock.execute(self.conn).await?;
                RepairUser { key }.execute(self.conn).await?;
            }
            CounterTable::Notifications => {
                notifications::repair(self.conn, parse_key(key)?, now).await?;
            }
            CounterTable::Inboxes => {
                let key: i64 = parse_key(key)?;
                self.conn.notifications().lock_inboxes(&[key.into()]).await?;
                RepairInbox { key }.execute(self.conn).await?;
            }
        }
        Ok(())
    }
}

/// The key of a row, or the one before all rows.
fn parse_key<K: FromStr + Default>(key: Option<&RowKey>) -> Result<K> {
    let parsed = key.map_or_else(|| Ok(K::default()), |key| key.parse());
    parsed.map_err(|_| StorageError::Corrupt { column: "id" })
}
