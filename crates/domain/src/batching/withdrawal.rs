//! Withdraws the notifications of undone acts, and updates those of changed ones
//! (docs/rules.md#notification-invariants, 4 to 6).

use chrono::{DateTime, Utc};

use super::{
    BatchCounts, BatchPolicy, InboxChanges, Notification, SuppressedNotification,
    WithdrawnNotification,
};

/// What remains of a batch after one of its children is withdrawn.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct RemainingBatch<P: BatchPolicy> {
    pub counts: BatchCounts,
    /// The newest remaining child.
    pub newest: Notification<P>,
    /// Whether the recipient has read every remaining child.
    pub all_read: bool,
}

/// Why notifications are withdrawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum WithdrawalReason {
    /// The acts are undone; their rows go in the same transaction or soon.
    Undone,
    /// The acts stay, but their recipients may no longer see them.
    Revoked,
}

/// Withdraws a notification. `parent` is the batch that it is a child of, or the notification itself. A batch without
/// remaining children is deleted.
///
/// A batch becomes read if all remaining children are read: what made it unread was withdrawn. No notification becomes
/// unread, and the order of the list does not change.
pub(super) fn withdraw<P: BatchPolicy>(
    policy: &P,
    parent: &Notification<P>,
    notification: &Notification<P>,
    remaining: Option<&RemainingBatch<P>>,
    reason: WithdrawalReason,
    now: DateTime<Utc>,
) -> InboxChanges<P> {
    let withdrawn = to_withdrawn(policy, notification, now).into_iter().collect();
    let deleted = vec![notification.id];
    let suppressed = match reason {
        WithdrawalReason::Undone => None,
        WithdrawalReason::Revoked => SuppressedNotification::of_revoked(policy, notification, now),
    };
    let suppressed = suppressed.into_iter().collect();
    let changes = InboxChanges { deleted, withdrawn, suppressed, ..InboxChanges::default() };
    match (parent.batch, remaining) {
        (Some(_), Some(remaining)) => InboxChanges {
            updated_in_list: vec![parent.id],
            saved: vec![marked_read_if_all_read(updated_batch(parent, remaining), remaining)],
            ..changes
        },
        (Some(_), None) => {
            let mut changes = InboxChanges { removed_from_list: vec![parent.id], ..changes };
            changes.deleted.push(parent.id);
            changes
        }
        (None, _) => InboxChanges { removed_from_list: vec![parent.id], ..changes },
    }
}

/// Replaces the details of a notification. If it is a child of a batch, the batch comes with its current children as
/// [`RemainingBatch`].
///
/// No notification becomes unread, and the order of the list does not change.
pub(super) fn change_details<P: BatchPolicy>(
    before: &Notification<P>,
    details: P::Details,
    batch: Option<(&Notification<P>, &RemainingBatch<P>)>,
) -> InboxChanges<P> {
    let after = Notification { details, ..before.clone() };
    let is_changed = after.details != before.details;
    let Some((batch, remaining)) = batch else {
        let updated_in_list = if is_changed { vec![after.id] } else { vec![] };
        return InboxChanges { updated_in_list, saved: vec![after], ..InboxChanges::default() };
    };
    let is_newest = remaining.newest.id == after.id;
    let newest = if is_newest { after.clone() } else { remaining.newest.clone() };
    // A batch of one actor shows details of all children: its text names the emoji, whichever child is the newest.
    let is_shown = is_newest || batch.batch_counts().actor_count == 1;
    let batch_after = updated_batch(batch, &RemainingBatch { newest, ..remaining.clone() });
    let updated_in_list = if is_changed && is_shown { vec![batch_after.id] } else { vec![] };
    InboxChanges { updated_in_list, saved: vec![batch_after, after], ..InboxChanges::default() }
}

/// The batch with the counts of its remaining children, and what it shows of the newest.
fn updated_batch<P: BatchPolicy>(
    batch: &Notification<P>,
    remaining: &RemainingBatch<P>,
) -> Notification<P> {
    let mut batch = Notification { batch: Some(remaining.counts), ..batch.clone() };
    batch.copy_newest(&remaining.newest);
    batch
}

fn marked_read_if_all_read<P: BatchPolicy>(
    batch: Notification<P>,
    remaining: &RemainingBatch<P>,
) -> Notification<P> {
    let last_read_at = remaining.newest.read_at.filter(|_| remaining.all_read);
    Notification { read_at: batch.read_at.or(last_read_at), ..batch }
}

/// What to remember about a withdrawn notification. `None` if it is never restored.
fn to_withdrawn<P: BatchPolicy>(
    policy: &P,
    notification: &Notification<P>,
    now: DateTime<Utc>,
) -> Option<WithdrawnNotification<P>> {
    policy.restore_window(notification.kind, &notification.subject)?;
    let (actor, act) = notification.actor_and_act()?;
    Some(WithdrawnNotification {
        recipient: notification.recipient.clone(),
        actor,
        act,
        id: notification.id,
        created_at: notification.created_at,
        read_at: notification.read_at,
        parent: notification.parent,
        withdrawn_at: now,
    })
}
