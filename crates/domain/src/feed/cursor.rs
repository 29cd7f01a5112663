//! The cursor of the ranked feed.

use std::collections::HashSet;

use uuid::Uuid;

use super::spacing::Spacing;
use crate::{Limit, PageError, PostId, UserId};

/// A client's progress through the ranked feed: which posts it has seen, that is, was served.
///
/// Together with the stored posts, it determines the next page. It belongs to the client and is not stored.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FeedCursor {
    seen: Vec<SeenPostKey>,
    spacing: Spacing,
}

/// Identifies a seen post by the last eight bytes of its id.
///
/// The first bytes of a version 7 UUID are a timestamp, which posts of the same millisecond share. Of the last eight
/// bytes, 62 bits are random. In a database of a million posts, about one in ten billion cursors of 500 posts contains the
/// key of a post that was not served; that post is then skipped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SeenPostKey(pub [u8; 8]);

impl From<PostId> for SeenPostKey {
    fn from(post: PostId) -> Self {
        let [_, _, _, _, _, _, _, _, key @ ..] = *Uuid::from(post).as_bytes();
        Self(key)
    }
}

/// A request for a page of the ranked feed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeedPageRequest {
    /// The maximum number of posts.
    pub limit: Limit,
    pub start: FeedStart,
}

/// Where a page of the ranked feed begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FeedStart {
    /// After this many positions of a feed composed now. If posts are written between two requests, the second page can
    /// repeat or skip posts.
    Offset(usize),
    /// After the positions of this cursor.
    After(FeedCursor),
}

impl FeedStart {
    /// Parses the number of positions to skip: 0 to [`FeedCursor::MAX_POSITIONS`].
    ///
    /// # Errors
    /// [`PageError::FeedOffset`] for any other number.
    pub fn parse_offset(raw: i64) -> Result<Self, PageError> {
        match usize::try_from(raw) {
            Ok(positions @ 0..=FeedCursor::MAX_POSITIONS) => Ok(Self::Offset(positions)),
            _ => Err(PageError::FeedOffset { max: FeedCursor::MAX_POSITIONS }),
        }
    }
}

impl FeedCursor {
    /// The maximum number of positions. The ranked feed ends there.
    pub const MAX_POSITIONS: usize = 500;
    /// How many of the last authors decide who can be next.
    pub const MAX_RECENT_AUTHORS: usize = Spacing::MEMORY;

    /// How many positions were served.
    pub fn positions_served(&self) -> usize {
        self.seen.len()
    }

    /// The seen posts, in the order of their positions.
    pub fn seen_posts(&self) -> &[SeenPostKey] {
        &self.seen
    }

    /// The cursor after these posts as well.
    #[must_use]
    pub fn advance(mut self, posts: impl IntoIterator<Item = (PostId, UserId)>) -> Self {
        for (post, author) in posts {
            self.seen.push(post.into());
            self.spacing.push(author);
        }
        self
    }

    /// How many positions are left before [`MAX_POSITIONS`](Self::MAX_POSITIONS).
    pub fn positions_left(&self) -> usize {
        Self::MAX_POSITIONS.saturating_sub(self.positions_served())
    }

    pub(super) fn spacing(&self) -> &Spacing {
        &self.spacing
    }

    pub(super) fn seen_set(&self) -> HashSet<SeenPostKey> {
        self.seen.iter().copied().collect()
    }

    /// The cursor of a client that has seen these posts, with the authors of the last ones, oldest first. `None` unless
    /// there is a next page, and an author for each of the last [`MAX_RECENT_AUTHORS`](Self::MAX_RECENT_AUTHORS) posts.
    pub fn resume(seen: Vec<SeenPostKey>, recent_authors: Vec<UserId>) -> Option<Self> {
        let is_complete = recent_authors.len() == Self::MAX_RECENT_AUTHORS.min(seen.len());
        let has_next_page = (1..Self::MAX_POSITIONS).contains(&seen.len());
        let spacing = Spacing::after(recent_authors);
        (is_complete && has_next_page).then_some(Self { seen, spacing })
    }

    /// The authors of the last posts, oldest first.
    pub fn recent_authors(&self) -> &[UserId] {
        self.spacing.recent()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_without_positions_or_with_all_of_them_has_no_next_page() {
        for (positions, is_resumed) in [(0, false), (1, true), (499, true), (500, false)] {
            let posts = (0..positions).map(|n| (Uuid::from_u128(n).into(), UserId::from(7)));
            let cursor = FeedCursor::default().advance(posts);

            let resumed =
                FeedCursor::resume(cursor.seen_posts().into(), cursor.recent_authors().into());

            assert_eq!(resumed, is_resumed.then_some(cursor), "{positions}");
        }
    }

    #[test]
    fn posts_of_the_same_millisecond_have_different_keys() {
        let one = Uuid::from_u128(0x0193_7b5e_7c2a_7000_8123_4567_89ab_cdef);
        let other = Uuid::from_u128(0x0193_7b5e_7c2a_7000_8123_4567_89ab_cdee);

        assert_ne!(SeenPostKey::from(PostId::from(one)), SeenPostKey::from(PostId::from(other)));
    }
}
