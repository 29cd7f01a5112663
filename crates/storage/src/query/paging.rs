//! One part of a list, whatever the list.

use diesel::query_dsl::methods::{FilterDsl, LimitDsl, OffsetDsl};
use grateful_domain::{
    EngagementPosition, Limit, Offset, PageRequest, PageStart, Position, RankPosition, UserId,
    Username,
};

use super::sql::{Sql, Value};

/// Which way a list is ordered, ties by id: the newest or highest first, or the other way round.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Direction {
    Descending,
    Ascending,
}

/// Where an entry stands in the order of a list.
pub(crate) trait KeysetPosition {
    /// What the list is ordered by, column by column.
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

/// Which part of a list, whatever it is ordered by.
#[derive(Debug, Clone)]
pub(crate) struct PageSpec {
    pub(crate) limit: Limit,
    start: SpecStart,
}

#[derive(Debug, Clone)]
enum SpecStart {
    Offset(Offset),
    After(Vec<Value>),
}

impl PageSpec {
    /// The first 20 entries.
    pub(crate) const FIRST: Self =
        Self { limit: Limit::DEFAULT, start: SpecStart::Offset(Offset::ZERO) };

    /// The same beginning, and so many entries.
    pub(crate) fn with_limit(self, limit: Limit) -> Self {
        Self { limit, ..self }
    }

    /// As many entries, right behind this place.
    pub(crate) fn after(self, position: impl KeysetPosition) -> Self {
        Self { start: SpecStart::After(position.values()), ..self }
    }

    /// One more than asked for, which tells whether the list goes on.
    pub(crate) fn fetch_limit(&self) -> i64 {
        i64::from(self.limit) + 1
    }

    /// Whether a row comes behind the place, if the part begins at one. Compared as a whole, which an index on all
    /// columns answers as one range.
    pub(crate) fn keyset_condition(&self, columns: &[&str], order: Direction) -> Option<Sql> {
        let SpecStart::After(values) = &self.start else { return None };
        let sign = if order == Direction::Descending { "<" } else { ">" };
        let mut condition = Sql::new(format!("(ROW({}) {sign} ROW(", columns.join(", ")));
        for (number, value) in values.iter().enumerate() {
            if number > 0 {
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
            PageStart::Offset(offset) => SpecStart::Offset(offset),
            PageStart::After(place) => SpecStart::After(place.values()),
        };
        Self { limit: page.limit, start }
    }
}

/// The part of a list that `page` names, and one row more, which tells whether the list goes on. The list is ordered by
/// these columns.
pub(crate) fn paginate<Q>(query: Q, page: &PageSpec, columns: &[&str], order: Direction) -> Q
where
    Q: FilterDsl<Sql, Output = Q> + LimitDsl<Output = Q> + OffsetDsl<Output = Q>,
{
    let query = match (&page.start, page.keyset_condition(columns, order)) {
        (_, Some(behind)) => FilterDsl::filter(query, behind),
        (SpecStart::Offset(offset), None) if *offset != Offset::ZERO => {
            OffsetDsl::offset(query, (*offset).into())
        }
        _ => query,
    };
    LimitDsl::limit(query, page.fetch_limit())
}

/// [`paginate`] a list that is ordered by the time in `column`, which comes with its table.
pub(crate) fn paginate_by_time<Q>(
    query: Q,
    page: PageRequest,
    column: &'static str,
    order: Direction,
) -> Q
where
    Q: FilterDsl<Sql, Output = Q> + LimitDsl<Output = Q> + OffsetDsl<Output = Q>,
{
    let table = column.split('.').next().unwrap_or_default();
    paginate(query, &page.into(), &[column, &format!("{table}.id")], order)
}
