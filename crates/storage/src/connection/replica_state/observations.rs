//! What the answers of the servers say about the replicas. No clock of a server is read: only this process's.

use std::collections::VecDeque;
use std::time::Duration;

use super::lsn::Lsn;

/// How many polls in a row a replica must have answered.
const MIN_ANSWERS: u32 = 2;

/// For how long positions of the primary are kept, beyond the staleness bound.
const HISTORY: Duration = Duration::from_secs(10);

/// The answers of the primary and of the replicas. Moments are durations since the same start.
pub(in crate::connection) struct Observations {
    /// The positions of the primary, the oldest first.
    primary: VecDeque<PrimaryPosition>,
    replicas: Vec<Observed>,
    max_staleness: Duration,
}

/// A position that the primary had reached.
struct PrimaryPosition {
    /// When the poll was sent: the position was at least this at that moment, or was reached later.
    sent: Duration,
    lsn: Lsn,
}

/// What is known about a replica.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(in crate::connection) struct Observed {
    /// The number of polls in a row that it has answered as a replica.
    answers: u32,
    /// When its last answer arrived.
    heard: Duration,
    /// Whether it has replayed what the primary has not written: it replicates another server.
    is_ahead: bool,
    /// How far it has replayed the log, at least.
    pub(in crate::connection) replayed: Lsn,
    /// It shows everything that was committed until this moment.
    pub(in crate::connection) current_until: Option<Duration>,
}

impl Observed {
    /// Whether reads may run on it, as long as it is fresh.
    pub(in crate::connection) fn is_healthy(&self) -> bool {
        MIN_ANSWERS <= self.answers && !self.is_ahead
    }
}

impl Observations {
    pub(in crate::connection) fn new(replicas: usize, max_staleness: Duration) -> Self {
        let replicas = vec![Observed::default(); replicas];
        Self { primary: VecDeque::new(), replicas, max_staleness }
    }

    pub(in crate::connection) fn replicas(&self) -> &[Observed] {
        &self.replicas
    }

    /// Until when the replica is fresh: it then has shown a state of the primary for as long as the staleness bound.
    pub(in crate::connection) fn fresh_until(&self, index: usize) -> Option<Duration> {
        let current_until = self.replicas.get(index)?.current_until?;
        Some(current_until.saturating_add(self.max_staleness))
    }

    /// How old the state is that a replica shows, at most; if it is older than all that is kept, at least.
    pub(in crate::connection) fn staleness(&self, index: usize, now: Duration) -> Option<Duration> {
        let oldest = self.primary.front().map(|position| position.sent);
        let current_until = self.replicas.get(index)?.current_until.or(oldest)?;
        Some(now.saturating_sub(current_until))
    }

    /// Notes the answer of the primary to a poll that was sent at `sent`: it has written the log up to `lsn`.
    pub(in crate::connection) fn primary_answered(&mut self, sent: Duration, lsn: Lsn) {
        for replica in &mut self.replicas {
            // The position of an answer that came after the poll was sent may be later than that of the primary.
            if replica.heard <= sent {
                replica.is_ahead = lsn < replica.replayed;
            }
        }
        while self.primary.back().is_some_and(|last| last.lsn == lsn) {
            self.primary.pop_back();
        }
        self.primary.push_back(PrimaryPosition { sent, lsn });
        let kept_since = sent.saturating_sub(self.max_staleness.saturating_add(HISTORY));
        while self.primary.front().is_some_and(|first| first.sent < kept_since) {
            self.primary.pop_front();
        }
    }

    /// Notes the answer of a replica: how far it has replayed the log. `None` if it is not a replica any more.
    pub(in crate::connection) fn replica_answered(
        &mut self,
        index: usize,
        heard: Duration,
        replayed: Option<Lsn>,
    ) {
        let Some(replica) = self.replicas.get_mut(index) else { return };
        let Some(replayed) = replayed else {
            replica.answers = 0;
            return;
        };
        let newest = self.primary.iter().rev().find(|position| position.lsn <= replayed);
        replica.current_until = newest.map(|position| position.sent);
        replica.answers = replica.answers.saturating_add(1);
        (replica.heard, replica.replayed) = (heard, replayed);
    }

    /// Notes that a replica has not answered.
    pub(in crate::connection) fn replica_failed(&mut self, index: usize) {
        if let Some(replica) = self.replicas.get_mut(index) {
            replica.answers = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const BOUND: Duration = Duration::from_millis(500);

    fn at(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    fn lsn(bytes: i64) -> Lsn {
        Lsn::from_bytes(bytes)
    }

    fn observations() -> Observations {
        Observations::new(1, BOUND)
    }

    #[test]
    fn a_replica_is_as_stale_as_the_newest_position_of_the_primary_that_it_has_replayed() {
        let mut seen = observations();
        seen.primary_answered(at(0), lsn(10));
        seen.primary_answered(at(100), lsn(20));
        seen.primary_answered(at(200), lsn(30));

        seen.replica_answered(0, at(210), Some(lsn(25)));

        assert_eq!(seen.staleness(0, at(250)), Some(at(150)));
        assert_eq!(seen.fresh_until(0), Some(at(600)));
    }

    #[test]
    fn a_replica_of_an_idle_primary_stays_fresh() {
        let mut seen = observations();
        for poll in 0..100 {
            seen.primary_answered(at(poll * 100), lsn(10));
            seen.replica_answered(0, at(poll * 100 + 1), Some(lsn(10)));
        }

        assert_eq!(seen.staleness(0, at(9_950)), Some(at(50)));
        assert!(seen.replicas()[0].is_healthy());
    }

    #[test]
    fn a_replica_that_stands_still_beside_an_idle_primary_becomes_stale_if_it_does_not_answer() {
        let mut seen = observations();
        seen.primary_answered(at(0), lsn(10));
        seen.replica_answered(0, at(1), Some(lsn(10)));
        seen.primary_answered(at(400), lsn(10));

        assert_eq!(seen.fresh_until(0), Some(BOUND));
    }

    #[test]
    fn two_answers_in_a_row_make_a_replica_healthy() {
        let mut seen = observations();
        let mut healthy_after = |answer: Option<Option<i64>>| {
            match answer {
                Some(replayed) => seen.replica_answered(0, at(0), replayed.map(lsn)),
                None => seen.replica_failed(0),
            }
            seen.replicas()[0].is_healthy()
        };

        assert!(!healthy_after(Some(Some(1))));
        assert!(healthy_after(Some(Some(1))));
        assert!(!healthy_after(None), "it did not answer");
        assert!(!healthy_after(Some(Some(1))));
        assert!(healthy_after(Some(Some(1))));
        assert!(!healthy_after(Some(None)), "it was promoted");
    }

    #[test]
    fn a_replica_ahead_of_the_primary_replicates_another_server() {
        let mut seen = observations();
        seen.replica_answered(0, at(0), Some(lsn(20)));
        seen.replica_answered(0, at(100), Some(lsn(20)));

        seen.primary_answered(at(50), lsn(10));
        assert!(seen.replicas()[0].is_healthy(), "its answer came later");

        seen.primary_answered(at(150), lsn(19));
        assert!(!seen.replicas()[0].is_healthy());
        seen.replica_answered(0, at(200), Some(lsn(20)));
        assert!(!seen.replicas()[0].is_healthy());

        seen.primary_answered(at(250), lsn(20));
        assert!(seen.replicas()[0].is_healthy());
    }

    #[test]
    fn a_replica_far_behind_is_at_least_as_stale_as_all_that_is_kept() {
        let mut seen = observations();
        for poll in 0..1_000_i64 {
            seen.primary_answered(at(poll.unsigned_abs() * 100), lsn(poll + 10));
        }
        seen.replica_answered(0, at(99_900), Some(lsn(5)));

        assert_eq!(seen.fresh_until(0), None);
        assert!(at(10_000) <= seen.staleness(0, at(99_900)).unwrap());
        assert!(seen.primary.len() < 120);
    }

    proptest! {
        /// In any order of events, the state that a fresh replica shows is that of the primary within the bound.
        #[test]
        fn what_a_fresh_replica_lacks_was_written_within_the_bound(
            steps in prop::collection::vec((1_u64..200, 0_i64..3, any::<bool>(), 0_i64..4), 1..60),
        ) {
            let mut seen = observations();
            let (mut now, mut written, mut replayed) = (0, 0, 0);
            let mut log = vec![(0, 0)];
            for (pause, wrote, polls_primary, replays) in steps {
                now += pause;
                written += wrote;
                log.push((now, written));
                if polls_primary {
                    seen.primary_answered(at(now), lsn(written));
                } else {
                    replayed = (replayed + replays).min(written);
                    seen.replica_answered(0, at(now), Some(lsn(replayed)));
                }
                if seen.fresh_until(0).is_some_and(|until| at(now) < until) {
                    let bound_ago = now.saturating_sub(500);
                    let needed = log.iter().rev().find(|(time, _)| *time <= bound_ago);
                    let needed = needed.map_or(0, |(_, written)| *written);
                    prop_assert!(needed <= replayed, "{needed} {replayed}");
                }
            }
        }
    }
}
