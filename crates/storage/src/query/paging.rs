//! One part of a list, whatever the list.

use diesel::expression::{ValidGrouping, is_aggregate};
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::query_builder::{AstPass, QueryFragment, QueryId};
use diesel::query_dsl::methods::{FilterDsl, LimitDsl, OffsetDsl};
use diesel::sql_types::{Bool, Timestamptz, Uuid as SqlUuid};
use grateful_domain::{Offset, Page, Position, Start};

/// Which way a list is ordered by time, ties by id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Order {
    Newest,
    Oldest,
}

/// The part of a list by the time in `column` that `page` names, and one row more, which tells whether the list goes on.
pub(crate) fn paged<Q>(query: Q, page: Page, column: &'static str, order: Order) -> Q
where
    Q: FilterDsl<Behind, Output = Q> + LimitDsl<Output = Q> + OffsetDsl<Output = Q>,
{
    let query = match page.start {
        Start::Offset(Offset::ZERO) => query,
        Start::Offset(offset) => OffsetDsl::offset(query, offset.into()),
        Start::After(place) => FilterDsl::filter(query, Behind { column, order, place }),
    };
    LimitDsl::limit(query, i64::from(page.limit) + 1)
}

/// Whether a row comes behind a place. Compared as a pair, which an index on both columns answers as one range.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Behind {
    /// With its table.
    column: &'static str,
    order: Order,
    place: Position,
}

impl Expression for Behind {
    type SqlType = Bool;
}

impl<Table> AppearsOnTable<Table> for Behind {}

impl<Table> SelectableExpression<Table> for Behind {}

impl<Grouped> ValidGrouping<Grouped> for Behind {
    type IsAggregate = is_aggregate::Never;
}

/// Its text depends on its values, so its type does not tell one statement from another.
impl QueryId for Behind {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl QueryFragment<Pg> for Behind {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        let Self { column, order, place } = self;
        let table = column.split('.').next().unwrap_or_default();
        let sign = if *order == Order::Newest { "<" } else { ">" };
        out.push_sql(&format!("(ROW({column}, {table}.id) {sign} ROW("));
        out.push_bind_param::<Timestamptz, _>(&place.at)?;
        out.push_sql(", ");
        out.push_bind_param::<SqlUuid, _>(&place.id)?;
        out.push_sql("))");
        Ok(())
    }
}
