//! The acts of one kind that wait, and the targets of those that run.

use std::collections::{HashMap, HashSet, VecDeque};

use grateful_domain::UserId;

use super::{ActPlace, ActTarget, CombinerLimits};

/// An act in a queue.
pub(super) trait QueuedAct {
    fn place(&self) -> ActPlace;
}

/// Acts that wait, by user. Users take turns, so that no user's acts delay those of others by more than one group.
pub(super) struct Queue<T> {
    limits: CombinerLimits,
    /// Each act with its number in the order of arrival.
    by_user: HashMap<UserId, VecDeque<(u64, T)>>,
    /// The users with waiting acts, in the order of their turns.
    turns: VecDeque<UserId>,
    waiting: usize,
    last_number: u64,
    running_groups: usize,
    /// The targets of the running groups.
    busy: HashSet<ActTarget>,
}

impl<T: QueuedAct> Queue<T> {
    pub(super) fn new(limits: CombinerLimits) -> Self {
        Self {
            limits,
            by_user: HashMap::new(),
            turns: VecDeque::new(),
            waiting: 0,
            last_number: 0,
            running_groups: 0,
            busy: HashSet::new(),
        }
    }

    /// Adds an act. Returns false if the queue is full.
    pub(super) fn push(&mut self, act: T) -> bool {
        let user = act.place().user;
        let acts = self.by_user.entry(user).or_default();
        if self.limits.waiting <= self.waiting || self.limits.waiting_per_user <= acts.len() {
            return false;
        }
        if acts.is_empty() {
            self.turns.push_back(user);
        }
        self.last_number += 1;
        self.waiting += 1;
        acts.push_back((self.last_number, act));
        true
    }

    /// Takes the acts of the next group, in the order of their arrival: one of each user, then another one of each, and so on.
    /// Empty if none can run now. [`finish`](Self::finish) must follow.
    pub(super) fn next_group(&mut self) -> Vec<T> {
        if self.limits.groups <= self.running_groups {
            return vec![];
        }
        let mut group: Vec<(u64, T)> = vec![];
        let mut keys = HashSet::new();
        let mut size_before = None;
        while size_before != Some(group.len()) {
            size_before = Some(group.len());
            for _ in 0..self.turns.len() {
                if group.len() < self.limits.group_size {
                    group.extend(self.take_turn(&mut keys));
                }
            }
        }
        if group.is_empty() {
            return vec![];
        }
        self.running_groups += 1;
        self.busy.extend(group.iter().map(|(_, act)| act.place().target));
        group.sort_unstable_by_key(|(number, _)| *number);
        group.into_iter().map(|(_, act)| act).collect()
    }

    /// Takes the first act of the user whose turn it is, unless its target is busy or its key in the group.
    fn take_turn(&mut self, keys: &mut HashSet<(UserId, ActTarget)>) -> Option<(u64, T)> {
        let user = self.turns.pop_front()?;
        let acts = self.by_user.get_mut(&user)?;
        let place = acts.front()?.1.place();
        let can_run = !self.busy.contains(&place.target) && keys.insert(place.key);
        let act = if can_run { acts.pop_front() } else { None };
        self.waiting -= usize::from(act.is_some());
        if acts.is_empty() {
            self.by_user.remove(&user);
        } else {
            self.turns.push_back(user);
        }
        act
    }

    /// The group with these targets no longer runs.
    pub(super) fn finish(&mut self, targets: &[ActTarget]) {
        self.running_groups -= 1;
        for target in targets {
            self.busy.remove(target);
        }
    }
}

#[cfg(test)]
mod tests {
    use grateful_domain::PostId;
    use uuid::Uuid;

    use super::*;

    /// An act of a user on a post.
    type TestAct = (i64, u128);

    impl QueuedAct for TestAct {
        fn place(&self) -> ActPlace {
            ActPlace::new(self.0.into(), on_post(self.1))
        }
    }

    fn on_post(number: u128) -> ActTarget {
        ActTarget::Post(PostId::from(Uuid::from_u128(number)))
    }

    fn queue(limits: CombinerLimits, acts: &[TestAct]) -> Queue<TestAct> {
        let mut queue = Queue::new(limits);
        for act in acts {
            assert!(queue.push(*act));
        }
        queue
    }

    #[test]
    fn a_group_has_all_that_waits_in_the_order_of_arrival() {
        let acts = [(1, 1), (2, 1), (1, 2), (3, 3), (1, 3)];
        let mut queue = queue(CombinerLimits::default(), &acts);

        assert_eq!(queue.next_group(), acts);
        assert_eq!(queue.next_group(), []);
        assert_eq!(queue.waiting, 0);
        assert!(queue.by_user.is_empty() && queue.turns.is_empty());
    }

    #[test]
    fn a_flood_of_one_user_leaves_room_for_the_first_act_of_every_other_user() {
        let flood = (1..=60).map(|post| (1, post));
        let acts: Vec<TestAct> = flood.chain([(2, 100), (3, 101)]).collect();
        let limits = CombinerLimits { group_size: 10, ..CombinerLimits::default() };

        let group = queue(limits, &acts).next_group();

        assert_eq!(group.len(), 10);
        assert_eq!(group[..8], acts[..8]);
        assert_eq!(group[8..], [(2, 100), (3, 101)]);
    }

    #[test]
    fn users_who_found_no_room_in_a_group_are_first_in_the_next() {
        let limits = CombinerLimits { group_size: 2, groups: 9, ..CombinerLimits::default() };
        let mut queue = queue(limits, &[(1, 1), (1, 2), (2, 3), (3, 4), (4, 5)]);

        assert_eq!(queue.next_group(), [(1, 1), (2, 3)]);
        assert_eq!(queue.next_group(), [(3, 4), (4, 5)]);
        assert_eq!(queue.next_group(), [(1, 2)]);
    }

    #[test]
    fn groups_that_run_together_have_different_targets() {
        let limits = CombinerLimits { groups: 2, ..CombinerLimits::default() };
        let mut queue = queue(limits, &[(1, 1)]);
        assert_eq!(queue.next_group(), [(1, 1)]);
        for act in [(2, 1), (3, 2), (4, 3)] {
            assert!(queue.push(act));
        }

        assert_eq!(queue.next_group(), [(3, 2), (4, 3)]);
        assert!(queue.push((5, 4)));
        assert_eq!(queue.next_group(), [], "two groups run");
        queue.finish(&[on_post(2), on_post(3)]);
        assert_eq!(queue.next_group(), [(5, 4)], "the first post is busy");
        queue.finish(&[on_post(1)]);
        assert_eq!(queue.next_group(), [(2, 1)]);
    }

    #[test]
    fn two_acts_of_a_user_on_a_target_are_in_different_groups_in_their_order() {
        let mut queue = queue(CombinerLimits::default(), &[(1, 1), (1, 1), (1, 2), (2, 1)]);

        assert_eq!(queue.next_group(), [(1, 1), (2, 1)]);
        queue.finish(&[on_post(1)]);
        assert_eq!(queue.next_group(), [(1, 1), (1, 2)]);
    }

    #[test]
    fn a_full_queue_and_a_user_with_too_many_waiting_acts_are_refused() {
        let limits =
            CombinerLimits { waiting: 3, waiting_per_user: 2, ..CombinerLimits::default() };
        let mut queue = queue(limits, &[(1, 1), (1, 2)]);

        assert!(!queue.push((1, 3)), "too many of one user");
        assert!(queue.push((2, 1)));
        assert!(!queue.push((3, 1)), "too many");
        queue.next_group();
        assert!(queue.push((3, 1)));
    }
}
