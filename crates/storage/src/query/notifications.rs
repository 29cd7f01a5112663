//! Lists of notifications.

use diesel::dsl::{self, IntoBoxed, exists, not};
use diesel::pg::Pg;
use diesel::prelude::*;
use grateful_domain::{Limit, NotificationId, PageRequest, UserId};
use uuid::Uuid;

use super::paging::paginate;
use crate::rows::{AuthorRow, NotificationRow};
use crate::schema::{notifications, users};

diesel::alias!(notifications as parents: Parents);

/// A query for notifications of one user. It starts with [`NotificationQuery::of`] the owner, so it never returns another
/// user's notifications.
///
/// The inbox, single notifications and batches, is a range of an index in its order, most recently updated first. The
/// children of a batch are sorted newest first.
///
/// ```
/// use grateful_domain::UserId;
/// use grateful_storage::NotificationQuery;
///
/// let unread = NotificationQuery::of(UserId::from(1)).unread().with_total(99);
/// ```
#[derive(Debug, Clone)]
#[must_use]
pub struct NotificationQuery {
    pub(crate) owner: UserId,
    pub(crate) batch: Option<NotificationId>,
    unread_only: bool,
    pub(crate) page: PageRequest,
    pub(crate) max_total: Option<u16>,
}

impl NotificationQuery {
    /// The inbox of this user.
    pub fn of(owner: UserId) -> Self {
        let page = PageRequest::first(Limit::DEFAULT);
        Self { owner, batch: None, unread_only: false, page, max_total: None }
    }

    /// The children of one of the owner's batches instead. A single notification has none.
    pub fn children_of(self, batch: NotificationId) -> Self {
        Self { batch: Some(batch), ..self }
    }

    /// Restricts the list to unread notifications.
    pub fn unread(self) -> Self {
        Self { unread_only: true, ..self }
    }

    /// Sets the page. Default: the first 20 notifications.
    pub fn page(self, page: PageRequest) -> Self {
        Self { page, ..self }
    }

    /// Also counts the notifications of the list, but stops after `max`.
    pub fn with_total(self, max: u16) -> Self {
        Self { max_total: Some(max), ..self }
    }

    /// Selects the whole list, in its order.
    pub(crate) fn select_all(&self) -> IntoBoxed<'static, notifications_with_actors, Pg> {
        let select = match self.batch {
            None => inbox_of(self.owner)
                .order((notifications::last_updated_at.desc(), notifications::id.desc())),
            Some(batch) => children_of(self.owner, batch)
                .order((notifications::created_at.desc(), notifications::id.desc())),
        };
        if self.unread_only { select.filter(not(notifications::read)) } else { select }
    }

    /// Selects a page, plus one notification to know whether there is a next page.
    pub(crate) fn select(&self) -> IntoBoxed<'static, notifications_with_actors, Pg> {
        let (select, id) = (self.select_all(), notifications::id);
        match self.batch {
            None => paginate(select, self.page, notifications::last_updated_at, id),
            Some(_) => paginate(select, self.page, notifications::created_at, id),
        }
    }
}

/// The single notifications and batches of a user, in no particular order, with their actors.
pub(crate) fn inbox_of(owner: UserId) -> IntoBoxed<'static, notifications_with_actors, Pg> {
    notifications_with_actors()
        .into_boxed()
        .filter(notifications::user_id.eq(i64::from(owner)))
        .filter(notifications::parent_id.is_null())
}

/// The children of a batch, if it is the owner's. The batch determines the owner: a condition on the owner of each child
/// would keep the planner from using the index that has the order.
fn children_of(
    owner: UserId,
    batch: NotificationId,
) -> IntoBoxed<'static, notifications_with_actors, Pg> {
    let own_batch = parents
        .filter(parents.field(notifications::id).eq(Uuid::from(batch)))
        .filter(parents.field(notifications::user_id).eq(i64::from(owner)));
    notifications_with_actors()
        .into_boxed()
        .filter(exists(own_batch))
        .filter(notifications::parent_id.eq(Uuid::from(batch)))
}

/// Notifications with their actors.
#[dsl::auto_type]
fn notifications_with_actors() -> _ {
    let notification: <NotificationRow as Selectable<Pg>>::SelectExpression =
        <NotificationRow as Selectable<Pg>>::construct_selection();
    let actor: <Option<AuthorRow> as Selectable<Pg>>::SelectExpression =
        <Option<AuthorRow> as Selectable<Pg>>::construct_selection();
    let is_actor: dsl::And<
        dsl::Eq<notifications::actor_id, dsl::Nullable<users::id>>,
        dsl::Nullable<dsl::IsNull<users::deleted_at>>,
    > = notifications::actor_id
        .eq(users::id.nullable())
        .and(users::deleted_at.is_null().nullable());
    notifications::table.left_join(users::table.on(is_actor)).select((notification, actor))
}
