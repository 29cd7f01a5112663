//! The numbers that are kept beside rows: on posts, and on users.
//!
//! They change in the transaction that changes the rows. Here they are counted anew, to prove it, or to mend what
//! something else than this crate has done.

mod notifications;
mod posts;
mod users;

use diesel::sql_types::Text;
use diesel_async::RunQueryDsl;

use self::notifications::{CountNotifications, LOCK_INBOX, MEND_NOTIFICATION};
use self::posts::{CountPosts, LOCK_POST, MEND_POST};
use self::users::{CountUsers, LOCK_USER, MEND_USER};
use crate::{Connection, Result};

/// Numbers beside rows, as seen through one connection.
pub struct Counters<'c> {
    pub(crate) conn: &'c mut Connection,
}

/// A table whose rows carry numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Counted {
    /// Posts: hearts, reactions, shares, comments.
    Posts,
    /// Users: followers, following, posts, public posts.
    Users,
    /// Notifications of lists: entries and people, and that acts have caused them.
    Notifications,
}

impl Counted {
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
pub struct Difference {
    /// Where it is kept.
    pub table: Counted,
    /// In which row.
    pub key: RowKey,
    /// In which column.
    pub column: String,
    /// What the column says.
    pub kept: i64,
    /// How many rows there are.
    pub counted: i64,
}

/// What came of going through some rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// How many rows there were.
    pub rows: u64,
    /// The key of the last.
    pub last: RowKey,
    /// What differs in them.
    pub differences: Vec<Difference>,
}

type Row = (String, String, i64, i64);

impl Counters<'_> {
    /// Compares up to `most` rows behind `after` with what they count, in one statement and so at one moment. Nothing where
    /// there are no more.
    pub async fn verify(
        &mut self,
        table: Counted,
        after: Option<RowKey>,
        most: i64,
    ) -> Result<Option<Step>> {
        let rows: Vec<Row> = match table {
            Counted::Posts => CountPosts { after, most }.load(self.conn).await?,
            Counted::Users => CountUsers { after, most }.load(self.conn).await?,
            Counted::Notifications => CountNotifications { after, most }.load(self.conn).await?,
        };
        let Some(last) = rows.last().map(|(key, ..)| key.clone()) else { return Ok(None) };
        let differs = |(.., kept, counted): &Row| kept != counted;
        let lines = u64::try_from(rows.len()).unwrap_or(u64::MAX);
        let differences = rows
            .into_iter()
            .filter(differs)
            .map(|(key, column, kept, counted)| Difference { table, key, column, kept, counted });
        Ok(Some(Step { rows: lines / table.columns(), last, differences: differences.collect() }))
    }

    /// Sets all numbers of the row to what is counted. Run it in a transaction of its own: it locks the row, so that nothing
    /// changes between counting and writing.
    pub async fn mend(&mut self, difference: &Difference) -> Result<()> {
        let (lock, mend) = match difference.table {
            Counted::Posts => (LOCK_POST, &[MEND_POST][..]),
            Counted::Users => (LOCK_USER, &[MEND_USER][..]),
            Counted::Notifications => (LOCK_INBOX, &MEND_NOTIFICATION[..]),
        };
        // Not in one statement: the others see what was committed while the first waited.
        for statement in [&[lock], mend].concat() {
            diesel::sql_query(statement)
                .bind::<Text, _>(&difference.key)
                .execute(self.conn)
                .await?;
        }
        Ok(())
    }
}
