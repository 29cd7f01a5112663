//! Suggestions of users to follow.

use diesel::sql_types::{Array, BigInt, Nullable, Text, Timestamptz};
use diesel_async::RunQueryDsl;
use grateful_domain::{Suggestion, UserId, Username};

use super::Follows;
use crate::Result;
use crate::query::statement;
use crate::rows::list_item_from_columns;

impl Follows<'_> {
    /// Suggests up to `limit` users: those who are followed by the users that `user` follows, most such followers first,
    /// then by username. Only the newest 200 follows of each user count, so the cost does not grow for users with thousands
    /// of follows.
    pub async fn list_suggestions(&mut self, user: UserId, limit: i64) -> Result<Vec<Suggestion>> {
        let rows: Vec<Row> = ListSuggestions { user: user.into(), limit }.load(self.conn).await?;
        let suggestion = |(columns, mutual_count, mutuals): Row| Suggestion {
            user: list_item_from_columns(columns),
            mutual_count,
            mutuals: mutuals.into_iter().map(Username::from_stored).collect(),
        };
        Ok(rows.into_iter().map(suggestion).collect())
    }
}

type Row = (
    (i64, String, Option<String>, Option<String>, Option<String>, chrono::DateTime<chrono::Utc>),
    i64,
    Vec<String>,
);

statement! {
    ListSuggestions { user: i64 as BigInt, limit: i64 as BigInt } -> (
        (BigInt, Text, Nullable<Text>, Nullable<Text>, Nullable<Text>, Timestamptz),
        BigInt,
        Array<Text>
    ),
    "WITH mine AS MATERIALIZED (
        SELECT followed_id AS id FROM follows WHERE follower_id = :user AND status = 'active'
        ORDER BY created_at DESC, id DESC LIMIT 200
    ), theirs AS MATERIALIZED (
        SELECT edge.followed_id AS id, mine.id AS through
        FROM mine, LATERAL (
            SELECT followed_id FROM follows WHERE follower_id = mine.id AND status = 'active'
            ORDER BY created_at DESC, id DESC LIMIT 200
        ) AS edge
        WHERE edge.followed_id <> :user
    ), known AS MATERIALIZED (
        SELECT followed_id AS id FROM follows WHERE follower_id = :user
        UNION
        SELECT user_id FROM hidden_users(:user)
    ), ranked AS (
        SELECT theirs.id, count(*) AS mutual_count, array_agg(theirs.through) AS through
        FROM theirs WHERE NOT (theirs.id = ANY (SELECT id FROM known))
        GROUP BY theirs.id
    ), best AS (
        SELECT ranked.*, users.username, users.display_name, users.bio, users.profile_image_url, users.created_at
        FROM ranked JOIN users ON users.id = ranked.id
        ORDER BY mutual_count DESC, lower(users.username) LIMIT :limit
    )
    SELECT best.id, best.username, best.display_name, best.bio, best.profile_image_url, best.created_at,
        best.mutual_count,
        ARRAY(
            SELECT mutual.username FROM users AS mutual WHERE mutual.id = ANY (best.through) AND mutual.deleted_at IS NULL
            ORDER BY lower(mutual.username) LIMIT 3
        )
    FROM best ORDER BY best.mutual_count DESC, lower(best.username)"
}
