//! How far a reader of the ranked feed has come, and how they say so.

use std::collections::HashSet;

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use uuid::Uuid;

use super::spacing::Spacing;
use crate::{Limit, ListKind, PageError, PostId, UserId};

/// A reader's way through the ranked feed so far. It is all that the next page depends on beside the posts themselves, and
/// travels with the reader: nobody stores it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FeedCursor {
    served: Vec<SeenPostKey>,
    spacing: Spacing,
}

/// Which post was served, in eight bytes.
///
/// They are the last eight of its id: the first ones of a UUID of version 7 tell the time, and so are shared by posts of the
/// same moment, while 62 bits of the last ones are random. That one of a million posts has the key of another among the 500
/// of a walk, and so is left out of it, happens in about one of ten billion walks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SeenPostKey(pub [u8; 8]);

impl From<PostId> for SeenPostKey {
    fn from(post: PostId) -> Self {
        let [_, _, _, _, _, _, _, _, key @ ..] = *Uuid::from(post).as_bytes();
        Self(key)
    }
}

/// Which part of the ranked feed somebody asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeedPageRequest {
    /// How many places at most.
    pub limit: Limit,
    /// Where it begins.
    pub start: FeedStart,
}

/// Where a part of the ranked feed begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FeedStart {
    /// Behind so many places of a walk that begins now. Posts repeat or go missing when others write meanwhile.
    Offset(usize),
    /// Where this walk has come.
    After(FeedCursor),
}

impl FeedStart {
    /// Checks a number of places to pass over: 0 to [`FeedCursor::MAX_POSITIONS`].
    ///
    /// # Errors
    /// [`PageError::FeedOffset`] for any other number.
    pub fn parse_offset(raw: i64) -> Result<Self, PageError> {
        match usize::try_from(raw) {
            Ok(places @ 0..=FeedCursor::MAX_POSITIONS) => Ok(Self::Offset(places)),
            _ => Err(PageError::FeedOffset),
        }
    }
}

impl FeedCursor {
    /// How long a walk may get.
    pub const MAX_POSITIONS: usize = 500;

    /// How many places were served.
    pub fn positions_served(&self) -> usize {
        self.served.len()
    }

    /// Which posts were served, the first first.
    pub fn seen_posts(&self) -> &[SeenPostKey] {
        &self.served
    }

    /// The walk after these posts as well.
    #[must_use]
    pub fn advance(mut self, posts: impl IntoIterator<Item = (PostId, UserId)>) -> Self {
        for (post, author) in posts {
            self.served.push(post.into());
            self.spacing.push(author);
        }
        self
    }

    /// How many more places it may have.
    pub fn positions_left(&self) -> usize {
        Self::MAX_POSITIONS.saturating_sub(self.positions_served())
    }

    pub(super) fn spacing(&self) -> &Spacing {
        &self.spacing
    }

    pub(super) fn served_set(&self) -> HashSet<SeenPostKey> {
        self.served.iter().copied().collect()
    }

    /// The cursor text under which the walk goes on: URL-safe, opaque to clients, and at most 5,378 characters, since a walk
    /// that has all its places does not go on.
    pub fn to_cursor(&self) -> String {
        let mut bytes = vec![ListKind::RankedPosts.tag()];
        bytes.extend(self.spacing.recent().iter().flat_map(|id| i64::from(*id).to_be_bytes()));
        bytes.extend(self.served.iter().flat_map(|key| key.0));
        BASE64_URL_SAFE_NO_PAD.encode(bytes)
    }

    /// The walk that goes on under this text. Whoever makes one up gets the page that goes with it: it gives no access to
    /// anything, and costs no more than another.
    ///
    /// # Errors
    /// [`PageError::Cursor`] for whatever [`FeedCursor::to_cursor`] did not write, or wrote for a walk without places or with all of them.
    pub fn from_cursor(cursor: &str) -> Result<Self, PageError> {
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(cursor).map_err(|_| PageError::Cursor)?;
        let Some((tag, words)) = bytes.split_first() else { return Err(PageError::Cursor) };
        let (words, rest) = words.as_chunks::<8>();
        // Each place is a word, and each of the last five has its author besides.
        let authors = Spacing::MEMORY.min(words.len() / 2);
        let (authors, served) = words.split_at(authors);
        let is_whole = rest.is_empty() && authors.len() == Spacing::MEMORY.min(served.len());
        let is_walk = (1..Self::MAX_POSITIONS).contains(&served.len());
        if *tag != ListKind::RankedPosts.tag() || !is_whole || !is_walk {
            return Err(PageError::Cursor);
        }
        let authors = authors.iter().map(|author| i64::from_be_bytes(*author).into());
        let served = served.iter().copied().map(SeenPostKey).collect();
        Ok(Self { served, spacing: Spacing::after(authors) })
    }
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;
    use proptest::prelude::*;

    use super::*;
    use crate::Position;

    #[test]
    fn the_longest_cursor_fits_into_a_uri() {
        let longest = walk_of(FeedCursor::MAX_POSITIONS - 1).to_cursor();

        assert_eq!(longest.len(), 5378);
    }

    #[test]
    fn a_walk_of_no_or_too_many_places_has_no_cursor() {
        for places in [0, FeedCursor::MAX_POSITIONS] {
            let cursor = walk_of(places).to_cursor();
            assert_eq!(FeedCursor::from_cursor(&cursor), Err(PageError::Cursor), "{places}");
        }
    }

    #[test]
    fn a_cursor_is_refused_by_and_from_every_other_list() {
        let place = Position { at: DateTime::UNIX_EPOCH, id: Uuid::nil() };
        let walk = walk_of(3).to_cursor();

        for list in [
            ListKind::NewestPosts,
            ListKind::UserPosts,
            ListKind::Hearts,
            ListKind::Reactions,
            ListKind::Comments,
            ListKind::Replies,
        ] {
            assert_eq!(FeedCursor::from_cursor(&place.to_cursor(list)), Err(PageError::Cursor));
            assert_eq!(Position::from_cursor(list, &walk), Err(PageError::Cursor));
        }
    }

    #[test]
    fn a_cursor_that_lost_or_won_a_word_or_a_byte_is_refused() {
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(walk_of(3).to_cursor()).unwrap();
        let longer = [&bytes[..], &[0; 8]].concat();

        for broken in [&bytes[..bytes.len() - 8], &bytes[..bytes.len() - 1], &longer, &[], &[100]] {
            let cursor = BASE64_URL_SAFE_NO_PAD.encode(broken);
            assert_eq!(FeedCursor::from_cursor(&cursor), Err(PageError::Cursor), "{broken:?}");
        }
    }

    #[test]
    fn posts_of_one_moment_have_different_keys() {
        let one = Uuid::from_u128(0x0193_7b5e_7c2a_7000_8123_4567_89ab_cdef);
        let other = Uuid::from_u128(0x0193_7b5e_7c2a_7000_8123_4567_89ab_cdee);

        assert_ne!(SeenPostKey::from(PostId::from(one)), SeenPostKey::from(PostId::from(other)));
    }

    proptest! {
        #[test]
        fn cursors_lead_back_to_their_walk(places in 1..FeedCursor::MAX_POSITIONS) {
            let walk = walk_of(places);
            prop_assert_eq!(FeedCursor::from_cursor(&walk.to_cursor()), Ok(walk));
        }

        #[test]
        fn no_text_makes_a_cursor_panic(text in ".{0,60}") {
            _ = FeedCursor::from_cursor(&text);
        }

        #[test]
        fn no_bytes_make_a_cursor_panic(mut bytes in prop::collection::vec(any::<u8>(), 1..200)) {
            bytes[0] = ListKind::RankedPosts.tag();
            if let Ok(walk) = FeedCursor::from_cursor(&BASE64_URL_SAFE_NO_PAD.encode(&bytes)) {
                prop_assert_eq!(BASE64_URL_SAFE_NO_PAD.decode(walk.to_cursor()).unwrap(), bytes);
            }
        }
    }

    fn walk_of(places: usize) -> FeedCursor {
        let posts = (1..=places).map(|n| {
            let n = u64::try_from(n).unwrap();
            (Uuid::from_u64_pair(0, n * 77).into(), UserId::from(i64::try_from(n % 7).unwrap()))
        });
        FeedCursor::default().advance(posts)
    }
}
