//! What everybody posts.

use chrono::{DateTime, Utc};
use grateful_domain::{
    AuthorRelationship, FeedConfig, FeedCursor, FeedPageRequest, FeedStart, Limit, Page,
    PageRequest, PostForViewer, Score, Signals, Slot, TrendingWindow, Viewer,
};
use grateful_storage::{Connection, PostQuery, Repositories};

use crate::metrics::time_feed;
use crate::{App, Result};

/// A post in a feed, and what put it there.
#[derive(Debug, Clone, PartialEq)]
pub struct FeedPost {
    /// The post as the viewer sees it.
    pub seen: PostForViewer,
    /// What it is worth to the viewer now.
    pub score: Score,
    /// Whether it is there for that, or for being new.
    pub slot: Slot,
}

/// A part of the ranked feed, and where the next one begins.
#[derive(Debug, Clone, PartialEq)]
pub struct FeedPage {
    /// The posts, place by place.
    pub posts: Vec<FeedPost>,
    /// How far the reader has come, where more follow.
    pub next: Option<FeedCursor>,
}

/// Everybody's public posts, the best for the viewer first and every fifth a new one, their own among them.
///
/// A post that goes away while the page is made leaves the page shorter, and counts as met.
pub async fn list_ranked(app: &App, viewer: Viewer, request: FeedPageRequest) -> Result<FeedPage> {
    time_feed("ranked", compose_ranked(app, viewer, request)).await
}

async fn compose_ranked(app: &App, viewer: Viewer, request: FeedPageRequest) -> Result<FeedPage> {
    let mut conn = app.db.acquire().await?;
    let limit = usize::from(request.limit);
    let (walk, passed_over) = match request.start {
        FeedStart::Offset(passed_over) => (FeedCursor::default(), passed_over),
        FeedStart::After(walk) => (walk, 0),
    };
    let composed = conn.feed().compose(viewer, &walk, passed_over + limit).await?;
    let shown = composed.items.get(passed_over..).unwrap_or_default();
    let ids: Vec<_> = shown.iter().map(|it| it.item.post.id).collect();
    let mut seen = conn.posts().find_public(viewer, &ids).await?;
    let now = app.clock.now();
    let posts = shown.iter().filter_map(|it| {
        let seen = seen.remove(&it.item.post.id)?;
        Some(feed_post(seen, it.relationship, it.item.slot, now))
    });
    let posts = posts.collect();
    let goes_on = composed.has_more && composed.items.len() < walk.positions_left();
    let places = composed.items.iter().map(|it| (it.item.post.id, it.item.post.author));
    Ok(FeedPage { posts, next: goes_on.then(|| walk.advance(places)) })
}

/// Everybody's public posts, newest first, the viewer's own among them.
pub async fn list_newest(
    app: &App,
    viewer: Viewer,
    page: PageRequest,
) -> Result<Page<PostForViewer>> {
    time_feed("newest", async {
        Ok(find_newest(&mut *app.db.acquire().await?, viewer, page).await?)
    })
    .await
}

/// As [`list_newest`], and what each post is worth to the viewer now, though that has no say in its place.
pub async fn list_newest_scored(
    app: &App,
    viewer: Viewer,
    page: PageRequest,
) -> Result<Page<FeedPost>> {
    time_feed("newest", score_newest(app, viewer, page)).await
}

async fn score_newest(app: &App, viewer: Viewer, page: PageRequest) -> Result<Page<FeedPost>> {
    let mut conn = app.db.acquire().await?;
    let Page { items, next, total } = find_newest(&mut conn, viewer, page).await?;
    let authors: Vec<_> = items.iter().map(|seen| seen.post.author).collect();
    let relationships = conn.feed().find_author_relationships(viewer, &authors).await?;
    let now = app.clock.now();
    let explain = |seen: PostForViewer| {
        let relationship = relationships.get(&seen.post.author).copied();
        feed_post(seen, relationship.unwrap_or(AuthorRelationship::Other), Slot::Fresh, now)
    };
    Ok(Page { items: items.into_iter().map(explain).collect(), next, total })
}

/// The public posts of the last hours that move people most.
pub async fn list_trending(
    app: &App,
    viewer: Viewer,
    window: TrendingWindow,
    limit: Limit,
) -> Result<Vec<PostForViewer>> {
    time_feed("trending", compose_trending(app, viewer, window, limit)).await
}

async fn compose_trending(
    app: &App,
    viewer: Viewer,
    window: TrendingWindow,
    limit: Limit,
) -> Result<Vec<PostForViewer>> {
    let mut conn = app.db.acquire().await?;
    let ids = conn.feed().list_trending(viewer, window, app.clock.now(), limit).await?;
    let mut seen = conn.posts().find_public(viewer, &ids).await?;
    Ok(ids.iter().filter_map(|id| seen.remove(id)).collect())
}

async fn find_newest(
    conn: &mut Connection,
    viewer: Viewer,
    page: PageRequest,
) -> grateful_storage::Result<Page<PostForViewer>> {
    conn.posts().list(PostQuery::visible_to(viewer).page(page)).await
}

fn feed_post(
    seen: PostForViewer,
    relationship: AuthorRelationship,
    slot: Slot,
    now: DateTime<Utc>,
) -> FeedPost {
    let score = FeedConfig::STORED.score(&Signals::from(&seen.post), relationship, now);
    FeedPost { seen, score, slot }
}
