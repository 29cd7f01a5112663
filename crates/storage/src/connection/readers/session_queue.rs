//! The statements of a connection that are not answered yet.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// The time after which a statement that is still running holds up those after it. A page of a list takes a millisecond.
pub(super) const STALL: Duration = Duration::from_millis(10);

/// Counts the statements in flight. PostgreSQL executes them in the order in which they were sent.
pub(super) struct SessionQueue(Mutex<State>);

struct State {
    /// The number of the last statement that was sent. The first has the number 1.
    sent: u64,
    /// All statements up to this number are answered, or nothing waits for their answer.
    answered: u64,
    in_flight: usize,
    /// Since when the statement after `answered` has been running.
    head_since: Instant,
}

/// A statement in flight.
pub(super) struct InFlight<'q> {
    queue: &'q SessionQueue,
    pub(super) number: u64,
    is_answered: bool,
}

impl SessionQueue {
    pub(super) fn new() -> Self {
        Self(Mutex::new(State { sent: 0, answered: 0, in_flight: 0, head_since: Instant::now() }))
    }

    /// Counts a statement that is sent right afterwards.
    pub(super) fn send(&self) -> InFlight<'_> {
        let mut state = self.state();
        if state.in_flight == 0 {
            state.answered = state.sent;
            state.head_since = Instant::now();
        }
        state.sent += 1;
        state.in_flight += 1;
        InFlight { queue: self, number: state.sent, is_answered: false }
    }

    pub(super) fn depth(&self) -> usize {
        self.state().in_flight
    }

    /// The number of statements in flight, or `None` if one of them holds up the others.
    pub(super) fn depth_unless_stalled(&self) -> Option<usize> {
        let state = self.state();
        let is_stalled = 0 < state.in_flight && STALL <= state.head_since.elapsed();
        if is_stalled { None } else { Some(state.in_flight) }
    }

    /// How long a statement with this number has been waiting for an earlier one to end. `None` if it is running itself.
    pub(super) fn waiting_for_another(&self, number: u64) -> Option<Duration> {
        let state = self.state();
        (state.answered + 1 < number).then(|| state.head_since.elapsed())
    }

    /// How long PostgreSQL has been working on one statement.
    pub(super) fn since_last_answer(&self) -> Duration {
        self.state().head_since.elapsed()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl InFlight<'_> {
    /// Notes the answer.
    pub(super) fn finish(mut self) {
        self.is_answered = true;
    }
}

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        let mut state = self.queue.state();
        state.in_flight -= 1;
        if self.is_answered && state.answered < self.number {
            state.answered = self.number;
            state.head_since = Instant::now();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_statement_waits_for_no_other() {
        let queue = SessionQueue::new();
        let (first, second) = (queue.send(), queue.send());

        assert_eq!(queue.waiting_for_another(first.number), None);
        assert!(queue.waiting_for_another(second.number).is_some());

        first.finish();
        assert_eq!(queue.waiting_for_another(second.number), None);
        assert_eq!(queue.depth(), 1);
    }

    #[test]
    fn a_statement_that_nothing_waits_for_still_runs_before_later_ones() {
        let queue = SessionQueue::new();
        let (abandoned, second) = (queue.send(), queue.send());
        drop(abandoned);

        assert!(queue.waiting_for_another(second.number).is_some());
    }

    #[test]
    fn a_connection_is_stalled_while_one_statement_runs_for_long() {
        let queue = SessionQueue::new();
        let slow = queue.send();
        assert_eq!(queue.depth_unless_stalled(), Some(1));

        queue.state().head_since -= STALL;
        assert_eq!(queue.depth_unless_stalled(), None);

        slow.finish();
        assert_eq!(queue.depth_unless_stalled(), Some(0));
    }
}
