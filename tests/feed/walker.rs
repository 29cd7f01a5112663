//! Somebody who walks through the feed, and looks back at what they met.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use grateful_application::{App, feed};
use grateful_domain::{FeedCursor, FeedPageRequest, FeedStart, Limit, Slot, UserId, Viewer};
use grateful_tests::SqlConnection;
use uuid::Uuid;

use crate::dice::Dice;
use crate::world::{Post, Stage, posts_seen_by};

/// How long somebody reads a page, at most, in milliseconds.
const READING: usize = 300;

pub(crate) struct Walker {
    pub(crate) me: i64,
    pub(crate) nodes: Vec<App>,
    pub(crate) sql: SqlConnection,
    pub(crate) world: Arc<Stage>,
    pub(crate) dice: Dice,
}

/// What walks came to.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Findings {
    pub(crate) walks: usize,
    pub(crate) pages: usize,
    pub(crate) met: usize,
    pub(crate) read_to_the_end: usize,
    pub(crate) read_to_place_500: usize,
    /// How many posts that stayed were looked for.
    pub(crate) comparisons: usize,
    pub(crate) repeats: usize,
    pub(crate) holes: usize,
}

/// A post that was met, and where.
struct Met {
    id: Uuid,
    author: i64,
    slot: Slot,
    /// Whether everything just before it is known: a post that goes away while its page is made has a place, but is not met.
    is_certain: bool,
}

impl Findings {
    pub(crate) fn and(self, other: Self) -> Self {
        Self {
            walks: self.walks + other.walks,
            pages: self.pages + other.pages,
            met: self.met + other.met,
            read_to_the_end: self.read_to_the_end + other.read_to_the_end,
            read_to_place_500: self.read_to_place_500 + other.read_to_place_500,
            comparisons: self.comparisons + other.comparisons,
            repeats: self.repeats + other.repeats,
            holes: self.holes + other.holes,
        }
    }
}

impl Walker {
    /// Walks to the end, again and again until then.
    pub(crate) async fn walk_until(mut self, until: Instant) -> Findings {
        let mut findings = Findings::default();
        while Instant::now() < until {
            findings = findings.and(self.walk().await);
        }
        findings
    }

    async fn walk(&mut self) -> Findings {
        let before = posts_seen_by(&self.sql, self.me).await;
        let (mut met, mut pages, mut places) = (Vec::new(), 0, 0);
        let mut start = FeedStart::Offset(0);
        loop {
            let limit = Limit::parse(i64::try_from(1 + self.dice.below(50)).unwrap()).unwrap();
            let node = &self.nodes[self.dice.below(self.nodes.len())];
            let viewer = Viewer::User(UserId::from(self.me));
            let leg =
                feed::list_ranked(node, viewer, FeedPageRequest { limit, start }).await.unwrap();
            pages += 1;
            let till =
                leg.next.as_ref().map_or(places + leg.posts.len(), FeedCursor::positions_served);
            let is_certain = till == places + leg.posts.len();
            met.extend(leg.posts.into_iter().map(|post| Met {
                id: post.post.post.id.into(),
                author: post.post.post.author.into(),
                slot: post.slot,
                is_certain,
            }));
            places = till;
            let Some(walk) = leg.next else { break };
            // As it travels.
            start = FeedStart::After(FeedCursor::from_cursor(&walk.to_cursor()).unwrap());
            let reading = self.dice.below(READING).try_into().unwrap();
            tokio::time::sleep(Duration::from_millis(reading)).await;
        }
        let after = posts_seen_by(&self.sql, self.me).await;
        let is_whole = places < FeedCursor::MAX_POSITIONS;
        let blocks = self.world.blocks_of(self.me);
        let unmet = unmet(&before, &after, &met, &blocks);
        let holes = if is_whole {
            unmet.len()
        } else {
            let follows = self.world.follows_of(self.me);
            let bounds = Bound::of(&met, &before, &after, &follows);
            unmet.iter().filter(|post| is_passed_over(post, &met, &bounds, &follows)).count()
        };
        let distinct: HashSet<Uuid> = met.iter().map(|it| it.id).collect();
        Findings {
            walks: 1,
            pages,
            met: met.len(),
            read_to_the_end: usize::from(is_whole),
            read_to_place_500: usize::from(!is_whole),
            comparisons: before.iter().filter(|it| !blocks.contains(&it.author)).count(),
            repeats: met.len() - distinct.len(),
            holes,
        }
    }
}

/// What was there before and after the walk, and never across a block, but was not met.
fn unmet(before: &[Post], after: &[Post], met: &[Met], blocks: &HashSet<i64>) -> Vec<Post> {
    let is_there: HashSet<Uuid> = after.iter().map(|it| it.id).collect();
    let is_met: HashSet<Uuid> = met.iter().map(|it| it.id).collect();
    let stayed =
        before.iter().filter(|it| is_there.contains(&it.id) && !blocks.contains(&it.author));
    stayed.filter(|it| !is_met.contains(&it.id)).cloned().collect()
}

/// What a post that was not met must not have been at a place: the most that the one which was met can have been.
struct Bound {
    slot: Slot,
    /// The rank of that one, at most: nobody takes a heart back, so that it stood no higher than after the walk. Nothing is
    /// known of one that is gone by then.
    rank: f64,
    /// Its time and id, as far as they are known.
    time: (i64, Uuid),
}

impl Bound {
    fn of(met: &[Met], before: &[Post], after: &[Post], follows: &HashSet<i64>) -> Vec<Self> {
        let lift = |it: &Post| if it.followed || follows.contains(&it.author) { 1.0 } else { 0.0 };
        let ranks: HashMap<Uuid, f64> =
            after.iter().map(|it| (it.id, it.rank + lift(it))).collect();
        let times: HashMap<Uuid, (i64, Uuid)> =
            before.iter().chain(after).map(|it| (it.id, (it.at, it.id))).collect();
        let bound = |it: &Met| Self {
            slot: it.slot,
            rank: ranks.get(&it.id).copied().unwrap_or(f64::INFINITY),
            time: times.get(&it.id).copied().unwrap_or((i64::MAX, Uuid::max())),
        };
        met.iter().map(bound).collect()
    }

    /// Whether a post of this time, and always of this rank at least, should have come before.
    fn is_below(&self, rank: f64, time: (i64, Uuid)) -> bool {
        match self.slot {
            Slot::Ranked => self.rank < rank,
            Slot::Fresh => self.time < time,
        }
    }
}

/// Whether some place should have had this post rather than the one it had, since it was better all the time, or newer where
/// that counts, and its author was not barred. A follow that was made or ended meanwhile counts against it.
fn is_passed_over(post: &Post, met: &[Met], bounds: &[Bound], follows: &HashSet<i64>) -> bool {
    let lift = if post.followed && !follows.contains(&post.author) { 1.0 } else { 0.0 };
    let (rank, time) = (post.rank + lift, (post.at, post.id));
    (0..met.len())
        .any(|place| bounds[place].is_below(rank, time) && could_have_been(post, place, met))
}

/// Whether it is certain that this post was not barred from a place.
fn could_have_been(post: &Post, place: usize, met: &[Met]) -> bool {
    let recent = &met[place.saturating_sub(5)..place];
    let of_author = recent.iter().filter(|it| it.author == post.author).count();
    of_author < 2 && met[place].is_certain && recent.iter().all(|it| it.is_certain)
}
