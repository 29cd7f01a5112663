//! A migrated database for each test.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{LazyLock, Mutex};

use diesel_async::{AsyncConnection, SimpleAsyncConnection};
use grateful_local_postgres::Cluster;
use grateful_storage::{Connection, Database, DatabaseConfig, migrate};
use sha2::{Digest, Sha256};

/// One cluster for all tests of this checkout, gone when the last of their processes is.
static CLUSTER: LazyLock<Cluster> = LazyLock::new(|| {
    Cluster::throwaway(env!("CARGO_MANIFEST_DIR")).unwrap_or_else(|error| panic!("{error}"))
});

/// The name of the template: another set of migrations is another template.
static TEMPLATE: LazyLock<String> =
    LazyLock::new(|| format!("template_{}", fingerprint_of_migrations()));

/// Databases that no test needs any more. They go when the next test comes: `drop` cannot wait for that.
static LEFT: Mutex<Vec<String>> = Mutex::new(Vec::new());

static NUMBER: AtomicU32 = AtomicU32::new(0);

/// A database of one test alone, with all migrations and no rows.
pub struct TestDatabase {
    /// A pool of a few connections to it.
    pub pool: Database,
    name: String,
}

impl TestDatabase {
    /// A migrated database.
    pub async fn create() -> Self {
        let mut admin = connect_to("postgres").await;
        make_template(&mut admin).await;
        Self::copy(&mut admin, &TEMPLATE).await
    }

    /// A database without any table, for tests of the migrations themselves.
    pub async fn create_empty() -> Self {
        Self::copy(&mut connect_to("postgres").await, "template0").await
    }

    async fn copy(admin: &mut Connection, template: &str) -> Self {
        let name =
            format!("test_{}_{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
        let left = std::mem::take(&mut *LEFT.lock().unwrap());
        for name in left {
            execute(admin, &format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)")).await;
        }
        // A plain copy of files is faster than a logged one, and nobody needs this to survive a crash.
        execute(admin, &format!("CREATE DATABASE {name} TEMPLATE {template} STRATEGY FILE_COPY"))
            .await;
        let pool = Database::connect_lazily(DatabaseConfig::new(CLUSTER.url(&name)));
        Self { pool, name }
    }

    /// Its address.
    pub fn url(&self) -> String {
        CLUSTER.url(&self.name)
    }

    /// A connection outside the pool, with no time limits and no monitor.
    pub async fn connect(&self) -> Connection {
        connect_to(&self.name).await
    }

    /// Runs SQL as it is.
    pub async fn execute(&self, sql: &str) {
        execute(&mut self.connect().await, sql).await;
    }

    /// Runs SQL in a transaction that stays open, with the locks it took, until this connection is dropped.
    pub async fn begin(&self, sql: &str) -> Connection {
        let mut conn = self.connect().await;
        execute(&mut conn, &format!("BEGIN; {sql}")).await;
        conn
    }

    /// How many rows there are: of a table, or of what else can stand behind `FROM`, such as `posts WHERE is_public`.
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

    /// The one column `line` that SQL comes up with, row for row.
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

    /// A pool with other settings than the usual ones.
    pub fn pool_with(&self, change: impl FnOnce(DatabaseConfig) -> DatabaseConfig) -> Database {
        Database::connect_lazily(change(DatabaseConfig::new(self.url())))
    }
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        LEFT.lock().unwrap().push(std::mem::take(&mut self.name));
    }
}

/// Makes the template, once for all tests of all processes.
async fn make_template(admin: &mut Connection) {
    static IS_THERE: Mutex<bool> = Mutex::new(false);
    if *IS_THERE.lock().unwrap() {
        return;
    }
    execute(admin, "SELECT pg_advisory_lock(1)").await;
    if !exists(admin, &TEMPLATE).await {
        // Renamed when it is whole, so that a test which dies over it leaves no half a template.
        let making = format!("{}_in_the_making", *TEMPLATE);
        execute(admin, &format!("DROP DATABASE IF EXISTS {making}")).await;
        execute(admin, &format!("CREATE DATABASE {making} TEMPLATE template0")).await;
        migrate(&CLUSTER.url(&making)).await.unwrap();
        execute(admin, &format!("ALTER DATABASE {making} RENAME TO {}", *TEMPLATE)).await;
    }
    execute(admin, "SELECT pg_advisory_unlock(1)").await;
    *IS_THERE.lock().unwrap() = true;
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

fn fingerprint_of_migrations() -> String {
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
    let first: [u8; 8] = hash.finalize()[..8].try_into().unwrap();
    format!("{:016x}", u64::from_be_bytes(first))
}
