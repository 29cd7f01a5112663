//! The hourly limit on new notifications (docs/rules.md#notification-invariants, 7).

use chrono::{DateTime, TimeDelta, Utc};

use crate::{UserId, elapsed_since};

/// The notifications of one type that were started for one recipient in the current window.
///
/// A window opens with the first start and lasts for [`WINDOW`](Self::WINDOW). Joining a batch, converting to a batch
/// and restoring do not count, and neither does a start whose notification was withdrawn alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HourlyQuota {
    pub window_opened_at: DateTime<Utc>,
    /// The actor of each start, in their order.
    pub actors: Vec<UserId>,
}

impl HourlyQuota {
    /// The maximum number of starts in a window.
    pub const LIMIT: i32 = 20;
    /// The maximum number of starts by one actor in a window, so that no actor uses up the limit of a recipient.
    pub const LIMIT_PER_ACTOR: i32 = 5;
    /// How long a window lasts.
    pub const WINDOW: TimeDelta = TimeDelta::hours(1);

    /// The quota after one more start by `actor` at `now`, or `None` if a limit is reached and the start is held back.
    pub(super) fn consume(
        current: Option<&Self>,
        actor: UserId,
        now: DateTime<Utc>,
    ) -> Option<Self> {
        let Some(window) = current.filter(|window| window.is_open(now)) else {
            return Some(Self { window_opened_at: now, actors: vec![actor] });
        };
        let by_actor = window.actors.iter().filter(|started_by| **started_by == actor).count();
        let is_allowed = to_count(window.actors.len()) < Self::LIMIT
            && to_count(by_actor) < Self::LIMIT_PER_ACTOR;
        is_allowed.then(|| {
            let mut after = window.clone();
            after.actors.push(actor);
            after
        })
    }

    /// The quota after the withdrawal of a single notification that `actor` started at `started_at`.
    #[must_use]
    pub fn release(&self, actor: UserId, started_at: DateTime<Utc>) -> Self {
        let mut after = self.clone();
        if self.window_opened_at <= started_at
            && let Some(place) = self.actors.iter().position(|started_by| *started_by == actor)
        {
            after.actors.remove(place);
        }
        after
    }

    /// How many starts by all actors together are left at `now`.
    pub fn remaining(current: Option<&Self>, now: DateTime<Utc>) -> i32 {
        let open = current.filter(|window| window.is_open(now));
        open.map_or(Self::LIMIT, |window| (Self::LIMIT - to_count(window.actors.len())).max(0))
    }

    fn is_open(&self, now: DateTime<Utc>) -> bool {
        elapsed_since(self.window_opened_at, now).is_some_and(|elapsed| elapsed < Self::WINDOW)
    }
}

fn to_count(length: usize) -> i32 {
    i32::try_from(length).unwrap_or(i32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::MAX_CLOCK_SKEW;

    const OPENED: DateTime<Utc> = DateTime::UNIX_EPOCH;

    #[test]
    fn one_actor_starts_five_and_leaves_the_rest_to_others() {
        let [stranger, friend] = [UserId::from(1), UserId::from(2)];
        let full_for_stranger = HourlyQuota { window_opened_at: OPENED, actors: vec![stranger; 5] };

        let held_back = HourlyQuota::consume(Some(&full_for_stranger), stranger, OPENED);
        let after = HourlyQuota::consume(Some(&full_for_stranger), friend, OPENED).unwrap();

        assert_eq!(held_back, None);
        assert_eq!(after.actors, [&[stranger; 5][..], &[friend]].concat());
        assert_eq!(HourlyQuota::remaining(Some(&after), OPENED), 14);
        let an_hour_later = OPENED + HourlyQuota::WINDOW;
        let next = HourlyQuota::consume(Some(&full_for_stranger), stranger, an_hour_later);
        assert_eq!(next.unwrap().actors, [stranger]);
    }

    #[test]
    fn a_start_whose_notification_is_withdrawn_does_not_count() {
        let [stranger, friend] = [UserId::from(1), UserId::from(2)];
        let quota = HourlyQuota {
            window_opened_at: OPENED,
            actors: [&[friend][..], &[stranger; 5]].concat(),
        };

        let after = quota.release(stranger, OPENED);

        assert_eq!(after.actors, [&[friend][..], &[stranger; 4]].concat());
        assert!(HourlyQuota::consume(Some(&after), stranger, OPENED).is_some());
        // A start of an earlier window, and one by an actor without starts.
        assert_eq!(quota.release(stranger, OPENED - TimeDelta::microseconds(1)), quota);
        assert_eq!(quota.release(UserId::from(3), OPENED), quota);
    }

    #[test]
    fn a_window_that_a_wrong_clock_opened_in_the_future_is_not_open() {
        let now = OPENED;
        let window_in = |time: TimeDelta| HourlyQuota {
            window_opened_at: now + time,
            actors: (1..=20).map(UserId::from).collect(),
        };
        for (time, is_open) in [
            (TimeDelta::days(30), false),
            (HourlyQuota::WINDOW, false),
            (MAX_CLOCK_SKEW, false),
            (MAX_CLOCK_SKEW - TimeDelta::microseconds(1), true),
            (TimeDelta::microseconds(1), true),
        ] {
            let window = window_in(time);

            let consumed = HourlyQuota::consume(Some(&window), 21.into(), now);

            assert_eq!(consumed.is_none(), is_open, "{time}");
            assert_eq!(HourlyQuota::remaining(Some(&window), now) == 0, is_open, "{time}");
        }
    }
}
