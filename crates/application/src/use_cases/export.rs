//! All that is held about somebody, for themselves.

use std::ops::ControlFlow;

use grateful_domain::notification::RenderedNotification;
use grateful_domain::{
    Comment, FollowListItem, Limit, NotificationId, Page, PageRequest, PageStart, Position,
    PostForViewer, Session, Share, UserId, Viewer,
};
// What somebody has done are storage's words.
use grateful_storage::{Connection, FollowQuery, NotificationQuery, PostQuery, Repositories};
pub use grateful_storage::{HeartRecord, ReactionRecord, ReceivedShare};

use crate::{App, Result};

/// What is held, in the order in which it is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Section {
    /// Where they are signed in.
    Sessions,
    /// What they wrote.
    Posts,
    /// To what they gave a heart.
    Hearts,
    /// On what they left which emoji.
    Reactions,
    /// What they passed on, to whom.
    Shares,
    /// What others sent them.
    ReceivedShares,
    /// What they said about posts.
    Comments,
    /// Who follows them.
    Followers,
    /// Whom they follow.
    Following,
    /// Who has asked to follow them.
    RequestsReceived,
    /// Whom they have asked to follow.
    RequestsSent,
    /// Whom they have blocked. Who has blocked them is for those to tell.
    Blocks,
    /// What they were told, in the order in which it changed last.
    Notifications,
}

impl Section {
    /// Every section.
    pub const ALL: [Self; 13] = [
        Self::Sessions,
        Self::Posts,
        Self::Hearts,
        Self::Reactions,
        Self::Shares,
        Self::ReceivedShares,
        Self::Comments,
        Self::Followers,
        Self::Following,
        Self::RequestsReceived,
        Self::RequestsSent,
        Self::Blocks,
        Self::Notifications,
    ];
}

/// Some of what a section has.
#[derive(Debug, Clone, PartialEq)]
pub enum SectionItems {
    /// Of [`Section::Sessions`].
    Sessions(Vec<Session>),
    /// Of [`Section::Posts`].
    Posts(Vec<PostForViewer>),
    /// Of [`Section::Hearts`].
    Hearts(Vec<HeartRecord>),
    /// Of [`Section::Reactions`].
    Reactions(Vec<ReactionRecord>),
    /// Of [`Section::Shares`].
    Shares(Vec<Share>),
    /// Of [`Section::ReceivedShares`].
    ReceivedShares(Vec<ReceivedShare>),
    /// Of [`Section::Comments`].
    Comments(Vec<Comment>),
    /// Of the sections about people.
    Users(Vec<FollowListItem>),
    /// Of [`Section::Notifications`]: behind some of the list comes what its batches gather.
    Notifications(Vec<RenderedNotification>),
}

/// Reads all that is held about somebody and tells it, some of it at a time, until `tell` breaks it off: whoever listens
/// slowly holds no connection and no memory. Each part is as it is when it is read.
pub async fn export(
    app: &App,
    user: UserId,
    mut tell: impl AsyncFnMut(Section, SectionItems) -> ControlFlow<()>,
) -> Result<()> {
    for section in Section::ALL {
        let told = match section {
            Section::Notifications => export_notifications(app, user, &mut tell).await?,
            _ => export_section(app, user, section, &mut tell).await?,
        };
        if told.is_break() {
            break;
        }
    }
    Ok(())
}

async fn export_section(
    app: &App,
    user: UserId,
    section: Section,
    tell: &mut impl AsyncFnMut(Section, SectionItems) -> ControlFlow<()>,
) -> Result<ControlFlow<()>> {
    let mut behind = None;
    loop {
        let (entries, next) = read(app, user, section, behind).await?;
        let told = tell(section, entries).await;
        behind = next;
        if told.is_break() || behind.is_none() {
            return Ok(told);
        }
    }
}

/// In the order of their last changes, since any of them may change while others are sent, and would be missed where the
/// newest came first. What changes meanwhile is told twice: as it was, and as it is.
async fn export_notifications(
    app: &App,
    user: UserId,
    tell: &mut impl AsyncFnMut(Section, SectionItems) -> ControlFlow<()>,
) -> Result<ControlFlow<()>> {
    let mut after = 0;
    loop {
        let mut conn = app.db.acquire().await?;
        let (some, last) = conn.notifications().list_changed_since(user, after, MOST).await?;
        drop(conn);
        let batches: Vec<NotificationId> = some
            .iter()
            .filter(|seen| seen.notification.batch.is_some())
            .map(|seen| seen.notification.id)
            .collect();
        let told = tell(Section::Notifications, SectionItems::Notifications(some)).await;
        let Some(last) = last.filter(|_| told.is_continue()) else { return Ok(told) };
        for batch in batches {
            if export_batch(app, user, batch, tell).await?.is_break() {
                return Ok(ControlFlow::Break(()));
            }
        }
        after = last;
    }
}

/// How many notifications are read at once.
const MOST: i64 = 100;

async fn export_batch(
    app: &App,
    user: UserId,
    batch: NotificationId,
    tell: &mut impl AsyncFnMut(Section, SectionItems) -> ControlFlow<()>,
) -> Result<ControlFlow<()>> {
    let mut behind = None;
    loop {
        let mut conn = app.db.acquire().await?;
        let entries = NotificationQuery::of(user).children_of(batch).page(page(behind));
        let Page { items, next, .. } = conn.notifications().list(entries).await?;
        drop(conn);
        let told = tell(Section::Notifications, SectionItems::Notifications(items)).await;
        behind = next;
        if told.is_break() || behind.is_none() {
            return Ok(told);
        }
    }
}

/// Some of a section, and where it goes on.
async fn read(
    app: &App,
    user: UserId,
    section: Section,
    behind: Option<Position>,
) -> Result<(SectionItems, Option<Position>)> {
    let mut conn = app.db.acquire().await?;
    let page = page(behind);
    let last = behind.map(|place| place.id);
    let lists = FollowQuery::visible_to(user);
    Ok(match section {
        Section::Sessions => {
            let live = conn.sessions().list_active(user, app.clock.now()).await?;
            (SectionItems::Sessions(live), None)
        }
        Section::Posts => {
            let own = PostQuery::visible_to(Viewer::User(user)).by_author(user).page(page);
            slice(conn.posts().list(own).await?, SectionItems::Posts)
        }
        Section::Hearts => {
            let some = conn.personal_data().hearts(user, last.map(Into::into)).await?;
            part(some, |it| Position { at: it.at, id: it.post.into() }, SectionItems::Hearts)
        }
        Section::Reactions => {
            let some = conn.personal_data().reactions(user, last.map(Into::into)).await?;
            part(some, |it| Position { at: it.at, id: it.post.into() }, SectionItems::Reactions)
        }
        Section::Shares => {
            let some = conn.personal_data().shares(user, last.map(Into::into)).await?;
            part(some, |it| Position { at: it.created_at, id: it.id.into() }, SectionItems::Shares)
        }
        Section::ReceivedShares => {
            let some = conn.personal_data().received_shares(user, last.map(Into::into)).await?;
            part(
                some,
                |it| Position { at: it.at, id: it.share.into() },
                SectionItems::ReceivedShares,
            )
        }
        Section::Comments => {
            let some = conn.personal_data().comments(user, behind).await?;
            part(some, Comment::position, SectionItems::Comments)
        }
        Section::Followers => people(&mut conn, lists.followers_of(user).page(page)).await?,
        Section::Following => people(&mut conn, lists.followed_by(user).page(page)).await?,
        Section::RequestsReceived => {
            people(&mut conn, lists.received_requests().page(page)).await?
        }
        Section::RequestsSent => people(&mut conn, lists.sent_requests().page(page)).await?,
        Section::Blocks => people(&mut conn, lists.blocks().page(page)).await?,
        // Told by themselves, with what they gather.
        Section::Notifications => (SectionItems::Notifications(vec![]), None),
    })
}

async fn people(
    conn: &mut Connection,
    query: FollowQuery,
) -> Result<(SectionItems, Option<Position>)> {
    Ok(slice(conn.follows().list(query).await?, SectionItems::Users))
}

fn page(behind: Option<Position>) -> PageRequest {
    let first = PageRequest::first(Limit::MAX);
    behind.map_or(first, |place| PageRequest { start: PageStart::After(place), ..first })
}

fn slice<T>(
    slice: Page<T>,
    entries: fn(Vec<T>) -> SectionItems,
) -> (SectionItems, Option<Position>) {
    (entries(slice.items), slice.next)
}

/// It goes on behind its last entry, until there is none.
fn part<T>(
    some: Vec<T>,
    position: impl Fn(&T) -> Position,
    entries: fn(Vec<T>) -> SectionItems,
) -> (SectionItems, Option<Position>) {
    let next = some.last().map(position);
    (entries(some), next)
}
