//! The read state of notifications, and counts and statistics.

use std::collections::HashMap;

use chrono::{DateTime, TimeDelta, Utc};
use diesel::dsl::{exists, not, select};
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Bool, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use grateful_domain::notification::{HourlyQuota, NotificationCounts, NotificationStats};
use grateful_domain::{MAX_CLOCK_SKEW, NotificationId, NotificationType, UserId};
use uuid::Uuid;

use super::Notifications;
use crate::query::statement;
use crate::schema::{inboxes, notifications};
use crate::{ReadConnection, Result};

impl<C: ReadConnection> Notifications<'_, C> {
    /// Whether a user has this notification, in the inbox or as a child of a batch.
    pub async fn exists(&mut self, owner: UserId, id: NotificationId) -> Result<bool> {
        let own = notifications::table.find((i64::from(owner), Uuid::from(id)));
        Ok(select(exists(own)).get_result(self.conn).await?)
    }

    /// Finds the counts of an inbox. Reads one row by its key, however long the list is.
    pub async fn find_counts(&mut self, owner: UserId) -> Result<NotificationCounts> {
        let row: Option<(i64, i64)> = inboxes::table
            .find(i64::from(owner))
            .select((inboxes::unread_count, inboxes::total_count))
            .first(self.conn)
            .await
            .optional()?;
        let (unread, total) = row.unwrap_or_default();
        Ok(NotificationCounts { unread, total })
    }
}

impl Notifications<'_> {
    /// Marks a notification as read: a batch with all its children, or a child alone. Returns whether the user has it.
    pub async fn mark_read(
        &mut self,
        owner: UserId,
        id: NotificationId,
        now: DateTime<Utc>,
    ) -> Result<bool> {
        let last_seqs = self.lock_and_reserve(&HashMap::from([(owner, 1)])).await?;
        let Some(last) = last_seqs.get(&owner) else { return Ok(false) };
        let read = MarkRead { owner: owner.into(), id: id.into(), now, seq: last + 1 };
        Ok(read.get_result::<i64>(self.conn).await? == 1)
    }

    /// Marks notifications as read that existed at the time of the request: those that changed at `requested_at` or earlier,
    /// and those with a number up to `max_seq`, the last number at that time, in case the clock of another node is ahead.
    /// Returns how many notifications of the inbox were unread, and whether all of them are read now; otherwise
    /// [`Notifications::mark_batch_read`] continues.
    pub async fn mark_all_read(
        &mut self,
        owner: UserId,
        requested_at: DateTime<Utc>,
        max_seq: i64,
    ) -> Result<(i64, bool)> {
        self.lock_inboxes(&[owner]).await?;
        let existed = notifications::last_updated_at.le(requested_at);
        let unread = notifications::table
            .filter(notifications::user_id.eq(i64::from(owner)))
            .filter(notifications::parent_id.is_null())
            .filter(not(notifications::read))
            .filter(existed.or(notifications::seq.le(max_seq)))
            .count()
            .get_result(self.conn)
            .await?;
        Ok((unread, self.mark_batch(owner, requested_at, max_seq).await?))
    }

    /// Marks up to [`Notifications::MAX_MARKED`] of the notifications of [`Notifications::mark_all_read`] as read, with
    /// their children. The children of a large batch are marked first, as many at a time, and the batch last. Returns whether
    /// none is left.
    pub async fn mark_batch_read(
        &mut self,
        owner: UserId,
        requested_at: DateTime<Utc>,
        max_seq: i64,
    ) -> Result<bool> {
        self.lock_inboxes(&[owner]).await?;
        self.mark_batch(owner, requested_at, max_seq).await
    }

    /// The inbox is locked.
    async fn mark_batch(
        &mut self,
        owner: UserId,
        requested_at: DateTime<Utc>,
        max_seq: i64,
    ) -> Result<bool> {
        let read = MarkBatchRead {
            owner: owner.into(),
            now: requested_at,
            seq: max_seq,
            limit: Self::MAX_MARKED,
        };
        Ok(read.get_result(self.conn).await?)
    }

    /// The maximum number of notifications that one statement marks as read.
    pub const MAX_MARKED: i64 = 4_000;
}

impl<C: ReadConnection> Notifications<'_, C> {
    /// Counts how many notifications a user got recently, of one type or of all types.
    pub async fn stats(
        &mut self,
        owner: UserId,
        kind: Option<NotificationType>,
        now: DateTime<Utc>,
    ) -> Result<NotificationStats> {
        let stats = Stats {
            owner: owner.into(),
            kind: kind.map(|kind| kind.code().to_owned()),
            hour_ago: now - TimeDelta::hours(1),
            day_ago: now - TimeDelta::days(1),
            until: now + MAX_CLOCK_SKEW,
        };
        let (last_hour, last_day, total, window_opened_at, actors, held_back): StatsColumns =
            stats.get_result(self.conn).await?;
        let window = window_opened_at.zip(actors).map(|(window_opened_at, actors)| HourlyQuota {
            window_opened_at,
            actors: actors.into_iter().map(UserId::from).collect(),
        });
        let remaining = kind.map(|_| HourlyQuota::remaining(window.as_ref(), now));
        Ok(NotificationStats { last_hour, last_day, total, remaining, held_back })
    }
}

type StatsColumns = (i64, i64, i64, Option<DateTime<Utc>>, Option<Vec<i64>>, i64);

statement! {
    /// The inbox is locked, so the physical location (`ctid`) of its rows is stable. A search by the user and the id of one
    /// row or its parent could read all rows of the user.
    MarkRead {
        owner: i64 as BigInt,
        id: Uuid as SqlUuid,
        now: DateTime<Utc> as Timestamptz,
        seq: i64 as BigInt,
    } -> BigInt,
    "WITH unread AS MATERIALIZED (
        SELECT ctid AS place FROM notifications WHERE user_id = :owner AND id = :id AND NOT read
        UNION ALL
        SELECT ctid FROM notifications WHERE parent_id = :id AND NOT read
    ), marked AS (
        UPDATE notifications SET read = true, read_at = :now,
            seq = CASE WHEN parent_id IS NULL THEN :seq ELSE seq END
        WHERE ctid = ANY (ARRAY(SELECT place FROM unread)) AND user_id = :owner AND NOT read
        RETURNING parent_id
    ), counted AS (
        UPDATE inboxes SET unread_count = greatest(unread_count - 1, 0)
        WHERE user_id = :owner AND EXISTS (SELECT FROM marked WHERE parent_id IS NULL)
    )
    SELECT count(*) FROM notifications WHERE user_id = :owner AND id = :id"
}

statement! {
    /// Like [`MarkRead`].
    MarkBatchRead {
        owner: i64 as BigInt,
        now: DateTime<Utc> as Timestamptz,
        seq: i64 as BigInt,
        limit: i64 as BigInt,
    } -> Bool,
    "WITH unread AS MATERIALIZED (
        SELECT ctid AS place, id FROM notifications
        WHERE user_id = :owner AND parent_id IS NULL AND NOT read AND (last_updated_at <= :now OR seq <= :seq)
        LIMIT :limit
    ), child AS MATERIALIZED (
        SELECT it.place FROM unread, LATERAL (
            SELECT ctid AS place FROM notifications WHERE parent_id = unread.id AND NOT read LIMIT :limit
        ) AS it LIMIT :limit
    ), marked_children AS (
        UPDATE notifications SET read = true, read_at = :now
        WHERE ctid = ANY (ARRAY(SELECT place FROM child)) AND user_id = :owner
        RETURNING parent_id
    ), size AS (
        SELECT (SELECT count(*) FROM unread) AS parents, (SELECT count(*) FROM marked_children) AS children
    ), complete AS (
        SELECT unread.place, row_number() OVER (ORDER BY unread.id) AS number FROM unread, size
        WHERE size.children < :limit
    ), counted AS (
        UPDATE inboxes SET last_seq = last_seq + (SELECT count(*) FROM complete),
            unread_count = greatest(unread_count - (SELECT count(*) FROM complete), 0)
        WHERE user_id = :owner
        RETURNING last_seq - (SELECT count(*) FROM complete) AS seq
    ), marked AS (
        UPDATE notifications AS it SET read = true, read_at = :now, seq = counted.seq + complete.number
        FROM complete, counted WHERE it.ctid = complete.place AND it.user_id = :owner
    )
    SELECT size.children < :limit AND size.parents < :limit FROM size"
}

statement! {
    Stats {
        owner: i64 as BigInt,
        kind: Option<String> as Nullable<Text>,
        hour_ago: DateTime<Utc> as Timestamptz,
        day_ago: DateTime<Utc> as Timestamptz,
        until: DateTime<Utc> as Timestamptz,
    } -> (BigInt, BigInt, BigInt, Nullable<Timestamptz>, Nullable<Array<BigInt>>, BigInt),
    "WITH told AS (
        SELECT count(*) FILTER (WHERE created_at > :hour_ago AND created_at < :until) AS last_hour,
            count(*) FILTER (WHERE created_at > :day_ago AND created_at < :until) AS last_day,
            count(*) AS total
        FROM notifications
        WHERE user_id = :owner AND CASE
            WHEN :kind IS NULL THEN NOT is_batch
            WHEN :kind = 'post_interaction' THEN is_batch AND type = :kind
            ELSE NOT is_batch AND type = :kind
        END
    ), quota AS (
        SELECT max(window_opened_at) AS window_opened_at, max(actor_ids) AS actor_ids,
            coalesce(sum(held_back), 0)::bigint AS held_back
        FROM notification_quotas WHERE user_id = :owner AND (:kind IS NULL OR type = :kind)
    )
    SELECT last_hour, last_day, total, window_opened_at, actor_ids, held_back FROM told, quota"
}
