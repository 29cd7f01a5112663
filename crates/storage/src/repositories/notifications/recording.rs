//! Records events as notifications.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use diesel::sql_types::{Array, BigInt, Bool, Jsonb, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use grateful_domain::notification::{
    Act, BatchDecision, Deliverability, Event, InboxChanges, InboxContext, ParentNotification,
    WithdrawalReason, WithdrawnNotification, decide, record,
};
use grateful_domain::{NotificationId, NotificationType, Preferences, UserId};
use serde_json::Value;
use uuid::Uuid;

use super::Notifications;
use super::withdrawal::{RemovedMentions, count_per_user};
use super::writes::WithdrawnRow;
use crate::monitor::metrics::Outcome;
use crate::monitor::record_outcome;
use crate::query::statement;
use crate::rows::notification_from_json;
use crate::{Result, StorageError};

/// The result of recording events.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RecordResult {
    /// The events that the hourly limit held back.
    pub held_back: Vec<HeldBackEvent>,
}

/// An event without a notification, because the recipient has reached the hourly limit for its type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct HeldBackEvent {
    /// The recipient.
    pub recipient: UserId,
    /// The type of the notification.
    pub kind: NotificationType,
}

impl Notifications<'_> {
    /// Records each event in the inbox of its recipient. An event that is already recorded changes nothing. Runs three
    /// statements for any number of events, as long as no recipient has several. Otherwise it runs three statements per
    /// round, and there are as many rounds as one recipient has events at most.
    ///
    /// Skips events that the recipient caused, events across a block, muted types, and mentions or replies in posts that the
    /// recipient cannot see. Run this in the transaction of the act, after
    /// [`Users::lock_participants`](crate::Users::lock_participants), so that no block is created in between, and after the
    /// lock on the post. Pass events in the order in which they happened.
    pub async fn record(&mut self, events: &[Event]) -> Result<RecordResult> {
        let mut result = RecordResult::default();
        for round in rounds(events) {
            let Some(now) = round.iter().map(|event| event.at).max() else { continue };
            let last_seqs = self.lock_and_reserve(&reservations(&round)).await?;
            let DecidedChanges { inbox_changes, decisions } = self.decide_all(&round).await?;
            let held_back = held_back(self.write(inbox_changes, last_seqs, now).await?);
            record_outcomes(decisions, &held_back);
            result.held_back.extend(held_back);
        }
        Ok(result)
    }

    /// After an edit of a text: records the events of new mentions, and withdraws the notifications of removed ones. Runs at
    /// most five statements for any number of users. The events must have different recipients.
    ///
    /// The conditions of [`Notifications::record`] apply.
    pub async fn update_mentions(
        &mut self,
        events: &[Event],
        removed: RemovedMentions<'_>,
        now: DateTime<Utc>,
    ) -> Result<RecordResult> {
        let events: Vec<&Event> = events.iter().collect();
        let mut changes = reservations(&events);
        let mut refs = self.find_mentions(removed).await?;
        // A user who just changed from a removed username to an added one is in both lists, and is still mentioned.
        refs.retain(|(_, user)| !changes.contains_key(&UserId::from(*user)));
        // One lock for all inboxes, to keep the id order.
        changes.extend(count_per_user(refs.iter().map(|(_, user)| UserId::from(*user))));
        if changes.is_empty() {
            return Ok(RecordResult::default());
        }
        let last_seqs = self.lock_and_reserve(&changes).await?;
        // A comment that no longer mentions its post's author still notifies them of the comment otherwise.
        let reason = WithdrawalReason::Revoked;
        let mut inbox_changes = self.withdrawal_changes_of(refs, reason, now).await?;
        let decided = self.decide_all(&events).await?;
        inbox_changes.extend(decided.inbox_changes);
        let held_back = held_back(self.write(inbox_changes, last_seqs, now).await?);
        record_outcomes(decided.decisions, &held_back);
        Ok(RecordResult { held_back })
    }

    /// Decides on events with different recipients.
    async fn decide_all(&mut self, events: &[&Event]) -> Result<DecidedChanges> {
        let mut decided = DecidedChanges::default();
        if events.is_empty() {
            return Ok(decided);
        }
        let contexts = self.load_contexts(events).await?;
        for (index, event) in events.iter().enumerate() {
            let Some(context) = contexts.get(&index) else { continue };
            let (recipient, kind) = (event.cause.recipient, event.cause.act.kind());
            decided.decisions.push((HeldBackEvent { recipient, kind }, decide(event, context)));
            decided.inbox_changes.push((recipient, record(event, context)));
        }
        Ok(decided)
    }

    /// Loads the contexts of events, by index.
    async fn load_contexts(&mut self, events: &[&Event]) -> Result<HashMap<usize, InboxContext>> {
        let causes = || events.iter().map(|event| event.cause);
        let load = LoadInboxContexts {
            recipients: causes().map(|cause| cause.recipient.into()).collect(),
            actors: causes().map(|cause| cause.actor.into()).collect(),
            acts: causes().map(|cause| cause.act.dedup_key()).collect(),
            keys: causes().map(|cause| cause.key().map(|key| key.as_str().to_owned())).collect(),
            posts: causes().map(|cause| required_post(cause.act)).collect(),
        };
        let rows: Vec<Row> = load.load(self.conn).await?;
        let mut contexts: HashMap<usize, InboxContext> = HashMap::new();
        for (number, (switches, blocked, is_recorded), withdrawn, parent) in rows {
            // WITH ORDINALITY counts from 1.
            let index = usize::try_from(number - 1).unwrap_or_default();
            let Some(event) = events.get(index) else { continue };
            let withdrawn = withdrawn.map(withdrawn_from_json).transpose()?;
            let muted = !allows_notification(switches, event.cause.act.kind());
            let context = contexts.entry(index).or_insert_with(|| InboxContext {
                deliverability: deliverability(blocked, muted),
                is_recorded,
                withdrawn,
                original_batch: None,
                open: None,
            });
            if let Some(parent) = parent_from_columns(parent)? {
                let original_id = context.withdrawn.as_ref().and_then(|withdrawn| withdrawn.parent);
                let is_original = original_id == Some(parent.notification.id);
                if parent.notification.is_open() && parent.notification.key == event.cause.key() {
                    context.open = Some(parent.clone());
                }
                context.original_batch =
                    context.original_batch.take().or_else(|| is_original.then_some(parent));
            }
        }
        Ok(contexts)
    }
}

/// The sequence numbers to reserve per recipient: one for a notification that leaves the inbox, one for a new one.
fn reservations(events: &[&Event]) -> HashMap<UserId, i64> {
    events.iter().map(|event| (event.cause.recipient, 2)).collect()
}

/// The changes of several inboxes, and the decisions that led to them.
#[derive(Default)]
struct DecidedChanges {
    inbox_changes: Vec<(UserId, InboxChanges)>,
    /// Each with the event to report if the hourly limit holds it back.
    decisions: Vec<(HeldBackEvent, BatchDecision)>,
}

fn held_back(written: Vec<(UserId, NotificationType)>) -> Vec<HeldBackEvent> {
    written.into_iter().map(|(recipient, kind)| HeldBackEvent { recipient, kind }).collect()
}

/// Records the outcome of each event in the metrics.
fn record_outcomes(decisions: Vec<(HeldBackEvent, BatchDecision)>, held_back: &[HeldBackEvent]) {
    for (event, decision) in decisions {
        let is_held_back = decision == BatchDecision::Start && held_back.contains(&event);
        let outcome = if is_held_back { Outcome::HeldBack } else { decision.into() };
        record_outcome(event.kind, outcome);
    }
}

/// Splits events into as few rounds as possible, each with different recipients. Keeps the order per recipient.
fn rounds(events: &[Event]) -> Vec<Vec<&Event>> {
    let mut rounds: Vec<Vec<&Event>> = Vec::new();
    let mut counts: HashMap<UserId, usize> = HashMap::new();
    for event in events {
        let count = counts.entry(event.cause.recipient).or_default();
        if rounds.len() == *count {
            rounds.push(Vec::new());
        }
        rounds[*count].push(event);
        *count += 1;
    }
    rounds
}

/// The post that the recipient must be able to see to be notified. Other acts need no check: they notify the author of the
/// post, or send the post to users who can see it.
fn required_post(act: Act) -> Option<Uuid> {
    match act {
        Act::Mention { post, .. } | Act::Reply { post, .. } => Some(post.into()),
        _ => None,
    }
}

/// Whether a recipient accepts notifications of this type, by the `notifications` of their preferences.
fn allows_notification(switches: Option<Value>, kind: NotificationType) -> bool {
    let preferences = switches.map(|switches| ("notifications".to_owned(), switches));
    Preferences::from_stored(preferences.into_iter().collect()).allows_notification(kind)
}

fn deliverability(blocked: bool, muted: bool) -> Deliverability {
    match (blocked, muted) {
        (true, _) => Deliverability::Blocked,
        (false, true) => Deliverability::Muted,
        (false, false) => Deliverability::Allowed,
    }
}

fn withdrawn_from_json(json: Value) -> Result<WithdrawnNotification> {
    let row: WithdrawnRow = serde_json::from_value(json)
        .map_err(|_| StorageError::Corrupt { column: "withdrawn_notifications" })?;
    Ok(row.into())
}

type ParentColumns = (Option<Value>, Option<DateTime<Utc>>, Option<Uuid>, Option<bool>);

fn parent_from_columns(columns: ParentColumns) -> Result<Option<ParentNotification>> {
    let (Some(json), newest_at, newest_id, has_actor) = columns else { return Ok(None) };
    let notification = notification_from_json(json)?;
    let newest = newest_at.zip(newest_id.map(NotificationId::from));
    let newest = newest.unwrap_or_else(|| notification.sort_key());
    Ok(Some(ParentNotification { notification, newest, has_actor: has_actor == Some(true) }))
}

type Row = (i64, (Option<Value>, bool, bool), Option<Value>, ParentColumns);

statement! {
    /// Returns a row per event. An event whose notification was withdrawn has two rows if another notification is open by
    /// now: the original batch, and the open one. A single notification is its own only child. Blocks are counted between
    /// the actor and the recipient, and between the recipient and the author of the post. With `EXISTS`, PostgreSQL might
    /// search all blocks instead.
    LoadInboxContexts {
        recipients: Vec<i64> as Array<BigInt>,
        actors: Vec<i64> as Array<BigInt>,
        acts: Vec<String> as Array<Text>,
        keys: Vec<Option<String>> as Array<Nullable<Text>>,
        posts: Vec<Option<Uuid>> as Array<Nullable<SqlUuid>>,
    } -> (
        BigInt,
        (Nullable<Jsonb>, Bool, Bool),
        Nullable<Jsonb>,
        (Nullable<Jsonb>, Nullable<Timestamptz>, Nullable<SqlUuid>, Nullable<Bool>)
    ),
    "WITH wanted AS (
        SELECT * FROM unnest(:recipients, :actors, :acts, :keys, :posts)
            WITH ORDINALITY AS wanted (user_id, actor_id, act, batch_key, post_id, number)
    )
    SELECT wanted.number, recipient.profile_preferences -> 'notifications',
        (
            SELECT count(*) FILTER (WHERE status = 'blocked') FROM follows
            WHERE follower_id = wanted.actor_id AND followed_id = wanted.user_id
        ) + (
            SELECT count(*) FILTER (WHERE status = 'blocked') FROM follows
            WHERE follower_id = wanted.user_id AND followed_id = wanted.actor_id
        ) + CASE WHEN post.author_id NOT IN (wanted.user_id, wanted.actor_id) THEN (
            SELECT count(*) FILTER (WHERE status = 'blocked') FROM follows
            WHERE follower_id = post.author_id AND followed_id = wanted.user_id
        ) + (
            SELECT count(*) FILTER (WHERE status = 'blocked') FROM follows
            WHERE follower_id = wanted.user_id AND followed_id = post.author_id
        ) ELSE 0 END > 0 OR (NOT post.is_public AND post.author_id <> wanted.user_id) IS TRUE,
        EXISTS (
            SELECT FROM notifications AS it
            WHERE it.user_id = wanted.user_id AND it.actor_id = wanted.actor_id AND it.act = wanted.act
                AND hashtextextended(it.act, 0) = hashtextextended(wanted.act, 0)
        ),
        to_jsonb(withdrawn), to_jsonb(top), newest.created_at, newest.id, beside.is_any
    FROM wanted
    JOIN users AS actor ON actor.id = wanted.actor_id
    JOIN users AS recipient ON recipient.id = wanted.user_id
    LEFT JOIN posts AS post ON post.id = wanted.post_id
    LEFT JOIN withdrawn_notifications AS withdrawn
        ON withdrawn.user_id = wanted.user_id AND withdrawn.actor_id = wanted.actor_id
        AND withdrawn.act = wanted.act
    LEFT JOIN LATERAL (
        SELECT it.* FROM notifications AS it
        WHERE it.user_id = wanted.user_id AND it.id = withdrawn.parent_id AND it.is_batch
        UNION ALL
        SELECT it.* FROM notifications AS it
        WHERE it.user_id = wanted.user_id AND it.batch_key = wanted.batch_key
            AND hashtextextended(it.batch_key, 0) = hashtextextended(wanted.batch_key, 0)
            AND it.parent_id IS NULL AND it.closed_at IS NULL
            AND it.id IS DISTINCT FROM withdrawn.parent_id
    ) AS top ON true
    LEFT JOIN LATERAL (
        SELECT it.created_at, it.id FROM notifications AS it WHERE it.parent_id = top.id
        ORDER BY it.created_at DESC, it.id DESC LIMIT 1
    ) AS newest ON true
    LEFT JOIN LATERAL (
        SELECT EXISTS (
            SELECT FROM notifications AS it WHERE it.parent_id = top.id AND it.actor_id = wanted.actor_id
        ) OR (NOT top.is_batch AND top.actor_id = wanted.actor_id) AS is_any
    ) AS beside ON true"
}
