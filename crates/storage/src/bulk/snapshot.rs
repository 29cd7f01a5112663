//! A copy of the whole database as it is at one moment.

use futures_util::{Stream, StreamExt as _, TryStreamExt as _};
use grateful_domain::{ImageUrl, ProfilePhoto};
use tokio_postgres::Client;
use tokio_postgres::types::ToSql;

use super::catalog::{COPY_SETTINGS, SequenceState, TableColumns, list_tables, quote};
use super::open_client;
use crate::connection::{FIND_MIGRATIONS_TABLE, of_this_crate};
use crate::{Result, StorageError};

/// A read-only transaction on its own connection that sees the database as it was at one moment. Writes of other sessions
/// go on and are not visible in it.
///
/// It reads the schema from PostgreSQL's catalog, so it also works on a database with pending migrations, and on a replica.
pub struct DatabaseSnapshot {
    client: Client,
    tables: Vec<TableColumns>,
}

/// An uploaded file that a row names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FileReference {
    /// The image of a post.
    Image(ImageUrl),
    /// The photo of a user.
    Photo(ProfilePhoto),
}

impl DatabaseSnapshot {
    /// Connects to the database at `url` and takes the snapshot. Waits for migrations in progress, for at most 30 seconds.
    ///
    /// # Errors
    /// The database cannot be reached, or is being migrated.
    pub async fn open(url: &str) -> Result<Self> {
        let client = open_client(url).await?;
        let begin = format!("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; {COPY_SETTINGS}");
        client.batch_execute(&begin).await.map_err(StorageError::from_driver)?;
        let tables = list_tables(&client).await?;
        if !tables.is_empty() {
            let names: Vec<String> = tables.iter().map(|table| quote(&table.name)).collect();
            // Keeps a migration from changing a table until it is copied.
            let lock = format!("LOCK TABLE {} IN ACCESS SHARE MODE", names.join(", "));
            client.batch_execute(&lock).await.map_err(StorageError::from_driver)?;
        }
        Ok(Self { client, tables })
    }

    /// The tables, referenced ones before those that refer to them.
    pub fn tables(&self) -> &[TableColumns] {
        &self.tables
    }

    /// The versions of the applied migrations, oldest first. Empty if the database was never migrated.
    pub async fn migrations(&self) -> Result<Vec<String>> {
        let row = self.client.query_opt(FIND_MIGRATIONS_TABLE, &[]).await;
        let Some(row) = row.map_err(StorageError::from_driver)? else { return Ok(Vec::new()) };
        let table = row.get::<_, String>(0);
        let versions = format!("SELECT version::text FROM {table} ORDER BY version");
        let rows = self.client.query(&versions, &[]).await.map_err(StorageError::from_driver)?;
        of_this_crate(&table, rows.iter().map(|row| row.get(0)).collect())
    }

    /// The state of each sequence that has returned a value. It may be later than the snapshot, never earlier: sequences do
    /// not belong to transactions.
    pub async fn sequences(&self) -> Result<Vec<SequenceState>> {
        let sequences = "SELECT sequencename::text, last_value FROM pg_sequences
                         WHERE schemaname = current_schema() AND last_value IS NOT NULL
                         ORDER BY sequencename";
        let rows = self.client.query(sequences, &[]).await.map_err(StorageError::from_driver)?;
        let state =
            |row: &tokio_postgres::Row| SequenceState { name: row.get(0), last_value: row.get(1) };
        Ok(rows.iter().map(state).collect())
    }

    /// The size of the database in bytes, with its indexes.
    pub async fn size(&self) -> Result<u64> {
        let size = "SELECT pg_database_size(current_database())";
        let row = self.client.query_one(size, &[]).await.map_err(StorageError::from_driver)?;
        Ok(u64::try_from(row.get::<_, i64>(0)).unwrap_or(0))
    }

    /// Streams the rows of a table in PostgreSQL's text format for COPY: one line a row. The chunks may end inside a row.
    pub async fn copy(
        &self,
        table: &TableColumns,
    ) -> Result<impl Stream<Item = Result<impl AsRef<[u8]> + use<>>> + use<>> {
        let statement = format!("COPY {} TO STDOUT", table.copy_target());
        let rows = self.client.copy_out(&statement).await.map_err(StorageError::from_driver)?;
        Ok(rows.map_err(StorageError::from_driver))
    }

    /// Streams the files that rows name. A file that several rows name is repeated.
    ///
    /// # Errors
    /// The database has no tables yet, which is a `Query` error.
    pub async fn files(&self) -> Result<impl Stream<Item = Result<FileReference>> + use<>> {
        let files = "
            SELECT image_url::text, NULL::text FROM posts WHERE image_url IS NOT NULL
            UNION ALL
            SELECT NULL, profile_photo_filename::text FROM users WHERE profile_photo_filename IS NOT NULL";
        let no_values: [&(dyn ToSql + Sync); 0] = [];
        let rows = self.client.query_raw(files, no_values).await;
        let rows = rows.map_err(StorageError::from_driver)?;
        Ok(rows.filter_map(async |row| match row {
            Ok(row) => file_reference(row.get(0), row.get(1)).map(Ok),
            Err(error) => Some(Err(StorageError::from_driver(error))),
        }))
    }
}

fn file_reference(image: Option<String>, photo: Option<String>) -> Option<FileReference> {
    let image = image.map(|url| FileReference::Image(ImageUrl::from_stored(url)));
    image.or_else(|| photo.map(|name| FileReference::Photo(ProfilePhoto::from_stored(name))))
}
