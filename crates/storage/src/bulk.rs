//! Bulk loading with COPY, in one transaction, and copies of the whole database. For seeding and moving data, not for
//! serving requests.

mod catalog;
mod copy_rows;
mod foreign_keys;
mod restore;
mod snapshot;

use std::pin::pin;
use std::time::Duration;

use grateful_domain::notification::{Inbox, SuppressedNotification};
use grateful_domain::{Comment, Follow, Post, Share, UserId};
use tokio_postgres::Client;
use tokio_postgres::binary_copy::BinaryCopyInWriter;

pub use self::catalog::{SequenceState, TableColumns};
pub use self::copy_rows::BulkUser;
use self::copy_rows::{CopyRow, InboxRow, QuotaRow, ShareRecipient};
use self::foreign_keys::ForeignKeyChecks;
pub use self::restore::{DatabaseRestore, TableCopy};
pub use self::snapshot::{DatabaseSnapshot, FileReference};
use crate::connection::{CONNECT_TIMEOUT, Connector};
use crate::repositories::{NewHeart, NewReaction};
use crate::rows::NotificationRow;
use crate::{Result, StorageError};

/// A transaction on its own connection that loads whole tables. Its rows become visible with [`BulkLoad::commit`]. Dropping
/// it rolls everything back.
///
/// Rows are written as given: the caller must compute their counters and follow the rules of the domain. The constraints of
/// the database apply as always. Rows may refer only to rows that the same load has loaded before.
pub struct BulkLoad {
    client: Client,
    foreign_keys: ForeignKeyChecks,
    loaded: Vec<&'static str>,
}

/// The number of rows per COPY. PostgreSQL checks foreign keys at the end of each, and keeps the pending checks in memory.
const ROWS_PER_COPY: usize = 50_000;

/// How long PostgreSQL may take for one statement. The longest checks the foreign keys of all rows.
const ANSWER_LIMIT: Duration = Duration::from_hours(1);

async fn connect(url: &str) -> Result<Client> {
    Ok(Connector::alone(url, CONNECT_TIMEOUT, Some(ANSWER_LIMIT)).open().await?.client)
}

impl BulkLoad {
    /// Connects to the migrated database at `url`, and begins the transaction.
    ///
    /// # Errors
    /// The database cannot be reached.
    pub async fn begin(url: &str) -> Result<Self> {
        let client = connect(url).await?;
        client
            .batch_execute(
                "BEGIN ISOLATION LEVEL READ COMMITTED; SET LOCAL statement_timeout = 0; SET LOCAL idle_in_transaction_session_timeout = 0",
            )
            .await.map_err(StorageError::from_driver)?;
        let foreign_keys = ForeignKeyChecks::choose(&client).await?;
        Ok(Self { client, foreign_keys, loaded: Vec::new() })
    }

    /// Finds a user with one of these usernames, case-insensitive, among the rows that this transaction can see.
    pub async fn find_taken_username(&self, usernames: &[String]) -> Result<Option<String>> {
        let taken = "SELECT username FROM users
                     WHERE lower(username) = ANY (SELECT lower(name) FROM unnest($1::text[]) AS name) LIMIT 1";
        let row =
            self.client.query_opt(taken, &[&usernames]).await.map_err(StorageError::from_driver)?;
        Ok(row.map(|row| row.get(0)))
    }

    /// Reserves ids for new users, in ascending order. No one else gets them, even if the transaction is rolled back.
    pub async fn reserve_user_ids(&self, count: usize) -> Result<Vec<UserId>> {
        let next = "SELECT nextval(pg_get_serial_sequence('users', 'id')) FROM generate_series(1, $1::bigint)";
        let count = i64::try_from(count).map_err(|error| StorageError::Query(error.into()))?;
        let rows = self.client.query(next, &[&count]).await.map_err(StorageError::from_driver)?;
        Ok(rows.iter().map(|row| UserId::from(row.get::<_, i64>(0))).collect())
    }

    /// Loads users with reserved ids.
    ///
    /// # Errors
    /// `UniqueViolation` if a username or an email address is in use.
    pub async fn users(&mut self, rows: impl Iterator<Item = BulkUser>) -> Result<()> {
        self.load(rows).await
    }

    /// Loads posts with their counters.
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

    /// Loads shares, and then their recipients.
    pub async fn shares(&mut self, rows: impl Iterator<Item = Share>) -> Result<()> {
        let mut sent = Vec::new();
        let remember = |share: &Share| sent.extend(ShareRecipient::of(share));
        self.load(rows.inspect(remember)).await?;
        self.load(sent.into_iter()).await
    }

    /// Loads comments. A parent must come before its replies.
    pub async fn comments(&mut self, rows: impl Iterator<Item = Comment>) -> Result<()> {
        self.load(rows).await
    }

    /// Loads inboxes, one after another, so that the notifications of at most one are in memory.
    pub async fn inboxes(&mut self, inboxes: impl Iterator<Item = Inbox>) -> Result<()> {
        let (mut rows, mut quotas, mut suppressed) = (vec![], vec![], vec![]);
        let notifications = inboxes.flat_map(|inbox| {
            let user = inbox.owner();
            rows.push(InboxRow { user, last_seq: inbox.last_seq(), counts: inbox.counts() });
            quotas.extend(inbox.quotas().map(|(kind, quota, held_back)| QuotaRow {
                user,
                kind,
                quota: quota.clone(),
                held_back,
            }));
            suppressed.extend(inbox.suppressed().cloned());
            inbox.into_notifications()
        });
        self.load(notifications.map(|(saved, seq)| NotificationRow::new(&saved, seq))).await?;
        self.load(rows.into_iter()).await?;
        self.load(quotas.into_iter()).await?;
        self.suppressed_notifications(suppressed.into_iter()).await
    }

    /// Loads acts without a notification, with their reasons.
    pub async fn suppressed_notifications(
        &mut self,
        rows: impl Iterator<Item = SuppressedNotification>,
    ) -> Result<()> {
        self.load(rows).await
    }

    /// Commits the transaction, after checking foreign keys.
    ///
    /// # Errors
    /// `ForeignKeyViolation` if a row refers to a row that was not loaded.
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
        let columns = R::COLUMNS.join(", ");
        let statement = format!("COPY {} ({columns}) FROM STDIN (FORMAT binary)", R::TABLE);
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

    /// Updates the planner statistics of the table. They serve not only queries after the commit: foreign keys to this table
    /// are checked with plans that depend on them. If autovacuum analyzed the table before the commit, it would not see the
    /// uncommitted rows and would take the table for empty, which turns a minute of checks into hours. Analyzing here keeps
    /// autovacuum away until the commit.
    async fn analyze<R: CopyRow>(&self) -> Result<()> {
        self.client
            .batch_execute(&format!("ANALYZE {}", R::TABLE))
            .await
            .map_err(StorageError::from_driver)
    }
}
