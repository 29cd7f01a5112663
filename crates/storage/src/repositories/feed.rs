//! The ranked feed and trending posts. These are only ids: visibility is checked again where the posts are loaded.

mod candidates;
mod trending;

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use grateful_domain::{
    AuthorRelationship, Candidate, CandidateList, CandidateLists, FeedCursor, FeedItem, Limit,
    PostId, Slot, TrendingWindow, UserId, Viewer, compose,
};
use uuid::Uuid;

use self::candidates::{CandidateRow, FirstCandidates, depth};
use self::trending::Trending;
use crate::monitor::metrics::FEED_CANDIDATES;
use crate::schema::follows;
use crate::{Connection, ReadConnection, Result};

/// The repository of feeds.
pub struct Feed<'c, C = Connection> {
    pub(super) conn: &'c mut C,
}

/// A page of the ranked feed.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct FeedPage {
    /// The posts, in order of their positions.
    pub items: Vec<FeedPageItem>,
    /// Whether there are posts after the last one.
    pub has_more: bool,
}

/// A post on a page of the ranked feed.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct FeedPageItem {
    /// The post and the slot that it fills.
    pub item: FeedItem,
    /// The relationship of its author to the viewer.
    pub relationship: AuthorRelationship,
}

impl<C: ReadConnection> Feed<'_, C> {
    /// Composes the next page of a feed: at most `limit` posts, and at most [`FeedCursor::MAX_POSITIONS`] in the whole feed.
    /// It has exactly the posts that it would have if all public posts by authors without a block to or from the viewer were
    /// candidates. A post dated in the future is none until its time has come (see [`grateful_domain::MAX_CLOCK_SKEW`]).
    ///
    /// Runs one statement, or two if one author has a third of the best or of the newest posts. `candidates.rs` says how
    /// many rows they read.
    pub async fn compose(
        &mut self,
        viewer: Viewer,
        cursor: &FeedCursor,
        now: DateTime<Utc>,
        limit: usize,
    ) -> Result<FeedPage> {
        let limit = limit.min(cursor.positions_left());
        // One more than the positions of the page, to know whether there is a next page.
        let needed = limit + 1;
        let first = FirstCandidates::of(viewer, cursor, now, needed);
        let mut rows: Vec<CandidateRow> = first.load(self.conn).await?;
        let ranked_count = count(&rows, Slot::Ranked);
        let lists = candidate_lists(&rows, |slot| count(&rows, slot) < depth(needed));
        let items = if let Ok(items) = compose(&lists, cursor, limit) {
            items
        } else {
            let full = |slot| full_authors(&rows, slot, needed);
            let more = FirstCandidates::of(viewer, cursor, now, needed)
                .without_authors(full(Slot::Ranked), full(Slot::Fresh));
            rows.extend(more.load::<CandidateRow>(self.conn).await?);
            // With these candidates, the page is the same as with complete lists. With complete lists, `compose` never
            // fails.
            compose(&candidate_lists(&rows, |_| true), cursor, limit).unwrap_or_default()
        };
        let candidate_count = u32::try_from(rows.len()).unwrap_or(u32::MAX);
        metrics::histogram!(FEED_CANDIDATES).record(candidate_count);
        let has_more = items.len() < ranked_count;
        let followed: HashSet<UserId> =
            rows.iter().filter(|row| row.followed).map(|row| row.author_id.into()).collect();
        let page_item = |item: FeedItem| FeedPageItem {
            relationship: relationship(followed.contains(&item.post.author)),
            item,
        };
        Ok(FeedPage { items: items.into_iter().map(page_item).collect(), has_more })
    }

    /// Lists trending public posts, most trending first, without authors with a block to or from the viewer.
    ///
    /// Runs one statement. `trending.rs` says how many rows it reads.
    pub async fn list_trending(
        &mut self,
        viewer: Viewer,
        window: TrendingWindow,
        now: DateTime<Utc>,
        limit: Limit,
    ) -> Result<Vec<PostId>> {
        let ids: Vec<Uuid> = Trending::of(viewer, window, now, limit).load(self.conn).await?;
        Ok(ids.into_iter().map(PostId::from).collect())
    }

    /// Finds the relationship of each of these authors to the viewer, in one statement.
    pub async fn find_author_relationships(
        &mut self,
        viewer: Viewer,
        authors: &[UserId],
    ) -> Result<HashMap<UserId, AuthorRelationship>> {
        let ids: Vec<i64> = authors.iter().copied().map(i64::from).collect();
        let followed: Vec<i64> = follows::table
            .filter(follows::follower_id.nullable().eq(viewer.user().map(i64::from)))
            .filter(follows::followed_id.eq_any(ids))
            .filter(follows::status.eq("active"))
            .select(follows::followed_id)
            .load(self.conn)
            .await?;
        let followed: HashSet<UserId> = followed.into_iter().map(UserId::from).collect();
        let relationship_of = |author: &UserId| relationship(followed.contains(author));
        Ok(authors.iter().map(|author| (*author, relationship_of(author))).collect())
    }
}

fn relationship(is_followed: bool) -> AuthorRelationship {
    if is_followed { AuthorRelationship::Followed } else { AuthorRelationship::Other }
}

fn candidate_lists(rows: &[CandidateRow], is_complete: impl Fn(Slot) -> bool) -> CandidateLists {
    let list = |slot, order: fn(&Candidate, &Candidate) -> std::cmp::Ordering| {
        let mut posts: Vec<Candidate> =
            rows.iter().filter(|row| row.slot() == slot).map(CandidateRow::candidate).collect();
        posts.sort_by(order);
        CandidateList { posts, is_complete: is_complete(slot) }
    };
    CandidateLists {
        ranked: list(Slot::Ranked, Candidate::by_rank),
        fresh: list(Slot::Fresh, Candidate::by_time),
    }
}

fn count(rows: &[CandidateRow], slot: Slot) -> usize {
    rows.iter().filter(|row| row.slot() == slot).count()
}

/// The authors with enough candidates in a list that a page cannot use them up.
fn full_authors(rows: &[CandidateRow], slot: Slot, needed: usize) -> Vec<i64> {
    let mut posts: HashMap<i64, usize> = HashMap::new();
    for row in rows.iter().filter(|row| row.slot() == slot) {
        *posts.entry(row.author_id).or_default() += 1;
    }
    posts.into_iter().filter(|(_, count)| needed <= *count).map(|(author, _)| author).collect()
}
