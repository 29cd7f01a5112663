//! Withdraws the notifications of undone acts, and updates those of changed reactions
//! (docs/rules.md#notification-invariants, 4 to 6).

use chrono::{DateTime, Utc};

use super::text::emoji_in;
use super::{BatchCounts, InboxChanges, Notification, WithdrawnNotification};
use crate::{Author, Emoji};

/// What remains of a batch after some of its children are withdrawn.
#[derive(Debug, Clone, PartialEq)]
pub struct RemainingBatch {
    pub counts: BatchCounts,
    /// The newest remaining child.
    pub newest: Notification,
    /// Whether the recipient has read every remaining child.
    pub all_read: bool,
    /// The actor of the newest child, with their current names.
    pub actor: Author,
    /// The emoji of that actor's reaction, in the newest child or in another one.
    pub emoji: Option<Emoji>,
}

/// Withdraws notifications. `parent` is a top-level notification; `children` are the withdrawn children if it is a batch,
/// or `parent` itself if it is not. A batch without remaining children is deleted.
///
/// A batch becomes read if all remaining children are read: what made it unread was withdrawn. No notification becomes
/// unread, and the order of the list does not change.
pub fn withdraw(
    parent: &Notification,
    children: &[Notification],
    remaining: Option<&RemainingBatch>,
    now: DateTime<Utc>,
) -> InboxChanges {
    let withdrawn = children.iter().filter_map(|child| to_withdrawn(child, now)).collect();
    let deleted = children.iter().map(|child| child.id).collect();
    let changes = InboxChanges { deleted, withdrawn, ..InboxChanges::default() };
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

/// Replaces the emoji in the notification of a reaction and, if that is a child of a batch, in the text of the batch.
/// The batch comes with its current children as [`RemainingBatch`].
///
/// No notification becomes unread, and the order of the list does not change.
pub fn update_reaction(
    reaction: &Notification,
    emoji: Emoji,
    actor: &Author,
    batch: Option<(&Notification, &RemainingBatch)>,
) -> InboxChanges {
    let before = reaction;
    let mut after = before.clone();
    after.data.insert("emoji_code".to_owned(), emoji.code().into());
    after.text = after.render_text(actor.name(), None);
    let Some((batch, remaining)) = batch else {
        let updated_in_list = if after == *before { vec![] } else { vec![after.id] };
        return InboxChanges { updated_in_list, saved: vec![after], ..InboxChanges::default() };
    };
    let newest = if remaining.newest.id == after.id { &after } else { &remaining.newest };
    let emoji = if newest.actor == after.actor { Some(emoji) } else { remaining.emoji };
    let remaining = RemainingBatch { newest: newest.clone(), emoji, ..remaining.clone() };
    let batch_after = updated_batch(batch, &remaining);
    let updated_in_list = if batch_after == *batch { vec![] } else { vec![batch_after.id] };
    InboxChanges { updated_in_list, saved: vec![batch_after, after], ..InboxChanges::default() }
}

/// The batch with the counts, data and text of its remaining children.
fn updated_batch(batch: &Notification, remaining: &RemainingBatch) -> Notification {
    let mut batch = Notification { batch: Some(remaining.counts), ..batch.clone() };
    batch.copy_newest(&remaining.newest);
    let emoji = remaining.emoji.or_else(|| emoji_in(&remaining.newest.data));
    Notification { text: batch.render_text(remaining.actor.name(), emoji), ..batch }
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
