//! SQL queries for data that no repository returns.

use diesel::sql_types::Text;
use diesel_async::RunQueryDsl;
use grateful_storage::Connection;

#[derive(diesel::QueryableByName)]
struct Row {
    #[diesel(sql_type = Text)]
    line: String,
}

/// Runs a query with the single text column `line`.
pub(crate) async fn lines(conn: &mut Connection, sql: &str) -> Vec<String> {
    let rows: Vec<Row> =
        diesel::sql_query(sql).load(conn).await.unwrap_or_else(|error| panic!("{sql}: {error}"));
    rows.into_iter().map(|row| row.line).collect()
}
