use std::collections::HashSet;

use chrono::{DateTime, Utc};
use diesel::sql_types::{BigInt, Double, Integer, Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use grateful_domain::{Candidate, Engagement, PostType, Signals, UserId, Viewer};
use grateful_storage::Connection;
use grateful_testkit::TestDatabase;
use uuid::Uuid;

/// What a world is made of.
pub(crate) struct World {
    pub(crate) people: u32,
    pub(crate) posts: u32,
    /// How unevenly people write: 1 is evenly, at 8 a few write most.
    pub(crate) skew: u32,
    /// Other worlds have other seeds.
    pub(crate) seed: u32,
}

/// A row of `posts`.
#[derive(diesel::QueryableByName)]
pub(crate) struct Row {
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

impl Row {
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

/// Makes a world of the last days before [`grateful_testkit::NOON`], with people from number 1. Every tenth post is private,
/// and many have their time or all that ranks them in common.
pub(crate) async fn make(database: &TestDatabase, world: &World) {
    let World { people, posts, skew, seed } = world;
    database.execute(&format!(
        "TRUNCATE users RESTART IDENTITY CASCADE;
         INSERT INTO users (email, username, hashed_password)
         SELECT 'p' || n || '@example.org', 'p' || n, '' FROM generate_series(1, {people}) n;
         SELECT setseed({seed} / 1000.0::float8);
         INSERT INTO posts (id, author_id, content, is_public, created_at, post_type, image_url,
                            hearts_count, reactions_count, shares_count)
         SELECT md5('{seed} ' || n)::uuid, 1 + floor({people} * power(random(), {skew}))::bigint, 'Rain', random() > 0.1,
             timestamptz '2026-01-05 12:00Z' - floor(power(random(), 3) * 5000) * interval '97 seconds',
             (ARRAY['daily', 'photo', 'spontaneous'])[1 + floor(random() * 3)],
             CASE WHEN random() < 0.5 THEN '/uploads/posts/a.jpg' END,
             floor(least(1 / (random() + 0.001), 900) * (1 - random() / 2))::int, floor(power(random(), 8) * 9)::int, floor(power(random(), 9) * 5)::int
         FROM generate_series(1, {posts}) n"
    ))
    .await;
}

/// Makes somebody follow so many others, the first after them.
pub(crate) async fn follow(database: &TestDatabase, who: i64, others: u32) {
    database
        .execute(&format!(
            "INSERT INTO follows (id, follower_id, followed_id)
         SELECT gen_random_uuid(), {who}, {who} + n FROM generate_series(1, {others}) n
         ON CONFLICT DO NOTHING"
        ))
        .await;
}

/// Makes these edges, of this status.
pub(crate) async fn relate(database: &TestDatabase, edges: &[(i64, i64)], status: &str) {
    for (one, other) in edges {
        database
            .execute(&format!(
                "INSERT INTO follows (id, follower_id, followed_id, status)
             VALUES (gen_random_uuid(), {one}, {other}, '{status}')
             ON CONFLICT (follower_id, followed_id) DO UPDATE SET status = excluded.status"
            ))
            .await;
    }
}

/// Every post, whoever may see it.
pub(crate) async fn all(conn: &mut Connection, condition: &str) -> Vec<Row> {
    let sql = format!("SELECT *, image_url IS NOT NULL AS has_image FROM posts WHERE {condition}");
    diesel::sql_query(sql).load(conn).await.unwrap()
}

/// Every public post that is not across a block, as it stands for this viewer.
pub(crate) async fn candidates(conn: &mut Connection, viewer: Viewer) -> Vec<Candidate> {
    let followed = edges(conn, viewer, "active").await;
    let across = edges(conn, viewer, "blocked").await;
    let back: HashSet<i64> = match viewer.user() {
        Some(user) => column(
            conn,
            &format!(
                "follower_id AS id FROM follows WHERE followed_id = {user} AND status = 'blocked'"
            ),
        )
        .await,
        None => HashSet::new(),
    };
    let posts = all(conn, "is_public").await;
    let seen = posts
        .iter()
        .filter(|row| !across.contains(&row.author_id) && !back.contains(&row.author_id));
    let candidate = |row: &Row| Candidate {
        id: row.id.into(),
        author: UserId::from(row.author_id),
        rank: row.rank + if followed.contains(&row.author_id) { 1.0 } else { 0.0 },
        created_at: row.created_at,
    };
    seen.map(candidate).collect()
}

async fn edges(conn: &mut Connection, viewer: Viewer, status: &str) -> HashSet<i64> {
    match viewer.user() {
        Some(user) => {
            let sql = format!(
                "followed_id AS id FROM follows WHERE follower_id = {user} AND status = '{status}'"
            );
            column(conn, &sql).await
        }
        None => HashSet::new(),
    }
}

async fn column(conn: &mut Connection, sql: &str) -> HashSet<i64> {
    #[derive(diesel::QueryableByName)]
    struct Id {
        #[diesel(sql_type = BigInt)]
        id: i64,
    }

    let ids: Vec<Id> = diesel::sql_query(format!("SELECT {sql}")).load(conn).await.unwrap();
    ids.into_iter().map(|row| row.id).collect()
}
