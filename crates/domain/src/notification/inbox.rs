//! An inbox in memory, for services without a database, for generated data, and as a reference model for
//! `grateful-storage`.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};

use super::{
    Act, BatchDecision, Cause, Deliverability, Event, HourlyQuota, InboxChanges, InboxContext,
    InboxUpdate, Notification, NotificationCounts, NotificationType, ParentNotification,
    QuotedTexts, RemainingBatch, RenderedNotification, SuppressedNotification, WithdrawalReason,
    WithdrawnNotification, decide, record, update_reaction, withdraw,
};
use crate::{Author, BatchKey, Emoji, NotificationId, UserId};

/// The notifications of one user, and what is stored with them.
///
/// ```
/// use chrono::{DateTime, TimeDelta};
/// use grateful_domain::notification::{
///     Act, Cause, Deliverability, Event, EventDetails, Inbox, QuotedTexts,
/// };
/// use grateful_domain::UserId;
/// use uuid::Uuid;
///
/// let ana = UserId::from(1);
/// let mut inbox = Inbox::new(ana);
/// for number in 2..5 {
///     let event = Event {
///         cause: Cause { recipient: ana, actor: UserId::from(number), act: Act::Follow },
///         details: EventDetails::default(),
///         at: DateTime::UNIX_EPOCH + TimeDelta::minutes(number),
///         id: Uuid::from_u128(number as u128).into(),
///         batch_id: Uuid::from_u128(100 + number as u128).into(),
///     };
///     inbox.record(&event, Deliverability::Allowed);
/// }
/// let list = inbox.top_level();
/// assert_eq!(list.len(), 1);
/// let rendered = inbox.render(list[0], &QuotedTexts::default(), |_| None);
/// assert_eq!(rendered.text.message, "3 people started following you");
/// ```
#[derive(Debug, Clone)]
pub struct Inbox {
    owner: UserId,
    /// Each with the number of the last change of the list that showed it, or 0 if none did.
    pub(super) notifications: BTreeMap<NotificationId, (Notification, i64)>,
    pub(super) last_seq: i64,
    /// The notifications that left the list, each with the number of the change.
    pub(super) removals: Vec<(NotificationId, i64)>,
    by_act: BTreeMap<ActKey, NotificationId>,
    open: BTreeMap<BatchKey, NotificationId>,
    pub(super) children: BTreeMap<NotificationId, Children>,
    pub(super) withdrawn: BTreeMap<ActKey, WithdrawnNotification>,
    pub(super) suppressed: BTreeMap<ActKey, SuppressedNotification>,
    /// Each with the number of events of the type that the hourly limit has ever held back.
    pub(super) quotas: BTreeMap<NotificationType, (HourlyQuota, i64)>,
}

/// An actor, and the [`Act::dedup_key`] of their act.
type ActKey = (UserId, String);

/// The children of a batch. In a [part](super::InboxPart) of an inbox, not all of them are loaded.
#[derive(Debug, Clone, Default)]
pub(super) struct Children {
    /// The loaded ones, by [`Notification::sort_key`].
    by_time: BTreeSet<(DateTime<Utc>, NotificationId)>,
    /// How many children each actor has. Those that are not loaded count as one.
    pub(super) per_actor: BTreeMap<Option<UserId>, usize>,
    /// Whether a child that is not loaded is unread.
    pub(super) has_unloaded_unread: bool,
}

impl Inbox {
    /// An empty inbox.
    pub fn new(owner: UserId) -> Self {
        Self {
            owner,
            notifications: BTreeMap::new(),
            last_seq: 0,
            removals: Vec::new(),
            by_act: BTreeMap::new(),
            open: BTreeMap::new(),
            children: BTreeMap::new(),
            withdrawn: BTreeMap::new(),
            suppressed: BTreeMap::new(),
            quotas: BTreeMap::new(),
        }
    }

    /// Applies an update. Returns what happened to an event. `deliverability` is that of the event.
    pub fn update(
        &mut self,
        update: &InboxUpdate,
        deliverability: Deliverability,
    ) -> Option<BatchDecision> {
        match update {
            InboxUpdate::Record(event) => return Some(self.record(event, deliverability)),
            InboxUpdate::Withdraw { cause, at } => self.withdraw(cause.actor, cause.act, *at),
            InboxUpdate::ChangeEmoji { cause, emoji } => {
                self.update_reaction(cause.actor, cause.act, *emoji);
            }
        }
        None
    }

    /// Records an event. If the hourly limit is reached, the event is held back.
    pub fn record(&mut self, event: &Event, deliverability: Deliverability) -> BatchDecision {
        let context = self.context(event, deliverability);
        let decision = match decide(event, &context) {
            BatchDecision::Start if !self.consume_quota(event.cause, event.at) => {
                BatchDecision::HoldBack
            }
            decision => decision,
        };
        self.apply(record(event, &context, decision));
        decision
    }

    /// Returns false, and counts the event as held back, if the hourly limit is reached.
    fn consume_quota(&mut self, cause: Cause, at: DateTime<Utc>) -> bool {
        let kind = cause.act.kind();
        let current = self.quotas.get(&kind);
        let held_back = current.map_or(0, |(_, held_back)| *held_back);
        if let Some(quota) = HourlyQuota::consume(current.map(|(quota, _)| quota), cause.actor, at)
        {
            self.quotas.insert(kind, (quota, held_back));
            return true;
        }
        if let Some((_, held_back)) = self.quotas.get_mut(&kind) {
            *held_back += 1;
        }
        false
    }

    /// Withdraws the notification of an undone act.
    pub fn withdraw(&mut self, actor: UserId, act: Act, now: DateTime<Utc>) {
        let key = (actor, act.dedup_key());
        self.suppressed.remove(&key);
        if let Some(id) = self.by_act.get(&key) {
            self.withdraw_notification(*id, WithdrawalReason::Undone, now);
        }
    }

    /// Withdraws a single notification or a child of a batch.
    pub fn withdraw_notification(
        &mut self,
        id: NotificationId,
        reason: WithdrawalReason,
        now: DateTime<Utc>,
    ) {
        let Some(notification) = self.get(id).cloned() else { return };
        if notification.is_top_level()
            && let Some(actor) = notification.actor
            && let Some((quota, _)) = self.quotas.get_mut(&notification.kind)
        {
            *quota = quota.release(actor, notification.created_at);
        }
        let Some(parent) = self.get(notification.parent.unwrap_or(id)).cloned() else { return };
        let remaining = self.remaining_batch(&parent, Some(&notification));
        self.apply(withdraw(&parent, &notification, remaining.as_ref(), reason, now));
    }

    /// Replaces the emoji in the notification of a reaction.
    pub fn update_reaction(&mut self, actor: UserId, act: Act, emoji: Emoji) {
        let Some(reaction) = self.find(&(actor, act.dedup_key())).cloned() else { return };
        let batch = reaction.parent.and_then(|parent| self.get(parent)).cloned();
        let remaining = batch.as_ref().and_then(|batch| self.remaining_batch(batch, None));
        let batch = batch.as_ref().zip(remaining.as_ref());
        self.apply(update_reaction(&reaction, emoji, batch));
    }

    /// Marks a notification as read, and all children if it is a batch. Returns whether the notification exists.
    pub fn mark_read(&mut self, id: NotificationId, now: DateTime<Utc>) -> bool {
        for (notification, _) in self.notifications.values_mut() {
            if notification.id == id || notification.parent == Some(id) {
                notification.read_at = notification.read_at.or(Some(now));
            }
        }
        self.notifications.contains_key(&id)
    }

    /// Marks all notifications as read that have not changed since `now`. Returns how many top-level notifications were
    /// unread.
    pub fn mark_all_read(&mut self, now: DateTime<Utc>) -> i64 {
        let unread = self.counts().unread;
        for (notification, _) in self.notifications.values_mut() {
            if notification.last_updated_at <= now {
                notification.read_at = notification.read_at.or(Some(now));
            }
        }
        unread - self.counts().unread
    }

    /// The top-level notifications, most recently updated first.
    pub fn top_level(&self) -> Vec<&Notification> {
        let all = self.notifications.values().map(|(notification, _)| notification);
        let mut list: Vec<_> = all.filter(|notification| notification.is_top_level()).collect();
        list.sort_by_key(|notification| Reverse((notification.last_updated_at, notification.id)));
        list
    }

    /// The children of a batch, newest first.
    pub fn children(&self, batch: NotificationId) -> Vec<&Notification> {
        let ids = self.children.get(&batch).into_iter().flat_map(|them| them.by_time.iter().rev());
        ids.filter_map(|(_, id)| self.get(*id)).collect()
    }

    /// How many top-level notifications there are, and how many of them are unread.
    pub fn counts(&self) -> NotificationCounts {
        let (mut unread, mut total) = (0, 0);
        for (notification, _) in self.notifications.values() {
            if notification.is_top_level() {
                total += 1;
                unread += i64::from(notification.read_at.is_none());
            }
        }
        NotificationCounts { unread, total }
    }

    /// Renders a notification of this inbox with the users that `author_of` finds, and with the current texts that it quotes.
    pub fn render(
        &self,
        notification: &Notification,
        quoted: &QuotedTexts,
        author_of: impl Fn(UserId) -> Option<Author>,
    ) -> RenderedNotification {
        let mut actors: Vec<(Author, Option<Emoji>)> = Vec::new();
        for child in self.children(notification.id) {
            let Some(author) = child.actor.and_then(&author_of) else { continue };
            let emoji = child.details.emoji;
            match actors.iter_mut().find(|(shown, _)| shown.id == author.id) {
                Some((_, shown)) => *shown = shown.or(emoji),
                None => actors.push((author, emoji)),
            }
        }
        actors.truncate(RenderedNotification::MAX_ACTORS);
        let actor = notification.actor.and_then(&author_of);
        RenderedNotification::new(notification.clone(), actor, actors, quoted)
    }

    /// The recipient of the notifications.
    pub fn owner(&self) -> UserId {
        self.owner
    }

    /// The number of the last change of the list.
    pub fn last_seq(&self) -> i64 {
        self.last_seq
    }

    /// The quota of each type, with the number of events that the hourly limit has ever held back.
    pub fn quotas(&self) -> impl Iterator<Item = (NotificationType, &HourlyQuota, i64)> {
        self.quotas.iter().map(|(kind, (quota, held_back))| (*kind, quota, *held_back))
    }

    /// How many events the hourly limit has held back.
    pub fn held_back(&self) -> i64 {
        self.quotas().map(|(.., held_back)| held_back).sum()
    }

    /// The acts without a notification, for a reason that their rows do not show.
    pub fn suppressed(&self) -> impl Iterator<Item = &SuppressedNotification> {
        self.suppressed.values()
    }

    /// All notifications, each with the number of the last change of the list that showed it, or 0 if none did.
    pub fn into_notifications(self) -> impl Iterator<Item = (Notification, i64)> {
        self.notifications.into_values()
    }

    fn context(&self, event: &Event, deliverability: Deliverability) -> InboxContext {
        let Cause { actor, act, .. } = event.cause;
        debug_assert_eq!(event.cause.recipient, self.owner, "an event goes to its recipient");
        let key = (actor, act.dedup_key());
        let withdrawn = self.withdrawn.get(&key).cloned();
        let original = withdrawn.as_ref().and_then(|withdrawn| self.get(withdrawn.parent?));
        let original = original.filter(|parent| parent.batch.is_some());
        let open = event.cause.key().and_then(|key| self.get(*self.open.get(&key)?));
        InboxContext {
            deliverability,
            is_recorded: self.by_act.contains_key(&key),
            original_batch: original.map(|batch| self.parent_notification(batch, actor)),
            open: open.map(|open| self.parent_notification(open, actor)),
            withdrawn,
        }
    }

    fn get(&self, id: NotificationId) -> Option<&Notification> {
        self.notifications.get(&id).map(|(notification, _)| notification)
    }

    fn find(&self, act: &ActKey) -> Option<&Notification> {
        self.get(*self.by_act.get(act)?)
    }

    fn parent_notification(
        &self,
        notification: &Notification,
        actor: UserId,
    ) -> ParentNotification {
        let children = self.children.get(&notification.id).filter(|_| notification.batch.is_some());
        let newest = children.and_then(|children| children.by_time.last().copied());
        ParentNotification {
            notification: notification.clone(),
            newest: newest.unwrap_or_else(|| notification.sort_key()),
            has_actor: children.map_or(notification.actor == Some(actor), |children| {
                children.per_actor.contains_key(&Some(actor))
            }),
        }
    }

    /// The batch without one child, or `None` if no child remains.
    fn remaining_batch(
        &self,
        batch: &Notification,
        without: Option<&Notification>,
    ) -> Option<RemainingBatch> {
        let children = self.children.get(&batch.id)?;
        let remaining = || {
            let ids = children.by_time.iter().rev().map(|(_, id)| *id);
            ids.filter(|id| without.is_none_or(|child| child.id != *id))
                .filter_map(|id| self.get(id))
        };
        let newest = remaining().next()?.clone();
        let mut counts = batch.batch_counts();
        if let Some(child) = without {
            let of_actor = children.per_actor.get(&child.actor).copied();
            counts.child_count -= 1;
            counts.actor_count -= i32::from(of_actor == Some(1));
        }
        let all_read =
            !children.has_unloaded_unread && remaining().all(|child| child.read_at.is_some());
        Some(RemainingBatch { counts, newest, all_read })
    }

    fn apply(&mut self, mut changes: InboxChanges) {
        let (removed, saved) = changes.take_numbered(&mut self.last_seq);
        self.removals.extend(removed);
        for id in changes.deleted {
            self.remove(id);
        }
        for (notification, seq) in saved {
            self.save(notification, seq);
        }
        if let Some(restored) = changes.restored {
            self.withdrawn.remove(&(restored.actor, restored.act));
        }
        for withdrawn in changes.withdrawn {
            self.withdrawn.insert((withdrawn.actor, withdrawn.act.clone()), withdrawn);
        }
        for suppressed in changes.suppressed {
            self.suppressed.insert((suppressed.actor, suppressed.act.clone()), suppressed);
        }
    }

    pub(super) fn save(&mut self, notification: Notification, seq: i64) {
        let id = notification.id;
        let last_seq = self.remove(id);
        let seq = last_seq.map_or(seq, |last_seq| seq.max(last_seq));
        if let Some(key) = act_key(&notification) {
            if last_seq.is_none() {
                self.suppressed.remove(&key);
            }
            self.by_act.insert(key, id);
        }
        if let Some(key) = notification.key.clone().filter(|_| notification.is_open()) {
            self.open.insert(key, id);
        }
        if let Some(parent) = notification.parent {
            let children = self.children.entry(parent).or_default();
            children.by_time.insert(notification.sort_key());
            *children.per_actor.entry(notification.actor).or_default() += 1;
        }
        self.notifications.insert(id, (notification, seq));
    }

    /// Removes a notification, and returns the number of the change that showed it.
    fn remove(&mut self, id: NotificationId) -> Option<i64> {
        let (notification, seq) = self.notifications.remove(&id)?;
        if let Some(key) = act_key(&notification) {
            self.by_act.remove(&key);
        }
        if let Some(key) = &notification.key
            && self.open.get(key) == Some(&id)
        {
            self.open.remove(key);
        }
        if let Some(children) = notification.parent.and_then(|id| self.children.get_mut(&id)) {
            children.by_time.remove(&notification.sort_key());
            if let Some(count) = children.per_actor.get_mut(&notification.actor) {
                *count -= 1;
                if *count == 0 {
                    children.per_actor.remove(&notification.actor);
                }
            }
        }
        Some(seq)
    }
}

pub(super) fn act_key(notification: &Notification) -> Option<ActKey> {
    Some((notification.actor?, notification.act.clone()?))
}
