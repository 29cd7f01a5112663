//! Feeds: which posts stand where for somebody. Whether they may be seen is asked again where they are read.

/// Those across a block from `$1`, whoever set it.
macro_rules! blocked_users {
    () => {
        "SELECT followed_id AS id FROM follows WHERE follower_id = $1 AND status = 'blocked'
        UNION ALL
        SELECT follower_id FROM follows WHERE followed_id = $1 AND status = 'blocked'"
    };
}

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
use crate::{Connection, Result};

/// Feeds, as seen through one connection.
pub struct Feed<'c> {
    pub(super) conn: &'c mut Connection,
}

/// A stretch of somebody's ranked feed.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct FeedPage {
    /// What is there, place by place.
    pub items: Vec<FeedPageItem>,
    /// Whether there are posts behind the last place.
    pub has_more: bool,
}

/// A post that got a place in somebody's ranked feed.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct FeedPageItem {
    /// The post and why it is here.
    pub item: FeedItem,
    /// What its author is to the viewer.
    pub relationship: AuthorRelationship,
}

impl Feed<'_> {
    /// The next places of a walk, at most `limit` and [as many as a walk has](FeedCursor::MAX_POSITIONS): exactly those that all public
    /// posts together would give, none across a block.
    ///
    /// One statement, or two where an author has a third of the best or of the newest posts. `candidates.rs` says how many rows
    /// they read.
    pub async fn compose(
        &mut self,
        viewer: Viewer,
        cursor: &FeedCursor,
        limit: usize,
    ) -> Result<FeedPage> {
        let limit = limit.min(cursor.positions_left());
        // One more than there are places, which tells whether the feed goes on.
        let needed = limit + 1;
        let beginnings = FirstCandidates::of(viewer, cursor, needed);
        let mut rows: Vec<CandidateRow> = beginnings.load(self.conn).await?;
        let found = count(&rows, Slot::Ranked);
        let short = candidate_lists(&rows, |slot| count(&rows, slot) < depth(needed));
        let items = if let Ok(items) = compose(&short, cursor, limit) {
            items
        } else {
            let full = |slot| full_authors(&rows, slot, needed);
            let deeper = FirstCandidates::of(viewer, cursor, needed)
                .without_authors(full(Slot::Ranked), full(Slot::Fresh));
            rows.extend(deeper.load::<CandidateRow>(self.conn).await?);
            // By now it is as if they were whole, and those starve nobody.
            compose(&candidate_lists(&rows, |_| true), cursor, limit).unwrap_or_default()
        };
        let read = u32::try_from(rows.len()).unwrap_or(u32::MAX);
        metrics::histogram!(FEED_CANDIDATES).record(read);
        let has_more = items.len() < found;
        let followed: HashSet<UserId> =
            rows.iter().filter(|row| row.followed).map(|row| row.author_id.into()).collect();
        let page_item = |item: FeedItem| FeedPageItem {
            relationship: relationship(followed.contains(&item.post.author)),
            item,
        };
        Ok(FeedPage { items: items.into_iter().map(page_item).collect(), has_more })
    }

    /// What is trending among public posts, the most moving first, none across a block.
    ///
    /// One statement; `trending.rs` says how many rows it reads.
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

    /// What each of these people is to the viewer, in one statement.
    pub async fn find_author_relationships(
        &mut self,
        viewer: Viewer,
        people: &[UserId],
    ) -> Result<HashMap<UserId, AuthorRelationship>> {
        let ids: Vec<i64> = people.iter().copied().map(i64::from).collect();
        let followed: Vec<i64> = follows::table
            .filter(follows::follower_id.nullable().eq(viewer.user().map(i64::from)))
            .filter(follows::followed_id.eq_any(ids))
            .filter(follows::status.eq("active"))
            .select(follows::followed_id)
            .load(self.conn)
            .await?;
        let followed: HashSet<UserId> = followed.into_iter().map(UserId::from).collect();
        Ok(people.iter().map(|person| (*person, relationship(followed.contains(person)))).collect())
    }
}

fn relationship(is_followed: bool) -> AuthorRelationship {
    if is_followed { AuthorRelationship::Followed } else { AuthorRelationship::Other }
}

fn candidate_lists(rows: &[CandidateRow], is_whole: impl Fn(Slot) -> bool) -> CandidateLists {
    let source = |slot, order: fn(&Candidate, &Candidate) -> std::cmp::Ordering| {
        let mut posts: Vec<Candidate> =
            rows.iter().filter(|row| row.slot() == slot).map(CandidateRow::candidate).collect();
        posts.sort_by(order);
        CandidateList { posts, is_complete: is_whole(slot) }
    };
    CandidateLists {
        ranked: source(Slot::Ranked, Candidate::by_rank),
        fresh: source(Slot::Fresh, Candidate::by_time),
    }
}

fn count(rows: &[CandidateRow], slot: Slot) -> usize {
    rows.iter().filter(|row| row.slot() == slot).count()
}

/// Who has so many posts in a source that no stretch runs out of them.
fn full_authors(rows: &[CandidateRow], slot: Slot, needed: usize) -> Vec<i64> {
    let mut posts: HashMap<i64, usize> = HashMap::new();
    for row in rows.iter().filter(|row| row.slot() == slot) {
        *posts.entry(row.author_id).or_default() += 1;
    }
    posts.into_iter().filter(|(_, count)| needed <= *count).map(|(author, _)| author).collect()
}
