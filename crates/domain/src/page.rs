//! Lists in parts: how many, and from where.

mod positions;
mod total;

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use chrono::{DateTime, Utc};
use thiserror::Error;
use uuid::Uuid;

pub use self::positions::{EngagementPosition, RankPosition};
pub use self::total::{CountMode, Total};

/// Which part of a list somebody asks for. `P` says where an entry stands in the order of the list: most are by time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PageRequest<P = Position> {
    /// How many entries at most.
    pub limit: Limit,
    /// Where the part begins.
    pub start: PageStart<P>,
}

impl<P> PageRequest<P> {
    /// The first `limit` entries.
    pub const fn first(limit: Limit) -> Self {
        Self { limit, start: PageStart::Offset(Offset::ZERO) }
    }
}

/// Where a part of a list begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PageStart<P = Position> {
    /// So many entries from the front. Entries repeat or go missing when others write meanwhile.
    Offset(Offset),
    /// Right behind this entry, wherever it is by now.
    After(P),
}

/// How many entries of a list at most: 1 to [`Limit::MAX`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Limit(u32);

impl Limit {
    /// The most that one answer carries.
    pub const MAX: Self = Self(100);
    /// What most lists answer unless asked otherwise.
    pub const DEFAULT: Self = Self(20);
    /// How much is trending unless asked otherwise.
    pub const TRENDING: Self = Self(10);

    /// Checks a number from a client.
    ///
    /// # Errors
    /// [`PageError::Limit`] for any other number.
    pub fn parse(raw: i64) -> Result<Self, PageError> {
        match u32::try_from(raw) {
            Ok(limit @ 1..=100) => Ok(Self(limit)),
            _ => Err(PageError::Limit),
        }
    }
}

impl From<Limit> for i64 {
    fn from(limit: Limit) -> Self {
        limit.0.into()
    }
}

impl From<Limit> for usize {
    fn from(limit: Limit) -> Self {
        // Not `as`: the bound of 100 is what makes it fit everywhere.
        Self::try_from(limit.0).unwrap_or(100)
    }
}

/// How many entries to pass over: 0 to [`Offset::MAX`], since the database reads each of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Offset(u32);

impl Offset {
    /// From the front.
    pub const ZERO: Self = Self(0);
    /// The furthest that an offset reaches; cursors have no such bound.
    pub const MAX: Self = Self(10_000);

    /// Checks a number from a client.
    ///
    /// # Errors
    /// [`PageError::Offset`] for any other number.
    pub fn parse(raw: i64) -> Result<Self, PageError> {
        match u32::try_from(raw) {
            Ok(offset @ 0..=10_000) => Ok(Self(offset)),
            _ => Err(PageError::Offset),
        }
    }
}

impl From<Offset> for i64 {
    fn from(offset: Offset) -> Self {
        offset.0.into()
    }
}

/// The place of an entry in a list that is ordered by time, ties by id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// The time by which the list is ordered, exact to the microsecond.
    pub at: DateTime<Utc>,
    /// Which of those with the same time.
    pub id: Uuid,
}

/// A part of a list, and where the next one begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T, P = Position> {
    /// The entries, in the order of the list.
    pub items: Vec<T>,
    /// The place of the last entry, where more follow.
    pub next: Option<P>,
    /// How many entries the whole list has, where somebody asked, and it is known.
    pub total: Option<Total>,
}

impl<T, P> Page<T, P> {
    /// A part made from one entry more than was asked for: that one tells whether more follow.
    pub fn from_overfetch(mut items: Vec<T>, limit: Limit, position: impl Fn(&T) -> P) -> Self {
        let more = usize::from(limit) < items.len();
        items.truncate(limit.into());
        let next = items.last().filter(|_| more).map(position);
        Self { items, next, total: None }
    }

    /// The same part of a list that has so many entries.
    #[must_use]
    pub fn with_total(self, total: Option<Total>) -> Self {
        Self { total, ..self }
    }
}

/// The lists that can be continued by a cursor: a cursor of one is refused by the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ListKind {
    /// Everybody's posts, newest first.
    NewestPosts,
    /// One person's posts, newest first.
    UserPosts,
    /// Who gave a post a heart, newest first.
    Hearts,
    /// The emoji on a post, newest first.
    Reactions,
    /// What was said about a post, oldest first.
    Comments,
    /// The answers to a comment, oldest first.
    Replies,
    /// Everybody's posts, the best first. Its cursors are those of a [`FeedCursor`](crate::FeedCursor), not of a place.
    RankedPosts,
    /// One's notifications, newest activity first.
    Notifications,
    /// The entries of a batch of notifications, newest first.
    NotificationChildren,
    /// Who follows somebody, newest first.
    Followers,
    /// Whom somebody follows, newest first.
    Following,
    /// Who has asked to follow, newest first.
    FollowRequests,
    /// Whom one has blocked, newest first.
    Blocks,
}

impl ListKind {
    /// How many entries an answer has unless asked otherwise (contract §1, §5, §6).
    pub const fn default_limit(self) -> Limit {
        match self {
            Self::NewestPosts | Self::UserPosts | Self::RankedPosts | Self::Notifications => {
                Limit(20)
            }
            Self::Followers | Self::Following => Limit(50),
            Self::Hearts
            | Self::Reactions
            | Self::Comments
            | Self::Replies
            | Self::NotificationChildren
            | Self::FollowRequests
            | Self::Blocks => Limit::MAX,
        }
    }

    pub(crate) const fn tag(self) -> u8 {
        match self {
            Self::NewestPosts => 1,
            Self::UserPosts => 2,
            Self::Hearts => 3,
            Self::Reactions => 4,
            Self::Comments => 5,
            Self::Replies => 6,
            Self::RankedPosts => 100,
            Self::Notifications => 7,
            Self::NotificationChildren => 8,
            Self::Followers => 9,
            Self::Following => 10,
            Self::FollowRequests => 11,
            Self::Blocks => 12,
        }
    }
}

/// Why a page was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum PageError {
    /// No entries, or too many.
    #[error("must be a whole number from 1 to {}", Limit::MAX.0)]
    Limit,
    /// Too far from the front.
    #[error("must be a whole number from 0 to {}; use a cursor to go further", Offset::MAX.0)]
    Offset,
    /// Further than a walk through the ranked feed goes.
    #[error(
        "must be a whole number from 0 to {}; use a cursor to go on",
        crate::FeedCursor::MAX_POSITIONS
    )]
    FeedOffset,
    /// Not what the `next` link of this list carried.
    #[error("must be taken from the next link of the same list")]
    Cursor,
    /// Two beginnings.
    #[error("must not be combined with an offset")]
    CursorAndOffset,
}

impl Position {
    /// The cursor text under which `list` goes on behind this place: URL-safe, opaque to clients.
    pub fn to_cursor(self, list: ListKind) -> String {
        let mut bytes = [0; CURSOR_BYTES];
        bytes[0] = list.tag();
        bytes[1..9].copy_from_slice(&self.at.timestamp_micros().to_be_bytes());
        bytes[9..].copy_from_slice(self.id.as_bytes());
        BASE64_URL_SAFE_NO_PAD.encode(bytes)
    }

    /// The place behind which `list` goes on.
    ///
    /// # Errors
    /// [`PageError::Cursor`] for whatever [`Position::to_cursor`] did not write for the same list.
    pub fn from_cursor(list: ListKind, cursor: &str) -> Result<Self, PageError> {
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(cursor).map_err(|_| PageError::Cursor)?;
        let bytes: [u8; CURSOR_BYTES] = bytes.try_into().map_err(|_| PageError::Cursor)?;
        let [tag, micros @ .., _, _, _, _, _, _, _, _, _, _, _, _, _, _, _, _] = bytes;
        let at = DateTime::from_timestamp_micros(i64::from_be_bytes(micros));
        let at = at.filter(|at| STORABLE.contains(&at.timestamp()));
        let id = Uuid::from_slice(&bytes[9..]).map_err(|_| PageError::Cursor)?;
        match at {
            Some(at) if tag == list.tag() => Ok(Self { at, id }),
            _ => Err(PageError::Cursor),
        }
    }
}

/// A tag, microseconds since 1970, an id.
const CURSOR_BYTES: usize = 1 + 8 + 16;

/// The seconds that `timestamptz` can hold and that could have been written: the years 1 to 9999.
const STORABLE: std::ops::Range<i64> = -62_135_596_800..253_402_300_800;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case(0)]
    #[case(101)]
    #[case(-1)]
    #[case(i64::MAX)]
    fn limits_out_of_bounds_are_refused(#[case] raw: i64) {
        assert_eq!(Limit::parse(raw), Err(PageError::Limit));
    }

    #[rstest]
    #[case(-1)]
    #[case(10_001)]
    fn offsets_out_of_bounds_are_refused(#[case] raw: i64) {
        assert_eq!(Offset::parse(raw), Err(PageError::Offset));
    }

    #[test]
    fn a_cursor_of_another_list_is_refused() {
        let position = Position { at: DateTime::UNIX_EPOCH, id: Uuid::nil() };
        let cursor = position.to_cursor(ListKind::NewestPosts);

        assert_eq!(Position::from_cursor(ListKind::NewestPosts, &cursor), Ok(position));
        assert_eq!(Position::from_cursor(ListKind::UserPosts, &cursor), Err(PageError::Cursor));
    }

    #[test]
    fn a_time_that_no_database_holds_is_refused() {
        let far = Position { at: DateTime::<Utc>::MAX_UTC, id: Uuid::nil() };
        let cursor = far.to_cursor(ListKind::NewestPosts);
        assert_eq!(Position::from_cursor(ListKind::NewestPosts, &cursor), Err(PageError::Cursor));
    }

    #[test]
    fn only_a_list_with_more_entries_goes_on() {
        let position = |n: &u128| Position { at: DateTime::UNIX_EPOCH, id: Uuid::from_u128(*n) };
        let two = Limit::parse(2).unwrap();

        let cut = Page::from_overfetch(vec![1, 2, 3], two, position);
        assert_eq!(
            (cut.items, cut.next.map(|next| next.id)),
            (vec![1, 2], Some(Uuid::from_u128(2)))
        );
        assert_eq!(Page::from_overfetch(vec![1, 2], two, position).next, None);
    }

    proptest! {
        #[test]
        fn cursors_lead_back_to_their_place(micros in -62_135_596_800_000_000_i64..253_402_300_800_000_000, id: u128) {
            let at = DateTime::from_timestamp_micros(micros).unwrap();
            let position = Position { at, id: Uuid::from_u128(id) };
            let cursor = position.to_cursor(ListKind::UserPosts);
            prop_assert_eq!(Position::from_cursor(ListKind::UserPosts, &cursor), Ok(position));
        }

        #[test]
        fn no_text_makes_a_cursor_panic(text in ".{0,60}") {
            _ = Position::from_cursor(ListKind::NewestPosts, &text);
        }
    }
}
