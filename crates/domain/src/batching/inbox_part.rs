//! A part of a stored inbox: enough to apply some updates in memory, and the difference that they make.

use std::collections::BTreeMap;

use super::{
    BatchPolicy, Inbox, Notification, StartQuota, SuppressedNotification, WithdrawnNotification,
};

/// The part of a stored inbox that some updates read or change.
#[derive(Debug, Clone, PartialEq)]
pub struct InboxPart<P: BatchPolicy> {
    /// The notifications of the acts, the batches that these are in or were in, the open notifications of their batch keys,
    /// and the newest other child of each of these batches.
    pub notifications: Vec<Notification<P>>,
    /// What is known of the other children of these batches.
    pub other_children: Vec<OtherChildren<P>>,
    /// The withdrawn notifications of the acts.
    pub withdrawn: Vec<WithdrawnNotification<P>>,
    /// The quotas of all types.
    pub quotas: Vec<StoredQuota<P>>,
}

/// The children of a batch that are not notifications of the acts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OtherChildren<P: BatchPolicy> {
    pub batch: P::Id,
    /// The actors of the acts that have other children in the batch.
    pub actors: Vec<P::User>,
    /// Whether one of the other children is unread.
    pub has_unread: bool,
}

/// A quota as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredQuota<P: BatchPolicy> {
    pub kind: P::Kind,
    pub quota: StartQuota<P::User>,
    /// The number of events of the type that the limit of starts has ever held back.
    pub held_back: i64,
}

/// The rows that differ between two states of an inbox.
#[derive(Debug, Clone, PartialEq)]
pub struct InboxDiff<P: BatchPolicy> {
    /// Notifications to insert, or to update if the id exists, each with the number of the last change of the list that
    /// showed it, or 0 to keep the stored number. Those that are open come last: another one may have stopped being the open
    /// one of the same key.
    pub saved: Vec<(Notification<P>, i64)>,
    /// Notifications to delete, before any is saved.
    pub deleted: Vec<P::Id>,
    /// The notifications that left the list, each with the number of the change.
    pub removals: Vec<(P::Id, i64)>,
    /// Withdrawn notifications to remember.
    pub withdrawn: Vec<WithdrawnNotification<P>>,
    /// Withdrawn notifications to forget.
    pub restored: Vec<WithdrawnNotification<P>>,
    /// Acts to remember because they have no notification, for a reason that their rows do not show.
    pub suppressed: Vec<SuppressedNotification<P>>,
    /// The acts of the new notifications, with their actors, which are not suppressed.
    pub recorded: Vec<(P::User, P::ActKey)>,
    /// Quotas that changed.
    pub quotas: Vec<StoredQuota<P>>,
}

impl<P: BatchPolicy> Default for InboxPart<P> {
    fn default() -> Self {
        Self { notifications: vec![], other_children: vec![], withdrawn: vec![], quotas: vec![] }
    }
}

impl<P: BatchPolicy> Inbox<P> {
    /// Fills an empty inbox with a part of the stored one, whose list has changed `last_seq` times. Only the updates for which
    /// the part was loaded have the same effect on it as on the whole inbox.
    #[must_use]
    pub fn with_part(mut self, last_seq: i64, part: InboxPart<P>) -> Self {
        self.last_seq = last_seq;
        for notification in part.notifications {
            self.save(notification, 0);
        }
        for others in part.other_children {
            let children = self.children.entry(others.batch).or_default();
            children.has_unloaded_unread = others.has_unread;
            for actor in others.actors {
                *children.per_actor.entry(Some(actor)).or_default() += 1;
            }
        }
        let withdrawn = part.withdrawn.into_iter();
        self.withdrawn = withdrawn.map(|it| ((it.actor.clone(), it.act.clone()), it)).collect();
        self.quotas =
            part.quotas.into_iter().map(|it| (it.kind, (it.quota, it.held_back))).collect();
        self
    }

    /// The rows that differ from an earlier state of the same inbox.
    pub fn diff(&self, before: &Self) -> InboxDiff<P> {
        let mut saved: Vec<_> = changed(&self.notifications, &before.notifications)
            .map(|(_, saved)| saved.clone())
            .collect();
        let is_new =
            |notification: &Notification<P>| !before.notifications.contains_key(&notification.id);
        let acts = saved.iter().filter(|(notification, _)| is_new(notification));
        let recorded = acts.filter_map(|(notification, _)| notification.actor_and_act()).collect();
        saved.sort_by_key(|(notification, _)| notification.is_open());
        InboxDiff {
            saved,
            recorded,
            deleted: missing(&self.notifications, &before.notifications)
                .map(|(id, _)| *id)
                .collect(),
            removals: self.removals[before.removals.len()..].to_vec(),
            withdrawn: changed(&self.withdrawn, &before.withdrawn)
                .map(|(_, it)| it.clone())
                .collect(),
            restored: missing(&self.withdrawn, &before.withdrawn)
                .map(|(_, it)| it.clone())
                .collect(),
            suppressed: changed(&self.suppressed, &before.suppressed)
                .map(|(_, it)| it.clone())
                .collect(),
            quotas: changed(&self.quotas, &before.quotas)
                .map(|(kind, (quota, held_back))| StoredQuota {
                    kind: *kind,
                    quota: quota.clone(),
                    held_back: *held_back,
                })
                .collect(),
        }
    }
}

/// The entries that are new or different.
fn changed<'a, K: Ord, V: PartialEq>(
    after: &'a BTreeMap<K, V>,
    before: &BTreeMap<K, V>,
) -> impl Iterator<Item = (&'a K, &'a V)> {
    after.iter().filter(|(key, value)| before.get(key) != Some(value))
}

/// The entries that are gone.
fn missing<'a, K: Ord, V>(
    after: &BTreeMap<K, V>,
    before: &'a BTreeMap<K, V>,
) -> impl Iterator<Item = (&'a K, &'a V)> {
    before.iter().filter(|(key, _)| !after.contains_key(key))
}
