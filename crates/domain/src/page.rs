//! Pagination: page requests, pages and positions (docs/rules.md#paging).

mod total;

use chrono::{DateTime, Utc};
use thiserror::Error;
use uuid::Uuid;

pub use self::total::Total;

/// A request for a page of a list. `P` is the type of a position in the order of the list; most lists are ordered by
/// time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PageRequest<P = Position> {
    /// The maximum number of items.
    pub limit: Limit,
    pub start: PageStart<P>,
}

impl<P> PageRequest<P> {
    /// The first `limit` items.
    pub const fn first(limit: Limit) -> Self {
        Self { limit, start: PageStart::Offset(Offset::ZERO) }
    }
}

/// Where a page begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PageStart<P = Position> {
    /// After this many items. If items are added or removed between two requests, the second page can repeat or skip items.
    Offset(Offset),
    /// Directly after this position, even if its item was deleted.
    After(P),
}

/// The maximum number of items in a page: 1 to [`Limit::MAX`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Limit(u32);

impl Limit {
    /// The largest page.
    pub const MAX: Self = Self(100);
    /// The limit of a query that sets none.
    pub const DEFAULT: Self = Self(20);

    /// Checks a requested number.
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
        // The conversion cannot fail, since a limit is at most 100.
        Self::try_from(limit.0).unwrap_or(100)
    }
}

/// How many items to skip: 0 to [`Offset::MAX`]. It is bounded because skipped items cost as much as listed ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Offset(u32);

impl Offset {
    /// Skips nothing.
    pub const ZERO: Self = Self(0);
    /// The largest offset. Cursors have no such limit.
    pub const MAX: Self = Self(10_000);

    /// Checks a requested number.
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

/// The position of an item in a list ordered by time, ties by id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Position {
    /// The time that the list is ordered by, in microsecond precision.
    pub at: DateTime<Utc>,
    /// Breaks ties between items with the same time.
    pub id: Uuid,
}

/// A page of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T, P = Position> {
    /// The items, in the order of the list.
    pub items: Vec<T>,
    /// The position of the last item if there is a next page, otherwise `None`.
    pub next: Option<P>,
    /// The total number of items in the list, if it was requested and is available.
    pub total: Option<Total>,
}

impl<T, P> Page<T, P> {
    /// Builds a page from up to `limit + 1` items. The extra item shows that there is a next page and is dropped.
    pub fn from_overfetch(mut items: Vec<T>, limit: Limit, position: impl Fn(&T) -> P) -> Self {
        let has_next = usize::from(limit) < items.len();
        items.truncate(limit.into());
        let next = items.last().filter(|_| has_next).map(position);
        Self { items, next, total: None }
    }

    /// Sets the total number of items in the list.
    #[must_use]
    pub fn with_total(self, total: Option<Total>) -> Self {
        Self { total, ..self }
    }
}

/// Why a page request is invalid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum PageError {
    /// The limit is out of range.
    #[error("must be a whole number from 1 to {}", Limit::MAX.0)]
    Limit,
    /// The offset is out of range.
    #[error("must be a whole number from 0 to {}; use a cursor for later pages", Offset::MAX.0)]
    Offset,
    /// The offset into the ranked feed is out of range.
    #[error("must be a whole number from 0 to {max}; use a cursor for later pages")]
    FeedOffset {
        /// The largest offset.
        max: usize,
    },
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case(0)]
    #[case(101)]
    #[case(-1)]
    #[case(i64::MAX)]
    fn limits_out_of_range_are_rejected(#[case] raw: i64) {
        assert_eq!(Limit::parse(raw), Err(PageError::Limit));
    }

    #[rstest]
    #[case(-1)]
    #[case(10_001)]
    fn offsets_out_of_range_are_rejected(#[case] raw: i64) {
        assert_eq!(Offset::parse(raw), Err(PageError::Offset));
    }

    #[test]
    fn only_a_page_with_an_extra_item_has_a_next_position() {
        let position = |n: &u128| Position { at: DateTime::UNIX_EPOCH, id: Uuid::from_u128(*n) };
        let two = Limit::parse(2).unwrap();

        let page = Page::from_overfetch(vec![1, 2, 3], two, position);
        assert_eq!(
            (page.items, page.next.map(|next| next.id)),
            (vec![1, 2], Some(Uuid::from_u128(2)))
        );
        assert_eq!(Page::from_overfetch(vec![1, 2], two, position).next, None);
    }
}
