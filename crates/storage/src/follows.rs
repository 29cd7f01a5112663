//! The `follows` table: who follows whom, and how many.

use diesel::sql_types::BigInt;
use diesel_async::RunQueryDsl;
use grateful_domain::UserId;

use crate::statement::statement;
use crate::{Connection, Result};

/// Follows, requests and blocks, as seen through one connection.
pub struct Follows<'c> {
    pub(crate) conn: &'c mut Connection,
}

impl Follows<'_> {
    /// Removes up to `most` edges to and from this person, and lowers the numbers of those at their other ends. Tells how
    /// many there were.
    pub async fn delete_some_of(&mut self, user: UserId, most: i64) -> Result<i64> {
        let forget = Forget { user: user.into(), most };
        Ok(forget.get_result(self.conn).await?)
    }
}

statement! {
    /// Locks everybody whose number changes, by id, before it touches an edge.
    Forget(user: i64 as BigInt, most: i64 as BigInt) -> BigInt {
        "part AS MATERIALIZED (
            SELECT id, follower_id, followed_id FROM follows WHERE follower_id = $1
            UNION ALL
            SELECT id, follower_id, followed_id FROM follows WHERE followed_id = $1
            LIMIT $2
        ), people AS MATERIALIZED (
            SELECT id FROM users
            WHERE id IN (SELECT follower_id FROM part UNION SELECT followed_id FROM part)
            ORDER BY id FOR NO KEY UPDATE
        ), gone AS (
            DELETE FROM follows USING part
            WHERE follows.id = part.id AND EXISTS (SELECT FROM people)
            RETURNING follows.follower_id, follows.followed_id, follows.status
        ), lowered AS (
            UPDATE users SET
                followers_count = followers_count - (
                    SELECT count(*) FROM gone WHERE followed_id = users.id AND status = 'active'
                ),
                following_count = following_count - (
                    SELECT count(*) FROM gone WHERE follower_id = users.id AND status = 'active'
                )
            FROM people WHERE users.id = people.id
        )
        SELECT count(*) FROM gone"
    }
}
