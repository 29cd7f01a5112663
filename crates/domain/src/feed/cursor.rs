//! The cursor of the ranked feed.

use std::collections::HashSet;

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use uuid::Uuid;

use super::spacing::Spacing;
use crate::{Limit, ListKey, PageError, PostId, UserId};

/// A client's progress through the ranked feed: which posts it has seen, that is, was served.
///
/// Together with the stored posts, it determines the next page. The client holds it; the server does not store it.
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

    /// Encodes the cursor as URL-safe text that is opaque to clients.
    ///
    /// The text has at most 5,378 characters, since a feed without positions left has no next page.
    pub fn to_cursor(&self) -> String {
        let mut bytes = vec![ListKey::RankedPosts.tag()];
        bytes.extend(self.spacing.recent().iter().flat_map(|id| i64::from(*id).to_be_bytes()));
        bytes.extend(self.seen.iter().flat_map(|key| key.0));
        BASE64_URL_SAFE_NO_PAD.encode(bytes)
    }

    /// Decodes a cursor. A forged cursor yields the page that belongs to it: it grants no access and costs no more than any
    /// other cursor.
    ///
    /// # Errors
    /// [`PageError::Cursor`] for text that [`FeedCursor::to_cursor`] did not write, or that has no positions or all of
    /// them.
    pub fn from_cursor(cursor: &str) -> Result<Self, PageError> {
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(cursor).map_err(|_| PageError::Cursor)?;
        let Some((tag, words)) = bytes.split_first() else { return Err(PageError::Cursor) };
        let (words, rest) = words.as_chunks::<8>();
        // Each position is a word of 8 bytes. The last five positions also have a word for their author.
        let authors = Spacing::MEMORY.min(words.len() / 2);
        let (authors, seen) = words.split_at(authors);
        let is_complete = rest.is_empty() && authors.len() == Spacing::MEMORY.min(seen.len());
        let has_next_page = (1..Self::MAX_POSITIONS).contains(&seen.len());
        if *tag != ListKey::RankedPosts.tag() || !is_complete || !has_next_page {
            return Err(PageError::Cursor);
        }
        let authors = authors.iter().map(|author| i64::from_be_bytes(*author).into());
        let seen = seen.iter().copied().map(SeenPostKey).collect();
        Ok(Self { seen, spacing: Spacing::after(authors) })
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
        let longest = cursor_after(FeedCursor::MAX_POSITIONS - 1).to_cursor();

        assert_eq!(longest.len(), 5378);
    }

    #[test]
    fn a_cursor_without_positions_or_with_all_of_them_is_rejected() {
        for positions in [0, FeedCursor::MAX_POSITIONS] {
            let cursor = cursor_after(positions).to_cursor();
            assert_eq!(FeedCursor::from_cursor(&cursor), Err(PageError::Cursor), "{positions}");
        }
    }

    #[test]
    fn cursors_of_other_lists_are_refused_in_both_directions() {
        let position = Position { at: DateTime::UNIX_EPOCH, id: Uuid::nil() };
        let cursor = cursor_after(3).to_cursor();

        let post = Uuid::nil().into();
        for list in [
            ListKey::NewestPosts,
            ListKey::RankedPosts,
            ListKey::OwnPosts,
            ListKey::UserPosts(UserId::from(1)),
            ListKey::Hearts(post),
            ListKey::Comments(post),
        ] {
            assert_eq!(FeedCursor::from_cursor(&position.to_cursor(list)), Err(PageError::Cursor));
            assert_eq!(Position::from_cursor(list, &cursor), Err(PageError::Cursor));
        }
    }

    #[test]
    fn a_cursor_with_missing_or_extra_bytes_is_rejected() {
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(cursor_after(3).to_cursor()).unwrap();
        let longer = [&bytes[..], &[0; 8]].concat();

        for broken in [&bytes[..bytes.len() - 8], &bytes[..bytes.len() - 1], &longer, &[], &[100]] {
            let cursor = BASE64_URL_SAFE_NO_PAD.encode(broken);
            assert_eq!(FeedCursor::from_cursor(&cursor), Err(PageError::Cursor), "{broken:?}");
        }
    }

    #[test]
    fn posts_of_the_same_millisecond_have_different_keys() {
        let one = Uuid::from_u128(0x0193_7b5e_7c2a_7000_8123_4567_89ab_cdef);
        let other = Uuid::from_u128(0x0193_7b5e_7c2a_7000_8123_4567_89ab_cdee);

        assert_ne!(SeenPostKey::from(PostId::from(one)), SeenPostKey::from(PostId::from(other)));
    }

    proptest! {
        #[test]
        fn cursors_decode_to_what_was_encoded(positions in 1..FeedCursor::MAX_POSITIONS) {
            let cursor = cursor_after(positions);
            prop_assert_eq!(FeedCursor::from_cursor(&cursor.to_cursor()), Ok(cursor));
        }

        #[test]
        fn decoding_any_text_does_not_panic(text in ".{0,60}") {
            _ = FeedCursor::from_cursor(&text);
        }

        #[test]
        fn decoding_any_bytes_does_not_panic(mut bytes in prop::collection::vec(any::<u8>(), 1..200)) {
            bytes[0] = ListKey::RankedPosts.tag();
            if let Ok(cursor) = FeedCursor::from_cursor(&BASE64_URL_SAFE_NO_PAD.encode(&bytes)) {
                prop_assert_eq!(BASE64_URL_SAFE_NO_PAD.decode(cursor.to_cursor()).unwrap(), bytes);
            }
        }
    }

    fn cursor_after(positions: usize) -> FeedCursor {
        let posts = (1..=positions).map(|n| {
            let n = u64::try_from(n).unwrap();
            (Uuid::from_u64_pair(0, n * 77).into(), UserId::from(i64::try_from(n % 7).unwrap()))
        });
        FeedCursor::default().advance(posts)
    }
}
