//! Whom somebody follows, by whom they are followed, who asked them, and whom they have blocked.

use chrono::{DateTime, Utc};
use diesel::dsl::{self, not};
use diesel::prelude::*;
use diesel::sql_types::BigInt;
use diesel_async::RunQueryDsl;
use grateful_domain::{Edge, Listed, Page, Position, Slice, UserId};
use uuid::Uuid;

use super::Follows;
use crate::Result;
use crate::query::{Order, paged, who_blocked, whom_blocked_by};
use crate::schema::{follows, users};
use crate::statement::statement;
use crate::users::PersonRow;

// What is listed, beside the follows and blocks of whoever looks.
diesel::alias!(follows as edges: Edges);

/// How many follow somebody, whom they follow, and what is not decided yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FollowCounts {
    /// Who follows them.
    pub followers: i64,
    /// Whom they follow.
    pub following: i64,
    /// Who has asked to follow them.
    pub asked_by: i64,
    /// Whom they have asked.
    pub asked: i64,
}

impl Follows<'_> {
    /// Who follows this person, newest first, nobody across a block with `viewer`, each with whether `viewer` follows them.
    pub async fn followers(
        &mut self,
        viewer: UserId,
        of: UserId,
        page: Page,
    ) -> Result<Slice<Listed>> {
        self.list_to(viewer, of, Edge::Active, page).await
    }

    /// Whom this person follows, as [`Follows::followers`].
    pub async fn following(
        &mut self,
        viewer: UserId,
        of: UserId,
        page: Page,
    ) -> Result<Slice<Listed>> {
        self.list_from(viewer, of, Edge::Active, page).await
    }

    /// Whom this person has asked, newest first.
    pub async fn asked(&mut self, by: UserId, page: Page) -> Result<Slice<Listed>> {
        self.list_from(by, by, Edge::Pending, page).await
    }

    /// Those at the other end of edges from this person.
    async fn list_from(
        &mut self,
        viewer: UserId,
        from: UserId,
        edge: Edge,
        page: Page,
    ) -> Result<Slice<Listed>> {
        let query = edges
            .inner_join(users::table.on(users::id.eq(edges.field(follows::followed_id))))
            .filter(edges.field(follows::follower_id).eq(i64::from(from)))
            .filter(edges.field(follows::status).nullable().eq(edge.code()))
            .filter(not(users::id.eq_any(who_blocked(viewer.into()))))
            .filter(not(users::id.eq_any(whom_blocked_by(viewer.into()))))
            .select((
                edges.fields((follows::id, follows::created_at)),
                PersonRow::as_select(),
                is_followed_by(viewer.into()),
            ))
            .order((edges.field(follows::created_at).desc(), edges.field(follows::id).desc()))
            .into_boxed();
        let rows: Vec<Row> = paged(query, page, CREATED, Order::Newest).load(self.conn).await?;
        Ok(listed(rows, page))
    }

    /// Who has asked to follow this person, newest first.
    pub async fn requests(&mut self, to: UserId, page: Page) -> Result<Slice<Listed>> {
        self.list_to(to, to, Edge::Pending, page).await
    }

    /// Whom this person has blocked, newest first.
    pub async fn blocks(&mut self, by: UserId, page: Page) -> Result<Slice<Listed>> {
        self.list_to(by, by, Edge::Blocked, page).await
    }

    /// How many follow somebody, whom they follow, and what is not decided yet; nothing where there is no such person.
    pub async fn count(&mut self, user: UserId) -> Result<Option<FollowCounts>> {
        let row: Option<(i64, i64, i64, i64)> =
            Count { user: user.into() }.get_result(self.conn).await.optional()?;
        Ok(row.map(|(followers, following, asked_by, asked)| FollowCounts {
            followers,
            following,
            asked_by,
            asked,
        }))
    }

    /// How many people this person has blocked.
    pub async fn count_blocks(&mut self, by: UserId) -> Result<i64> {
        let blocks = follows::table
            .filter(follows::followed_id.eq(i64::from(by)))
            .filter(follows::status.nullable().eq(Edge::Blocked.code()));
        Ok(blocks.count().get_result(self.conn).await?)
    }

    /// Up to `most` of those who have asked to follow this person, the longest waiting first.
    pub async fn some_requests(&mut self, to: UserId, most: i64) -> Result<Vec<UserId>> {
        let ids: Vec<i64> = follows::table
            .filter(follows::followed_id.eq(i64::from(to)))
            .filter(follows::status.nullable().eq(Edge::Pending.code()))
            .order((follows::created_at, follows::id))
            .select(follows::follower_id)
            .limit(most)
            .load(self.conn)
            .await?;
        Ok(ids.into_iter().map(UserId::from).collect())
    }

    /// Those at the other end of edges to this person.
    async fn list_to(
        &mut self,
        viewer: UserId,
        to: UserId,
        edge: Edge,
        page: Page,
    ) -> Result<Slice<Listed>> {
        let query = edges
            .inner_join(users::table.on(users::id.eq(edges.field(follows::follower_id))))
            .filter(edges.field(follows::followed_id).eq(i64::from(to)))
            .filter(edges.field(follows::status).nullable().eq(edge.code()))
            .select((
                edges.fields((follows::id, follows::created_at)),
                PersonRow::as_select(),
                is_followed_by(viewer.into()),
            ))
            .order((edges.field(follows::created_at).desc(), edges.field(follows::id).desc()))
            .into_boxed();
        let query = match edge {
            // One's own blocks are what is asked for.
            Edge::Blocked => query,
            Edge::None | Edge::Pending | Edge::Active => query
                .filter(not(users::id.eq_any(who_blocked(viewer.into()))))
                .filter(not(users::id.eq_any(whom_blocked_by(viewer.into())))),
        };
        let rows: Vec<Row> = paged(query, page, CREATED, Order::Newest).load(self.conn).await?;
        Ok(listed(rows, page))
    }
}

const CREATED: &str = "edges.created_at";

type Row = ((Uuid, DateTime<Utc>), PersonRow, bool);

fn listed(rows: Vec<Row>, page: Page) -> Slice<Listed> {
    let listed = rows.into_iter().map(|((id, at), person, is_followed)| Listed {
        person: person.into(),
        position: Position { at, id },
        is_followed,
    });
    Slice::cut(listed.collect(), page.limit, |listed| listed.position)
}

/// Whether the viewer follows the person of the row: looked up for each that is listed. As `EXISTS`, PostgreSQL would
/// rather read all whom they follow.
#[dsl::auto_type]
fn is_followed_by(viewer: i64) -> _ {
    let edge = follows::table
        .filter(follows::follower_id.eq(viewer))
        .filter(follows::followed_id.eq(users::id))
        .filter(follows::status.eq("active"))
        .select(follows::id)
        .single_value();
    edge.is_not_null()
}

statement! {
    /// What is pending is counted by indexes; the rest is kept beside the person.
    Count(user: i64 as BigInt) -> (BigInt, BigInt, BigInt, BigInt) {
        "person AS (SELECT * FROM users WHERE id = $1)
        SELECT followers_count, following_count,
            (SELECT count(*) FROM follows WHERE followed_id = person.id AND status = 'pending'),
            (SELECT count(*) FROM follows WHERE follower_id = person.id AND status = 'pending')
        FROM person"
    }
}
