//! The way from an empty database to the schema of this build, and back.

use std::collections::BTreeMap;

use diesel::migration::{Migration, MigrationSource};
use diesel::pg::Pg;
use diesel_async::AsyncMigrationHarness;
use diesel_migrations::MigrationHarness;
use futures_util::future::join_all;
use grateful_storage::{Connection, MIGRATIONS, StorageError, migrate, pending_migrations};
use grateful_testkit::TestDatabase;

use crate::support::catalogue::{catalogue, tables};
use crate::support::sql::lines;

#[tokio::test(flavor = "multi_thread")]
async fn each_step_down_takes_back_its_step_up_and_nothing_else() {
    let database = TestDatabase::create_empty().await;
    let mut conn = database.connect().await;
    let mut way_up = Vec::new();
    for _ in names() {
        way_up.push(catalogue(&mut conn).await);
        conn = on_harness(conn, |harness| _ = harness.run_next_migration(MIGRATIONS).unwrap());
    }
    database.execute(include_str!("../support/every_column.sql")).await;
    let filled = rows_by_table(&mut conn).await;

    for before in way_up.iter().rev() {
        conn = on_harness(conn, |harness| _ = harness.revert_last_migration(MIGRATIONS).unwrap());

        assert_eq!(catalogue(&mut conn).await, *before);
        for (table, rows) in rows_by_table(&mut conn).await {
            assert_eq!(rows, filled[&table], "{table}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_filled_database_goes_down_to_nothing_and_up_to_the_same() {
    let database = TestDatabase::create().await;
    let mut conn = database.connect().await;
    let first = catalogue(&mut conn).await;
    database.execute(include_str!("../support/every_column.sql")).await;

    let mut conn =
        on_harness(conn, |harness| _ = harness.revert_all_migrations(MIGRATIONS).unwrap());
    assert_eq!(tables(&mut conn).await, [""; 0]);
    migrate(&database.url()).await.unwrap();

    assert_eq!(catalogue(&mut conn).await, first);
    database.execute(include_str!("../support/every_column.sql")).await;
}

/// Otherwise the rows that go up and down would not show what a column does to a migration.
#[tokio::test]
async fn the_rows_that_go_up_and_down_use_every_column() {
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
        assert_ne!(lines(&mut conn, &count(&table)).await, ["0"], "{table}");
    }
}

#[tokio::test]
async fn nodes_that_migrate_at_once_share_the_steps_between_them() {
    let database = TestDatabase::create_empty().await;

    let nodes = join_all((0..8).map(|_| tokio::spawn(migrate_from(database.url())))).await;

    let done: Vec<String> = nodes.into_iter().flat_map(Result::unwrap).collect();
    assert_eq!(done, names());
    assert_eq!(pending_migrations(&mut database.connect().await).await.unwrap(), [""; 0]);
}

#[tokio::test]
async fn migrating_twice_changes_nothing() {
    let database = TestDatabase::create().await;
    let first = catalogue(&mut database.connect().await).await;

    let done = migrate(&database.url()).await.unwrap();

    assert_eq!(done, [""; 0]);
    assert_eq!(catalogue(&mut database.connect().await).await, first);
}

#[tokio::test(flavor = "multi_thread")]
async fn pending_migrations_are_those_that_migrate_would_run() {
    let database = TestDatabase::create_empty().await;
    let mut conn = database.connect().await;

    assert_eq!(pending_migrations(&mut conn).await.unwrap(), names());

    conn = on_harness(conn, |harness| {
        for _ in 0..4 {
            harness.run_next_migration(MIGRATIONS).unwrap();
        }
    });
    assert_eq!(pending_migrations(&mut conn).await.unwrap(), names()[4..]);

    assert_eq!(migrate(&database.url()).await.unwrap(), names()[4..]);
    assert_eq!(pending_migrations(&mut conn).await.unwrap(), [""; 0]);
}

/// The step that makes `shares` and then `share_recipients` meets a table of the second name.
#[tokio::test]
async fn a_step_that_fails_leaves_nothing_behind_and_can_be_taken_again() {
    let database = TestDatabase::create_empty().await;
    let mut conn = database.connect().await;
    database.execute("CREATE TABLE share_recipients (id int)").await;

    let failed = migrate(&database.url()).await;

    assert!(matches!(failed, Err(StorageError::Query(_))), "{failed:?}");
    assert!(!tables(&mut conn).await.contains(&"shares".to_owned()));
    let pending = pending_migrations(&mut conn).await.unwrap();
    assert_eq!(pending, names()[5..]);
    assert_eq!(pending[0], "2026-11-23-090500_create_shares");

    database.execute("DROP TABLE share_recipients").await;
    assert_eq!(migrate(&database.url()).await.unwrap(), pending);
}

#[tokio::test]
async fn without_a_database_migrating_says_that_there_is_none() {
    let database = TestDatabase::create_empty().await;

    let outcome = migrate(&format!("{}_that_nobody_made", database.url())).await;

    assert!(matches!(outcome, Err(StorageError::Unavailable(_))), "{outcome:?}");
}

fn names() -> Vec<String> {
    let steps: Vec<Box<dyn Migration<Pg>>> = MIGRATIONS.migrations().unwrap();
    steps.iter().map(|step| step.name().to_string()).collect()
}

fn on_harness(
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
        let count = lines(conn, &count(&table)).await.remove(0);
        rows.insert(table, count);
    }
    rows
}

fn count(table: &str) -> String {
    format!("SELECT count(*)::text AS line FROM {table}")
}
