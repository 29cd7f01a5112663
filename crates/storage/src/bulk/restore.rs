//! Filling an empty database with the rows of a snapshot.

use std::collections::HashSet;
use std::io::Cursor;
use std::pin::Pin;

use futures_util::SinkExt as _;
use tokio_postgres::{Client, CopyInSink};

use super::catalog::{COPY_SETTINGS, SequenceState, TableColumns, list_tables, quote};
use super::foreign_keys::ForeignKeyChecks;
use super::open_client;
use crate::{Result, StorageError};

/// A transaction on its own connection that fills the tables of an empty database with the rows of a
/// [`DatabaseSnapshot`](crate::DatabaseSnapshot). Dropping it rolls everything back.
///
/// All tables are locked until its end: other sessions can read them, and wait before they write.
pub struct DatabaseRestore {
    client: Client,
    foreign_keys: ForeignKeyChecks,
    tables: Vec<TableColumns>,
    loaded: Vec<String>,
}

/// The rows of one table, on their way into the database.
pub struct TableCopy {
    table: String,
    sink: Pin<Box<CopyInSink<Cursor<Vec<u8>>>>>,
}

impl TableCopy {
    /// Sends rows in PostgreSQL's text format for COPY. They may end inside a row.
    ///
    /// # Errors
    /// The database rejected earlier rows.
    pub async fn send(&mut self, rows: Vec<u8>) -> Result<()> {
        self.sink.send(Cursor::new(rows)).await.map_err(StorageError::from_driver)
    }
}

impl DatabaseRestore {
    /// Connects to the database at `url`, which has the schema of the snapshot, begins the transaction and locks the tables.
    ///
    /// # Errors
    /// The database cannot be reached, or another session has used a table for 30 seconds.
    pub async fn begin(url: &str) -> Result<Self> {
        let client = open_client(url).await?;
        let begin = format!("BEGIN ISOLATION LEVEL READ COMMITTED; {COPY_SETTINGS}");
        client.batch_execute(&begin).await.map_err(StorageError::from_driver)?;
        let tables = list_tables(&client).await?;
        if !tables.is_empty() {
            let names: Vec<String> = tables.iter().map(|table| quote(&table.name)).collect();
            let lock = format!("LOCK TABLE {} IN EXCLUSIVE MODE", names.join(", "));
            client.batch_execute(&lock).await.map_err(StorageError::from_driver)?;
        }
        let foreign_keys = ForeignKeyChecks::choose(&client).await?;
        Ok(Self { client, foreign_keys, tables, loaded: Vec::new() })
    }

    /// Finds a table that has rows.
    pub async fn find_filled_table(&self) -> Result<Option<String>> {
        for TableColumns { name, .. } in &self.tables {
            let has_rows = format!("SELECT EXISTS (SELECT FROM {})", quote(name));
            let row = self.client.query_one(&has_rows, &[]).await;
            if row.map_err(StorageError::from_driver)?.get(0) {
                return Ok(Some(name.clone()));
            }
        }
        Ok(None)
    }

    /// Whether the database has this table with all of these columns.
    pub fn has_table(&self, table: &TableColumns) -> bool {
        self.tables.iter().any(|existing| {
            let columns: HashSet<&String> = existing.columns.iter().collect();
            existing.name == table.name && table.columns.iter().all(|name| columns.contains(name))
        })
    }

    /// Starts to fill a table. Tables must be filled in the order in which the snapshot lists them.
    pub async fn copy(&self, table: &TableColumns) -> Result<TableCopy> {
        let statement = format!("COPY {} FROM STDIN", table.copy_target());
        let sink = self.client.copy_in(&statement).await.map_err(StorageError::from_driver)?;
        Ok(TableCopy { table: table.name.clone(), sink: Box::pin(sink) })
    }

    /// Ends a table, and returns the number of its rows.
    ///
    /// # Errors
    /// The database rejected a row, or a row refers to a row that does not exist.
    pub async fn finish(&mut self, mut copy: TableCopy) -> Result<u64> {
        let rows = copy.sink.as_mut().finish().await.map_err(StorageError::from_driver)?;
        // Foreign keys to this table are checked with plans that depend on its statistics.
        let analyze = format!("ANALYZE {}", quote(&copy.table));
        self.client.batch_execute(&analyze).await.map_err(StorageError::from_driver)?;
        self.loaded.push(copy.table);
        Ok(rows)
    }

    /// Sets the sequences and commits the transaction, after checking foreign keys.
    ///
    /// # Errors
    /// `ForeignKeyViolation` if a row refers to a row that does not exist, `Query` if the database lacks a sequence.
    pub async fn commit(self, sequences: &[SequenceState]) -> Result<()> {
        let loaded: Vec<&str> = self.loaded.iter().map(String::as_str).collect();
        if !loaded.is_empty() {
            self.foreign_keys.check(&self.client, &loaded).await?;
        }
        for SequenceState { name, last_value } in sequences {
            let set = "SELECT setval($1::text::regclass, $2)";
            self.client
                .query_one(set, &[&quote(name), last_value])
                .await
                .map_err(StorageError::from_driver)?;
        }
        self.client.batch_execute("COMMIT").await.map_err(StorageError::from_driver)
    }
}
