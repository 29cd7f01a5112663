//! Asking the database what no repository tells.

use diesel::sql_types::Text;
use diesel_async::RunQueryDsl;
use grateful_storage::Connection;

#[derive(diesel::QueryableByName)]
struct Row {
    #[diesel(sql_type = Text)]
    line: String,
}

/// The answer to a query for one text, in a column named `line`.
pub(crate) async fn lines(conn: &mut Connection, sql: &str) -> Vec<String> {
    let rows: Vec<Row> =
        diesel::sql_query(sql).load(conn).await.unwrap_or_else(|error| panic!("{sql}: {error}"));
    rows.into_iter().map(|row| row.line).collect()
}
