//! Lists of followers, follow requests and blocks.

use diesel::dsl::{self, IntoBoxed, not};
use diesel::expression::{ValidGrouping, is_aggregate};
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::query_builder::{AstPass, QueryFragment, QueryId};
use diesel::query_source::{Alias, AliasedField};
use diesel::sql_types::BigInt;
use grateful_domain::{CountMode, FollowState, Limit, PageRequest, Position, UserId, Viewer};

use super::paging::{Direction, PageSpec, paginate};
use super::sql::Sql;
use super::totals::TotalSql;
use super::{blocked_by, blockers_of};
use crate::rows::UserListItemRow;
use crate::schema::{follows, users};

// The listed rows, under an alias, because the viewer's own follows and blocks are in the same statement.
diesel::alias!(follows as edges: Edges);

/// A query for a list of users by follow state, newest first. Each item is a user, and whether the viewer follows that user.
/// The query starts with [`FollowQuery::visible_to`] and one of the five lists of [`FollowLists`].
///
/// Every list reads a range of an index in its order. Users with a block to or from the viewer are not listed, except in the
/// viewer's own list of blocks, and their lists are empty for the viewer.
///
/// ```
/// use grateful_domain::{CountMode, Limit, PageRequest, UserId};
/// use grateful_storage::FollowQuery;
///
/// let (ana, ben) = (UserId::from(1), UserId::from(2));
///
/// let page = PageRequest::first(Limit::MAX);
/// let followers = FollowQuery::visible_to(ben).followers_of(ana).page(page);
/// let with_total = followers.with_total(CountMode::Estimated);
/// let longest_waiting = FollowQuery::visible_to(ben).received_requests().oldest_first();
/// ```
#[derive(Debug, Clone)]
#[must_use]
pub struct FollowQuery {
    viewer: UserId,
    /// The user whose list it is.
    owner: UserId,
    /// The column of the owner. The listed users are in the other one.
    side: Side,
    state: FollowState,
    direction: Direction,
    page: PageSpec,
    count_mode: Option<CountMode>,
}

/// The follow lists that a viewer can query.
#[derive(Debug, Clone, Copy)]
#[must_use]
pub struct FollowLists {
    viewer: UserId,
}

impl FollowLists {
    /// The followers of this user.
    pub fn followers_of(self, user: UserId) -> FollowQuery {
        self.list(user, Side::Followed, FollowState::Active)
    }

    /// The users that this user follows.
    pub fn followed_by(self, user: UserId) -> FollowQuery {
        self.list(user, Side::Follower, FollowState::Active)
    }

    /// The users who requested to follow the viewer.
    pub fn received_requests(self) -> FollowQuery {
        self.list(self.viewer, Side::Followed, FollowState::Pending)
    }

    /// The users that the viewer requested to follow.
    pub fn sent_requests(self) -> FollowQuery {
        self.list(self.viewer, Side::Follower, FollowState::Pending)
    }

    /// The users that the viewer blocked.
    pub fn blocks(self) -> FollowQuery {
        self.list(self.viewer, Side::Followed, FollowState::Blocked)
    }

    fn list(self, owner: UserId, side: Side, state: FollowState) -> FollowQuery {
        let (direction, page) = (Direction::Descending, PageSpec::FIRST);
        FollowQuery { viewer: self.viewer, owner, side, state, direction, page, count_mode: None }
    }
}

impl FollowQuery {
    /// Starts a query for what this viewer can see.
    pub fn visible_to(viewer: UserId) -> FollowLists {
        FollowLists { viewer }
    }

    /// Sorts oldest first instead of newest first.
    pub fn oldest_first(self) -> Self {
        Self { direction: Direction::Ascending, ..self }
    }

    /// Sets the maximum number of users. Default: 20.
    pub fn limit(self, limit: Limit) -> Self {
        Self { page: self.page.with_limit(limit), ..self }
    }

    /// Starts after this position.
    pub fn after(self, position: Position) -> Self {
        Self { page: self.page.after(position), ..self }
    }

    /// Sets the page. Default: the first 20 users.
    pub fn page(self, page: PageRequest) -> Self {
        Self { page: page.into(), ..self }
    }

    /// Also returns the total number of users in the list. The number of followers and followed users is stored, so an
    /// estimate is available for these; for requests and blocks it is not.
    pub fn with_total(self, count_mode: CountMode) -> Self {
        Self { count_mode: Some(count_mode), ..self }
    }

    pub(crate) fn page_limit(&self) -> Limit {
        self.page.limit
    }

    /// Selects a page, plus one user to know whether there is a next page.
    pub(crate) fn select(&self) -> IntoBoxed<'static, follow_list, Pg> {
        let mut select = self
            .base_query()
            .filter(self.side.eq(i64::from(self.owner)))
            .filter(edges.field(follows::status).nullable().eq(self.state.code()));
        if self.state != FollowState::Blocked {
            // The viewer's list of blocks consists of blocked users.
            select = self.without_blocks(select);
        }
        if self.owner != self.viewer {
            select = select.filter(self.owner_is_visible());
        }
        let select = match self.direction {
            Direction::Descending => select
                .order((edges.field(follows::created_at).desc(), edges.field(follows::id).desc())),
            Direction::Ascending => select
                .order((edges.field(follows::created_at).asc(), edges.field(follows::id).asc())),
        };
        paginate(select, &self.page, &["edges.created_at", "edges.id"], self.direction)
    }

    /// The query for the total, if one is requested and available.
    pub(crate) fn total(&self) -> Option<TotalSql> {
        match (self.count_mode?, self.state) {
            (CountMode::UpTo(max), _) => Some(TotalSql::capped(max, self.count_query())),
            (CountMode::Estimated, FollowState::Active) => {
                Some(TotalSql::exact(self.stored_count()))
            }
            (CountMode::Estimated, _) => None,
        }
    }

    /// Selects the rows of the list, in the order of an index.
    fn count_query(&self) -> Sql {
        let rows =
            Sql::new(format!("SELECT FROM follows AS edges WHERE edges.{} = ", self.side.column()))
                .value(self.owner)
                .sql(format!(" AND edges.status = '{}'", self.state.code().unwrap_or_default()));
        let other = Sql::new(format!("edges.{}", self.side.other().column()));
        let viewer = Viewer::User(self.viewer);
        let rows = match self.state {
            FollowState::Blocked => rows,
            _ => rows.sql(" AND ").append(Sql::not_blocked(viewer, other)),
        };
        let rows = if self.owner == self.viewer {
            rows
        } else {
            rows.sql(" AND ").append(self.owner_is_visible())
        };
        rows.sql(" ORDER BY edges.created_at DESC, edges.id DESC")
    }

    /// The stored counter of the owner, minus the listed users with a block to or from the viewer, each looked up by index.
    fn stored_count(&self) -> Sql {
        let (this, other) = (self.side.column(), self.side.other().column());
        let number = match self.side {
            Side::Followed => "followers_count",
            Side::Follower => "following_count",
        };
        Sql::new(format!(
            "SELECT coalesce((SELECT {number} - (SELECT count(*) FROM \
             (SELECT followed_id AS id FROM follows WHERE status = 'blocked' AND follower_id = "
        ))
        .value(self.viewer)
        .sql(" UNION SELECT follower_id FROM follows WHERE status = 'blocked' AND followed_id = ")
        .value(self.viewer)
        .sql(format!(
            " UNION SELECT id FROM users WHERE deleted_at IS NOT NULL\
             ) AS away, LATERAL (SELECT FROM follows WHERE {other} = away.id AND {this} = users.id \
             AND status = 'active' LIMIT 1) AS hidden) FROM users WHERE id = "
        ))
        .value(self.owner)
        .sql(" AND ")
        .append(self.owner_is_visible())
        .sql("), 0)")
    }

    /// The condition that there is no block between the viewer and the owner.
    fn owner_is_visible(&self) -> Sql {
        Sql::not_blocked(Viewer::User(self.viewer), Sql::default().value(self.owner))
    }

    fn base_query(&self) -> IntoBoxed<'static, follow_list, Pg> {
        follow_list(self.side.other(), self.viewer.into())
            .filter(users::deleted_at.is_null())
            .into_boxed()
    }

    fn without_blocks(
        &self,
        select: IntoBoxed<'static, follow_list, Pg>,
    ) -> IntoBoxed<'static, follow_list, Pg> {
        let viewer = i64::from(self.viewer);
        select
            .filter(not(users::id.eq_any(blockers_of(viewer))))
            .filter(not(users::id.eq_any(blocked_by(viewer))))
    }
}

/// A column of `follows` that holds a user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    Follower,
    Followed,
}

impl Side {
    const fn column(self) -> &'static str {
        match self {
            Self::Follower => "follower_id",
            Self::Followed => "followed_id",
        }
    }

    const fn other(self) -> Self {
        match self {
            Self::Follower => Self::Followed,
            Self::Followed => Self::Follower,
        }
    }
}

impl Expression for Side {
    type SqlType = BigInt;
}

impl<Table> AppearsOnTable<Table> for Side {}

impl<Table> SelectableExpression<Table> for Side {}

impl<Grouped> ValidGrouping<Grouped> for Side {
    type IsAggregate = is_aggregate::No;
}

/// The SQL depends on the value, so the type does not identify a statement.
impl QueryId for Side {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl QueryFragment<Pg> for Side {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_identifier("edges")?;
        out.push_sql(".");
        out.push_identifier(self.column())
    }
}

/// Rows of a list: the follow, the user on the other side, and whether the viewer follows that user.
#[dsl::auto_type]
pub(crate) fn follow_list(other: Side, viewer: i64) -> _ {
    let all: Alias<Edges> = edges;
    let id: AliasedField<Edges, follows::id> = edges.field(follows::id);
    let created_at: AliasedField<Edges, follows::created_at> = edges.field(follows::created_at);
    let user: <UserListItemRow as Selectable<Pg>>::SelectExpression =
        <UserListItemRow as Selectable<Pg>>::construct_selection();
    let is_followed: is_followed_by = is_followed_by(viewer);
    let is_other: dsl::Eq<users::id, Side> = users::id.eq(other);
    all.inner_join(users::table.on(is_other)).select(((id, created_at), user, is_followed))
}

/// Whether the viewer follows the listed user, as a lookup per row. With `EXISTS`, PostgreSQL would read all users that the
/// viewer follows.
#[dsl::auto_type]
fn is_followed_by(viewer: i64) -> _ {
    let follow = follows::table
        .filter(follows::follower_id.eq(viewer))
        .filter(follows::followed_id.eq(users::id))
        .filter(follows::status.eq("active"))
        .select(follows::id)
        .single_value();
    follow.is_not_null()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::query::totals::WithTotal;

    #[test]
    fn a_list_of_followers_selects_the_follower_of_each_row() {
        insta::assert_snapshot!(list_sql(&visible_to_ben().followers_of(ana())), @r"
         INNER JOIN users ON (users.id = edges.follower_id))
        WHERE ((((((users.deleted_at IS NULL)
        AND (edges.followed_id = $4))
        AND (edges.status = $5))
        AND NOT ((users.id = ANY(SELECT follows.followed_id FROM follows
        WHERE ((follows.follower_id = $6)
        AND (follows.status = $7))))))
        AND NOT ((users.id = ANY(SELECT follows.follower_id FROM follows
        WHERE ((follows.followed_id = $8)
        AND (follows.status = $9))))))
        AND (NOT ($10 = ANY (SELECT id FROM users
        WHERE deleted_at IS NOT NULL))
        AND NOT ($11 = ANY (SELECT followed_id FROM follows
        WHERE status = 'blocked'
        AND follower_id = $12))
        AND NOT ($13 = ANY (SELECT follower_id FROM follows
        WHERE status = 'blocked'
        AND followed_id = $14))))
        ORDER BY edges.created_at DESC, edges.id DESC
        LIMIT $15
        -- binds: [2, active, 1, 1, Some(active), 2, blocked, 2, blocked, 1, 1, 2, 1, 2, 21]
        ");
    }

    #[test]
    fn own_requests_are_listed_without_a_block_check_of_the_owner() {
        insta::assert_snapshot!(list_sql(&visible_to_ben().sent_requests()), @r"
         INNER JOIN users ON (users.id = edges.followed_id))
        WHERE (((((users.deleted_at IS NULL)
        AND (edges.follower_id = $4))
        AND (edges.status = $5))
        AND NOT ((users.id = ANY(SELECT follows.followed_id FROM follows
        WHERE ((follows.follower_id = $6)
        AND (follows.status = $7))))))
        AND NOT ((users.id = ANY(SELECT follows.follower_id FROM follows
        WHERE ((follows.followed_id = $8)
        AND (follows.status = $9))))))
        ORDER BY edges.created_at DESC, edges.id DESC
        LIMIT $10
        -- binds: [2, active, 1, 2, Some(pending), 2, blocked, 2, blocked, 21]
        ");
    }

    #[test]
    fn blocked_users_are_in_the_list_of_blocks() {
        insta::assert_snapshot!(list_sql(&visible_to_ben().blocks().oldest_first()), @r"
         INNER JOIN users ON (users.id = edges.follower_id))
        WHERE (((users.deleted_at IS NULL)
        AND (edges.followed_id = $4))
        AND (edges.status = $5))
        ORDER BY edges.created_at ASC, edges.id ASC
        LIMIT $6
        -- binds: [2, active, 1, 2, Some(blocked), 21]
        ");
    }

    #[test]
    fn blocked_users_are_subtracted_from_the_stored_count() {
        insta::assert_snapshot!(total_of(&visible_to_ben().followers_of(ana()).with_total(CountMode::Estimated)), @r"
        SELECT total.number, part.* FROM (SELECT (SELECT coalesce((SELECT followers_count - (SELECT count(*) FROM (SELECT followed_id AS id FROM follows
        WHERE status = 'blocked'
        AND follower_id = $1 UNION SELECT follower_id FROM follows
        WHERE status = 'blocked'
        AND followed_id = $2 UNION SELECT id FROM users
        WHERE deleted_at IS NOT NULL) AS away,
        LATERAL (SELECT FROM follows
        WHERE follower_id = away.id
        AND followed_id = users.id
        AND status = 'active'
        LIMIT 1) AS hidden) FROM users
        WHERE id = $3
        AND (NOT ($4 = ANY (SELECT id FROM users
        WHERE deleted_at IS NOT NULL))
        AND NOT ($5 = ANY (SELECT followed_id FROM follows
        WHERE status = 'blocked'
        AND follower_id = $6))
        AND NOT ($7 = ANY (SELECT follower_id FROM follows
        WHERE status = 'blocked'
        AND followed_id = $8)))), 0))::bigint) AS total (number)
        LEFT JOIN (
        ");
    }

    #[test]
    fn a_count_is_capped() {
        insta::assert_snapshot!(total_of(&visible_to_ben().received_requests().with_total(CountMode::UpTo(99))), @r"
        SELECT total.number, part.* FROM (SELECT (SELECT count(*) FROM (SELECT FROM follows AS edges
        WHERE edges.followed_id = $1
        AND edges.status = 'pending'
        AND (NOT (edges.follower_id = ANY (SELECT id FROM users
        WHERE deleted_at IS NOT NULL))
        AND NOT (edges.follower_id = ANY (SELECT followed_id FROM follows
        WHERE status = 'blocked'
        AND follower_id = $2))
        AND NOT (edges.follower_id = ANY (SELECT follower_id FROM follows
        WHERE status = 'blocked'
        AND followed_id = $3)))
        ORDER BY edges.created_at DESC, edges.id DESC
        LIMIT 100) AS counted)::bigint) AS total (number)
        LEFT JOIN (
        ");
    }

    #[test]
    fn requests_and_blocks_have_no_stored_count() {
        for query in [
            visible_to_ben().received_requests(),
            visible_to_ben().sent_requests(),
            visible_to_ben().blocks(),
        ] {
            assert!(query.with_total(CountMode::Estimated).total().is_none());
        }
    }

    fn visible_to_ben() -> FollowLists {
        FollowQuery::visible_to(UserId::from(2))
    }

    fn ana() -> UserId {
        UserId::from(1)
    }

    fn list_sql(query: &FollowQuery) -> String {
        let sql = sql_of(&query.select());
        let (_, sql) = sql.split_once(" FROM (follows AS edges").unwrap();
        lines(sql)
    }

    fn total_of(query: &FollowQuery) -> String {
        let sql = sql_of(&WithTotal::new(query.select(), query.total().unwrap()));
        let (total, _) = sql.split_once("SELECT edges.id, edges.created_at").unwrap();
        lines(total)
    }

    fn lines(sql: &str) -> String {
        let mut sql = sql.to_owned();
        for keyword in ["WHERE", "AND", "ORDER BY", "LIMIT", "--", "LEFT JOIN", "LATERAL"] {
            sql = sql.replace(&format!(" {keyword} "), &format!("\n{keyword} "));
        }
        sql
    }

    fn sql_of(query: &impl QueryFragment<Pg>) -> String {
        diesel::debug_query::<Pg, _>(query).to_string().replace('"', "").replace("  ", " ")
    }
}
