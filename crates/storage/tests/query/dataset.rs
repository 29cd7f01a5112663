//! A small dataset, with all its rows in memory.

use chrono::{DateTime, Utc};
use grateful_domain::{Limit, Page, PageRequest, PageStart, PostId, UserId, Viewer};
use grateful_storage::{Connection, QueryLog, Result};
use grateful_test_database::TestDatabase;
use serde_json::Value;
use uuid::Uuid;

pub(crate) struct Dataset {
    pub(crate) database: TestDatabase,
    pub(crate) posts: Vec<PostRow>,
    /// The follows as `(follower, followed, status)`.
    pub(crate) follows: Vec<(UserId, UserId, String)>,
}

/// A post, regardless of its visibility.
#[derive(Debug, Clone)]
pub(crate) struct PostRow {
    pub(crate) id: PostId,
    pub(crate) author: UserId,
    pub(crate) is_public: bool,
    pub(crate) at: DateTime<Utc>,
}

impl Dataset {
    pub(crate) async fn create() -> Self {
        let database = TestDatabase::create().await;
        database.execute(include_str!("dataset.sql")).await;
        let posts = json(&database, "SELECT row_to_json(posts)::text AS line FROM posts").await;
        let follows =
            json(&database, "SELECT row_to_json(follows)::text AS line FROM follows").await;
        let follow = |row: &Value| {
            (user(&row["follower_id"]), user(&row["followed_id"]), text(&row["status"]))
        };
        let follows = follows.iter().map(follow).collect();
        Self { posts: posts.iter().map(PostRow::from).collect(), follows, database }
    }

    /// All users.
    pub(crate) fn users() -> Vec<UserId> {
        (1..=12).map(UserId::from).collect()
    }

    /// All viewers: a guest and every user.
    pub(crate) fn viewers() -> Vec<Viewer> {
        let users = Self::users().into_iter().map(Viewer::User);
        [Viewer::Guest].into_iter().chain(users).collect()
    }

    pub(crate) fn has_block_between(&self, viewer: Viewer, user: UserId) -> bool {
        let Some(viewer) = viewer.user() else { return false };
        let is_blocked =
            |follower, followed| self.follows.contains(&(follower, followed, "blocked".to_owned()));
        is_blocked(viewer, user) || is_blocked(user, viewer)
    }

    pub(crate) fn is_following(&self, follower: UserId, followed: UserId) -> bool {
        self.follows.contains(&(follower, followed, "active".to_owned()))
    }

    /// The users visible to this viewer, newest first.
    pub(crate) fn visible_users(&self, viewer: Viewer) -> Vec<UserId> {
        let users = Self::users().into_iter().rev();
        users.filter(|user| !self.has_block_between(viewer, *user)).collect()
    }

    /// The posts visible to this viewer.
    pub(crate) fn visible_posts(&self, viewer: Viewer) -> Vec<PostRow> {
        let visible = self.posts.iter().filter(|post| {
            (post.is_public || viewer.is(post.author))
                && !self.has_block_between(viewer, post.author)
        });
        visible.cloned().collect()
    }
}

impl From<&Value> for PostRow {
    fn from(row: &Value) -> Self {
        Self {
            id: text(&row["id"]).parse::<Uuid>().unwrap().into(),
            author: user(&row["author_id"]),
            is_public: row["is_public"].as_bool().unwrap(),
            at: text(&row["created_at"]).parse().unwrap(),
        }
    }
}

pub(crate) fn limit(items: i64) -> Limit {
    Limit::parse(items).unwrap()
}

/// Returns the result of `work` after checking that it took this many statements.
pub(crate) async fn in_statements<T>(count: u64, work: impl Future<Output = Result<T>>) -> T {
    let (result, queries) = QueryLog::record(work).await;
    assert_eq!(u64::from(queries.total()), count, "{queries:#?}");
    result.unwrap()
}

/// All items of a list, loaded page by page with one statement each.
pub(crate) async fn collect_all<T, P: Copy>(
    size: i64,
    mut load: impl AsyncFnMut(PageRequest<P>) -> Result<Page<T, P>>,
) -> Vec<T> {
    let mut request = PageRequest::first(limit(size));
    let mut items = Vec::new();
    loop {
        let page = in_statements(1, load(request)).await;
        items.extend(page.items);
        match page.next {
            Some(position) => request.start = PageStart::After(position),
            None => return items,
        }
    }
}

/// An instrumented connection.
pub(crate) async fn connect(
    database: &TestDatabase,
) -> impl std::ops::DerefMut<Target = Connection> {
    database.pool.acquire().await.unwrap()
}

fn user(value: &Value) -> UserId {
    UserId::from(value.as_i64().unwrap())
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

async fn json(database: &TestDatabase, sql: &str) -> Vec<Value> {
    database.lines(sql).await.iter().map(|line| serde_json::from_str(line).unwrap()).collect()
}
