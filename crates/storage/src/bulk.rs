//! Many rows at once, by COPY, in one transaction: for making and moving worlds, not for serving requests.

mod copy_rows;
mod foreign_keys;

use std::pin::pin;

use grateful_domain::{Comment, Follow, Post, Share, UserId};
use tokio_postgres::binary_copy::BinaryCopyInWriter;
use tokio_postgres::{Client, NoTls};

pub use self::copy_rows::{BulkInbox, BulkNotification, BulkNotificationQuota, BulkUser};
use self::copy_rows::{CopyRow, ShareRecipient};
use self::foreign_keys::ForeignKeyChecks;
use crate::{NewHeart, NewReaction, Result, StorageError};

/// A transaction of its own connection that loads whole tables. Nobody sees a row of it before [`BulkLoad::commit`], and
/// dropping it leaves nothing behind.
///
/// Rows are written as they are given: numbers beside rows are the caller's to count, and rules of the domain the caller's to
/// keep. What the constraints promise holds as always. What rows refer to must have been loaded before them, by the same load.
pub struct BulkLoad {
    client: Client,
    foreign_keys: ForeignKeyChecks,
    loaded: Vec<&'static str>,
}

/// How many rows one COPY takes. PostgreSQL checks foreign keys at the end of each, and remembers until then what to check.
const ROWS_PER_COPY: usize = 50_000;

impl BulkLoad {
    /// Connects to the database at `url`, which is migrated, and begins.
    ///
    /// # Errors
    /// The database cannot be reached.
    pub async fn begin(url: &str) -> Result<Self> {
        let connected = tokio_postgres::connect(url, NoTls).await;
        let (client, connection) =
            connected.map_err(|error| StorageError::Unavailable(error.into()))?;
        // It ends with the client, and what it has to say is said to the client's statements.
        tokio::spawn(connection);
        client
            .batch_execute(
                "BEGIN; SET LOCAL statement_timeout = 0; SET LOCAL idle_in_transaction_session_timeout = 0",
            )
            .await.map_err(StorageError::from_driver)?;
        let foreign_keys = ForeignKeyChecks::choose(&client).await?;
        Ok(Self { client, foreign_keys, loaded: Vec::new() })
    }

    /// Somebody whom this transaction can see and who has one of these usernames, whatever its case.
    pub async fn find_taken_username(&self, usernames: &[String]) -> Result<Option<String>> {
        let taken = "SELECT username FROM users
                     WHERE lower(username) = ANY (SELECT lower(name) FROM unnest($1::text[]) AS name) LIMIT 1";
        let row =
            self.client.query_opt(taken, &[&usernames]).await.map_err(StorageError::from_driver)?;
        Ok(row.map(|row| row.get(0)))
    }

    /// So many ids for new people, the lowest first, that nobody else will get, whatever becomes of this transaction.
    pub async fn reserve_user_ids(&self, many: usize) -> Result<Vec<UserId>> {
        let next = "SELECT nextval(pg_get_serial_sequence('users', 'id')) FROM generate_series(1, $1::bigint)";
        let many = i64::try_from(many).map_err(|error| StorageError::Query(error.into()))?;
        let rows = self.client.query(next, &[&many]).await.map_err(StorageError::from_driver)?;
        Ok(rows.iter().map(|row| UserId::from(row.get::<_, i64>(0))).collect())
    }

    /// Loads people under ids that were reserved.
    ///
    /// # Errors
    /// `Taken`, if a username or an email address is.
    pub async fn users(&mut self, rows: impl Iterator<Item = BulkUser>) -> Result<()> {
        self.load(rows).await
    }

    /// Loads posts with the numbers beside them.
    pub async fn posts(&mut self, rows: impl Iterator<Item = Post>) -> Result<()> {
        self.load(rows).await
    }

    /// Loads follows, requests and blocks.
    pub async fn follows(&mut self, rows: impl Iterator<Item = Follow>) -> Result<()> {
        self.load(rows).await
    }

    /// Loads hearts.
    pub async fn hearts(&mut self, rows: impl Iterator<Item = NewHeart>) -> Result<()> {
        self.load(rows).await
    }

    /// Loads emoji reactions.
    pub async fn emoji_reactions(&mut self, rows: impl Iterator<Item = NewReaction>) -> Result<()> {
        self.load(rows).await
    }

    /// Loads shares, then whom they were sent to.
    pub async fn shares(&mut self, rows: impl Iterator<Item = Share>) -> Result<()> {
        let mut sent = Vec::new();
        let remember = |share: &Share| sent.extend(ShareRecipient::of(share));
        self.load(rows.inspect(remember)).await?;
        self.load(sent.into_iter()).await
    }

    /// Loads comments, each behind the one that it answers.
    pub async fn comments(&mut self, rows: impl Iterator<Item = Comment>) -> Result<()> {
        self.load(rows).await
    }

    /// Loads notifications, in any order.
    pub async fn notifications(
        &mut self,
        rows: impl Iterator<Item = BulkNotification>,
    ) -> Result<()> {
        self.load(rows).await
    }

    /// Loads the places of inboxes, one for each person who was told of anything.
    pub async fn inboxes(&mut self, rows: impl Iterator<Item = BulkInbox>) -> Result<()> {
        self.load(rows).await
    }

    /// Loads what the hourly limit counts.
    pub async fn notification_quotas(
        &mut self,
        rows: impl Iterator<Item = BulkNotificationQuota>,
    ) -> Result<()> {
        self.load(rows).await
    }

    /// Makes all of it there, at once.
    ///
    /// # Errors
    /// `Missing`, if something that a row refers to was not loaded.
    pub async fn commit(self) -> Result<()> {
        self.foreign_keys.check(&self.client, &self.loaded).await?;
        self.client.batch_execute("COMMIT").await.map_err(StorageError::from_driver)
    }

    async fn load<R: CopyRow>(&mut self, rows: impl Iterator<Item = R>) -> Result<()> {
        self.copy(rows).await?;
        self.loaded.push(R::TABLE);
        self.analyze::<R>().await
    }

    async fn copy<R: CopyRow>(&self, rows: impl Iterator<Item = R>) -> Result<()> {
        let statement = format!("COPY {} ({}) FROM STDIN (FORMAT binary)", R::TABLE, R::COLUMNS);
        let mut rows = rows.peekable();
        while rows.peek().is_some() {
            let sink = self.client.copy_in(&statement).await.map_err(StorageError::from_driver)?;
            let mut writer = pin!(BinaryCopyInWriter::new(sink, R::TYPES));
            for row in rows.by_ref().take(ROWS_PER_COPY) {
                row.write(writer.as_mut()).await.map_err(StorageError::from_driver)?;
            }
            writer.finish().await.map_err(StorageError::from_driver)?;
        }
        Ok(())
    }

    /// Counts what is in the table now. Not only for those who come after the commit: foreign keys to this table are
    /// checked by plans that rest on these numbers, and should PostgreSQL's own maintenance count meanwhile, it would not see
    /// rows that are not committed, take the table for empty, and a minute of checks for hours. Having counted ourselves
    /// keeps it away until the commit.
    async fn analyze<R: CopyRow>(&self) -> Result<()> {
        self.client
            .batch_execute(&format!("ANALYZE {}", R::TABLE))
            .await
            .map_err(StorageError::from_driver)
    }
}
