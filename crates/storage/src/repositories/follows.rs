//! The `follows` table: who follows whom, who asked to, who has blocked whom, and how many.

mod list;
mod suggestions;

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use grateful_domain::{Follow, FollowId, FollowState, Relationship, UserId};
use uuid::Uuid;

pub use self::list::FollowCounts;
use crate::query::statement;
use crate::{Connection, Result, StorageError};

/// Follows, requests and blocks, as seen through one connection.
pub struct Follows<'c> {
    pub(super) conn: &'c mut Connection,
}

impl Follows<'_> {
    /// What two people are to each other.
    pub async fn find_relationship(&mut self, one: UserId, other: UserId) -> Result<Relationship> {
        Ok(self
            .find_relationships(one, &[other])
            .await?
            .remove(&other)
            .unwrap_or(Relationship::NONE))
    }

    /// What this person and each of these people are to each other, in one statement.
    pub async fn find_relationships(
        &mut self,
        one: UserId,
        others: &[UserId],
    ) -> Result<HashMap<UserId, Relationship>> {
        let ids = others.iter().copied().map(i64::from).collect();
        let find = FindRelationships { one: one.into(), others: ids };
        let rows: Vec<(i64, Option<String>, Option<String>)> = find.load(self.conn).await?;
        let relation = |(other, there, back): (i64, Option<String>, Option<String>)| {
            Ok((
                other.into(),
                Relationship {
                    outgoing: state_from_code(there)?,
                    incoming: state_from_code(back)?,
                },
            ))
        };
        rows.into_iter().map(relation).collect()
    }

    /// Turns the edge between two people from `before`, which is what it is, into what `follow` says, and counts whom
    /// that makes a follower or none. The rows of both people must be locked (see [`Users::lock_all`]). Returns the edge
    /// as it is now: one that was there keeps its id and its time, but where it turns into a block.
    ///
    /// [`Users::lock_all`]: crate::Users::lock_all
    pub async fn set_state(
        &mut self,
        before: FollowState,
        follow: &Follow,
    ) -> Result<Option<Follow>> {
        let active = |edge: FollowState| i64::from(edge == FollowState::Active);
        let set = SetState {
            id: follow.id.into(),
            follower: follow.follower.into(),
            followed: follow.followed.into(),
            status: follow.state.code().map(ToOwned::to_owned),
            at: follow.created_at,
            more: active(follow.state) - active(before),
        };
        let row: Option<(Uuid, DateTime<Utc>)> = set.get_result(self.conn).await.optional()?;
        Ok(row.map(|(id, created_at)| Follow {
            id: FollowId::from(id),
            created_at,
            ..follow.clone()
        }))
    }

    /// Makes followers of those of these people who have asked to follow this one, and counts them. The rows of all of
    /// them must be locked (see [`Users::lock_all`]). Returns who they were.
    ///
    /// [`Users::lock_all`]: crate::Users::lock_all
    pub async fn accept_requests(&mut self, by: UserId, askers: &[UserId]) -> Result<Vec<UserId>> {
        let askers = askers.iter().copied().map(i64::from).collect();
        let accepted: Vec<i64> = AcceptRequests { by: by.into(), askers }.load(self.conn).await?;
        Ok(accepted.into_iter().map(UserId::from).collect())
    }

    /// Up to `limit` people who were asked by somebody, and by what they prefer now need not have been.
    pub async fn list_users_with_stale_requests(&mut self, limit: i64) -> Result<Vec<UserId>> {
        let asked: Vec<i64> = UsersWithStaleRequests { limit }.load(self.conn).await?;
        Ok(asked.into_iter().map(UserId::from).collect())
    }

    /// Removes up to `limit` edges to and from this person, and lowers the numbers of those at their other ends. Tells how
    /// many there were.
    pub async fn delete_batch_of(&mut self, user: UserId, limit: i64) -> Result<i64> {
        let delete = DeleteFollowsBatch { user: user.into(), limit };
        Ok(delete.get_result(self.conn).await?)
    }
}

fn state_from_code(status: Option<String>) -> Result<FollowState> {
    let corrupt = |_| StorageError::Corrupt { column: "follows.status" };
    status.map_or(Ok(FollowState::None), |code| FollowState::from_code(&code).map_err(corrupt))
}

statement! {
    /// Only of those who exist.
    FindRelationships(one: i64 as BigInt, others: Vec<i64> as Array<BigInt>) -> (BigInt, Nullable<Text>, Nullable<Text>) {
        "other AS (SELECT id FROM users WHERE id = ANY ($2))
        SELECT other.id, there.status, back.status
        FROM other
        LEFT JOIN follows AS there ON there.follower_id = $1 AND there.followed_id = other.id
        LEFT JOIN follows AS back ON back.follower_id = other.id AND back.followed_id = $1"
    }
}

statement! {
    /// The rows of both people are locked.
    SetState(
        id: Uuid as SqlUuid,
        follower: i64 as BigInt,
        followed: i64 as BigInt,
        status: Option<String> as Nullable<Text>,
        at: DateTime<Utc> as Timestamptz,
        more: i64 as BigInt
    ) -> (SqlUuid, Timestamptz) {
        "gone AS (
            DELETE FROM follows WHERE follower_id = $2 AND followed_id = $3 AND $4 IS NULL
        ), made AS (
            INSERT INTO follows AS edge (id, follower_id, followed_id, status, created_at)
            SELECT $1, $2, $3, $4, $5 WHERE $4 IS NOT NULL
            ON CONFLICT (follower_id, followed_id) DO UPDATE SET
                status = excluded.status,
                created_at = CASE
                    WHEN excluded.status = 'blocked' THEN excluded.created_at ELSE edge.created_at
                END
            RETURNING id, created_at
        ), followed AS (
            UPDATE users SET followers_count = followers_count + $6 WHERE id = $3 AND $6 <> 0
        ), follows AS (
            UPDATE users SET following_count = following_count + $6 WHERE id = $2 AND $6 <> 0
        )
        SELECT id, created_at FROM made"
    }
}

statement! {
    AcceptRequests(by: i64 as BigInt, askers: Vec<i64> as Array<BigInt>) -> BigInt {
        "made AS (
            UPDATE follows SET status = 'active'
            WHERE followed_id = $1 AND follower_id = ANY ($2) AND status = 'pending'
            RETURNING follower_id
        ), followed AS (
            UPDATE users SET followers_count = followers_count + (SELECT count(*) FROM made)
            WHERE id = $1 AND EXISTS (SELECT FROM made)
        ), followers AS (
            UPDATE users SET following_count = following_count + 1
            FROM made WHERE users.id = made.follower_id
        )
        SELECT follower_id FROM made"
    }
}

statement! {
    /// Reads what is pending anywhere, by its index: nobody waits for this.
    UsersWithStaleRequests(limit: i64 as BigInt) -> BigInt {
        "asked AS (SELECT DISTINCT followed_id FROM follows WHERE status = 'pending')
        SELECT id FROM users JOIN asked ON asked.followed_id = users.id
        WHERE profile_preferences -> 'approve_followers' IS DISTINCT FROM 'true'
        LIMIT $1"
    }
}

statement! {
    /// Locks everybody whose number changes, by id, before it touches an edge.
    DeleteFollowsBatch(user: i64 as BigInt, limit: i64 as BigInt) -> BigInt {
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
