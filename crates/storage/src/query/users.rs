//! Lists of users.

use std::fmt::Debug;
use std::marker::PhantomData;

use diesel::dsl::{IntoBoxed, not};
use diesel::pg::Pg;
use diesel::prelude::*;
use grateful_domain::{
    City, CountMode, Limit, PageRequest, UserId, UserListItem, Username, Viewer,
};

use super::paging::{Direction, KeysetPosition, PageSpec, paginate};
use super::totals::TotalSql;
use super::{blocked_by, blockers_of, lower};
use crate::rows::UserListItemRow;
use crate::schema::users;

/// A query for a list of users: which users (`W`), and in which order (`O`). It starts with [`UserQuery::visible_to`], so
/// users with a block to or from the viewer are never listed.
///
/// Only queries compile that read an index in its order. On the way, a query reads and discards only users with a block to
/// or from the viewer. To find users by name, use [`Users::search`](crate::Users::search); to list follows, use
/// [`FollowQuery`](crate::FollowQuery).
///
/// ```
/// use grateful_domain::{CountMode, UserId, Viewer};
/// use grateful_storage::UserQuery;
///
/// let (ana, ben) = (UserId::from(1), UserId::from(2));
///
/// let newest = UserQuery::visible_to(Viewer::User(ben)).with_total(CountMode::Estimated);
/// let directory = UserQuery::visible_to(Viewer::Guest).by_username();
/// let some = UserQuery::visible_to(Viewer::User(ben)).with_ids(&[ana, ben]);
/// ```
#[derive(Debug, Clone)]
#[must_use]
pub struct UserQuery<W = AllUsers, O = NewestMembersFirst> {
    viewer: Viewer,
    ids: Option<Vec<i64>>,
    city: Option<City>,
    sort_key: SortKey,
    page: PageSpec,
    count_mode: Option<CountMode>,
    marker: PhantomData<(W, O)>,
}

/// All users.
#[derive(Debug, Clone, Copy)]
pub struct AllUsers;

/// Users with given ids.
#[derive(Debug, Clone, Copy)]
pub struct SelectedUsers;

/// Users in a city.
#[derive(Debug, Clone, Copy)]
pub struct InCity;

/// Newest members first.
#[derive(Debug, Clone, Copy)]
pub struct NewestMembersFirst;

/// By username, case-insensitive.
#[derive(Debug, Clone, Copy)]
pub struct ByUsername;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum SortKey {
    JoinedAt,
    Username,
}

/// The order of a list of users.
pub trait UserOrder: sealed::Sealed {
    /// The position of a user in this order.
    type Position: Debug + Clone;

    #[doc(hidden)]
    fn position(user: &UserListItem) -> Self::Position;
}

impl UserOrder for NewestMembersFirst {
    type Position = UserId;

    fn position(user: &UserListItem) -> UserId {
        user.author.id
    }
}

impl UserOrder for ByUsername {
    type Position = Username;

    fn position(user: &UserListItem) -> Username {
        user.author.username.clone()
    }
}

mod sealed {
    /// Keeps [`UserOrder`](super::UserOrder) from being implemented elsewhere.
    pub trait Sealed {}
    impl Sealed for super::NewestMembersFirst {}
    impl Sealed for super::ByUsername {}
}

impl UserQuery {
    /// All users that `viewer` can see, including the viewer, newest members first.
    pub fn visible_to(viewer: Viewer) -> Self {
        Self {
            viewer,
            ids: None,
            city: None,
            sort_key: SortKey::JoinedAt,
            page: PageSpec::FIRST,
            count_mode: None,
            marker: PhantomData,
        }
    }

    /// Restricts the list to these users.
    pub fn with_ids(self, users: &[UserId]) -> UserQuery<SelectedUsers> {
        let ids = Some(users.iter().copied().map(i64::from).collect());
        Self { ids, ..self }.cast()
    }

    /// Restricts the list to users whose profile has this city, compared byte by byte.
    pub fn in_city(self, city: City) -> UserQuery<InCity> {
        Self { city: Some(city), ..self }.cast()
    }

    /// Sorts by username, case-insensitive.
    pub fn by_username(self) -> UserQuery<AllUsers, ByUsername> {
        Self { sort_key: SortKey::Username, ..self }.cast()
    }
}

impl UserQuery<SelectedUsers> {
    /// Sorts by username, case-insensitive.
    pub fn by_username(self) -> UserQuery<SelectedUsers, ByUsername> {
        Self { sort_key: SortKey::Username, ..self }.cast()
    }
}

impl<W> UserQuery<W, NewestMembersFirst> {
    /// Sets the page. Default: the first 20 users.
    pub fn page(self, page: PageRequest<UserId>) -> Self {
        Self { page: page.into(), ..self }
    }

    /// Starts after this position.
    pub fn after(self, position: UserId) -> Self {
        self.starting_after(position)
    }
}

impl<W> UserQuery<W, ByUsername> {
    /// Sets the page. Default: the first 20 users.
    pub fn page(self, page: PageRequest<Username>) -> Self {
        Self { page: page.into(), ..self }
    }

    /// Starts after this position.
    pub fn after(self, position: Username) -> Self {
        self.starting_after(position)
    }
}

impl<W, O> UserQuery<W, O> {
    /// Sets the maximum number of users. Default: 20.
    pub fn limit(self, limit: Limit) -> Self {
        Self { page: self.page.with_limit(limit), ..self }
    }

    /// Also returns the total number of users in the list. An estimate is available only for all users; it includes users
    /// with a block to or from the viewer.
    pub fn with_total(self, count_mode: CountMode) -> Self {
        Self { count_mode: Some(count_mode), ..self }
    }

    pub(crate) fn page_limit(&self) -> Limit {
        self.page.limit
    }

    /// The users that match the filters, in no particular order.
    pub(crate) fn filtered_users(&self) -> users::BoxedQuery<'static, Pg> {
        let mut query = users::table.filter(users::deleted_at.is_null()).into_boxed();
        if let Some(viewer) = self.viewer.user().map(i64::from) {
            query = query
                .filter(not(users::id.eq_any(blockers_of(viewer))))
                .filter(not(users::id.eq_any(blocked_by(viewer))));
        }
        if let Some(ids) = &self.ids {
            query = query.filter(users::id.eq_any(ids.clone()));
        }
        if let Some(city) = &self.city {
            query = query.filter(users::city.eq(city.as_str().to_owned()));
        }
        query
    }

    /// Selects a page, plus one user to know whether there is a next page.
    pub(crate) fn select(&self) -> IntoBoxed<'static, SelectedRows, Pg> {
        let query =
            self.ordered().select(<UserListItemRow as Selectable<Pg>>::construct_selection());
        match self.sort_key {
            SortKey::JoinedAt => paginate(query, &self.page, &["users.id"], Direction::Descending),
            SortKey::Username => {
                paginate(query, &self.page, &["lower(users.username)"], Direction::Ascending)
            }
        }
    }

    /// The query for the total, if one is requested and available.
    pub(crate) fn total(&self) -> Option<TotalSql> {
        match self.count_mode? {
            // The order makes the planner use the same index as for the page.
            CountMode::UpTo(max) => Some(TotalSql::capped(max, self.ordered().select(users::id))),
            CountMode::Estimated if self.ids.is_some() || self.city.is_some() => None,
            CountMode::Estimated => Some(TotalSql::estimate_from_index("users_pkey")),
        }
    }

    fn ordered(&self) -> users::BoxedQuery<'static, Pg> {
        match self.sort_key {
            SortKey::JoinedAt => self.filtered_users().order(users::id.desc()),
            SortKey::Username => self.filtered_users().order(lower(users::username).asc()),
        }
    }

    fn starting_after(self, position: impl KeysetPosition) -> Self {
        Self { page: self.page.after(position), ..self }
    }

    fn cast<V, P>(self) -> UserQuery<V, P> {
        let Self { viewer, ids, city, sort_key, page, count_mode, marker: _ } = self;
        UserQuery { viewer, ids, city, sort_key, page, count_mode, marker: PhantomData }
    }
}

type SelectedRows =
    diesel::dsl::Select<users::table, <UserListItemRow as Selectable<Pg>>::SelectExpression>;

#[cfg(test)]
mod tests {
    use diesel::query_builder::QueryFragment;

    use super::*;
    use crate::query::totals::WithTotal;

    #[test]
    fn newest_members_come_first() {
        insta::assert_snapshot!(list_sql(&UserQuery::visible_to(Viewer::Guest)), @r"WHERE (users.deleted_at IS NULL) ORDER BY users.id DESC LIMIT $1 -- binds: [21]");
    }

    #[test]
    fn blocked_users_are_not_listed() {
        let query =
            UserQuery::visible_to(ben()).with_ids(&[UserId::from(1)]).after(UserId::from(9));
        insta::assert_snapshot!(list_sql(&query), @r"WHERE (((((users.deleted_at IS NULL) AND NOT ((users.id = ANY(SELECT follows.followed_id FROM follows WHERE ((follows.follower_id = $1) AND (follows.status = $2)))))) AND NOT ((users.id = ANY(SELECT follows.follower_id FROM follows WHERE ((follows.followed_id = $3) AND (follows.status = $4)))))) AND (users.id = ANY($5))) AND (ROW(users.id) < ROW($6))) ORDER BY users.id DESC LIMIT $7 -- binds: [2, blocked, 2, blocked, [1], 9, 21]");
    }

    #[test]
    fn usernames_are_compared_in_lower_case() {
        let position = Username::parse("Ana").unwrap();
        let query = UserQuery::visible_to(Viewer::Guest).by_username().after(position);
        insta::assert_snapshot!(list_sql(&query), @r"WHERE ((users.deleted_at IS NULL) AND (ROW(lower(users.username)) > ROW($1))) ORDER BY lower(users.username) ASC LIMIT $2 -- binds: [ana, 21]");
    }

    #[test]
    fn cities_are_compared_byte_by_byte() {
        let city = City::parse("Graz").unwrap().unwrap();
        insta::assert_snapshot!(list_sql(&UserQuery::visible_to(Viewer::Guest).in_city(city)), @r"WHERE ((users.deleted_at IS NULL) AND (users.city = $1)) ORDER BY users.id DESC LIMIT $2 -- binds: [Graz, 21]");
    }

    #[test]
    fn only_the_list_of_all_users_has_an_estimated_total() {
        let query = UserQuery::visible_to(Viewer::Guest).with_total(CountMode::Estimated);
        insta::assert_snapshot!(total_of(&query), @r"SELECT total.number, part.* FROM (SELECT (SELECT nullif(reltuples, -1) FROM pg_class WHERE oid = to_regclass('users_pkey'))::bigint) AS total (number) LEFT JOIN (");
        assert!(query.with_ids(&[]).total().is_none());
    }

    #[test]
    fn a_count_is_capped() {
        let query =
            UserQuery::visible_to(Viewer::Guest).by_username().with_total(CountMode::UpTo(99));
        insta::assert_snapshot!(total_of(&query), @r"SELECT total.number, part.* FROM (SELECT (SELECT count(*) FROM (SELECT users.id FROM users WHERE (users.deleted_at IS NULL) ORDER BY lower(users.username) ASC LIMIT 100) AS counted)::bigint) AS total (number) LEFT JOIN (");
    }

    fn ben() -> Viewer {
        Viewer::User(UserId::from(2))
    }

    fn list_sql<W, O>(query: &UserQuery<W, O>) -> String {
        let sql = sql_of(&query.select());
        let (_, sql) = sql.split_once(" FROM users").unwrap();
        sql.trim_start().to_owned()
    }

    fn total_of<W, O>(query: &UserQuery<W, O>) -> String {
        let sql = sql_of(&WithTotal::new(query.select(), query.total().unwrap()));
        sql.split_once("SELECT users.id, users.username").unwrap().0.to_owned()
    }

    fn sql_of(query: &impl QueryFragment<Pg>) -> String {
        diesel::debug_query::<Pg, _>(query).to_string().replace('"', "").replace("  ", " ")
    }
}
