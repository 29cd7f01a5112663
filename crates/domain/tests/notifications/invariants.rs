//! The notification invariants (docs/rules.md#notification-invariants), over random acts of several users.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use chrono::{DateTime, TimeDelta, Utc};
use grateful_domain::notification::{
    Act, Deliverability, HourlyQuota, NotificationCounts, WithdrawnNotification,
};
use grateful_domain::{Emoji, Notification, NotificationId};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use proptest::test_runner::TestCaseResult;

use crate::scenario::{Scenario, comment, heart, link, mention, message, post, reaction, reply};

/// A step of a random scenario. Actors are user ids; acts are indices into [`acts`].
#[derive(Debug, Clone)]
enum Step {
    /// Records an act, whether or not it is recorded already.
    Act(i64, usize, Deliverability),
    Undo(i64, usize),
    UpdateReaction(i64, Emoji),
    MarkRead(Index),
    MarkAllRead,
    Advance(TimeDelta),
}

/// All acts on one post, and some others.
fn acts() -> Vec<Act> {
    vec![
        heart(),
        reaction(),
        link(),
        message(1),
        message(2),
        mention(None),
        mention(Some(1)),
        comment(2),
        comment(3),
        reply(4),
        Act::Follow,
        Act::FollowRequest,
        Act::FollowAcceptance,
        Act::Heart { post: post(2) },
    ]
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let actor = || 2..8_i64;
    let act = || prop_oneof![3 => 0..2_usize, 2 => 2..acts().len()];
    let deliverability = prop_oneof![
        12 => Just(Deliverability::Allowed),
        1 => Just(Deliverability::Muted),
        1 => Just(Deliverability::Blocked),
    ];
    let minutes = prop_oneof![
        6 => 0..20_i64,
        2 => select(vec![59, 60, 61]),
        1 => select(vec![23 * 60, 24 * 60, 24 * 60 + 1]),
    ];
    let step = prop_oneof![
        8 => (actor(), act(), deliverability)
            .prop_map(|(actor, act, deliverability)| Step::Act(actor, act, deliverability)),
        5 => (actor(), act()).prop_map(|(actor, act)| Step::Undo(actor, act)),
        1 => (actor(), select(&Emoji::ALL[..]))
            .prop_map(|(actor, emoji)| Step::UpdateReaction(actor, emoji)),
        2 => any::<Index>().prop_map(Step::MarkRead),
        1 => Just(Step::MarkAllRead),
        4 => minutes.prop_map(|minutes| Step::Advance(TimeDelta::minutes(minutes))),
    ];
    vec(step, 1..120)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_invariants_hold_after_every_step(steps in steps()) {
        let mut model = Model::new();
        for step in steps {
            model.apply(&step).map_err(|error| error.with_step(&step))?;
            check_list(&model.scenario)?;
            model.check_recorded_acts()?;
        }
    }

    #[test]
    fn exactly_twenty_notifications_can_start_in_a_window_and_five_by_one_actor(
        starts in vec((0..6_i64, 2..9_i64), 1..120)
    ) {
        let mut scenario = Scenario::new();
        let mut opened_at = scenario.now;
        let mut started_by: Vec<i64> = Vec::new();

        for (number, (gap, actor)) in (0..).zip(starts) {
            scenario.advance_minutes(gap);
            let before = scenario.inbox.held_back();
            scenario.act(actor, Act::Heart { post: post(number) });

            if started_by.is_empty() || HourlyQuota::WINDOW <= scenario.now - opened_at {
                (opened_at, started_by) = (scenario.now, Vec::new());
            }
            let by_actor = started_by.iter().filter(|other| **other == actor).count();
            let is_held_back = started_by.len() == 20 || by_actor == 5;
            prop_assert_eq!(scenario.inbox.held_back() - before, i64::from(is_held_back));
            if !is_held_back {
                started_by.push(actor);
            }
        }
    }
}

trait WithStep {
    fn with_step(self, step: &Step) -> Self;
}

impl WithStep for TestCaseError {
    fn with_step(self, step: &Step) -> Self {
        match self {
            Self::Fail(reason) => Self::fail(format!("{step:?}: {reason}")),
            reject @ Self::Reject(_) => reject,
        }
    }
}

/// The scenario, and the expected state of its acts.
struct Model {
    scenario: Scenario,
    /// The acts that are done, by actor and act, and whether each has a notification.
    done: BTreeMap<(i64, usize), bool>,
    /// The withdrawn notifications with the time of their withdrawal.
    withdrawn: HashMap<(i64, usize), (DateTime<Utc>, Notification)>,
}

impl Model {
    fn new() -> Self {
        Self { scenario: Scenario::new(), done: BTreeMap::new(), withdrawn: HashMap::new() }
    }

    fn apply(&mut self, step: &Step) -> TestCaseResult {
        match *step {
            Step::Act(actor, act, deliverability) => self.act(actor, act, deliverability),
            Step::Undo(actor, act) => self.undo(actor, act),
            Step::UpdateReaction(actor, emoji) => self.update_reaction(actor, emoji),
            Step::MarkRead(index) => self.mark_read(index),
            Step::MarkAllRead => self.mark_all_read(),
            Step::Advance(time) => {
                self.scenario.advance(time);
                Ok(())
            }
        }
    }

    fn act(
        &mut self,
        actor: i64,
        act_index: usize,
        deliverability: Deliverability,
    ) -> TestCaseResult {
        let (before, held_back) = (self.scenario.all(), self.scenario.inbox.held_back());
        let act = acts()[act_index];
        self.scenario.act_with(actor, act, deliverability);
        let is_held_back = held_back < self.scenario.inbox.held_back();

        // An act without notification can be recorded again; one with a notification is skipped.
        if self.done.get(&(actor, act_index)) == Some(&true) {
            prop_assert_eq!(self.scenario.all(), before);
            return Ok(());
        }
        let is_notified = deliverability == Deliverability::Allowed && !is_held_back;
        self.done.insert((actor, act_index), is_notified);
        if !is_notified {
            prop_assert_eq!(self.scenario.all(), before);
            return Ok(());
        }
        let now = self.scenario.now;
        let restored = self.withdrawn.remove(&(actor, act_index));
        let restored =
            restored.filter(|(at, _)| now - *at <= WithdrawnNotification::RESTORE_WINDOW);
        // Notifications of comments are not restored, since a repeated comment is a new comment.
        let restored = restored.filter(|_| act.comment().is_none());
        match restored {
            Some((_, old)) => self.check_restored(&before, &old, actor, act),
            None => self.check_new(actor, act),
        }
    }

    fn check_new(&self, actor: i64, act: Act) -> TestCaseResult {
        let notification = self.find(actor, act).unwrap();
        let id = notification.parent.unwrap_or(notification.id);
        let list = self.scenario.inbox.top_level();
        let parent = list.into_iter().find(|parent| parent.id == id).unwrap();
        prop_assert_eq!(notification.read_at, None);
        prop_assert_eq!((parent.read_at, parent.last_updated_at), (None, self.scenario.now));
        prop_assert_eq!(notification.created_at, self.scenario.now);
        Ok(())
    }

    /// Invariant 5.
    fn check_restored(
        &self,
        before: &[Notification],
        old: &Notification,
        actor: i64,
        act: Act,
    ) -> TestCaseResult {
        let restored = self.find(actor, act).unwrap();
        prop_assert_eq!((restored.id, restored.created_at), (old.id, old.created_at));
        prop_assert!(old.read_at.is_none() || restored.read_at == old.read_at);
        self.check_none_made_unread_or_moved_up(before)?;
        let was_unread = unread_count(before.iter());
        let is_unread = i64::from(is_unread_top_level(&restored));
        prop_assert_eq!(self.scenario.inbox.counts().unread, was_unread + is_unread);
        Ok(())
    }

    fn undo(&mut self, actor: i64, act_index: usize) -> TestCaseResult {
        let act = acts()[act_index];
        let (before, notification) = (self.scenario.all(), self.find(actor, act));
        self.scenario.undo(actor, act);

        prop_assert_eq!(self.find(actor, act), None);
        self.check_none_made_unread_or_moved_up(&before)?;
        let parent = notification.as_ref().and_then(|notification| notification.parent);
        self.check_unread_for_a_child(parent)?;
        if self.done.remove(&(actor, act_index)) == Some(true) {
            let withdrawn = (self.scenario.now, notification.unwrap());
            self.withdrawn.insert((actor, act_index), withdrawn);
        } else {
            prop_assert_eq!(self.scenario.all(), before);
        }
        Ok(())
    }

    /// Invariant 4: only the data of the notification and of its batch change.
    fn update_reaction(&mut self, actor: i64, emoji: Emoji) -> TestCaseResult {
        let (before, notification) = (self.scenario.all(), self.find(actor, reaction()));
        self.scenario.inbox.update_reaction(actor.into(), reaction(), emoji);

        let own = notification.as_ref().map(|notification| notification.id);
        let parent = notification.as_ref().and_then(|notification| notification.parent);
        let changed: BTreeSet<NotificationId> = own.into_iter().chain(parent).collect();
        for (before, after) in before.iter().zip(self.scenario.all()) {
            let mut expected = after.clone();
            if changed.contains(&after.id) {
                expected.details.clone_from(&before.details);
            }
            prop_assert_eq!(&expected, before);
        }
        let after = self.find(actor, reaction());
        prop_assert_eq!(after.is_some(), notification.is_some());
        prop_assert!(after.is_none_or(|after| after.details.emoji == Some(emoji)));
        Ok(())
    }

    /// Invariant 6.
    fn mark_read(&mut self, index: Index) -> TestCaseResult {
        let before = self.scenario.all();
        if before.is_empty() {
            return Ok(());
        }
        let id = before[index.index(before.len())].id;
        prop_assert!(self.scenario.inbox.mark_read(id, self.scenario.now));

        for (before, after) in before.iter().zip(self.scenario.all()) {
            let is_read = before.id == id || before.parent == Some(id);
            let read_at = before.read_at.or(is_read.then_some(self.scenario.now));
            prop_assert_eq!(after, Notification { read_at, ..before.clone() });
        }
        Ok(())
    }

    fn mark_all_read(&mut self) -> TestCaseResult {
        let unread = self.scenario.inbox.counts().unread;

        prop_assert_eq!(self.scenario.inbox.mark_all_read(self.scenario.now), unread);

        let all = self.scenario.all();
        prop_assert!(all.iter().all(|notification| notification.read_at.is_some()));
        Ok(())
    }

    fn check_none_made_unread_or_moved_up(&self, before: &[Notification]) -> TestCaseResult {
        let before: HashMap<_, _> = before.iter().map(|old| (old.id, old)).collect();
        for after in self.scenario.all() {
            let Some(before) = before.get(&after.id) else { continue };
            prop_assert!(before.read_at.is_none() || after.read_at == before.read_at);
            prop_assert_eq!(after.last_updated_at, before.last_updated_at);
            prop_assert_eq!(after.created_at, before.created_at);
        }
        Ok(())
    }

    /// Invariant 6, for a batch that a child was withdrawn from.
    fn check_unread_for_a_child(&self, batch: Option<NotificationId>) -> TestCaseResult {
        let all = self.scenario.all();
        let Some(batch) = all.iter().find(|parent| Some(parent.id) == batch) else { return Ok(()) };
        let mut children = all.iter().filter(|child| child.parent == Some(batch.id));
        let has_unread_child = children.any(|child| child.read_at.is_none());
        prop_assert!(
            batch.read_at.is_some() || has_unread_child,
            "unread for nothing: {:?}",
            batch
        );
        Ok(())
    }

    fn find(&self, actor: i64, act: Act) -> Option<Notification> {
        let key = Some(act.dedup_key());
        let is_of_act = |notification: &Notification| {
            notification.actor == Some(actor.into()) && notification.act == key
        };
        self.scenario.all().into_iter().find(is_of_act)
    }

    /// Invariant 3: each act has exactly one notification, unless it was skipped or held back.
    fn check_recorded_acts(&self) -> TestCaseResult {
        let mut recorded: Vec<_> = self
            .scenario
            .all()
            .into_iter()
            .filter(|notification| notification.batch.is_none())
            .map(|notification| (notification.actor.unwrap(), notification.act.unwrap()))
            .collect();
        let notified = self.done.iter().filter(|(_, is_notified)| **is_notified);
        let mut expected: Vec<_> =
            notified.map(|((actor, act), _)| ((*actor).into(), acts()[*act].dedup_key())).collect();
        recorded.sort();
        expected.sort();
        prop_assert_eq!(recorded, expected);
        Ok(())
    }
}

fn check_list(scenario: &Scenario) -> TestCaseResult {
    let mut open = BTreeSet::new();
    for parent in scenario.inbox.top_level() {
        prop_assert!(parent.parent.is_none());
        if let Some(key) = parent.key.as_ref().filter(|_| parent.closed_at.is_none()) {
            prop_assert!(open.insert(key), "invariant 1: {key:?} is open twice");
        }
        let children = scenario.inbox.children(parent.id);
        if parent.batch.is_some() {
            check_batch(parent, &children)?;
        } else {
            prop_assert!(children.is_empty());
            prop_assert!(parent.act.is_some());
        }
    }
    let list = scenario.inbox.top_level();
    let total = i64::try_from(list.len()).unwrap();
    let unread = unread_count(list.into_iter());
    prop_assert_eq!(scenario.inbox.counts(), NotificationCounts { unread, total });
    Ok(())
}

fn check_batch(batch: &Notification, children: &[&Notification]) -> TestCaseResult {
    let actors: BTreeSet<_> = children.iter().map(|child| child.actor).collect();
    let counts = batch.batch_counts();
    let [child_count, actor_count] =
        [counts.child_count, counts.actor_count].map(|count| usize::try_from(count).unwrap());
    prop_assert_eq!(child_count, children.len(), "invariant 2");
    prop_assert_eq!(actor_count, actors.len(), "invariant 2");
    prop_assert!(!children.is_empty(), "invariant 4: a batch is deleted with its last child");
    let all_read = children.iter().all(|child| child.read_at.is_some());
    prop_assert!(batch.read_at.is_none() || all_read, "invariant 6");
    prop_assert!(batch.act.is_none());
    prop_assert!(children.iter().all(|child| child.key == batch.key && child.batch.is_none()));

    let newest = children[0];
    prop_assert_eq!((batch.actor, batch.comment), (newest.actor, newest.comment));
    prop_assert_eq!(&batch.details, &newest.details);
    Ok(())
}

fn unread_count<'a>(notifications: impl Iterator<Item = &'a Notification>) -> i64 {
    let count = notifications.filter(|notification| is_unread_top_level(notification)).count();
    i64::try_from(count).unwrap()
}

fn is_unread_top_level(notification: &Notification) -> bool {
    notification.parent.is_none() && notification.read_at.is_none()
}
