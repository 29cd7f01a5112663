//! Lists of followers, follow requests and blocks.

use diesel::dsl::{self, IntoBoxed};
use diesel::expression::{ValidGrouping, is_aggregate};
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::query_builder::{AstPass, QueryFragment, QueryId};
use diesel::query_source::{Alias, AliasedField};
use diesel::sql_types::BigInt;
use grateful_domain::{FollowState, Limit, PageRequest, UserId};

use super::not_hidden;
use super::paging::paginate;
use crate::rows::UserListItemRow;
use crate::schema::{follows, users};

// The listed rows, under an alias, because the viewer's own follows are in the same statement.
diesel::alias!(follows as edges: Edges);

/// A query for a list of users by follow state, newest first. Each item is a user, and whether the viewer follows that user.
/// The query starts with [`FollowQuery::visible_to`] and one of the five lists of [`FollowLists`].
///
/// Every list reads a range of an index in its order. Users with a block to or from the viewer are not listed, except in the
/// viewer's own list of blocks, and their lists are empty for the viewer.
///
/// ```
/// use grateful_domain::{Limit, PageRequest, UserId};
/// use grateful_storage::FollowQuery;
///
/// let (ana, ben) = (UserId::from(1), UserId::from(2));
///
/// let page = PageRequest::first(Limit::MAX);
/// let followers = FollowQuery::visible_to(ben).followers_of(ana).page(page).with_total(1_000);
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
    pub(crate) page: PageRequest,
    pub(crate) max_total: Option<u16>,
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
        let page = PageRequest::first(Limit::DEFAULT);
        FollowQuery { viewer: self.viewer, owner, side, state, page, max_total: None }
    }
}

impl FollowQuery {
    /// Starts a query for what this viewer can see.
    pub fn visible_to(viewer: UserId) -> FollowLists {
        FollowLists { viewer }
    }

    /// Sets the page. Default: the first 20 users.
    pub fn page(self, page: PageRequest) -> Self {
        Self { page, ..self }
    }

    /// Also counts the users of the list, but stops after `max`.
    pub fn with_total(self, max: u16) -> Self {
        Self { max_total: Some(max), ..self }
    }

    /// Selects the whole list, in its order.
    pub(crate) fn select_all(&self) -> IntoBoxed<'static, follow_list, Pg> {
        let viewer = i64::from(self.viewer);
        let mut select = follow_list(self.side.other(), viewer)
            .into_boxed()
            .filter(self.side.eq(i64::from(self.owner)))
            .filter(edges.field(follows::status).nullable().eq(self.state.code()));
        select = match self.state {
            // The viewer's list of blocks consists of users who are hidden.
            FollowState::Blocked => select.filter(users::deleted_at.is_null()),
            _ => select.filter(not_hidden(Some(viewer), users::id)),
        };
        if self.owner != self.viewer {
            let owner = i64::from(self.owner).into_sql::<BigInt>();
            select = select.filter(not_hidden(Some(viewer), owner));
        }
        select.order((edges.field(follows::created_at).desc(), edges.field(follows::id).desc()))
    }

    /// Selects a page, plus one user to know whether there is a next page.
    pub(crate) fn select(&self) -> IntoBoxed<'static, follow_list, Pg> {
        let (time, id) = (edges.field(follows::created_at), edges.field(follows::id));
        paginate(self.select_all(), self.page, time, id)
    }
}

/// A column of `follows` that holds a user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    Follower,
    Followed,
}

impl Side {
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
        out.push_identifier(match self {
            Self::Follower => "follower_id",
            Self::Followed => "followed_id",
        })
    }
}

/// Rows of a list: the follow, the user on the other side, and whether the viewer follows that user.
#[dsl::auto_type]
fn follow_list(other: Side, viewer: i64) -> _ {
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
