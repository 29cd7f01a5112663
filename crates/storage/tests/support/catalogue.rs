//! Reads the system catalogues of PostgreSQL.

use std::fmt::Write as _;

use grateful_storage::Connection;

use super::sql::lines;

/// Lists every table with its columns, constraints and indexes, as readable text.
///
/// Indexes that belong to a constraint are listed as the constraint. Constraints that only some versions of PostgreSQL list,
/// such as `NOT NULL`, are listed with the column.
pub(crate) async fn catalogue(conn: &mut Connection) -> String {
    let mut text = String::new();
    for table in tables(conn).await {
        writeln!(text, "{table}").unwrap();
        for line in [
            columns(conn, &table).await,
            constraints(conn, &table).await,
            indexes(conn, &table).await,
        ]
        .concat()
        {
            writeln!(text, "    {line}").unwrap();
        }
        text.push('\n');
    }
    text
}

/// The names of all tables except the lists of migrations.
pub(crate) async fn tables(conn: &mut Connection) -> Vec<String> {
    lines(
        conn,
        "SELECT relname::text AS line FROM pg_class
         WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')
             AND relname NOT IN ('grateful_migrations', '__diesel_schema_migrations')
         ORDER BY relname",
    )
    .await
}

async fn columns(conn: &mut Connection, table: &str) -> Vec<String> {
    let sql = format!(
        r"SELECT concat_ws(' ',
             attname,
             format_type(atttypid, atttypmod),
             CASE WHEN attcollation <> typcollation THEN 'collate ' || attcollation::regcollation END,
             CASE WHEN attnotnull THEN 'not null' END,
             CASE attidentity WHEN 'a' THEN 'identity' WHEN 'd' THEN 'identity by default' END,
             CASE attgenerated WHEN 's' THEN 'generated as ' WHEN '' THEN 'default ' END
                 || regexp_replace(pg_get_expr(adbin, adrelid), '\s+', ' ', 'g')
           ) AS line
           FROM pg_attribute
           JOIN pg_type ON pg_type.oid = atttypid
           LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
           WHERE attrelid = '{table}'::regclass AND attnum > 0 AND NOT attisdropped
           ORDER BY attnum"
    );
    lines(conn, &sql).await
}

async fn constraints(conn: &mut Connection, table: &str) -> Vec<String> {
    let sql = format!(
        "SELECT 'constraint ' || conname || ' ' || pg_get_constraintdef(oid) AS line FROM pg_constraint
         WHERE conrelid = '{table}'::regclass AND contype IN ('p', 'u', 'f', 'c', 'x')
         ORDER BY array_position(ARRAY['p', 'u', 'f', 'c', 'x'], contype::text), conname"
    );
    lines(conn, &sql).await
}

async fn indexes(conn: &mut Connection, table: &str) -> Vec<String> {
    let sql = format!(
        r"SELECT regexp_replace(
             pg_get_indexdef(indexrelid), '^CREATE (UNIQUE )?INDEX (\S+) ON \S+ USING (\S+)', 'index \2 \1\3'
           ) AS line
           FROM pg_index
           WHERE indrelid = '{table}'::regclass
             AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = indexrelid AND contype IN ('p', 'u', 'x'))
           ORDER BY 1"
    );
    lines(conn, &sql).await
}
