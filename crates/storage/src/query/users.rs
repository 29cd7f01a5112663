//! Lists of users.

use diesel::dsl::{IntoBoxed, Select};
use diesel::pg::Pg;
use diesel::prelude::*;
use grateful_domain::{Limit, Offset, PageRequest, PageStart, UserId, Viewer};

use super::not_hidden;
use super::paging::overfetch;
use crate::rows::UserListItemRow;
use crate::schema::users;

/// A query for the list of all users, newest members first. It starts with [`UserQuery::visible_to`], so users with a block
/// to or from the viewer are never listed.
///
/// It reads an index in its order. To find users by name, use [`Users::search`](crate::Users::search); to list follows, use
/// [`FollowQuery`](crate::FollowQuery).
///
/// ```
/// use grateful_domain::Viewer;
/// use grateful_storage::UserQuery;
///
/// let newest_members = UserQuery::visible_to(Viewer::Guest).with_total(1_000);
/// ```
#[derive(Debug, Clone)]
#[must_use]
pub struct UserQuery {
    viewer: Viewer,
    pub(crate) page: PageRequest<UserId>,
    pub(crate) max_total: Option<u16>,
}

impl UserQuery {
    /// All users that `viewer` can see, including the viewer.
    pub fn visible_to(viewer: Viewer) -> Self {
        Self { viewer, page: PageRequest::first(Limit::DEFAULT), max_total: None }
    }

    /// Sets the page. Default: the first 20 users.
    pub fn page(self, page: PageRequest<UserId>) -> Self {
        Self { page, ..self }
    }

    /// Also counts the users of the list, but stops after `max`.
    pub fn with_total(self, max: u16) -> Self {
        Self { max_total: Some(max), ..self }
    }

    /// Selects the whole list, in its order.
    pub(crate) fn select_all(&self) -> IntoBoxed<'static, SelectedRows, Pg> {
        let columns = <UserListItemRow as Selectable<Pg>>::construct_selection();
        visible_users(self.viewer).order(users::id.desc()).select(columns)
    }

    /// Selects a page, plus one user to know whether there is a next page.
    pub(crate) fn select(&self) -> IntoBoxed<'static, SelectedRows, Pg> {
        let select = match self.page.start {
            PageStart::After(user) => self.select_all().filter(users::id.lt(i64::from(user))),
            PageStart::Offset(Offset::ZERO) => self.select_all(),
            PageStart::Offset(offset) => self.select_all().offset(offset.into()),
        };
        select.limit(overfetch(self.page.limit))
    }
}

type SelectedRows = Select<users::table, <UserListItemRow as Selectable<Pg>>::SelectExpression>;

/// The users that the viewer can see, in no particular order.
pub(crate) fn visible_users(viewer: Viewer) -> users::BoxedQuery<'static, Pg> {
    users::table.filter(not_hidden(viewer.user().map(i64::from), users::id)).into_boxed()
}
