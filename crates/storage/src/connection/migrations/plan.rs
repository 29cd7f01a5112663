//! What pending migrations keep waiting while they run, by their statements.

use std::collections::HashMap;

use diesel_async::RunQueryDsl;

use super::files::MigrationFile;
use super::{connect, find_pending};
use crate::Connection;
use crate::error::Result;

/// A migration that the database does not have yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PendingMigration {
    /// The name of its folder.
    pub name: String,
    /// What waits while it runs. Tables that it creates are not listed.
    pub locks: Vec<TableLock>,
    /// Whether it runs in a transaction, which keeps all of its locks until it ends.
    pub in_transaction: bool,
}

/// A lock that a migration takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableLock {
    /// The table.
    pub table: String,
    /// What waits.
    pub impact: LockImpact,
    /// The first words of the statement.
    pub statement: String,
}

/// What waits while a lock is held, from the least on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum LockImpact {
    /// Writes of the rows that the migration writes.
    Rows,
    /// All writes of the table.
    Writes,
    /// All use of the table.
    ReadsAndWrites,
    /// The statement is none of those that are known here: see the file of the migration.
    Unknown,
}

/// Returns the migrations that the database at `url` does not have yet, and what each of them keeps waiting.
///
/// # Errors
/// The database cannot be reached.
pub async fn plan_migrations(url: &str) -> Result<Vec<PendingMigration>> {
    let mut conn = connect(url).await?;
    let pending = find_pending(&mut conn).await?;
    let indexes = tables_of_indexes(&mut conn).await?;
    let plan = |MigrationFile { name, up, in_transaction, .. }| PendingMigration {
        name,
        locks: locks(up, &indexes),
        in_transaction,
    };
    Ok(pending.into_iter().map(plan).collect())
}

#[derive(diesel::QueryableByName)]
struct IndexRow {
    #[diesel(sql_type = diesel::sql_types::Text)]
    name: String,
    #[diesel(sql_type = diesel::sql_types::Text)]
    table_name: String,
}

async fn tables_of_indexes(conn: &mut Connection) -> Result<HashMap<String, String>> {
    let indexes = "SELECT indexname::text AS name, tablename::text AS table_name FROM pg_indexes
                   WHERE schemaname = current_schema()";
    let rows: Vec<IndexRow> = diesel::sql_query(indexes).load(conn).await?;
    Ok(rows.into_iter().map(|row| (row.name, row.table_name)).collect())
}

/// The strongest lock on each table, in the order of the statements. `indexes` are the tables of the indexes that exist.
fn locks(up: &str, indexes: &HashMap<String, String>) -> Vec<TableLock> {
    let (mut locks, mut created) = (Vec::<TableLock>::new(), Vec::new());
    for statement in statements(up) {
        let words = statement.split_whitespace().filter(|word| *word != "UNLOGGED");
        let words: Vec<&str> = words.collect();
        if words.len() > 2 && words[0] == "CREATE" && words[1] == "TABLE" {
            created.push(name(words[2]));
        }
        for (table, impact) in locks_of(&words, indexes) {
            if created.contains(&table) {
                continue;
            }
            let shown = words.iter().take(if words[0] == "CREATE" { 3 } else { 2 });
            let statement = shown.copied().collect::<Vec<_>>().join(" ");
            match locks.iter_mut().find(|lock| lock.table == table) {
                Some(lock) if impact <= lock.impact => (),
                Some(lock) => *lock = TableLock { table, impact, statement },
                None => locks.push(TableLock { table, impact, statement }),
            }
        }
    }
    locks
}

/// The tables that a statement locks, and what waits for it (PostgreSQL, "Explicit Locking").
fn locks_of(words: &[&str], indexes: &HashMap<String, String>) -> Vec<(String, LockImpact)> {
    use LockImpact::{ReadsAndWrites, Rows, Unknown, Writes};

    let after = |word: &str| {
        let at = words.iter().position(|it| it.eq_ignore_ascii_case(word))?;
        words.get(at + 1).map(|table| name(table))
    };
    let of_index = |index: String| {
        indexes.get(&index).cloned().unwrap_or_else(|| format!("the table of {index}"))
    };
    let is = |start: &[&str]| words.len() >= start.len() && words[..start.len()] == *start;
    let one =
        |table: Option<String>, impact| table.map(|table| (table, impact)).into_iter().collect();
    if is(&["CREATE", "TABLE"]) {
        // A foreign key adds triggers to the table that it refers to.
        let referenced = words.windows(2).filter(|pair| pair[0] == "REFERENCES");
        return referenced.map(|pair| (name(pair[1]), Writes)).collect();
    }
    if words.contains(&"CONCURRENTLY") {
        return vec![];
    }
    if is(&["CREATE", "INDEX"]) || is(&["CREATE", "UNIQUE", "INDEX"]) {
        return one(after("ON"), Writes);
    }
    if is(&["DROP", "INDEX"]) {
        let dropped = words[2..].iter().filter(|word| !["IF", "EXISTS"].contains(word));
        return dropped.map(|index| (of_index(name(index)), ReadsAndWrites)).collect();
    }
    let harmless = [["ALTER", "INDEX"], ["CREATE", "FUNCTION"], ["CREATE", "STATISTICS"]];
    if harmless.iter().any(|start| is(start)) || is(&["SELECT"]) || is(&["END"]) || is(&["SET"]) {
        return vec![];
    }
    // Neither reads nor writes wait for the check of a constraint, nor for the settings of a table.
    let is_light = words.get(3) == Some(&"VALIDATE") || words.get(4) == Some(&"(fillfactor");
    if is(&["ALTER", "TABLE"]) && is_light {
        return vec![];
    }
    if is(&["ALTER", "TABLE"]) || is(&["DROP", "TABLE"]) || is(&["LOCK", "TABLE"]) {
        let mut tables = words[2..].iter().filter(|word| !["IF", "EXISTS", "ONLY"].contains(word));
        return one(tables.next().map(|table| name(table)), ReadsAndWrites);
    }
    match words {
        ["UPDATE", table, ..] | ["INSERT", "INTO", table, ..] | ["DELETE", "FROM", table, ..] => {
            vec![(name(table), Rows)]
        }
        ["WITH", ..] if after("UPDATE").is_some() => one(after("UPDATE"), Rows),
        _ => vec![("any table".to_owned(), Unknown)],
    }
}

/// A name without what follows it directly.
fn name(word: &str) -> String {
    let name = word.split(['(', ',', ';']).next().unwrap_or_default();
    name.trim_matches('"').trim_start_matches("public.").to_owned()
}

/// The statements of a file, without comments.
fn statements(up: &str) -> Vec<String> {
    let (mut statements, mut statement) = (Vec::new(), String::new());
    let mut quote: Option<&str> = None;
    let mut rest = up;
    while let Some(c) = rest.chars().next() {
        if let Some(end) = quote {
            if rest.starts_with(end) {
                quote = None;
            }
        } else if rest.starts_with("--") {
            rest = rest.find('\n').map_or("", |end| &rest[end..]);
            continue;
        } else if rest.starts_with("$$") {
            quote = Some("$$");
            rest = &rest[2..];
            continue;
        } else if c == '\'' {
            quote = Some("'");
        } else if c == ';' {
            statements.push(std::mem::take(&mut statement));
            rest = &rest[1..];
            continue;
        } else {
            statement.push(c);
        }
        rest = &rest[c.len_utf8()..];
    }
    statements.push(statement);
    statements.retain(|statement| !statement.trim().is_empty());
    statements
}

#[cfg(test)]
mod tests {
    use super::LockImpact::{ReadsAndWrites, Rows, Unknown, Writes};
    use super::*;
    use crate::connection::migrations::files::embedded_migrations;

    fn found(up: &str) -> Vec<(String, LockImpact)> {
        let indexes = [("idx_posts_rank".to_owned(), "posts".to_owned())].into();
        locks(up, &indexes).into_iter().map(|lock| (lock.table, lock.impact)).collect()
    }

    #[test]
    fn each_kind_of_statement_keeps_waiting_what_postgresql_documents() {
        for (up, expected) in [
            ("ALTER TABLE users ADD COLUMN x text;", vec![("users", ReadsAndWrites)]),
            ("ALTER TABLE posts VALIDATE CONSTRAINT x;", vec![]),
            ("ALTER TABLE posts SET (fillfactor = 90);", vec![]),
            ("CREATE INDEX idx ON posts (id);", vec![("posts", Writes)]),
            ("CREATE UNIQUE INDEX idx ON posts (id);", vec![("posts", Writes)]),
            ("CREATE INDEX CONCURRENTLY idx ON posts (id);", vec![]),
            ("DROP INDEX idx_posts_rank;", vec![("posts", ReadsAndWrites)]),
            ("DROP INDEX unknown;", vec![("the table of unknown", ReadsAndWrites)]),
            ("DROP INDEX CONCURRENTLY idx_posts_rank;", vec![]),
            ("ALTER INDEX a RENAME TO b;", vec![]),
            ("UPDATE users SET x = 'a; b -- c';", vec![("users", Rows)]),
            ("INSERT INTO inboxes (user_id) SELECT 1;", vec![("inboxes", Rows)]),
            ("VACUUM FULL users;", vec![("any table", Unknown)]),
        ] {
            let expected: Vec<_> =
                expected.into_iter().map(|(table, impact)| (table.to_owned(), impact)).collect();
            assert_eq!(found(up), expected, "{up}");
        }
    }

    #[test]
    fn a_new_table_locks_those_that_it_refers_to_and_is_not_listed_itself() {
        let up = "-- A comment; with a semicolon\nCREATE TABLE x (\n user_id bigint REFERENCES users (id)\n);
                  CREATE INDEX i ON x (user_id);\nALTER TABLE x ADD COLUMN y text;";
        assert_eq!(found(up), [("users".to_owned(), Writes)]);
    }

    #[test]
    fn of_several_locks_on_a_table_the_strongest_counts() {
        let up = "CREATE INDEX i ON posts (id);\nUPDATE posts SET a = 1;\nALTER TABLE posts DROP COLUMN b;";
        assert_eq!(found(up), [("posts".to_owned(), ReadsAndWrites)]);
    }

    #[test]
    fn every_statement_of_every_migration_is_known() {
        let files = embedded_migrations().unwrap();
        assert!(30 < files.len(), "{} migrations", files.len());
        for MigrationFile { name, up, .. } in files {
            let unknown = locks(up, &HashMap::new()).into_iter().find(|it| it.impact == Unknown);
            assert_eq!(unknown, None, "{name}");
        }
    }
}
