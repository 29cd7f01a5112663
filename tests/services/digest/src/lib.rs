#![doc = include_str!("../README.md")]
#![expect(clippy::disallowed_methods, reason = "an example makes ids with the system clock")]

mod folder;
mod letters;

use chrono::NaiveDate;
use diesel_async::SimpleAsyncConnection;
use grateful_domain::{Limit, User, UserId};
use grateful_storage::{Database, Repositories, Result as StorageResult};

pub use crate::folder::Folder;
use crate::letters::{CREATE, Letter};

/// How many users a statement reads.
const USERS: i64 = 100;

/// The result of a run. Errors of the database and of the receiver.
pub type Result<T, E = Box<dyn std::error::Error + Send + Sync>> = std::result::Result<T, E>;

/// What a run did.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Report {
    /// The letters that were written.
    pub claimed: usize,
    /// The letters that were sent.
    pub sent: usize,
}

/// Creates the table of letters. In an application, this is a migration of its own.
///
/// # Errors
/// The database cannot be reached, or has no tables of Grateful.
pub async fn prepare(db: &Database) -> Result<()> {
    Ok(db.acquire().await?.batch_execute(CREATE).await?)
}

/// Sends each user one letter about their unread notifications of this night. Run it again after a failure.
///
/// # Errors
/// The database or the folder failed. What was sent is not sent again.
pub async fn run(db: &Database, night: NaiveDate, folder: &Folder) -> Result<Report> {
    let mut report = Report::default();
    let mut after = None;
    loop {
        let (users, letters) = write_letters(db, night, after).await?;
        report.claimed += letters::claim(db, &letters).await?;
        let Some(last) = users.last() else { break };
        after = Some(last.id);
    }
    for id in letters::unsent(db, night).await? {
        report.sent += usize::from(letters::send(db, id, folder).await?);
    }
    Ok(report)
}

/// Reads a page of users, in two statements, and writes their letters.
async fn write_letters(
    db: &Database,
    night: NaiveDate,
    after: Option<UserId>,
) -> StorageResult<(Vec<User>, Vec<Letter>)> {
    let mut conn = db.acquire().await?;
    let users = conn.users().list_accounts(after, USERS).await?;
    let ids: Vec<UserId> = users.iter().map(|user| user.id).collect();
    let unread = conn.notifications().unread_of(&ids, Limit::DEFAULT).await?;
    let letter = |user: &User| Some(Letter::new(user, night, unread.get(&user.id)?));
    let letters = users.iter().filter_map(letter).collect();
    Ok((users, letters))
}
