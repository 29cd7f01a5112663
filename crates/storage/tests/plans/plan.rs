//! How PostgreSQL runs a statement that our code prepared.

use diesel::sql_types::Json;
use diesel_async::RunQueryDsl;
use grateful_storage::Connection;
use serde_json::Value;

use crate::support::sql::lines;

/// A step of a plan that was carried out, with the steps below it.
#[derive(Debug)]
pub(crate) struct Plan(Value);

impl Plan {
    /// How the one statement that this connection has prepared is run with these arguments, in SQL; where it has prepared
    /// several, the one that has these words in it.
    pub(crate) async fn of_the_prepared(
        conn: &mut Connection,
        words: &str,
        arguments: &str,
    ) -> Self {
        let name = the_prepared(conn, words).await;
        Self::of(conn, &name, arguments).await
    }

    /// How the prepared statement of this name is run.
    pub(crate) async fn of(conn: &mut Connection, name: &str, arguments: &str) -> Self {
        #[derive(diesel::QueryableByName)]
        struct Row {
            #[diesel(sql_type = Json, column_name = "QUERY PLAN")]
            plan: Value,
        }

        let explain = format!("EXPLAIN (ANALYZE, FORMAT JSON) EXECUTE {name} ({arguments})");
        let row: Row = diesel::sql_query(&explain)
            .get_result(conn)
            .await
            .unwrap_or_else(|error| panic!("{explain}: {error}"));
        Self(row.plan[0]["Plan"].clone())
    }

    /// How many rows came out.
    pub(crate) fn rows_returned(&self) -> f64 {
        number(&self.0, "Actual Rows")
    }

    /// How many rows were taken from tables and indexes for that, those thrown away included.
    pub(crate) fn rows_read(&self) -> f64 {
        let read = |step: &Value| {
            let each = number(step, "Actual Rows")
                + number(step, "Rows Removed by Filter")
                + number(step, "Rows Removed by Index Recheck");
            each * number(step, "Actual Loops")
        };
        self.scans().into_iter().map(read).sum()
    }

    /// The tables that were read from end to end.
    pub(crate) fn tables_read_whole(&self) -> Vec<&str> {
        let whole = self.scans().into_iter().filter(|step| step["Node Type"] == "Seq Scan");
        whole.filter_map(|step| step["Relation Name"].as_str()).collect()
    }

    /// The steps that read a table, rather than what another step made.
    fn scans(&self) -> Vec<&Value> {
        let mut steps = vec![&self.0];
        let mut next = 0;
        while let Some(step) = steps.get(next) {
            steps.extend(step["Plans"].as_array().into_iter().flatten());
            next += 1;
        }
        steps.retain(|step| step["Relation Name"].is_string());
        steps
    }
}

fn number(step: &Value, key: &str) -> f64 {
    step[key].as_f64().unwrap_or_default()
}

/// Diesel keeps what it may run again; a statement that it prepares anew each time is not there, and costs a round trip
/// more than it needs.
async fn the_prepared(conn: &mut Connection, words: &str) -> String {
    let sql = format!(
        "SELECT name AS line FROM pg_prepared_statements
         WHERE statement NOT LIKE '%pg\\_prepared%' AND statement NOT LIKE '%pg\\_type%' AND statement NOT LIKE 'EXPLAIN%' AND strpos(statement, '{words}') > 0"
    );
    let [name] = &lines(conn, &sql).await[..] else { panic!("not one statement that is kept") };
    name.clone()
}
