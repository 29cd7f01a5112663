//! A user who pages through the ranked feed and checks which posts were returned.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use grateful_application::{App, feed};
use grateful_domain::{FeedCursor, FeedPageRequest, FeedStart, Limit, Slot, UserId, Viewer};
use grateful_tests::SqlConnection;
use uuid::Uuid;

use crate::dataset::{Dataset, Post, list_public_posts};
use crate::rng::Rng;

/// The maximum pause between two pages in milliseconds.
const MAX_PAUSE_MS: usize = 300;

pub(crate) struct Reader {
    pub(crate) user: i64,
    pub(crate) nodes: Vec<App>,
    pub(crate) sql: SqlConnection,
    pub(crate) dataset: Arc<Dataset>,
    pub(crate) rng: Rng,
}

/// Counts over all passes through the feed.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct ReadReport {
    pub(crate) passes: usize,
    pub(crate) pages: usize,
    pub(crate) posts: usize,
    /// Passes that reached the end of the feed.
    pub(crate) complete_passes: usize,
    /// Passes that ended at [`FeedCursor::MAX_POSITIONS`].
    pub(crate) truncated_passes: usize,
    /// How many expected posts were looked up among the returned ones.
    pub(crate) comparisons: usize,
    pub(crate) repeated: usize,
    pub(crate) missed: usize,
}

/// A post that the feed returned.
struct ServedPost {
    id: Uuid,
    author: i64,
    slot: Slot,
    /// Whether all posts at the positions directly before it are known. A post that is deleted while its page is composed
    /// takes up a position but is not returned.
    is_position_certain: bool,
}

impl ReadReport {
    pub(crate) fn merge(self, other: Self) -> Self {
        Self {
            passes: self.passes + other.passes,
            pages: self.pages + other.pages,
            posts: self.posts + other.posts,
            complete_passes: self.complete_passes + other.complete_passes,
            truncated_passes: self.truncated_passes + other.truncated_passes,
            comparisons: self.comparisons + other.comparisons,
            repeated: self.repeated + other.repeated,
            missed: self.missed + other.missed,
        }
    }
}

impl Reader {
    /// Reads the feed repeatedly until `end`.
    pub(crate) async fn read_until(mut self, end: Instant) -> ReadReport {
        let mut report = ReadReport::default();
        while Instant::now() < end {
            report = report.merge(self.read_feed().await);
        }
        report
    }

    /// Reads all pages of the feed, and compares the returned posts with those that existed before and after.
    async fn read_feed(&mut self) -> ReadReport {
        let before = list_public_posts(&self.sql, self.user).await;
        let (mut served, mut pages, mut positions) = (Vec::new(), 0, 0);
        let mut reachable;
        let mut start = FeedStart::Offset(0);
        loop {
            let limit = Limit::parse(i64::try_from(1 + self.rng.below(50)).unwrap()).unwrap();
            let node = &self.nodes[self.rng.below(self.nodes.len())];
            let viewer = Viewer::User(UserId::from(self.user));
            let page =
                feed::list_ranked(node, viewer, FeedPageRequest { limit, start }).await.unwrap();
            pages += 1;
            reachable = positions + usize::from(limit);
            let positions_after = page
                .next
                .as_ref()
                .map_or(positions + page.posts.len(), FeedCursor::positions_served);
            let is_position_certain = positions_after == positions + page.posts.len();
            served.extend(page.posts.into_iter().map(|post| ServedPost {
                id: post.post.post.id.into(),
                author: post.post.post.author.into(),
                slot: post.slot,
                is_position_certain,
            }));
            positions = positions_after;
            let Some(cursor) = page.next else { break };
            start = FeedStart::After(cursor);
            let pause = self.rng.below(MAX_PAUSE_MS).try_into().unwrap();
            tokio::time::sleep(Duration::from_millis(pause)).await;
        }
        let after = list_public_posts(&self.sql, self.user).await;
        // Posts that are deleted while the last page is read make it shorter, so its length does not tell whether the feed
        // ended because there were no more posts.
        let is_complete = reachable < FeedCursor::MAX_POSITIONS;
        let blocks = self.dataset.changed_blocks_of(self.user);
        let unserved = find_unserved(&before, &after, &served, &blocks);
        let missed = if is_complete {
            unserved.len()
        } else {
            let follows = self.dataset.changed_follows_of(self.user);
            let bounds = PostBound::of_all(&served, &before, &after, &follows);
            unserved.iter().filter(|post| is_missed(post, &served, &bounds, &follows)).count()
        };
        let distinct: HashSet<Uuid> = served.iter().map(|post| post.id).collect();
        ReadReport {
            passes: 1,
            pages,
            posts: served.len(),
            complete_passes: usize::from(is_complete),
            truncated_passes: usize::from(!is_complete),
            comparisons: before.iter().filter(|post| !blocks.contains(&post.author)).count(),
            repeated: served.len() - distinct.len(),
            missed,
        }
    }
}

/// The posts that existed before and after the pass, had no change of blocks, and were not returned.
fn find_unserved(
    before: &[Post],
    after: &[Post],
    served: &[ServedPost],
    blocks: &HashSet<i64>,
) -> Vec<Post> {
    let after: HashSet<Uuid> = after.iter().map(|post| post.id).collect();
    let served: HashSet<Uuid> = served.iter().map(|post| post.id).collect();
    let expected =
        before.iter().filter(|post| after.contains(&post.id) && !blocks.contains(&post.author));
    expected.filter(|post| !served.contains(&post.id)).cloned().collect()
}

/// Upper bounds for the post served at one position. A post that always exceeded them should have been served there.
struct PostBound {
    slot: Slot,
    /// The maximum rank of the post. Hearts are never removed, so the rank was never higher than after the pass. Infinite if
    /// the post was deleted, since its last rank is unknown.
    rank: f64,
    /// Creation time and id, or the maximum if they are unknown.
    time: (i64, Uuid),
}

impl PostBound {
    fn of_all(
        served: &[ServedPost],
        before: &[Post],
        after: &[Post],
        follows: &HashSet<i64>,
    ) -> Vec<Self> {
        let max_boost = |post: &Post| {
            if post.is_followed || follows.contains(&post.author) { 1.0 } else { 0.0 }
        };
        let ranks: HashMap<Uuid, f64> =
            after.iter().map(|post| (post.id, post.rank + max_boost(post))).collect();
        let times: HashMap<Uuid, (i64, Uuid)> =
            before.iter().chain(after).map(|post| (post.id, (post.created_at, post.id))).collect();
        let bound = |post: &ServedPost| Self {
            slot: post.slot,
            rank: ranks.get(&post.id).copied().unwrap_or(f64::INFINITY),
            time: times.get(&post.id).copied().unwrap_or((i64::MAX, Uuid::max())),
        };
        served.iter().map(bound).collect()
    }

    /// Whether a post of this time, whose rank was always at least `rank`, precedes the served post.
    fn is_below(&self, rank: f64, time: (i64, Uuid)) -> bool {
        match self.slot {
            Slot::Ranked => self.rank < rank,
            Slot::Fresh => self.time < time,
        }
    }
}

/// Whether a post should have been served at some position instead of the post there: it always had the higher rank, or was
/// newer in a fresh slot, and spacing did not exclude its author. A follow that changed during the pass does not boost it.
fn is_missed(
    post: &Post,
    served: &[ServedPost],
    bounds: &[PostBound],
    follows: &HashSet<i64>,
) -> bool {
    let min_boost = if post.is_followed && !follows.contains(&post.author) { 1.0 } else { 0.0 };
    let (rank, time) = (post.rank + min_boost, (post.created_at, post.id));
    (0..served.len()).any(|position| {
        bounds[position].is_below(rank, time) && is_allowed_at(post, position, served)
    })
}

/// Whether spacing certainly allows this post's author at a position.
fn is_allowed_at(post: &Post, position: usize, served: &[ServedPost]) -> bool {
    let recent = &served[position.saturating_sub(5)..position];
    let by_author = recent.iter().filter(|other| other.author == post.author).count();
    by_author < 2
        && served[position].is_position_certain
        && recent.iter().all(|other| other.is_position_certain)
}
