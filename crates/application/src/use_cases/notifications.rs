//! What people are told: reading it, and following it as it comes.

mod stream;

use grateful_domain::notification::RenderedNotification;
use grateful_domain::{NotificationId, NotificationType, Page, PageRequest, UserId};
// What is counted, and what changes, are storage's words.
pub use grateful_storage::{InboxChange, InboxChangeKind, NotificationCounts, NotificationStats};
use grateful_storage::{NotificationQuery, Repositories};

pub use self::stream::{Stream, StreamEvent, StreamTicket, issue_ticket, redeem_ticket};
use crate::{App, Resource, Result};

/// Which notifications of one's list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReadFilter {
    /// Those that were read too.
    All,
    /// Only those that are unread.
    Unread,
}

/// One's notifications, newest activity first.
pub async fn list(
    app: &App,
    user: UserId,
    filter: ReadFilter,
    page: PageRequest,
) -> Result<Page<RenderedNotification>> {
    let query = NotificationQuery::of(user).page(page);
    let mut conn = app.db.acquire().await?;
    Ok(match filter {
        ReadFilter::All => conn.notifications().list(query).await?,
        ReadFilter::Unread => conn.notifications().list(query.unread()).await?,
    })
}

/// The entries of one of one's batches, newest first; none of a single.
///
/// # Errors
/// `NotFound` where it is somebody else's or gone.
pub async fn list_children(
    app: &App,
    user: UserId,
    batch: NotificationId,
    page: PageRequest,
) -> Result<Page<RenderedNotification>> {
    let mut conn = app.db.acquire().await?;
    if !conn.notifications().exists(user, batch).await? {
        return Err(Resource::Notification.not_found(batch));
    }
    Ok(conn.notifications().list(NotificationQuery::of(user).children_of(batch).page(page)).await?)
}

/// How much is in one's list.
pub async fn count(app: &App, user: UserId) -> Result<NotificationCounts> {
    Ok(app.db.acquire().await?.notifications().count(user).await?)
}

/// What one was told of lately, of one type or of all.
pub async fn stats(
    app: &App,
    user: UserId,
    kind: Option<NotificationType>,
) -> Result<NotificationStats> {
    let now = app.clock.now();
    Ok(app.db.acquire().await?.notifications().stats(user, kind, now).await?)
}

/// Marks one of one's notifications read; a batch with all its entries, an entry alone.
///
/// # Errors
/// `NotFound` where it is somebody else's or gone.
pub async fn mark_read(app: &App, user: UserId, id: NotificationId) -> Result<()> {
    let now = app.clock.now();
    app.db
        .transaction(async |tx| {
            if tx.notifications().mark_read(user, id, now).await? {
                Ok(())
            } else {
                Err(Resource::Notification.not_found(id))
            }
        })
        .await
}

/// Marks all read that was there when this was asked. Tells how many of the list were unread.
pub async fn mark_all_read(app: &App, user: UserId) -> Result<i64> {
    let asked_at = app.clock.now();
    let asked = app.db.acquire().await?.notifications().find_inbox_position(user).await?;
    app.db
        .transaction(async |tx| {
            Ok(tx.notifications().mark_all_read(user, asked_at, asked.last_seq).await?)
        })
        .await
}
