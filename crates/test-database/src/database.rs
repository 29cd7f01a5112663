//! A migrated database per test.

use std::cell::RefCell;
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock, Mutex};
use std::time::Duration;

use diesel_async::{AsyncConnection, SimpleAsyncConnection};
use grateful_local_postgres::Cluster;
use grateful_storage::{Connection, Database, DatabaseConfig, migrate};
use sha2::{Digest, Sha256};
use uuid::Uuid;

/// The cluster shared by all tests of this checkout. It is deleted when the last test process ends.
static CLUSTER: LazyLock<Cluster> = LazyLock::new(|| {
    Cluster::throwaway(env!("CARGO_MANIFEST_DIR")).unwrap_or_else(|error| panic!("{error}"))
});

/// The name of the template database. It contains a hash of the migrations, so that other migrations get another
/// template.
static TEMPLATE: LazyLock<String> = LazyLock::new(|| format!("template_{}", migrations_hash()));

/// Databases to drop when the next one is created, since [`Drop`] cannot await.
static UNUSED: Mutex<Vec<String>> = Mutex::new(Vec::new());

thread_local! {
    /// The databases that this thread has created: each lives at least as long as the thread.
    static CREATED: RefCell<Vec<Arc<Name>>> = const { RefCell::new(Vec::new()) };
}

/// A database for one test, with all migrations applied and no rows.
///
/// It lives until both this value is dropped and the thread that created it has ended. A test runs on a thread of its
/// own, so a pool of the database works to the end of the test, even if the test keeps nothing else.
pub struct TestDatabase {
    /// A connection pool with the default settings, except that it waits up to a minute for connections and statements.
    pub pool: Database,
    name: Arc<Name>,
}

/// The name of a database that is dropped after its last user.
struct Name(String);

impl Drop for Name {
    fn drop(&mut self) {
        UNUSED.lock().unwrap().push(std::mem::take(&mut self.0));
    }
}

impl TestDatabase {
    /// Creates a migrated database.
    pub async fn create() -> Self {
        let mut admin = connect_to("postgres").await;
        ensure_template(&mut admin).await;
        Self::copy(&mut admin, &TEMPLATE).await
    }

    /// Creates a database without tables, for tests of the migrations.
    pub async fn create_empty() -> Self {
        Self::copy(&mut connect_to("postgres").await, "template0").await
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "the name of a database is not an id of the product"
    )]
    async fn copy(admin: &mut Connection, template: &str) -> Self {
        let name = format!("test_{}", Uuid::now_v7().simple());
        let unused = std::mem::take(&mut *UNUSED.lock().unwrap());
        for name in unused {
            execute(admin, &format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)")).await;
        }
        // Copying files is faster than copying through the WAL, and test databases need not survive a crash.
        execute(admin, &format!("CREATE DATABASE {name} TEMPLATE {template} STRATEGY FILE_COPY"))
            .await;
        let pool = Database::connect_lazily(config(&name));
        let name = Arc::new(Name(name));
        CREATED.with_borrow_mut(|created| created.push(name.clone()));
        Self { pool, name }
    }

    /// The connection URL.
    pub fn url(&self) -> String {
        CLUSTER.url(&self.name.0)
    }

    /// Opens a connection outside the pool, without timeouts and instrumentation.
    pub async fn connect(&self) -> Connection {
        connect_to(&self.name.0).await
    }

    /// Executes one or more SQL statements.
    pub async fn execute(&self, sql: &str) {
        execute(&mut self.connect().await, sql).await;
    }

    /// Counts the lists of all inboxes again, after a test has written notifications without the repositories.
    pub async fn recount_inboxes(&self) {
        self.execute(
            "INSERT INTO inboxes (user_id, unread_count, total_count)
             SELECT users.id, count(*) FILTER (WHERE NOT read), count(it.id)
             FROM users LEFT JOIN notifications AS it ON it.user_id = users.id AND it.parent_id IS NULL
             GROUP BY users.id
             ON CONFLICT (user_id) DO UPDATE
             SET unread_count = excluded.unread_count, total_count = excluded.total_count",
        )
        .await;
    }

    /// Executes SQL in a new transaction. The transaction stays open, with its locks, until the connection is dropped.
    #[must_use = "the transaction ends when the connection is dropped"]
    pub async fn begin(&self, sql: &str) -> Connection {
        let mut conn = self.connect().await;
        execute(&mut conn, &format!("BEGIN; {sql}")).await;
        conn
    }

    /// Counts rows. `rows` is the SQL after `FROM`, such as `posts WHERE is_public`.
    pub async fn count(&self, rows: &str) -> i64 {
        use diesel_async::RunQueryDsl as _;

        #[derive(diesel::QueryableByName)]
        struct Row {
            #[diesel(sql_type = diesel::sql_types::BigInt)]
            count: i64,
        }

        diesel::sql_query(format!("SELECT count(*) AS count FROM {rows}"))
            .get_result::<Row>(&mut self.connect().await)
            .await
            .unwrap_or_else(|error| panic!("{rows}: {error}"))
            .count
    }

    /// Runs a query with the single text column `line` and returns its rows.
    pub async fn lines(&self, sql: &str) -> Vec<String> {
        use diesel_async::RunQueryDsl as _;

        #[derive(diesel::QueryableByName)]
        struct Row {
            #[diesel(sql_type = diesel::sql_types::Text)]
            line: String,
        }

        let rows: Vec<Row> = diesel::sql_query(sql)
            .load(&mut self.connect().await)
            .await
            .unwrap_or_else(|error| panic!("{sql}: {error}"));
        rows.into_iter().map(|row| row.line).collect()
    }

    /// Creates a pool with changed settings, which otherwise are those of [`Self::pool`].
    pub fn pool_with(&self, change: impl FnOnce(DatabaseConfig) -> DatabaseConfig) -> Database {
        Database::connect_lazily(change(config(&self.name.0)))
    }
}

/// The settings of a pool. Its timeouts are long, so that tests also pass beside a busy compiler; tests of timeouts set
/// their own.
fn config(name: &str) -> DatabaseConfig {
    DatabaseConfig::new(CLUSTER.url(name))
        .with_acquire_timeout(Duration::from_mins(1))
        .with_statement_timeout(Duration::from_mins(1))
}

/// Creates the template database unless it exists, once for all test processes.
async fn ensure_template(admin: &mut Connection) {
    static EXISTS: Mutex<bool> = Mutex::new(false);
    if *EXISTS.lock().unwrap() {
        return;
    }
    execute(admin, "SELECT pg_advisory_lock(1)").await;
    if !exists(admin, &TEMPLATE).await {
        // Renamed once complete: a test process that dies midway leaves no incomplete template.
        let unfinished = format!("{}_unfinished", *TEMPLATE);
        execute(admin, &format!("DROP DATABASE IF EXISTS {unfinished}")).await;
        execute(admin, &format!("CREATE DATABASE {unfinished} TEMPLATE template0")).await;
        migrate(&CLUSTER.url(&unfinished)).await.unwrap();
        execute(admin, &format!("ALTER DATABASE {unfinished} RENAME TO {}", *TEMPLATE)).await;
    }
    execute(admin, "SELECT pg_advisory_unlock(1)").await;
    *EXISTS.lock().unwrap() = true;
}

async fn exists(admin: &mut Connection, database: &str) -> bool {
    use diesel::sql_types::{Bool, Text};
    use diesel_async::RunQueryDsl as _;

    #[derive(diesel::QueryableByName)]
    struct Row {
        #[diesel(sql_type = Bool)]
        exists: bool,
    }

    diesel::sql_query("SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)")
        .bind::<Text, _>(database)
        .get_result::<Row>(admin)
        .await
        .unwrap()
        .exists
}

async fn connect_to(database: &str) -> Connection {
    Connection::establish(&CLUSTER.url(database)).await.unwrap()
}

async fn execute(conn: &mut Connection, sql: &str) {
    conn.batch_execute(sql).await.unwrap_or_else(|error| panic!("{sql}: {error}"));
}

fn migrations_hash() -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../migrations");
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path().join("up.sql"))
        .filter(|path| path.exists())
        .collect();
    files.sort();
    let mut hash = Sha256::new();
    for file in files {
        hash.update(file.to_str().unwrap());
        hash.update(std::fs::read(&file).unwrap());
    }
    let prefix: [u8; 8] = hash.finalize()[..8].try_into().unwrap();
    format!("{:016x}", u64::from_be_bytes(prefix))
}
