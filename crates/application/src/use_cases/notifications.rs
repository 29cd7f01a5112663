//! Notifications: listing, counting, marking as read, streaming.

mod stream;

use futures_util::future::try_join;
use grateful_domain::notification::{NotificationCounts, NotificationStats, RenderedNotification};
use grateful_domain::{NotificationId, NotificationType, Page, PageRequest, UserId};
use grateful_storage::{
    Connection, Job, NotificationQuery, NotificationRead, Reader, Repositories,
};

pub use self::stream::{
    Stream, StreamEvent, StreamTicket, check_ticket, issue_ticket, redeem_ticket,
};
use crate::background_jobs::{enqueue, run};
use crate::combiner::{ActPlace, ActTarget, GroupedAct};
use crate::{App, Resource, Result};

/// Selects notifications by whether they were read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReadFilter {
    /// Read and unread notifications.
    All,
    /// Unread notifications.
    Unread,
}

/// Lists the notifications of a user, latest activity first. A batch is one notification.
pub async fn list(
    app: &App,
    user: UserId,
    filter: ReadFilter,
    page: PageRequest,
) -> Result<Page<RenderedNotification>> {
    let query = NotificationQuery::of(user).page(page);
    let query = match filter {
        ReadFilter::All => query,
        ReadFilter::Unread => query.unread(),
    };
    Ok(app.db.read(async |mut conn| conn.notifications().list(query.clone()).await).await?)
}

/// Lists the children of a batch, newest first. A notification that is no batch has none.
///
/// # Errors
/// `NotFound` if the user has no such notification.
pub async fn list_children(
    app: &App,
    user: UserId,
    batch: NotificationId,
    page: PageRequest,
) -> Result<Page<RenderedNotification>> {
    let query = NotificationQuery::of(user).children_of(batch).page(page);
    let read = async |mut conn: Reader| {
        let mut other = conn.clone();
        let list = async { conn.notifications().list(query.clone()).await };
        try_join(other.notifications().exists(user, batch), list).await
    };
    match app.db.read(read).await? {
        (true, children) => Ok(children),
        (false, _) => Err(Resource::Notification.not_found(batch)),
    }
}

/// Counts the notifications of a user.
pub async fn count(app: &App, user: UserId) -> Result<NotificationCounts> {
    Ok(app.db.read(async |mut conn| conn.notifications().find_counts(user).await).await?)
}

/// Returns statistics on the recent notifications of a user, of one type or of all.
pub async fn get_stats(
    app: &App,
    user: UserId,
    kind: Option<NotificationType>,
) -> Result<NotificationStats> {
    let now = app.clock.now();
    Ok(app.db.read(async |mut conn| conn.notifications().stats(user, kind, now).await).await?)
}

/// Marks a notification as read. A batch is marked with all its children, a child without its batch.
///
/// # Errors
/// `NotFound` if the user has no such notification.
pub async fn mark_read(app: &App, user: UserId, id: NotificationId) -> Result<()> {
    let read = NotificationRead { owner: user, id, at: app.clock.now() };
    app.combiner.run(&app.db, ReadNotification(read)).await
}

/// Marks all notifications as read that exist at the time of the call. Returns how many in the list were unread. If there
/// are very many, the rest is marked in small steps after the response (see
/// [`background_jobs`](crate::background_jobs)).
pub async fn mark_all_read(app: &App, user: UserId) -> Result<i64> {
    let now = app.clock.now();
    let position = app.db.acquire().await?.notifications().find_inbox_position(user).await?;
    let max_seq = position.last_seq;
    let (unread, job) = app
        .db
        .transaction(async |tx| {
            let (unread, is_complete) =
                tx.notifications().mark_all_read(user, now, max_seq).await?;
            let job = Job::MarkAllRead { user, requested_at: now, max_seq };
            let job = if is_complete { None } else { Some(enqueue(tx, job, now).await?) };
            Ok::<_, crate::Error>((unread, job))
        })
        .await?;
    run(app, job).await;
    Ok(unread)
}

struct ReadNotification(NotificationRead);

impl GroupedAct for ReadNotification {
    type Output = ();
    type Locked = ();

    const NAME: &'static str = "read_notification";

    fn place(&self) -> ActPlace {
        ActPlace::new(self.0.owner, ActTarget::Notification(self.0.id))
    }

    async fn lock(_: &Connection, _: &[Self]) -> Result<()> {
        Ok(())
    }

    async fn run(tx: &mut Connection, acts: &[Self], (): ()) -> Result<Vec<Result<()>>> {
        let reads: Vec<_> = acts.iter().map(|act| act.0).collect();
        let found = tx.notifications().mark_read(&reads).await?;
        let result = |(found, read): (bool, &NotificationRead)| {
            if found { Ok(()) } else { Err(Resource::Notification.not_found(read.id)) }
        };
        Ok(found.into_iter().zip(&reads).map(result).collect())
    }
}
