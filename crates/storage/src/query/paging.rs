//! One part of a list, whatever the list.

use diesel::query_dsl::methods::{FilterDsl, LimitDsl, OffsetDsl};
use grateful_domain::{
    EngagementPosition, Limit, Offset, PageRequest, PageStart, Position, RankPosition, UserId,
    Username,
};

use super::sql::{Sql, Value};

/// Which way a list is ordered, ties by id: the newest or highest first, or the other way round.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Order {
    Newest,
    Oldest,
}

/// Where an entry stands in the order of a list.
pub(crate) trait Place {
    /// What the list is ordered by, column by column.
    fn values(self) -> Vec<Value>;
}

impl Place for Position {
    fn values(self) -> Vec<Value> {
        vec![self.at.into(), self.id.into()]
    }
}

impl Place for RankPosition {
    fn values(self) -> Vec<Value> {
        vec![self.rank.into(), self.at.into(), self.id.into()]
    }
}

impl Place for EngagementPosition {
    fn values(self) -> Vec<Value> {
        vec![self.hearts.into(), self.reactions.into(), self.shares.into(), self.id.into()]
    }
}

impl Place for UserId {
    fn values(self) -> Vec<Value> {
        vec![self.into()]
    }
}

impl Place for Username {
    fn values(self) -> Vec<Value> {
        vec![self.as_str().to_ascii_lowercase().into()]
    }
}

/// Which part of a list, whatever it is ordered by.
#[derive(Debug, Clone)]
pub(crate) struct Part {
    pub(crate) limit: Limit,
    begins: Begins,
}

#[derive(Debug, Clone)]
enum Begins {
    Offset(Offset),
    Behind(Vec<Value>),
}

impl Part {
    /// The first 20 entries.
    pub(crate) const FIRST: Self =
        Self { limit: Limit::DEFAULT, begins: Begins::Offset(Offset::ZERO) };

    /// The same beginning, and so many entries.
    pub(crate) fn limited(self, limit: Limit) -> Self {
        Self { limit, ..self }
    }

    /// As many entries, right behind this place.
    pub(crate) fn behind(self, place: impl Place) -> Self {
        Self { begins: Begins::Behind(place.values()), ..self }
    }

    /// One more than asked for, which tells whether the list goes on.
    pub(crate) fn most(&self) -> i64 {
        i64::from(self.limit) + 1
    }

    /// Whether a row comes behind the place, if the part begins at one. Compared as a whole, which an index on all
    /// columns answers as one range.
    pub(crate) fn condition(&self, columns: &[&str], order: Order) -> Option<Sql> {
        let Begins::Behind(values) = &self.begins else { return None };
        let sign = if order == Order::Newest { "<" } else { ">" };
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

impl<P: Place> From<PageRequest<P>> for Part {
    fn from(page: PageRequest<P>) -> Self {
        let begins = match page.start {
            PageStart::Offset(offset) => Begins::Offset(offset),
            PageStart::After(place) => Begins::Behind(place.values()),
        };
        Self { limit: page.limit, begins }
    }
}

/// The part of a list that `part` names, and one row more, which tells whether the list goes on. The list is ordered by
/// these columns.
pub(crate) fn part_of<Q>(query: Q, part: &Part, columns: &[&str], order: Order) -> Q
where
    Q: FilterDsl<Sql, Output = Q> + LimitDsl<Output = Q> + OffsetDsl<Output = Q>,
{
    let query = match (&part.begins, part.condition(columns, order)) {
        (_, Some(behind)) => FilterDsl::filter(query, behind),
        (Begins::Offset(offset), None) if *offset != Offset::ZERO => {
            OffsetDsl::offset(query, (*offset).into())
        }
        _ => query,
    };
    LimitDsl::limit(query, part.most())
}

/// [`part_of`] a list that is ordered by the time in `column`, which comes with its table.
pub(crate) fn paged<Q>(query: Q, page: PageRequest, column: &'static str, order: Order) -> Q
where
    Q: FilterDsl<Sql, Output = Q> + LimitDsl<Output = Q> + OffsetDsl<Output = Q>,
{
    let table = column.split('.').next().unwrap_or_default();
    part_of(query, &page.into(), &[column, &format!("{table}.id")], order)
}
