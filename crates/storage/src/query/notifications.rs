//! Lists of notifications.

use std::marker::PhantomData;

use chrono::{DateTime, Utc};
use diesel::dsl::{self, IntoBoxed, exists, not};
use diesel::pg::Pg;
use diesel::prelude::*;
use grateful_domain::{
    CountMode, Limit, NotificationId, NotificationType, PageRequest, Position, UserId,
};
use uuid::Uuid;

use super::paging::{Direction, PageSpec, paginate};
use super::sql::Sql;
use super::totals::TotalSql;
use crate::rows::{AuthorRow, NotificationRow};
use crate::schema::{notifications, users};

diesel::alias!(notifications as parents: Parents);

/// A query for notifications of one user: which ones (`W`). It starts with [`NotificationQuery::of`] the owner, so it never
/// returns another user's notifications.
///
/// The inbox is a range of an index in its order, most recently updated first. With a type filter, a query reads at most the
/// whole inbox. The children of a batch are sorted newest first.
///
/// ```
/// use grateful_domain::{CountMode, NotificationType, UserId};
/// use grateful_storage::NotificationQuery;
///
/// let ana = UserId::from(1);
///
/// let unread = NotificationQuery::of(ana).unread().with_total(CountMode::UpTo(99));
/// let mentions = NotificationQuery::of(ana).of_type(NotificationType::Mention);
/// ```
#[derive(Debug, Clone)]
#[must_use]
pub struct NotificationQuery<W = WholeInbox> {
    owner: UserId,
    batch: Option<NotificationId>,
    unread_only: bool,
    kind: Option<NotificationType>,
    since: Option<DateTime<Utc>>,
    page: PageSpec,
    count_mode: Option<CountMode>,
    marker: PhantomData<W>,
}

/// The whole inbox: single notifications and batches.
#[derive(Debug, Clone, Copy)]
pub struct WholeInbox;

/// A filtered inbox.
#[derive(Debug, Clone, Copy)]
pub struct FilteredInbox;

/// The children of a batch.
#[derive(Debug, Clone, Copy)]
pub struct BatchChildren;

/// Single notifications and batches. This trait is sealed.
pub trait TopLevel: sealed::Sealed {}
impl TopLevel for WholeInbox {}
impl TopLevel for FilteredInbox {}

mod sealed {
    /// Keeps [`TopLevel`](super::TopLevel) from being implemented elsewhere.
    pub trait Sealed {}
    impl Sealed for super::WholeInbox {}
    impl Sealed for super::FilteredInbox {}
}

impl NotificationQuery {
    /// The inbox of this user.
    pub fn of(owner: UserId) -> Self {
        Self {
            owner,
            batch: None,
            unread_only: false,
            kind: None,
            since: None,
            page: PageSpec::FIRST,
            count_mode: None,
            marker: PhantomData,
        }
    }

    /// The children of one of the owner's batches instead. A single notification has none.
    pub fn children_of(self, batch: NotificationId) -> NotificationQuery<BatchChildren> {
        Self { batch: Some(batch), ..self }.cast()
    }
}

impl<W: TopLevel> NotificationQuery<W> {
    /// Restricts the list to unread notifications.
    pub fn unread(self) -> NotificationQuery<FilteredInbox> {
        Self { unread_only: true, ..self }.cast()
    }

    /// Restricts the list to this type. Batches of hearts and reactions have the type
    /// [`PostInteraction`](NotificationType::PostInteraction). Reads at most the whole inbox.
    pub fn of_type(self, kind: NotificationType) -> NotificationQuery<FilteredInbox> {
        Self { kind: Some(kind), ..self }.cast()
    }

    /// Restricts the list to notifications that were created or got a new child at this time or later.
    pub fn since(self, time: DateTime<Utc>) -> NotificationQuery<FilteredInbox> {
        Self { since: Some(time), ..self }.cast()
    }
}

impl<W> NotificationQuery<W> {
    /// Sets the maximum number of notifications. Default: 20.
    pub fn limit(self, limit: Limit) -> Self {
        Self { page: self.page.with_limit(limit), ..self }
    }

    /// Starts after this position.
    pub fn after(self, position: Position) -> Self {
        Self { page: self.page.after(position), ..self }
    }

    /// Sets the page. Default: the first 20 notifications.
    pub fn page(self, page: PageRequest) -> Self {
        Self { page: page.into(), ..self }
    }

    /// Also returns the total number of notifications in the list. An estimate is available only for the children of a
    /// batch, whose number is stored with the batch.
    pub fn with_total(self, count_mode: CountMode) -> Self {
        Self { count_mode: Some(count_mode), ..self }
    }

    pub(crate) fn page_limit(&self) -> Limit {
        self.page.limit
    }

    pub(crate) fn owner(&self) -> UserId {
        self.owner
    }

    pub(crate) fn lists_children(&self) -> bool {
        self.batch.is_some()
    }

    /// The notifications that match the filters, in no particular order, with their actors.
    pub(crate) fn filtered_notifications(
        &self,
    ) -> IntoBoxed<'static, notifications_with_actors, Pg> {
        let mut select = notifications_with_actors().into_boxed();
        match self.batch {
            None => {
                select = select
                    .filter(notifications::user_id.eq(i64::from(self.owner)))
                    .filter(notifications::parent_id.is_null());
            }
            // The batch determines the owner. A condition on the owner of each child would keep the planner from using the
            // index that has the order.
            Some(batch) => {
                let own_batch = parents
                    .filter(parents.field(notifications::id).eq(Uuid::from(batch)))
                    .filter(parents.field(notifications::user_id).eq(i64::from(self.owner)));
                select = select
                    .filter(exists(own_batch))
                    .filter(notifications::parent_id.eq(Uuid::from(batch)));
            }
        }
        if self.unread_only {
            select = select.filter(not(notifications::read));
        }
        if let Some(kind) = self.kind {
            select = select.filter(notifications::kind.eq(kind.code()));
        }
        if let Some(since) = self.since {
            select = select.filter(notifications::last_updated_at.ge(since));
        }
        select
    }

    /// Selects a page, plus one notification to know whether there is a next page.
    pub(crate) fn select(&self) -> IntoBoxed<'static, notifications_with_actors, Pg> {
        let (query, time) = if self.lists_children() {
            let newest = (notifications::created_at.desc(), notifications::id.desc());
            (self.filtered_notifications().order(newest), "notifications.created_at")
        } else {
            let newest = (notifications::last_updated_at.desc(), notifications::id.desc());
            (self.filtered_notifications().order(newest), "notifications.last_updated_at")
        };
        paginate(query, &self.page, &[time, "notifications.id"], Direction::Descending)
    }

    /// The query for the total, if one is requested and available.
    pub(crate) fn total(&self) -> Option<TotalSql> {
        match (self.count_mode?, self.batch) {
            (CountMode::UpTo(max), _) => Some(TotalSql::capped(max, self.count_query())),
            (CountMode::Estimated, Some(batch)) => {
                let batch_count = Sql::new("SELECT coalesce((SELECT batch_count FROM notifications WHERE is_batch AND id = ")
                    .value(batch)
                    .sql(" AND user_id = ")
                    .value(self.owner)
                    .sql("), 0)");
                Some(TotalSql::exact(batch_count))
            }
            (CountMode::Estimated, None) => None,
        }
    }

    /// Selects the rows of the list, in the order of an index.
    fn count_query(&self) -> Sql {
        let Some(batch) = self.batch else {
            let mut rows =
                Sql::new("SELECT FROM notifications WHERE parent_id IS NULL AND user_id = ")
                    .value(self.owner);
            if self.unread_only {
                rows = rows.sql(" AND NOT read");
            }
            if let Some(kind) = self.kind {
                rows = rows.sql(" AND type = ").value(kind.code().to_owned());
            }
            if let Some(since) = self.since {
                rows = rows.sql(" AND last_updated_at >= ").value(since);
            }
            return rows.sql(" ORDER BY last_updated_at DESC, id DESC");
        };
        Sql::new("SELECT FROM notifications WHERE parent_id = ")
            .value(batch)
            .sql(" AND EXISTS (SELECT FROM notifications AS parents WHERE parents.id = ")
            .value(batch)
            .sql(" AND parents.user_id = ")
            .value(self.owner)
            .sql(") ORDER BY created_at DESC, id DESC")
    }

    fn cast<V>(self) -> NotificationQuery<V> {
        let Self { owner, batch, unread_only, kind, since, page, count_mode, marker: _ } = self;
        NotificationQuery {
            owner,
            batch,
            unread_only,
            kind,
            since,
            page,
            count_mode,
            marker: PhantomData,
        }
    }
}

/// Notifications with their actors.
#[dsl::auto_type]
pub(crate) fn notifications_with_actors() -> _ {
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

#[cfg(test)]
mod tests {
    use diesel::query_builder::QueryFragment;

    use super::*;
    use crate::query::totals::WithTotal;

    #[test]
    fn an_inbox_contains_no_children_of_batches() {
        insta::assert_snapshot!(list_sql(&of_ana()), @r"
        ((notifications.user_id = $1) AND (notifications.parent_id IS NULL))
        ORDER BY notifications.last_updated_at DESC, notifications.id DESC LIMIT $2 -- binds: [1, 21]
        ");
    }

    #[test]
    fn conditions_are_combined_with_and() {
        let query =
            of_ana().unread().of_type(NotificationType::Mention).since(DateTime::UNIX_EPOCH);
        insta::assert_snapshot!(list_sql(&query), @r"
        (((((notifications.user_id = $1) AND (notifications.parent_id IS NULL)) AND NOT (notifications.read)) AND (notifications.type = $2)) AND (notifications.last_updated_at >= $3))
        ORDER BY notifications.last_updated_at DESC, notifications.id DESC LIMIT $4 -- binds: [1, mention, 1970-01-01T00:00:00Z, 21]
        ");
    }

    #[test]
    fn children_are_selected_by_a_batch_of_the_owner() {
        insta::assert_snapshot!(list_sql(&of_ana().children_of(batch())), @r"
        (EXISTS (SELECT parents.id, parents.user_id, parents.actor_id, parents.type, parents.title, parents.message, parents.data, parents.priority, parents.read, parents.read_at, parents.created_at, parents.last_updated_at, parents.closed_at, parents.parent_id, parents.is_batch, parents.batch_count, parents.actor_count, parents.batch_key, parents.act, parents.post_id, parents.comment_id, parents.seq FROM notifications AS parents WHERE ((parents.id = $1) AND (parents.user_id = $2))) AND (notifications.parent_id = $3))
        ORDER BY notifications.created_at DESC, notifications.id DESC LIMIT $4 -- binds: [00000000-0000-0000-0000-000000000007, 1, 00000000-0000-0000-0000-000000000007, 21]
        ");
    }

    #[test]
    fn a_count_is_capped() {
        insta::assert_snapshot!(total_of(&of_ana().unread().with_total(CountMode::UpTo(99))), @r"SELECT total.number, part.* FROM (SELECT (SELECT count(*) FROM (SELECT FROM notifications WHERE parent_id IS NULL AND user_id = $1 AND NOT read ORDER BY last_updated_at DESC, id DESC LIMIT 100) AS counted)::bigint) AS total (number) LEFT JOIN (");
        insta::assert_snapshot!(total_of(&of_ana().children_of(batch()).with_total(CountMode::UpTo(99))), @r"SELECT total.number, part.* FROM (SELECT (SELECT count(*) FROM (SELECT FROM notifications WHERE parent_id = $1 AND EXISTS (SELECT FROM notifications AS parents WHERE parents.id = $2 AND parents.user_id = $3) ORDER BY created_at DESC, id DESC LIMIT 100) AS counted)::bigint) AS total (number) LEFT JOIN (");
    }

    #[test]
    fn only_the_children_of_a_batch_have_a_stored_total() {
        let query = of_ana().with_total(CountMode::Estimated);
        assert!(query.total().is_none());
        insta::assert_snapshot!(total_of(&query.children_of(batch())), @r"SELECT total.number, part.* FROM (SELECT (SELECT coalesce((SELECT batch_count FROM notifications WHERE is_batch AND id = $1 AND user_id = $2), 0))::bigint) AS total (number) LEFT JOIN (");
    }

    fn of_ana() -> NotificationQuery {
        NotificationQuery::of(UserId::from(1))
    }

    fn batch() -> NotificationId {
        Uuid::from_u128(7).into()
    }

    fn list_sql<W>(query: &NotificationQuery<W>) -> String {
        let sql = sql_of(&query.select());
        let (_, sql) = sql
            .split_once(
                " ON ((notifications.actor_id = users.id) AND (users.deleted_at IS NULL))) WHERE ",
            )
            .unwrap();
        sql.replace(" ORDER BY", "\nORDER BY")
    }

    fn total_of<W>(query: &NotificationQuery<W>) -> String {
        let sql = sql_of(&WithTotal::new(query.select(), query.total().unwrap()));
        sql.split_once("SELECT notifications.id, notifications.user_id").unwrap().0.to_owned()
    }

    fn sql_of(query: &impl QueryFragment<Pg>) -> String {
        diesel::debug_query::<Pg, _>(query).to_string().replace('"', "").replace("  ", " ")
    }
}
