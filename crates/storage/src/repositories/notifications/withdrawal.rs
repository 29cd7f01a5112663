//! Withdraws notifications of undone acts, and updates those of changed reactions.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use diesel::dsl;
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Bool, Integer, Jsonb, Nullable, Text, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use grateful_domain::notification::{
    Act, BatchCounts, Cause, InboxChanges, RemainingBatch, WithdrawalReason, update_reaction,
    withdraw,
};
use grateful_domain::{CommentId, Emoji, Notification, PostId, UserId};
use serde_json::Value;
use uuid::Uuid;

use super::Notifications;
use crate::query::statement;
use crate::rows::notification_from_json;
use crate::schema::notifications;
use crate::{Result, StorageError};

/// Ids of notifications, and of their recipients.
pub(crate) type NotificationRefs = Vec<(Uuid, i64)>;

/// All notifications of acts: single ones and children of batches.
#[dsl::auto_type]
fn notification_refs() -> _ {
    notifications::table
        .filter(notifications::act.is_not_null())
        .select((notifications::id, notifications::user_id))
}

impl Notifications<'_> {
    /// Withdraws the notifications of acts that this transaction undoes. If an act is repeated within a day, its
    /// notification is restored instead of created again. Runs three statements for any number of acts.
    pub async fn withdraw(&mut self, causes: &[Cause], now: DateTime<Utc>) -> Result<()> {
        let changes = count_per_user(causes.iter().map(|cause| cause.recipient));
        if changes.is_empty() {
            return Ok(());
        }
        let last_seqs = self.lock_and_reserve(&changes).await?;
        let load = LoadWithdrawals::of_causes(causes);
        let inbox_changes = self.withdrawal_changes(load, WithdrawalReason::Undone, now).await?;
        self.write_undone(causes, inbox_changes, last_seqs, now).await
    }

    /// Replaces the emoji in the notification of a reaction. That is no event: no notification is created or becomes unread.
    pub async fn update_reaction(
        &mut self,
        cause: Cause,
        emoji: Emoji,
        now: DateTime<Utc>,
    ) -> Result<()> {
        let changes = HashMap::from([(cause.recipient, 1)]);
        let last_seqs = self.lock_and_reserve(&changes).await?;
        let load = LoadWithdrawals { is_withdrawal: false, ..LoadWithdrawals::of_causes(&[cause]) };
        let rows: Vec<Row> = load.load(self.conn).await?;
        let Some(row) = rows.into_iter().next() else { return Ok(()) };
        let loaded = Withdrawal::try_from(row)?;
        let [reaction] = &loaded.children[..] else { return Ok(()) };
        let batch = loaded.remaining.as_ref().map(|remaining| (&loaded.parent, remaining));
        let changes = update_reaction(reaction, emoji, batch);
        self.write(vec![(cause.recipient, changes)], last_seqs, now).await?;
        Ok(())
    }

    /// Withdraws the notifications of these comments, which are about to be deleted. The comments or their post must be
    /// locked.
    pub async fn withdraw_for_comments(
        &mut self,
        comments: &[CommentId],
        now: DateTime<Utc>,
    ) -> Result<()> {
        let comments: Vec<Uuid> = comments.iter().copied().map(Uuid::from).collect();
        let refs: NotificationRefs = notification_refs()
            .filter(notifications::comment_id.eq_any(comments))
            .load(self.conn)
            .await?;
        self.withdraw_refs(refs, WithdrawalReason::Undone, now).await
    }

    /// Withdraws up to `limit` notifications about a post that are in other inboxes than its author's, because only the
    /// author can see the post from now on. Returns their number. If the post becomes public again within a day, the
    /// notifications of mentions are restored.
    pub async fn withdraw_hidden_post_batch(
        &mut self,
        post: PostId,
        author: UserId,
        limit: i64,
        now: DateTime<Utc>,
    ) -> Result<i64> {
        let find = FindAboutHiddenPost { post: post.into(), author: author.into(), limit };
        let refs: NotificationRefs = find.load(self.conn).await?;
        self.withdraw_batch(refs, WithdrawalReason::Revoked, now).await
    }

    /// Withdraws up to `limit` notifications about a post, which is about to be deleted. Returns their number.
    pub async fn withdraw_post_batch(
        &mut self,
        post: PostId,
        limit: i64,
        now: DateTime<Utc>,
    ) -> Result<i64> {
        let refs: NotificationRefs = notification_refs()
            .filter(notifications::post_id.eq(Uuid::from(post)))
            .limit(limit)
            .load(self.conn)
            .await?;
        self.withdraw_batch(refs, WithdrawalReason::Undone, now).await
    }

    /// Withdraws up to `limit` of the notifications that two users have about each other because of a block: those that
    /// one caused for the other, and those of one about posts of the other, by any user. Returns their number. Interactions
    /// that started before the block was committed can still add some (see
    /// [`BackgroundJobs::barrier`](crate::BackgroundJobs::barrier)).
    pub async fn withdraw_batch_between(
        &mut self,
        user: UserId,
        other: UserId,
        limit: i64,
        now: DateTime<Utc>,
    ) -> Result<i64> {
        let find = FindBetween { user: user.into(), other: other.into(), limit };
        let refs: NotificationRefs = find.load(self.conn).await?;
        self.withdraw_batch(refs, WithdrawalReason::Revoked, now).await
    }

    /// Withdraws up to `limit` notifications that a user caused. Returns their number.
    pub async fn withdraw_batch_by(
        &mut self,
        actor: UserId,
        limit: i64,
        now: DateTime<Utc>,
    ) -> Result<i64> {
        let refs: NotificationRefs = notification_refs()
            .filter(notifications::actor_id.eq(i64::from(actor)))
            .limit(limit)
            .load(self.conn)
            .await?;
        self.withdraw_batch(refs, WithdrawalReason::Undone, now).await
    }

    /// Locks the inboxes of these users, in id order. For callers that first withdraw from some of them and then record
    /// events in others.
    pub async fn lock_inboxes(&mut self, users: &[UserId]) -> Result<()> {
        self.lock_all(users.iter().copied().map(i64::from).collect()).await
    }

    /// Locks inboxes without reserving numbers.
    async fn lock_all(&mut self, users: Vec<i64>) -> Result<()> {
        self.lock_and_reserve(&users.into_iter().map(|user| (user.into(), 0)).collect()).await?;
        Ok(())
    }

    /// Withdraws these notifications and returns their number.
    async fn withdraw_batch(
        &mut self,
        refs: NotificationRefs,
        reason: WithdrawalReason,
        now: DateTime<Utc>,
    ) -> Result<i64> {
        let count = i64::try_from(refs.len()).unwrap_or(i64::MAX);
        self.withdraw_refs(refs, reason, now).await?;
        Ok(count)
    }

    /// Withdraws these notifications.
    pub(crate) async fn withdraw_refs(
        &mut self,
        refs: NotificationRefs,
        reason: WithdrawalReason,
        now: DateTime<Utc>,
    ) -> Result<()> {
        let changes = count_per_user(refs.iter().map(|(_, user)| UserId::from(*user)));
        if changes.is_empty() {
            return Ok(());
        }
        let last_seqs = self.lock_and_reserve(&changes).await?;
        let inbox_changes = self.withdrawal_changes_of(refs, reason, now).await?;
        self.write(inbox_changes, last_seqs, now).await?;
        Ok(())
    }

    /// The inbox changes for withdrawing these notifications. The inboxes must be locked.
    pub(super) async fn withdrawal_changes_of(
        &mut self,
        refs: NotificationRefs,
        reason: WithdrawalReason,
        now: DateTime<Utc>,
    ) -> Result<Vec<(UserId, InboxChanges)>> {
        if refs.is_empty() {
            return Ok(vec![]);
        }
        self.withdrawal_changes(LoadWithdrawals::of(refs), reason, now).await
    }

    async fn withdrawal_changes(
        &mut self,
        load: LoadWithdrawals,
        reason: WithdrawalReason,
        now: DateTime<Utc>,
    ) -> Result<Vec<(UserId, InboxChanges)>> {
        let rows: Vec<Row> = load.load(self.conn).await?;
        let changes = rows.into_iter().map(|row| {
            let Withdrawal { parent, children, remaining } = Withdrawal::try_from(row)?;
            Ok((parent.recipient, withdraw(&parent, &children, remaining.as_ref(), reason, now)))
        });
        changes.collect()
    }

    /// Finds the notifications of removed mentions.
    pub(super) async fn find_mentions(
        &mut self,
        removed: RemovedMentions<'_>,
    ) -> Result<NotificationRefs> {
        if removed.usernames.is_empty() {
            return Ok(vec![]);
        }
        let find = FindMentions {
            actor: removed.actor.into(),
            act: removed.mention.dedup_key(),
            usernames: removed.usernames.iter().map(|name| name.to_ascii_lowercase()).collect(),
            kept: removed.kept.iter().map(|name| name.to_ascii_lowercase()).collect(),
        };
        Ok(find.load(self.conn).await?)
    }
}

/// Mentions that an edit removed from a text.
#[derive(Debug, Clone, Copy)]
pub struct RemovedMentions<'a> {
    /// The author of the text.
    pub actor: UserId,
    /// The act of mentioning users in the text.
    pub mention: Act,
    /// The usernames that the text no longer mentions, case-insensitive.
    pub usernames: &'a [&'a str],
    /// The usernames that the text mentions now, case-insensitive. A user who has one of these, and one of the others as a
    /// former name, stays mentioned.
    pub kept: &'a [&'a str],
}

/// Counts how often each user occurs: the sequence numbers to reserve for withdrawals.
pub(super) fn count_per_user(users: impl Iterator<Item = UserId>) -> HashMap<UserId, i64> {
    let mut changes = HashMap::new();
    for user in users {
        *changes.entry(user).or_default() += 1;
    }
    changes
}

/// A top-level notification, with its withdrawn children or with the child whose emoji changes.
struct Withdrawal {
    parent: Notification,
    /// The children, or the notification itself if it is not a batch.
    children: Vec<Notification>,
    remaining: Option<RemainingBatch>,
}

/// The remaining children, if any: the number of children and of actors, the newest child, and whether all children are
/// read.
type RemainingBatchColumns = (i32, i32, Option<Value>, bool);

type Row = (Value, Value, RemainingBatchColumns);

impl TryFrom<Row> for Withdrawal {
    type Error = StorageError;

    fn try_from((parent, children, remaining): Row) -> Result<Self> {
        let corrupt = || StorageError::Corrupt { column: "notifications" };
        let Value::Array(children) = children else { return Err(corrupt()) };
        let children =
            children.into_iter().map(notification_from_json).collect::<Result<Vec<_>>>()?;
        let parent = notification_from_json(parent)?;
        Ok(Self { parent, children, remaining: remaining_batch(remaining)? })
    }
}

fn remaining_batch(
    (child_count, actor_count, newest, all_read): RemainingBatchColumns,
) -> Result<Option<RemainingBatch>> {
    let Some(newest) = newest else { return Ok(None) };
    let counts = BatchCounts { child_count, actor_count };
    Ok(Some(RemainingBatch { counts, newest: notification_from_json(newest)?, all_read }))
}

impl LoadWithdrawals {
    fn of(refs: NotificationRefs) -> Self {
        let (ids, owners) = refs.into_iter().unzip();
        Self { ids, owners, recipients: vec![], actors: vec![], acts: vec![], is_withdrawal: true }
    }

    fn of_causes(causes: &[Cause]) -> Self {
        Self {
            recipients: causes.iter().map(|cause| cause.recipient.into()).collect(),
            actors: causes.iter().map(|cause| cause.actor.into()).collect(),
            acts: causes.iter().map(|cause| cause.act.dedup_key()).collect(),
            ..Self::of(vec![])
        }
    }
}

statement! {
    /// Looks up one notification per user. A search that starts from the post or from its author could read many.
    FindMentions {
        actor: i64 as BigInt,
        act: String as Text,
        usernames: Vec<String> as Array<Text>,
        kept: Vec<String> as Array<Text>,
    } -> (SqlUuid, BigInt),
    "WITH people AS MATERIALIZED (
        (
            SELECT id FROM users WHERE lower(username) = ANY (:usernames)
            UNION SELECT user_id FROM released_usernames WHERE username = ANY (:usernames)
        ) EXCEPT (
            SELECT id FROM users WHERE lower(username) = ANY (:kept)
            UNION SELECT user_id FROM released_usernames WHERE username = ANY (:kept)
        )
    )
    SELECT told.id, people.id FROM people CROSS JOIN LATERAL (
        SELECT it.id FROM notifications AS it
        WHERE it.user_id = people.id AND it.actor_id = :actor AND it.act = :act
            AND hashtextextended(it.act, 0) = hashtextextended(:act, 0)
        LIMIT 1
    ) AS told"
}

statement! {
    /// Loads the top-level notifications that these notifications are or belong to, and what remains in the batches. If
    /// `is_withdrawal`, the given notifications leave and do not count as remaining; otherwise they stay and change.
    LoadWithdrawals {
        ids: Vec<Uuid> as Array<SqlUuid>,
        owners: Vec<i64> as Array<BigInt>,
        recipients: Vec<i64> as Array<BigInt>,
        actors: Vec<i64> as Array<BigInt>,
        acts: Vec<String> as Array<Text>,
        is_withdrawal: bool as Bool,
    } -> (
        Jsonb,
        Jsonb,
        (Integer, Integer, Nullable<Jsonb>, Bool)
    ),
    "WITH entry AS MATERIALIZED (
        SELECT it.* FROM unnest(:owners, :ids) AS ref (user_id, id)
        JOIN notifications AS it ON it.user_id = ref.user_id AND it.id = ref.id
        UNION ALL
        SELECT it.* FROM unnest(:recipients, :actors, :acts) AS cause (user_id, actor_id, act)
        JOIN notifications AS it
            ON it.user_id = cause.user_id AND it.actor_id = cause.actor_id AND it.act = cause.act
            AND hashtextextended(it.act, 0) = hashtextextended(cause.act, 0)
    ), loss AS (
        SELECT user_id, coalesce(parent_id, id) AS top_id, array_agg(id) AS ids, array_agg(DISTINCT actor_id) AS actors,
            jsonb_agg(to_jsonb(entry)) AS gone, count(*) FILTER (WHERE :is_withdrawal) AS entries
        FROM entry GROUP BY user_id, coalesce(parent_id, id)
    )
    SELECT to_jsonb(top), loss.gone,
        (top.batch_count - loss.entries)::integer,
        (top.actor_count - (
            SELECT count(*) FROM unnest(loss.actors) AS gone (actor_id)
            WHERE :is_withdrawal AND NOT EXISTS (
                SELECT FROM notifications AS it
                WHERE it.parent_id = top.id AND it.actor_id = gone.actor_id AND NOT (it.id = ANY (loss.ids))
            )
        ))::integer,
        to_jsonb(newest),
        NOT EXISTS (
            SELECT FROM notifications AS it
            WHERE it.parent_id = top.id AND NOT it.read AND NOT (:is_withdrawal AND it.id = ANY (loss.ids))
        )
    FROM loss
    JOIN notifications AS top ON top.user_id = loss.user_id AND top.id = loss.top_id
    LEFT JOIN LATERAL (
        SELECT it.* FROM notifications AS it
        WHERE it.parent_id = top.id AND NOT (:is_withdrawal AND it.id = ANY (loss.ids))
        ORDER BY it.created_at DESC, it.id DESC LIMIT 1
    ) AS newest ON true"
}

statement! {
    /// Reads the notifications of the author's own inbox from neither side of the index range.
    FindAboutHiddenPost { post: Uuid as SqlUuid, author: i64 as BigInt, limit: i64 as BigInt } -> (SqlUuid, BigInt),
    "WITH before AS (
        SELECT id, user_id FROM notifications
        WHERE post_id = :post AND user_id < :author AND act IS NOT NULL LIMIT :limit
    ), after AS (
        SELECT id, user_id FROM notifications
        WHERE post_id = :post AND user_id > :author AND act IS NOT NULL LIMIT :limit
    )
    SELECT id, user_id FROM before UNION ALL SELECT id, user_id FROM after LIMIT :limit"
}

statement! {
    /// One look-up in the notifications per post of the two users, so that the size of their inboxes does not matter.
    FindBetween { user: i64 as BigInt, other: i64 as BigInt, limit: i64 as BigInt } -> (SqlUuid, BigInt),
    "WITH side AS (
        SELECT :user AS reader, :other AS hidden UNION ALL SELECT :other, :user
    ), caused AS (
        SELECT it.id, it.user_id FROM side, LATERAL (
            SELECT id, user_id FROM notifications
            WHERE user_id = side.reader AND actor_id = side.hidden AND hashtextextended(act, 0) IS NOT NULL
            LIMIT :limit
        ) AS it
    ), about AS (
        SELECT it.id, it.user_id FROM side
        JOIN posts ON posts.author_id = side.hidden, LATERAL (
            SELECT id, user_id FROM notifications
            WHERE post_id = posts.id AND user_id = side.reader AND act IS NOT NULL LIMIT :limit
        ) AS it
    ), found AS (
        SELECT id, user_id FROM caused UNION ALL SELECT id, user_id FROM about
    )
    SELECT DISTINCT id, user_id FROM (SELECT * FROM found LIMIT :limit) AS part"
}
