//! How many entries a list has, in the statement that reads a part of it.

use diesel::QueryResult;
use diesel::pg::Pg;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::sql_types::{BigInt, Nullable, SqlType};
use grateful_domain::Total;

use super::sql::Sql;

/// What counts a list.
pub(crate) struct TotalSql {
    sql: Box<dyn QueryFragment<Pg> + Send>,
    kind: TotalKind,
}

/// What the number says that comes out of it.
#[derive(Debug, Clone, Copy)]
pub(crate) enum TotalKind {
    Capped(u16),
    Exact,
    Estimated,
}

impl TotalKind {
    /// The rows of a part, and the total beside each.
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
    /// Counts what this query finds, but no further than one beyond `most`.
    pub(crate) fn capped(most: u16, rows: impl QueryFragment<Pg> + Send + 'static) -> Self {
        Self { sql: Box::new(rows), kind: TotalKind::Capped(most) }
    }

    /// A number that is kept.
    pub(crate) fn exact(number: Sql) -> Self {
        Self { sql: Box::new(number), kind: TotalKind::Exact }
    }

    /// How many rows PostgreSQL believes that this index leads to.
    pub(crate) fn estimate_from_index(index: &'static str) -> Self {
        let believed = Sql::new(format!(
            // Below zero, nobody has looked yet.
            "SELECT nullif(reltuples, -1) FROM pg_class WHERE oid = to_regclass('{index}')"
        ));
        Self { sql: Box::new(believed), kind: TotalKind::Estimated }
    }

    pub(crate) fn kind(&self) -> TotalKind {
        self.kind
    }
}

/// A part of a list, each row beside the total; one row without an entry where the part has none.
///
/// There is one total, so the join can only be a loop over the part, in its order.
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
            TotalKind::Capped(most) => {
                out.push_sql("SELECT count(*) FROM (");
                self.total.sql.walk_ast(out.reborrow())?;
                // In the text: a limit that is a value looks to the planner like a tenth of the table.
                out.push_sql(&format!(" LIMIT {}) AS counted", i64::from(most) + 1));
            }
            TotalKind::Exact | TotalKind::Estimated => self.total.sql.walk_ast(out.reborrow())?,
        }
        out.push_sql(")::bigint) AS total (number) LEFT JOIN (");
        self.page.walk_ast(out.reborrow())?;
        out.push_sql(") AS part ON true");
        Ok(())
    }
}

/// The rows of a part of a list, with the total where one is asked for: one statement in any case.
///
/// No function: of the future of one that takes any query, Rust does not see that it can be sent to other threads.
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
