//! An inbox in memory, for services without a database and as a reference model for `grateful-storage`.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, Utc};

use super::{
    Act, BatchCounts, Cause, Deliverability, Event, HourlyQuota, InboxChanges, InboxContext,
    Notification, NotificationType, ParentNotification, QuotedTexts, RemainingBatch,
    RenderedNotification, WithdrawalReason, WithdrawnNotification, record, update_reaction,
    withdraw,
};
use crate::{Author, BatchKey, Emoji, NotificationId, UserId};

/// The notifications of one user.
///
/// Every lookup scans all notifications, so this is meant for tests and small services.
///
/// ```
/// use chrono::{DateTime, TimeDelta};
/// use grateful_domain::notification::{
///     Act, Cause, Deliverability, Event, EventDetails, Inbox, QuotedTexts,
/// };
/// use grateful_domain::{Author, UserId, Username};
/// use uuid::Uuid;
///
/// let ana = UserId::from(1);
/// let mut inbox = Inbox::new(ana);
/// for (number, name) in (2..).zip(["ben", "caro", "dan"]) {
///     let actor = Author {
///         id: UserId::from(number),
///         username: Username::from_stored(name.to_owned()),
///         display_name: None,
///         profile_image_url: None,
///     };
///     let event = Event {
///         cause: Cause { recipient: ana, actor: actor.id, act: Act::Follow },
///         details: EventDetails::default(),
///         at: DateTime::UNIX_EPOCH + TimeDelta::minutes(number),
///         id: Uuid::from_u128(number as u128).into(),
///         batch_id: Uuid::from_u128(100 + number as u128).into(),
///     };
///     inbox.record(&event, &actor, Deliverability::Allowed);
/// }
/// let list = inbox.top_level();
/// assert_eq!(list.len(), 1);
/// let rendered = inbox.render(list[0], &QuotedTexts::default());
/// assert_eq!(rendered.text.message, "3 people started following you");
/// ```
#[derive(Debug, Clone)]
pub struct Inbox {
    owner: UserId,
    notifications: BTreeMap<NotificationId, Notification>,
    /// By actor and [`Act::dedup_key`].
    withdrawn: HashMap<(UserId, String), WithdrawnNotification>,
    quotas: HashMap<NotificationType, HourlyQuota>,
    held_back: u64,
    actors: HashMap<UserId, Author>,
}

impl Inbox {
    /// An empty inbox.
    pub fn new(owner: UserId) -> Self {
        Self {
            owner,
            notifications: BTreeMap::new(),
            withdrawn: HashMap::new(),
            quotas: HashMap::new(),
            held_back: 0,
            actors: HashMap::new(),
        }
    }

    /// Records an event. If the hourly limit is reached, the event is dropped and counted in [`Inbox::held_back`].
    pub fn record(&mut self, event: &Event, actor: &Author, deliverability: Deliverability) {
        self.actors.insert(actor.id, actor.clone());
        let changes = record(event, &self.context(event, deliverability));
        if let Some(cause) = changes.quota_use {
            let kind = cause.act.kind();
            let Some(quota) = HourlyQuota::consume(self.quotas.get(&kind), cause.actor, event.at)
            else {
                self.held_back += 1;
                return;
            };
            self.quotas.insert(kind, quota);
        }
        self.apply(changes);
    }

    /// Withdraws the notification of an undone act.
    pub fn withdraw(&mut self, actor: UserId, act: Act, now: DateTime<Utc>) {
        let Some(notification) = self.find(actor, &act.dedup_key()).cloned() else { return };
        if let Some(quota) = self.quotas.get_mut(&act.kind())
            && notification.is_top_level()
        {
            *quota = quota.release(actor, notification.created_at);
        }
        let parent = notification.parent.unwrap_or(notification.id);
        let Some(parent) = self.notifications.get(&parent).cloned() else { return };
        let remaining = self.remaining_batch(parent.id, Some(notification.id));
        let reason = WithdrawalReason::Undone;
        self.apply(withdraw(&parent, &[notification], remaining.as_ref(), reason, now));
    }

    /// Replaces the emoji in the notification of a reaction.
    pub fn update_reaction(&mut self, actor: UserId, act: Act, emoji: Emoji) {
        let Some(reaction) = self.find(actor, &act.dedup_key()).cloned() else { return };
        let batch = reaction.parent.and_then(|parent| self.notifications.get(&parent)).cloned();
        let remaining = batch.as_ref().and_then(|batch| self.remaining_batch(batch.id, None));
        let batch = batch.as_ref().zip(remaining.as_ref());
        self.apply(update_reaction(&reaction, emoji, batch));
    }

    /// Marks a notification as read, and all children if it is a batch. Returns whether the notification exists.
    pub fn mark_read(&mut self, id: NotificationId, now: DateTime<Utc>) -> bool {
        for notification in self.notifications.values_mut() {
            if notification.id == id || notification.parent == Some(id) {
                notification.read_at = notification.read_at.or(Some(now));
            }
        }
        self.notifications.contains_key(&id)
    }

    /// Marks all notifications as read. Returns how many top-level notifications were unread.
    pub fn mark_all_read(&mut self, now: DateTime<Utc>) -> usize {
        let unread = self.unread_count();
        for notification in self.notifications.values_mut() {
            notification.read_at = notification.read_at.or(Some(now));
        }
        unread
    }

    /// The top-level notifications, most recently updated first.
    pub fn top_level(&self) -> Vec<&Notification> {
        let all = self.notifications.values();
        let mut list: Vec<_> = all.filter(|notification| notification.is_top_level()).collect();
        list.sort_by_key(|notification| Reverse((notification.last_updated_at, notification.id)));
        list
    }

    /// The children of a batch, newest first.
    pub fn children(&self, batch: NotificationId) -> Vec<&Notification> {
        let all = self.notifications.values();
        let mut children: Vec<_> = all.filter(|child| child.parent == Some(batch)).collect();
        children.sort_by_key(|child| Reverse(child.sort_key()));
        children
    }

    /// How many top-level notifications are unread.
    pub fn unread_count(&self) -> usize {
        let is_unread = |notification: &&Notification| {
            notification.is_top_level() && notification.read_at.is_none()
        };
        self.notifications.values().filter(is_unread).count()
    }

    /// Renders a notification of this inbox with the names that its actors had in their last event, and with the current
    /// texts that it quotes.
    pub fn render(
        &self,
        notification: &Notification,
        quoted: &QuotedTexts,
    ) -> RenderedNotification {
        let mut actors: Vec<(Author, Option<Emoji>)> = Vec::new();
        for child in self.children(notification.id) {
            let Some(author) = child.actor.and_then(|actor| self.actors.get(&actor)) else {
                continue;
            };
            let emoji = child.details.emoji;
            match actors.iter_mut().find(|(shown, _)| shown.id == author.id) {
                Some((_, shown)) => *shown = shown.or(emoji),
                None => actors.push((author.clone(), emoji)),
            }
        }
        actors.truncate(RenderedNotification::MAX_ACTORS);
        let actor = notification.actor.and_then(|actor| self.actors.get(&actor)).cloned();
        RenderedNotification::new(notification.clone(), actor, actors, quoted)
    }

    /// How many events the hourly limit has held back.
    pub fn held_back(&self) -> u64 {
        self.held_back
    }

    fn context(&self, event: &Event, deliverability: Deliverability) -> InboxContext {
        let Cause { actor: actor_id, act, .. } = event.cause;
        debug_assert_eq!(event.cause.recipient, self.owner, "an event goes to its recipient");
        let withdrawn = self.withdrawn.get(&(actor_id, act.dedup_key())).cloned();
        let original = withdrawn.as_ref().and_then(|withdrawn| withdrawn.parent);
        let original = original.and_then(|parent| self.notifications.get(&parent));
        let original = original.filter(|parent| parent.batch.is_some());
        let key = event.cause.key();
        let open = key.and_then(|key| self.open(&key));
        InboxContext {
            deliverability,
            is_recorded: self.find(actor_id, &act.dedup_key()).is_some(),
            original_batch: original.map(|batch| self.parent_notification(batch, actor_id)),
            open: open.map(|open| self.parent_notification(open, actor_id)),
            withdrawn,
        }
    }

    fn find(&self, actor: UserId, act: &str) -> Option<&Notification> {
        self.notifications.values().find(|notification| {
            notification.actor == Some(actor) && notification.act.as_deref() == Some(act)
        })
    }

    fn open(&self, key: &BatchKey) -> Option<&Notification> {
        self.notifications
            .values()
            .find(|notification| notification.is_open() && notification.key.as_ref() == Some(key))
    }

    fn parent_notification(
        &self,
        notification: &Notification,
        actor: UserId,
    ) -> ParentNotification {
        let children = match notification.batch {
            Some(_) => self.children(notification.id),
            None => vec![notification],
        };
        ParentNotification {
            notification: notification.clone(),
            newest: children.first().map_or(notification.sort_key(), |newest| newest.sort_key()),
            has_actor: children.iter().any(|child| child.actor == Some(actor)),
        }
    }

    /// The batch without one child, or `None` if no child remains.
    fn remaining_batch(
        &self,
        batch: NotificationId,
        without: Option<NotificationId>,
    ) -> Option<RemainingBatch> {
        let mut children = self.children(batch);
        children.retain(|child| Some(child.id) != without);
        let newest = *children.first()?;
        let mut actors: Vec<_> = children.iter().map(|child| child.actor).collect();
        actors.sort_unstable();
        actors.dedup();
        Some(RemainingBatch {
            counts: BatchCounts {
                child_count: to_count(children.len()),
                actor_count: to_count(actors.len()),
            },
            newest: newest.clone(),
            all_read: children.iter().all(|child| child.read_at.is_some()),
        })
    }

    fn apply(&mut self, changes: InboxChanges) {
        for id in changes.deleted {
            self.notifications.remove(&id);
        }
        for saved in changes.saved {
            self.notifications.insert(saved.id, saved);
        }
        if let Some(restored) = changes.restored {
            self.withdrawn.remove(&(restored.actor, restored.act));
        }
        for withdrawn in changes.withdrawn {
            self.withdrawn.insert((withdrawn.actor, withdrawn.act.clone()), withdrawn);
        }
    }
}

fn to_count(length: usize) -> i32 {
    i32::try_from(length).unwrap_or(i32::MAX)
}
