//! The limit on new notifications (docs/rules.md#notification-invariants, 7).

use chrono::{DateTime, Utc};

use super::StartLimits;
use crate::elapsed_since;

/// The notifications of one type that were started for one recipient in the current window.
///
/// A window opens with the first start and lasts for [`StartLimits::window`]. Joining a batch, converting to a batch and
/// restoring do not count, and neither does a start whose notification was withdrawn alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StartQuota<User> {
    pub window_opened_at: DateTime<Utc>,
    /// The actor of each start, in their order.
    pub actors: Vec<User>,
}

impl<User: Clone + PartialEq> StartQuota<User> {
    /// The quota after the withdrawal of a single notification that `actor` started at `started_at`.
    #[must_use]
    pub fn release(&self, actor: &User, started_at: DateTime<Utc>) -> Self {
        let mut after = self.clone();
        if self.window_opened_at <= started_at
            && let Some(place) = self.actors.iter().position(|started_by| started_by == actor)
        {
            after.actors.remove(place);
        }
        after
    }

    fn is_open(&self, limits: StartLimits, now: DateTime<Utc>) -> bool {
        elapsed_since(self.window_opened_at, now).is_some_and(|elapsed| elapsed < limits.window)
    }
}

impl StartLimits {
    /// The quota after one more start by `actor` at `now`, or `None` if a limit is reached and the start is held back.
    pub(super) fn consume<User: Clone + PartialEq>(
        self,
        current: Option<&StartQuota<User>>,
        actor: &User,
        now: DateTime<Utc>,
    ) -> Option<StartQuota<User>> {
        let Some(window) = current.filter(|window| window.is_open(self, now)) else {
            return Some(StartQuota { window_opened_at: now, actors: vec![actor.clone()] });
        };
        let by_actor = window.actors.iter().filter(|started_by| *started_by == actor).count();
        let is_allowed =
            to_count(window.actors.len()) < self.per_window && to_count(by_actor) < self.per_actor;
        is_allowed.then(|| {
            let mut after = window.clone();
            after.actors.push(actor.clone());
            after
        })
    }

    /// How many starts by all actors together are left at `now`.
    pub fn remaining<User: Clone + PartialEq>(
        self,
        current: Option<&StartQuota<User>>,
        now: DateTime<Utc>,
    ) -> i32 {
        let open = current.filter(|window| window.is_open(self, now));
        open.map_or(self.per_window, |window| {
            (self.per_window - to_count(window.actors.len())).max(0)
        })
    }
}

fn to_count(length: usize) -> i32 {
    i32::try_from(length).unwrap_or(i32::MAX)
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;
    use crate::MAX_CLOCK_SKEW;

    const OPENED: DateTime<Utc> = DateTime::UNIX_EPOCH;
    const LIMITS: StartLimits = StartLimits::DEFAULT;
    const STRANGER: i64 = 1;
    const FRIEND: i64 = 2;

    #[test]
    fn one_actor_starts_five_and_leaves_the_rest_to_others() {
        let full_for_stranger = StartQuota { window_opened_at: OPENED, actors: vec![STRANGER; 5] };

        let held_back = LIMITS.consume(Some(&full_for_stranger), &STRANGER, OPENED);
        let after = LIMITS.consume(Some(&full_for_stranger), &FRIEND, OPENED).unwrap();

        assert_eq!(held_back, None);
        assert_eq!(after.actors, [&[STRANGER; 5][..], &[FRIEND]].concat());
        assert_eq!(LIMITS.remaining(Some(&after), OPENED), 14);
        let an_hour_later = OPENED + LIMITS.window;
        let next = LIMITS.consume(Some(&full_for_stranger), &STRANGER, an_hour_later);
        assert_eq!(next.unwrap().actors, [STRANGER]);
    }

    #[test]
    fn a_start_whose_notification_is_withdrawn_does_not_count() {
        let quota = StartQuota {
            window_opened_at: OPENED,
            actors: [&[FRIEND][..], &[STRANGER; 5]].concat(),
        };

        let after = quota.release(&STRANGER, OPENED);

        assert_eq!(after.actors, [&[FRIEND][..], &[STRANGER; 4]].concat());
        assert!(LIMITS.consume(Some(&after), &STRANGER, OPENED).is_some());
        // A start of an earlier window, and one by an actor without starts.
        assert_eq!(quota.release(&STRANGER, OPENED - TimeDelta::microseconds(1)), quota);
        assert_eq!(quota.release(&3, OPENED), quota);
    }

    #[test]
    fn a_window_that_a_wrong_clock_opened_in_the_future_is_not_open() {
        let now = OPENED;
        let window_in = |time: TimeDelta| StartQuota {
            window_opened_at: now + time,
            actors: (1..=20).collect::<Vec<i64>>(),
        };
        for (time, is_open) in [
            (TimeDelta::days(30), false),
            (LIMITS.window, false),
            (MAX_CLOCK_SKEW, false),
            (MAX_CLOCK_SKEW - TimeDelta::microseconds(1), true),
            (TimeDelta::microseconds(1), true),
        ] {
            let window = window_in(time);

            let consumed = LIMITS.consume(Some(&window), &21, now);

            assert_eq!(consumed.is_none(), is_open, "{time}");
            assert_eq!(LIMITS.remaining(Some(&window), now) == 0, is_open, "{time}");
        }
    }
}
