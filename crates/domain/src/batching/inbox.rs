//! An inbox in memory, for services without a database, for generated data, and as a reference model for
//! `grateful-storage`.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};

use super::{
    BatchDecision, BatchPolicy, Cause, Deliverability, Event, InboxChanges, InboxContext,
    InboxUpdate, Notification, NotificationCounts, ParentNotification, RemainingBatch, StartQuota,
    SuppressedNotification, WithdrawalReason, WithdrawnNotification, change_details, decide,
    record, withdraw,
};

/// The notifications of one user, and what is stored with them.
#[derive(Debug, Clone)]
pub struct Inbox<P: BatchPolicy> {
    policy: P,
    owner: P::User,
    /// Each with the number of the last change of the list that showed it, or 0 if none did.
    pub(super) notifications: BTreeMap<P::Id, (Notification<P>, i64)>,
    pub(super) last_seq: i64,
    /// The notifications that left the list, each with the number of the change.
    pub(super) removals: Vec<(P::Id, i64)>,
    by_act: BTreeMap<ActKey<P>, P::Id>,
    open: BTreeMap<P::Key, P::Id>,
    pub(super) children: BTreeMap<P::Id, Children<P>>,
    pub(super) withdrawn: BTreeMap<ActKey<P>, WithdrawnNotification<P>>,
    pub(super) suppressed: BTreeMap<ActKey<P>, SuppressedNotification<P>>,
    /// Each with the number of events of the type that the limit of starts has ever held back.
    pub(super) quotas: BTreeMap<P::Kind, (StartQuota<P::User>, i64)>,
}

/// An actor, and the [`BatchPolicy::act_key`] of their act.
type ActKey<P> = (<P as BatchPolicy>::User, <P as BatchPolicy>::ActKey);

/// The children of a batch. In a [part](super::InboxPart) of an inbox, not all of them are loaded.
#[derive(Debug, Clone)]
pub(super) struct Children<P: BatchPolicy> {
    /// The loaded ones, by [`Notification::sort_key`].
    by_time: BTreeSet<(DateTime<Utc>, P::Id)>,
    /// How many children each actor has. Those that are not loaded count as one.
    pub(super) per_actor: BTreeMap<Option<P::User>, usize>,
    /// Whether a child that is not loaded is unread.
    pub(super) has_unloaded_unread: bool,
}

impl<P: BatchPolicy> Default for Children<P> {
    fn default() -> Self {
        Self { by_time: BTreeSet::new(), per_actor: BTreeMap::new(), has_unloaded_unread: false }
    }
}

impl<P: BatchPolicy + Default> Inbox<P> {
    /// An empty inbox with the default policy.
    pub fn new(owner: P::User) -> Self {
        Self::with_policy(P::default(), owner)
    }
}

impl<P: BatchPolicy> Inbox<P> {
    /// An empty inbox.
    pub fn with_policy(policy: P, owner: P::User) -> Self {
        Self {
            policy,
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
        update: &InboxUpdate<P>,
        deliverability: Deliverability,
    ) -> Option<BatchDecision> {
        match update {
            InboxUpdate::Record(event) => return Some(self.record(event, deliverability)),
            InboxUpdate::Withdraw { cause, at } => {
                self.withdraw(cause.actor.clone(), &cause.act, *at);
            }
            InboxUpdate::ChangeDetails { cause, details } => {
                self.change_details(cause.actor.clone(), &cause.act, details.clone());
            }
        }
        None
    }

    /// Records an event. If the limit of starts is reached, the event is held back.
    pub fn record(&mut self, event: &Event<P>, deliverability: Deliverability) -> BatchDecision {
        let context = self.context(event, deliverability);
        let limits = self.policy.batch_limits(&event.cause.act);
        let decision = match decide(limits, event, &context) {
            BatchDecision::Start if !self.consume_quota(&event.cause, event.at) => {
                BatchDecision::HoldBack
            }
            decision => decision,
        };
        self.apply(record(&self.policy, event, &context, decision));
        decision
    }

    /// Returns false, and counts the event as held back, if the limit of starts is reached.
    fn consume_quota(&mut self, cause: &Cause<P>, at: DateTime<Utc>) -> bool {
        let kind = self.policy.kind(&cause.act);
        let limits = self.policy.start_limits(kind);
        let current = self.quotas.get(&kind);
        let held_back = current.map_or(0, |(_, held_back)| *held_back);
        let quota = current.map(|(quota, _)| quota);
        if let Some(quota) = limits.consume(quota, &cause.actor, at) {
            self.quotas.insert(kind, (quota, held_back));
            return true;
        }
        if let Some((_, held_back)) = self.quotas.get_mut(&kind) {
            *held_back += 1;
        }
        false
    }

    /// Withdraws the notification of an undone act.
    pub fn withdraw(&mut self, actor: P::User, act: &P::Act, now: DateTime<Utc>) {
        let key = (actor, self.policy.act_key(act));
        self.suppressed.remove(&key);
        if let Some(id) = self.by_act.get(&key) {
            self.withdraw_notification(*id, WithdrawalReason::Undone, now);
        }
    }

    /// Withdraws a single notification or a child of a batch.
    pub fn withdraw_notification(
        &mut self,
        id: P::Id,
        reason: WithdrawalReason,
        now: DateTime<Utc>,
    ) {
        let Some(notification) = self.get(id).cloned() else { return };
        if notification.is_top_level()
            && let Some(actor) = &notification.actor
            && let Some((quota, _)) = self.quotas.get_mut(&notification.kind)
        {
            *quota = quota.release(actor, notification.created_at);
        }
        let Some(parent) = self.get(notification.parent.unwrap_or(id)).cloned() else { return };
        let remaining = self.remaining_batch(&parent, Some(&notification));
        let remaining = remaining.as_ref();
        self.apply(withdraw(&self.policy, &parent, &notification, remaining, reason, now));
    }

    /// Replaces the details in the notification of an act.
    pub fn change_details(&mut self, actor: P::User, act: &P::Act, details: P::Details) {
        let key = (actor, self.policy.act_key(act));
        let Some(before) = self.by_act.get(&key).and_then(|id| self.get(*id)) else { return };
        let batch = before.parent.and_then(|parent| self.get(parent));
        let remaining = batch.and_then(|batch| self.remaining_batch(batch, None));
        let changes = change_details(before, details, batch.zip(remaining.as_ref()));
        self.apply(changes);
    }

    /// Marks a notification as read, and all children if it is a batch. Returns whether the notification exists.
    pub fn mark_read(&mut self, id: P::Id, now: DateTime<Utc>) -> bool {
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
    pub fn top_level(&self) -> Vec<&Notification<P>> {
        let all = self.notifications.values().map(|(notification, _)| notification);
        let mut list: Vec<_> = all.filter(|notification| notification.is_top_level()).collect();
        list.sort_by_key(|notification| Reverse((notification.last_updated_at, notification.id)));
        list
    }

    /// The children of a batch, newest first.
    pub fn children(&self, batch: P::Id) -> Vec<&Notification<P>> {
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

    /// The recipient of the notifications.
    pub fn owner(&self) -> &P::User {
        &self.owner
    }

    /// The number of the last change of the list.
    pub fn last_seq(&self) -> i64 {
        self.last_seq
    }

    /// The quota of each type, with the number of events that the limit of starts has ever held back.
    pub fn quotas(&self) -> impl Iterator<Item = (P::Kind, &StartQuota<P::User>, i64)> {
        self.quotas.iter().map(|(kind, (quota, held_back))| (*kind, quota, *held_back))
    }

    /// How many events the limits of starts have held back.
    pub fn held_back(&self) -> i64 {
        self.quotas().map(|(.., held_back)| held_back).sum()
    }

    /// The acts without a notification, for a reason that their rows do not show.
    pub fn suppressed(&self) -> impl Iterator<Item = &SuppressedNotification<P>> {
        self.suppressed.values()
    }

    /// All notifications, each with the number of the last change of the list that showed it, or 0 if none did.
    pub fn into_notifications(self) -> impl Iterator<Item = (Notification<P>, i64)> {
        self.notifications.into_values()
    }

    fn context(&self, event: &Event<P>, deliverability: Deliverability) -> InboxContext<P> {
        let Cause { recipient, actor, act } = &event.cause;
        debug_assert_eq!(*recipient, self.owner, "an event goes to its recipient");
        let key = (actor.clone(), self.policy.act_key(act));
        let withdrawn = self.withdrawn.get(&key).filter(|withdrawn| {
            let (kind, subject) = (self.policy.kind(act), self.policy.subject(act));
            let window = self.policy.restore_window(kind, &subject);
            window.is_some_and(|window| withdrawn.is_restorable(window, event.at))
        });
        let original = withdrawn.and_then(|withdrawn| self.get(withdrawn.parent?));
        let original = original.filter(|parent| parent.batch.is_some());
        let open = self.policy.batch_key(&event.cause).and_then(|key| self.open.get(&key));
        let open = open.and_then(|open| self.get(*open));
        InboxContext {
            deliverability,
            is_recorded: self.by_act.contains_key(&key),
            original_batch: original.map(|batch| self.parent_notification(batch, actor)),
            open: open.map(|open| self.parent_notification(open, actor)),
            withdrawn: withdrawn.cloned(),
        }
    }

    fn get(&self, id: P::Id) -> Option<&Notification<P>> {
        self.notifications.get(&id).map(|(notification, _)| notification)
    }

    fn parent_notification(
        &self,
        notification: &Notification<P>,
        actor: &P::User,
    ) -> ParentNotification<P> {
        let children = self.children.get(&notification.id).filter(|_| notification.batch.is_some());
        let newest = children.and_then(|children| children.by_time.last().copied());
        ParentNotification {
            notification: notification.clone(),
            newest: newest.unwrap_or_else(|| notification.sort_key()),
            has_actor: children.map_or(notification.actor.as_ref() == Some(actor), |children| {
                children.per_actor.contains_key(&Some(actor.clone()))
            }),
        }
    }

    /// The batch without one child, or `None` if no child remains.
    fn remaining_batch(
        &self,
        batch: &Notification<P>,
        without: Option<&Notification<P>>,
    ) -> Option<RemainingBatch<P>> {
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

    fn apply(&mut self, mut changes: InboxChanges<P>) {
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
            let key = (withdrawn.actor.clone(), withdrawn.act.clone());
            self.withdrawn.insert(key, withdrawn);
        }
        for suppressed in changes.suppressed {
            let key = (suppressed.actor.clone(), suppressed.act.clone());
            self.suppressed.insert(key, suppressed);
        }
    }

    pub(super) fn save(&mut self, notification: Notification<P>, seq: i64) {
        let id = notification.id;
        let last_seq = self.remove(id);
        let seq = last_seq.map_or(seq, |last_seq| seq.max(last_seq));
        if let Some(key) = notification.actor_and_act() {
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
            *children.per_actor.entry(notification.actor.clone()).or_default() += 1;
        }
        self.notifications.insert(id, (notification, seq));
    }

    /// Removes a notification, and returns the number of the change that showed it.
    fn remove(&mut self, id: P::Id) -> Option<i64> {
        let (notification, seq) = self.notifications.remove(&id)?;
        if let Some(key) = notification.actor_and_act() {
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
