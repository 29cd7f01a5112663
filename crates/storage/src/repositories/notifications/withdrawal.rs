//! Withdraws notifications together: of comments, of a post, of a block, of an account.

use chrono::{DateTime, Utc};
use diesel::dsl;
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Text, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use grateful_domain::notification::{Act, WithdrawalReason};
use grateful_domain::{CommentId, PostId, UserId};
use uuid::Uuid;

use super::Notifications;
use crate::Result;
use crate::query::statement;
use crate::schema::notifications;

/// Ids of notifications, and of their recipients.
pub(crate) type NotificationRefs = Vec<(Uuid, i64)>;

/// Notifications to withdraw by their ids.
pub(super) struct RefsToWithdraw {
    pub(super) refs: NotificationRefs,
    pub(super) reason: WithdrawalReason,
    pub(super) at: DateTime<Utc>,
}

/// All notifications of acts: single ones and children of batches.
#[dsl::auto_type]
fn notification_refs() -> _ {
    notifications::table
        .filter(notifications::act.is_not_null())
        .select((notifications::id, notifications::user_id))
}

impl Notifications<'_> {
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
        self.lock_and_reserve(&users.iter().map(|user| (*user, 0)).collect()).await?;
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
        self.apply(Some(RefsToWithdraw { refs, reason, at: now }), &[]).await?;
        Ok(())
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
        WHERE it.user_id = people.id AND it.actor_id = :actor
            AND notification_act(it.act, it.type, it.post_id, it.comment_id) = :act
            AND hashtextextended(notification_act(it.act, it.type, it.post_id, it.comment_id), 0)
                = hashtextextended(:act, 0)
        LIMIT 1
    ) AS told"
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
            WHERE user_id = side.reader AND actor_id = side.hidden
                AND hashtextextended(notification_act(act, type, post_id, comment_id), 0) IS NOT NULL
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
