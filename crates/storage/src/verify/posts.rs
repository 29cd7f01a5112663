//! Counters of posts: hearts, reactions, shares and comments.

use diesel::sql_types::{BigInt, Nullable, Text};

use crate::query::statement;

statement! {
    /// `coalesce` rather than `$1 IS NULL OR …`, so that the index scan starts after the last key, not at the first row.
    pub(super) CountPosts {
        after: Option<String> as Nullable<Text>,
        limit: i64 as BigInt,
    } -> (Text, Text, BigInt, BigInt),
    "WITH part AS MATERIALIZED (
        SELECT * FROM posts WHERE id > coalesce(:after::uuid, '00000000-0000-0000-0000-000000000000') ORDER BY id LIMIT :limit
    )
    SELECT part.id::text, number.name, number.kept::bigint, number.counted
    FROM part, LATERAL (VALUES
        ('hearts_count', hearts_count, (SELECT count(*) FROM likes WHERE post_id = part.id)),
        ('reactions_count', reactions_count, (SELECT count(*) FROM emoji_reactions WHERE post_id = part.id)),
        ('shares_count', shares_count, (
            SELECT count(*) FILTER (WHERE share_method = 'url')
                + count(DISTINCT user_id) FILTER (WHERE share_method = 'message')
            FROM shares WHERE post_id = part.id
        )),
        ('comments_count', comments_count, (SELECT count(*) FROM comments WHERE post_id = part.id))
    ) AS number (name, kept, counted)
    ORDER BY part.id"
}

pub(super) const LOCK_POST: &str = "SELECT FROM posts WHERE id = $1::uuid FOR NO KEY UPDATE";

pub(super) const REPAIR_POST: &str = "UPDATE posts SET
    hearts_count = (SELECT count(*) FROM likes WHERE post_id = posts.id),
    reactions_count = (SELECT count(*) FROM emoji_reactions WHERE post_id = posts.id),
    shares_count = (
        SELECT count(*) FILTER (WHERE share_method = 'url')
            + count(DISTINCT user_id) FILTER (WHERE share_method = 'message')
        FROM shares WHERE post_id = posts.id
    ),
    comments_count = (SELECT count(*) FROM comments WHERE post_id = posts.id)
    WHERE id = $1::uuid";
