//! The table that lists the applied migrations.
//!
//! It is not the table of Diesel, so that a service that embeds this crate can have migrations of its own with Diesel. Builds
//! from before the table used that of Diesel: its rows are copied, and stay for nodes of these builds.

use std::collections::HashSet;

use diesel::prelude::*;
use diesel::sql_types::{Array, Text};
use diesel_async::{AsyncConnection, RunQueryDsl, SimpleAsyncConnection};

use super::files::embedded_versions;
use crate::Connection;
use crate::error::Result;

/// The names of the table: now, and in earlier builds, which shared it with other migrations of Diesel.
#[cfg(feature = "bulk")]
pub(crate) const MIGRATIONS_TABLES: [&str; 2] = ["grateful_migrations", EARLIER];

const EARLIER: &str = "__diesel_schema_migrations";

/// Returns the name of the table in the current schema, if there is one. A table in another schema of the search path belongs to
/// another service.
pub(crate) const FIND_MIGRATIONS_TABLE: &str = "
    SELECT tablename::text AS name FROM pg_tables
    WHERE schemaname = current_schema() AND tablename IN ('grateful_migrations', '__diesel_schema_migrations')
    ORDER BY tablename = 'grateful_migrations' DESC LIMIT 1";

diesel::table! {
    grateful_migrations (version) {
        version -> Text,
    }
}

/// Without the notice that the table exists, which would be a line in the log of each start.
const CREATE: &str = "
    SET LOCAL client_min_messages = 'warning';
    CREATE TABLE IF NOT EXISTS grateful_migrations (
        version text CONSTRAINT grateful_migrations_pkey PRIMARY KEY,
        run_on timestamptz NOT NULL DEFAULT now()
    )";

/// The migrations that an earlier build has applied. Other rows of that table are migrations of another service.
const COPY: &str = "
    INSERT INTO grateful_migrations (version, run_on)
    SELECT version, run_on FROM __diesel_schema_migrations WHERE version = ANY ($1)
    ON CONFLICT DO NOTHING";

#[derive(QueryableByName)]
struct TableName {
    #[diesel(sql_type = Text)]
    name: String,
}

#[derive(QueryableByName)]
struct Version {
    #[diesel(sql_type = Text)]
    version: String,
}

/// Creates the table, with the migrations of an earlier build.
pub(super) async fn create(conn: &mut Connection) -> Result<()> {
    conn.transaction(async |tx| {
        if find(tx).await?.as_deref() == Some(EARLIER) {
            tx.batch_execute(CREATE).await?;
            diesel::sql_query(COPY)
                .bind::<Array<Text>, _>(embedded_versions()?)
                .execute(tx)
                .await?;
        } else {
            tx.batch_execute(CREATE).await?;
        }
        Ok(())
    })
    .await
}

/// Lists a migration as applied.
pub(super) async fn insert(conn: &mut Connection, version: &str) -> Result<()> {
    let version = grateful_migrations::version.eq(version);
    diesel::insert_into(grateful_migrations::table).values(version).execute(conn).await?;
    Ok(())
}

/// Returns the versions of the applied migrations, oldest first. Empty if the database was never migrated.
///
/// # Errors
/// The database cannot be reached.
pub async fn applied_migrations(conn: &mut Connection) -> Result<Vec<String>> {
    let Some(table) = find(conn).await? else { return Ok(Vec::new()) };
    let versions = format!("SELECT version::text AS version FROM {table} ORDER BY version");
    let rows: Vec<Version> = diesel::sql_query(versions).load(conn).await?;
    of_this_crate(&table, rows.into_iter().map(|row| row.version).collect())
}

/// Those of the versions in a table that are migrations of this crate.
pub(crate) fn of_this_crate(table: &str, mut versions: Vec<String>) -> Result<Vec<String>> {
    if table == EARLIER {
        let known: HashSet<String> = embedded_versions()?.into_iter().collect();
        versions.retain(|version| known.contains(version));
    }
    Ok(versions)
}

async fn find(conn: &mut Connection) -> Result<Option<String>> {
    let found: Option<TableName> =
        diesel::sql_query(FIND_MIGRATIONS_TABLE).get_result(conn).await.optional()?;
    Ok(found.map(|table| table.name))
}
