//! The notification invariants (docs/rules.md#notification-invariants), over random acts of several users, for the policies of
//! Grateful and of a shop.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use chrono::{DateTime, TimeDelta, Utc};
use grateful_domain::batching::{
    BatchDecision, BatchPolicy, Cause, Deliverability, Notification, NotificationCounts,
};
use grateful_domain::notification::Grateful;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use proptest::test_runner::TestCaseResult;

use crate::policies::{Sample, Shop};
use crate::scenario::Scenario;

/// A step of a random scenario. Actors are user ids; acts are indices into [`Sample::acts`].
#[derive(Debug, Clone)]
enum Step {
    /// Records an act, whether or not it is recorded already.
    Act(i64, usize, Deliverability),
    Undo(i64, usize),
    /// Replaces the details of an act by a variant of them.
    ChangeDetails(i64, usize, usize),
    MarkRead(Index),
    MarkAllRead,
    Advance(TimeDelta),
}

fn steps<P: Sample>() -> impl Strategy<Value = Vec<Step>> {
    let actor = || 2..8_i64;
    let act = || prop_oneof![3 => 0..2_usize, 2 => 2..P::acts().len()];
    let deliverability = prop_oneof![
        12 => Just(Deliverability::Allowed),
        1 => Just(Deliverability::Muted),
        1 => Just(Deliverability::Blocked),
    ];
    let (conversion_windows, max_ages) = windows::<P>();
    let advance = prop_oneof![
        6 => (0..20_i64).prop_map(TimeDelta::minutes),
        2 => around(conversion_windows),
        1 => around(max_ages),
    ];
    let step = prop_oneof![
        8 => (actor(), act(), deliverability)
            .prop_map(|(actor, act, deliverability)| Step::Act(actor, act, deliverability)),
        5 => (actor(), act()).prop_map(|(actor, act)| Step::Undo(actor, act)),
        1 => (actor(), act(), 0..10_usize)
            .prop_map(|(actor, act, variant)| Step::ChangeDetails(actor, act, variant)),
        2 => any::<Index>().prop_map(Step::MarkRead),
        1 => Just(Step::MarkAllRead),
        4 => advance.prop_map(Step::Advance),
    ];
    vec(step, 1..120)
}

/// The conversion windows of the sample acts, and the maximum ages of their batches.
fn windows<P: Sample>() -> (Vec<TimeDelta>, Vec<TimeDelta>) {
    let limits = P::acts().into_iter().map(|act| P::default().batch_limits(&act));
    limits.map(|limits| (limits.conversion_window, limits.max_age)).unzip()
}

/// One of the windows, or a minute less or more.
fn around(windows: Vec<TimeDelta>) -> impl Strategy<Value = TimeDelta> {
    (select(windows), -1..=1_i64).prop_map(|(window, minutes)| window + TimeDelta::minutes(minutes))
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_invariants_hold_after_every_step(steps in steps::<Grateful>()) {
        check_steps::<Grateful>(steps)?;
    }

    #[test]
    fn the_invariants_hold_for_another_policy(steps in steps::<Shop>()) {
        check_steps::<Shop>(steps)?;
    }

    #[test]
    fn exactly_twenty_notifications_can_start_in_a_window_and_five_by_one_actor(
        starts in vec((0..6, 2..9_i64), 1..120)
    ) {
        check_starts::<Grateful>(starts, (20, 5))?;
    }

    #[test]
    fn starts_are_limited_by_the_policy(starts in vec((0..6, 2..9_i64), 1..120)) {
        check_starts::<Shop>(starts, (8, 2))?;
    }
}

fn check_steps<P: Sample>(steps: Vec<Step>) -> TestCaseResult {
    let mut model = Model::<P>::new();
    for step in steps {
        model.apply(&step).map_err(|error| with_step(error, &step))?;
        model.check_list()?;
        model.check_recorded_acts()?;
    }
    Ok(())
}

fn with_step(error: TestCaseError, step: &Step) -> TestCaseError {
    match error {
        TestCaseError::Fail(reason) => TestCaseError::fail(format!("{step:?}: {reason}")),
        reject @ TestCaseError::Reject(_) => reject,
    }
}

/// Starts notifications, each with the sixtieths of a window that pass before it and with its actor.
fn check_starts<P: Sample>(
    starts: Vec<(i32, i64)>,
    (per_window, per_actor): (usize, usize),
) -> TestCaseResult {
    let mut scenario = Scenario::of(P::default());
    let window = P::default().start_limits(P::default().kind(&P::start(0))).window;
    let mut opened_at = scenario.now;
    let mut started_by: Vec<i64> = Vec::new();

    for (number, (gap, actor)) in (0..).zip(starts) {
        scenario.advance(window / 60 * gap);
        let before = scenario.inbox.held_back();
        scenario.act(actor, P::start(number));

        if started_by.is_empty() || window <= scenario.now - opened_at {
            (opened_at, started_by) = (scenario.now, Vec::new());
        }
        let by_actor = started_by.iter().filter(|other| **other == actor).count();
        let is_held_back = started_by.len() == per_window || by_actor == per_actor;
        prop_assert_eq!(scenario.inbox.held_back() - before, i64::from(is_held_back));
        if !is_held_back {
            started_by.push(actor);
        }
    }
    Ok(())
}

/// The scenario, and the expected state of its acts.
struct Model<P: Sample> {
    policy: P,
    acts: Vec<P::Act>,
    scenario: Scenario<P>,
    /// The acts that are done, by actor and act, and whether each has a notification.
    done: BTreeMap<(i64, usize), bool>,
    /// The withdrawn notifications with the time of their withdrawal.
    withdrawn: HashMap<(i64, usize), (DateTime<Utc>, Notification<P>)>,
}

impl<P: Sample> Model<P> {
    fn new() -> Self {
        Self {
            policy: P::default(),
            acts: P::acts(),
            scenario: Scenario::of(P::default()),
            done: BTreeMap::new(),
            withdrawn: HashMap::new(),
        }
    }

    fn apply(&mut self, step: &Step) -> TestCaseResult {
        match *step {
            Step::Act(actor, act, deliverability) => self.act(actor, act, deliverability),
            Step::Undo(actor, act) => self.undo(actor, act),
            Step::ChangeDetails(actor, act, variant) => self.change_details(actor, act, variant),
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
        let act = self.acts[act_index].clone();
        let decision = self.scenario.act_with(actor, act.clone(), deliverability);
        let is_held_back = held_back < self.scenario.inbox.held_back();
        prop_assert_eq!(decision == BatchDecision::HoldBack, is_held_back);

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
        let restored = self.withdrawn.remove(&(actor, act_index)).filter(|(at, old)| {
            let window = self.policy.restore_window(old.kind, &old.subject);
            window.is_some_and(|window| now - *at <= window)
        });
        if let Some((_, old)) = restored {
            prop_assert!(matches!(decision, BatchDecision::Restore(_)), "{:?}", decision);
            return self.check_restored(&before, &old, actor, &act);
        }
        prop_assert_eq!(decision, self.admission(&before, actor, &act));
        self.check_new(actor, &act)
    }

    /// How a new act is added, by the open notification of its key.
    fn admission(&self, before: &[Notification<P>], actor: i64, act: &P::Act) -> BatchDecision {
        let (recipient, actor) = (P::user(1), P::user(actor));
        let key = self.policy.batch_key(&Cause { recipient, actor, act: act.clone() });
        let is_open = |it: &&Notification<P>| it.parent.is_none() && it.closed_at.is_none();
        let open = before.iter().filter(is_open).find(|it| it.key.is_some() && it.key == key);
        let Some(open) = open else { return BatchDecision::Start };
        let (limits, age) = (self.policy.batch_limits(act), self.scenario.now - open.created_at);
        match open.batch {
            Some(_) if limits.max_age < age => BatchDecision::Start,
            Some(counts) if limits.max_size == Some(counts.child_count) => BatchDecision::Start,
            Some(_) => BatchDecision::Join,
            None if limits.conversion_window < age => BatchDecision::Start,
            None => BatchDecision::Convert,
        }
    }

    fn check_new(&self, actor: i64, act: &P::Act) -> TestCaseResult {
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
        before: &[Notification<P>],
        old: &Notification<P>,
        actor: i64,
        act: &P::Act,
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
        let act = self.acts[act_index].clone();
        let (before, notification) = (self.scenario.all(), self.find(actor, &act));
        self.scenario.undo(actor, &act);

        prop_assert_eq!(self.find(actor, &act), None);
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

    /// Invariant 4: only the details of the notification and of its batch change.
    fn change_details(&mut self, actor: i64, act_index: usize, variant: usize) -> TestCaseResult {
        let act = self.acts[act_index].clone();
        let (before, notification) = (self.scenario.all(), self.find(actor, &act));
        let details = P::details(&act, variant);
        self.scenario.inbox.change_details(P::user(actor), &act, details.clone());

        let own = notification.as_ref().map(|notification| notification.id);
        let parent = notification.as_ref().and_then(|notification| notification.parent);
        let changed: BTreeSet<P::Id> = own.into_iter().chain(parent).collect();
        for (before, after) in before.iter().zip(self.scenario.all()) {
            let mut expected = after.clone();
            if changed.contains(&after.id) {
                expected.details.clone_from(&before.details);
            }
            prop_assert_eq!(&expected, before);
        }
        let after = self.find(actor, &act);
        prop_assert_eq!(after.is_some(), notification.is_some());
        prop_assert!(after.is_none_or(|after| after.details == details));
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

    fn check_none_made_unread_or_moved_up(&self, before: &[Notification<P>]) -> TestCaseResult {
        let before: BTreeMap<_, _> = before.iter().map(|old| (old.id, old)).collect();
        for after in self.scenario.all() {
            let Some(before) = before.get(&after.id) else { continue };
            prop_assert!(before.read_at.is_none() || after.read_at == before.read_at);
            prop_assert_eq!(after.last_updated_at, before.last_updated_at);
            prop_assert_eq!(after.created_at, before.created_at);
        }
        Ok(())
    }

    /// Invariant 6, for a batch that a child was withdrawn from.
    fn check_unread_for_a_child(&self, batch: Option<P::Id>) -> TestCaseResult {
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

    fn find(&self, actor: i64, act: &P::Act) -> Option<Notification<P>> {
        let (actor, key) = (Some(P::user(actor)), Some(self.policy.act_key(act)));
        let is_of_act =
            |notification: &Notification<P>| notification.actor == actor && notification.act == key;
        self.scenario.all().into_iter().find(is_of_act)
    }

    /// Invariant 3: each act has exactly one notification, unless it was skipped or held back.
    fn check_recorded_acts(&self) -> TestCaseResult {
        let all = self.scenario.all().into_iter();
        let singles = all.filter(|notification| notification.batch.is_none());
        let mut recorded: Vec<_> = singles
            .map(|notification| (notification.actor.unwrap(), notification.act.unwrap()))
            .collect();
        let notified = self.done.iter().filter(|(_, is_notified)| **is_notified);
        let mut expected: Vec<_> = notified
            .map(|((actor, act), _)| (P::user(*actor), self.policy.act_key(&self.acts[*act])))
            .collect();
        recorded.sort();
        expected.sort();
        prop_assert_eq!(recorded, expected);
        Ok(())
    }

    fn check_list(&self) -> TestCaseResult {
        let inbox = &self.scenario.inbox;
        let mut open = BTreeSet::new();
        for parent in inbox.top_level() {
            prop_assert!(parent.parent.is_none());
            if let Some(key) = parent.key.as_ref().filter(|_| parent.closed_at.is_none()) {
                prop_assert!(open.insert(key), "invariant 1: {:?} is open twice", key);
            }
            let children = inbox.children(parent.id);
            if parent.batch.is_some() {
                check_batch(parent, &children)?;
            } else {
                prop_assert!(children.is_empty());
                prop_assert!(parent.act.is_some());
            }
        }
        let list = inbox.top_level();
        let total = i64::try_from(list.len()).unwrap();
        let unread = unread_count(list.into_iter());
        prop_assert_eq!(inbox.counts(), NotificationCounts { unread, total });
        Ok(())
    }
}

fn check_batch<P: BatchPolicy>(
    batch: &Notification<P>,
    children: &[&Notification<P>],
) -> TestCaseResult {
    let actors: BTreeSet<_> = children.iter().map(|child| &child.actor).collect();
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
    prop_assert_eq!(&batch.actor, &newest.actor);
    prop_assert_eq!((&batch.subject, &batch.details), (&newest.subject, &newest.details));
    Ok(())
}

fn unread_count<'a, P: BatchPolicy + 'a>(
    notifications: impl Iterator<Item = &'a Notification<P>>,
) -> i64 {
    let count = notifications.filter(|notification| is_unread_top_level(notification)).count();
    i64::try_from(count).unwrap()
}

fn is_unread_top_level<P: BatchPolicy>(notification: &Notification<P>) -> bool {
    notification.parent.is_none() && notification.read_at.is_none()
}
