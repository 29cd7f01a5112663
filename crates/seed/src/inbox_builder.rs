//! Builds inboxes by recording events one by one with the domain's rules.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, Utc};
use grateful_domain::notification::{
    Cause, Deliverability, Event, HourlyQuota, InboxChanges, InboxContext, ParentNotification,
    SuppressedNotification, SuppressionReason, record,
};
use grateful_domain::{BatchKey, Notification, NotificationId, NotificationType, UserId};

/// The notifications of a user and the counters stored with them.
#[derive(Debug, Clone, PartialEq)]
pub struct GeneratedInbox {
    /// The user the inbox belongs to.
    pub owner: UserId,
    /// The notifications, each with the sequence number of the last list change that showed it, or 0 if it never
    /// appeared in the list.
    pub notifications: Vec<(Notification, i64)>,
    /// Sequence number of the last change of the list.
    pub last_seq: i64,
    /// Quotas by notification type.
    pub quotas: Vec<NotificationQuota>,
    /// The events that the hourly limits held back.
    pub held_back: Vec<SuppressedNotification>,
}

/// How many notifications of one type were started and held back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotificationQuota {
    /// The notification type.
    pub kind: NotificationType,
    /// The notifications that started in the last window.
    pub quota: HourlyQuota,
    /// Total number held back by the hourly limit.
    pub held_back: i64,
}

/// Builds the inbox of one user.
pub(crate) struct InboxBuilder {
    inbox: GeneratedInbox,
    /// Index in `inbox.notifications` by id.
    indexes: HashMap<NotificationId, usize>,
    /// The open notification of each key.
    open: HashMap<BatchKey, OpenNotification>,
}

/// The open top-level notification of a key, which later events may join.
struct OpenNotification {
    index: usize,
    /// Time and id of its newest event.
    newest: (DateTime<Utc>, NotificationId),
    actors: HashSet<UserId>,
}

impl InboxBuilder {
    pub(crate) fn new(owner: UserId) -> Self {
        let inbox = GeneratedInbox {
            owner,
            notifications: Vec::new(),
            last_seq: 0,
            quotas: Vec::new(),
            held_back: Vec::new(),
        };
        Self { inbox, indexes: HashMap::new(), open: HashMap::new() }
    }

    /// Records an event. Events must be recorded in the order of their times.
    pub(crate) fn record(&mut self, event: &Event) {
        let key = event.cause.key();
        let open = key.as_ref().and_then(|key| self.open.get(key));
        let context = InboxContext {
            deliverability: Deliverability::Allowed,
            is_recorded: false,
            withdrawn: None,
            original_batch: None,
            open: open.map(|open| ParentNotification {
                notification: self.inbox.notifications[open.index].0.clone(),
                newest: open.newest,
                has_actor: open.actors.contains(&event.cause.actor),
            }),
        };
        let changes = record(event, &context);
        if changes.quota_use.is_none_or(|cause| self.may_start(cause, event.at)) {
            self.apply(changes);
            if let Some(key) = key {
                self.track_open(key, event);
            }
        } else {
            let reason = SuppressionReason::HeldBack;
            let held_back = SuppressedNotification::new(event.cause, reason, event.at);
            self.inbox.held_back.push(held_back);
        }
    }

    /// Marks the notifications as read that were last updated at or before `read_at`, and returns the inbox.
    pub(crate) fn read_until(mut self, read_at: Option<DateTime<Utc>>) -> GeneratedInbox {
        for (notification, _) in &mut self.inbox.notifications {
            notification.read_at = read_at.filter(|at| notification.last_updated_at <= *at);
        }
        self.inbox
    }

    /// Consumes the quota of the type. Returns false, and counts the event as held back, if a limit is reached.
    fn may_start(&mut self, cause: Cause, at: DateTime<Utc>) -> bool {
        let kind = cause.act.kind();
        let entry = self.inbox.quotas.iter_mut().find(|entry| entry.kind == kind);
        let current = entry.as_ref().map(|entry| &entry.quota);
        match (HourlyQuota::consume(current, cause.actor, at), entry) {
            (Some(quota), Some(entry)) => entry.quota = quota,
            (Some(quota), None) => {
                self.inbox.quotas.push(NotificationQuota { kind, quota, held_back: 0 });
            }
            (None, Some(entry)) => {
                entry.held_back += 1;
                return false;
            }
            (None, None) => return false,
        }
        true
    }

    fn apply(&mut self, changes: InboxChanges) {
        let mut next_seq = || {
            self.inbox.last_seq += 1;
            self.inbox.last_seq
        };
        changes.removed_from_list.iter().for_each(|_| _ = next_seq());
        for saved in changes.saved {
            let seq = if changes.updated_in_list.contains(&saved.id) { next_seq() } else { 0 };
            if let Some(index) = self.indexes.get(&saved.id) {
                let (notification, last_seq) = &mut self.inbox.notifications[*index];
                (*notification, *last_seq) = (saved, seq.max(*last_seq));
            } else {
                self.indexes.insert(saved.id, self.inbox.notifications.len());
                self.inbox.notifications.push((saved, seq));
            }
        }
    }

    /// Remembers the notification that holds the event, for later events with the same key.
    fn track_open(&mut self, key: BatchKey, event: &Event) {
        let recorded = &self.inbox.notifications[self.indexes[&event.id]].0;
        let (top_level, newest) = (recorded.parent.unwrap_or(recorded.id), recorded.sort_key());
        let index = self.indexes[&top_level];
        let new = || OpenNotification { index, newest, actors: HashSet::new() };
        let open = self.open.entry(key).or_insert_with(new);
        if recorded.is_top_level() {
            *open = new();
        }
        open.index = index;
        open.newest = open.newest.max(newest);
        open.actors.insert(event.cause.actor);
    }
}
