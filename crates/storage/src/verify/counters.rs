//! Counters of posts, users and inboxes. Each is defined once, for verification and for repair.

use diesel::sql_types::{BigInt, Text, Uuid as SqlUuid};
use uuid::Uuid;

use crate::query::statement;

/// A column, and a query that counts the rows of `counted` from which it derives.
type Counter = (&'static str, &'static str);

const OF_POSTS: [Counter; 4] = [
    ("hearts_count", "SELECT count(*) FROM likes WHERE post_id = counted.id"),
    ("reactions_count", "SELECT count(*) FROM emoji_reactions WHERE post_id = counted.id"),
    (
        "shares_count",
        "SELECT count(*) FILTER (WHERE share_method = 'url')
            + count(DISTINCT user_id) FILTER (WHERE share_method = 'message')
        FROM shares WHERE post_id = counted.id",
    ),
    ("comments_count", "SELECT count(*) FROM comments WHERE post_id = counted.id"),
];

const OF_USERS: [Counter; 4] = [
    (
        "followers_count",
        "SELECT count(*) FROM follows WHERE followed_id = counted.id AND status = 'active'",
    ),
    (
        "following_count",
        "SELECT count(*) FROM follows WHERE follower_id = counted.id AND status = 'active'",
    ),
    ("posts_count", "SELECT count(*) FROM posts WHERE author_id = counted.id"),
    ("public_posts_count", "SELECT count(*) FROM posts WHERE author_id = counted.id AND is_public"),
];

const OF_INBOXES: [Counter; 2] = [
    (
        "unread_count",
        "SELECT count(*) FROM notifications
        WHERE user_id = counted.user_id AND parent_id IS NULL AND NOT read",
    ),
    (
        "total_count",
        "SELECT count(*) FROM notifications WHERE user_id = counted.user_id AND parent_id IS NULL",
    ),
];

/// The inboxes of all users. One that never had a notification has no row, and counts nothing.
const INBOXES: &str = "(
        SELECT users.id AS user_id, coalesce(unread_count, 0) AS unread_count, coalesce(total_count, 0) AS total_count
        FROM users LEFT JOIN LATERAL (SELECT * FROM inboxes WHERE user_id = users.id LIMIT 1) AS own ON true
    ) AS inbox";

/// Selects the key, the name, the stored and the actual value of each counter of the next rows.
fn count(table: &str, key: &str, counters: &[Counter]) -> String {
    let values =
        counters.iter().map(|(column, query)| format!("('{column}', {column}, ({query}))"));
    format!(
        "WITH counted AS MATERIALIZED (
    SELECT * FROM {table} WHERE {key} > :after ORDER BY {key} LIMIT :limit
)
SELECT counted.{key}::text, counter.name, counter.stored::bigint, counter.actual
FROM counted, LATERAL (VALUES
    {}
) AS counter (name, stored, actual)
ORDER BY counted.{key}",
        values.collect::<Vec<_>>().join(",\n    ")
    )
}

/// Sets all counters of a row, which is locked.
fn repair(table: &str, key: &str, counters: &[Counter]) -> String {
    let values = counters.iter().map(|(column, query)| format!("{column} = ({query})"));
    let values = values.collect::<Vec<_>>().join(",\n    ");
    format!("UPDATE {table} AS counted SET\n    {values}\nWHERE {key} = :key")
}

statement! {
    pub(super) VerifyPosts {
        after: Uuid as SqlUuid,
        limit: i64 as BigInt,
    } -> (Text, Text, BigInt, BigInt),
    count("posts", "id", &OF_POSTS)
}

statement! {
    pub(super) VerifyUsers {
        after: i64 as BigInt,
        limit: i64 as BigInt,
    } -> (Text, Text, BigInt, BigInt),
    count("users", "id", &OF_USERS)
}

statement! {
    pub(super) VerifyInboxes {
        after: i64 as BigInt,
        limit: i64 as BigInt,
    } -> (Text, Text, BigInt, BigInt),
    count(INBOXES, "user_id", &OF_INBOXES)
}

statement! {
    pub(super) RepairPost {
        key: Uuid as SqlUuid,
    } -> (),
    repair("posts", "id", &OF_POSTS)
}

statement! {
    pub(super) RepairUser {
        key: i64 as BigInt,
    } -> (),
    repair("users", "id", &OF_USERS)
}

statement! {
    pub(super) RepairInbox {
        key: i64 as BigInt,
    } -> (),
    repair("inboxes", "user_id", &OF_INBOXES)
}
