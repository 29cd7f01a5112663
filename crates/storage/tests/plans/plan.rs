//! Plans of statements that the code prepared.

use std::sync::{Arc, Mutex};

use diesel::connection::InstrumentationEvent;
use diesel::sql_types::{Array, Json, Text};
use diesel_async::{AsyncConnection, RunQueryDsl, SimpleAsyncConnection};
use grateful_storage::Connection;
use serde_json::Value;

/// What the plan of a statement must be.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Expected<'a> {
    /// Text that occurs in this statement and in no other that the work prepares.
    pub(crate) sql_part: &'a str,
    /// Number of rows returned.
    pub(crate) rows: u32,
    /// Maximum number of rows read.
    pub(crate) max_read: u32,
}

/// Runs `work`, which prepares a statement, and checks its plans for the values that it bound: the plan for these values and
/// the generic plan, which it returns.
pub(crate) async fn check(
    conn: &mut Connection,
    expected: Expected<'_>,
    work: impl AsyncFnOnce(&mut Connection),
) -> Plan {
    let started = Arc::new(Mutex::new(Vec::new()));
    let recorder = Arc::clone(&started);
    conn.set_instrumentation(move |event: InstrumentationEvent<'_>| {
        if let InstrumentationEvent::StartQuery { query, .. } = event {
            recorder.lock().unwrap().push(query.to_string());
        }
    });
    work(conn).await;
    conn.set_instrumentation(|_: InstrumentationEvent<'_>| ());
    let (name, statement, types) = find_prepared(conn, expected.sql_part).await;
    // Without line breaks, which the text of an event does not have in the same places.
    let words = |sql: &str| sql.split_whitespace().collect::<Vec<_>>().join(" ");
    let statement = words(&statement);
    let binds = started.lock().unwrap().iter().rev().find_map(|event| {
        let (sql, binds) = event.rsplit_once(" -- binds: ")?;
        (words(sql) == statement).then(|| binds.to_owned())
    });
    let binds = binds.unwrap_or_else(|| panic!("no values for {statement}: {started:?}"));
    let values = split(&binds);
    let literals = values.iter().zip(&types).map(|(value, kind)| literal(value, kind));
    let arguments = literals.collect::<Vec<_>>().join(", ");
    check_values(conn, &name, expected, &arguments).await
}

/// Like [`check`], for values given as SQL, in the order of their numbers. For work that changes what the plan reads.
pub(crate) async fn check_with(
    conn: &mut Connection,
    expected: Expected<'_>,
    arguments: &str,
    work: impl AsyncFnOnce(&mut Connection),
) -> Plan {
    work(conn).await;
    let (name, ..) = find_prepared(conn, expected.sql_part).await;
    check_values(conn, &name, expected, arguments).await
}

async fn check_values(
    conn: &mut Connection,
    name: &str,
    Expected { rows, max_read, .. }: Expected<'_>,
    arguments: &str,
) -> Plan {
    // How far parallel workers read ahead of each other varies.
    conn.batch_execute("SET max_parallel_workers_per_gather = 0").await.unwrap();
    let mut generic = None;
    for mode in ["force_custom_plan", "force_generic_plan"] {
        conn.batch_execute(&format!("SET plan_cache_mode = {mode}")).await.unwrap();
        let plan = Plan::of(conn, name, arguments).await;

        let read = plan.rows_read();
        println!("{mode}: {read} rows read for {rows}, at most {max_read}");
        assert_eq!(plan.rows_returned().to_string(), rows.to_string(), "{mode}: {plan:#?}");
        assert_eq!(plan.tables_scanned(), [""; 0], "{mode}: {plan:#?}");
        assert!(read <= f64::from(max_read), "{mode}: {read} rows for {rows}: {plan:#?}");
        generic = Some(plan);
    }
    generic.unwrap()
}

/// The root node of an executed plan (`EXPLAIN (ANALYZE)`).
#[derive(Debug)]
pub(crate) struct Plan(Value);

impl Plan {
    /// The plan of the prepared statement with this name, executed with these arguments, given as SQL.
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

/// Finds the only prepared statement whose text contains `sql_part`: its name, its text, and the types of its parameters. A
/// statement that is not found is not cached by Diesel, so it is prepared each time and costs a round trip more than
/// necessary.
async fn find_prepared(conn: &mut Connection, sql_part: &str) -> (String, String, Vec<String>) {
    #[derive(diesel::QueryableByName)]
    struct Row {
        #[diesel(sql_type = Text)]
        name: String,
        #[diesel(sql_type = Text)]
        statement: String,
        #[diesel(sql_type = Array<Text>)]
        types: Vec<String>,
    }

    let prepared = diesel::sql_query(
        "SELECT name, statement, parameter_types::text[] AS types FROM pg_prepared_statements
         WHERE statement !~ 'pg_prepared|pg_type|^EXPLAIN' AND strpos(statement, $1) > 0",
    );
    let mut rows: Vec<Row> = prepared.bind::<Text, _>(sql_part).load(conn).await.unwrap();
    assert_eq!(rows.len(), 1, "expected one prepared statement with {sql_part:?}");
    let Row { name, statement, types } = rows.remove(0);
    (name, statement, types)
}

/// A bound value, given as Diesel shows it, as SQL.
fn literal(value: &str, kind: &str) -> String {
    if value == "None" {
        return format!("NULL::{kind}");
    }
    let value = value.strip_prefix("Some(").and_then(|it| it.strip_suffix(')')).unwrap_or(value);
    match kind.strip_suffix("[]") {
        Some(element) => {
            let elements: Vec<String> =
                split(value).iter().map(|value| literal(value, element)).collect();
            format!("ARRAY[{}]::{kind}", elements.join(", "))
        }
        None if kind == "bytea" => {
            let hex = |byte: &String| format!("{:02x}", byte.parse::<u8>().unwrap());
            format!("'\\x{}'::bytea", split(value).iter().map(hex).collect::<String>())
        }
        None => {
            let text = serde_json::from_str::<String>(value).unwrap_or_else(|_| value.to_owned());
            format!("'{}'::{kind}", text.replace('\'', "''"))
        }
    }
}

/// The elements of a list, given as Rust shows it.
fn split(list: &str) -> Vec<String> {
    let inner = list.trim().strip_prefix('[').and_then(|it| it.strip_suffix(']')).unwrap_or(list);
    let (mut elements, mut element, mut depth, mut quoted, mut escaped) =
        (vec![], String::new(), 0, false, false);
    for c in inner.chars() {
        match c {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            '[' | '(' if !quoted => depth += 1,
            ']' | ')' if !quoted => depth -= 1,
            ',' if !quoted && depth == 0 => {
                elements.push(std::mem::take(&mut element).trim().to_owned());
                continue;
            }
            _ => {}
        }
        element.push(c);
    }
    elements.push(element.trim().to_owned());
    elements.retain(|element| !element.is_empty());
    elements
}
