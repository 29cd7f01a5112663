//! Lists and counts of followers, followed users, requests and blocks.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::BigInt;
use diesel_async::RunQueryDsl;
use grateful_domain::{FollowCounts, FollowListItem, FollowState, Page, Position, UserId};
use uuid::Uuid;

use super::Follows;
use crate::query::{FollowQuery, count_up_to, statement};
use crate::rows::UserListItemRow;
use crate::schema::follows;
use crate::{ReadConnection, Result};

impl<C: ReadConnection> Follows<'_, C> {
    /// Runs a list query, in one statement, and a second one if the total is requested.
    pub async fn list(&mut self, query: FollowQuery) -> Result<Page<FollowListItem>> {
        let total = count_up_to(self.conn, || query.select_all(), query.max_total).await?;
        let rows: Vec<Row> = query.select().load(self.conn).await?;
        let items = rows.into_iter().map(list_item).collect();
        let position = |item: &FollowListItem| item.position;
        Ok(Page::from_overfetch(items, query.page.limit, position).with_total(total))
    }

    /// Counts the followers, the followed users and the pending requests of a user. Returns `None` if there is no such user.
    pub async fn count(&mut self, user: UserId) -> Result<Option<FollowCounts>> {
        let row: Option<(i64, i64, i64, i64)> =
            CountFollows { user: user.into() }.get_result(self.conn).await.optional()?;
        Ok(row.map(|(followers, following, requests_received, requests_sent)| FollowCounts {
            followers,
            following,
            requests_received,
            requests_sent,
        }))
    }

    /// Counts the users that this user blocked.
    pub async fn count_blocks(&mut self, user: UserId) -> Result<i64> {
        let blocks = follows::table
            .filter(follows::followed_id.eq(i64::from(user)))
            .filter(follows::status.nullable().eq(FollowState::Blocked.code()));
        Ok(blocks.count().get_result(self.conn).await?)
    }

    /// Lists up to `limit` users who requested to follow this user, oldest request first.
    pub async fn list_requesters(&mut self, user: UserId, limit: i64) -> Result<Vec<UserId>> {
        let ids: Vec<i64> = follows::table
            .filter(follows::followed_id.eq(i64::from(user)))
            .filter(follows::status.nullable().eq(FollowState::Pending.code()))
            .order((follows::created_at, follows::id))
            .select(follows::follower_id)
            .limit(limit)
            .load(self.conn)
            .await?;
        Ok(ids.into_iter().map(UserId::from).collect())
    }
}

/// The follow, the listed user, and whether the viewer follows that user.
type Row = ((Uuid, DateTime<Utc>), UserListItemRow, bool);

fn list_item(((id, at), user, is_followed): Row) -> FollowListItem {
    FollowListItem { user: user.into(), position: Position { at, id }, is_followed }
}

statement! {
    /// Counts pending requests by index. The other counts are stored with the user.
    CountFollows { user: i64 as BigInt } -> (BigInt, BigInt, BigInt, BigInt),
    "WITH person AS (SELECT * FROM users WHERE id = :user)
    SELECT followers_count, following_count,
        (SELECT count(*) FROM follows WHERE followed_id = person.id AND status = 'pending'),
        (SELECT count(*) FROM follows WHERE follower_id = person.id AND status = 'pending')
    FROM person"
}
