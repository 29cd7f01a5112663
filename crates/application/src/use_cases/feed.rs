//! The feeds: ranked, newest and trending.

use chrono::{DateTime, Utc};
use grateful_domain::{
    AuthorRelationship, FeedConfig, FeedCursor, FeedPageRequest, FeedStart, Limit, MAX_CLOCK_SKEW,
    Page, PageRequest, PostForViewer, Score, Signals, Slot, TrendingWindow, Viewer,
};
use grateful_storage::{PostQuery, Reader, Repositories};

use crate::metrics::time_feed;
use crate::{App, Error, Result};

/// A post in a feed, with its score.
#[derive(Debug, Clone, PartialEq)]
pub struct FeedPost {
    /// The post as the viewer sees it.
    pub post: PostForViewer,
    /// Its current score for the viewer.
    pub score: Score,
    /// Whether it fills a ranked or a fresh slot.
    pub slot: Slot,
}

/// A page of the ranked feed.
#[derive(Debug, Clone, PartialEq)]
pub struct FeedPage {
    /// The posts in feed order.
    pub posts: Vec<FeedPost>,
    /// The cursor of the next page, if there is one.
    pub next: Option<FeedCursor>,
}

/// Returns a page of the ranked feed: public posts by score for the viewer, including their own, and a fresh post in every
/// fifth slot. A post dated in the future is left out until its time has come.
///
/// A post that is deleted while the page is composed leaves the page shorter, and its position counts as served.
pub async fn list_ranked(app: &App, viewer: Viewer, request: FeedPageRequest) -> Result<FeedPage> {
    time_feed("ranked", compose_ranked(app, viewer, request)).await
}

async fn compose_ranked(app: &App, viewer: Viewer, request: FeedPageRequest) -> Result<FeedPage> {
    let limit = usize::from(request.limit);
    let (cursor, offset) = match request.start {
        FeedStart::Offset(offset) => (FeedCursor::default(), offset),
        FeedStart::After(cursor) => (cursor, 0),
    };
    let now = app.clock.now();
    let read = async |mut conn: Reader| {
        let composed = conn.feed().compose(viewer, &cursor, now, offset + limit).await?;
        let shown = composed.items.get(offset..).unwrap_or_default();
        let ids: Vec<_> = shown.iter().map(|entry| entry.item.post.id).collect();
        Ok::<_, Error>((conn.posts().find_public(viewer, &ids).await?, composed))
    };
    let (mut posts_by_id, composed) = app.read_replica(read).await?;
    let shown = composed.items.get(offset..).unwrap_or_default();
    let posts = shown.iter().filter_map(|entry| {
        let post = posts_by_id.remove(&entry.item.post.id)?;
        Some(feed_post(post, entry.relationship, entry.item.slot, now))
    });
    let posts = posts.collect();
    let has_more = composed.has_more && composed.items.len() < cursor.positions_left();
    let positions = composed.items.iter().map(|entry| (entry.item.post.id, entry.item.post.author));
    Ok(FeedPage { posts, next: has_more.then(|| cursor.advance(positions)) })
}

/// Returns a page of all public posts, newest first, including the viewer's own. A post dated in the future is left out until
/// its time has come.
pub async fn list_newest(
    app: &App,
    viewer: Viewer,
    page: PageRequest,
) -> Result<Page<PostForViewer>> {
    time_feed("newest", async {
        let now = app.clock.now();
        Ok(app
            .read_replica(async |mut conn| find_newest(&mut conn, viewer, now, page).await)
            .await?)
    })
    .await
}

/// As [`list_newest`], with the score of each post for the viewer. The score does not affect the order.
pub async fn list_newest_scored(
    app: &App,
    viewer: Viewer,
    page: PageRequest,
) -> Result<Page<FeedPost>> {
    time_feed("newest", score_newest(app, viewer, page)).await
}

async fn score_newest(app: &App, viewer: Viewer, page: PageRequest) -> Result<Page<FeedPost>> {
    let now = app.clock.now();
    let read = async |mut conn: Reader| {
        let page = find_newest(&mut conn, viewer, now, page).await?;
        let authors: Vec<_> = page.items.iter().map(|item| item.post.author).collect();
        let relationships = conn.feed().find_author_relationships(viewer, &authors).await?;
        Ok::<_, Error>((page, relationships))
    };
    let (Page { items, next, total }, relationships) = app.read_replica(read).await?;
    let score = |item: PostForViewer| {
        let relationship = relationships.get(&item.post.author).copied();
        feed_post(item, relationship.unwrap_or(AuthorRelationship::Other), Slot::Fresh, now)
    };
    Ok(Page { items: items.into_iter().map(score).collect(), next, total })
}

/// Returns the public posts of the time window with the highest trending score.
pub async fn list_trending(
    app: &App,
    viewer: Viewer,
    window: TrendingWindow,
    limit: Limit,
) -> Result<Vec<PostForViewer>> {
    time_feed("trending", find_trending(app, viewer, window, limit)).await
}

async fn find_trending(
    app: &App,
    viewer: Viewer,
    window: TrendingWindow,
    limit: Limit,
) -> Result<Vec<PostForViewer>> {
    let now = app.clock.now();
    let read = async |mut conn: Reader| {
        let ids = conn.feed().list_trending(viewer, window, now, limit).await?;
        Ok::<_, Error>((conn.posts().find_public(viewer, &ids).await?, ids))
    };
    let (mut posts_by_id, ids) = app.read_replica(read).await?;
    Ok(ids.iter().filter_map(|id| posts_by_id.remove(id)).collect())
}

async fn find_newest(
    conn: &mut Reader,
    viewer: Viewer,
    now: DateTime<Utc>,
    page: PageRequest,
) -> grateful_storage::Result<Page<PostForViewer>> {
    let until_now = PostQuery::visible_to(viewer).until(now + MAX_CLOCK_SKEW);
    conn.posts().list(until_now.page(page)).await
}

fn feed_post(
    post: PostForViewer,
    relationship: AuthorRelationship,
    slot: Slot,
    now: DateTime<Utc>,
) -> FeedPost {
    let score = FeedConfig::STORED.score(&Signals::from(&post.post), relationship, now);
    FeedPost { post, score, slot }
}
