//! A few users and a thousand posts, in a durable PostgreSQL like a server's, which writes commits to disk.

use std::sync::Arc;
use std::time::Duration;

use grateful_application::{App, SystemClock};
use grateful_storage::{Database, DatabaseConfig};
use grateful_testkit::TestApp;
use tokio::runtime::Runtime;
use uuid::Uuid;

use crate::USERS;
use crate::temporary_cluster::TemporaryCluster;

pub(crate) const POSTS: usize = 1_000;

pub(crate) struct Dataset {
    pub(crate) url: String,
    /// A template for the apps, whose database is replaced.
    app: App,
    runtime: Runtime,
    _cluster: TemporaryCluster,
}

impl Dataset {
    pub(crate) fn create() -> Self {
        let runtime = Runtime::new().expect("a runtime");
        let cluster = TemporaryCluster::start();
        let url = cluster.url();
        let app = runtime.block_on(async {
            grateful_storage::migrate(&url).await.expect("a schema");
            fill(&url).await;
            TestApp::create().await.app
        });
        Self { url, app, runtime, _cluster: cluster }
    }

    /// An app with its own connection pool, as each server thread has. It waits for a connection as long as a slow machine
    /// needs: a server would refuse the request, but there would be nothing to measure.
    pub(crate) fn app(&self, max_connections: usize) -> App {
        let config = DatabaseConfig::new(self.url.clone())
            .with_max_connections(max_connections)
            .with_acquire_timeout(Duration::from_mins(1));
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

    /// The script for pgbench: increments the heart count of one of the first `posts`.
    pub(crate) fn update(posts: usize) -> String {
        let id = "('01930000-0000-7000-8000-' || lpad(to_hex((:n)::integer), 12, '0'))::uuid";
        format!(
            "\\set n random(0, {})\nUPDATE posts SET hearts_count = hearts_count + 1 WHERE id = {id};\n",
            posts - 1
        )
    }

    /// Counted hearts without a row. Only pgbench increases this number.
    pub(crate) fn surplus(&self) -> i64 {
        let sql = "SELECT (SELECT sum(hearts_count) FROM posts) - (SELECT count(*) FROM likes)";
        self.runtime.block_on(async {
            let (client, connection) = tokio_postgres::connect(&self.url, tokio_postgres::NoTls)
                .await
                .expect("a connection");
            tokio::spawn(connection);
            client.query_one(sql, &[]).await.expect("a row").get(0)
        })
    }
}

/// The posts' authors are all users in turn.
async fn fill(url: &str) {
    let last = POSTS - 1;
    let statements = [
        format!(
            "INSERT INTO users (email, username, hashed_password)
             SELECT 'p' || n || '@example.org', 'person_' || n, 'x' FROM generate_series(1, {USERS}) n"
        ),
        format!(
            "INSERT INTO posts (id, author_id, content, post_type)
             SELECT ('01930000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid, 1 + n % {USERS},
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
    client.batch_execute(sql).await.expect("valid SQL");
    drop(client);
    driver.await.expect("the connection's task").expect("a clean disconnect");
}
