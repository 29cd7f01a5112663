//! Verification and repair of stored counters, and of notifications.
//!
//! Counters change in the transaction that changes the counted rows. This module counts the rows again, to prove that, or to
//! repair what was changed by other means than this crate. Notifications and the acts that cause them are compared in both
//! directions.

mod acts;
mod causes;
mod missing;
mod notifications;
mod posts;
mod users;

use diesel::sql_types::Text;
use diesel_async::RunQueryDsl;

pub use self::acts::ActTable;
pub use self::missing::{MissingNotification, VerifiedActs};
use self::notifications::{
    CountNotifications, DELETE_WITHOUT_ACT, LOCK_INBOX, REPAIR_NOTIFICATION,
};
use self::posts::{CountPosts, LOCK_POST, REPAIR_POST};
use self::users::{CountUsers, LOCK_USER, REPAIR_USER};
use crate::{Connection, Result};

/// The repository of counters.
pub struct Counters<'c> {
    pub(crate) conn: &'c mut Connection,
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
}

impl CounterTable {
    /// The number of verified values per row.
    const fn columns(self) -> u64 {
        match self {
            Self::Posts | Self::Users => 4,
            Self::Notifications => notifications::COLUMNS,
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

impl Counters<'_> {
    /// Verifies up to `limit` rows after the key `after`. One statement reads the counters and counts the rows, so both are
    /// of the same moment. Returns `None` if there are no more rows.
    pub async fn verify(
        &mut self,
        table: CounterTable,
        after: Option<RowKey>,
        limit: i64,
    ) -> Result<Option<VerifiedBatch>> {
        let rows: Vec<Row> = match table {
            CounterTable::Posts => CountPosts { after, limit }.load(self.conn).await?,
            CounterTable::Users => CountUsers { after, limit }.load(self.conn).await?,
            CounterTable::Notifications => {
                CountNotifications { after, limit }.load(self.conn).await?
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

    /// Sets all counters of the row to the counted values. Locks the row, so that nothing changes between counting and
    /// writing, and needs its own transaction.
    pub async fn repair(&mut self, mismatch: &Mismatch) -> Result<()> {
        let statements = match mismatch.table {
            CounterTable::Posts => vec![LOCK_POST, REPAIR_POST],
            CounterTable::Users => vec![LOCK_USER, REPAIR_USER],
            CounterTable::Notifications => {
                [&[LOCK_INBOX, &DELETE_WITHOUT_ACT][..], &REPAIR_NOTIFICATION].concat()
            }
        };
        // Separate statements: those after the lock see what was committed while the lock was awaited.
        for statement in statements {
            diesel::sql_query(statement).bind::<Text, _>(&mismatch.key).execute(self.conn).await?;
        }
        Ok(())
    }
}
