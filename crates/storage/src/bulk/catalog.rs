//! The tables and sequences of the database, as PostgreSQL's catalog lists them.

use std::collections::HashSet;

use tokio_postgres::Client;

use crate::connection::MIGRATIONS_TABLES;
use crate::{Result, StorageError};

/// A table, and the columns that are copied: all but generated ones.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableColumns {
    /// The name of the table.
    pub name: String,
    /// The names of the columns, in the order of their values in a row.
    pub columns: Vec<String>,
}

impl TableColumns {
    /// The table and its columns as COPY expects them.
    pub(super) fn copy_target(&self) -> String {
        let columns: Vec<String> = self.columns.iter().map(|column| quote(column)).collect();
        format!("{} ({})", quote(&self.name), columns.join(", "))
    }
}

/// The state of a sequence that has returned a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SequenceState {
    /// The name of the sequence.
    pub name: String,
    /// The value that it returned last.
    pub last_value: i64,
}

/// Quotes the name of a table or column.
pub(super) fn quote(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// Settings of a transaction that copies tables: no time limits, and texts that mean the same in every database. A policy
/// that hides rows from this account is an error.
pub(super) const COPY_SETTINGS: &str = "
    SET LOCAL statement_timeout = 0;
    SET LOCAL lock_timeout = '30s';
    SET LOCAL idle_in_transaction_session_timeout = 0;
    SET LOCAL row_security = off;
    SET LOCAL datestyle = 'ISO, YMD';
    SET LOCAL intervalstyle = 'postgres';
    SET LOCAL timezone = 'UTC';
    SET LOCAL bytea_output = 'hex';
    SET LOCAL extra_float_digits = 1;
    SELECT set_config(name, '0', true) FROM pg_settings WHERE name = 'transaction_timeout'";

/// Lists the tables, referenced ones before those that refer to them. Leaves out tables of extensions, the lists of migrations,
/// which describe the schema and are no data, and unlogged tables: what they hold means nothing on another server.
pub(super) async fn list_tables(client: &Client) -> Result<Vec<TableColumns>> {
    let tables = "
        SELECT relname::text, array_agg(attname::text ORDER BY attnum)
        FROM pg_class
        JOIN pg_namespace ON pg_namespace.oid = relnamespace
        JOIN pg_attribute ON attrelid = pg_class.oid
        WHERE nspname = current_schema() AND relkind = 'r' AND relpersistence = 'p' AND relname <> ALL ($1)
            AND attnum > 0 AND NOT attisdropped AND attgenerated = ''
            AND NOT EXISTS (
                SELECT FROM pg_depend
                WHERE classid = 'pg_class'::regclass AND objid = pg_class.oid AND deptype = 'e'
            )
        GROUP BY relname ORDER BY relname";
    let references = "
        SELECT child.relname::text, parent.relname::text
        FROM pg_constraint
        JOIN pg_class AS child ON child.oid = conrelid
        JOIN pg_class AS parent ON parent.oid = confrelid
        WHERE contype = 'f' AND conrelid <> confrelid";
    let tables = client.query(tables, &[&MIGRATIONS_TABLES.as_slice()]).await;
    let references = client.query(references, &[]).await.map_err(StorageError::from_driver)?;
    let tables = tables.map_err(StorageError::from_driver)?;
    let table = |row: &tokio_postgres::Row| TableColumns { name: row.get(0), columns: row.get(1) };
    let references = references.iter().map(|row| (row.get(0), row.get(1))).collect();
    Ok(order_by_reference(tables.iter().map(table).collect(), &references))
}

/// Orders tables so that each follows those it refers to. Tables that refer to each other in a circle come last.
fn order_by_reference(
    mut tables: Vec<TableColumns>,
    references: &HashSet<(String, String)>,
) -> Vec<TableColumns> {
    let mut ordered = Vec::with_capacity(tables.len());
    while !tables.is_empty() {
        let waiting: HashSet<String> = tables.iter().map(|table| table.name.clone()).collect();
        let waits = |table: &TableColumns| {
            references.iter().any(|(from, to)| *from == table.name && waiting.contains(to))
        };
        let (later, next): (Vec<_>, Vec<_>) = tables.into_iter().partition(waits);
        if next.is_empty() {
            ordered.extend(later);
            break;
        }
        ordered.extend(next);
        tables = later;
    }
    ordered
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_follows_those_it_refers_to_even_in_a_circle() {
        let table = |name: &str| TableColumns { name: name.to_owned(), columns: Vec::new() };
        let tables = ["a", "b", "c", "x", "y"].map(table).to_vec();
        let references = [("a", "b"), ("b", "c"), ("x", "y"), ("y", "x"), ("a", "missing")];
        let references =
            references.map(|(from, to)| (from.to_owned(), to.to_owned())).into_iter().collect();

        let ordered = order_by_reference(tables, &references);

        let names: Vec<&str> = ordered.iter().map(|table| table.name.as_str()).collect();
        assert_eq!(names, ["c", "b", "a", "x", "y"]);
    }

    #[test]
    fn names_are_quoted_for_copy() {
        let columns = ["id", "odd\"name"].map(str::to_owned).to_vec();
        let table = TableColumns { name: "Posts".to_owned(), columns };

        assert_eq!(table.copy_target(), "\"Posts\" (\"id\", \"odd\"\"name\")");
    }
}
