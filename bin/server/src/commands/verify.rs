//! `grateful verify`: compares cached counts with their rows, and notifications with acts.

use std::collections::HashMap;
use std::fmt;
use std::time::{Duration, Instant};

use anyhow::bail;
use grateful_application::verify::{Progress, Repair, verify as recount};
use grateful_domain::notification::Cause;
use grateful_storage::{ActTable, CounterTable, DatabaseConfig, Mismatch};

use super::{Apps, open_migrated};
use crate::config::Settings;
use crate::file_store::FileStore;

/// A statement covers a thousand rows, and each row may have a million related rows.
const STATEMENT_TIMEOUT: Duration = Duration::from_mins(10);

pub(super) async fn verify(settings: Settings, repair: bool) -> anyhow::Result<()> {
    let postgres = open_migrated(&settings).await?;
    let files = FileStore::open(&settings)?;
    let report = verify_database(&settings, postgres.config.clone(), files, repair).await?;
    postgres.close()?;

    println!("{report}");
    match (report.mismatches, repair) {
        (0, _) => Ok(()),
        (_, true) => {
            println!("all mismatches repaired");
            Ok(())
        }
        (_, false) => {
            bail!("found mismatches (grateful verify --repair repairs them)")
        }
    }
}

/// Verifies a migrated database, and prints each mismatch.
pub(super) async fn verify_database(
    settings: &Settings,
    database: DatabaseConfig,
    files: FileStore,
    repair: bool,
) -> anyhow::Result<Report> {
    let thresholds = database.thresholds.with_slow(STATEMENT_TIMEOUT);
    let database = database.with_statement_timeout(STATEMENT_TIMEOUT).with_thresholds(thresholds);
    let app = Apps::with_files(settings, database, files).jobs;
    let repair = if repair { Repair::Yes } else { Repair::No };
    let mut report = Report::default();
    let mismatches = recount(&app, repair, |progress| report.record(progress)).await?;
    report.mismatches = mismatches;
    Ok(report)
}

/// Prints mismatches, counts the verified rows and logs these counts periodically.
#[derive(Default)]
pub(super) struct Report {
    pub(super) mismatches: u64,
    users: u64,
    posts: u64,
    notifications: u64,
    inboxes: u64,
    /// The verified rows of each table of acts.
    acts: HashMap<ActTable, u64>,
    last_logged: Option<Instant>,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} users, {} posts, {} notifications, {} inboxes and {} acts verified: {} mismatches",
            self.users,
            self.posts,
            self.notifications,
            self.inboxes,
            self.acts(),
            self.mismatches
        )
    }
}

impl Report {
    const LOG_INTERVAL: Duration = Duration::from_secs(2);

    fn record(&mut self, progress: Progress) {
        match progress {
            Progress::Mismatch(mismatch) => print_mismatch(&mismatch),
            Progress::MissingNotification(cause) => print_missing(cause),
            Progress::Verified { table, rows } => {
                match table {
                    CounterTable::Users => self.users = rows,
                    CounterTable::Posts => self.posts = rows,
                    CounterTable::Notifications => self.notifications = rows,
                    CounterTable::Inboxes => self.inboxes = rows,
                }
                self.log();
            }
            Progress::VerifiedActs { table, rows } => {
                self.acts.insert(table, rows);
                self.log();
            }
        }
    }

    fn acts(&self) -> u64 {
        self.acts.values().sum()
    }

    fn log(&mut self) {
        if self.last_logged.is_none_or(|logged| Self::LOG_INTERVAL <= logged.elapsed()) {
            tracing::info!(
                users = self.users,
                posts = self.posts,
                notifications = self.notifications,
                inboxes = self.inboxes,
                acts = self.acts(),
                "Verifying"
            );
            self.last_logged = Some(Instant::now());
        }
    }
}

fn print_missing(cause: Cause) {
    let table = ActTable::of(cause.act).code();
    let Cause { recipient, actor, act } = cause;
    let act = act.dedup_key();
    println!("{table}: {act} by user {actor} has no notification for user {recipient}");
}

fn print_mismatch(mismatch: &Mismatch) {
    let table = match mismatch.table {
        CounterTable::Users => "users",
        CounterTable::Posts => "posts",
        CounterTable::Notifications => "notifications",
        CounterTable::Inboxes => "inboxes",
    };
    let Mismatch { key, column, stored, actual, .. } = mismatch;
    println!("{table} {key}: {column} is {stored}, expected {actual}");
}
