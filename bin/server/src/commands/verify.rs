//! `grateful verify`: whether the numbers that are kept beside rows equal the rows.

use std::time::{Duration, Instant};

use anyhow::bail;
use grateful_application::verify::{Counted, Difference, Mend, Progress, verify as recount};

use super::{JOBS, Shared, bring_up_to_date};
use crate::config::Settings;
use crate::database::Postgres;

/// A step goes through a thousand rows, of which one may have a million beside it.
const PATIENCE: Duration = Duration::from_mins(10);

pub(super) async fn verify(settings: Settings, repair: bool) -> anyhow::Result<()> {
    let postgres = Postgres::open(&settings)?;
    if settings.migrate {
        bring_up_to_date(&postgres.config).await?;
    }
    let config = postgres
        .config
        .clone()
        .with_statement_timeout(PATIENCE)
        .with_thresholds(postgres.config.thresholds.with_slow(PATIENCE));
    let app = Shared::new(&settings, config)?.app(JOBS);
    let mend = if repair { Mend::Yes } else { Mend::No };
    let mut report = Report::default();
    let differences = recount(&app, mend, |progress| report.take(progress)).await?;
    postgres.close()?;

    println!(
        "{} users, {} posts and {} notifications verified: {differences} differences",
        report.users, report.posts, report.notifications
    );
    match (differences, mend) {
        (0, _) => Ok(()),
        (_, Mend::Yes) => {
            println!("all of them repaired");
            Ok(())
        }
        (_, Mend::No) => {
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
            Progress::Differs(difference) => print(&difference),
            Progress::Verified { table, rows } => {
                match table {
                    Counted::Users => self.users = rows,
                    Counted::Posts => self.posts = rows,
                    Counted::Notifications => self.notifications = rows,
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

fn print(difference: &Difference) {
    let table = match difference.table {
        Counted::Users => "users",
        Counted::Posts => "posts",
        Counted::Notifications => "notifications",
    };
    let Difference { key, column, kept, counted, .. } = difference;
    println!("{table} {key}: {column} is {kept}, but there are {counted}");
}
