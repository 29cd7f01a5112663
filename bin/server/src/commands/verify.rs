//! `grateful verify`: whether the numbers that are kept beside rows equal the rows.

use std::time::{Duration, Instant};

use anyhow::bail;
use grateful_application::verify::{CounterTable, Mismatch, Progress, Repair, verify as recount};

use super::{AppFactory, JOB_POOL, migrate_database};
use crate::config::Settings;
use crate::database::Postgres;

/// A step goes through a thousand rows, of which one may have a million beside it.
const PATIENCE: Duration = Duration::from_mins(10);

pub(super) async fn verify(settings: Settings, repair: bool) -> anyhow::Result<()> {
    let postgres = Postgres::open(&settings)?;
    if settings.migrate {
        migrate_database(&postgres.config).await?;
    }
    let config = postgres
        .config
        .clone()
        .with_statement_timeout(PATIENCE)
        .with_thresholds(postgres.config.thresholds.with_slow(PATIENCE));
    let app = AppFactory::new(&settings, config)?.app(JOB_POOL);
    let mend = if repair { Repair::Yes } else { Repair::No };
    let mut report = Report::default();
    let mismatches = recount(&app, mend, |progress| report.take(progress)).await?;
    postgres.close()?;

    println!(
        "{} users, {} posts and {} notifications verified: {differences} differences",
        report.users, report.posts, report.notifications
    );
    match (mismatches, mend) {
        (0, _) => Ok(()),
        (_, Repair::Yes) => {
            println!("all of them repaired");
            Ok(())
        }
        (_, Repair::No) => {
            bail!("some numbers do not equal their rows (grateful verify --repair mends them)")
        }
    }
}

/// What has been gone through, said now and then.
#[derive(Default)]
struct Report {
    users: u64,
    posts: u64,
    notifications: u64,
    said: Option<Instant>,
}

impl Report {
    /// So often that nobody thinks it stands still.
    const EVERY: Duration = Duration::from_secs(2);

    fn take(&mut self, progress: Progress) {
        match progress {
            Progress::Mismatch(mismatch) => print(&mismatch),
            Progress::Verified { table, rows } => {
                match table {
                    CounterTable::Users => self.users = rows,
                    CounterTable::Posts => self.posts = rows,
                    CounterTable::Notifications => self.notifications = rows,
                }
                if self.said.is_none_or(|said| Self::EVERY <= said.elapsed()) {
                    tracing::info!(
                        users = self.users,
                        posts = self.posts,
                        notifications = self.notifications,
                        "Verifying"
                    );
                    self.said = Some(Instant::now());
                }
            }
        }
    }
}

fn print(mismatch: &Mismatch) {
    let table = match mismatch.table {
        CounterTable::Users => "users",
        CounterTable::Posts => "posts",
        CounterTable::Notifications => "notifications",
    };
    let Mismatch { key, column, stored, actual, .. } = mismatch;
    println!("{table} {key}: {column} is {stored}, but there are {actual}");
}
