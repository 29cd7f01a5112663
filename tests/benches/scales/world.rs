//! A world made by `grateful seed`, and what is read of it.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta};
use grateful_application::{Clock as _, QueryLog, SystemClock};
use grateful_domain::{FeedCursor, Limit, PageRequest, PostId, TrendingWindow, UserId, Viewer};
use grateful_local_postgres::Cluster;
use grateful_storage::{
    Connection, Database, DatabaseConfig, NotificationQuery, PostQuery, Repositories as _,
    TokenHash,
};
use grateful_tests::{Setup, Sql};
use uuid::Uuid;

/// How large a world is (the sizes of the design).
pub(crate) struct Size {
    pub(crate) name: &'static str,
    pub(crate) users: u32,
    pub(crate) posts: u32,
    pub(crate) engagements: u32,
    follows: u32,
    notifications: u32,
}

impl Size {
    pub(crate) const ALL: [Self; 3] = [
        Self {
            name: "S",
            users: 1_000,
            posts: 20_000,
            engagements: 80_000,
            follows: 20_000,
            notifications: 20_000,
        },
        Self {
            name: "M",
            users: 10_000,
            posts: 500_000,
            engagements: 2_000_000,
            follows: 200_000,
            notifications: 500_000,
        },
        Self {
            name: "L",
            users: 20_000,
            posts: 1_000_000,
            engagements: 4_000_000,
            follows: 400_000,
            notifications: 1_000_000,
        },
    ];

    fn arguments(&self) -> Vec<String> {
        let numbers = [
            ("--users", self.users),
            ("--posts", self.posts),
            ("--engagements", self.engagements),
            ("--follows", self.follows),
            ("--notifications", self.notifications),
        ];
        let named =
            numbers.into_iter().flat_map(|(name, number)| [name.to_owned(), number.to_string()]);
        ["seed".to_owned()].into_iter().chain(named).collect()
    }
}

/// A token of the right form, and the hash under which its session is found.
const TOKEN: &str = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

pub(crate) struct World {
    pub(crate) url: String,
    db: Database,
    sql: Sql,
    /// Somebody who follows about as many as most do.
    viewer: i64,
    _cluster: Cluster,
    _folder: tempfile::TempDir,
}

/// What `database-structure.md` calls the order by engagement: no route asks for it, and its index is there.
pub(crate) const BY_ENGAGEMENT: &str = "SELECT id FROM posts WHERE is_public ORDER BY hearts_count DESC, reactions_count DESC, shares_count DESC, id DESC LIMIT 20;\n";

/// One kind of read, by HTTP and by SQL.
pub(crate) struct Case {
    pub(crate) name: &'static str,
    pub(crate) requests: Arc<Vec<String>>,
    pub(crate) script: String,
}

impl World {
    pub(crate) async fn create(size: &Size) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let cluster = Cluster::open(folder.path(), "scales").expect("a PostgreSQL");
        let url = cluster.url("scales");
        let setup = Setup::on(&url);
        let arguments = size.arguments();
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        println!("{}", setup.run(&arguments).expect(0).stdout.trim_end());
        let sql = setup.sql().await;
        sql.run("VACUUM ANALYZE").await;
        let viewer = sql
            .run(
                "SELECT id FROM (
                     SELECT id, row_number() OVER (ORDER BY following_count, id) AS place FROM users
                 ) AS person
                 WHERE place = (SELECT count(*) / 2 FROM users)",
            )
            .await;
        sql.run(&format!(
            "INSERT INTO sessions (id, user_id, token_hash, last_used_at, expires_at)
             VALUES (gen_random_uuid(), {viewer}, sha256('{TOKEN}'), now() + interval '1 day', now() + interval '7 days')"
        ))
        .await;
        let db = Database::connect_lazily(DatabaseConfig::new(url.clone()));
        let viewer = viewer.parse().expect("an id");
        Self { url, db, sql, viewer, _cluster: cluster, _folder: folder }
    }

    /// The reads, each behind the look-up of the session, with the very statements that the server runs for it.
    pub(crate) async fn cases(&self) -> Vec<Case> {
        let authors = self.sql.column("SELECT id FROM users ORDER BY random() LIMIT 200").await;
        let authors = authors.iter().map(|id| format!("/api/v1/users/{id}/posts?limit=20"));
        vec![
            self.case("feed", ["/api/v1/posts/feed?limit=20".to_owned()], self.feed().await).await,
            self.case(
                "feed, newest first",
                ["/api/v1/posts/feed?algorithm=false&limit=20".to_owned()],
                self.newest().await,
            )
            .await,
            self.case("somebody's posts", authors, self.posts_of_somebody().await).await,
            self.case("trending", ["/api/v1/posts/trending".to_owned()], self.trending().await)
                .await,
            self.case(
                "notifications",
                ["/api/v1/notifications".to_owned()],
                self.notifications().await,
            )
            .await,
            self.case(
                "their summary",
                ["/api/v1/notifications/summary".to_owned()],
                self.summary().await,
            )
            .await,
        ]
    }

    async fn case(
        &self,
        name: &'static str,
        paths: impl IntoIterator<Item = String>,
        statements: Vec<String>,
    ) -> Case {
        let request = |path: String| {
            format!(
                "GET {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {TOKEN}\r\n\r\n"
            )
        };
        let session = vec![self.session().await];
        Case {
            name,
            requests: Arc::new(paths.into_iter().map(request).collect()),
            script: [session, statements].concat().join(";\n") + ";\n",
        }
    }

    async fn session(&self) -> String {
        let (token, now) = (TokenHash([0; 32]), DateTime::UNIX_EPOCH);
        let sql = self
            .statements_of(async |conn| _ = conn.sessions().find_active(token, now).await)
            .await;
        with_values(&sql[0], &[&format!("sha256('{TOKEN}')"), "now()", "1"])
    }

    async fn feed(&self) -> Vec<String> {
        let (viewer, me) = (self.viewer(), format!("{}::bigint", self.viewer));
        let compose = async |conn: &mut Connection| {
            conn.feed().compose(viewer, &FeedCursor::default(), 20).await.expect("places")
        };
        let places = self.with_statements(compose).await;
        let served: Vec<_> = places.0.items.iter().map(|place| place.item.post.id).collect();
        let sources =
            with_values(&places.1[0], &[&me, "ARRAY[]::bytea[]", "1::float8", "21::bigint"]);
        vec![sources, self.shown(&served).await]
    }

    async fn newest(&self) -> Vec<String> {
        let query = PostQuery::visible_to(self.viewer()).page(PageRequest::first(Limit::DEFAULT));
        let list = async |conn: &mut Connection| _ = conn.posts().list(query.clone()).await;
        let me = self.viewer.to_string();
        let values = [&me, "1", &me, "1", &me, "'blocked'", &me, "'blocked'", "21"];
        self.statements_of(list).await.iter().map(|sql| with_values(sql, &values)).collect()
    }

    async fn posts_of_somebody(&self) -> Vec<String> {
        let me = self.viewer.to_string();
        let author = UserId::from(1);
        let query = PostQuery::visible_to(self.viewer())
            .by_author(author)
            .page(PageRequest::first(Limit::DEFAULT));
        let exists = self
            .statements_of(async |conn| _ = conn.users().exists_for(self.viewer(), author).await)
            .await;
        let list =
            self.statements_of(async |conn| _ = conn.posts().list(query.clone()).await).await;
        let people = self.sql.run("SELECT max(id) FROM users").await;
        vec![
            format!(
                "\\set n random(1, {people})\n{}",
                with_values(&exists[0], &[":n", &me, "'blocked'", &me, "'blocked'"])
            ),
            with_values(
                &list[0],
                &[&me, "1", &me, "1", &me, &me, "'blocked'", &me, "'blocked'", ":n", "21"],
            ),
        ]
    }

    async fn trending(&self) -> Vec<String> {
        let now = SystemClock.now();
        let window = TrendingWindow::DEFAULT;
        let limit = Limit::parse(10).expect("a limit");
        let trending = async |conn: &mut Connection| {
            conn.feed().list_trending(self.viewer(), window, now, limit).await.expect("posts")
        };
        let (posts, statements) = self.with_statements(trending).await;
        let since = now - TimeDelta::hours(24);
        let oldest = (since - DateTime::UNIX_EPOCH).as_seconds_f64() / 86_400.0;
        let values = [
            &format!("{}::bigint", self.viewer),
            &format!("'{}'::timestamptz", now.to_rfc3339()),
            &format!("'{}'::timestamptz", since.to_rfc3339()),
            "10::bigint",
            "2::float8",
            "3::float8",
            "8::float8",
            "5::float8",
            &format!("{oldest}::float8"),
        ];
        vec![with_values(&statements[0], &values.map(AsRef::as_ref)), self.shown(&posts).await]
    }

    /// The statement that reads chosen posts as the viewer sees them.
    async fn shown(&self, posts: &[PostId]) -> String {
        let read = async |conn: &mut Connection| {
            _ = conn.posts().find_public(self.viewer(), posts).await;
        };
        let me = self.viewer.to_string();
        let ids: Vec<String> = posts.iter().map(|post| format!("'{post}'")).collect();
        let ids = format!("ARRAY[{}]::uuid[]", ids.join(","));
        let values = [&me, "1", &me, "1", &me, "'blocked'", &me, "'blocked'", &ids];
        with_values(&self.statements_of(read).await[0], &values)
    }

    async fn notifications(&self) -> Vec<String> {
        let (owner, page) = (UserId::from(self.viewer), PageRequest::first(Limit::DEFAULT));
        let list = async |conn: &mut Connection| {
            conn.notifications()
                .list(NotificationQuery::of(owner).page(page))
                .await
                .expect("notifications")
        };
        let (list, statements) = self.with_statements(list).await;
        let batches = list.items.iter().filter(|it| it.notification.batch.is_some());
        let batches: Vec<String> =
            batches.map(|it| format!("'{}'", Uuid::from(it.notification.id))).collect();
        let batches = format!("ARRAY[{}]::uuid[]", batches.join(","));
        let me = self.viewer.to_string();
        let filled = |sql: &String| {
            if sql.starts_with("WITH given") {
                with_values(sql, &[&batches, &format!("{me}::bigint")])
            } else {
                with_values(sql, &[&me, "21"])
            }
        };
        statements.iter().map(filled).collect()
    }

    async fn summary(&self) -> Vec<String> {
        let owner = UserId::from(self.viewer);
        let count = async |conn: &mut Connection| _ = conn.notifications().count(owner).await;
        let me = format!("{}::bigint", self.viewer);
        self.statements_of(count).await.iter().map(|sql| with_values(sql, &[&me])).collect()
    }

    fn viewer(&self) -> Viewer {
        Viewer::User(UserId::from(self.viewer))
    }

    /// The statements that `work` runs.
    async fn statements_of(&self, work: impl AsyncFn(&mut Connection)) -> Vec<String> {
        self.with_statements(work).await.1
    }

    async fn with_statements<T>(
        &self,
        work: impl AsyncFn(&mut Connection) -> T,
    ) -> (T, Vec<String>) {
        let mut conn = self.db.acquire().await.expect("a connection");
        let (output, log) = QueryLog::record(work(&mut conn)).await;
        (output, log.repeated(1).map(|(sql, _)| sql.to_owned()).collect())
    }
}

/// The statement with these values in place of `$1`, `$2` and so on.
fn with_values(sql: &str, values: &[&str]) -> String {
    // From the last, so that $1 does not eat the beginning of $10.
    let filled = (1..=values.len())
        .rev()
        .fold(sql.to_owned(), |sql, number| sql.replace(&format!("${number}"), values[number - 1]));
    assert!(!filled.contains('$'), "a value is missing: {filled}");
    let (statement, _) = filled.split_once(" -- binds").unwrap_or((&filled, ""));
    // pgbench ends a statement at its line's end only where a semicolon stands there.
    statement
        .lines()
        .map(|line| line.split("-- ").next().unwrap_or_default())
        .collect::<Vec<_>>()
        .join(" ")
}
