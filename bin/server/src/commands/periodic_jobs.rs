//! What a server does now and then beside serving requests.

use std::time::Duration;

use grateful_application::housekeeping::{self, DailyJob};
use grateful_application::{App, QueryLog, background_jobs};
use tokio::time::{Instant, interval, interval_at};

use crate::file_store::FileStore;

/// Continues background jobs that a request left, or that an interruption cut short, here or on another node.
pub(super) async fn run_pending_jobs(app: App) {
    let mut interval = interval(Duration::from_secs(5));
    loop {
        interval.tick().await;
        match background_jobs::run_pending(&app).await {
            Ok(0) => (),
            Ok(jobs) => tracing::debug!(jobs, "Finished background jobs"),
            Err(error) => tracing::warn!(
                error = format!("{:#}", anyhow::Error::from(error)),
                "Background jobs could not be listed; retrying in 5 seconds"
            ),
        }
    }
}

/// Deletes expired rows hourly.
pub(super) async fn sweep_hourly(app: App) {
    let hour = Duration::from_hours(1);
    let first = first_tick(hour, getrandom::u32().unwrap_or_default());
    let mut interval = interval_at(Instant::now() + first, hour);
    loop {
        interval.tick().await;
        let (swept, queries) = QueryLog::record(housekeeping::sweep(&app)).await;
        match swept {
            Ok(swept) => tracing::debug!(
                ?swept,
                db.queries = queries.total(),
                db.duration_ms = queries.time().as_millis(),
                "Deleted expired rows"
            ),
            Err(error) => {
                tracing::warn!(
                    error = format!("{:#}", anyhow::Error::from(error)),
                    "Deleting expired rows failed; retrying in an hour"
                );
            }
        }
    }
}

/// Removes files that no row references, once a day on one of the nodes. Each looks hourly whether that is due.
pub(super) async fn sweep_files_daily(files: FileStore, app: App) {
    let mut interval = interval(Duration::from_hours(1));
    loop {
        interval.tick().await;
        match housekeeping::run_daily(&app, DailyJob::SweepFiles, files.sweep(&app)).await {
            Ok(None) => (),
            Ok(Some(removed)) => tracing::debug!(removed, "Removed unreferenced files"),
            Err(error) => tracing::warn!(
                error = format!("{error:#}"),
                "Removing unreferenced files failed; retrying in an hour"
            ),
        }
    }
}

/// The time until a job first runs: in the last nine tenths of its interval. A node that has just started has enough to do, and
/// nodes that start together take turns.
fn first_tick(interval: Duration, random: u32) -> Duration {
    let fraction = f64::from(random) / f64::from(u32::MAX);
    interval.mul_f64(0.1 + 0.9 * fraction)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_job_first_runs_anywhere_in_the_last_nine_tenths_of_its_interval() {
        let minutes = |random| first_tick(Duration::from_hours(1), random).as_secs() / 60;

        assert_eq!([0, u32::MAX / 3 + 1, u32::MAX / 2 + 1, u32::MAX].map(minutes), [6, 24, 33, 60]);
    }
}
