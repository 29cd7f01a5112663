//! Taking back what people were told, and correcting it.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use diesel::dsl;
use diesel::prelude::*;
use diesel::sql_types::{
    Array, BigInt, Bool, Integer, Jsonb, Nullable, Text, Timestamptz, Uuid as SqlUuid,
};
use diesel_async::RunQueryDsl;
use grateful_domain::notification::{
    Act, BatchCounts, Cause, InboxChanges, RemainingBatch, update_reaction, withdraw,
};
use grateful_domain::{Author, CommentId, Emoji, Notification, NotificationType, PostId, UserId};
use serde_json::Value;
use uuid::Uuid;

use super::Notifications;
use crate::query::statement;
use crate::rows::{AuthorColumns, author_from_columns, emoji_from_code, notification_from_json};
use crate::schema::notifications;
use crate::{Result, StorageError};

/// Entries, and whose inboxes they are in.
pub(super) type NotificationRefs = Vec<(Uuid, i64)>;

/// Whatever tells of an act, in a list or below a batch.
#[dsl::auto_type]
fn entries() -> _ {
    notifications::table
        .filter(notifications::act.is_not_null())
        .select((notifications::id, notifications::user_id))
}

impl Notifications<'_> {
    /// Takes back what was told of acts that are undone in this transaction. Should one be done again within a day, it is
    /// no news. Three statements, however many acts there are.
    pub async fn withdraw(&mut self, causes: &[Cause], now: DateTime<Utc>) -> Result<()> {
        let changes = one_each(causes.iter().map(|cause| cause.recipient));
        self.withdraw_found(changes, LoadWithdrawals::of_causes(causes), now).await
    }

    /// Shows another emoji where a reaction was changed. It is no event, and nobody is told.
    pub async fn update_reaction(
        &mut self,
        cause: Cause,
        emoji: Emoji,
        now: DateTime<Utc>,
    ) -> Result<()> {
        let changes = HashMap::from([(cause.recipient, 1)]);
        let last_seqs = self.lock_and_reserve(&changes).await?;
        let look = LoadWithdrawals { leave: false, ..LoadWithdrawals::of_causes(&[cause]) };
        let rows: Vec<Row> = look.load(self.conn).await?;
        let Some(row) = rows.into_iter().next() else { return Ok(()) };
        let withdrawal = Withdrawal::try_from(row)?;
        let [entry] = &withdrawal.gone[..] else { return Ok(()) };
        let batch = withdrawal.remains.as_ref().map(|remains| (&withdrawal.top, remains));
        let outcome = update_reaction(entry, emoji, &withdrawal.actor, batch);
        self.write(vec![(cause.recipient, outcome)], last_seqs, now).await?;
        Ok(())
    }

    /// Takes back what people were told of these comments, which are about to go for good. The rows of the comments must
    /// be locked, or that of their post.
    pub async fn withdraw_for_comments(
        &mut self,
        comments: &[CommentId],
        now: DateTime<Utc>,
    ) -> Result<()> {
        let comments: Vec<Uuid> = comments.iter().copied().map(Uuid::from).collect();
        let entries: NotificationRefs =
            entries().filter(notifications::comment_id.eq_any(comments)).load(self.conn).await?;
        self.withdraw_entries(entries, now).await
    }

    /// Takes back what people were told of a post that only its author sees from now on: that it names them, and that it
    /// was sent to them. Should it be shown to everybody again within a day, that it names them is no news.
    pub async fn withdraw_for_hidden_post(
        &mut self,
        post: PostId,
        author: UserId,
        now: DateTime<Utc>,
    ) -> Result<()> {
        let told = [NotificationType::Mention, NotificationType::PostShared];
        let entries: NotificationRefs = entries()
            .filter(notifications::post_id.eq(Uuid::from(post)))
            .filter(notifications::kind.eq_any(told.map(NotificationType::code)))
            .filter(notifications::user_id.ne(i64::from(author)))
            .load(self.conn)
            .await?;
        self.withdraw_entries(entries, now).await
    }

    /// Takes back what two people were told of each other. Their rows must be locked against new acts.
    pub async fn withdraw_between(
        &mut self,
        one: UserId,
        other: UserId,
        now: DateTime<Utc>,
    ) -> Result<()> {
        let (one, other) = (i64::from(one), i64::from(other));
        let told = |recipient: i64, actor: i64| {
            notifications::user_id.eq(recipient).and(notifications::actor_id.eq(actor))
        };
        let entries: NotificationRefs =
            entries().filter(told(one, other).or(told(other, one))).load(self.conn).await?;
        self.withdraw_entries(entries, now).await
    }

    /// Takes back up to `limit` of what others were told of this person. Tells how much there was.
    pub async fn withdraw_batch_by(
        &mut self,
        actor: UserId,
        limit: i64,
        now: DateTime<Utc>,
    ) -> Result<i64> {
        let entries: NotificationRefs = entries()
            .filter(notifications::actor_id.eq(i64::from(actor)))
            .limit(limit)
            .load(self.conn)
            .await?;
        let some = i64::try_from(entries.len()).unwrap_or(limit);
        self.withdraw_entries(entries, now).await?;
        Ok(some)
    }

    /// Takes back all that anybody was told of a post, which is about to go: whole batches, since each is about one post.
    pub async fn withdraw_for_post(&mut self, post: PostId, now: DateTime<Utc>) -> Result<()> {
        let about = notifications::table.filter(notifications::post_id.eq(Uuid::from(post)));
        let listed: Vec<i64> = about
            .filter(notifications::parent_id.is_null())
            .select(notifications::user_id)
            .load(self.conn)
            .await?;
        if listed.is_empty() {
            return Ok(());
        }
        self.lock_all(listed).await?;
        DeleteForPost { post: post.into(), now }.get_result::<i64>(self.conn).await?;
        Ok(())
    }

    /// Locks the inboxes of all whom somebody was told to, and of all who were told of these posts, in the order of their
    /// ids: for whoever withdraws from some of them one after the other.
    pub async fn lock_inboxes_about(&mut self, actor: UserId, posts: &[PostId]) -> Result<()> {
        let posts: Vec<Uuid> = posts.iter().copied().map(Uuid::from).collect();
        let by_actor = notifications::actor_id.eq(i64::from(actor));
        let told: Vec<i64> = notifications::table
            .filter(by_actor.or(notifications::post_id.eq_any(posts)))
            .select(notifications::user_id)
            .distinct()
            .load(self.conn)
            .await?;
        self.lock_all(told).await
    }

    /// Locks the inboxes of these people, in the order of their ids: for whoever withdraws from some of them and then tells
    /// others.
    pub async fn lock_inboxes(&mut self, people: &[UserId]) -> Result<()> {
        self.lock_all(people.iter().copied().map(i64::from).collect()).await
    }

    /// Locks inboxes without taking a number of them.
    async fn lock_all(&mut self, users: Vec<i64>) -> Result<()> {
        self.lock_and_reserve(&users.into_iter().map(|user| (user.into(), 0)).collect()).await?;
        Ok(())
    }

    async fn withdraw_entries(
        &mut self,
        entries: NotificationRefs,
        now: DateTime<Utc>,
    ) -> Result<()> {
        let changes = one_each(entries.iter().map(|(_, user)| UserId::from(*user)));
        let ids = entries.into_iter().map(|(id, _)| id).collect();
        self.withdraw_found(changes, LoadWithdrawals::of(ids), now).await
    }

    async fn withdraw_found(
        &mut self,
        changes: HashMap<UserId, i64>,
        look: LoadWithdrawals,
        now: DateTime<Utc>,
    ) -> Result<()> {
        if changes.is_empty() {
            return Ok(());
        }
        let last_seqs = self.lock_and_reserve(&changes).await?;
        let outcomes = self.load_withdrawals(look, now).await?;
        self.write(outcomes, last_seqs, now).await?;
        Ok(())
    }

    /// What becomes of the lists that these entries leave, which are locked.
    pub(super) async fn changes_for_withdrawn(
        &mut self,
        entries: NotificationRefs,
        now: DateTime<Utc>,
    ) -> Result<Vec<(UserId, InboxChanges)>> {
        if entries.is_empty() {
            return Ok(vec![]);
        }
        self.load_withdrawals(
            LoadWithdrawals::of(entries.into_iter().map(|(id, _)| id).collect()),
            now,
        )
        .await
    }

    async fn load_withdrawals(
        &mut self,
        look: LoadWithdrawals,
        now: DateTime<Utc>,
    ) -> Result<Vec<(UserId, InboxChanges)>> {
        let rows: Vec<Row> = look.load(self.conn).await?;
        let outcomes = rows.into_iter().map(|row| {
            let Withdrawal { top, gone, remains, .. } = Withdrawal::try_from(row)?;
            Ok((top.recipient, withdraw(&top, &gone, remains.as_ref(), now)))
        });
        outcomes.collect()
    }

    /// What told these people that they are named.
    pub(super) async fn find_mentions(
        &mut self,
        gone: RemovedMentions<'_>,
    ) -> Result<NotificationRefs> {
        if gone.usernames.is_empty() {
            return Ok(vec![]);
        }
        let told = FindMentions {
            actor: gone.actor.into(),
            act: gone.mention.dedup_key(),
            names: gone.usernames.iter().map(|name| name.to_ascii_lowercase()).collect(),
        };
        Ok(told.load(self.conn).await?)
    }
}

/// Whom an edited text does not name any more.
#[derive(Debug, Clone, Copy)]
pub struct RemovedMentions<'a> {
    /// Whose text it is.
    pub actor: UserId,
    /// What told them.
    pub mention: Act,
    /// Their usernames, whatever their case.
    pub usernames: &'a [&'a str],
}

/// A change for each time that somebody is named.
pub(super) fn one_each(users: impl Iterator<Item = UserId>) -> HashMap<UserId, i64> {
    let mut changes = HashMap::new();
    for user in users {
        *changes.entry(user).or_default() += 1;
    }
    changes
}

/// A notification of the list that is to lose entries, or to show another emoji in one.
struct Withdrawal {
    top: Notification,
    /// The entries; of a single, itself.
    gone: Vec<Notification>,
    /// Who did the first of them.
    actor: Author,
    remains: Option<RemainingBatch>,
}

/// What is left, where something is: how much of how many, the newest of it, who did that, and their emoji.
type RemainingBatchColumns = (i32, i32, Option<Value>, Option<AuthorColumns>, Option<String>);

type Row = (Value, Value, AuthorColumns, RemainingBatchColumns);

impl TryFrom<Row> for Withdrawal {
    type Error = StorageError;

    fn try_from((top, gone, actor, remains): Row) -> Result<Self> {
        let corrupt = || StorageError::Corrupt { column: "notifications" };
        let Value::Array(gone) = gone else { return Err(corrupt()) };
        let gone = gone.into_iter().map(notification_from_json).collect::<Result<Vec<_>>>()?;
        let [Notification { actor: Some(by), .. }, ..] = gone[..] else { return Err(corrupt()) };
        Ok(Self {
            top: notification_from_json(top)?,
            actor: author_from_columns(by, actor),
            gone,
            remains: remaining_batch(remains)?,
        })
    }
}

fn remaining_batch(
    (child_count, actor_count, newest, actor, emoji): RemainingBatchColumns,
) -> Result<Option<RemainingBatch>> {
    let Some((newest, actor)) = newest.zip(actor) else { return Ok(None) };
    let newest = notification_from_json(newest)?;
    let by = newest.actor.ok_or(StorageError::Corrupt { column: "notifications.actor_id" })?;
    Ok(Some(RemainingBatch {
        counts: BatchCounts { child_count, actor_count },
        actor: author_from_columns(by, actor),
        newest,
        emoji: emoji.as_deref().map(emoji_from_code).transpose()?,
    }))
}

impl LoadWithdrawals {
    fn of(ids: Vec<Uuid>) -> Self {
        Self { ids, recipients: vec![], actors: vec![], acts: vec![], leave: true }
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
    /// Goes from the people to what they were told: a post may have many entries, and so may whoever wrote it.
    FindMentions(actor: i64 as BigInt, act: String as Text, names: Vec<String> as Array<Text>) -> (SqlUuid, BigInt) {
        "people AS MATERIALIZED (
            SELECT id FROM users WHERE lower(username) = ANY ($3)
        )
        SELECT told.id, people.id FROM people CROSS JOIN LATERAL (
            SELECT it.id FROM notifications AS it
            WHERE it.user_id = people.id AND it.actor_id = $1 AND it.act = $2 LIMIT 1
        ) AS told"
    }
}

statement! {
    /// The notifications of the list that these entries are in or are, with what they have beside them; beside the entries
    /// that leave, or with those that stay and change.
    LoadWithdrawals(
        ids: Vec<Uuid> as Array<SqlUuid>,
        recipients: Vec<i64> as Array<BigInt>,
        actors: Vec<i64> as Array<BigInt>,
        acts: Vec<String> as Array<Text>,
        leave: bool as Bool
    ) -> (
        Jsonb,
        Jsonb,
        (Text, Nullable<Text>, Nullable<Text>),
        (Integer, Integer, Nullable<Jsonb>, Nullable<(Text, Nullable<Text>, Nullable<Text>)>, Nullable<Text>)
    ) {
        "entry AS MATERIALIZED (
            SELECT it.* FROM notifications AS it WHERE it.id = ANY ($1)
            UNION ALL
            SELECT it.* FROM unnest($2, $3, $4) AS cause (user_id, actor_id, act)
            JOIN notifications AS it
                ON it.user_id = cause.user_id AND it.actor_id = cause.actor_id AND it.act = cause.act
        ), loss AS (
            SELECT coalesce(parent_id, id) AS top_id, array_agg(id) AS ids, array_agg(DISTINCT actor_id) AS actors,
                jsonb_agg(to_jsonb(entry)) AS gone, (array_agg(actor_id))[1] AS actor_id,
                count(*) FILTER (WHERE $5) AS entries
            FROM entry GROUP BY coalesce(parent_id, id)
        )
        SELECT to_jsonb(top), loss.gone, actor.username, actor.display_name, actor.profile_image_url,
            (top.batch_count - loss.entries)::integer,
            (top.actor_count - (
                SELECT count(*) FROM unnest(loss.actors) AS gone (actor_id)
                WHERE $5 AND NOT EXISTS (
                    SELECT FROM notifications AS it
                    WHERE it.parent_id = top.id AND it.actor_id = gone.actor_id AND NOT (it.id = ANY (loss.ids))
                )
            ))::integer,
            to_jsonb(newest), by.username, by.display_name, by.profile_image_url, emoji.code
        FROM loss
        JOIN notifications AS top ON top.id = loss.top_id
        JOIN users AS actor ON actor.id = loss.actor_id
        LEFT JOIN LATERAL (
            SELECT it.* FROM notifications AS it
            WHERE it.parent_id = top.id AND NOT ($5 AND it.id = ANY (loss.ids))
            ORDER BY it.created_at DESC, it.id DESC LIMIT 1
        ) AS newest ON true
        LEFT JOIN users AS by ON by.id = newest.actor_id
        LEFT JOIN LATERAL (
            SELECT it.data ->> 'emoji_code' AS code FROM notifications AS it
            WHERE it.parent_id = top.id AND it.actor_id = newest.actor_id AND it.type = 'emoji_reaction'
                AND NOT ($5 AND it.id = ANY (loss.ids))
            LIMIT 1
        ) AS emoji ON true"
    }
}

statement! {
    /// The inboxes are locked.
    DeleteForPost(post: Uuid as SqlUuid, now: DateTime<Utc> as Timestamptz) -> BigInt {
        "gone AS (
            DELETE FROM notifications WHERE post_id = $1 RETURNING id, user_id, parent_id
        ), listed AS (
            SELECT id, user_id, row_number() OVER (PARTITION BY user_id ORDER BY id) AS number
            FROM gone WHERE parent_id IS NULL
        ), counted AS (
            UPDATE inboxes SET last_seq = last_seq + new.changes
            FROM (SELECT user_id, count(*) AS changes FROM listed GROUP BY user_id) AS new
            WHERE inboxes.user_id = new.user_id
            RETURNING inboxes.user_id, inboxes.last_seq - new.changes AS seq
        ), departed AS (
            INSERT INTO notification_removals (user_id, seq, notification_id, removed_at)
            SELECT listed.user_id, counted.seq + listed.number, listed.id, $2
            FROM listed JOIN counted ON counted.user_id = listed.user_id
        )
        SELECT count(*) FROM gone"
    }
}
