//! Pagination: the limit, and the start by offset or by keyset.

use diesel::query_dsl::methods::{FilterDsl, LimitDsl, OffsetDsl};
use grateful_domain::{
    EngagementPosition, Limit, Offset, PageRequest, PageStart, Position, RankPosition, UserId,
    Username,
};

use super::sql::{Sql, Value};

/// The direction in which a list is sorted: newest or highest first, or oldest or lowest first. Ties are sorted by id, in
/// the same direction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Direction {
    Descending,
    Ascending,
}

/// A position in a sorted list.
pub(crate) trait KeysetPosition {
    /// The values of the sort columns.
    fn values(self) -> Vec<Value>;
}

impl KeysetPosition for Position {
    fn values(self) -> Vec<Value> {
        vec![self.at.into(), self.id.into()]
    }
}

impl KeysetPosition for RankPosition {
    fn values(self) -> Vec<Value> {
        vec![self.rank.into(), self.at.into(), self.id.into()]
    }
}

impl KeysetPosition for EngagementPosition {
    fn values(self) -> Vec<Value> {
        vec![self.hearts.into(), self.reactions.into(), self.shares.into(), self.id.into()]
    }
}

impl KeysetPosition for UserId {
    fn values(self) -> Vec<Value> {
        vec![self.into()]
    }
}

impl KeysetPosition for Username {
    fn values(self) -> Vec<Value> {
        vec![self.as_str().to_ascii_lowercase().into()]
    }
}

/// A page of a list, independent of the type of its sort columns.
#[derive(Debug, Clone)]
pub(crate) struct PageSpec {
    pub(crate) limit: Limit,
    start: PageSpecStart,
}

#[derive(Debug, Clone)]
enum PageSpecStart {
    Offset(Offset),
    After(Vec<Value>),
}

impl PageSpec {
    /// The first page with the default limit, 20.
    pub(crate) const FIRST: Self =
        Self { limit: Limit::DEFAULT, start: PageSpecStart::Offset(Offset::ZERO) };

    /// Sets the maximum number of items.
    pub(crate) fn with_limit(self, limit: Limit) -> Self {
        Self { limit, ..self }
    }

    /// Starts right after this position.
    pub(crate) fn after(self, position: impl KeysetPosition) -> Self {
        Self { start: PageSpecStart::After(position.values()), ..self }
    }

    /// One more than the limit, to know whether there is a next page.
    pub(crate) fn fetch_limit(&self) -> i64 {
        i64::from(self.limit) + 1
    }

    /// The condition that a row comes after the start position, if the page has one. It compares the sort columns as one
    /// row, so that an index on all of them is read as one range.
    pub(crate) fn keyset_condition(&self, columns: &[&str], direction: Direction) -> Option<Sql> {
        let PageSpecStart::After(values) = &self.start else { return None };
        let sign = if direction == Direction::Descending { "<" } else { ">" };
        let mut condition = Sql::new(format!("(ROW({}) {sign} ROW(", columns.join(", ")));
        for (index, value) in values.iter().enumerate() {
            if index > 0 {
                condition = condition.sql(", ");
            }
            condition = condition.value(value.clone());
        }
        Some(condition.sql("))"))
    }
}

impl<P: KeysetPosition> From<PageRequest<P>> for PageSpec {
    fn from(page: PageRequest<P>) -> Self {
        let start = match page.start {
            PageStart::Offset(offset) => PageSpecStart::Offset(offset),
            PageStart::After(position) => PageSpecStart::After(position.values()),
        };
        Self { limit: page.limit, start }
    }
}

/// Restricts a list that is sorted by `columns` to a page, plus one row to know whether there is a next page.
pub(crate) fn paginate<Q>(query: Q, page: &PageSpec, columns: &[&str], direction: Direction) -> Q
where
    Q: FilterDsl<Sql, Output = Q> + LimitDsl<Output = Q> + OffsetDsl<Output = Q>,
{
    let query = match (&page.start, page.keyset_condition(columns, direction)) {
        (_, Some(condition)) => FilterDsl::filter(query, condition),
        (PageSpecStart::Offset(offset), None) if *offset != Offset::ZERO => {
            OffsetDsl::offset(query, (*offset).into())
        }
        _ => query,
    };
    LimitDsl::limit(query, page.fetch_limit())
}

/// [`paginate`] for a list that is sorted by a time and the id. `column` is the qualified name of the time column.
pub(crate) fn paginate_by_time<Q>(
    query: Q,
    page: PageRequest,
    column: &'static str,
    direction: Direction,
) -> Q
where
    Q: FilterDsl<Sql, Output = Q> + LimitDsl<Output = Q> + OffsetDsl<Output = Q>,
{
    let table = column.split('.').next().unwrap_or_default();
    paginate(query, &page.into(), &[column, &format!("{table}.id")], direction)
}
