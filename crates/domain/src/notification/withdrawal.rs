//! Withdraws the notifications of undone acts, and updates those of changed reactions
//! (docs/rules.md#notification-invariants, 4 to 6).

use chrono::{DateTime, Utc};

use super::{
    BatchCounts, InboxChanges, Notification, SuppressedNotification, WithdrawnNotification,
};
use crate::Emoji;

/// What remains of a batch after one of its children is withdrawn.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct RemainingBatch {
    pub counts: BatchCounts,
    /// The newest remaining child.
    pub newest: Notification,
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
pub(super) fn withdraw(
    parent: &Notification,
    notification: &Notification,
    remaining: Option<&RemainingBatch>,
    reason: WithdrawalReason,
    now: DateTime<Utc>,
) -> InboxChanges {
    let withdrawn = to_withdrawn(notification, now).into_iter().collect();
    let deleted = vec![notification.id];
    let suppressed = match reason {
        WithdrawalReason::Undone => None,
        WithdrawalReason::Revoked => SuppressedNotification::of_withdrawn(notification, now),
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

/// Replaces the emoji in the notification of a reaction. If that is a child of a batch, the batch comes with its current
/// children as [`RemainingBatch`].
///
/// No notification becomes unread, and the order of the list does not change.
pub(super) fn update_reaction(
    reaction: &Notification,
    emoji: Emoji,
    batch: Option<(&Notification, &RemainingBatch)>,
) -> InboxChanges {
    let mut after = reaction.clone();
    after.details.emoji = Some(emoji);
    let is_changed = after.details != reaction.details;
    let Some((batch, remaining)) = batch else {
        let updated_in_list = if is_changed { vec![after.id] } else { vec![] };
        return InboxChanges { updated_in_list, saved: vec![after], ..InboxChanges::default() };
    };
    let is_newest = remaining.newest.id == after.id;
    let newest = if is_newest { after.clone() } else { remaining.newest.clone() };
    // The text of a batch of one actor names the emoji, whichever child is the newest.
    let is_shown = is_newest || batch.batch_counts().actor_count == 1;
    let batch_after = updated_batch(batch, &RemainingBatch { newest, ..remaining.clone() });
    let updated_in_list = if is_changed && is_shown { vec![batch_after.id] } else { vec![] };
    InboxChanges { updated_in_list, saved: vec![batch_after, after], ..InboxChanges::default() }
}

/// The batch with the counts and details of its remaining children.
fn updated_batch(batch: &Notification, remaining: &RemainingBatch) -> Notification {
    let mut batch = Notification { batch: Some(remaining.counts), ..batch.clone() };
    batch.copy_newest(&remaining.newest);
    batch
}

fn marked_read_if_all_read(batch: Notification, remaining: &RemainingBatch) -> Notification {
    let last_read_at = remaining.newest.read_at.filter(|_| remaining.all_read);
    Notification { read_at: batch.read_at.or(last_read_at), ..batch }
}

/// What to remember about a withdrawn notification. Notifications of comments are not remembered, since a deleted
/// comment cannot be restored.
fn to_withdrawn(notification: &Notification, now: DateTime<Utc>) -> Option<WithdrawnNotification> {
    if notification.comment.is_some() {
        return None;
    }
    Some(WithdrawnNotification {
        recipient: notification.recipient,
        actor: notification.actor?,
        act: notification.act.clone()?,
        id: notification.id,
        created_at: notification.created_at,
        read_at: notification.read_at,
        parent: notification.parent,
        withdrawn_at: now,
    })
}
