//! The numbers that are kept beside rows: on posts, and on users.
//!
//! They change in the transaction that changes the rows. Here they are counted anew, to prove it, or to mend what
//! something else than this crate has done.

mod notifications;
mod posts;
mod users;

use diesel::sql_types::Text;
use diesel_async::RunQueryDsl;

use self::notifications::{CountNotifications, LOCK_INBOX, REPAIR_NOTIFICATION};
use self::posts::{CountPosts, LOCK_POST, REPAIR_POST};
use self::users::{CountUsers, LOCK_USER, REPAIR_USER};
use crate::{Connection, Result};

/// Numbers beside rows, as seen through one connection.
pub struct Counters<'c> {
    pub(crate) conn: &'c mut Connection,
}

/// A table whose rows carry numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CounterTable {
    /// Posts: hearts, reactions, shares, comments.
    Posts,
    /// Users: followers, following, posts, public posts.
    Users,
    /// Notifications of lists: entries and people, and that acts have caused them.
    Notifications,
}

impl CounterTable {
    /// How many numbers a row carries.
    const fn columns(self) -> u64 {
        match self {
            Self::Posts | Self::Users => 4,
            Self::Notifications => notifications::COLUMNS,
        }
    }
}

/// The key of a row, as text, whatever its type.
pub type RowKey = String;

/// A number that does not equal its rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mismatch {
    /// Where it is kept.
    pub table: CounterTable,
    /// In which row.
    pub key: RowKey,
    /// In which column.
    pub column: String,
    /// What the column says.
    pub stored: i64,
    /// How many rows there are.
    pub actual: i64,
}

/// What came of going through some rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifiedBatch {
    /// How many rows there were.
    pub rows: u64,
    /// The key of the last.
    pub last_key: RowKey,
    /// What differs in them.
    pub mismatches: Vec<Mismatch>,
}

type Row = (String, String, i64, i64);

impl Counters<'_> {
    /// Compares up to `limit` rows behind `after` with what they count, in one statement and so at one moment. Nothing where
    /// there are no more.
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
        let Some(last) = rows.last().map(|(key, ..)| key.clone()) else { return Ok(None) };
        let differs = |(.., stored, actual): &Row| stored != actual;
        let lines = u64::try_from(rows.len()).unwrap_or(u64::MAX);
        let mismatches = rows
            .into_iter()
            .filter(differs)
            .map(|(key, column, stored, actual)| Mismatch { table, key, column, stored, actual });
        Ok(Some(VerifiedBatch {
            rows: lines / table.columns(),
            last_key: last,
            mismatches: mismatches.collect(),
        }))
    }

    /// Sets all numbers of the row to what is counted. Run it in a transaction of its own: it locks the row, so that nothing
    /// changes between counting and writing.
    pub async fn repair(&mut self, mismatch: &Mismatch) -> Result<()> {
        let (lock, repair) = match mismatch.table {
            CounterTable::Posts => (LOCK_POST, &[REPAIR_POST][..]),
            CounterTable::Users => (LOCK_USER, &[REPAIR_USER][..]),
            CounterTable::Notifications => (LOCK_INBOX, &REPAIR_NOTIFICATION[..]),
        };
        // Not in one statement: the others see what was committed while the first waited.
        for statement in [&[lock], repair].concat() {
            diesel::sql_query(statement).bind::<Text, _>(&mismatch.key).execute(self.conn).await?;
        }
        Ok(())
    }
}
