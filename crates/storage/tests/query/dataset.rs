//! A small world, and all of it at once.

use chrono::{DateTime, Utc};
use grateful_domain::{Limit, PostId, UserId, Viewer};
use grateful_storage::{Connection, QueryLog, Result};
use grateful_testkit::TestDatabase;
use serde_json::Value;
use uuid::Uuid;

pub(crate) struct World {
    pub(crate) database: TestDatabase,
    pub(crate) posts: Vec<Row>,
    /// Who is followed, asked or blocked by whom: `(follower, followed, status)`.
    pub(crate) edges: Vec<(UserId, UserId, String)>,
}

/// A post, whoever may see it.
#[derive(Debug, Clone)]
pub(crate) struct Row {
    pub(crate) id: PostId,
    pub(crate) author: UserId,
    pub(crate) is_public: bool,
    pub(crate) post_type: String,
    pub(crate) has_image: bool,
    pub(crate) at: DateTime<Utc>,
    pub(crate) engagement: (i64, i64, i64),
    pub(crate) rank: f64,
}

impl World {
    pub(crate) async fn create() -> Self {
        let database = TestDatabase::create().await;
        database.execute(include_str!("dataset.sql")).await;
        let posts = json(&database, "SELECT row_to_json(posts)::text AS line FROM posts").await;
        let edges = json(&database, "SELECT row_to_json(follows)::text AS line FROM follows").await;
        let edge =
            |it: &Value| (user(&it["follower_id"]), user(&it["followed_id"]), text(&it["status"]));
        let edges = edges.iter().map(edge).collect();
        Self { posts: posts.iter().map(Row::from).collect(), edges, database }
    }

    /// Everybody there is.
    pub(crate) fn people() -> Vec<UserId> {
        (1..=12).map(UserId::from).collect()
    }

    /// Everybody who may look.
    pub(crate) fn viewers() -> Vec<Viewer> {
        let people = Self::people().into_iter().map(Viewer::User);
        [Viewer::Guest].into_iter().chain(people).collect()
    }

    pub(crate) fn is_across(&self, viewer: Viewer, person: UserId) -> bool {
        let Some(viewer) = viewer.user() else { return false };
        let is_blocked = |one, other| self.edges.contains(&(one, other, "blocked".to_owned()));
        is_blocked(viewer, person) || is_blocked(person, viewer)
    }

    pub(crate) fn follows(&self, one: UserId, other: UserId) -> bool {
        self.edges.contains(&(one, other, "active".to_owned()))
    }

    /// The posts that this viewer may see.
    pub(crate) fn seen_by(&self, viewer: Viewer) -> Vec<Row> {
        let seen = self.posts.iter().filter(|post| {
            (post.is_public || viewer.is(post.author)) && !self.is_across(viewer, post.author)
        });
        seen.cloned().collect()
    }
}

impl From<&Value> for Row {
    fn from(row: &Value) -> Self {
        let number = |column: &str| row[column].as_i64().unwrap();
        Self {
            id: text(&row["id"]).parse::<Uuid>().unwrap().into(),
            author: user(&row["author_id"]),
            is_public: row["is_public"].as_bool().unwrap(),
            post_type: text(&row["post_type"]),
            has_image: row["image_url"].is_string(),
            at: text(&row["created_at"]).parse().unwrap(),
            engagement: (number("hearts_count"), number("reactions_count"), number("shares_count")),
            rank: row["rank"].as_f64().unwrap(),
        }
    }
}

pub(crate) fn limit(entries: i64) -> Limit {
    Limit::parse(entries).unwrap()
}

/// What a piece of work came up with, in one statement.
pub(crate) async fn in_one<T>(work: impl Future<Output = Result<T>>) -> T {
    let (done, queries) = QueryLog::record(work).await;
    assert_eq!(queries.total(), 1, "{queries:#?}");
    done.unwrap()
}

/// A connection that is watched.
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
