//! The total of a list, in the same statement as a page of it.

use diesel::QueryResult;
use diesel::pg::Pg;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::sql_types::{BigInt, Nullable, SqlType};
use grateful_domain::Total;

use super::sql::Sql;

/// A query for the total of a list.
pub(crate) struct TotalSql {
    sql: Box<dyn QueryFragment<Pg> + Send>,
    kind: TotalKind,
}

/// How to read the number that the query returns.
#[derive(Debug, Clone, Copy)]
pub(crate) enum TotalKind {
    Capped(u16),
    Exact,
    Estimated,
}

impl TotalKind {
    /// Separates the rows of a page from the total, which is in every row.
    pub(crate) fn split_rows<Row>(
        self,
        rows: Vec<(Option<i64>, Option<Row>)>,
    ) -> (Vec<Row>, Option<Total>) {
        let number = rows.first().and_then(|(number, _)| *number);
        let total = number.map(|number| match self {
            Self::Capped(max) => Total::from_capped_count(number, max),
            Self::Exact => Total::Exactly(number),
            Self::Estimated => Total::About(number),
        });
        (rows.into_iter().filter_map(|(_, row)| row).collect(), total)
    }
}

impl TotalSql {
    /// Counts the rows of this query, but stops at one more than `max`.
    pub(crate) fn capped(max: u16, rows: impl QueryFragment<Pg> + Send + 'static) -> Self {
        Self { sql: Box::new(rows), kind: TotalKind::Capped(max) }
    }

    /// Reads a stored counter.
    pub(crate) fn exact(number: Sql) -> Self {
        Self { sql: Box::new(number), kind: TotalKind::Exact }
    }

    /// Reads PostgreSQL's estimate of the number of rows in an index.
    pub(crate) fn estimate_from_index(index: &'static str) -> Self {
        let estimate = Sql::new(format!(
            // Negative means that the index was never analyzed.
            "SELECT nullif(reltuples, -1) FROM pg_class WHERE oid = to_regclass('{index}')"
        ));
        Self { sql: Box::new(estimate), kind: TotalKind::Estimated }
    }

    pub(crate) fn kind(&self) -> TotalKind {
        self.kind
    }
}

/// A page of a list with the total in every row. An empty page has one row, with the total alone.
///
/// The total is a single row, so the join is always a loop over the page, in the order of the page.
pub(crate) struct WithTotal<Q> {
    page: Q,
    total: TotalSql,
}

impl<Q> WithTotal<Q> {
    pub(crate) fn new(page: Q, total: TotalSql) -> Self {
        Self { page, total }
    }
}

impl<Q> Query for WithTotal<Q>
where
    Q: Query,
    Q::SqlType: SqlType,
{
    type SqlType = (Nullable<BigInt>, Nullable<Q::SqlType>);
}

impl<Q> QueryId for WithTotal<Q> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<Q: QueryFragment<Pg>> QueryFragment<Pg> for WithTotal<Q> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql("SELECT total.number, part.* FROM (SELECT (");
        match self.total.kind {
            TotalKind::Capped(max) => {
                out.push_sql("SELECT count(*) FROM (");
                self.total.sql.walk_ast(out.reborrow())?;
                // A literal: the planner assumes that a bound limit returns a tenth of the table.
                out.push_sql(&format!(" LIMIT {}) AS counted", i64::from(max) + 1));
            }
            TotalKind::Exact | TotalKind::Estimated => self.total.sql.walk_ast(out.reborrow())?,
        }
        out.push_sql(")::bigint) AS total (number) LEFT JOIN (");
        self.page.walk_ast(out.reborrow())?;
        out.push_sql(") AS part ON true");
        Ok(())
    }
}

/// Loads a page, and the total if one is requested, in one statement.
///
/// A macro, because the compiler cannot prove that the future of a function over any query is `Send`.
macro_rules! load_page {
    ($conn:expr, $page:expr, $total:expr) => {
        match $total {
            None => $page.load($conn).await.map(|rows| (rows, None)),
            Some(total) => {
                let kind = total.kind();
                let with_total = $crate::query::WithTotal::new($page, total);
                let rows: diesel::QueryResult<Vec<(Option<i64>, Option<_>)>> =
                    with_total.load($conn).await;
                rows.map(|rows| kind.split_rows(rows))
            }
        }
    };
}

pub(crate) use load_page;
