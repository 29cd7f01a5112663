//! Which people, in one statement.

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

/// Which people somebody asks for (`W`), and in which order (`O`). It can only be started with [`UserQuery::visible_to`]:
/// nobody exists across a block.
///
/// What compiles reads an index in its order, and passes over those across a block from the viewer alone. Whoever is looked
/// for by name is [searched](crate::Users::search), and whoever follows whom is a [`FollowQuery`](crate::FollowQuery).
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

/// All people.
#[derive(Debug, Clone, Copy)]
pub struct AllUsers;

/// Some people.
#[derive(Debug, Clone, Copy)]
pub struct SelectedUsers;

/// People who live in a town.
#[derive(Debug, Clone, Copy)]
pub struct InCity;

/// People, those first who joined last.
#[derive(Debug, Clone, Copy)]
pub struct NewestMembersFirst;

/// People by their usernames, without regard to case.
#[derive(Debug, Clone, Copy)]
pub struct ByUsername;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum SortKey {
    JoinedAt,
    Username,
}

/// In which order people are listed.
pub trait UserOrder: sealed::Sealed {
    /// Where somebody stands in it.
    type Position: Debug + Clone;

    #[doc(hidden)]
    fn position(person: &UserListItem) -> Self::Position;
}

impl UserOrder for NewestMembersFirst {
    type Position = UserId;

    fn position(person: &UserListItem) -> UserId {
        person.author.id
    }
}

impl UserOrder for ByUsername {
    type Position = Username;

    fn position(person: &UserListItem) -> Username {
        person.author.username.clone()
    }
}

mod sealed {
    /// Nobody else's.
    pub trait Sealed {}
    impl Sealed for super::NewestMembersFirst {}
    impl Sealed for super::ByUsername {}
}

impl UserQuery {
    /// Everybody whom `viewer` knows of, themselves included, those first who joined last.
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

    /// Only those of these people.
    pub fn with_ids(self, people: &[UserId]) -> UserQuery<SelectedUsers> {
        let ids = Some(people.iter().copied().map(i64::from).collect());
        Self { ids, ..self }.cast()
    }

    /// Only those who say that they live there, in just these letters.
    pub fn in_city(self, city: City) -> UserQuery<InCity> {
        Self { city: Some(city), ..self }.cast()
    }

    /// By username, without regard to case.
    pub fn by_username(self) -> UserQuery<AllUsers, ByUsername> {
        Self { sort_key: SortKey::Username, ..self }.cast()
    }
}

impl UserQuery<SelectedUsers> {
    /// By username, without regard to case.
    pub fn by_username(self) -> UserQuery<SelectedUsers, ByUsername> {
        Self { sort_key: SortKey::Username, ..self }.cast()
    }
}

impl<W> UserQuery<W, NewestMembersFirst> {
    /// Only this part of the list. Without it, the first 20.
    pub fn page(self, page: PageRequest<UserId>) -> Self {
        Self { page: page.into(), ..self }
    }

    /// Only those behind this place.
    pub fn after(self, place: UserId) -> Self {
        self.starting_after(place)
    }
}

impl<W> UserQuery<W, ByUsername> {
    /// Only this part of the list. Without it, the first 20.
    pub fn page(self, page: PageRequest<Username>) -> Self {
        Self { page: page.into(), ..self }
    }

    /// Only those behind this place.
    pub fn after(self, place: Username) -> Self {
        self.starting_after(place)
    }
}

impl<W, O> UserQuery<W, O> {
    /// Only so many people; without it, 20.
    pub fn limit(self, limit: Limit) -> Self {
        Self { page: self.page.with_limit(limit), ..self }
    }

    /// How many people all parts together have is told, too. Of all people, about how many there are is known without
    /// counting, those across a block included; of some of them it is not.
    pub fn with_total(self, count_mode: CountMode) -> Self {
        Self { count_mode: Some(count_mode), ..self }
    }

    pub(crate) fn page_limit(&self) -> Limit {
        self.page.limit
    }

    /// All that answer the query, in no order.
    pub(crate) fn filtered_users(&self) -> users::BoxedQuery<'static, Pg> {
        let mut people = users::table.into_boxed();
        if let Some(viewer) = self.viewer.user().map(i64::from) {
            people = people
                .filter(not(users::id.eq_any(blockers_of(viewer))))
                .filter(not(users::id.eq_any(blocked_by(viewer))));
        }
        if let Some(ids) = &self.ids {
            people = people.filter(users::id.eq_any(ids.clone()));
        }
        if let Some(city) = &self.city {
            people = people.filter(users::city.eq(city.as_str().to_owned()));
        }
        people
    }

    /// The statement, for one person more than asked for, which tells whether the list goes on.
    pub(crate) fn select(&self) -> IntoBoxed<'static, Selected, Pg> {
        let people =
            self.ordered().select(<UserListItemRow as Selectable<Pg>>::construct_selection());
        match self.sort_key {
            SortKey::JoinedAt => paginate(people, &self.page, &["users.id"], Direction::Descending),
            SortKey::Username => {
                paginate(people, &self.page, &["lower(users.username)"], Direction::Ascending)
            }
        }
    }

    /// What counts the whole list, as far as it is asked for and can be known.
    pub(crate) fn total(&self) -> Option<TotalSql> {
        match self.count_mode? {
            // In this order, an index leads to them.
            CountMode::UpTo(most) => Some(TotalSql::capped(most, self.ordered().select(users::id))),
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

    fn starting_after(self, place: impl KeysetPosition) -> Self {
        Self { page: self.page.after(place), ..self }
    }

    fn cast<V, P>(self) -> UserQuery<V, P> {
        let Self { viewer, ids, city, sort_key, page, count_mode, marker: _ } = self;
        UserQuery { viewer, ids, city, sort_key, page, count_mode, marker: PhantomData }
    }
}

type Selected =
    diesel::dsl::Select<users::table, <UserListItemRow as Selectable<Pg>>::SelectExpression>;

#[cfg(test)]
mod tests {
    use diesel::query_builder::QueryFragment;

    use super::*;
    use crate::query::totals::WithTotal;

    #[test]
    fn those_who_joined_last_come_first() {
        insta::assert_snapshot!(listed_by(&UserQuery::visible_to(Viewer::Guest)), @r"ORDER BY users.id DESC LIMIT $1 -- binds: [21]");
    }

    #[test]
    fn nobody_exists_across_a_block() {
        let query =
            UserQuery::visible_to(ben()).with_ids(&[UserId::from(1)]).after(UserId::from(9));
        insta::assert_snapshot!(listed_by(&query), @r"WHERE ((( NOT ((users.id = ANY(SELECT follows.followed_id FROM follows WHERE ((follows.follower_id = $1) AND (follows.status = $2))))) AND NOT ((users.id = ANY(SELECT follows.follower_id FROM follows WHERE ((follows.followed_id = $3) AND (follows.status = $4)))))) AND (users.id = ANY($5))) AND (ROW(users.id) < ROW($6))) ORDER BY users.id DESC LIMIT $7 -- binds: [2, blocked, 2, blocked, [1], 9, 21]");
    }

    #[test]
    fn names_are_compared_without_regard_to_case() {
        let place = Username::parse("Ana").unwrap();
        let query = UserQuery::visible_to(Viewer::Guest).by_username().after(place);
        insta::assert_snapshot!(listed_by(&query), @r"WHERE (ROW(lower(users.username)) > ROW($1)) ORDER BY lower(users.username) ASC LIMIT $2 -- binds: [ana, 21]");
    }

    #[test]
    fn a_town_is_asked_for_in_just_these_letters() {
        let city = City::parse("Graz").unwrap().unwrap();
        insta::assert_snapshot!(listed_by(&UserQuery::visible_to(Viewer::Guest).in_city(city)), @r"WHERE (users.city = $1) ORDER BY users.id DESC LIMIT $2 -- binds: [Graz, 21]");
    }

    #[test]
    fn of_all_people_about_how_many_there_are_is_known() {
        let query = UserQuery::visible_to(Viewer::Guest).with_total(CountMode::Estimated);
        insta::assert_snapshot!(total_of(&query), @r"SELECT total.number, part.* FROM (SELECT (SELECT nullif(reltuples, -1) FROM pg_class WHERE oid = to_regclass('users_pkey'))::bigint) AS total (number) LEFT JOIN (");
        assert!(query.with_ids(&[]).total().is_none());
    }

    #[test]
    fn a_count_goes_no_further_than_asked() {
        let query =
            UserQuery::visible_to(Viewer::Guest).by_username().with_total(CountMode::UpTo(99));
        insta::assert_snapshot!(total_of(&query), @r"SELECT total.number, part.* FROM (SELECT (SELECT count(*) FROM (SELECT users.id FROM users ORDER BY lower(users.username) ASC LIMIT 100) AS counted)::bigint) AS total (number) LEFT JOIN (");
    }

    fn ben() -> Viewer {
        Viewer::User(UserId::from(2))
    }

    fn listed_by<W, O>(query: &UserQuery<W, O>) -> String {
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
