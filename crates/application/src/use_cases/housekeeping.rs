//! Deleting expired rows, and running the jobs of a day.

use chrono::{DateTime, TimeDelta, Utc};
use grateful_domain::notification::WithdrawnNotification;
use grateful_storage::{Connection, DailyClaim, Repositories};

/// A job that one node does once a day for all nodes.
pub use grateful_storage::DailyJob;

use crate::app::new_id;
use crate::{App, Error, Result, follows, locations};

/// How many rows a sweep deleted or updated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SweepReport {
    /// Expired sessions.
    pub sessions: i64,
    /// Expired idempotency keys.
    pub idempotency_keys: i64,
    /// Expired stream tickets.
    pub stream_tickets: i64,
    /// Accounts whose failed logins are so old that they do not count any more.
    pub failed_logins: i64,
    /// Locations from the geocoder that are too old, or too many.
    pub locations: i64,
    /// Usernames whose reservation is over.
    pub usernames: i64,
    /// Withdrawn notifications whose restore window is over.
    pub withdrawn: i64,
    /// Reasons of missing notifications for acts that are so old that their age explains it.
    pub suppressed: i64,
    /// Records of removals from inboxes that are too old to resume a stream from.
    pub removals: i64,
    /// Read notifications whose retention is over.
    pub notifications: i64,
    /// Unread notifications whose retention is over.
    pub unread_notifications: i64,
    /// Follow requests whose acceptance had been interrupted and is now completed.
    pub requests: usize,
}

/// Deletes expired rows in steps. Several nodes can sweep at the same time: a kind of rows that another node is deleting is left
/// to that node. Rows of one kind that cannot be deleted do not keep the others.
///
/// # Errors
/// The first failure, after all kinds were tried.
pub async fn sweep(app: &App) -> Result<SweepReport> {
    let now = app.clock.now();
    let restorable_since = now - WithdrawnNotification::RESTORE_WINDOW;
    let read_before = now - app.notification_retention;
    let sessions = sweep_in_batches(app, now, ExpiredRows::Sessions).await;
    let idempotency_keys = sweep_in_batches(app, now, ExpiredRows::IdempotencyKeys).await;
    let stream_tickets = sweep_in_batches(app, now, ExpiredRows::StreamTickets).await;
    let failed_logins = sweep_in_batches(app, now, ExpiredRows::FailedLogins).await;
    let locations = sweep_locations(app, now).await;
    let usernames = sweep_in_batches(app, now, ExpiredRows::Usernames).await;
    let corrected = sweep_in_batches(app, now, ExpiredRows::FutureUsernames).await;
    let withdrawn = sweep_in_batches(app, restorable_since, ExpiredRows::Withdrawn).await;
    let suppressed =
        sweep_in_batches(app, explained_before(app, now), ExpiredRows::Suppressed).await;
    let removals = sweep_in_batches(app, restorable_since, ExpiredRows::Removals).await;
    let notifications = sweep_in_batches(app, read_before, ExpiredRows::ReadNotifications).await;
    let unread_notifications = sweep_unread(app, now - app.unread_retention).await;
    let requests = accept_remaining_requests(app).await;
    corrected?;
    Ok(SweepReport {
        sessions: sessions?,
        idempotency_keys: idempotency_keys?,
        stream_tickets: stream_tickets?,
        failed_logins: failed_logins?,
        locations: locations?,
        usernames: usernames?,
        withdrawn: withdrawn?,
        suppressed: suppressed?,
        removals: removals?,
        notifications: notifications?,
        unread_notifications: unread_notifications?,
        requests: requests?,
    })
}

/// Deletes results of the geocoder that its policy does not allow to use any more.
async fn sweep_locations(app: &App, now: DateTime<Utc>) -> Result<i64> {
    let max_age = app.geocoder.policy().map_or(TimeDelta::zero(), |policy| policy.max_age);
    sweep_in_batches(app, now - max_age, ExpiredRows::Locations).await
}

/// The time before which an act may have no notification, because it may have been deleted by its age.
pub(crate) fn explained_before(app: &App, now: DateTime<Utc>) -> DateTime<Utc> {
    now - app.notification_retention.min(app.unread_retention)
}

/// Deletes old unread notifications, so that the inboxes of users who never come back do not grow forever.
async fn sweep_unread(app: &App, before: DateTime<Utc>) -> Result<i64> {
    let (mut total, mut after) = (0, None);
    loop {
        let delete = async |tx: &mut Connection| {
            Ok(tx.notifications().delete_unread_before(before, after, BATCH_SIZE).await?)
        };
        let step = run_step(app, ExpiredRows::UnreadNotifications, delete).await?;
        let Some(step) = step.flatten() else { return Ok(total) };
        total += step.deleted;
        after = step.next;
    }
}

/// Accepts follow requests to users who have turned off approval. Such requests exist if the process stopped before it
/// had accepted all of them.
async fn accept_remaining_requests(app: &App) -> Result<usize> {
    let mut conn = app.db.acquire().await?;
    let users = conn.follows().list_users_with_stale_requests(BATCH_SIZE).await?;
    drop(conn);
    let mut accepted = 0;
    for user in users {
        accepted += follows::accept_all_requests(app, user).await?;
    }
    Ok(accepted)
}

/// Rows that are deleted in batches, since they are locked meanwhile, and a statement has a time limit. The numbers are those of
/// the locks, so they must not change: nodes of different versions sweep at the same time.
#[derive(Debug, Clone, Copy)]
#[repr(i32)]
enum ExpiredRows {
    Sessions = 1,
    IdempotencyKeys = 2,
    StreamTickets = 3,
    Usernames = 4,
    /// Usernames that were released by a clock that was ahead. Their time is corrected.
    FutureUsernames = 5,
    Withdrawn = 6,
    Suppressed = 7,
    Removals = 8,
    ReadNotifications = 9,
    UnreadNotifications = 10,
    FailedLogins = 11,
    Locations = 12,
}

/// How many rows one transaction deletes: few enough that its locks delay no other request.
const BATCH_SIZE: i64 = 500;

async fn sweep_in_batches(app: &App, before: DateTime<Utc>, rows: ExpiredRows) -> Result<i64> {
    let mut total = 0;
    loop {
        let delete = async |tx: &mut Connection| delete_batch(tx, before, rows).await;
        match run_step(app, rows, delete).await? {
            None | Some(0) => return Ok(total),
            Some(deleted) => total += deleted,
        }
    }
}

/// Runs a step in a transaction. Returns `None` if another node is at a step of the same kind: it goes on until nothing is left.
async fn run_step<T>(
    app: &App,
    rows: ExpiredRows,
    step: impl AsyncFnOnce(&mut Connection) -> Result<T> + Clone,
) -> Result<Option<T>> {
    let lock = async |mut tx: &Connection| Ok(tx.housekeeping().try_lock(rows as i32).await?);
    let step = async |tx: &mut Connection, is_locked: bool| {
        if is_locked { step(tx).await.map(Some) } else { Ok(None) }
    };
    app.db.transaction_after(lock, step).await
}

async fn delete_batch(
    tx: &mut Connection,
    before: DateTime<Utc>,
    rows: ExpiredRows,
) -> Result<i64> {
    let limit = BATCH_SIZE;
    Ok(match rows {
        ExpiredRows::Sessions => tx.sessions().sweep(before, limit).await?,
        ExpiredRows::IdempotencyKeys => tx.idempotency_keys().sweep(before, limit).await?,
        ExpiredRows::StreamTickets => tx.stream_tickets().sweep(before, limit).await?,
        ExpiredRows::FailedLogins => tx.failed_logins().sweep(before, limit).await?,
        ExpiredRows::Locations => {
            tx.location_cache().sweep(before, locations::MAX_CACHED, limit).await?
        }
        ExpiredRows::Usernames => tx.users().sweep_released_usernames(before, limit).await?,
        ExpiredRows::FutureUsernames => {
            tx.users().correct_released_usernames(before, limit).await?
        }
        ExpiredRows::Withdrawn => tx.notifications().prune_withdrawn(before, limit).await?,
        ExpiredRows::Suppressed => tx.notifications().prune_suppressed(before, limit).await?,
        ExpiredRows::Removals => tx.notifications().prune_removals(before, limit).await?,
        ExpiredRows::ReadNotifications => {
            tx.notifications().delete_read_before(before, limit).await?
        }
        // In the order of inboxes: `sweep_unread`.
        ExpiredRows::UnreadNotifications => 0,
    })
}

/// Runs a daily job, unless a node has done it within a day or is doing it. Returns `None` if it did not run.
///
/// A job that fails can be claimed again at once, and one whose node stops meanwhile two hours later.
///
/// # Errors
/// The error of `work`, and `Unavailable` if the database is.
pub async fn run_daily<T, E: From<Error>>(
    app: &App,
    job: DailyJob,
    work: impl Future<Output = Result<T, E>>,
) -> Result<Option<T>, E> {
    let at = app.clock.now();
    let claim = DailyClaim { id: new_id(at), job, at };
    if !claim_daily(app, &claim).await? {
        return Ok(None);
    }
    let result = work.await;
    let done_at = result.is_ok().then(|| app.clock.now());
    end_daily(app, &claim, done_at).await?;
    result.map(Some)
}

async fn claim_daily(app: &App, claim: &DailyClaim) -> Result<bool> {
    Ok(app.db.acquire().await?.housekeeping().claim(claim).await?)
}

async fn end_daily(app: &App, claim: &DailyClaim, done_at: Option<DateTime<Utc>>) -> Result<()> {
    Ok(app.db.acquire().await?.housekeeping().end(claim, done_at).await?)
}
