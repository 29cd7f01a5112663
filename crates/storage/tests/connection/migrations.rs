//! Migrations from an empty database to the current schema, and back.

use std::collections::BTreeMap;

use diesel::migration::{Migration, MigrationSource};
use diesel::pg::Pg;
use diesel_async::{AsyncConnection, AsyncMigrationHarness};
use diesel_migrations::MigrationHarness;
use futures_util::future::join_all;
use grateful_storage::{Connection, MIGRATIONS, StorageError, migrate, pending_migrations};
use grateful_test_database::TestDatabase;

use crate::support::catalogue::{catalogue, tables};
use crate::support::sql::lines;

#[tokio::test(flavor = "multi_thread")]
async fn each_migration_reverts_exactly_its_own_changes() {
    let database = TestDatabase::create_empty().await;
    let mut conn = database.connect().await;
    let mut schemas = Vec::new();
    for _ in migration_names() {
        schemas.push(catalogue(&mut conn).await);
        conn = with_harness(conn, |harness| _ = harness.run_next_migration(MIGRATIONS).unwrap());
    }
    database.execute(include_str!("../support/every_column.sql")).await;
    let filled = rows_by_table(&mut conn).await;

    for before in schemas.iter().rev() {
        conn = with_harness(conn, |harness| _ = harness.revert_last_migration(MIGRATIONS).unwrap());

        assert_eq!(catalogue(&mut conn).await, *before);
        for (table, rows) in rows_by_table(&mut conn).await {
            assert_eq!(rows, filled[&table], "{table}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_filled_database_can_be_reverted_to_empty_and_migrated_again() {
    let database = TestDatabase::create().await;
    let mut conn = database.connect().await;
    let original = catalogue(&mut conn).await;
    database.execute(include_str!("../support/every_column.sql")).await;

    // The harness of Diesel looks for its own table.
    database
        .execute(
            "ALTER TABLE grateful_migrations RENAME CONSTRAINT grateful_migrations_pkey TO other_pkey;
             ALTER TABLE grateful_migrations RENAME TO __diesel_schema_migrations",
        )
        .await;
    let mut conn =
        with_harness(conn, |harness| _ = harness.revert_all_migrations(MIGRATIONS).unwrap());
    assert_eq!(tables(&mut conn).await, [""; 0]);
    migrate(&database.url()).await.unwrap();

    assert_eq!(catalogue(&mut conn).await, original);
    database.execute(include_str!("../support/every_column.sql")).await;
}

/// One user has an inbox from before, and the other one notifications from before inboxes.
#[tokio::test(flavor = "multi_thread")]
async fn lists_from_before_inboxes_had_counts_are_counted() {
    const MIGRATION: &str = "2026-11-30-108000_count_inboxes";
    let database = TestDatabase::create_empty().await;
    let mut conn = with_harness(database.connect().await, |harness| {
        for _ in migration_names().iter().filter(|name| name.as_str() < MIGRATION) {
            harness.run_next_migration(MIGRATIONS).unwrap();
        }
    });
    database
        .execute(
            "INSERT INTO users (email, username, hashed_password) VALUES ('a', 'ana', 'x'), ('b', 'ben', 'x');
             INSERT INTO inboxes (user_id, last_seq) SELECT id, 9 FROM users WHERE username = 'ana';
             INSERT INTO notifications (id, user_id, type, read) SELECT gen_random_uuid(), id, 'follow', read
             FROM users, (VALUES (true), (false), (false)) AS state (read);
             INSERT INTO notifications (id, user_id, type, parent_id)
             SELECT gen_random_uuid(), user_id, 'follow', id FROM notifications WHERE read",
        )
        .await;

    migrate(&database.url()).await.unwrap();

    let counts = "SELECT concat_ws(' ', username, last_seq, unread_count, total_count) AS line
                  FROM inboxes JOIN users ON users.id = user_id ORDER BY username";
    assert_eq!(lines(&mut conn, counts).await, ["ana 9 2 3", "ben 0 2 3"]);
}

/// Otherwise the rows would not cover what a migration does to an unused column.
#[tokio::test]
async fn the_test_rows_use_every_column() {
    let database = TestDatabase::create().await;
    let mut conn = database.connect().await;
    database.execute(include_str!("../support/every_column.sql")).await;

    for table in tables(&mut conn).await {
        let unused = lines(
            &mut conn,
            &format!(
                "SELECT cell.key AS line FROM {table}, jsonb_each_text(to_jsonb({table})) AS cell
                 GROUP BY cell.key HAVING count(cell.value) = 0"
            ),
        )
        .await;

        assert_eq!(unused, [""; 0], "{table}");
        assert_ne!(lines(&mut conn, &count_sql(&table)).await, ["0"], "{table}");
    }
}

#[tokio::test]
async fn concurrent_migrations_run_each_step_once() {
    let database = TestDatabase::create_empty().await;

    let nodes = join_all((0..8).map(|_| tokio::spawn(migrate_from(database.url())))).await;

    let applied: Vec<String> = nodes.into_iter().flat_map(Result::unwrap).collect();
    assert_eq!(applied, migration_names());
    assert_eq!(pending_migrations(&mut database.connect().await).await.unwrap(), [""; 0]);
}

#[tokio::test]
async fn migrating_again_changes_nothing() {
    let database = TestDatabase::create().await;
    let original = catalogue(&mut database.connect().await).await;

    let applied = migrate(&database.url()).await.unwrap();

    assert_eq!(applied, [""; 0]);
    assert_eq!(catalogue(&mut database.connect().await).await, original);
}

#[tokio::test(flavor = "multi_thread")]
async fn pending_migrations_are_those_that_migrate_would_run() {
    let database = TestDatabase::create_empty().await;
    let mut conn = database.connect().await;

    assert_eq!(pending_migrations(&mut conn).await.unwrap(), migration_names());

    conn = with_harness(conn, |harness| {
        for _ in 0..4 {
            harness.run_next_migration(MIGRATIONS).unwrap();
        }
    });
    assert_eq!(pending_migrations(&mut conn).await.unwrap(), migration_names()[4..]);

    assert_eq!(migrate(&database.url()).await.unwrap(), migration_names()[4..]);
    assert_eq!(pending_migrations(&mut conn).await.unwrap(), [""; 0]);
}

/// The migration creates `shares` and then fails to create `share_recipients`, since a table of that name exists.
#[tokio::test]
async fn a_failed_migration_leaves_nothing_and_can_be_retried() {
    let database = TestDatabase::create_empty().await;
    let mut conn = database.connect().await;
    database.execute("CREATE TABLE share_recipients (id int)").await;

    let result = migrate(&database.url()).await;

    assert!(matches!(result, Err(StorageError::Query(_))), "{result:?}");
    assert!(!tables(&mut conn).await.contains(&"shares".to_owned()));
    let pending = pending_migrations(&mut conn).await.unwrap();
    assert_eq!(pending, migration_names()[5..]);
    assert_eq!(pending[0], "2026-11-23-090500_create_shares");

    database.execute("DROP TABLE share_recipients").await;
    assert_eq!(migrate(&database.url()).await.unwrap(), pending);
}

#[tokio::test]
async fn a_database_with_another_encoding_is_refused_before_the_first_migration() {
    let database = TestDatabase::create_empty().await;
    let name = format!("{}_ascii", database.url().rsplit('/').next().unwrap());
    let create =
        format!("CREATE DATABASE {name} TEMPLATE template0 ENCODING 'SQL_ASCII' LOCALE 'C'");
    database.execute(&create).await;
    let url = format!("{}_ascii", database.url());

    let result = migrate(&url).await;

    let mut conn = Connection::establish(&url).await.unwrap();
    let tables = tables(&mut conn).await;
    drop(conn);
    database.execute(&format!("DROP DATABASE {name} WITH (FORCE)")).await;
    let Err(error @ StorageError::UnsupportedEncoding { .. }) = result else {
        panic!("{result:?}")
    };
    let message = error.to_string();
    assert!(message.contains("SQL_ASCII") && message.contains("ENCODING 'UTF8'"), "{message}");
    assert_eq!(tables, [""; 0]);
}

#[tokio::test]
async fn migrating_a_missing_database_reports_it_as_unavailable() {
    let database = TestDatabase::create_empty().await;

    let result = migrate(&format!("{}_that_does_not_exist", database.url())).await;

    assert!(matches!(result, Err(StorageError::Unavailable(_))), "{result:?}");
}

fn migration_names() -> Vec<String> {
    let migrations: Vec<Box<dyn Migration<Pg>>> = MIGRATIONS.migrations().unwrap();
    migrations.iter().map(|migration| migration.name().to_string()).collect()
}

fn with_harness(
    conn: Connection,
    work: impl FnOnce(&mut AsyncMigrationHarness<Connection>),
) -> Connection {
    let mut harness = AsyncMigrationHarness::new(conn);
    work(&mut harness);
    harness.into_inner()
}

async fn migrate_from(url: String) -> Vec<String> {
    migrate(&url).await.unwrap()
}

async fn rows_by_table(conn: &mut Connection) -> BTreeMap<String, String> {
    let mut rows = BTreeMap::new();
    for table in tables(conn).await {
        let count = lines(conn, &count_sql(&table)).await.remove(0);
        rows.insert(table, count);
    }
    rows
}

fn count_sql(table: &str) -> String {
    format!("SELECT count(*)::text AS line FROM {table}")
}
