//! Updates of a group, applied to the part of an inbox that they need, leave the rows that applying them one after another to
//! the whole inbox leaves. So a store needs no rule of its own, under any policy.

use std::collections::{BTreeMap, BTreeSet};

use chrono::TimeDelta;
use grateful_domain::batching::{
    BatchPolicy, Cause, Deliverability, Inbox, InboxDiff, InboxPart, InboxUpdate, Notification,
    OtherChildren, StoredQuota, WithdrawnNotification,
};
use grateful_domain::notification::Grateful;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use crate::policies::{Sample, Shop};
use crate::scenario::Scenario;

/// Actors are user ids; acts are indices into [`acts`].
#[derive(Debug, Clone)]
enum GroupAct {
    Record(i64, usize, Deliverability),
    Withdraw(i64, usize),
    /// Replaces the details by a variant of them.
    ChangeDetails(i64, usize, usize),
}

fn acts<P: Sample>() -> Vec<P::Act> {
    P::acts().into_iter().chain((2..24).map(P::start)).collect()
}

/// Groups of acts, each with the minutes that pass before it.
fn groups<P: Sample>() -> impl Strategy<Value = Vec<(i64, Vec<GroupAct>)>> {
    let actor = || 2..7_i64;
    let act = || prop_oneof![4 => 0..2_usize, 3 => 2..acts::<P>().len()];
    let deliverability = prop_oneof![
        12 => Just(Deliverability::Allowed),
        1 => Just(Deliverability::Muted),
        1 => Just(Deliverability::Blocked),
    ];
    let group_act = prop_oneof![
        8 => (actor(), act(), deliverability)
            .prop_map(|(actor, act, deliverability)| GroupAct::Record(actor, act, deliverability)),
        6 => (actor(), act()).prop_map(|(actor, act)| GroupAct::Withdraw(actor, act)),
        2 => (actor(), act(), 0..10_usize)
            .prop_map(|(actor, act, variant)| GroupAct::ChangeDetails(actor, act, variant)),
    ];
    let minutes = prop_oneof![6 => 0..20_i64, 2 => select(vec![59, 60, 61, 24 * 60, 24 * 60 + 1])];
    vec((minutes, vec(group_act, 1..40)), 1..12)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_group_leaves_the_rows_that_its_acts_leave_one_after_another(groups in groups::<Grateful>()) {
        check_groups::<Grateful>(groups)?;
    }

    #[test]
    fn so_does_a_group_of_another_policy(groups in groups::<Shop>()) {
        check_groups::<Shop>(groups)?;
    }
}

fn check_groups<P: Sample>(groups: Vec<(i64, Vec<GroupAct>)>) -> Result<(), TestCaseError> {
    let mut scenario = Scenario::of(P::default());
    let mut rows = Rows::<P>::new();
    for (minutes, group) in groups {
        scenario.advance_minutes(minutes);
        let updates: Vec<_> = group.iter().map(|act| to_update(&mut scenario, act)).collect();
        let before = Inbox::new(P::user(1)).with_part(rows.last_seq, rows.part(&updates));
        let mut after = before.clone();
        for (update, deliverability) in &updates {
            let in_part = after.update(update, *deliverability);
            prop_assert_eq!(in_part, scenario.inbox.update(update, *deliverability));
        }

        rows.last_seq = after.last_seq();
        rows.apply(after.diff(&before))?;

        prop_assert_eq!(rows.last_seq, scenario.inbox.last_seq());
        let whole: BTreeMap<_, _> = scenario
            .inbox
            .clone()
            .into_notifications()
            .map(|(notification, seq)| (notification.id, (notification, seq)))
            .collect();
        prop_assert_eq!(in_list(&rows.notifications), in_list(&whole));
        let quotas = scenario.inbox.quotas();
        let quotas: Vec<_> = quotas
            .map(|(kind, quota, held_back)| StoredQuota { kind, quota: quota.clone(), held_back })
            .collect();
        prop_assert_eq!(rows.quotas.values().cloned().collect::<Vec<_>>(), quotas);
    }
    Ok(())
}

/// Notifications with the number of the last change of the list that showed them, by id.
type Numbered<P> = BTreeMap<<P as BatchPolicy>::Id, (Notification<P>, i64)>;

/// Children are not in the list, so their numbers do not matter.
fn in_list<P: Sample>(all: &Numbered<P>) -> Vec<(Notification<P>, Option<i64>)> {
    let seq_of = |it: &Notification<P>, seq: i64| it.parent.is_none().then_some(seq);
    all.values().map(|(it, seq)| (it.clone(), seq_of(it, *seq))).collect()
}

/// The acts of a group are a second apart.
fn to_update<P: Sample>(
    scenario: &mut Scenario<P>,
    act: &GroupAct,
) -> (InboxUpdate<P>, Deliverability) {
    scenario.advance(TimeDelta::seconds(1));
    let act_of = |index: usize| acts::<P>().swap_remove(index);
    let cause = |actor: i64, index| Cause {
        recipient: P::user(1),
        actor: P::user(actor),
        act: act_of(index),
    };
    match *act {
        GroupAct::Record(actor, act, deliverability) => {
            (InboxUpdate::Record(scenario.event(actor, act_of(act))), deliverability)
        }
        GroupAct::Withdraw(actor, act) => {
            let update = InboxUpdate::Withdraw { cause: cause(actor, act), at: scenario.now };
            (update, Deliverability::Allowed)
        }
        GroupAct::ChangeDetails(actor, act, variant) => {
            let details = P::details(&act_of(act), variant);
            let update = InboxUpdate::ChangeDetails { cause: cause(actor, act), details };
            (update, Deliverability::Allowed)
        }
    }
}

/// What a store keeps of an inbox.
struct Rows<P: BatchPolicy> {
    policy: P,
    notifications: Numbered<P>,
    withdrawn: BTreeMap<(P::User, P::ActKey), WithdrawnNotification<P>>,
    quotas: BTreeMap<P::Kind, StoredQuota<P>>,
    last_seq: i64,
}

impl<P: Sample> Rows<P> {
    fn new() -> Self {
        Self {
            policy: P::default(),
            notifications: BTreeMap::new(),
            withdrawn: BTreeMap::new(),
            quotas: BTreeMap::new(),
            last_seq: 0,
        }
    }

    /// Only what [`InboxPart`] asks for.
    fn part(&self, updates: &[(InboxUpdate<P>, Deliverability)]) -> InboxPart<P> {
        let causes: Vec<&Cause<P>> = updates.iter().map(|(update, _)| update.cause()).collect();
        let acts: BTreeSet<_> = causes
            .iter()
            .map(|cause| (cause.actor.clone(), self.policy.act_key(&cause.act)))
            .collect();
        let keys: BTreeSet<_> =
            causes.iter().filter_map(|cause| self.policy.batch_key(cause)).collect();
        let withdrawn: Vec<_> = acts.iter().filter_map(|act| self.withdrawn.get(act)).collect();
        let all = || self.notifications.values().map(|(notification, _)| notification);
        let entries: Vec<&Notification<P>> =
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
            let actors: BTreeSet<_> = causes.iter().map(|cause| cause.actor.clone()).collect();
            let is_other =
                |actor: &P::User| others.iter().any(|it| it.actor.as_ref() == Some(actor));
            part.other_children.push(OtherChildren {
                batch: id,
                actors: actors.into_iter().filter(is_other).collect(),
                has_unread: others.iter().any(|it| it.read_at.is_none()),
            });
        }
        part
    }

    /// Writes the difference row by row, under the unique constraints of the tables.
    fn apply(&mut self, diff: InboxDiff<P>) -> Result<(), TestCaseError> {
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
            let key = (withdrawn.actor.clone(), withdrawn.act.clone());
            self.withdrawn.insert(key, withdrawn);
        }
        self.quotas.extend(diff.quotas.into_iter().map(|quota| (quota.kind, quota)));
        Ok(())
    }
}

fn act_of<P: BatchPolicy>(notification: &Notification<P>) -> Option<(P::User, P::ActKey)> {
    Some((notification.actor.clone()?, notification.act.clone()?))
}

fn is_open<P: BatchPolicy>(notification: &Notification<P>) -> bool {
    notification.parent.is_none() && notification.closed_at.is_none()
}
