//! The read state of notifications, and counts and statistics.

use std::collections::{HashMap, HashSet};

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

/// A notification that its owner has read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotificationRead {
    /// The recipient.
    pub owner: UserId,
    /// The notification: a single one, a batch, or a child of a batch.
    pub id: NotificationId,
    /// When the owner read it.
    pub at: DateTime<Utc>,
}

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
    /// Marks notifications as read, of any number of users: each batch with all its children, each child alone. Returns for
    /// each whether its owner has it. Runs two statements.
    pub async fn mark_read(&mut self, reads: &[NotificationRead]) -> Result<Vec<bool>> {
        let mut reservations = HashMap::new();
        for read in reads {
            *reservations.entry(read.owner).or_default() += 1;
        }
        let mut last_seqs = self.lock_and_reserve(&reservations).await?;
        let mut next_seq = |owner| {
            let seq = last_seqs.entry(owner).or_default();
            *seq += 1;
            *seq
        };
        let read = MarkRead {
            owners: reads.iter().map(|read| read.owner.into()).collect(),
            ids: reads.iter().map(|read| read.id.into()).collect(),
            times: reads.iter().map(|read| read.at).collect(),
            seqs: reads.iter().map(|read| next_seq(read.owner)).collect(),
        };
        let found: Vec<i64> = read.load(self.conn).await?;
        let found: HashSet<i64> = found.into_iter().collect();
        // WITH ORDINALITY counts from 1.
        Ok((1..).zip(reads).map(|(number, _)| found.contains(&number)).collect())
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
        let remaining = kind.map(|_| HourlyQuota::LIMITS.remaining(window.as_ref(), now));
        Ok(NotificationStats { last_hour, last_day, total, remaining, held_back })
    }
}

type StatsColumns = (i64, i64, i64, Option<DateTime<Utc>>, Option<Vec<i64>>, i64);

statement! {
    /// The inboxes are locked, so the physical location (`ctid`) of their rows is stable. A notification that several acts read
    /// gets the time and the number of the first.
    MarkRead {
        owners: Vec<i64> as Array<BigInt>,
        ids: Vec<Uuid> as Array<SqlUuid>,
        times: Vec<DateTime<Utc>> as Array<Timestamptz>,
        seqs: Vec<i64> as Array<BigInt>,
    } -> BigInt,
    "WITH act AS MATERIALIZED (
        SELECT * FROM unnest(:owners, :ids, :times, :seqs) WITH ORDINALITY AS act (user_id, id, at, seq, number)
    ), unread AS MATERIALIZED (
        SELECT DISTINCT ON (it.id) it.place, act.user_id, act.at, act.seq FROM act, LATERAL (
            SELECT it.id, it.ctid AS place FROM notifications AS it
            WHERE it.user_id = act.user_id AND it.id = act.id AND NOT it.read
            UNION ALL
            SELECT it.id, it.ctid FROM notifications AS it
            WHERE it.parent_id = act.id AND it.user_id = act.user_id AND NOT it.read
        ) AS it ORDER BY it.id, act.number
    ), marked AS (
        UPDATE notifications AS it SET read = true, read_at = unread.at,
            seq = CASE WHEN it.parent_id IS NULL THEN unread.seq ELSE it.seq END
        FROM unread WHERE it.ctid = unread.place AND it.user_id = unread.user_id
        RETURNING it.user_id, it.parent_id
    ), counted AS (
        UPDATE inboxes SET unread_count = greatest(unread_count - (
            SELECT count(*) FROM marked WHERE marked.user_id = inboxes.user_id AND marked.parent_id IS NULL
        ), 0)
        WHERE user_id = ANY (ARRAY(SELECT user_id FROM marked WHERE parent_id IS NULL))
    )
    SELECT number FROM act
    WHERE EXISTS (SELECT FROM notifications AS it WHERE it.user_id = act.user_id AND it.id = act.id)"
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
