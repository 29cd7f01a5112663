//! Counters of users: followers, following, posts and public posts.

use diesel::sql_types::{BigInt, Nullable, Text};

use crate::query::statement;

statement! {
    /// Starts after the last key, like [`CountPosts`](super::posts::CountPosts).
    pub(super) CountUsers {
        after: Option<String> as Nullable<Text>,
        limit: i64 as BigInt,
    } -> (Text, Text, BigInt, BigInt),
    "WITH part AS MATERIALIZED (
        SELECT * FROM users WHERE id > coalesce(:after::bigint, 0) ORDER BY id LIMIT :limit
    )
    SELECT part.id::text, number.name, number.kept, number.counted
    FROM part, LATERAL (VALUES
        ('followers_count', followers_count, (
            SELECT count(*) FROM follows WHERE followed_id = part.id AND status = 'active'
        )),
        ('following_count', following_count, (
            SELECT count(*) FROM follows WHERE follower_id = part.id AND status = 'active'
        )),
        ('posts_count', posts_count, (SELECT count(*) FROM posts WHERE author_id = part.id)),
        ('public_posts_count', public_posts_count, (
            SELECT count(*) FROM posts WHERE author_id = part.id AND is_public
        ))
    ) AS number (name, kept, counted)
    ORDER BY part.id"
}

pub(super) const LOCK_USER: &str = "SELECT FROM users WHERE id = $1::bigint FOR NO KEY UPDATE";

pub(super) const REPAIR_USER: &str = "UPDATE users SET
    followers_count = (SELECT count(*) FROM follows WHERE followed_id = users.id AND status = 'active'),
    following_count = (SELECT count(*) FROM follows WHERE follower_id = users.id AND status = 'active'),
    posts_count = (SELECT count(*) FROM posts WHERE author_id = users.id),
    public_posts_count = (SELECT count(*) FROM posts WHERE author_id = users.id AND is_public)
    WHERE id = $1::bigint";
