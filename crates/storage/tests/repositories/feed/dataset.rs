//! Random datasets of users, posts, follows and blocks; the same seed creates the same dataset.

use std::collections::HashSet;

use chrono::{DateTime, Utc};
use diesel::sql_types::{BigInt, Double, Integer, Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use grateful_domain::{Candidate, Engagement, PostType, Signals, UserId, Viewer};
use grateful_storage::Connection;
use grateful_test_database::TestDatabase;
use uuid::Uuid;

/// The size and shape of a dataset.
pub(crate) struct DatasetConfig {
    pub(crate) users: u32,
    pub(crate) posts: u32,
    /// How unevenly posts are distributed over authors: 1 is even, at 8 a few users write most posts.
    pub(crate) skew: u32,
    /// Datasets with different seeds differ.
    pub(crate) seed: u32,
}

/// A row of `posts`.
#[derive(diesel::QueryableByName)]
pub(crate) struct PostRow {
    #[diesel(sql_type = SqlUuid)]
    pub(crate) id: Uuid,
    #[diesel(sql_type = BigInt)]
    pub(crate) author_id: i64,
    #[diesel(sql_type = Double)]
    pub(crate) rank: f64,
    #[diesel(sql_type = Timestamptz)]
    pub(crate) created_at: DateTime<Utc>,
    #[diesel(sql_type = Text)]
    post_type: String,
    #[diesel(sql_type = Integer)]
    hearts_count: i32,
    #[diesel(sql_type = Integer)]
    reactions_count: i32,
    #[diesel(sql_type = Integer)]
    shares_count: i32,
    #[diesel(sql_type = diesel::sql_types::Bool)]
    has_image: bool,
}

impl PostRow {
    pub(crate) fn signals(&self) -> Signals {
        Signals {
            engagement: Engagement {
                hearts: self.hearts_count,
                reactions: self.reactions_count,
                shares: self.shares_count,
                comments: 0,
            },
            post_type: PostType::from_code(&self.post_type).unwrap(),
            has_image: self.has_image,
            created_at: self.created_at,
        }
    }
}

/// Replaces the content of the database by a dataset of the last days before [`grateful_test_database::NOON`]. The user ids start
/// with one. Every tenth post is private, and many posts have the same time or the same rank.
pub(crate) async fn create_dataset(database: &TestDatabase, config: &DatasetConfig) {
    let DatasetConfig { users, posts, skew, seed } = config;
    database.execute(&format!(
        "TRUNCATE users RESTART IDENTITY CASCADE;
         INSERT INTO users (email, username, hashed_password)
         SELECT 'p' || n || '@example.org', 'p' || n, '' FROM generate_series(1, {users}) n;
         SELECT setseed({seed} / 1000.0::float8);
         INSERT INTO posts (id, author_id, content, is_public, created_at, post_type, image_url,
                            hearts_count, reactions_count, shares_count)
         SELECT md5('{seed} ' || n)::uuid, 1 + floor({users} * power(random(), {skew}))::bigint, 'Rain', random() > 0.1,
             timestamptz '2026-01-05 12:00Z' - floor(power(random(), 3) * 5000) * interval '97 seconds',
             (ARRAY['daily', 'photo', 'spontaneous'])[1 + floor(random() * 3)],
             CASE WHEN random() < 0.5 THEN '/uploads/posts/a.jpg' END,
             floor(least(1 / (random() + 0.001), 900) * (1 - random() / 2))::int, floor(power(random(), 8) * 9)::int, floor(power(random(), 9) * 5)::int
         FROM generate_series(1, {posts}) n"
    ))
    .await;
}

/// Inserts follows from a user to the `count` users with the next higher ids.
pub(crate) async fn create_follows(database: &TestDatabase, follower: i64, count: u32) {
    database
        .execute(&format!(
            "INSERT INTO follows (id, follower_id, followed_id)
         SELECT gen_random_uuid(), {follower}, {follower} + n FROM generate_series(1, {count}) n
         ON CONFLICT DO NOTHING"
        ))
        .await;
}

/// Sets these follows, given as (follower, followed), to this status.
pub(crate) async fn set_follows(database: &TestDatabase, follows: &[(i64, i64)], status: &str) {
    for (follower, followed) in follows {
        database
            .execute(&format!(
                "INSERT INTO follows (id, follower_id, followed_id, status)
             VALUES (gen_random_uuid(), {follower}, {followed}, '{status}')
             ON CONFLICT (follower_id, followed_id) DO UPDATE SET status = excluded.status"
            ))
            .await;
    }
}

/// All posts that meet an SQL condition, regardless of visibility.
pub(crate) async fn load_posts(conn: &mut Connection, condition: &str) -> Vec<PostRow> {
    let sql = format!("SELECT *, image_url IS NOT NULL AS has_image FROM posts WHERE {condition}");
    diesel::sql_query(sql).load(conn).await.unwrap()
}

/// All public posts that are not dated in the future and that no block hides from this viewer, with their rank for this
/// viewer.
pub(crate) async fn load_candidates(conn: &mut Connection, viewer: Viewer) -> Vec<Candidate> {
    let followed = load_followed(conn, viewer, "active").await;
    let blocking = load_followed(conn, viewer, "blocked").await;
    let blocked: HashSet<i64> = match viewer.user() {
        Some(user) => load_ids(
            conn,
            &format!(
                "follower_id AS id FROM follows WHERE followed_id = {user} AND status = 'blocked'"
            ),
        )
        .await,
        None => HashSet::new(),
    };
    let posts = load_posts(conn, "is_public AND created_at < '2026-01-05 12:05Z'").await;
    let visible = posts
        .iter()
        .filter(|row| !blocking.contains(&row.author_id) && !blocked.contains(&row.author_id));
    let candidate = |row: &PostRow| Candidate {
        id: row.id.into(),
        author: UserId::from(row.author_id),
        rank: row.rank + if followed.contains(&row.author_id) { 1.0 } else { 0.0 },
        created_at: row.created_at,
    };
    visible.map(candidate).collect()
}

async fn load_followed(conn: &mut Connection, viewer: Viewer, status: &str) -> HashSet<i64> {
    match viewer.user() {
        Some(user) => {
            let sql = format!(
                "followed_id AS id FROM follows WHERE follower_id = {user} AND status = '{status}'"
            );
            load_ids(conn, &sql).await
        }
        None => HashSet::new(),
    }
}

async fn load_ids(conn: &mut Connection, sql: &str) -> HashSet<i64> {
    #[derive(diesel::QueryableByName)]
    struct Id {
        #[diesel(sql_type = BigInt)]
        id: i64,
    }

    let ids: Vec<Id> = diesel::sql_query(format!("SELECT {sql}")).load(conn).await.unwrap();
    ids.into_iter().map(|row| row.id).collect()
}
