//! Assigns posts to the positions of the ranked feed (docs/rules.md#composition).

use std::cmp::Ordering;
use std::collections::HashSet;

use chrono::{DateTime, Utc};
use thiserror::Error;

use super::cursor::{FeedCursor, SeenPostKey};
use super::spacing::Spacing;
use crate::{PostId, UserId, closed_enum};

/// A post that can get a position in a viewer's feed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Candidate {
    pub id: PostId,
    pub author: UserId,
    /// The rank for this viewer ([`FeedConfig::rank`](super::FeedConfig::rank)).
    pub rank: f64,
    pub created_at: DateTime<Utc>,
}

impl Candidate {
    /// Compares by rank, highest first; ties by [`Candidate::by_time`].
    pub fn by_rank(&self, other: &Self) -> Ordering {
        other.rank.total_cmp(&self.rank).then_with(|| self.by_time(other))
    }

    /// Compares by time, newest first; ties by id, greatest first.
    pub fn by_time(&self, other: &Self) -> Ordering {
        (other.created_at, other.id).cmp(&(self.created_at, self.id))
    }
}

closed_enum! {
    /// Which list the post at a position comes from.
    pub enum Slot {
        /// The candidates by rank.
        Ranked = "ranked",
        /// The candidates by time.
        Fresh = "fresh",
    }
}

impl Slot {
    /// Every fifth position is a fresh one. Positions are counted from 1.
    const FRESH_EVERY: usize = 5;

    fn at_position(position: usize) -> Self {
        if position.is_multiple_of(Self::FRESH_EVERY) { Self::Fresh } else { Self::Ranked }
    }

    fn other(self) -> Self {
        match self {
            Self::Ranked => Self::Fresh,
            Self::Fresh => Self::Ranked,
        }
    }
}

/// A post with the slot that it was chosen for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FeedItem {
    pub post: Candidate,
    pub slot: Slot,
}

/// Candidates in the order in which they are chosen.
#[derive(Debug, Clone, PartialEq)]
pub struct CandidateList {
    pub posts: Vec<Candidate>,
    /// Whether there are no further candidates after the last one.
    pub is_complete: bool,
}

/// The candidates by rank and by time. A post can be in both lists.
#[derive(Debug, Clone, PartialEq)]
pub struct CandidateLists {
    /// Highest rank first.
    pub ranked: CandidateList,
    /// Newest first.
    pub fresh: CandidateList,
}

impl CandidateLists {
    /// Sorts all existing posts into two complete lists.
    pub fn from_posts(posts: Vec<Candidate>) -> Self {
        let mut ranked = posts.clone();
        ranked.sort_by(Candidate::by_rank);
        let mut fresh = posts;
        fresh.sort_by(Candidate::by_time);
        let complete = |posts| CandidateList { posts, is_complete: true };
        Self { ranked: complete(ranked), fresh: complete(fresh) }
    }

    fn list(&self, slot: Slot) -> &CandidateList {
        match slot {
            Slot::Ranked => &self.ranked,
            Slot::Fresh => &self.fresh,
        }
    }
}

/// An incomplete [`CandidateList`] ran out of suitable posts. Call again with longer lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("the candidate lists are too short to decide which post comes next")]
pub struct NeedMoreCandidates;

/// Chooses the posts for the next `limit` positions after `cursor`; fewer if no posts are left
/// (docs/rules.md#composition).
///
/// Every fifth position takes the newest remaining post, and all other positions take the remaining post with the highest
/// rank. If one list has no posts left, the other list supplies the post. Each position takes the first post of its list
/// that is not the third by its author within six consecutive positions; if there is none, it takes the first post.
///
/// # Errors
/// A list that is not [complete](CandidateList::is_complete) ran out of posts before the positions were filled.
pub fn compose(
    lists: &CandidateLists,
    cursor: &FeedCursor,
    limit: usize,
) -> Result<Vec<FeedItem>, NeedMoreCandidates> {
    let mut seen = cursor.seen_set();
    let mut spacing = cursor.spacing().clone();
    let mut items = Vec::with_capacity(limit);
    for position in (cursor.positions_served() + 1..).take(limit) {
        let slot = Slot::at_position(position);
        let Some(item) = choose(lists, slot, &seen, &spacing)? else { break };
        seen.insert(item.post.id.into());
        spacing.push(item.post.author);
        items.push(item);
    }
    Ok(items)
}

/// Chooses the post for a position of this slot, from the list of the other slot if this one has none left.
fn choose(
    lists: &CandidateLists,
    slot: Slot,
    seen: &HashSet<SeenPostKey>,
    spacing: &Spacing,
) -> Result<Option<FeedItem>, NeedMoreCandidates> {
    for slot in [slot, slot.other()] {
        if let Some(post) = choose_from(lists.list(slot), seen, spacing)? {
            return Ok(Some(FeedItem { post, slot }));
        }
    }
    Ok(None)
}

fn choose_from(
    list: &CandidateList,
    seen: &HashSet<SeenPostKey>,
    spacing: &Spacing,
) -> Result<Option<Candidate>, NeedMoreCandidates> {
    let mut remaining = list.posts.iter().filter(|post| !seen.contains(&post.id.into()));
    let Some(first) = remaining.next() else {
        return if list.is_complete { Ok(None) } else { Err(NeedMoreCandidates) };
    };
    let is_allowed = |post: &&Candidate| !spacing.would_be_third(post.author);
    match std::iter::once(first).chain(remaining).find(is_allowed) {
        Some(post) => Ok(Some(*post)),
        None if list.is_complete => Ok(Some(*first)),
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
    fn four_of_twenty_positions_are_fresh() {
        // The newer the post, the lower its rank.
        let posts = (1..=30).map(|n| candidate(n, n.into(), f64::from(100 - n), n)).collect();

        let items = compose_all(posts, 20);

        let expected = [1, 2, 3, 4, 30, 5, 6, 7, 8, 29, 9, 10, 11, 12, 28, 13, 14, 15, 16, 27];
        assert_eq!(numbers(&items), expected);
        let fresh: Vec<usize> = (1..=20).filter(|n| items[n - 1].slot == Slot::Fresh).collect();
        assert_eq!(fresh, [5, 10, 15, 20]);
    }

    #[test]
    fn ties_are_broken_by_time_and_then_by_id() {
        let posts = vec![candidate(1, 1, 7.0, 5), candidate(2, 2, 7.0, 6), candidate(3, 3, 7.0, 6)];

        let items = compose_all(posts, 3);

        assert_eq!(numbers(&items), [3, 2, 1]);
    }

    #[test]
    fn a_third_post_by_an_author_waits_until_six_positions_have_at_most_two() {
        let mut posts: Vec<_> = (1..=3).map(|n| candidate(n, 1, f64::from(100 - n), n)).collect();
        posts.extend((4..=20).map(|n| candidate(n, n.into(), f64::from(100 - n), n)));

        let items = compose_all(posts, 8);

        assert_eq!(numbers(&items), [1, 2, 4, 5, 20, 6, 3, 7]);
    }

    #[test]
    fn the_other_list_supplies_posts_when_one_is_empty() {
        let posts: Vec<_> = (1..=6).map(|n| candidate(n, n.into(), f64::from(n), n)).collect();
        let CandidateLists { ranked, fresh } = CandidateLists::from_posts(posts);
        let empty = CandidateList { posts: Vec::new(), is_complete: true };

        for (lists, slot) in [
            (CandidateLists { ranked, fresh: empty.clone() }, Slot::Ranked),
            (CandidateLists { ranked: empty, fresh }, Slot::Fresh),
        ] {
            let items = compose(&lists, &FeedCursor::default(), 10).unwrap();
            assert_eq!(items.len(), 6);
            assert!(items.iter().all(|item| item.slot == slot));
        }
    }

    proptest! {
        #[test]
        fn every_post_appears_exactly_once(posts in candidates()) {
            let items = compose_all(posts.clone(), 1000);

            let mut ids: Vec<_> = items.iter().map(|item| item.post.id).collect();
            ids.sort_unstable();
            prop_assert_eq!(ids, posts.iter().map(|post| post.id).collect::<Vec<_>>());
        }

        #[test]
        fn pages_of_any_size_add_up_to_the_same_feed(
            posts in candidates(), limits in prop::collection::vec(1..30_usize, 1..9),
        ) {
            let lists = CandidateLists::from_posts(posts);
            let at_once = compose(&lists, &FeedCursor::default(), 1000).unwrap();

            let (mut cursor, mut in_pages) = (FeedCursor::default(), Vec::new());
            for limit in limits.iter().cycle() {
                let page = compose(&lists, &cursor, *limit).unwrap();
                if page.is_empty() {
                    break;
                }
                cursor = cursor.advance(page.iter().map(|item| (item.post.id, item.post.author)));
                in_pages.extend(page);
            }

            prop_assert_eq!(in_pages, at_once);
        }

        #[test]
        fn every_position_has_the_first_post_that_spacing_allows(posts in candidates()) {
            let items = compose_all(posts, 1000);

            for (index, item) in items.iter().enumerate() {
                let slot = if (index + 1) % 5 == 0 { Slot::Fresh } else { Slot::Ranked };
                let order = if slot == Slot::Fresh { Candidate::by_time } else { Candidate::by_rank };
                let before = &items[index.saturating_sub(5)..index];
                let is_third = |post: &Candidate| {
                    before.iter().filter(|item| item.post.author == post.author).count() >= 2
                };
                let remaining = || items[index..].iter().map(|item| item.post);
                let allowed = remaining().filter(|post| !is_third(post)).min_by(order);
                prop_assert_eq!(Some(item.post), allowed.or_else(|| remaining().min_by(order)));
                prop_assert_eq!(item.slot, slot);
            }
        }

        #[test]
        fn with_many_authors_none_has_three_of_six_positions(
            ranks in prop::collection::vec(0..10_000_u32, 40..120),
        ) {
            // All 13 authors have the same number of posts, so that the first third of the feed always finds an allowed
            // post.
            let posts: Vec<_> = (0_u32..).zip(&ranks)
                .map(|(n, rank)| candidate(n, (n % 13).into(), f64::from(*rank), *rank))
                .collect();
            let limit = posts.len() / 3;
            let items = compose_all(posts, limit);

            for six in items.windows(6) {
                for item in six {
                    let author = item.post.author;
                    prop_assert!(six.iter().filter(|item| item.post.author == author).count() <= 2);
                }
            }
        }

        /// The storage reads only the beginning of each list.
        #[test]
        fn incomplete_lists_give_the_same_items_or_an_error(
            posts in candidates(), ranked in 0..60_usize, fresh in 0..60_usize, limit in 1..30_usize,
        ) {
            let complete = CandidateLists::from_posts(posts);
            let incomplete = CandidateLists {
                ranked: truncated(&complete.ranked, ranked),
                fresh: truncated(&complete.fresh, fresh),
            };

            if let Ok(items) = compose(&incomplete, &FeedCursor::default(), limit) {
                prop_assert_eq!(Ok(items), compose(&complete, &FeedCursor::default(), limit));
            }
        }
    }

    fn compose_all(posts: Vec<Candidate>, limit: usize) -> Vec<FeedItem> {
        compose(&CandidateLists::from_posts(posts), &FeedCursor::default(), limit).unwrap()
    }

    fn truncated(list: &CandidateList, length: usize) -> CandidateList {
        let posts: Vec<_> = list.posts.iter().take(length).copied().collect();
        CandidateList { is_complete: posts.len() == list.posts.len(), posts }
    }

    /// Up to 120 posts by 1 to 39 authors. Some authors have most of the highest ranks or of the newest posts.
    fn candidates() -> impl Strategy<Value = Vec<Candidate>> {
        let post = (0..40_i64, 0..50_u32, 0..50_u32);
        (1..40_i64, prop::collection::vec(post, 0..120)).prop_map(|(authors, posts)| {
            let post = |(n, (author, rank, seconds)): (u32, (i64, u32, u32))| {
                candidate(n, author % authors, f64::from(rank), seconds)
            };
            (0..).zip(posts).map(post).collect()
        })
    }

    fn candidate(n: u32, author: i64, rank: f64, seconds: u32) -> Candidate {
        Candidate {
            id: Uuid::from_u128(n.into()).into(),
            author: author.into(),
            rank,
            created_at: DateTime::UNIX_EPOCH + TimeDelta::seconds(seconds.into()),
        }
    }

    fn numbers(items: &[FeedItem]) -> Vec<u128> {
        items.iter().map(|item| Uuid::from(item.post.id).as_u128()).collect()
    }
}
