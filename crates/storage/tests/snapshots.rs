//! Copies of the whole database: a snapshot sees one moment, and a restore is atomic and checks foreign keys.

#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

use std::pin::pin;

use futures_util::StreamExt as _;
use grateful_storage::{
    DatabaseRestore, DatabaseSnapshot, Result, SequenceState, StorageError, TableColumns,
    migrate_to,
};
use grateful_test_database::{TestDatabase, create_user};

/// The rows of a table, as COPY prints them.
async fn rows_of(snapshot: &DatabaseSnapshot, table: &TableColumns) -> Vec<u8> {
    let mut chunks = pin!(snapshot.copy(table).await.unwrap());
    let mut rows = Vec::new();
    while let Some(chunk) = chunks.next().await {
        rows.extend_from_slice(chunk.unwrap().as_ref());
    }
    rows
}

fn table<'a>(snapshot: &'a DatabaseSnapshot, name: &str) -> &'a TableColumns {
    snapshot.tables().iter().find(|table| table.name == name).unwrap()
}

/// Copies all tables of a snapshot, without committing.
async fn restore_all(snapshot: &DatabaseSnapshot, url: &str) -> DatabaseRestore {
    let mut restore = DatabaseRestore::begin(url).await.unwrap();
    for table in snapshot.tables() {
        assert!(restore.has_table(table));
        let mut copy = restore.copy(table).await.unwrap();
        copy.send(rows_of(snapshot, table).await).await.unwrap();
        restore.finish(copy).await.unwrap();
    }
    restore
}

/// The URL of an account that may write rows but is not a superuser.
async fn url_of_ordinary_account(database: &TestDatabase, role: &str) -> String {
    let name = format!("{role}_{}", std::process::id());
    database
        .execute(&format!(
            "CREATE ROLE {name} LOGIN;
             GRANT ALL ON ALL TABLES IN SCHEMA public TO {name};
             GRANT ALL ON ALL SEQUENCES IN SCHEMA public TO {name}"
        ))
        .await;
    database.url().replacen("grateful@", &format!("{name}@"), 1)
}

async fn drop_ordinary_account(database: &TestDatabase, role: &str) {
    let name = format!("{role}_{}", std::process::id());
    database.execute(&format!("DROP OWNED BY {name}; DROP ROLE {name}")).await;
}

#[tokio::test]
async fn a_snapshot_sees_no_later_row_and_its_sequences_are_not_behind_its_rows() {
    let database = TestDatabase::create().await;
    create_user(&database).await;
    let snapshot = DatabaseSnapshot::open(&database.url()).await.unwrap();
    create_user(&database).await;

    let users = rows_of(&snapshot, table(&snapshot, "users")).await;

    assert_eq!(String::from_utf8(users).unwrap().lines().count(), 1);
    let sequences = snapshot.sequences().await.unwrap();
    assert_eq!(sequences, [SequenceState { name: "users_id_seq".to_owned(), last_value: 2 }]);
    let order = |name| snapshot.tables().iter().position(|table| table.name == name).unwrap();
    assert!(order("users") < order("posts") && order("posts") < order("likes"));
}

#[tokio::test]
async fn superusers_and_ordinary_accounts_restore_the_same_rows_at_the_commit() {
    let original = TestDatabase::create().await;
    create_user(&original).await;
    let snapshot = DatabaseSnapshot::open(&original.url()).await.unwrap();
    let sequences = snapshot.sequences().await.unwrap();
    for is_superuser in [true, false] {
        let copy = TestDatabase::create().await;
        let url = if is_superuser {
            copy.url()
        } else {
            url_of_ordinary_account(&copy, "restorer").await
        };

        drop(restore_all(&snapshot, &url).await);
        let restore = restore_all(&snapshot, &url).await;
        assert_eq!(restore.find_filled_table().await.unwrap().as_deref(), Some("users"));
        assert_eq!(copy.count("users").await, 0, "not committed yet");
        restore.commit(&sequences).await.unwrap();

        let restored = DatabaseSnapshot::open(&copy.url()).await.unwrap();
        for table in snapshot.tables() {
            let (rows, original) =
                (rows_of(&restored, table).await, rows_of(&snapshot, table).await);
            assert_eq!(rows, original, "{}", table.name);
        }
        assert_eq!(restored.sequences().await.unwrap(), sequences);
        drop(restored);
        if !is_superuser {
            drop_ordinary_account(&copy, "restorer").await;
        }
    }
}

#[tokio::test]
async fn rows_that_refer_to_missing_rows_are_rejected_for_all_accounts() {
    let original = TestDatabase::create().await;
    create_user(&original).await;
    let snapshot = DatabaseSnapshot::open(&original.url()).await.unwrap();
    let inboxes = table(&snapshot, "inboxes");
    let row = b"1\t0\t0\t0\t0\n".to_vec();
    for is_superuser in [true, false] {
        let copy = TestDatabase::create().await;
        let url =
            if is_superuser { copy.url() } else { url_of_ordinary_account(&copy, "loader").await };

        let load = async || -> Result<()> {
            let mut restore = DatabaseRestore::begin(&url).await?;
            let columns = ["user_id", "last_seq", "forgotten_seq", "unread_count", "total_count"];
            let columns = columns.map(str::to_owned).to_vec();
            let mut table = restore.copy(&TableColumns { columns, ..inboxes.clone() }).await?;
            table.send(row.clone()).await?;
            restore.finish(table).await?;
            restore.commit(&[]).await
        };
        let result = load().await;

        assert!(
            matches!(&result, Err(StorageError::ForeignKeyViolation { constraint }) if constraint == "inboxes_user_id_fkey"),
            "{result:?}"
        );
        assert_eq!(copy.count("inboxes").await, 0);
        if !is_superuser {
            drop_ordinary_account(&copy, "loader").await;
        }
    }
}

#[tokio::test]
async fn migrate_to_runs_only_the_given_migrations() {
    let database = TestDatabase::create_empty().await;
    let first: Vec<String> = ["20261123090000", "20261123090100"].map(str::to_owned).to_vec();

    assert_eq!(migrate_to(&database.url(), &first).await.unwrap().len(), 2);
    assert_eq!(migrate_to(&database.url(), &first).await.unwrap(), [""; 0]);

    let snapshot = DatabaseSnapshot::open(&database.url()).await.unwrap();
    assert_eq!(snapshot.migrations().await.unwrap(), first);
    let names: Vec<&str> = snapshot.tables().iter().map(|table| table.name.as_str()).collect();
    assert_eq!(names, ["users", "sessions"]);
}
