//! A small dataset (size S in docs/performance.md: 1,000 users, 20,000 posts; and 600,000 notifications), and the reads
//! to measure on it.

use std::sync::Arc;

use grateful_application::QueryLog;
use grateful_domain::{Limit, PageRequest, UserId, Viewer};
use grateful_storage::{Connection, NotificationQuery, PostQuery, Repositories as _};
use grateful_testkit::TestDatabase;

pub(crate) const USERS: u32 = 1_000;
pub(crate) const POSTS: u32 = 20_000;

/// A well-formed session token. The database stores its hash.
const TOKEN: &str = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// A batch in the first user's inbox.
const BATCH: &str = "01930000-0000-7000-8001-000000000100";

pub(crate) struct Dataset {
    pub(crate) url: String,
    database: TestDatabase,
}

/// One kind of read, over HTTP and in SQL.
pub(crate) struct Case {
    pub(crate) name: &'static str,
    pub(crate) requests: Arc<Vec<String>>,
    pub(crate) script: String,
}

impl Dataset {
    pub(crate) async fn create() -> Self {
        let database = TestDatabase::create().await;
        database.execute(&format!(
            "INSERT INTO users (email, username, hashed_password, posts_count, public_posts_count)
             SELECT 'p' || n || '@example.org', 'person_' || n, 'x', {POSTS} / {USERS}, {POSTS} / {USERS}
             FROM generate_series(1, {USERS}) n;
             INSERT INTO posts (id, author_id, content, post_type, created_at)
             SELECT ('01930000-0000-7000-8000-' || lpad(n::text, 12, '0'))::uuid, 1 + n % {USERS},
                    'For number ' || n || ', and for everything that ' || repeat('came with it ', 1 + n % 20),
                    'daily', now() - n * interval '1 minute'
             FROM generate_series(1, {POSTS}) n;
             INSERT INTO follows (id, follower_id, followed_id, status)
             SELECT gen_random_uuid(), n, 1 + (n + k * 7) % {USERS}, CASE k WHEN 1 THEN 'blocked' ELSE 'active' END
             FROM generate_series(1, {USERS}) n, generate_series(1, 20) k
             WHERE n <> 1 + (n + k * 7) % {USERS};
             INSERT INTO likes (id, user_id, post_id)
             SELECT gen_random_uuid(), 1 + n % {USERS}, ('01930000-0000-7000-8000-' || lpad((1 + n % {POSTS})::text, 12, '0'))::uuid
             FROM generate_series(1, 100000) n ON CONFLICT DO NOTHING;
             INSERT INTO inboxes (user_id) SELECT n FROM generate_series(1, {USERS}) n;
             INSERT INTO notifications (
                 id, user_id, actor_id, type, title, message, data, created_at, last_updated_at, is_batch, batch_count,
                 actor_count, batch_key, act, closed_at, read
             )
             SELECT ('01930000-0000-7000-8001-' || lpad((n * 100 + k)::text, 12, '0'))::uuid, n, 1 + (n + k) % {USERS},
                    CASE WHEN k % 2 = 0 THEN 'post_interaction' ELSE 'like' END, 'New', 'Something new',
                    jsonb_build_object('actor_username', 'person_' || 1 + (n + k) % {USERS}, 'post_preview', 'For rain'),
                    now() - k * interval '1 hour', now() - k * interval '1 hour', k % 2 = 0,
                    CASE WHEN k % 2 = 0 THEN 10 ELSE 1 END, CASE WHEN k % 2 = 0 THEN 10 ELSE 1 END,
                    'post_interaction:post:' || k, CASE WHEN k % 2 = 1 THEN 'like:post:' || k END, now(), k > 10
             FROM generate_series(1, {USERS}) n, generate_series(0, 99) k;
             INSERT INTO notifications (
                 id, user_id, actor_id, type, title, message, data, created_at, last_updated_at, batch_key, act, parent_id, read
             )
             SELECT gen_random_uuid(), parent.user_id, 1 + (parent.user_id + k * 31) % {USERS}, 'like', 'New', 'Something new',
                    parent.data, parent.created_at - k * interval '1 minute', parent.created_at, parent.batch_key,
                    'like:' || parent.id || k, parent.id, parent.read
             FROM notifications AS parent, generate_series(1, 10) k WHERE parent.is_batch;
             INSERT INTO sessions (id, user_id, token_hash, last_used_at, expires_at)
             VALUES (gen_random_uuid(), 1, sha256('{TOKEN}'), now() + interval '1 day', now() + interval '7 days')"
        ))
        .await;
        database.execute("VACUUM ANALYZE").await;
        Self { url: database.url(), database }
    }

    /// The reads, each with the statements that the server runs for it.
    pub(crate) async fn cases(&self) -> Vec<Case> {
        let posts = (1..=POSTS).step_by(97);
        let paths = posts.map(|n| format!("/api/v1/posts/01930000-0000-7000-8000-{n:012}"));
        let feed = "/api/v1/posts/feed?algorithm=false&limit=20".to_owned();
        vec![
            Case {
                name: "a post, as a guest",
                requests: Arc::new(paths.map(|path| request(&path, "")).collect()),
                script: format!("\\set n random(1, {POSTS})\n{};\n", self.post_sql().await),
            },
            Case {
                name: "a feed page, signed in",
                requests: Arc::new(vec![request(
                    &feed,
                    &format!("Authorization: Bearer {TOKEN}\r\n"),
                )]),
                script: format!("{};\n{};\n", self.session_sql().await, self.feed_sql().await),
            },
            self.notification_case("a page of notifications", "", self.notifications_sql().await)
                .await,
            self.notification_case("notification summary", "/summary", self.summary_sql().await)
                .await,
            self.notification_case(
                "a batch's children",
                &format!("/{BATCH}/children"),
                self.children_sql().await,
            )
            .await,
        ]
    }

    /// A read of notifications, with the session lookup.
    async fn notification_case(
        &self,
        name: &'static str,
        path: &str,
        statements: Vec<String>,
    ) -> Case {
        let path = format!("/api/v1/notifications{path}");
        let statements = [vec![self.session_sql().await], statements].concat();
        Case {
            name,
            requests: Arc::new(vec![request(&path, &format!("Authorization: Bearer {TOKEN}\r\n"))]),
            script: statements.join(";\n") + ";\n",
        }
    }

    async fn notifications_sql(&self) -> Vec<String> {
        let page = PageRequest::first(Limit::DEFAULT);
        let list = async |conn: &mut Connection| {
            _ = conn.notifications().list(NotificationQuery::of(UserId::from(1)).page(page)).await;
        };
        let batches =
            (0..20).step_by(2).map(|k| format!("'01930000-0000-7000-8001-{:012}'", 100 + k));
        let batches = format!("ARRAY[{}]::uuid[]", batches.collect::<Vec<_>>().join(","));
        let values = |sql: &str| {
            if sql.starts_with("WITH given") {
                with_values(sql, &[&batches, "1"])
            } else {
                with_values(sql, &["1", "21"])
            }
        };
        self.statements_of(list).await.iter().map(|sql| values(sql)).collect()
    }

    async fn summary_sql(&self) -> Vec<String> {
        let count =
            async |conn: &mut Connection| _ = conn.notifications().count(UserId::from(1)).await;
        self.statements_of(count).await.iter().map(|sql| with_values(sql, &["1"])).collect()
    }

    async fn children_sql(&self) -> Vec<String> {
        let batch = uuid::Uuid::parse_str(BATCH).expect("an id").into();
        let list = async |conn: &mut Connection| {
            _ = conn.notifications().exists(UserId::from(1), batch).await;
            _ = conn
                .notifications()
                .list(NotificationQuery::of(UserId::from(1)).children_of(batch).limit(Limit::MAX))
                .await;
        };
        let id = format!("'{BATCH}'");
        let values = |sql: &str| {
            if sql.starts_with("SELECT EXISTS") {
                with_values(sql, &[&id, "1"])
            } else {
                with_values(sql, &["1", &id, "101"])
            }
        };
        self.statements_of(list).await.iter().map(|sql| values(sql)).collect()
    }

    async fn post_sql(&self) -> String {
        let post = uuid::Uuid::from_u128(1).into();
        let sql =
            self.statement_of(async |conn| _ = conn.posts().find(Viewer::Guest, post).await).await;
        let id = "('01930000-0000-7000-8000-' || lpad((:n)::text, 12, '0'))::uuid";
        with_values(&sql, &["NULL::bigint", "1", "NULL::bigint", "1", id, "1"])
    }

    async fn feed_sql(&self) -> String {
        let query = PostQuery::visible_to(Viewer::User(UserId::from(1)));
        let query = query.page(PageRequest::first(Limit::DEFAULT));
        let sql = self.statement_of(async |conn| _ = conn.posts().list(query.clone()).await).await;
        with_values(&sql, &["1", "1", "1", "1", "1", "'blocked'", "1", "'blocked'", "21"])
    }

    async fn session_sql(&self) -> String {
        let token = grateful_storage::TokenHash([0; 32]);
        let now = chrono::DateTime::UNIX_EPOCH;
        let sql =
            self.statement_of(async |conn| _ = conn.sessions().find_active(token, now).await).await;
        with_values(&sql, &[&format!("sha256('{TOKEN}')"), "now()", "1"])
    }

    /// The one statement that `work` runs.
    async fn statement_of(&self, work: impl AsyncFn(&mut Connection)) -> String {
        self.statements_of(work).await.pop().expect("a statement")
    }

    /// The statements that `work` runs.
    async fn statements_of(&self, work: impl AsyncFn(&mut Connection)) -> Vec<String> {
        let mut conn = self.database.pool.acquire().await.expect("a connection");
        let ((), log) = QueryLog::record(work(&mut conn)).await;
        log.repeated(1).map(|(sql, _)| sql.to_owned()).collect()
    }
}

/// The statement with these values instead of `$1`, `$2` and so on.
fn with_values(sql: &str, values: &[&str]) -> String {
    // From the last, so that `$1` does not replace the start of `$10`.
    let filled = (1..=values.len())
        .rev()
        .fold(sql.to_owned(), |sql, number| sql.replace(&format!("${number}"), values[number - 1]));
    assert!(!filled.contains('$'), "a value is missing: {filled}");
    filled.split(" -- ").next().unwrap_or(&filled).to_owned()
}

fn request(path: &str, headers: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n{headers}\r\n")
}
