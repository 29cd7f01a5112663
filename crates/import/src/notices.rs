//! Notifications: not translated row by row, but made from the acts that came over. The older rows say which of them were
//! notified of, when, and whether it was read.

mod batches;
mod matching;

use chrono::{DateTime, Utc};
use grateful_domain::notification::{
    Act, Cause, Deliverability, Event, EventDetails, NotificationCounts, SuppressedNotification,
    SuppressionReason,
};
use grateful_domain::{Inbox, Notification, NotificationId, Preferences, UserId};
use grateful_storage::{BulkInbox, LoadedAct};

use self::matching::Matched;
use crate::ids;
use crate::report::Change;
use crate::world::World;

/// A row of the older `notifications`.
#[derive(Debug, Clone, Default)]
pub(crate) struct OldNotice {
    pub(crate) id: String,
    pub(crate) user_id: i64,
    pub(crate) kind: String,
    pub(crate) data: Option<String>,
    pub(crate) read: bool,
    pub(crate) created_at: DateTime<Utc>,
    pub(crate) read_at: Option<DateTime<Utc>>,
    pub(crate) parent_id: Option<String>,
    pub(crate) is_batch: bool,
    pub(crate) batch_count: Option<i64>,
    pub(crate) last_updated_at: Option<DateTime<Utc>>,
}

impl OldNotice {
    /// When the recipient read it. What is read without a time was read when it last changed.
    fn read_at(&self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let changed_at = self.last_updated_at.unwrap_or(self.created_at);
        self.read.then(|| self.read_at.unwrap_or(changed_at).min(now))
    }
}

/// An older notice with the act that it is about.
#[derive(Debug, Clone)]
struct Entry {
    id: NotificationId,
    act: LoadedAct,
    created_at: DateTime<Utc>,
    read_at: Option<DateTime<Utc>>,
    /// The older batch that it is in.
    batch: Option<String>,
}

/// The notices of one recipient, after the import.
#[derive(Debug)]
pub(crate) struct Reconciled {
    pub(crate) inbox: BulkInbox,
    /// Acts without a notification, and why.
    pub(crate) suppressed: Vec<SuppressedNotification>,
    /// How many older rows are left out.
    pub(crate) skipped: u64,
    /// How many notifications no older row has.
    pub(crate) made: u64,
    pub(crate) changes: Vec<Change>,
}

/// Makes the inbox of a recipient from the acts that notify them and the older notices.
pub(crate) fn reconcile(
    recipient: i64,
    mut acts: Vec<LoadedAct>,
    old: &[OldNotice],
    world: &World,
) -> Reconciled {
    acts.retain(|act| is_notified(act, world));
    let Matched { entries, mut changes, skipped, made } =
        matching::entries(recipient, &acts, old, world);
    let batched = batches::assemble(recipient, &entries, old, world);
    changes.extend(batched.changes);
    let mut notifications = batched.notifications;
    let missing = without_notice(recipient, &acts, &entries, world);
    let made = made + batched.made + missing.notifications.len() as u64;
    close_all_but_the_newest(&mut notifications);
    notifications.extend(missing.notifications);
    Reconciled {
        inbox: to_inbox(recipient, notifications),
        suppressed: missing.suppressed,
        skipped: skipped + batched.skipped,
        made,
        changes,
    }
}

/// Whether the recipient of an act is notified of it by our rules: not of one's own, not across a block, not of what they
/// cannot see.
fn is_notified(act: &LoadedAct, world: &World) -> bool {
    let (recipient, actor) = (i64::from(act.cause.recipient), i64::from(act.cause.actor));
    let post = act.cause.act.post().and_then(|post| world.posts.get(&post.into()));
    let is_visible = post.is_none_or(|post| {
        post.author == recipient || (post.is_public && !world.is_blocked(recipient, post.author))
    });
    recipient != actor && !world.is_blocked(recipient, actor) && is_visible
}

/// Acts of the last days without an older notice.
struct WithoutNotice {
    notifications: Vec<Notification>,
    suppressed: Vec<SuppressedNotification>,
}

/// Within the retention, an act without a notice gets one that is read and closed, unless the recipient turned its type off:
/// ours keeps track of each act of this time. No one is alerted.
fn without_notice(
    recipient: i64,
    acts: &[LoadedAct],
    entries: &[Entry],
    world: &World,
) -> WithoutNotice {
    let noticed: std::collections::HashSet<Cause> =
        entries.iter().map(|entry| entry.act.cause).collect();
    let facts = world.user(recipient);
    let preferences = facts.and_then(|facts| facts.preferences.as_deref());
    let joined = facts.map_or(world.now, |facts| facts.created_at);
    let mut missing = WithoutNotice { notifications: vec![], suppressed: vec![] };
    let recent = acts.iter().filter(|act| world.retained_since <= act.at);
    for act in recent.filter(|act| !noticed.contains(&act.cause)) {
        let is_mention = matches!(act.cause.act, Act::Mention { .. });
        if is_mention && act.at < joined {
            continue;
        }
        let kind = act.cause.act.kind();
        if preferences.is_none_or(|preferences: &Preferences| preferences.allows_notification(kind))
        {
            let text = format!("{} {recipient} {}", act.cause.act.dedup_key(), act.cause.actor);
            let id = NotificationId::from(ids::derived(&text));
            let closed_at = Some(act.at);
            missing.notifications.extend(single(id, act, act.at).map(|single| Notification {
                read_at: closed_at,
                closed_at,
                ..single
            }));
        } else {
            let reason = SuppressionReason::Muted;
            missing.suppressed.push(SuppressedNotification::new(act.cause, reason, act.at));
        }
    }
    missing
}

/// The notification of one act, as our rules write it: unread and open.
fn single(id: NotificationId, act: &LoadedAct, at: DateTime<Utc>) -> Option<Notification> {
    let details: EventDetails = act.details.clone();
    let event = Event { cause: act.cause, details, at, id, batch_id: id };
    let mut inbox = Inbox::new(act.cause.recipient);
    inbox.record(&event, Deliverability::Allowed);
    inbox.top_level().first().map(|single| (*single).clone())
}

/// Of the notifications with one key, the newest stays open. Whether it can still be joined is decided by its age as always.
fn close_all_but_the_newest(notifications: &mut [Notification]) {
    let mut newest = std::collections::HashMap::new();
    for top in notifications.iter().filter(|it| it.parent.is_none()) {
        let Some(key) = top.key.clone() else { continue };
        let position = (top.last_updated_at, top.id);
        let known = newest.entry(key).or_insert(position);
        *known = position.max(*known);
    }
    for top in notifications.iter_mut().filter(|it| it.parent.is_none()) {
        let open = top.key.as_ref().and_then(|key| newest.get(key));
        if open.is_some_and(|(_, id)| *id != top.id) {
            top.closed_at = Some(top.last_updated_at);
        }
    }
}

/// Numbers the list by time. Entries of batches are no changes of the list, so they have no number.
fn to_inbox(recipient: i64, mut notifications: Vec<Notification>) -> BulkInbox {
    notifications.sort_by_key(|it| (it.last_updated_at, it.id));
    let (mut last_seq, mut counts) = (0, NotificationCounts { unread: 0, total: 0 });
    // A batch is written before its entries.
    notifications.sort_by_key(|it| it.parent.is_some());
    let numbered = notifications.into_iter().map(|it| {
        if it.parent.is_some() {
            return (it, 0);
        }
        last_seq += 1;
        counts.total += 1;
        counts.unread += i64::from(it.read_at.is_none());
        (it, last_seq)
    });
    let notifications = numbered.collect();
    BulkInbox { owner: UserId::from(recipient), notifications, last_seq, counts }
}

#[cfg(test)]
mod tests;
