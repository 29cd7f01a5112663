//! The bytes that acts write to the write-ahead log of PostgreSQL, and that their rows take with their indexes.
//!
//! `cargo test -p grateful-tests --test bytes -- --nocapture` prints them. The test runs on a PostgreSQL of its own with the
//! settings of a server's, since other tests write to the log of the shared one, which has no full pages.
#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

#[path = "../benches/shared/temporary_cluster.rs"]
mod temporary_cluster;

use std::sync::Arc;

use futures_util::future::join_all;
use grateful_application::comments::CommentDraft;
use grateful_application::{App, SystemClock, comments, follows, hearts, reactions, shares};
use grateful_domain::{CommentText, Emoji, PostId, ShareDetails, UserId};
use grateful_storage::{Database, DatabaseConfig};
use grateful_testkit::TestApp;
use tokio_postgres::{Client, NoTls};
use uuid::Uuid;

use self::temporary_cluster::{TemporaryCluster, with_settings};

const AUTHORS: i64 = 200;
const USERS: i64 = 5_000;
const POSTS: i64 = 20_000;

/// Hearts go to 200 of the posts.
const HOT_POSTS: usize = 200;

/// The number of acts in each measurement.
const ACTS: i64 = 400;

/// A heart with its notification, on pages that were written since the last checkpoint. It was 4.2 kB before
/// docs/decisions/0038.
const MAX_WARM_HEART: i64 = 4_000;

/// A heart among others on the same post at the same time, which share a group. It was 1.6 kB in the run that set it.
const MAX_GROUPED_HEART: i64 = 1_900;

/// A notification with its share of all indexes, after a few thousand acts of all kinds, in a table without dead rows: 408 bytes
/// in the run that set it.
const MAX_NOTIFICATION: i64 = 430;

#[tokio::test(flavor = "multi_thread")]
async fn an_act_and_its_notification_take_few_bytes() {
    let cluster = TemporaryCluster::start();
    let load = Load::create(&cluster).await;
    // Warms the statements.
    load.hearts(0).await;
    load.run("VACUUM ANALYZE").await;
    load.run("CHECKPOINT").await;

    let mut written = Vec::new();
    for step in 1..=5 {
        written.push(load.measure(load.hearts(step)).await);
    }
    let others = [
        ("a reaction", load.measure(load.reactions()).await),
        ("a link share", load.measure(load.shares()).await),
        ("a comment", load.measure(load.comments()).await),
        ("a follow", load.measure(load.follows()).await),
    ];
    let grouped = load.measure(load.hearts_at_once(10)).await;
    let (first, warm) = (written[0], written[1..4].iter().sum::<i64>() / 3);
    println!("WAL of a heart: {first} bytes after a checkpoint, {warm} on warm pages: {written:?}");
    println!("WAL of a heart in a group: {grouped} bytes");
    for (act, bytes) in others {
        println!("WAL of {act}: {bytes} bytes");
    }
    let used = load.notification_size().await;
    // How many dead rows there are depends on when autovacuum ran.
    load.run("VACUUM FULL notifications").await;
    let row = load.notification_size().await;
    println!("a notification with its indexes: {row} bytes, {used} with dead rows");

    assert!(warm <= MAX_WARM_HEART, "{warm}");
    assert!(grouped <= MAX_GROUPED_HEART, "{grouped}");
    assert!(row <= MAX_NOTIFICATION, "{row}");
}

struct Load {
    app: App,
    client: Client,
    posts: Vec<PostId>,
}

impl Load {
    async fn create(cluster: &TemporaryCluster) -> Self {
        // Waits for no disk. That changes what is written as little as the speed of the disk does.
        let url = with_settings(&cluster.url(), &["synchronous_commit=off"]);
        grateful_storage::migrate(&url).await.unwrap();
        let (client, connection) = tokio_postgres::connect(&url, NoTls).await.unwrap();
        tokio::spawn(connection);
        let fill = format!(
            "INSERT INTO users (email, username, hashed_password)
             SELECT 'p' || n || '@example.org', 'person_' || n, repeat('x', 97) FROM generate_series(1, {USERS}) n;
             INSERT INTO posts (id, author_id, content, post_type, created_at)
             SELECT overlay(gen_random_uuid()::text placing '01930000-0000-7' from 1 for 15)::uuid, 1 + n % {AUTHORS},
                 repeat('For the sun ', 12), 'daily', now() - n * interval '1 minute'
             FROM generate_series(0, {POSTS} - 1) n"
        );
        client.batch_execute(&fill).await.unwrap();
        let hot = format!("SELECT id FROM posts ORDER BY md5(created_at::text) LIMIT {HOT_POSTS}");
        let rows = client.query(&hot, &[]).await.unwrap();
        let posts = rows.iter().map(|row| PostId::from(row.get::<_, Uuid>(0))).collect();
        let config = DatabaseConfig::new(url).with_max_connections(2);
        let app = App {
            db: Database::connect_lazily(config),
            clock: Arc::new(SystemClock),
            ..TestApp::create().await.app
        };
        Self { app, client, posts }
    }

    async fn run(&self, sql: &str) {
        self.client.batch_execute(sql).await.unwrap();
    }

    /// The bytes of the log for each act.
    async fn measure(&self, acts: impl Future<Output = ()>) -> i64 {
        let before = self.position().await;
        acts.await;
        (self.position().await - before) / ACTS
    }

    async fn position(&self) -> i64 {
        self.number("SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')::bigint").await
    }

    async fn notification_size(&self) -> i64 {
        let size = "SELECT pg_total_relation_size('notifications') / count(*) FROM notifications";
        self.number(size).await
    }

    async fn number(&self, sql: &str) -> i64 {
        self.client.query_one(sql, &[]).await.unwrap().get(0)
    }

    async fn hearts(&self, step: i64) {
        for (user, post) in self.pairs(step) {
            hearts::add(&self.app, user, post).await.unwrap();
        }
    }

    /// All users at the same post.
    async fn hearts_at_once(&self, step: i64) {
        let post = self.posts[0];
        let hearts = self.pairs(step).map(|(user, _)| hearts::add(&self.app, user, post));
        for added in join_all(hearts).await {
            added.unwrap();
        }
    }

    async fn reactions(&self) {
        for (user, post) in self.pairs(6) {
            reactions::set(&self.app, user, post, Emoji::Hug).await.unwrap();
        }
    }

    async fn shares(&self) {
        for (user, post) in self.pairs(7) {
            shares::create(&self.app, user, post, ShareDetails::Url, None, |_| vec![])
                .await
                .unwrap();
        }
    }

    async fn comments(&self) {
        for (user, post) in self.pairs(8) {
            let text = CommentText::parse("How kind of you to say so").unwrap();
            let draft = CommentDraft { post, parent: None, text };
            comments::create(&self.app, user, draft, None, |_| vec![]).await.unwrap();
        }
    }

    async fn follows(&self) {
        for (number, (user, _)) in (0..).zip(self.pairs(9)) {
            let author = UserId::from(1 + number % AUTHORS);
            follows::follow(&self.app, user, author).await.unwrap();
        }
    }

    /// Users in a scattered order, each with one of the posts. No pair is in two steps.
    fn pairs(&self, step: i64) -> impl Iterator<Item = (UserId, PostId)> {
        (0..ACTS).zip(self.posts.iter().cycle()).map(move |(number, post)| {
            let user = (step * ACTS + number) * 1_741 % (USERS - AUTHORS);
            (UserId::from(1 + AUTHORS + user), *post)
        })
    }
}
