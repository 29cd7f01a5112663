//! Databases of earlier releases, brought up by this one while nodes of the release go on. See `releases/README.md`.

#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod support {
    pub(crate) mod catalogue;
    pub(crate) mod sql;
}

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use diesel_async::SimpleAsyncConnection as _;
use grateful_storage::{CounterTable, Counters, migrate, pending_migrations, plan_migrations};
use grateful_test_database::TestDatabase;

use crate::support::catalogue::{catalogue, tables};
use crate::support::sql::lines;

const COUNTED: [CounterTable; 4] =
    [CounterTable::Users, CounterTable::Posts, CounterTable::Notifications, CounterTable::Inboxes];

/// Statements that a migration has broken on purpose: the release, how the statement begins, and why. Nodes of that release
/// must be stopped before the migration.
const BROKEN: [(&str, &str, &str); 1] = [(
    "2026-11-30-108300",
    "WITH start AS (",
    "2026-11-30-109030 gave the key of notifications their user in one step, before the first published version",
)];

/// A release whose database is kept.
struct Release {
    /// The name of its last migration begins with this.
    name: String,
    database: String,
    statements: Vec<Statement>,
}

/// A statement that nodes of the release send.
struct Statement {
    /// The types of the parameters, where PostgreSQL cannot infer them.
    types: String,
    text: String,
}

impl Release {
    fn all() -> Vec<Self> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/releases");
        let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        let mut folders: Vec<PathBuf> = entries.filter(|path| path.is_dir()).collect();
        folders.sort();
        folders.iter().map(|folder| Self::read(folder)).collect()
    }

    fn read(folder: &Path) -> Self {
        let read = |file: &str| std::fs::read_to_string(folder.join(file)).unwrap();
        let statements = read("statements.txt");
        let texts = statements.split("\n;;").map(str::trim).filter(|text| !text.is_empty());
        Self {
            name: folder.file_name().unwrap().to_str().unwrap().to_owned(),
            database: read("database.dump"),
            statements: texts.map(Statement::parse).collect(),
        }
    }

    /// A database as the release left it.
    async fn restore(&self) -> TestDatabase {
        let database = TestDatabase::create_empty().await;
        database.execute(&self.database).await;
        database
    }
}

impl Statement {
    fn parse(text: &str) -> Self {
        let typed = text.strip_prefix("-- types: ").and_then(|rest| rest.split_once('\n'));
        let (types, text) = typed.unwrap_or(("", text));
        Self { types: types.to_owned(), text: text.to_owned() }
    }

    /// Statements that prepare it and plan it with no value for any parameter.
    fn planned(&self, number: usize) -> String {
        let Self { types, text } = self;
        let is_parameter = |count: &usize| text.contains(&format!("${count}"));
        let nulls = vec!["NULL"; (1..=100).take_while(is_parameter).count()].join(", ");
        let with = |values: &str| match values {
            "" => String::new(),
            values => format!("({values})"),
        };
        let (types, nulls) = (with(types), with(&nulls));
        format!(
            "PREPARE statement_{number} {types} AS {text}; EXPLAIN EXECUTE statement_{number}{nulls};"
        )
    }
}

#[tokio::test]
async fn the_database_of_each_release_is_brought_up_with_its_rows() {
    let current = catalogue(&mut TestDatabase::create().await.connect().await).await;
    for release in Release::all() {
        let database = release.restore().await;
        let mut conn = database.connect().await;
        let before = row_counts(&database).await;
        let pending = pending_migrations(&mut conn).await.unwrap();
        let is_later = |name: &String| release.name.as_str() < &name[..release.name.len()];
        assert!(pending.iter().all(is_later), "{}: {pending:?}", release.name);

        let applied = migrate(&database.url()).await.unwrap();

        assert_eq!(applied, pending, "{}", release.name);
        assert_eq!(catalogue(&mut conn).await, current, "{}", release.name);
        let after = row_counts(&database).await;
        let kept: Vec<_> = before.iter().filter(|count| after.contains(count)).collect();
        assert_eq!(kept, before.iter().collect::<Vec<_>>(), "{}", release.name);
        assert_eq!(mismatches(&database).await, [""; 0], "{}", release.name);
    }
}

/// Nodes are replaced one after another, so those of the release before go on against the new schema.
#[tokio::test]
async fn the_statements_of_each_release_run_on_the_new_schema() {
    for release in Release::all() {
        assert!(90 < release.statements.len(), "{}", release.name);
        for is_upgraded in [false, true] {
            let database = release.restore().await;
            if is_upgraded {
                migrate(&database.url()).await.unwrap();
            }
            let mut conn = database.connect().await;
            for (number, statement) in release.statements.iter().enumerate() {
                let planned = conn.batch_execute(&statement.planned(number)).await;
                let (name, text) = (&release.name, &statement.text);
                let is_broken = is_upgraded
                    && BROKEN.iter().any(|(of, start, _)| of == name && text.starts_with(start));
                assert_eq!(
                    planned.is_err(),
                    is_broken,
                    "{name}, upgraded: {is_upgraded}: {planned:?}\n{text}"
                );
            }
        }
    }
}

/// Acts of the release, in the form that every release has: they wait for a migration at most.
#[tokio::test(flavor = "multi_thread")]
async fn acts_go_on_while_the_database_is_brought_up() {
    for release in Release::all() {
        let database = release.restore().await;
        let (url, done) = (database.url(), AtomicBool::new(false));
        let act = "BEGIN;
            INSERT INTO likes (id, user_id, post_id) SELECT gen_random_uuid(), users.id, posts.id FROM users, posts
                WHERE NOT EXISTS (SELECT FROM likes WHERE user_id = users.id AND post_id = posts.id) LIMIT 1;
            UPDATE posts SET hearts_count = (SELECT count(*) FROM likes WHERE post_id = posts.id);
            UPDATE notifications SET read = true, read_at = now() WHERE id IN (SELECT id FROM notifications LIMIT 1);
            COMMIT";
        let acts = async {
            let mut conn = database.connect().await;
            let mut rounds = 0;
            while !done.load(Ordering::SeqCst) || rounds < 2 {
                conn.batch_execute(act).await.unwrap();
                rounds += 1;
            }
            rounds
        };
        let upgrade = async {
            let applied = migrate(&url).await;
            done.store(true, Ordering::SeqCst);
            applied.unwrap()
        };

        let (rounds, _) = tokio::join!(acts, upgrade);

        assert!(2 <= rounds, "{}", release.name);
        assert_eq!(pending_migrations(&mut database.connect().await).await.unwrap(), [""; 0]);
        assert_eq!(counters_of_posts(&database).await, [""; 0], "{}", release.name);
    }
}

#[tokio::test]
async fn the_plan_names_the_pending_migrations_and_what_waits_for_them() {
    let empty = TestDatabase::create_empty().await;
    let migrated = TestDatabase::create().await;

    let plan = plan_migrations(&empty.url()).await.unwrap();

    let names: Vec<&String> = plan.iter().map(|pending| &pending.name).collect();
    let pending = pending_migrations(&mut empty.connect().await).await.unwrap();
    assert_eq!(names, pending.iter().collect::<Vec<_>>());
    let find = |name: &str| plan.iter().find(|pending| pending.name.ends_with(name)).unwrap();
    let deleted = find("_mark_deleted_rows");
    let locked: Vec<&str> = deleted.locks.iter().map(|lock| lock.table.as_str()).collect();
    assert_eq!((locked, deleted.in_transaction), (vec!["users", "posts", "comments"], true));
    let unread = find("_index_unread_children");
    assert_eq!((unread.locks.len(), unread.in_transaction), (0, false));
    assert_eq!(plan_migrations(&migrated.url()).await.unwrap(), []);
}

/// A line per table.
async fn row_counts(database: &TestDatabase) -> Vec<String> {
    let mut conn = database.connect().await;
    let mut counts = Vec::new();
    for table in tables(&mut conn).await {
        let count = format!("SELECT '{table} ' || count(*) AS line FROM public.{table}");
        counts.extend(lines(&mut conn, &count).await);
    }
    counts
}

async fn mismatches(database: &TestDatabase) -> Vec<String> {
    let mut conn = database.connect().await;
    let mut counters = Counters::new(&mut conn);
    let mut found = Vec::new();
    for table in COUNTED {
        let batch = counters.verify(table, None, 1_000).await.unwrap();
        let mismatches = batch.map_or(vec![], |batch| batch.mismatches);
        found.extend(mismatches.iter().map(|mismatch| format!("{mismatch:?}")));
    }
    found
}

async fn counters_of_posts(database: &TestDatabase) -> Vec<String> {
    let mut conn = database.connect().await;
    let batch = Counters::new(&mut conn).verify(CounterTable::Posts, None, 1_000).await.unwrap();
    let mismatches = batch.map_or(vec![], |batch| batch.mismatches);
    mismatches.iter().map(|mismatch| format!("{mismatch:?}")).collect()
}
