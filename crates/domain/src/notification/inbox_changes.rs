//! The row changes to apply to an inbox.

use std::mem;

use chrono::{DateTime, TimeDelta, Utc};

use super::{Notification, SuppressedNotification};
use crate::{NotificationId, UserId, elapsed_since};

/// What one act changes in an inbox.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct InboxChanges {
    /// Notifications to insert, or to update if the id exists, in this order: a notification that stops being the open
    /// one of its key comes before the one that replaces it.
    pub saved: Vec<Notification>,
    /// Notifications to delete.
    pub deleted: Vec<NotificationId>,
    /// The top-level notifications among `saved` that are new or look different to the recipient.
    pub updated_in_list: Vec<NotificationId>,
    /// The notifications that leave the top-level list: deleted, or now a child of a batch.
    pub removed_from_list: Vec<NotificationId>,
    /// Notifications to remember, so that they can be restored if their act is repeated.
    pub withdrawn: Vec<WithdrawnNotification>,
    /// The remembered notification that is restored.
    pub restored: Option<WithdrawnNotification>,
    /// Acts to remember because they have no notification, for a reason that their rows do not show.
    pub suppressed: Vec<SuppressedNotification>,
}

/// Changed items of an inbox, each with the number of its change.
type Numbered<Item> = Vec<(Item, i64)>;

impl InboxChanges {
    /// Takes the notifications that leave the top-level list and those to save, and gives each change of the list the next
    /// number after `last_seq`: first what leaves the list, then what is new or looks different. A saved notification that
    /// does not change the list has the number 0 and keeps the number that it has.
    pub(super) fn take_numbered(
        &mut self,
        last_seq: &mut i64,
    ) -> (Numbered<NotificationId>, Numbered<Notification>) {
        let mut next_seq = || {
            *last_seq += 1;
            *last_seq
        };
        let removed = mem::take(&mut self.removed_from_list).into_iter();
        let removed = removed.map(|id| (id, next_seq())).collect();
        let saved = mem::take(&mut self.saved).into_iter().map(|saved| {
            let seq = if self.updated_in_list.contains(&saved.id) { next_seq() } else { 0 };
            (saved, seq)
        });
        (removed, saved.collect())
    }
}

/// A notification that was withdrawn because its act was undone.
///
/// If the act is repeated within [`RESTORE_WINDOW`](Self::RESTORE_WINDOW), the notification is restored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WithdrawnNotification {
    pub recipient: UserId,
    pub actor: UserId,
    /// The undone act, by [`Act::dedup_key`](super::Act::dedup_key).
    pub act: String,
    pub id: NotificationId,
    pub created_at: DateTime<Utc>,
    pub read_at: Option<DateTime<Utc>>,
    /// The batch that it was a child of.
    pub parent: Option<NotificationId>,
    pub withdrawn_at: DateTime<Utc>,
}

impl WithdrawnNotification {
    /// How long after its withdrawal a notification can be restored (docs/rules.md#notification-invariants, 5).
    pub const RESTORE_WINDOW: TimeDelta = TimeDelta::hours(24);

    /// Whether repeating the act at `now` restores the notification.
    pub(super) fn is_restorable(&self, now: DateTime<Utc>) -> bool {
        elapsed_since(self.withdrawn_at, now).is_some_and(|elapsed| elapsed <= Self::RESTORE_WINDOW)
    }
}
