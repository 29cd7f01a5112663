//! Background jobs: work that a committed change still requires, in small transactions.
//!
//! The change itself is one short transaction at any size: it protects a user at once, and inserts a job. The
//! request then runs the steps of the job, for at most [`App::job_budget`]. The rest, and what an interruption leaves, is
//! done by [`run_pending`] on any node.

mod account;
mod deletion;
mod withdrawal;

use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use grateful_domain::{ImageUrl, JobId, ProfilePhoto};
use grateful_storage::{Barrier, Connection, Job, Repositories};

use crate::{App, Result, file_store, new_id};

/// How many rows one step changes: few enough that its locks delay no other request.
const BATCH_SIZE: i64 = 200;

/// What one step of a job did.
#[derive(Debug, Default)]
struct StepResult {
    progress: Progress,
    /// The image of a deleted post.
    image: Option<ImageUrl>,
    /// The photo of a deleted account.
    photo: Option<ProfilePhoto>,
}

/// How far a job is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Progress {
    /// There is more to do.
    #[default]
    More,
    /// Nothing is left, but transactions that do not know of the change yet may still add something.
    Waiting,
    /// The job is done.
    Done,
}

impl StepResult {
    const DONE: Self = Self { progress: Progress::Done, image: None, photo: None };
    const MORE: Self = Self { progress: Progress::More, image: None, photo: None };
    const WAITING: Self = Self { progress: Progress::Waiting, image: None, photo: None };

    /// Done if the step found fewer rows than it would have changed.
    const fn of_batch(rows: i64) -> Self {
        if rows < BATCH_SIZE { Self::DONE } else { Self::MORE }
    }
}

/// Inserts a job, in the transaction of the change that requires it. Pass the result to [`run`] after the commit.
pub(crate) async fn enqueue(tx: &mut Connection, job: Job, now: DateTime<Utc>) -> Result<JobId> {
    let id = new_id(now).into();
    tx.background_jobs().insert(id, job, now).await?;
    Ok(id)
}

/// Runs the job, if there is one, inside the request that caused it, for at most [`App::job_budget`]. An error is logged and
/// not returned: the change is committed, and [`run_pending`] does the rest.
///
/// A step that is under way when the time is over may take another [`MAX_STEP`], and is rolled back if PostgreSQL does not
/// answer.
pub(crate) async fn run(app: &App, job: impl Into<Option<JobId>>) {
    let Some(id) = job.into() else { return };
    let limit = app.job_budget.saturating_add(MAX_STEP);
    match tokio::time::timeout(limit, run_for(app, id, app.job_budget)).await {
        Ok(Ok(Progress::Done)) => (),
        Ok(Ok(_)) | Err(_) => {
            tracing::debug!(job.id = %id, "A background job continues after the request");
        }
        Ok(Err(error)) => log_failure(id, &error),
    }
}

/// Runs all jobs that are left, oldest first. Several nodes can do so at the same time. Returns how many were done; a job
/// that fails is logged, and stays for the next call.
pub async fn run_pending(app: &App) -> Result<usize> {
    let jobs = app.db.acquire().await?.background_jobs().list(MAX_JOBS).await?;
    let mut done = 0;
    for id in jobs {
        match run_for(app, id, MAX_DURATION).await {
            Ok(progress) => done += usize::from(progress == Progress::Done),
            Err(error) => log_failure(id, &error),
        }
    }
    Ok(done)
}

/// How long a request waits for the step of a job that is under way. Steps take a few milliseconds.
const MAX_STEP: Duration = Duration::from_secs(1);

/// How many jobs one call of [`run_pending`] runs.
const MAX_JOBS: i64 = 100;

/// How long [`run_pending`] works on one job before it turns to the next.
const MAX_DURATION: Duration = Duration::from_mins(1);

/// How long to wait for transactions in progress. They take a few milliseconds.
const PAUSE: Duration = Duration::from_millis(5);

/// Takes steps of a job until it is done or the time is over, but at least one.
async fn run_for(app: &App, id: JobId, duration: Duration) -> Result<Progress> {
    let start = Instant::now();
    // The change that requires the job is committed: transactions from here on know of it.
    let barrier = app.db.acquire().await?.background_jobs().barrier().await?;
    loop {
        let progress = run_step(app, id, &barrier).await?;
        if progress == Progress::Done || duration <= start.elapsed() {
            return Ok(progress);
        }
        if progress == Progress::Waiting {
            tokio::time::sleep(PAUSE).await;
        }
    }
}

/// Runs one step in a transaction of its own. Reports a job that is done already, or in progress elsewhere, as done.
async fn run_step(app: &App, id: JobId, barrier: &Barrier) -> Result<Progress> {
    let now = app.clock.now();
    let step = app
        .db
        .transaction(async |tx| {
            let Some(job) = tx.background_jobs().lock(id).await? else {
                return Ok(StepResult::DONE);
            };
            let step = take_step(tx, (id, barrier), job, now).await?;
            if step.progress == Progress::Done {
                tx.background_jobs().delete(id).await?;
            }
            Ok::<_, crate::Error>(step)
        })
        .await?;
    // Files go after the rows that named them.
    file_store::delete_unused_images(app, step.image.clone()).await;
    if let Some(photo) = &step.photo {
        file_store::delete_photo(app, photo).await;
    }
    Ok(step.progress)
}

async fn take_step(
    tx: &mut Connection,
    (id, barrier): (JobId, &Barrier),
    job: Job,
    now: DateTime<Utc>,
) -> Result<StepResult> {
    match job {
        Job::DeleteAccount(user) => account::delete_step(tx, (id, barrier), user, now).await,
        Job::DeletePost(post) => deletion::delete_post_step(tx, post, now).await,
        Job::DeleteComment(comment) => deletion::delete_comment_step(tx, comment, now).await,
        Job::WithdrawBetween { user, other } => {
            withdrawal::withdraw_between_step(tx, barrier, (user, other), now).await
        }
        Job::WithdrawHiddenPost(post) => withdrawal::withdraw_hidden_post_step(tx, post, now).await,
        Job::MarkAllRead { user, requested_at, max_seq } => {
            let mut inbox = tx.notifications();
            let is_done = inbox.mark_batch_read(user, requested_at, max_seq).await?;
            Ok(if is_done { StepResult::DONE } else { StepResult::MORE })
        }
    }
}

fn log_failure(id: JobId, error: &crate::Error) {
    tracing::warn!(
        job.id = %id,
        error = error as &dyn std::error::Error,
        "A step of a background job failed; it is retried"
    );
}
