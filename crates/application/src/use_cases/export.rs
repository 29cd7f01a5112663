//! Exporting all personal data of a user.

use std::ops::ControlFlow;

use chrono::{DateTime, Utc};
use grateful_domain::notification::RenderedNotification;
use grateful_domain::{
    Comment, FollowListItem, HeartRecord, Limit, NotificationId, Page, PageRequest, PageStart,
    Position, PostForViewer, ReactionRecord, ReceivedShare, Session, Share, UserId, Viewer,
    closed_enum,
};
use grateful_storage::{
    Connection, FollowQuery, NotificationQuery, PostQuery, Repositories, StorageError,
};

use crate::{App, Result};

closed_enum! {
    /// The sections of an export, in their order.
    pub enum Section {
        /// Active sessions.
        Sessions = "sessions",
        /// Posts by the user.
        Posts = "posts",
        /// Hearts the user has added.
        Hearts = "hearts",
        /// Reactions of the user.
        Reactions = "reactions",
        /// Shares by the user.
        Shares = "shares",
        /// Message shares sent to the user.
        ReceivedShares = "received_shares",
        /// Comments by the user.
        Comments = "comments",
        /// Followers of the user.
        Followers = "followers",
        /// Users that the user follows.
        Following = "following",
        /// Pending requests to follow the user.
        RequestsReceived = "requests_received",
        /// Pending requests by the user.
        RequestsSent = "requests_sent",
        /// Users that the user has blocked. Who has blocked the user is not exported: that is data of the blocking users.
        Blocks = "blocks",
        /// Notifications of the user, in the order of their last change.
        Notifications = "notifications",
    }
}

/// A batch of items of a section.
#[derive(Debug, Clone, PartialEq)]
pub enum SectionItems {
    /// Items of [`Section::Sessions`].
    Sessions(Vec<Session>),
    /// Items of [`Section::Posts`].
    Posts(Vec<PostForViewer>),
    /// Items of [`Section::Hearts`].
    Hearts(Vec<HeartRecord>),
    /// Items of [`Section::Reactions`].
    Reactions(Vec<ReactionRecord>),
    /// Items of [`Section::Shares`].
    Shares(Vec<Share>),
    /// Items of [`Section::ReceivedShares`].
    ReceivedShares(Vec<ReceivedShare>),
    /// Items of [`Section::Comments`].
    Comments(Vec<Comment>),
    /// Items of the sections on follows, requests and blocks.
    Users(Vec<FollowListItem>),
    /// Items of [`Section::Notifications`]: top-level notifications, followed by the children of those that are batches.
    Notifications(Vec<RenderedNotification>),
}

/// Reads all personal data of a user and passes it to `send` in batches, until `send` breaks. While `send` runs, no
/// connection is held and at most one batch is in memory. Each batch is a snapshot of its own.
pub async fn export(
    app: &App,
    user: UserId,
    mut send: impl AsyncFnMut(Section, SectionItems) -> ControlFlow<()>,
) -> Result<()> {
    for section in Section::ALL {
        let flow = match section {
            Section::Notifications => export_notifications(app, user, &mut send).await?,
            _ => export_section(app, user, section, &mut send).await?,
        };
        if flow.is_break() {
            break;
        }
    }
    Ok(())
}

async fn export_section(
    app: &App,
    user: UserId,
    section: Section,
    send: &mut impl AsyncFnMut(Section, SectionItems) -> ControlFlow<()>,
) -> Result<ControlFlow<()>> {
    let mut after = None;
    loop {
        let (items, next) = read_batch(app, user, section, after).await?;
        let flow = send(section, items).await;
        after = next;
        if flow.is_break() || after.is_none() {
            return Ok(flow);
        }
    }
}

/// Exports notifications in the order of their last change: in the order of the list, one that changes during the export
/// could be missed. A notification that changes meanwhile is sent twice, before and after the change.
async fn export_notifications(
    app: &App,
    user: UserId,
    send: &mut impl AsyncFnMut(Section, SectionItems) -> ControlFlow<()>,
) -> Result<ControlFlow<()>> {
    let mut after = 0;
    loop {
        let (items, last) = app
            .read_replica_alone(async |conn| {
                conn.notifications().list_changed_since(user, after, NOTIFICATION_BATCH_SIZE).await
            })
            .await?;
        let batches: Vec<NotificationId> = items
            .iter()
            .filter(|item| item.notification.batch.is_some())
            .map(|item| item.notification.id)
            .collect();
        let flow = send(Section::Notifications, SectionItems::Notifications(items)).await;
        let Some(last) = last.filter(|_| flow.is_continue()) else { return Ok(flow) };
        for batch in batches {
            if export_children(app, user, batch, send).await?.is_break() {
                return Ok(ControlFlow::Break(()));
            }
        }
        after = last;
    }
}

/// How many notifications are read at once.
const NOTIFICATION_BATCH_SIZE: i64 = 100;

async fn export_children(
    app: &App,
    user: UserId,
    batch: NotificationId,
    send: &mut impl AsyncFnMut(Section, SectionItems) -> ControlFlow<()>,
) -> Result<ControlFlow<()>> {
    let mut after = None;
    loop {
        let children = NotificationQuery::of(user).children_of(batch).page(page_after(after));
        let list = async |conn: &mut Connection| conn.notifications().list(children.clone()).await;
        let Page { items, next, .. } = app.read_replica_alone(list).await?;
        let flow = send(Section::Notifications, SectionItems::Notifications(items)).await;
        after = next;
        if flow.is_break() || after.is_none() {
            return Ok(flow);
        }
    }
}

/// Reads a batch of a section. Returns it with the position to continue after.
async fn read_batch(
    app: &App,
    user: UserId,
    section: Section,
    after: Option<Position>,
) -> Result<(SectionItems, Option<Position>)> {
    let now = app.clock.now();
    app.read_replica_alone(async |conn| find_batch(conn, user, section, after, now).await).await
}

async fn find_batch(
    conn: &mut Connection,
    user: UserId,
    section: Section,
    after: Option<Position>,
    now: DateTime<Utc>,
) -> Result<(SectionItems, Option<Position>), StorageError> {
    let page = page_after(after);
    let last_id = after.map(|position| position.id);
    let lists = FollowQuery::visible_to(user);
    Ok(match section {
        Section::Sessions => {
            let sessions = conn.sessions().list_active(user, now).await?;
            (SectionItems::Sessions(sessions), None)
        }
        Section::Posts => {
            let own = PostQuery::visible_to(Viewer::User(user)).by_author(user).page(page);
            from_page(conn.posts().list(own).await?, SectionItems::Posts)
        }
        Section::Hearts => {
            let hearts = conn.personal_data().list_hearts(user, last_id.map(Into::into)).await?;
            let position = |heart: &HeartRecord| Position { at: heart.at, id: heart.post.into() };
            from_batch(hearts, position, SectionItems::Hearts)
        }
        Section::Reactions => {
            let reactions =
                conn.personal_data().list_reactions(user, last_id.map(Into::into)).await?;
            let position =
                |reaction: &ReactionRecord| Position { at: reaction.at, id: reaction.post.into() };
            from_batch(reactions, position, SectionItems::Reactions)
        }
        Section::Shares => {
            let shares = conn.personal_data().list_shares(user, last_id.map(Into::into)).await?;
            let position = |share: &Share| Position { at: share.created_at, id: share.id.into() };
            from_batch(shares, position, SectionItems::Shares)
        }
        Section::ReceivedShares => {
            let shares =
                conn.personal_data().list_received_shares(user, last_id.map(Into::into)).await?;
            let position =
                |received: &ReceivedShare| Position { at: received.at, id: received.share.into() };
            from_batch(shares, position, SectionItems::ReceivedShares)
        }
        Section::Comments => {
            let comments = conn.personal_data().list_comments(user, after).await?;
            from_batch(comments, Comment::position, SectionItems::Comments)
        }
        Section::Followers => read_users(conn, lists.followers_of(user).page(page)).await?,
        Section::Following => read_users(conn, lists.followed_by(user).page(page)).await?,
        Section::RequestsReceived => read_users(conn, lists.received_requests().page(page)).await?,
        Section::RequestsSent => read_users(conn, lists.sent_requests().page(page)).await?,
        Section::Blocks => read_users(conn, lists.blocks().page(page)).await?,
        // `export_notifications` reads these, with the children of batches.
        Section::Notifications => (SectionItems::Notifications(vec![]), None),
    })
}

async fn read_users(
    conn: &mut Connection,
    query: FollowQuery,
) -> Result<(SectionItems, Option<Position>), StorageError> {
    Ok(from_page(conn.follows().list(query).await?, SectionItems::Users))
}

fn page_after(after: Option<Position>) -> PageRequest {
    let first = PageRequest::first(Limit::MAX);
    after.map_or(first, |position| PageRequest { start: PageStart::After(position), ..first })
}

fn from_page<T>(
    page: Page<T>,
    section_items: fn(Vec<T>) -> SectionItems,
) -> (SectionItems, Option<Position>) {
    (section_items(page.items), page.next)
}

/// Continues after the last item, until a batch is empty.
fn from_batch<T>(
    batch: Vec<T>,
    position: impl Fn(&T) -> Position,
    section_items: fn(Vec<T>) -> SectionItems,
) -> (SectionItems, Option<Position>) {
    let next = batch.last().map(position);
    (section_items(batch), next)
}
