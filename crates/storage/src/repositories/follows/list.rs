//! Whom somebody follows, by whom they are followed, who asked them, and whom they have blocked.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::BigInt;
use diesel_async::RunQueryDsl;
use grateful_domain::{FollowListItem, FollowState, Limit, Page, Position, Total, UserId};
use uuid::Uuid;

use super::Follows;
use crate::query::{load_page, statement};
use crate::rows::UserListItemRow;
use crate::schema::follows;
use crate::{FollowQuery, Result};

/// How many follow somebody, whom they follow, and what is not decided yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FollowCounts {
    /// Who follows them.
    pub followers: i64,
    /// Whom they follow.
    pub following: i64,
    /// Who has asked to follow them.
    pub requests_received: i64,
    /// Whom they have asked.
    pub requests_sent: i64,
}

impl Follows<'_> {
    /// The people at the other ends of the edges that answer `query`, in one statement.
    pub async fn list(&mut self, query: FollowQuery) -> Result<Page<FollowListItem>> {
        let (rows, total): (Vec<Row>, Option<Total>) =
            load_page!(self.conn, query.select(), query.total())?;
        let people = rows.into_iter().map(|row| list_item(row).1).collect();
        Ok(Page::from_overfetch(people, query.page_limit(), |list_item: &FollowListItem| {
            list_item.position
        })
        .with_total(total))
    }

    /// Who follows each of these people, up to `limit` of each, newest first, nobody across a block with `viewer`, in one
    /// statement. Whoever is followed by nobody, or is across a block themselves, is not in the map.
    pub async fn list_followers_of_each(
        &mut self,
        viewer: UserId,
        people: &[UserId],
        limit: Limit,
    ) -> Result<HashMap<UserId, Vec<FollowListItem>>> {
        let any = UserId::from(0);
        self.list_of_each(FollowQuery::visible_to(viewer).followers_of(any).limit(limit), people)
            .await
    }

    /// Whom each of these people follows, as [`Follows::list_followers_of_each`].
    pub async fn list_followed_by_each(
        &mut self,
        viewer: UserId,
        people: &[UserId],
        limit: Limit,
    ) -> Result<HashMap<UserId, Vec<FollowListItem>>> {
        let any = UserId::from(0);
        self.list_of_each(FollowQuery::visible_to(viewer).followed_by(any).limit(limit), people)
            .await
    }

    async fn list_of_each(
        &mut self,
        query: FollowQuery,
        people: &[UserId],
    ) -> Result<HashMap<UserId, Vec<FollowListItem>>> {
        let rows: Vec<Row> = query.select_per_user(people).load(self.conn).await?;
        let mut lists: HashMap<UserId, Vec<FollowListItem>> = HashMap::new();
        for row in rows {
            let (of, list_item) = list_item(row);
            lists.entry(of).or_default().push(list_item);
        }
        Ok(lists)
    }

    /// How many follow somebody, whom they follow, and what is not decided yet; nothing where there is no such person.
    pub async fn count(&mut self, user: UserId) -> Result<Option<FollowCounts>> {
        let row: Option<(i64, i64, i64, i64)> =
            CountFollows { user: user.into() }.get_result(self.conn).await.optional()?;
        Ok(row.map(|(followers, following, asked_by, asked)| FollowCounts {
            followers,
            following,
            requests_received: asked_by,
            requests_sent: asked,
        }))
    }

    /// How many people this person has blocked.
    pub async fn count_blocks(&mut self, by: UserId) -> Result<i64> {
        let blocks = follows::table
            .filter(follows::followed_id.eq(i64::from(by)))
            .filter(follows::status.nullable().eq(FollowState::Blocked.code()));
        Ok(blocks.count().get_result(self.conn).await?)
    }

    /// Up to `limit` of those who have asked to follow this person, the longest waiting first.
    pub async fn list_requesters(&mut self, to: UserId, limit: i64) -> Result<Vec<UserId>> {
        let ids: Vec<i64> = follows::table
            .filter(follows::followed_id.eq(i64::from(to)))
            .filter(follows::status.nullable().eq(FollowState::Pending.code()))
            .order((follows::created_at, follows::id))
            .select(follows::follower_id)
            .limit(limit)
            .load(self.conn)
            .await?;
        Ok(ids.into_iter().map(UserId::from).collect())
    }
}

/// The edge, who is at its other end, whether the viewer follows them, and whose list it is in.
type Row = ((Uuid, DateTime<Utc>), UserListItemRow, bool, i64);

fn list_item(((id, at), person, is_followed, of): Row) -> (UserId, FollowListItem) {
    (of.into(), FollowListItem { user: person.into(), position: Position { at, id }, is_followed })
}

statement! {
    /// What is pending is counted by indexes; the rest is kept beside the person.
    CountFollows(user: i64 as BigInt) -> (BigInt, BigInt, BigInt, BigInt) {
        "person AS (SELECT * FROM users WHERE id = $1)
        SELECT followers_count, following_count,
            (SELECT count(*) FROM follows WHERE followed_id = person.id AND status = 'pending'),
            (SELECT count(*) FROM follows WHERE follower_id = person.id AND status = 'pending')
        FROM person"
    }
}
