//! A few people and a thousand posts, in a PostgreSQL like the one that a server keeps: what it commits is on the disk.

use std::sync::Arc;

use grateful_application::{App, SystemClock};
use grateful_local_postgres::Cluster;
use grateful_storage::{Database, DatabaseConfig};
use grateful_testkit::TestApp;
use tokio::runtime::Runtime;
use uuid::Uuid;

use crate::PEOPLE;

pub(crate) const POSTS: usize = 1_000;

pub(crate) struct World {
    pub(crate) url: String,
    /// Everything but the database.
    app: App,
    runtime: Runtime,
    _cluster: Cluster,
    _folder: tempfile::TempDir,
}

impl World {
    pub(crate) fn create() -> Self {
        let runtime = Runtime::new().expect("a runtime");
        let folder = tempfile::tempdir().expect("a folder");
        let cluster = Cluster::open(folder.path(), "hottest").expect("a PostgreSQL");
        let url = cluster.url("hottest");
        let app = runtime.block_on(async {
            grateful_storage::migrate(&url).await.expect("a schema");
            fill(&url).await;
            TestApp::create().await.app
        });
        Self { url, app, runtime, _cluster: cluster, _folder: folder }
    }

    /// The application as one thread of a server has it.
    pub(crate) fn app(&self, max_connections: usize) -> App {
        let config = DatabaseConfig::new(self.url.clone()).with_max_connections(max_connections);
        App {
            db: Database::connect_lazily(config),
            clock: Arc::new(SystemClock),
            ..self.app.clone()
        }
    }

    pub(crate) fn post(number: usize) -> Uuid {
        Uuid::from_u128(
            0x0193_0000_0000_7000_8000_0000_0000_0000
                | u128::try_from(number).expect("a small number"),
        )
    }

    /// What pgbench runs: the bare count of a heart on one of the first `posts`.
    pub(crate) fn update(posts: usize) -> String {
        let id = "('01930000-0000-7000-8000-' || lpad(to_hex((:n)::integer), 12, '0'))::uuid";
        format!(
            "\\set n random(0, {})\nUPDATE posts SET hearts_count = hearts_count + 1 WHERE id = {id};\n",
            posts - 1
        )
    }

    /// How many hearts are counted that nobody gave: only pgbench makes them more.
    pub(crate) fn surplus(&self) -> i64 {
        let counted = "SELECT (SELECT sum(hearts_count) FROM posts) - (SELECT count(*) FROM likes)";
        self.runtime.block_on(async {
            let (client, connection) = tokio_postgres::connect(&self.url, tokio_postgres::NoTls)
                .await
                .expect("a connection");
            tokio::spawn(connection);
            client.query_one(counted, &[]).await.expect("an answer").get(0)
        })
    }
}

/// The posts are by everybody in turn.
async fn fill(url: &str) {
    let last = POSTS - 1;
    let statements = [
        format!(
            "INSERT INTO users (email, username, hashed_password)
             SELECT 'p' || n || '@example.org', 'person_' || n, 'x' FROM generate_series(1, {PEOPLE}) n"
        ),
        format!(
            "INSERT INTO posts (id, author_id, content, post_type)
             SELECT ('01930000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid, 1 + n % {PEOPLE},
                    'For number ' || n, 'daily'
             FROM generate_series(0, {last}) n"
        ),
        "VACUUM ANALYZE".to_owned(),
    ];
    for statement in statements {
        execute(url, &statement).await;
    }
}

async fn execute(url: &str, sql: &str) {
    let (client, connection) =
        tokio_postgres::connect(url, tokio_postgres::NoTls).await.expect("a connection");
    let driver = tokio::spawn(connection);
    client.batch_execute(sql).await.expect("SQL that works");
    drop(client);
    driver.await.expect("a driver").expect("an end in peace");
}
