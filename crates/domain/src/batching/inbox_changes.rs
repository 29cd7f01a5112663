//! The row changes to apply to an inbox.

use std::mem;

use chrono::{DateTime, TimeDelta, Utc};

use super::{BatchPolicy, Notification, SuppressedNotification};
use crate::elapsed_since;

/// What one act changes in an inbox.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct InboxChanges<P: BatchPolicy> {
    /// Notifications to insert, or to update if the id exists, in this order: a notification that stops being the open
    /// one of its key comes before the one that replaces it.
    pub saved: Vec<Notification<P>>,
    /// Notifications to delete.
    pub deleted: Vec<P::Id>,
    /// The top-level notifications among `saved` that are new or look different to the recipient.
    pub updated_in_list: Vec<P::Id>,
    /// The notifications that leave the top-level list: deleted, or now a child of a batch.
    pub removed_from_list: Vec<P::Id>,
    /// Notifications to remember, so that they can be restored if their act is repeated.
    pub withdrawn: Vec<WithdrawnNotification<P>>,
    /// The remembered notification that is restored.
    pub restored: Option<WithdrawnNotification<P>>,
    /// Acts to remember because they have no notification, for a reason that their rows do not show.
    pub suppressed: Vec<SuppressedNotification<P>>,
}

/// Changed items of an inbox, each with the number of its change.
type Numbered<Item> = Vec<(Item, i64)>;

impl<P: BatchPolicy> Default for InboxChanges<P> {
    fn default() -> Self {
        Self {
            saved: vec![],
            deleted: vec![],
            updated_in_list: vec![],
            removed_from_list: vec![],
            withdrawn: vec![],
            restored: None,
            suppressed: vec![],
        }
    }
}

impl<P: BatchPolicy> InboxChanges<P> {
    /// Takes the notifications that leave the top-level list and those to save, and gives each change of the list the next
    /// number after `last_seq`: first what leaves the list, then what is new or looks different. A saved notification that
    /// does not change the list has the number 0 and keeps the number that it has.
    pub(super) fn take_numbered(
        &mut self,
        last_seq: &mut i64,
    ) -> (Numbered<P::Id>, Numbered<Notification<P>>) {
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
/// If the act is repeated within its [`BatchPolicy::restore_window`], the notification is restored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WithdrawnNotification<P: BatchPolicy> {
    pub recipient: P::User,
    pub actor: P::User,
    /// The undone act, by [`BatchPolicy::act_key`].
    pub act: P::ActKey,
    pub id: P::Id,
    pub created_at: DateTime<Utc>,
    pub read_at: Option<DateTime<Utc>>,
    /// The batch that it was a child of.
    pub parent: Option<P::Id>,
    pub withdrawn_at: DateTime<Utc>,
}

impl<P: BatchPolicy> WithdrawnNotification<P> {
    /// Whether repeating the act at `now` restores the notification.
    pub(super) fn is_restorable(&self, window: TimeDelta, now: DateTime<Utc>) -> bool {
        elapsed_since(self.withdrawn_at, now).is_some_and(|elapsed| elapsed <= window)
    }
}
