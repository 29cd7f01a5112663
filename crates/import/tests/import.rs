//! The import of whole databases of the older Grateful.

#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

use std::collections::HashSet;
use std::io;

use chrono::{DateTime, TimeDelta, Utc};
use grateful_domain::ImageUrl;
use grateful_import::{
    Change, ImportError, ImportSettings, Observer, PictureFault, Pictures, Progress, Source,
    Summary, commit, import,
};
use grateful_storage::{ActTable, BulkLoad, CounterTable, Counters};
use grateful_test_database::TestDatabase;

const TABLES: &str = include_str!("older/tables.sql");
const WORLD: &str = include_str!("older/world.sql");
const LARGE: &str = include_str!("older/large.sql");

const COUNTED: [CounterTable; 4] =
    [CounterTable::Users, CounterTable::Posts, CounterTable::Notifications, CounterTable::Inboxes];

/// Keeps the report.
#[derive(Default)]
struct Report {
    lines: Vec<String>,
    rows: u64,
}

impl Observer for Report {
    fn change(&mut self, change: Change) -> io::Result<()> {
        self.lines.push(change.to_string());
        Ok(())
    }

    fn progress(&mut self, progress: Progress) {
        if let Progress::Advanced(rows) = progress {
            self.rows += rows;
        }
    }
}

/// A database of the older Grateful.
async fn older(statements: &str) -> TestDatabase {
    let database = TestDatabase::create_empty().await;
    database.execute(TABLES).await;
    database.execute(statements).await;
    database
}

fn pictures() -> Pictures {
    let image = ImageUrl::from_stored("/uploads/posts/new.jpg".to_owned());
    Pictures {
        images: [
            ("tomato.JPG".to_owned(), Ok(image)),
            ("text.png".to_owned(), Err(PictureFault::NoPicture)),
        ]
        .into(),
        photos: HashSet::from(["profile_ana".to_owned()]),
    }
}

fn settings() -> ImportSettings {
    ImportSettings { now: now(), retention: TimeDelta::days(90) }
}

fn now() -> DateTime<Utc> {
    DateTime::parse_from_rfc3339("2026-11-01T12:00:00Z").unwrap().to_utc()
}

/// Imports and commits.
async fn bring(
    from: &TestDatabase,
    into: &TestDatabase,
    settings: ImportSettings,
) -> Result<(Summary, Report), ImportError> {
    let source = Source::open(&from.url(), "UTC").await?;
    let mut load = BulkLoad::begin(&into.url()).await?;
    let mut report = Report::default();
    let summary = import(&source, &mut load, pictures(), settings, &mut report).await?;
    commit(&source, load).await?;
    Ok((summary, report))
}

/// Every row of ours that an import writes, without what it makes of the time of its run.
async fn rows(database: &TestDatabase) -> Vec<String> {
    let mut rows = Vec::new();
    for (table, order) in [
        ("users", "id"),
        ("posts", "id"),
        ("follows", "id"),
        ("likes", "id"),
        ("emoji_reactions", "id"),
        ("shares", "id"),
        ("share_recipients", "share_id, user_id"),
        ("comments", "id"),
        ("notifications", "user_id, last_updated_at, id"),
        ("inboxes", "user_id"),
        ("suppressed_notifications", "user_id, actor_id, act"),
    ] {
        let sql = format!(
            "SELECT '{table} ' || (jsonb_strip_nulls(to_jsonb(it)) - '{{rank, search_name, hashed_password}}'::text[])::text
                 AS line FROM {table} AS it ORDER BY {order}"
        );
        rows.extend(database.lines(&sql).await);
    }
    rows
}

/// What `grateful verify` would find.
async fn mismatches(database: &TestDatabase) -> Vec<String> {
    let mut conn = database.connect().await;
    let mut counters = Counters::new(&mut conn);
    let mut found = Vec::new();
    for table in COUNTED {
        let mut after = None;
        while let Some(batch) = counters.verify(table, after, 500).await.unwrap() {
            found.extend(batch.mismatches.iter().map(|mismatch| format!("{mismatch:?}")));
            after = Some(batch.last_key);
        }
    }
    for table in ActTable::ALL {
        let mut after = None;
        let read_before = now() - TimeDelta::days(90);
        while let Some(batch) = counters.verify_acts(table, after, 500, read_before).await.unwrap()
        {
            found.extend(batch.missing.iter().map(|missing| format!("{missing:?}")));
            after = Some(batch.last_key);
        }
    }
    found
}

#[tokio::test]
async fn an_older_world_comes_over_mended_and_verified() {
    let (from, into) = (older(WORLD).await, TestDatabase::create().await);

    let (_, report) = bring(&from, &into, settings()).await.unwrap();

    assert_eq!(mismatches(&into).await, [""; 0]);
    insta::assert_snapshot!("report", report.lines.join("\n"));
    insta::assert_snapshot!("rows", rows(&into).await.join("\n"));
    let next = "INSERT INTO users (email, username, hashed_password) VALUES ('x@y.z', 'next', '!') RETURNING id::text AS line";
    assert_eq!(into.lines(next).await, ["8"]);
}

#[tokio::test]
async fn each_row_that_is_read_is_imported_or_skipped() {
    let (from, into) = (older(WORLD).await, TestDatabase::create().await);

    let (summary, report) = bring(&from, &into, settings()).await.unwrap();

    let mut total = 0;
    for (table, counts) in summary.tables {
        assert_eq!(counts.read + counts.made, counts.imported + counts.skipped, "{table}");
        assert_eq!(counts.read, u64::try_from(from.count(table).await).unwrap(), "{table}");
        assert_eq!(counts.imported, u64::try_from(into.count(table).await).unwrap(), "{table}");
        total += counts.read;
    }
    assert!(total < report.rows, "{} of {total} rows were reported as progress", report.rows);
}

#[tokio::test]
async fn a_second_import_is_refused_and_changes_nothing() {
    let (from, into) = (older(WORLD).await, TestDatabase::create().await);
    bring(&from, &into, settings()).await.unwrap();
    let first = rows(&into).await;

    let second = bring(&from, &into, settings()).await;

    assert!(matches!(second, Err(ImportError::NotEmpty)));
    assert_eq!(rows(&into).await, first);
}

#[tokio::test]
async fn an_import_that_ends_early_leaves_nothing_and_can_be_run_again() {
    let (from, into) = (older(WORLD).await, TestDatabase::create().await);
    let source = Source::open(&from.url(), "UTC").await.unwrap();
    let mut load = BulkLoad::begin(&into.url()).await.unwrap();
    import(&source, &mut load, pictures(), settings(), &mut Report::default()).await.unwrap();

    drop(load);

    assert_eq!(rows(&into).await, [""; 0]);
    bring(&from, &into, settings()).await.unwrap();
    assert_eq!(into.count("users").await, 5);
}

/// The other lineage of the older database: columns in another order or missing, and the other kind of JSON.
#[tokio::test]
async fn a_database_of_another_shape_comes_over_alike() {
    let (from, into) = (older(WORLD).await, TestDatabase::create().await);
    bring(&from, &into, settings()).await.unwrap();
    let expected = rows(&into).await;
    from.execute(
        "ALTER TABLE users ALTER COLUMN location TYPE jsonb USING location::jsonb,
             ADD COLUMN name_again varchar, DROP COLUMN profile_photo_filename;
         UPDATE users SET name_again = username;
         ALTER TABLE users DROP COLUMN username;
         ALTER TABLE users RENAME COLUMN name_again TO username;
         ALTER TABLE posts DROP COLUMN hearts_count, DROP COLUMN reactions_count, DROP COLUMN shares_count,
             ALTER COLUMN post_type TYPE varchar USING post_type::text;
         ALTER TABLE notifications ALTER COLUMN data TYPE jsonb USING data::jsonb, DROP COLUMN batch_key,
             ALTER COLUMN created_at TYPE timestamptz USING created_at AT TIME ZONE 'UTC';
         ALTER TABLE shares ALTER COLUMN recipient_user_ids TYPE json USING recipient_user_ids::json;
         DROP TABLE mentions; CREATE TABLE alembic_version (version_num varchar)",
    )
    .await;

    let again = TestDatabase::create().await;
    bring(&from, &again, settings()).await.unwrap();
    assert_eq!(rows(&again).await, expected);

    from.execute("DROP TABLE comments").await;
    let without_comments = TestDatabase::create().await;
    bring(&from, &without_comments, settings()).await.unwrap();
    assert_eq!(without_comments.count("comments").await, 0);
    assert_eq!(without_comments.count("posts WHERE comments_count <> 0").await, 0);
    assert_eq!(without_comments.count("likes").await, into.count("likes").await);
}

/// Ours keeps track of each act of the retention: those without a notice get one that is read and closed.
#[tokio::test]
async fn recent_acts_without_a_notice_alert_no_one_and_are_verified() {
    let (from, into) = (older(WORLD).await, TestDatabase::create().await);
    let long = ImportSettings { now: now(), retention: TimeDelta::days(2_000) };

    bring(&from, &into, long).await.unwrap();

    let (before, after) = (older(WORLD).await, TestDatabase::create().await);
    bring(&before, &after, settings()).await.unwrap();
    let unread = "notifications WHERE NOT read AND parent_id IS NULL";
    assert_eq!(into.count(unread).await, after.count(unread).await);
    assert!(after.count("notifications").await < into.count("notifications").await);
    let mut conn = into.connect().await;
    let mut counters = Counters::new(&mut conn);
    for table in ActTable::ALL {
        let read_before = DateTime::UNIX_EPOCH;
        let batch = counters.verify_acts(table, None, 500, read_before).await.unwrap();
        let missing = batch.map_or(vec![], |batch| batch.missing);
        assert_eq!(missing, [], "{table:?}");
    }
}

#[tokio::test]
async fn a_source_that_changes_meanwhile_is_refused() {
    for change in [
        "INSERT INTO likes (id, user_id, post_id) VALUES ('late', 4, 'old-3')",
        "UPDATE users SET bio = 'later' WHERE id = 1",
        "DELETE FROM notifications WHERE id = 'note-12'",
    ] {
        let from = older(WORLD).await;
        let source = Source::open(&from.url(), "UTC").await.unwrap();
        from.execute(change).await;

        let checked = source.check_unchanged().await;

        assert!(matches!(checked, Err(ImportError::Changed { .. })), "{change}: {checked:?}");
    }
}

#[tokio::test]
async fn a_source_that_is_no_older_grateful_is_refused_in_one_sentence() {
    let empty = TestDatabase::create_empty().await;
    let ours = TestDatabase::create().await;
    let refusal = async |url: &str| match Source::open(url, "UTC").await {
        Ok(_) => String::new(),
        Err(error) => error.to_string(),
    };

    let missing = "the source is no database of the older Grateful: it has no column users.id";
    assert_eq!(refusal(&empty.url()).await, missing);
    assert!(refusal(&ours.url()).await.contains("a database of this Grateful"));
    let secret = "postgresql://ana:secret@127.0.0.1:1/nothing";
    let unreachable = refusal(secret).await;
    assert!(unreachable.starts_with("the source cannot be reached: "), "{unreachable}");
    let malformed = refusal("mysql://ana:secret@host/x").await;
    assert!(malformed.starts_with("--from is not the address"), "{malformed}");
    assert!(!unreachable.contains("secret") && !malformed.contains("secret"));
}

#[tokio::test]
async fn a_generated_world_comes_over_verified() {
    let (from, into) = (older(&large(200, 1_000)).await, TestDatabase::create().await);

    bring(&from, &into, settings()).await.unwrap();

    assert_eq!(mismatches(&into).await, [""; 0]);
    assert_eq!(into.count("likes").await, 3_000);
    assert_eq!(into.count("notifications WHERE is_batch").await, 500);
}

/// Prints how long a hundred thousand users with a million posts take.
#[tokio::test]
#[ignore = "takes minutes"]
async fn a_large_world_comes_over_in_minutes() {
    let from = older(&large(100_000, 1_000_000)).await;
    let into = TestDatabase::create().await;
    let started = std::time::Instant::now();

    let (summary, _) = bring(&from, &into, settings()).await.unwrap();

    println!("{:?} for {summary:?}", started.elapsed());
    assert_eq!(into.count("posts").await, 1_000_000);
}

fn large(users: u32, posts: u32) -> String {
    LARGE.replace(":users", &users.to_string()).replace(":posts", &posts.to_string())
}
