//! Acts without a notification, and without a reason that rows show.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Integer, Jsonb, Timestamptz};
use diesel_async::RunQueryDsl;
use grateful_domain::notification::{Cause, SuppressionReason};
use serde_json::{Value, json};
use uuid::Uuid;

use super::Counters;
use super::acts::{self, ActTable, ExpectedNotification};
use super::causes::act_exists;
use crate::Result;
use crate::query::statement;
use crate::repositories::Repositories;
use crate::schema::{suppressed_notifications, users};

/// An act that should have notified a user, and neither did nor has a reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MissingNotification(ExpectedNotification);

impl MissingNotification {
    /// The act, its actor, and the user who was not notified.
    pub fn cause(&self) -> Cause {
        self.0.cause
    }
}

/// The result of verifying a batch of acts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifiedActs {
    /// The number of verified rows.
    pub rows: u64,
    /// The key of the last row.
    pub last_key: Uuid,
    /// The missing notifications.
    pub missing: Vec<MissingNotification>,
}

impl Counters<'_> {
    /// Verifies that up to `limit` acts after the key `after` have their notifications. Notifications of acts from before
    /// `read_before` may have been deleted after they were read. Returns `None` if there are no more rows.
    ///
    /// One statement compares the acts with the notifications and the reasons, so that acts in progress are no difference:
    /// what other statements have read before only says what to compare.
    pub async fn verify_acts(
        &mut self,
        table: ActTable,
        after: Option<Uuid>,
        limit: i64,
        read_before: DateTime<Utc>,
    ) -> Result<Option<VerifiedActs>> {
        let Some(listed) = acts::list(self.conn, table, after, limit).await? else {
            return Ok(None);
        };
        Ok(Some(VerifiedActs {
            rows: listed.rows,
            last_key: listed.last_key,
            missing: self.find_missing(listed.expected, read_before).await?,
        }))
    }

    /// Accepts that a notification is missing: stores the act with the reason [`SuppressionReason::Unknown`], if the
    /// notification is still missing. Locks the users and the inbox, so it needs its own transaction.
    pub async fn accept_missing(
        &mut self,
        missing: MissingNotification,
        read_before: DateTime<Utc>,
        now: DateTime<Utc>,
    ) -> Result<()> {
        let Cause { recipient, actor, act } = missing.cause();
        // Separate statements: those after the locks see what was committed while the locks were awaited.
        users::table
            .filter(users::id.eq_any([i64::from(recipient), i64::from(actor)]))
            .order(users::id)
            .select(users::id)
            .for_key_share()
            .execute(self.conn)
            .await?;
        self.conn.notifications().lock_inboxes(&[recipient]).await?;
        if self.find_missing(vec![missing.0], read_before).await?.is_empty() {
            return Ok(());
        }
        diesel::insert_into(suppressed_notifications::table)
            .values((
                suppressed_notifications::user_id.eq(i64::from(recipient)),
                suppressed_notifications::actor_id.eq(i64::from(actor)),
                suppressed_notifications::act.eq(act.dedup_key()),
                suppressed_notifications::reason.eq(SuppressionReason::Unknown.code()),
                suppressed_notifications::suppressed_at.eq(now),
            ))
            .on_conflict_do_nothing()
            .execute(self.conn)
            .await?;
        Ok(())
    }

    async fn find_missing(
        &mut self,
        expected: Vec<ExpectedNotification>,
        read_before: DateTime<Utc>,
    ) -> Result<Vec<MissingNotification>> {
        if expected.is_empty() {
            return Ok(vec![]);
        }
        let find = FindMissing {
            expected: expected.iter().enumerate().map(to_row).collect(),
            accepted: expected.iter().enumerate().flat_map(to_accepted_rows).collect(),
            read_before,
        };
        let numbers: Vec<i32> = find.load(self.conn).await?;
        let numbered = (0..).zip(expected);
        let missing = numbered.filter(|(number, _)| numbers.binary_search(number).is_ok());
        Ok(missing.map(|(_, expected)| MissingNotification(expected)).collect())
    }
}

fn to_row((number, expected): (usize, &ExpectedNotification)) -> Value {
    let ExpectedNotification { cause, at, text, username, .. } = expected;
    json!({
        "number": number,
        "type": cause.act.kind().code(),
        "user_id": i64::from(cause.recipient),
        "actor_id": i64::from(cause.actor),
        "act": cause.act.dedup_key(),
        "post_id": cause.act.post().map(Uuid::from),
        "comment_id": cause.act.comment().map(Uuid::from),
        "at": at,
        "content": text,
        "username": username,
    })
}

fn to_accepted_rows((number, expected): (usize, &ExpectedNotification)) -> Vec<Value> {
    let row = |cause: &Cause| {
        json!({
            "number": number,
            "user_id": i64::from(cause.recipient),
            "actor_id": i64::from(cause.actor),
            "act": cause.act.dedup_key(),
        })
    };
    expected.alternatives.iter().map(row).collect()
}

statement! {
    /// The reasons that rows show, in this order: a notification or a stored reason; retention; an account or a post that is being
    /// deleted; a private post; an edit since the
    /// text was read; a name that the recipient took after the text was written; a block. `count(*)` makes PostgreSQL look up the
    /// rows of each act. With `EXISTS`, it might search all notifications instead.
    FindMissing {
        expected: Value as Jsonb,
        accepted: Value as Jsonb,
        read_before: DateTime<Utc> as Timestamptz,
    } -> Integer,
    format!(
        "WITH it AS MATERIALIZED (
    SELECT * FROM jsonb_to_recordset(:expected) AS it (
        number integer, type text, user_id bigint, actor_id bigint, act text, post_id uuid, comment_id uuid,
        at timestamptz, content text, username text
    )
), explained AS MATERIALIZED (
    SELECT accepted.number
    FROM jsonb_to_recordset(:accepted) AS accepted (number integer, user_id bigint, actor_id bigint, act text)
    WHERE 0 < (
        SELECT count(*) FROM notifications AS found
        WHERE found.user_id = accepted.user_id AND found.actor_id = accepted.actor_id
            AND notification_act(found.act, found.type, found.post_id, found.comment_id) = accepted.act
            AND hashtextextended(notification_act(found.act, found.type, found.post_id, found.comment_id), 0)
                = hashtextextended(accepted.act, 0)
    ) + (
        SELECT count(*) FROM suppressed_notifications AS found
        WHERE found.user_id = accepted.user_id AND found.actor_id = accepted.actor_id
            AND found.act = accepted.act AND (found.reason <> 'restored' OR found.suppressed_at < :read_before)
    )
)
SELECT it.number FROM it
JOIN users AS recipient ON recipient.id = it.user_id AND recipient.deleted_at IS NULL
JOIN users AS actor ON actor.id = it.actor_id AND actor.deleted_at IS NULL
LEFT JOIN posts AS post ON post.id = it.post_id
LEFT JOIN comments AS comment ON comment.id = it.comment_id
WHERE it.number NOT IN (SELECT number FROM explained)
    AND it.user_id <> it.actor_id
    AND :read_before <= it.at
    AND post.deleted_at IS NULL
    AND (post.id IS NULL OR post.is_public OR post.author_id = it.user_id)
    AND (it.content IS NULL OR it.content = coalesce(comment.content, post.content))
    AND (it.username IS NULL OR (
        lower(recipient.username) = it.username
        AND greatest(recipient.created_at, recipient.username_changed_at) <= it.at
    ))
    AND 0 = (
        SELECT count(*) FILTER (WHERE status = 'blocked') FROM follows
        WHERE follower_id = it.user_id AND followed_id IN (it.actor_id, post.author_id)
    ) + (
        SELECT count(*) FILTER (WHERE status = 'blocked') FROM follows
        WHERE followed_id = it.user_id AND follower_id IN (it.actor_id, post.author_id)
    )
    AND {}
ORDER BY it.number",
        act_exists()
    )
}
