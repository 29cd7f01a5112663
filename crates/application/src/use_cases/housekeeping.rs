//! Deleting expired rows.

use chrono::{DateTime, Utc};
use grateful_domain::notification::WithdrawnNotification;
use grateful_storage::{Connection, Repositories};

use crate::{App, Error, Result, follows};

/// How many rows a sweep deleted or updated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SweepReport {
    /// Expired sessions.
    pub sessions: usize,
    /// Expired idempotency keys.
    pub idempotency_keys: usize,
    /// Expired stream tickets.
    pub stream_tickets: usize,
    /// Usernames whose reservation is over.
    pub usernames: usize,
    /// Withdrawn notifications whose restore window is over.
    pub withdrawn: usize,
    /// Reasons of missing notifications for acts that are so old that their age explains it.
    pub suppressed: usize,
    /// Records of removals from inboxes that are too old to resume a stream from.
    pub removals: i64,
    /// Read notifications whose retention is over.
    pub notifications: i64,
    /// Unread notifications whose retention is over.
    pub unread_notifications: i64,
    /// Follow requests whose acceptance had been interrupted and is now completed.
    pub requests: usize,
}

/// Deletes expired rows. Several nodes can sweep at the same time.
pub async fn sweep(app: &App) -> Result<SweepReport> {
    let now = app.clock.now();
    let restorable_since = now - WithdrawnNotification::RESTORE_WINDOW;
    let mut conn = app.db.acquire().await?;
    let read_before = now - app.notification_retention;
    let (sessions, idempotency_keys, stream_tickets, usernames, withdrawn, suppressed) = (
        conn.sessions().sweep(now).await?,
        conn.idempotency_keys().sweep(now).await?,
        conn.stream_tickets().sweep(now).await?,
        conn.users().sweep_released_usernames(now).await?,
        conn.notifications().prune_withdrawn(restorable_since).await?,
        conn.notifications().prune_suppressed(explained_before(app, now)).await?,
    );
    // The transactions below acquire connections of their own.
    drop(conn);
    Ok(SweepReport {
        sessions,
        idempotency_keys,
        stream_tickets,
        usernames,
        withdrawn,
        suppressed,
        removals: sweep_in_batches(app, restorable_since, InboxRows::Removals).await?,
        notifications: sweep_in_batches(app, read_before, InboxRows::ReadNotifications).await?,
        unread_notifications: sweep_unread(app, now - app.unread_retention).await?,
        requests: accept_remaining_requests(app).await?,
    })
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
            Ok::<_, Error>(
                tx.notifications().delete_unread_before(before, after, BATCH_SIZE).await?,
            )
        };
        let Some(step) = app.db.transaction(delete).await? else { return Ok(total) };
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

/// Rows that are deleted in batches, since their inboxes are locked meanwhile.
#[derive(Debug, Clone, Copy)]
enum InboxRows {
    Removals,
    ReadNotifications,
}

/// How many rows one transaction deletes: few enough that its locks delay no other request.
const BATCH_SIZE: i64 = 500;

async fn sweep_in_batches(app: &App, before: DateTime<Utc>, rows: InboxRows) -> Result<i64> {
    let mut total = 0;
    loop {
        let deleted = app.db.transaction(async |tx| delete_batch(tx, before, rows).await).await?;
        total += deleted;
        if deleted == 0 {
            return Ok(total);
        }
    }
}

async fn delete_batch(tx: &mut Connection, before: DateTime<Utc>, rows: InboxRows) -> Result<i64> {
    let mut notifications = tx.notifications();
    Ok(match rows {
        InboxRows::Removals => notifications.prune_removals(before, BATCH_SIZE).await?,
        InboxRows::ReadNotifications => {
            notifications.delete_read_before(before, BATCH_SIZE).await?
        }
    })
}
