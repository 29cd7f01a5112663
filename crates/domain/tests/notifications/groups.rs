//! Updates of a group, applied to the part of an inbox that they need, leave the rows that applying them one after another to
//! the whole inbox leaves.

use std::collections::{BTreeMap, BTreeSet};

use chrono::TimeDelta;
use grateful_domain::notification::{
    Act, Cause, Deliverability, InboxDiff, InboxPart, InboxUpdate, OtherChildren, StoredQuota,
    WithdrawnNotification,
};
use grateful_domain::{Emoji, Inbox, Notification, NotificationId, NotificationType, UserId};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use crate::scenario::{Scenario, ana, comment, heart, link, mention, post, reaction, reply};

#[derive(Debug, Clone)]
enum GroupAct {
    Record(i64, usize, Deliverability),
    Withdraw(i64, usize),
    ChangeEmoji(i64, Emoji),
}

fn acts() -> Vec<Act> {
    let mut acts = vec![heart(), reaction(), link(), mention(Some(1)), comment(2), reply(4)];
    acts.extend([Act::Follow, Act::FollowRequest]);
    acts.extend((2..24).map(|number| Act::Heart { post: post(number) }));
    acts
}

/// Groups of acts, each with the minutes that pass before it.
fn groups() -> impl Strategy<Value = Vec<(i64, Vec<GroupAct>)>> {
    let actor = || 2..7_i64;
    let act = || prop_oneof![4 => 0..2_usize, 3 => 2..acts().len()];
    let deliverability = prop_oneof![
        12 => Just(Deliverability::Allowed),
        1 => Just(Deliverability::Muted),
        1 => Just(Deliverability::Blocked),
    ];
    let group_act = prop_oneof![
        8 => (actor(), act(), deliverability)
            .prop_map(|(actor, act, deliverability)| GroupAct::Record(actor, act, deliverability)),
        6 => (actor(), act()).prop_map(|(actor, act)| GroupAct::Withdraw(actor, act)),
        2 => (actor(), select(&Emoji::ALL[..]))
            .prop_map(|(actor, emoji)| GroupAct::ChangeEmoji(actor, emoji)),
    ];
    let minutes = prop_oneof![6 => 0..20_i64, 2 => select(vec![59, 60, 61, 24 * 60, 24 * 60 + 1])];
    vec((minutes, vec(group_act, 1..40)), 1..12)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_group_leaves_the_rows_that_its_acts_leave_one_after_another(groups in groups()) {
        let mut scenario = Scenario::new();
        let mut rows = Rows::default();
        for (minutes, group) in groups {
            scenario.advance_minutes(minutes);
            let updates: Vec<_> = group.iter().map(|act| to_update(&mut scenario, act)).collect();
            let before = Inbox::from_part(ana(), rows.last_seq, rows.part(&updates));
            let mut after = before.clone();
            for (update, deliverability) in &updates {
                let in_part = after.update(update, *deliverability);
                prop_assert_eq!(in_part, scenario.inbox.update(update, *deliverability));
            }

            rows.last_seq = after.last_seq();
            rows.apply(after.diff(&before))?;

            prop_assert_eq!(rows.last_seq, scenario.inbox.last_seq());
            // Children are not in the list, so their numbers do not matter.
            let seq_of = |(it, seq): &(Notification, i64)| it.parent.is_none().then_some(*seq);
            let whole: BTreeMap<_, _> = scenario
                .inbox
                .clone()
                .into_notifications()
                .map(|(notification, seq)| (notification.id, (notification, seq)))
                .collect();
            let in_list = |all: &BTreeMap<NotificationId, (Notification, i64)>| {
                all.values().map(|row| (row.0.clone(), seq_of(row))).collect::<Vec<_>>()
            };
            prop_assert_eq!(in_list(&rows.notifications), in_list(&whole));
            let quotas: Vec<_> = scenario
                .inbox
                .quotas()
                .map(|(kind, quota, held_back)| StoredQuota { kind, quota: quota.clone(), held_back })
                .collect();
            prop_assert_eq!(rows.quotas.values().cloned().collect::<Vec<_>>(), quotas);
        }
    }
}

/// The acts of a group are a second apart.
fn to_update(scenario: &mut Scenario, act: &GroupAct) -> (InboxUpdate, Deliverability) {
    scenario.advance(TimeDelta::seconds(1));
    let cause = |actor: i64, act| Cause { recipient: ana(), actor: actor.into(), act };
    match *act {
        GroupAct::Record(actor, act, deliverability) => {
            (InboxUpdate::Record(scenario.event(actor, acts()[act])), deliverability)
        }
        GroupAct::Withdraw(actor, act) => {
            let cause = cause(actor, acts()[act]);
            (InboxUpdate::Withdraw { cause, at: scenario.now }, Deliverability::Allowed)
        }
        GroupAct::ChangeEmoji(actor, emoji) => {
            let cause = cause(actor, reaction());
            (InboxUpdate::ChangeEmoji { cause, emoji }, Deliverability::Allowed)
        }
    }
}

/// What a store keeps of an inbox.
#[derive(Default)]
struct Rows {
    notifications: BTreeMap<NotificationId, (Notification, i64)>,
    withdrawn: BTreeMap<(UserId, String), WithdrawnNotification>,
    quotas: BTreeMap<NotificationType, StoredQuota>,
    last_seq: i64,
}

impl Rows {
    /// Only what [`InboxPart`] asks for.
    fn part(&self, updates: &[(InboxUpdate, Deliverability)]) -> InboxPart {
        let causes: Vec<Cause> = updates.iter().map(|(update, _)| update.cause()).collect();
        let acts: BTreeSet<_> =
            causes.iter().map(|cause| (cause.actor, cause.act.dedup_key())).collect();
        let keys: BTreeSet<_> = causes.iter().filter_map(Cause::key).collect();
        let withdrawn: Vec<_> = acts.iter().filter_map(|act| self.withdrawn.get(act)).collect();
        let all = || self.notifications.values().map(|(notification, _)| notification);
        let entries: Vec<&Notification> =
            all().filter(|it| act_of(it).is_some_and(|act| acts.contains(&act))).collect();
        let entry_ids: BTreeSet<_> = entries.iter().map(|entry| entry.id).collect();
        let open =
            all().filter(|it| is_open(it) && it.key.as_ref().is_some_and(|key| keys.contains(key)));
        let of_entries = entries.iter().map(|entry| entry.parent.unwrap_or(entry.id));
        let parents: BTreeSet<_> = of_entries
            .chain(withdrawn.iter().filter_map(|withdrawn| withdrawn.parent))
            .chain(open.map(|open| open.id))
            .filter(|id| self.notifications.contains_key(id))
            .collect();
        let mut part = InboxPart {
            notifications: entries.into_iter().cloned().collect(),
            withdrawn: withdrawn.into_iter().cloned().collect(),
            quotas: self.quotas.values().cloned().collect(),
            ..InboxPart::default()
        };
        for id in parents {
            if !entry_ids.contains(&id) {
                part.notifications.push(self.notifications[&id].0.clone());
            }
            let others: Vec<_> =
                all().filter(|it| it.parent == Some(id) && !entry_ids.contains(&it.id)).collect();
            let newest = others.iter().max_by_key(|other| (other.created_at, other.id));
            part.notifications.extend(newest.map(|newest| (*newest).clone()));
            let actors: BTreeSet<_> = causes.iter().map(|cause| cause.actor).collect();
            let is_other = |actor: &UserId| others.iter().any(|it| it.actor == Some(*actor));
            part.other_children.push(OtherChildren {
                batch: id,
                actors: actors.into_iter().filter(is_other).collect(),
                has_unread: others.iter().any(|it| it.read_at.is_none()),
            });
        }
        part
    }

    /// Writes the difference row by row, under the unique constraints of the tables.
    fn apply(&mut self, diff: InboxDiff) -> Result<(), TestCaseError> {
        for id in diff.deleted {
            prop_assert!(self.notifications.remove(&id).is_some());
        }
        for (notification, seq) in diff.saved {
            let old = self.notifications.remove(&notification.id);
            let seq = if seq == 0 { old.map_or(0, |(_, seq)| seq) } else { seq };
            for (other, _) in self.notifications.values() {
                let is_open_twice = is_open(&notification)
                    && is_open(other)
                    && notification.key.is_some()
                    && notification.key == other.key;
                prop_assert!(!is_open_twice, "{:?}", notification);
                prop_assert!(
                    act_of(&notification).is_none() || act_of(&notification) != act_of(other)
                );
            }
            self.notifications.insert(notification.id, (notification, seq));
        }
        for restored in diff.restored {
            prop_assert!(self.withdrawn.remove(&(restored.actor, restored.act)).is_some());
        }
        for withdrawn in diff.withdrawn {
            self.withdrawn.insert((withdrawn.actor, withdrawn.act.clone()), withdrawn);
        }
        self.quotas.extend(diff.quotas.into_iter().map(|quota| (quota.kind, quota)));
        Ok(())
    }
}

fn act_of(notification: &Notification) -> Option<(UserId, String)> {
    Some((notification.actor?, notification.act.clone()?))
}

fn is_open(notification: &Notification) -> bool {
    notification.parent.is_none() && notification.closed_at.is_none()
}
