//! Plans of statements that the code prepared.

use diesel::sql_types::Json;
use diesel_async::RunQueryDsl;
use grateful_storage::Connection;
use serde_json::Value;

use crate::support::sql::lines;

/// The root node of an executed plan (`EXPLAIN (ANALYZE)`).
#[derive(Debug)]
pub(crate) struct Plan(Value);

impl Plan {
    /// The plan of the only statement prepared on this connection whose text contains `sql_part`, executed with these
    /// arguments, given as SQL.
    pub(crate) async fn of_prepared(
        conn: &mut Connection,
        sql_part: &str,
        arguments: &str,
    ) -> Self {
        let name = find_prepared(conn, sql_part).await;
        Self::of(conn, &name, arguments).await
    }

    /// The plan of the prepared statement with this name.
    pub(crate) async fn of(conn: &mut Connection, name: &str, arguments: &str) -> Self {
        #[derive(diesel::QueryableByName)]
        struct Row {
            #[diesel(sql_type = Json, column_name = "QUERY PLAN")]
            plan: Value,
        }

        let explain =
            format!("EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) EXECUTE {name} ({arguments})");
        let row: Row = diesel::sql_query(&explain)
            .get_result(conn)
            .await
            .unwrap_or_else(|error| panic!("{explain}: {error}"));
        Self(row.plan[0]["Plan"].clone())
    }

    /// Number of rows returned.
    pub(crate) fn rows_returned(&self) -> f64 {
        number(&self.0, "Actual Rows")
    }

    /// Number of rows read from tables and indexes, including those filtered out.
    pub(crate) fn rows_read(&self) -> f64 {
        let rows_read = |node: &Value| {
            let per_loop = number(node, "Actual Rows")
                + number(node, "Rows Removed by Filter")
                + number(node, "Rows Removed by Index Recheck");
            per_loop * number(node, "Actual Loops")
        };
        self.scans().into_iter().map(rows_read).sum()
    }

    /// Number of pages read from tables and indexes. A page that is read twice counts twice.
    pub(crate) fn pages_read(&self) -> f64 {
        number(&self.0, "Shared Hit Blocks") + number(&self.0, "Shared Read Blocks")
    }

    /// The tables read by a sequential scan.
    pub(crate) fn tables_scanned(&self) -> Vec<&str> {
        let is_scanned = |node: &&Value| {
            // Jobs exist only until they are done.
            node["Node Type"] == "Seq Scan" && node["Relation Name"] != "background_jobs"
        };
        let sequential = self.scans().into_iter().filter(is_scanned);
        sequential.filter_map(|node| node["Relation Name"].as_str()).collect()
    }

    /// The nodes that read a table.
    fn scans(&self) -> Vec<&Value> {
        let mut nodes = vec![&self.0];
        let mut next = 0;
        while let Some(node) = nodes.get(next) {
            nodes.extend(node["Plans"].as_array().into_iter().flatten());
            next += 1;
        }
        nodes.retain(|node| node["Relation Name"].is_string());
        nodes
    }
}

fn number(node: &Value, key: &str) -> f64 {
    node[key].as_f64().unwrap_or_default()
}

/// Finds the name of a prepared statement. A statement that is not found is not cached by Diesel, so it is prepared each
/// time and costs a round trip more than necessary.
async fn find_prepared(conn: &mut Connection, sql_part: &str) -> String {
    let sql = format!(
        "SELECT name AS line FROM pg_prepared_statements
         WHERE statement NOT LIKE '%pg\\_prepared%' AND statement NOT LIKE '%pg\\_type%' AND statement NOT LIKE 'EXPLAIN%' AND strpos(statement, '{sql_part}') > 0"
    );
    let [name] = &lines(conn, &sql).await[..] else { panic!("expected one prepared statement") };
    name.clone()
}
