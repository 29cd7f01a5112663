//! Bulk loading with COPY, in one transaction, and copies of the whole database. For seeding and moving data, not for
//! serving requests.

mod acts;
mod catalog;
mod copy_rows;
mod foreign_keys;
mod restore;
mod snapshot;

use std::collections::HashMap;
use std::pin::pin;
use std::time::Duration;

use grateful_domain::notification::{Inbox, NotificationCounts, SuppressedNotification};
use grateful_domain::{Comment, Follow, Notification, Post, Share, UserId};
use tokio_postgres::Client;
use tokio_postgres::binary_copy::BinaryCopyInWriter;

pub use self::acts::LoadedAct;
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
    /// The rows that were loaded into each table.
    loaded: HashMap<&'static str, LoadedRows>,
}

/// How many rows of a table were loaded, and how many of them the statistics know.
#[derive(Debug, Clone, Copy, Default)]
struct LoadedRows {
    loaded: u64,
    analyzed: u64,
}

/// An inbox whose notifications were made elsewhere.
#[derive(Debug, Clone)]
pub struct BulkInbox {
    /// The recipient.
    pub owner: UserId,
    /// The notifications, batches before their children, with the numbers of their changes. Children have the number 0.
    pub notifications: Vec<(Notification, i64)>,
    /// The number of the last change.
    pub last_seq: i64,
    /// The counts of the list.
    pub counts: NotificationCounts,
}

impl BulkInbox {
    /// The inbox without what is stored beside it.
    fn of(inbox: Inbox) -> Self {
        Self {
            owner: *inbox.owner(),
            last_seq: inbox.last_seq(),
            counts: inbox.counts(),
            notifications: inbox.into_notifications().collect(),
        }
    }
}

/// The number of rows per COPY. PostgreSQL checks foreign keys at the end of each, and keeps the pending checks in memory.
const ROWS_PER_COPY: usize = 50_000;

/// How long PostgreSQL may take for one statement. The longest checks the foreign keys of all rows.
const ANSWER_LIMIT: Duration = Duration::from_hours(1);

/// Opens a connection that belongs to no pool, with the hosts and the TLS that the URL names.
///
/// # Errors
/// No host can be used.
pub async fn open_client(url: &str) -> Result<Client> {
    Ok(Connector::alone(url, CONNECT_TIMEOUT, Some(ANSWER_LIMIT)).open().await?.client)
}

impl BulkLoad {
    /// Connects to the migrated database at `url`, and begins the transaction.
    ///
    /// # Errors
    /// The database cannot be reached.
    pub async fn begin(url: &str) -> Result<Self> {
        let client = open_client(url).await?;
        client
            .batch_execute(
                "BEGIN ISOLATION LEVEL READ COMMITTED; SET LOCAL statement_timeout = 0; SET LOCAL idle_in_transaction_session_timeout = 0",
            )
            .await.map_err(StorageError::from_driver)?;
        let foreign_keys = ForeignKeyChecks::choose(&client).await?;
        Ok(Self { client, foreign_keys, loaded: HashMap::new() })
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

    /// Whether the database has no users. No other transaction can add one until this one ends.
    ///
    /// # Errors
    /// The database cannot be read, or another transaction keeps the table locked.
    pub async fn lock_empty(&self) -> Result<bool> {
        let lock = "SET LOCAL lock_timeout = '10s'; LOCK TABLE users IN SHARE ROW EXCLUSIVE MODE; SET LOCAL lock_timeout = 0";
        self.client.batch_execute(lock).await.map_err(StorageError::from_driver)?;
        let has_none = "SELECT NOT EXISTS (SELECT FROM users)";
        let row = self.client.query_one(has_none, &[]).await.map_err(StorageError::from_driver)?;
        Ok(row.get(0))
    }

    /// Lets the ids of new users begin after the largest that was loaded. Takes effect at once, so call it last.
    pub async fn continue_user_ids(&self) -> Result<()> {
        let next = "SELECT setval(pg_get_serial_sequence('users', 'id'), max(id)) FROM users HAVING 0 < max(id)";
        self.client.batch_execute(next).await.map_err(StorageError::from_driver)
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
        let (mut quotas, mut suppressed) = (vec![], vec![]);
        let rows = inboxes.map(|inbox| {
            let user = *inbox.owner();
            quotas.extend(inbox.quotas().map(|(kind, quota, held_back)| QuotaRow {
                user,
                kind,
                quota: quota.clone(),
                held_back,
            }));
            suppressed.extend(inbox.suppressed().cloned());
            BulkInbox::of(inbox)
        });
        self.made_inboxes(rows).await?;
        self.load(quotas.into_iter()).await?;
        self.suppressed_notifications(suppressed.into_iter()).await
    }

    /// Loads inboxes whose notifications were made elsewhere, one after another.
    pub async fn made_inboxes(&mut self, inboxes: impl Iterator<Item = BulkInbox>) -> Result<()> {
        let mut rows = vec![];
        let notifications = inboxes.flat_map(|inbox| {
            let BulkInbox { owner, last_seq, counts, notifications } = inbox;
            rows.push(InboxRow { user: owner, last_seq, counts });
            notifications
        });
        self.load(notifications.map(|(saved, seq)| NotificationRow::new(&saved, seq))).await?;
        self.load(rows.into_iter()).await
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
        let tables: Vec<&str> = self.loaded.keys().copied().collect();
        self.foreign_keys.check(&self.client, &tables).await?;
        self.client.batch_execute("COMMIT").await.map_err(StorageError::from_driver)
    }

    async fn load<R: CopyRow>(&mut self, rows: impl Iterator<Item = R>) -> Result<()> {
        let count = self.copy(rows).await?;
        let rows = self.loaded.entry(R::TABLE).or_default();
        rows.loaded += count;
        // A table that is loaded in parts is analyzed whenever it has doubled.
        if count != 0 && 2 * rows.analyzed <= rows.loaded {
            rows.analyzed = rows.loaded;
            self.analyze::<R>().await?;
        }
        Ok(())
    }

    async fn copy<R: CopyRow>(&self, rows: impl Iterator<Item = R>) -> Result<u64> {
        let columns = R::COLUMNS.join(", ");
        let statement = format!("COPY {} ({columns}) FROM STDIN (FORMAT binary)", R::TABLE);
        let mut rows = rows.peekable();
        let mut count = 0;
        while rows.peek().is_some() {
            let sink = self.client.copy_in(&statement).await.map_err(StorageError::from_driver)?;
            let mut writer = pin!(BinaryCopyInWriter::new(sink, R::TYPES));
            for row in rows.by_ref().take(ROWS_PER_COPY) {
                row.write(writer.as_mut()).await.map_err(StorageError::from_driver)?;
            }
            count += writer.finish().await.map_err(StorageError::from_driver)?;
        }
        Ok(count)
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
