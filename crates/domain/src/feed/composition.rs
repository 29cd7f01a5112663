//! Which post gets which place.

use std::cmp::Ordering;
use std::collections::HashSet;

use chrono::{DateTime, Utc};
use thiserror::Error;

use super::cursor::{FeedCursor, SeenPostKey};
use super::spacing::Spacing;
use crate::{PostId, UserId};

/// A post that may get a place in somebody's feed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Candidate {
    pub id: PostId,
    pub author: UserId,
    /// Where it stands for this viewer ([`FeedConfig::rank`](super::FeedConfig::rank)).
    pub rank: f64,
    pub created_at: DateTime<Utc>,
}

impl Candidate {
    /// The best first; ties: the newest first, then by id.
    pub fn by_rank(&self, other: &Self) -> Ordering {
        other.rank.total_cmp(&self.rank).then_with(|| self.by_time(other))
    }

    /// The newest first; ties by id.
    pub fn by_time(&self, other: &Self) -> Ordering {
        (other.created_at, other.id).cmp(&(self.created_at, self.id))
    }
}

/// Where the post of a place comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Slot {
    /// It was the best that was left.
    Ranked,
    /// It was the newest that was left.
    Fresh,
}

impl Slot {
    /// Both of them.
    pub const ALL: [Self; 2] = [Self::Ranked, Self::Fresh];

    /// The places of a walk are numbered from 1: of five, the last is for what is new.
    const FRESH_EVERY: usize = 5;

    fn of_place(place: usize) -> Self {
        if place.is_multiple_of(Self::FRESH_EVERY) { Self::Fresh } else { Self::Ranked }
    }

    fn other(self) -> Self {
        match self {
            Self::Ranked => Self::Fresh,
            Self::Fresh => Self::Ranked,
        }
    }

    /// The name under which it is sent.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Ranked => "ranked",
            Self::Fresh => "fresh",
        }
    }
}

/// A post that got a place.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FeedItem {
    pub post: Candidate,
    pub slot: Slot,
}

/// Posts in the order in which places take them.
#[derive(Debug, Clone, PartialEq)]
pub struct CandidateList {
    pub posts: Vec<Candidate>,
    /// Whether nothing is missing behind the last one.
    pub is_complete: bool,
}

/// Where places take their posts from. The two may have posts in common.
#[derive(Debug, Clone, PartialEq)]
pub struct CandidateLists {
    /// The best first.
    pub ranked: CandidateList,
    /// The newest first.
    pub fresh: CandidateList,
}

impl CandidateLists {
    /// Both made from all the posts that there are.
    pub fn of(posts: Vec<Candidate>) -> Self {
        let mut ranked = posts.clone();
        ranked.sort_by(Candidate::by_rank);
        let mut fresh = posts;
        fresh.sort_by(Candidate::by_time);
        let whole = |posts| CandidateList { posts, is_complete: true };
        Self { ranked: whole(ranked), fresh: whole(fresh) }
    }

    fn source(&self, slot: Slot) -> &CandidateList {
        match slot {
            Slot::Ranked => &self.ranked,
            Slot::Fresh => &self.fresh,
        }
    }
}

/// A source was not enough: whatever is left of it is barred by its author's other posts, and behind it there are more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("the posts that were given do not tell who has the next place")]
pub struct NeedMoreCandidates;

/// The posts of the next `most` places of a walk, fewer where no more are left (rules §1).
///
/// Every fifth place takes the newest post that has none yet, all others the best; what one source is out of, the other
/// gives. Of its source a place takes the first post that makes no third one of its author within six places in a row; if
/// there is none, the first.
///
/// # Errors
/// A source that is not [whole](CandidateList::is_complete) ran out of posts before the places were filled.
pub fn compose(
    sources: &CandidateLists,
    walk: &FeedCursor,
    most: usize,
) -> Result<Vec<FeedItem>, NeedMoreCandidates> {
    let mut gone = walk.served_set();
    let mut spacing = walk.spacing().clone();
    let mut placed = Vec::with_capacity(most);
    for place in (walk.positions_served() + 1..).take(most) {
        let Some(next) = next(sources, Slot::of_place(place), &gone, &spacing)? else { break };
        gone.insert(next.post.id.into());
        spacing.push(next.post.author);
        placed.push(next);
    }
    Ok(placed)
}

/// The post for a place of this kind, or of the other where none is left for it.
fn next(
    sources: &CandidateLists,
    slot: Slot,
    gone: &HashSet<SeenPostKey>,
    spacing: &Spacing,
) -> Result<Option<FeedItem>, NeedMoreCandidates> {
    for slot in [slot, slot.other()] {
        if let Some(post) = first(sources.source(slot), gone, spacing)? {
            return Ok(Some(FeedItem { post, slot }));
        }
    }
    Ok(None)
}

fn first(
    source: &CandidateList,
    gone: &HashSet<SeenPostKey>,
    spacing: &Spacing,
) -> Result<Option<Candidate>, NeedMoreCandidates> {
    let mut left = source.posts.iter().filter(|post| !gone.contains(&post.id.into()));
    let Some(first) = left.next() else {
        return if source.is_complete { Ok(None) } else { Err(NeedMoreCandidates) };
    };
    let fits = |post: &&Candidate| !spacing.bars(post.author);
    match std::iter::once(first).chain(left).find(fits) {
        Some(post) => Ok(Some(*post)),
        None if source.is_complete => Ok(Some(*first)),
        None => Err(NeedMoreCandidates),
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;
    use proptest::prelude::*;
    use uuid::Uuid;

    use super::*;

    #[test]
    fn of_twenty_places_four_are_for_the_newest() {
        // The newer, the worse.
        let posts = (1..=30).map(|n| candidate(n, n.into(), f64::from(100 - n), n)).collect();

        let places = compose(&CandidateLists::of(posts), &FeedCursor::default(), 20).unwrap();

        let numbers: Vec<u128> = places.iter().map(|it| number(&it.post)).collect();
        let best_and_newest =
            [1, 2, 3, 4, 30, 5, 6, 7, 8, 29, 9, 10, 11, 12, 28, 13, 14, 15, 16, 27];
        assert_eq!(numbers, best_and_newest);
        let fresh: Vec<usize> = (1..=20).filter(|n| places[n - 1].slot == Slot::Fresh).collect();
        assert_eq!(fresh, [5, 10, 15, 20]);
    }

    #[test]
    fn ties_go_to_the_newest_and_then_by_id() {
        let posts = vec![candidate(1, 1, 7.0, 5), candidate(2, 2, 7.0, 6), candidate(3, 3, 7.0, 6)];

        let places = compose(&CandidateLists::of(posts), &FeedCursor::default(), 3).unwrap();

        assert_eq!(places.iter().map(|it| number(&it.post)).collect::<Vec<_>>(), [3, 2, 1]);
    }

    #[test]
    fn a_third_post_of_an_author_waits_until_six_places_have_no_more_than_two() {
        let mut posts: Vec<_> = (1..=3).map(|n| candidate(n, 1, f64::from(100 - n), n)).collect();
        posts.extend((4..=20).map(|n| candidate(n, n.into(), f64::from(100 - n), n)));

        let places = compose(&CandidateLists::of(posts), &FeedCursor::default(), 8).unwrap();

        assert_eq!(
            places.iter().map(|it| number(&it.post)).collect::<Vec<_>>(),
            [1, 2, 4, 5, 20, 6, 3, 7]
        );
    }

    #[test]
    fn what_one_source_is_out_of_the_other_gives() {
        let posts: Vec<_> = (1..=6).map(|n| candidate(n, n.into(), f64::from(n), n)).collect();
        let CandidateLists { ranked, fresh } = CandidateLists::of(posts.clone());
        let none = CandidateList { posts: Vec::new(), is_complete: true };

        for (sources, slot) in [
            (CandidateLists { ranked, fresh: none.clone() }, Slot::Ranked),
            (CandidateLists { ranked: none, fresh }, Slot::Fresh),
        ] {
            let places = compose(&sources, &FeedCursor::default(), 10).unwrap();
            assert_eq!(places.len(), 6);
            assert!(places.iter().all(|it| it.slot == slot));
        }
    }

    proptest! {
        #[test]
        fn composing_loses_and_repeats_nothing(posts in worlds()) {
            let places = compose(&CandidateLists::of(posts.clone()), &FeedCursor::default(), 1000).unwrap();

            let mut placed: Vec<_> = places.iter().map(|it| it.post.id).collect();
            placed.sort_unstable();
            prop_assert_eq!(placed, posts.iter().map(|post| post.id).collect::<Vec<_>>());
        }

        #[test]
        fn pages_of_any_length_are_parts_of_one_walk(posts in worlds(), limits in prop::collection::vec(1..30_usize, 1..9)) {
            let sources = CandidateLists::of(posts);
            let at_once = compose(&sources, &FeedCursor::default(), 1000).unwrap();

            let (mut walk, mut in_pages) = (FeedCursor::default(), Vec::new());
            for limit in limits.iter().cycle() {
                let page = compose(&sources, &walk, *limit).unwrap();
                if page.is_empty() {
                    break;
                }
                // Every page is asked for by what the one before it handed out.
                let next = walk.advance(page.iter().map(|it| (it.post.id, it.post.author)));
                walk = FeedCursor::from_cursor(&next.to_cursor()).unwrap();
                in_pages.extend(page);
            }

            prop_assert_eq!(in_pages, at_once);
        }

        #[test]
        fn every_place_has_the_first_that_fits(posts in worlds()) {
            let places = compose(&CandidateLists::of(posts.clone()), &FeedCursor::default(), 1000).unwrap();

            for (at, place) in places.iter().enumerate() {
                let slot = if (at + 1) % 5 == 0 { Slot::Fresh } else { Slot::Ranked };
                let order = if slot == Slot::Fresh { Candidate::by_time } else { Candidate::by_rank };
                let before = &places[at.saturating_sub(5)..at];
                let is_third = |post: &Candidate| {
                    before.iter().filter(|it| it.post.author == post.author).count() >= 2
                };
                let left = || places[at..].iter().map(|it| it.post);
                let fitting = left().filter(|post| !is_third(post)).min_by(order);
                prop_assert_eq!(Some(place.post), fitting.or_else(|| left().min_by(order)));
                prop_assert_eq!(place.slot, slot);
            }
        }

        #[test]
        fn among_many_authors_none_has_three_of_six(posts in prop::collection::vec(0..10_000_u32, 40..120)) {
            // Each of 13 authors has as many as every other, so that until few are left there is always one who fits.
            let posts: Vec<_> = (0_u32..).zip(&posts)
                .map(|(n, rank)| candidate(n, (n % 13).into(), f64::from(*rank), *rank))
                .collect();
            let places = compose(&CandidateLists::of(posts.clone()), &FeedCursor::default(), posts.len() / 3).unwrap();

            for six in places.windows(6) {
                for place in six {
                    let author = place.post.author;
                    prop_assert!(six.iter().filter(|it| it.post.author == author).count() <= 2);
                }
            }
        }

        /// What is read of a large database is the beginning of each source.
        #[test]
        fn the_beginnings_of_sources_give_the_same_or_say_that_they_do_not(
            posts in worlds(), ranked in 0..60_usize, fresh in 0..60_usize, most in 1..30_usize,
        ) {
            let whole = CandidateLists::of(posts);
            let part = CandidateLists { ranked: beginning(&whole.ranked, ranked), fresh: beginning(&whole.fresh, fresh) };

            if let Ok(places) = compose(&part, &FeedCursor::default(), most) {
                prop_assert_eq!(Ok(places), compose(&whole, &FeedCursor::default(), most));
            }
        }
    }

    fn beginning(source: &CandidateList, length: usize) -> CandidateList {
        let posts: Vec<_> = source.posts.iter().take(length).copied().collect();
        CandidateList { is_complete: posts.len() == source.posts.len(), posts }
    }

    /// Up to 120 posts by few authors or many, some of whom have most of the best or newest.
    fn worlds() -> impl Strategy<Value = Vec<Candidate>> {
        let post = (0..40_i64, 0..50_u32, 0..50_u32);
        (1..40_i64, prop::collection::vec(post, 0..120)).prop_map(|(authors, posts)| {
            let post = |(n, (author, rank, at)): (u32, (i64, u32, u32))| {
                candidate(n, author % authors, f64::from(rank), at)
            };
            (0..).zip(posts).map(post).collect()
        })
    }

    fn candidate(n: u32, author: i64, rank: f64, at: u32) -> Candidate {
        Candidate {
            id: Uuid::from_u128(n.into()).into(),
            author: author.into(),
            rank,
            created_at: DateTime::UNIX_EPOCH + TimeDelta::seconds(at.into()),
        }
    }

    fn number(post: &Candidate) -> u128 {
        Uuid::from(post.id).as_u128()
    }
}
