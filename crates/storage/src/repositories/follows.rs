//! The `follows` table (follows, requests and blocks), and the follow counters of users.

mod list;
mod suggestions;

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use diesel::sql_types::{Array, BigInt, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use grateful_domain::notification::{Act, Cause};
use grateful_domain::{Follow, FollowId, FollowState, Relationship, UserId};
use uuid::Uuid;

use super::users::Users;
use crate::query::statement;
use crate::{Connection, ReadConnection, Result, StorageError};

/// The repository of follows, requests and blocks.
pub struct Follows<'c, C = Connection> {
    pub(super) conn: &'c mut C,
}

impl<C: ReadConnection> Follows<'_, C> {
    /// Finds the relationship between two users.
    pub async fn find_relationship(&mut self, user: UserId, other: UserId) -> Result<Relationship> {
        Ok(self
            .find_relationships(user, &[other])
            .await?
            .remove(&other)
            .unwrap_or(Relationship::NONE))
    }

    /// Finds the relationship between a user and each of `others`, in one statement.
    pub async fn find_relationships(
        &mut self,
        user: UserId,
        others: &[UserId],
    ) -> Result<HashMap<UserId, Relationship>> {
        let pairs: Vec<_> = others.iter().map(|other| (user, *other)).collect();
        let found = self.find_relationships_between(&pairs).await?;
        Ok(found.into_iter().map(|((_, other), relationship)| (other, relationship)).collect())
    }

    /// Finds the relationships between the two users of each pair, in one statement.
    pub async fn find_relationships_between(
        &mut self,
        pairs: &[(UserId, UserId)],
    ) -> Result<HashMap<(UserId, UserId), Relationship>> {
        let find = FindRelationships {
            users: pairs.iter().map(|(user, _)| i64::from(*user)).collect(),
            others: pairs.iter().map(|(_, other)| i64::from(*other)).collect(),
        };
        let rows: Vec<(i64, i64, Option<String>, Option<String>)> = find.load(self.conn).await?;
        let relationship = |(user, other, outgoing, incoming): (i64, i64, _, _)| {
            let (outgoing, incoming) = (state_from_code(outgoing)?, state_from_code(incoming)?);
            Ok(((user.into(), other.into()), Relationship { outgoing, incoming }))
        };
        rows.into_iter().map(relationship).collect()
    }
}

impl Follows<'_> {
    /// Changes follow states, each from one user to another, at most one for each such pair, and updates the follow counters.
    /// Each change has the current state and the follow with the state to set. The rows of all users must be locked (see
    /// [`Users::lock_all`]). Returns the stored follows, without those that were deleted. An existing follow keeps its id,
    /// and keeps its time unless it becomes a block.
    ///
    /// [`Users::lock_all`]: crate::Users::lock_all
    pub async fn set_states(&mut self, changes: &[(FollowState, Follow)]) -> Result<Vec<Follow>> {
        let active_count = |state: FollowState| i64::from(state == FollowState::Active);
        let follows = || changes.iter().map(|(_, follow)| follow);
        let set = SetStates {
            ids: follows().map(|follow| follow.id.into()).collect(),
            followers: follows().map(|follow| follow.follower.into()).collect(),
            followed: follows().map(|follow| follow.followed.into()).collect(),
            statuses: follows().map(|follow| follow.state.code()).collect(),
            times: follows().map(|follow| follow.created_at).collect(),
            differences: changes
                .iter()
                .map(|(before, follow)| active_count(follow.state) - active_count(*before))
                .collect(),
        };
        let rows: Vec<(Uuid, i64, i64, String, DateTime<Utc>)> = set.load(self.conn).await?;
        let follow = |(id, follower, followed, status, created_at): (Uuid, i64, i64, _, _)| {
            Ok(Follow {
                id: FollowId::from(id),
                follower: follower.into(),
                followed: followed.into(),
                state: state_from_code(Some(status))?,
                created_at,
            })
        };
        rows.into_iter().map(follow).collect()
    }

    /// Accepts the requests of these users to follow `user`, and updates the follow counters. The rows of all of them must
    /// be locked (see [`Users::lock_all`]). Returns the users whose requests were accepted.
    ///
    /// [`Users::lock_all`]: crate::Users::lock_all
    pub async fn accept_requests(
        &mut self,
        user: UserId,
        requesters: &[UserId],
    ) -> Result<Vec<UserId>> {
        let requesters = requesters.iter().copied().map(i64::from).collect();
        let accept = AcceptRequests { user: user.into(), requesters };
        let accepted: Vec<i64> = accept.load(self.conn).await?;
        Ok(accepted.into_iter().map(UserId::from).collect())
    }

    /// Lists up to `limit` users who have pending requests although they no longer require approval.
    pub async fn list_users_with_stale_requests(&mut self, limit: i64) -> Result<Vec<UserId>> {
        let users: Vec<i64> = UsersWithStaleRequests { limit }.load(self.conn).await?;
        Ok(users.into_iter().map(UserId::from).collect())
    }

    /// Deletes the follows, requests and blocks between a user and up to `limit` others, and updates the follow counters.
    /// Returns the causes of the notifications that these users have about the deleted rows, or `None` if there are no rows
    /// left.
    pub async fn delete_batch_of(
        &mut self,
        user: UserId,
        limit: i64,
    ) -> Result<Option<Vec<Cause>>> {
        let find = FindFollowPartners { user: user.into(), limit };
        let others: Vec<i64> = find.load(self.conn).await?;
        if others.is_empty() {
            return Ok(None);
        }
        // Locked with a statement of its own, so that the next one sees what was committed while the locks were awaited.
        let users = [&[i64::from(user)], &others[..]].concat();
        Users { conn: self.conn }.lock_rows(&users).await?;
        let delete = DeleteFollowsBatch { user: user.into(), others: others.clone() };
        delete.execute(self.conn).await?;
        let causes = others.into_iter().flat_map(|other| {
            [Act::Follow, Act::FollowRequest, Act::FollowAcceptance].map(|act| Cause {
                recipient: other.into(),
                actor: user,
                act,
            })
        });
        Ok(Some(causes.collect()))
    }
}

fn state_from_code(status: Option<String>) -> Result<FollowState> {
    let corrupt = StorageError::Corrupt { column: "follows.status" };
    status.map_or(Ok(FollowState::None), |code| FollowState::from_code(&code).ok_or(corrupt))
}

statement! {
    /// Returns only pairs whose second user exists and is not deleted.
    FindRelationships {
        users: Vec<i64> as Array<BigInt>,
        others: Vec<i64> as Array<BigInt>,
    } -> (BigInt, BigInt, Nullable<Text>, Nullable<Text>),
    "SELECT pair.user_id, pair.other_id, there.status, back.status
    FROM unnest(:users, :others) AS pair (user_id, other_id)
    JOIN users AS other ON other.id = pair.other_id AND other.deleted_at IS NULL
    LEFT JOIN follows AS there ON there.follower_id = pair.user_id AND there.followed_id = pair.other_id
    LEFT JOIN follows AS back ON back.follower_id = pair.other_id AND back.followed_id = pair.user_id"
}

statement! {
    /// The rows of all users are locked.
    SetStates {
        ids: Vec<Uuid> as Array<SqlUuid>,
        followers: Vec<i64> as Array<BigInt>,
        followed: Vec<i64> as Array<BigInt>,
        statuses: Vec<Option<&'static str>> as Array<Nullable<Text>>,
        times: Vec<DateTime<Utc>> as Array<Timestamptz>,
        differences: Vec<i64> as Array<BigInt>,
    } -> (SqlUuid, BigInt, BigInt, Text, Timestamptz),
    "WITH change AS (
        SELECT * FROM unnest(:ids, :followers, :followed, :statuses, :times, :differences)
            AS change (id, follower_id, followed_id, status, created_at, difference)
    ), gone AS (
        DELETE FROM follows USING change
        WHERE follows.follower_id = change.follower_id AND follows.followed_id = change.followed_id
            AND change.status IS NULL
    ), made AS (
        INSERT INTO follows AS edge (id, follower_id, followed_id, status, created_at)
        SELECT id, follower_id, followed_id, status, created_at FROM change WHERE status IS NOT NULL
        ON CONFLICT (follower_id, followed_id) DO UPDATE SET
            status = excluded.status,
            created_at = CASE
                WHEN excluded.status = 'blocked' THEN excluded.created_at ELSE edge.created_at
            END
        RETURNING id, follower_id, followed_id, status, created_at
    ), counted AS (
        SELECT user_id, sum(followers) AS followers, sum(following) AS following FROM (
            SELECT followed_id AS user_id, difference AS followers, 0 AS following FROM change
            UNION ALL SELECT follower_id, 0, difference FROM change
        ) AS it WHERE followers <> 0 OR following <> 0 GROUP BY user_id
    ), totals AS (
        UPDATE users SET
            followers_count = followers_count + counted.followers,
            following_count = following_count + counted.following
        FROM counted
        WHERE users.id = counted.user_id AND users.id = ANY (ARRAY(SELECT user_id FROM counted))
    )
    SELECT id, follower_id, followed_id, status, created_at FROM made"
}

statement! {
    AcceptRequests { user: i64 as BigInt, requesters: Vec<i64> as Array<BigInt> } -> BigInt,
    "WITH made AS (
        UPDATE follows SET status = 'active'
        WHERE followed_id = :user AND follower_id = ANY (:requesters) AND status = 'pending'
        RETURNING follower_id
    ), followed AS (
        UPDATE users SET followers_count = followers_count + (SELECT count(*) FROM made)
        WHERE id = :user AND EXISTS (SELECT FROM made)
    ), followers AS (
        UPDATE users SET following_count = following_count + 1
        FROM made WHERE users.id = made.follower_id
    )
    SELECT follower_id FROM made"
}

statement! {
    /// Reads all pending requests, by their index. No request of a client waits for this statement.
    UsersWithStaleRequests { limit: i64 as BigInt } -> BigInt,
    "WITH asked AS (SELECT DISTINCT followed_id FROM follows WHERE status = 'pending')
    SELECT id FROM users JOIN asked ON asked.followed_id = users.id
    WHERE profile_preferences -> 'approve_followers' IS DISTINCT FROM 'true'
    LIMIT :limit"
}

statement! {
    FindFollowPartners { user: i64 as BigInt, limit: i64 as BigInt } -> BigInt,
    "WITH partner AS (
        (SELECT followed_id AS id FROM follows WHERE follower_id = :user LIMIT :limit)
        UNION
        (SELECT follower_id FROM follows WHERE followed_id = :user LIMIT :limit)
    )
    SELECT id FROM partner LIMIT :limit"
}

statement! {
    /// The rows of all users are locked.
    DeleteFollowsBatch { user: i64 as BigInt, others: Vec<i64> as Array<BigInt> } -> BigInt,
    "WITH outgoing AS (
        DELETE FROM follows WHERE follower_id = :user AND followed_id = ANY (:others)
        RETURNING follower_id, followed_id, status
    ), incoming AS (
        DELETE FROM follows WHERE followed_id = :user AND follower_id = ANY (:others)
        RETURNING follower_id, followed_id, status
    ), active AS (
        SELECT * FROM outgoing WHERE status = 'active' UNION ALL SELECT * FROM incoming WHERE status = 'active'
    ), lowered AS (
        SELECT id, sum(followers) AS followers, sum(following) AS following FROM (
            SELECT followed_id AS id, 1 AS followers, 0 AS following FROM active
            UNION ALL SELECT follower_id, 0, 1 FROM active
        ) AS change GROUP BY id
    )
    UPDATE users SET
        followers_count = followers_count - lowered.followers,
        following_count = following_count - lowered.following
    FROM lowered WHERE users.id = lowered.id"
}
