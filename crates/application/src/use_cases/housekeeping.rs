//! What has expired, and nobody asks for any more.

use chrono::{DateTime, Utc};
use grateful_domain::notification::WithdrawnNotification;
use grateful_storage::{Connection, Repositories};

use crate::{App, Result, follows};

/// How many rows were removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SweepReport {
    /// Sessions past their end.
    pub sessions: usize,
    /// Idempotency keys past their day.
    pub idempotency_keys: usize,
    /// Tickets for streams that nobody used in time.
    pub stream_tickets: usize,
    /// What was withdrawn so long ago that doing it again is news.
    pub withdrawn: usize,
    /// What left a list so long ago that no stream goes on from there.
    pub removals: i64,
    /// Notifications that were read and have been kept long enough.
    pub notifications: i64,
    /// Requests to follow whose answer had been cut short.
    pub requests: usize,
}

/// Removes what has expired. Any number of nodes may do so at once.
pub async fn sweep(app: &App) -> Result<SweepReport> {
    let now = app.clock.now();
    let mut conn = app.db.acquire().await?;
    let (sessions, idempotency_keys, stream_tickets, withdrawn) = (
        conn.sessions().sweep(now).await?,
        conn.idempotency_keys().sweep(now).await?,
        conn.stream_tickets().sweep(now).await?,
        conn.notifications().prune_withdrawn(now - WithdrawnNotification::RESTORE_WINDOW).await?,
    );
    // A transaction asks for a connection of its own.
    drop(conn);
    Ok(SweepReport {
        sessions,
        idempotency_keys,
        stream_tickets,
        withdrawn,
        removals: in_steps(app, now - WithdrawnNotification::RESTORE_WINDOW, Old::Removals).await?,
        notifications: in_steps(app, now - app.notification_retention, Old::Notifications).await?,
        requests: accept_left_over(app).await?,
    })
}

/// Goes on where somebody stopped asking for it, and the process stopped while it let those follow who had asked.
async fn accept_left_over(app: &App) -> Result<usize> {
    let asked = app.db.acquire().await?.follows().list_users_with_stale_requests(STEP).await?;
    let mut accepted = 0;
    for user in asked {
        accepted += follows::accept_all_requests(app, user).await?;
    }
    Ok(accepted)
}

/// What is removed in steps, since it locks the inboxes that it is in.
#[derive(Debug, Clone, Copy)]
enum Old {
    Removals,
    Notifications,
}

/// How many rows a step takes: few enough that nobody waits for its locks.
const STEP: i64 = 500;

async fn in_steps(app: &App, before: DateTime<Utc>, what: Old) -> Result<i64> {
    let mut all = 0;
    loop {
        let some = app.db.transaction(async |tx| remove(tx, before, what).await).await?;
        all += some;
        if some == 0 {
            return Ok(all);
        }
    }
}

async fn remove(tx: &mut Connection, before: DateTime<Utc>, what: Old) -> Result<i64> {
    let mut notifications = tx.notifications();
    Ok(match what {
        Old::Removals => notifications.prune_removals(before, STEP).await?,
        Old::Notifications => notifications.delete_read_before(before, STEP).await?,
    })
}
