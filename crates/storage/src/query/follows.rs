//! Which follows, requests or blocks, in one statement.

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
use super::top_per_list::{ListOrder, top_per_list};
use super::totals::TotalSql;
use super::{blocked_by, blockers_of};
use crate::rows::UserListItemRow;
use crate::schema::{follows, users};

// What is listed, beside the follows and blocks of whoever looks.
diesel::alias!(follows as edges: Edges);

/// Which edges between people somebody asks for: each list is of the people at their other ends, newest first, with whether
/// the viewer follows them. It can only be started with [`FollowQuery::visible_to`], and with one of five lists.
///
/// Each reads a range of an index in its order. Nobody across a block from the viewer is listed, but in the viewer's own list
/// of blocks, and they have no lists for the viewer.
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
/// let waiting_longest = FollowQuery::visible_to(ben).received_requests().oldest_first();
/// ```
#[derive(Debug, Clone)]
#[must_use]
pub struct FollowQuery {
    viewer: UserId,
    /// Whose list it is.
    owner: UserId,
    /// At which end of the edges they are.
    side: Side,
    edge: FollowState,
    order: Direction,
    page: PageSpec,
    count_mode: Option<CountMode>,
}

/// Whoever looks at lists of people, before they have said at which.
#[derive(Debug, Clone, Copy)]
#[must_use]
pub struct FollowLists {
    viewer: UserId,
}

impl FollowLists {
    /// Who follows this person.
    pub fn followers_of(self, person: UserId) -> FollowQuery {
        self.list(person, Side::Followed, FollowState::Active)
    }

    /// Whom this person follows.
    pub fn followed_by(self, person: UserId) -> FollowQuery {
        self.list(person, Side::Follower, FollowState::Active)
    }

    /// Who has asked to follow the viewer.
    pub fn received_requests(self) -> FollowQuery {
        self.list(self.viewer, Side::Followed, FollowState::Pending)
    }

    /// Whom the viewer has asked.
    pub fn sent_requests(self) -> FollowQuery {
        self.list(self.viewer, Side::Follower, FollowState::Pending)
    }

    /// Whom the viewer has blocked.
    pub fn blocks(self) -> FollowQuery {
        self.list(self.viewer, Side::Followed, FollowState::Blocked)
    }

    fn list(self, owner: UserId, side: Side, edge: FollowState) -> FollowQuery {
        let (order, page) = (Direction::Descending, PageSpec::FIRST);
        FollowQuery { viewer: self.viewer, owner, side, edge, order, page, count_mode: None }
    }
}

impl FollowQuery {
    /// Lists of people as this person sees them.
    pub fn visible_to(viewer: UserId) -> FollowLists {
        FollowLists { viewer }
    }

    /// The other way round: those first who have been there longest.
    pub fn oldest_first(self) -> Self {
        Self { order: Direction::Ascending, ..self }
    }

    /// Only so many people; without it, 20.
    pub fn limit(self, limit: Limit) -> Self {
        Self { page: self.page.with_limit(limit), ..self }
    }

    /// Only those behind this place.
    pub fn after(self, place: Position) -> Self {
        Self { page: self.page.after(place), ..self }
    }

    /// Only this part of the list. Without it, the first 20.
    pub fn page(self, page: PageRequest) -> Self {
        Self { page: page.into(), ..self }
    }

    /// How many people all parts together have is told, too. Of followers and of those who are followed, a number is kept;
    /// of what is pending, and of blocks, none is.
    pub fn with_total(self, count_mode: CountMode) -> Self {
        Self { count_mode: Some(count_mode), ..self }
    }

    pub(crate) fn page_limit(&self) -> Limit {
        self.page.limit
    }

    /// The statement, for one person more than asked for, which tells whether the list goes on.
    pub(crate) fn select(&self) -> IntoBoxed<'static, follow_list, Pg> {
        let mut select = self
            .base_query()
            .filter(self.side.eq(i64::from(self.owner)))
            .filter(edges.field(follows::status).nullable().eq(self.edge.code()));
        if self.edge != FollowState::Blocked {
            // One's own blocks are what is asked for.
            select = self.without_blocks(select);
        }
        if self.owner != self.viewer {
            select = select.filter(self.owner_is_visible());
        }
        let select = match self.order {
            Direction::Descending => select
                .order((edges.field(follows::created_at).desc(), edges.field(follows::id).desc())),
            Direction::Ascending => select
                .order((edges.field(follows::created_at).asc(), edges.field(follows::id).asc())),
        };
        paginate(select, &self.page, &["edges.created_at", "edges.id"], self.order)
    }

    /// The statement for the first people in the list of each of these people by themselves, together.
    ///
    /// Reads so many edges of each, and those before them of people across a block.
    pub(crate) fn select_per_user(&self, people: &[UserId]) -> IntoBoxed<'static, follow_list, Pg> {
        let people: Vec<i64> = people.iter().copied().map(i64::from).collect();
        let viewer = Viewer::User(self.viewer);
        let lists = Sql::new("SELECT DISTINCT id FROM unnest(")
            .value(people)
            .sql(") AS these (id) WHERE ")
            .append(Sql::not_blocked(viewer, Sql::new("id")));
        let (this, other) = (self.side.column(), self.side.other().column());
        let edges_of = |person: &str| {
            Sql::new("SELECT it.id, it.created_at, ")
                .append(Sql::not_blocked(viewer, Sql::new(format!("it.{other}"))))
                .sql(format!(
                    " AS seen FROM follows AS it WHERE it.{this} = {person} AND it.status = 'active'"
                ))
        };
        let firsts = top_per_list(lists, edges_of, ListOrder::NewestFirst, self.page.limit);
        let firsts = Sql::new("edges.id = ANY (ARRAY(").append(firsts).sql("))");
        self.base_query()
            .filter(firsts)
            .order((edges.field(follows::created_at).desc(), edges.field(follows::id).desc()))
    }

    /// What counts the whole list, as far as it is asked for and can be known.
    pub(crate) fn total(&self) -> Option<TotalSql> {
        match (self.count_mode?, self.edge) {
            (CountMode::UpTo(most), _) => Some(TotalSql::capped(most, self.count_query())),
            (CountMode::Estimated, FollowState::Active) => {
                Some(TotalSql::exact(self.stored_count()))
            }
            (CountMode::Estimated, _) => None,
        }
    }

    /// All edges of the list, as an index leads to them.
    fn count_query(&self) -> Sql {
        let all =
            Sql::new(format!("SELECT FROM follows AS edges WHERE edges.{} = ", self.side.column()))
                .value(self.owner)
                .sql(format!(" AND edges.status = '{}'", self.edge.code().unwrap_or_default()));
        let other = Sql::new(format!("edges.{}", self.side.other().column()));
        let viewer = Viewer::User(self.viewer);
        let all = match self.edge {
            FollowState::Blocked => all,
            _ => all.sql(" AND ").append(Sql::not_blocked(viewer, other)),
        };
        let all = if self.owner == self.viewer {
            all
        } else {
            all.sql(" AND ").append(self.owner_is_visible())
        };
        all.sql(" ORDER BY edges.created_at DESC, edges.id DESC")
    }

    /// The number beside the person, but for those across a block, who are looked up one by one.
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
            ") AS away, LATERAL (SELECT FROM follows WHERE {other} = away.id AND {this} = users.id \
             AND status = 'active' LIMIT 1) AS hidden) FROM users WHERE id = "
        ))
        .value(self.owner)
        .sql(" AND ")
        .append(self.owner_is_visible())
        .sql("), 0)")
    }

    /// Whether the list's owner exists for the viewer.
    fn owner_is_visible(&self) -> Sql {
        Sql::not_blocked(Viewer::User(self.viewer), Sql::default().value(self.owner))
    }

    fn base_query(&self) -> IntoBoxed<'static, follow_list, Pg> {
        follow_list(self.side, self.side.other(), self.viewer.into()).into_boxed()
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

/// An end of the edges that are listed.
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

/// Its text depends on which end it is, so its type does not tell one statement from another.
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

/// Each edge with who is at its other end, and whose it is.
#[dsl::auto_type]
pub(crate) fn follow_list(this: Side, other: Side, viewer: i64) -> _ {
    let all: Alias<Edges> = edges;
    let id: AliasedField<Edges, follows::id> = edges.field(follows::id);
    let created_at: AliasedField<Edges, follows::created_at> = edges.field(follows::created_at);
    let person: <UserListItemRow as Selectable<Pg>>::SelectExpression =
        <UserListItemRow as Selectable<Pg>>::construct_selection();
    let is_followed: is_followed_by = is_followed_by(viewer);
    let is_other: dsl::Eq<users::id, Side> = users::id.eq(other);
    all.inner_join(users::table.on(is_other)).select(((id, created_at), person, is_followed, this))
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::query::totals::WithTotal;

    #[test]
    fn followers_are_those_at_the_other_end_of_edges_to_somebody() {
        insta::assert_snapshot!(listed_by(&seen_by_ben().followers_of(ana())), @r"
         INNER JOIN users ON (users.id = edges.follower_id))
        WHERE (((((edges.followed_id = $4)
        AND (edges.status = $5))
        AND NOT ((users.id = ANY(SELECT follows.followed_id FROM follows
        WHERE ((follows.follower_id = $6)
        AND (follows.status = $7))))))
        AND NOT ((users.id = ANY(SELECT follows.follower_id FROM follows
        WHERE ((follows.followed_id = $8)
        AND (follows.status = $9))))))
        AND (NOT ($10 = ANY (SELECT followed_id FROM follows
        WHERE status = 'blocked'
        AND follower_id = $11))
        AND NOT ($12 = ANY (SELECT follower_id FROM follows
        WHERE status = 'blocked'
        AND followed_id = $13))))
        ORDER BY edges.created_at DESC, edges.id DESC
        LIMIT $14
        -- binds: [2, active, 1, 1, Some(active), 2, blocked, 2, blocked, 1, 2, 1, 2, 21]
        ");
    }

    #[test]
    fn the_others_are_lists_of_ones_own_and_ask_for_no_block_of_it() {
        insta::assert_snapshot!(listed_by(&seen_by_ben().sent_requests()), @r"
         INNER JOIN users ON (users.id = edges.followed_id))
        WHERE ((((edges.follower_id = $4)
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
    fn blocks_are_listed_though_they_are_blocks() {
        insta::assert_snapshot!(listed_by(&seen_by_ben().blocks().oldest_first()), @r"
         INNER JOIN users ON (users.id = edges.follower_id))
        WHERE ((edges.followed_id = $4)
        AND (edges.status = $5))
        ORDER BY edges.created_at ASC, edges.id ASC
        LIMIT $6
        -- binds: [2, active, 1, 2, Some(blocked), 21]
        ");
    }

    #[test]
    fn whom_one_does_not_see_is_taken_off_the_number_that_is_kept() {
        insta::assert_snapshot!(total_of(&seen_by_ben().followers_of(ana()).with_total(CountMode::Estimated)), @r"
        SELECT total.number, part.* FROM (SELECT (SELECT coalesce((SELECT followers_count - (SELECT count(*) FROM (SELECT followed_id AS id FROM follows
        WHERE status = 'blocked'
        AND follower_id = $1 UNION SELECT follower_id FROM follows
        WHERE status = 'blocked'
        AND followed_id = $2) AS away,
        LATERAL (SELECT FROM follows
        WHERE follower_id = away.id
        AND followed_id = users.id
        AND status = 'active'
        LIMIT 1) AS hidden) FROM users
        WHERE id = $3
        AND (NOT ($4 = ANY (SELECT followed_id FROM follows
        WHERE status = 'blocked'
        AND follower_id = $5))
        AND NOT ($6 = ANY (SELECT follower_id FROM follows
        WHERE status = 'blocked'
        AND followed_id = $7)))), 0))::bigint) AS total (number)
        LEFT JOIN (
        ");
    }

    #[test]
    fn a_count_goes_no_further_than_asked() {
        insta::assert_snapshot!(total_of(&seen_by_ben().received_requests().with_total(CountMode::UpTo(99))), @r"
        SELECT total.number, part.* FROM (SELECT (SELECT count(*) FROM (SELECT FROM follows AS edges
        WHERE edges.followed_id = $1
        AND edges.status = 'pending'
        AND (NOT (edges.follower_id = ANY (SELECT followed_id FROM follows
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
    fn of_what_is_not_decided_no_number_is_kept() {
        for query in [
            seen_by_ben().received_requests(),
            seen_by_ben().sent_requests(),
            seen_by_ben().blocks(),
        ] {
            assert!(query.with_total(CountMode::Estimated).total().is_none());
        }
    }

    #[test]
    fn lists_of_many_are_read_one_by_one() {
        let query = seen_by_ben().followers_of(ana()).limit(Limit::DEFAULT);
        insta::assert_snapshot!(laid_out(&query.select_per_user(&[ana()])), @r"
         INNER JOIN users ON (users.id = edges.follower_id))
        WHERE edges.id = ANY (ARRAY(WITH RECURSIVE list AS MATERIALIZED (SELECT DISTINCT id FROM unnest($4) AS these (id)
        WHERE (NOT (id = ANY (SELECT followed_id FROM follows
        WHERE status = 'blocked'
        AND follower_id = $5))
        AND NOT (id = ANY (SELECT follower_id FROM follows
        WHERE status = 'blocked'
        AND followed_id = $6)))), walk AS (SELECT list.id AS list, entry.id, entry.created_at, entry.seen, entry.seen::integer AS place FROM list,
        LATERAL (SELECT it.id, it.created_at, (NOT (it.follower_id = ANY (SELECT followed_id FROM follows
        WHERE status = 'blocked'
        AND follower_id = $7))
        AND NOT (it.follower_id = ANY (SELECT follower_id FROM follows
        WHERE status = 'blocked'
        AND followed_id = $8))) AS seen FROM follows AS it
        WHERE it.followed_id = list.id
        AND it.status = 'active'
        ORDER BY it.created_at DESC, it.id DESC
        LIMIT 1) AS entry UNION ALL SELECT walk.list, entry.id, entry.created_at, entry.seen, walk.place + entry.seen::integer FROM walk,
        LATERAL (SELECT it.id, it.created_at, (NOT (it.follower_id = ANY (SELECT followed_id FROM follows
        WHERE status = 'blocked'
        AND follower_id = $9))
        AND NOT (it.follower_id = ANY (SELECT follower_id FROM follows
        WHERE status = 'blocked'
        AND followed_id = $10))) AS seen FROM follows AS it
        WHERE it.followed_id = walk.list
        AND it.status = 'active'
        AND ROW(it.created_at, it.id) < ROW(walk.created_at, walk.id)
        ORDER BY it.created_at DESC, it.id DESC
        LIMIT 1) AS entry
        WHERE walk.place < $11) SELECT id FROM walk
        WHERE seen))
        ORDER BY edges.created_at DESC, edges.id DESC
        -- binds: [2, active, 1, [1], 2, 2, 2, 2, 2, 2, 20]
        ");
    }

    fn seen_by_ben() -> FollowLists {
        FollowQuery::visible_to(UserId::from(2))
    }

    fn ana() -> UserId {
        UserId::from(1)
    }

    fn listed_by(query: &FollowQuery) -> String {
        laid_out(&query.select())
    }

    fn laid_out(query: &impl QueryFragment<Pg>) -> String {
        let sql = sql_of(query);
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
        for page in ["WHERE", "AND", "ORDER BY", "LIMIT", "--", "LEFT JOIN", "LATERAL"] {
            sql = sql.replace(&format!(" {part} "), &format!("\n{part} "));
        }
        sql
    }

    fn sql_of(query: &impl QueryFragment<Pg>) -> String {
        diesel::debug_query::<Pg, _>(query).to_string().replace('"', "").replace("  ", " ")
    }
}
