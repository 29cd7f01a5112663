//! Applies updates to inboxes.

use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, Utc};
use grateful_domain::notification::{
    BatchDecision, Cause, Deliverability, Event, InboxUpdate, WithdrawalReason,
};
use grateful_domain::{Inbox, NotificationType, UserId};

use super::Notifications;
use super::withdrawal::{RefsToWithdraw, RemovedMentions};
use super::writes::PendingWrites;
use crate::Result;
use crate::monitor::record_outcome;

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
    /// Applies updates to the inboxes of their recipients, one after another, in three statements for any number of updates
    /// and recipients. Several updates of one recipient, of one batch or even of one act have the same result as one call for
    /// each.
    ///
    /// An event that is already recorded changes nothing. Skips events that the recipient caused, events across a block, muted
    /// types, and mentions or replies in posts that the recipient cannot see.
    ///
    /// Run this in the transaction of the acts, after
    /// [`Users::lock_participants`](crate::Users::lock_participants), so that no block is created in between, and after the
    /// locks on the posts. Pass updates in the order in which the acts happened.
    pub async fn update(&mut self, updates: &[InboxUpdate]) -> Result<RecordResult> {
        self.apply(None, updates).await
    }

    /// Records each event in the inbox of its recipient, as [`Notifications::update`] does.
    pub async fn record(&mut self, events: &[Event]) -> Result<RecordResult> {
        let updates: Vec<_> = events.iter().cloned().map(InboxUpdate::Record).collect();
        self.update(&updates).await
    }

    /// Withdraws the notifications of acts that this transaction undoes, as [`Notifications::update`] does. If an act is
    /// repeated within a day, its notification is restored instead of created again.
    pub async fn withdraw(&mut self, causes: &[Cause], now: DateTime<Utc>) -> Result<()> {
        let withdraw = |cause: &Cause| InboxUpdate::Withdraw { cause: *cause, at: now };
        let updates: Vec<_> = causes.iter().map(withdraw).collect();
        self.update(&updates).await?;
        Ok(())
    }

    /// After an edit of a text: records the events of new mentions, and withdraws the notifications of removed ones. Runs at
    /// most four statements for any number of users.
    ///
    /// The conditions of [`Notifications::update`] apply.
    pub async fn update_mentions(
        &mut self,
        events: &[Event],
        removed: RemovedMentions<'_>,
        now: DateTime<Utc>,
    ) -> Result<RecordResult> {
        let mut refs = self.find_mentions(removed).await?;
        // A user who just changed from a removed username to an added one is in both lists, and is still mentioned.
        refs.retain(|(_, user)| {
            events.iter().all(|event| i64::from(event.cause.recipient) != *user)
        });
        let updates: Vec<_> = events.iter().cloned().map(InboxUpdate::Record).collect();
        // A comment that no longer mentions its post's author still notifies them of the comment otherwise.
        let removed = RefsToWithdraw { refs, reason: WithdrawalReason::Revoked, at: now };
        self.apply(Some(removed), &updates).await
    }

    /// Withdraws notifications, then applies updates.
    pub(super) async fn apply(
        &mut self,
        withdrawn: Option<RefsToWithdraw>,
        updates: &[InboxUpdate],
    ) -> Result<RecordResult> {
        let refs = withdrawn.as_ref().map_or(&[][..], |withdrawn| &withdrawn.refs);
        let reservations = reservations(refs, updates);
        if reservations.is_empty() {
            return Ok(RecordResult::default());
        }
        let last_seqs = self.lock_and_reserve(&reservations).await?;
        let (before, deliverability) = self.load_inboxes(refs, updates, &last_seqs).await?;
        let mut after = before.clone();
        if let Some(RefsToWithdraw { refs, reason, at }) = &withdrawn {
            for (id, user) in refs {
                let Some(inbox) = after.get_mut(&UserId::from(*user)) else { continue };
                inbox.withdraw_notification((*id).into(), *reason, *at);
            }
        }
        let result = apply_updates(&mut after, updates, &deliverability);
        let mut writes =
            PendingWrites::of_withdrawals(updates, latest(withdrawn.as_ref(), updates));
        for (owner, after) in &after {
            if let Some(before) = before.get(owner) {
                writes.add(*owner, after.diff(before));
            }
        }
        self.write(writes).await?;
        Ok(result)
    }
}

/// Applies the updates in their order, and records the outcome of each event in the metrics. Skips those whose recipient or
/// actor does not exist.
fn apply_updates(
    inboxes: &mut BTreeMap<UserId, Inbox>,
    updates: &[InboxUpdate],
    deliverability: &HashMap<usize, Deliverability>,
) -> RecordResult {
    let mut result = RecordResult::default();
    for (index, update) in updates.iter().enumerate() {
        let Cause { recipient, act, .. } = *update.cause();
        let (Some(inbox), Some(deliverability)) =
            (inboxes.get_mut(&recipient), deliverability.get(&index))
        else {
            continue;
        };
        let Some(decision) = inbox.update(update, *deliverability) else { continue };
        let kind = act.kind();
        record_outcome(kind, decision.into());
        if decision == BatchDecision::HoldBack {
            result.held_back.push(HeldBackEvent { recipient, kind });
        }
    }
    result
}

/// The maximum number of changes of each list.
fn reservations(refs: &[(uuid::Uuid, i64)], updates: &[InboxUpdate]) -> HashMap<UserId, i64> {
    let mut changes = HashMap::new();
    let of_refs = refs.iter().map(|(_, user)| (UserId::from(*user), 1));
    let of_updates = updates.iter().map(|update| (update.cause().recipient, update.max_changes()));
    for (user, number) in of_refs.chain(of_updates) {
        *changes.entry(user).or_default() += number;
    }
    changes
}

/// When the last of the changes happened. Changed details have no time; they remove nothing from a list.
fn latest(withdrawn: Option<&RefsToWithdraw>, updates: &[InboxUpdate]) -> DateTime<Utc> {
    let of_updates = updates.iter().filter_map(InboxUpdate::at);
    let of_refs = withdrawn.into_iter().map(|withdrawn| withdrawn.at);
    of_updates.chain(of_refs).max().unwrap_or_default()
}
