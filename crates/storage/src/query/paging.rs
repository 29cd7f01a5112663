//! Pages of lists that are sorted by time, newest first, ties by id.

use chrono::{DateTime, Utc};
use diesel::dsl::{Filter, Limit, Offset};
use diesel::expression::{ValidGrouping, is_aggregate};
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::query_dsl::methods::{FilterDsl, LimitDsl, OffsetDsl};
use diesel::sql_types::{BigInt, Bool, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use grateful_domain::{
    Limit as PageLimit, Offset as PageOffset, PageRequest, PageStart, Position, Total,
};
use uuid::Uuid;

use crate::{ReadConnection, Result};

/// Restricts a sorted list to a page, plus one row to know whether there is a next page.
///
/// A first page is the page after [`FIRST`] with an offset of zero, so that all pages of a list are one statement.
pub(crate) fn paginate<List, Time, Id>(
    list: List,
    page: PageRequest,
    time: Time,
    id: Id,
) -> Paginated<List, Time, Id>
where
    List: FilterDsl<After<Time, Id>>,
    Filter<List, After<Time, Id>>: LimitDsl,
    Limit<Filter<List, After<Time, Id>>>: OffsetDsl,
{
    let (position, offset) = match page.start {
        PageStart::After(position) => (position, PageOffset::ZERO),
        PageStart::Offset(offset) => (FIRST, offset),
    };
    let rows = FilterDsl::filter(list, After { time, id, position });
    OffsetDsl::offset(LimitDsl::limit(rows, overfetch(page.limit)), offset.into())
}

/// The result of [`paginate`].
pub(crate) type Paginated<List, Time, Id> = Offset<Limit<Filter<List, After<Time, Id>>>>;

/// A time after that of every row. The last one that all clients of PostgreSQL can write.
pub(crate) const END_OF_TIME: DateTime<Utc> = match DateTime::from_timestamp(253_402_300_799, 0) {
    Some(time) => time,
    None => DateTime::<Utc>::MAX_UTC,
};

/// The position before the newest row.
const FIRST: Position = Position { at: END_OF_TIME, id: Uuid::max() };

/// One more than the limit of a page.
pub(crate) fn overfetch(limit: PageLimit) -> i64 {
    i64::from(limit) + 1
}

/// The condition that a row comes after a position. It compares the sort columns as one row, so that an index on both is
/// read as one range.
#[derive(Debug, Clone, Copy, QueryId)]
pub(crate) struct After<Time, Id> {
    time: Time,
    id: Id,
    position: Position,
}

impl<Time: Expression, Id: Expression> Expression for After<Time, Id> {
    type SqlType = Bool;
}

impl<Time: AppearsOnTable<Table>, Id: AppearsOnTable<Table>, Table> AppearsOnTable<Table>
    for After<Time, Id>
{
}

impl<Time: SelectableExpression<Table>, Id: SelectableExpression<Table>, Table>
    SelectableExpression<Table> for After<Time, Id>
{
}

impl<Time, Id, Grouped> ValidGrouping<Grouped> for After<Time, Id> {
    type IsAggregate = is_aggregate::Never;
}

impl<Time: QueryFragment<Pg>, Id: QueryFragment<Pg>> QueryFragment<Pg> for After<Time, Id> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql("ROW(");
        self.time.walk_ast(out.reborrow())?;
        out.push_sql(", ");
        self.id.walk_ast(out.reborrow())?;
        out.push_sql(") < ROW(");
        out.push_bind_param::<Timestamptz, _>(&self.position.at)?;
        out.push_sql(", ");
        out.push_bind_param::<SqlUuid, _>(&self.position.id)?;
        out.push_sql(")");
        Ok(())
    }
}

/// Counts the rows of `list`, but stops after `max`, so that the total of a long list costs no more than a few pages. `None`
/// counts nothing, and does not build the list.
pub(crate) async fn count_up_to<C, Q>(
    conn: &mut C,
    list: impl FnOnce() -> Q,
    max: Option<u16>,
) -> Result<Option<Total>>
where
    C: ReadConnection,
    Q: QueryFragment<Pg> + QueryId + Send + 'static,
{
    let Some(max) = max else { return Ok(None) };
    let count: i64 = CappedCount { list: list(), max }.get_result(conn).await?;
    Ok(Some(Total::from_capped_count(count, max)))
}

/// The number of rows of a list, at most one more than `max`.
#[derive(Debug, Clone, Copy)]
pub(super) struct CappedCount<Q> {
    pub(super) list: Q,
    pub(super) max: u16,
}

impl<Q> Query for CappedCount<Q> {
    type SqlType = BigInt;
}

/// The SQL depends on the maximum, so the type does not identify a statement.
impl<Q> QueryId for CappedCount<Q> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<Q: QueryFragment<Pg>> QueryFragment<Pg> for CappedCount<Q> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql("SELECT count(*) FROM (");
        self.list.walk_ast(out.reborrow())?;
        // A literal: the planner assumes that a bound limit returns a tenth of the table.
        out.push_sql(&format!(" LIMIT {}) AS counted", i64::from(self.max) + 1));
        Ok(())
    }
}
