//! Tells notification streams that their inbox has changed or that their session has ended.
//!
//! Each process asks the database a few times a second about all sessions that have streams there, with one statement for
//! thousands of them. A change on any node therefore reaches every node, and writers pay nothing for it: LISTEN and NOTIFY
//! would serialize the commits of all acts.

use std::collections::HashMap;
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use grateful_domain::SessionId;
use grateful_storage::{Database, Reader, Repositories, StorageError};
use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio::time::{Instant, sleep, timeout_at};

/// Polls the sessions and inboxes that are streamed in this process. Clones share the subscriptions.
#[derive(Clone, Default)]
pub struct InboxWatcher {
    place: Option<(Database, Handle)>,
    subscriptions: Arc<Mutex<Subscriptions>>,
}

/// What the last poll found about a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SessionState {
    /// The sequence number of the last change of its user's inbox.
    pub(crate) last_seq: i64,
    /// Whether the session was deleted. Its expiry is not polled, since its time is known.
    pub(crate) has_ended: bool,
}

#[derive(Default)]
struct Subscriptions {
    sessions: HashMap<SessionId, watch::Sender<SessionState>>,
    is_polling: bool,
}

/// Time between two polls: long enough to cost nothing, short enough to seem immediate.
const MIN_INTERVAL: Duration = Duration::from_millis(300);

/// Time between two polls of very many sessions.
const MAX_INTERVAL: Duration = Duration::from_secs(1);

/// How many sessions one statement looks up: few enough that it takes tens of milliseconds. With more, polls are rarer, so that
/// the number of look-ups a second stays the same up to [`MAX_INTERVAL`].
const MAX_PER_STATEMENT: u32 = 5_000;

/// How old the last complete poll may be until streams end: they must not outlive their sessions by more than 15 seconds
/// (docs/http-api.md#notification-stream), but a short failure of the database.
const MAX_AGE: Duration = Duration::from_secs(11);

/// How long a poll may take even so, when the process itself stood still.
const MIN_PATIENCE: Duration = Duration::from_secs(2);

impl InboxWatcher {
    /// A watcher that polls on this database, on the runtime of the caller. A server with one runtime per thread needs it; by
    /// default, a watcher polls on the database and the runtime of its first subscriber.
    ///
    /// # Panics
    /// Outside of a runtime.
    #[must_use]
    pub fn polling_on(db: Database) -> Self {
        Self { place: Some((db, Handle::current())), ..Self::default() }
    }

    /// Subscribes to a session and its inbox, whose last change is known to have at least the number `last_seq`. The receiver
    /// changes when a poll finds something else. It is closed when polls have failed for too long.
    ///
    /// The first subscription spawns the polling task, which ends when no subscription is left. `db` is used for it unless the
    /// watcher has its own.
    pub(crate) fn subscribe(
        &self,
        db: &Database,
        session: SessionId,
        last_seq: i64,
    ) -> watch::Receiver<SessionState> {
        let mut subscriptions = self.subscriptions();
        let state = SessionState { last_seq, has_ended: false };
        let sender =
            subscriptions.sessions.entry(session).or_insert_with(|| watch::Sender::new(state));
        sender.send_if_modified(|known| {
            let is_newer = known.last_seq < last_seq;
            known.last_seq = known.last_seq.max(last_seq);
            is_newer
        });
        let receiver = sender.subscribe();
        let is_first = !std::mem::replace(&mut subscriptions.is_polling, true);
        drop(subscriptions);
        if is_first {
            let (db, runtime) = self.place.clone().unwrap_or((db.clone(), Handle::current()));
            let polling = Polling { watcher: self.clone(), is_done: false };
            runtime.spawn(polling.run(db));
        }
        receiver
    }

    fn subscriptions(&self) -> MutexGuard<'_, Subscriptions> {
        self.subscriptions.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The polling task.
struct Polling {
    watcher: InboxWatcher,
    is_done: bool,
}

impl Polling {
    async fn run(mut self, db: Database) {
        let (mut sessions, mut completed_at) = (0, Instant::now());
        loop {
            sleep(interval(sessions)).await;
            let started_at = Instant::now();
            let followed = self.followed();
            if followed.is_empty() {
                return;
            }
            sessions = followed.len();
            let deadline = (completed_at + MAX_AGE).max(started_at + MIN_PATIENCE);
            let mut poll = pin!(self.poll(&db, &followed));
            let polled = if let Ok(polled) = timeout_at(deadline, &mut poll).await {
                polled
            } else {
                self.give_up();
                completed_at = Instant::now();
                // If it were dropped, it would not notice that its connection is silent.
                poll.await
            };
            match polled {
                Ok(()) => completed_at = started_at,
                Err(error) => {
                    tracing::debug!(error = &error as &dyn std::error::Error, "A poll has failed");
                    if MAX_AGE <= completed_at.elapsed() {
                        self.give_up();
                        completed_at = Instant::now();
                    }
                }
            }
        }
    }

    /// Ends all streams.
    fn give_up(&self) {
        let sessions = std::mem::take(&mut self.watcher.subscriptions().sessions).len();
        tracing::warn!(
            sessions,
            "The sessions of notification streams could not be looked up for too long; the streams end"
        );
    }

    /// Drops subscriptions without receivers, and returns the others, each with the last known sequence number. If none is
    /// left, the next subscription spawns a new task.
    fn followed(&mut self) -> Vec<(SessionId, i64)> {
        let mut subscriptions = self.watcher.subscriptions();
        subscriptions.sessions.retain(|_, state| 0 < state.receiver_count());
        self.is_done = subscriptions.sessions.is_empty();
        subscriptions.is_polling = !self.is_done;
        let followed = subscriptions.sessions.iter();
        followed.map(|(session, state)| (*session, state.borrow().last_seq)).collect()
    }

    async fn poll(&self, db: &Database, followed: &[(SessionId, i64)]) -> Result<(), StorageError> {
        for part in followed.chunks(MAX_PER_STATEMENT as usize) {
            let read = async |mut conn: Reader| conn.sessions().find_inbox_changes(part).await;
            self.publish(db.read(read).await?);
        }
        Ok(())
    }

    fn publish(&self, changes: Vec<(SessionId, Option<i64>)>) {
        let mut subscriptions = self.watcher.subscriptions();
        for (session, last_seq) in changes {
            if let Some(last_seq) = last_seq {
                if let Some(state) = subscriptions.sessions.get(&session) {
                    state.send_replace(SessionState { last_seq, has_ended: false });
                }
            } else if let Some(state) = subscriptions.sessions.remove(&session) {
                state.send_modify(|state| state.has_ended = true);
            }
        }
    }
}

impl Drop for Polling {
    /// If the task did not end by itself, its runtime has, or it has panicked: the streams end, and the next one spawns a new task.
    fn drop(&mut self) {
        if !self.is_done {
            *self.watcher.subscriptions() = Subscriptions::default();
        }
    }
}

/// The time between two polls of this many sessions.
fn interval(sessions: usize) -> Duration {
    let sessions = u32::try_from(sessions).unwrap_or(u32::MAX);
    (MIN_INTERVAL * sessions / MAX_PER_STATEMENT).clamp(MIN_INTERVAL, MAX_INTERVAL)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn polls_are_rarer_beyond_five_thousand_sessions_and_at_least_once_a_second() {
        let milliseconds = |sessions| interval(sessions).as_millis();

        assert_eq!(
            [0, 1, 5_000, 10_000, 16_000, 17_000, 100_000, usize::MAX].map(milliseconds),
            [300, 300, 300, 600, 960, 1_000, 1_000, 1_000]
        );
    }

    #[test]
    fn no_stream_outlives_its_session_by_more_than_fifteen_seconds() {
        assert!(MAX_AGE + MAX_INTERVAL + MIN_PATIENCE < Duration::from_secs(15));
    }
}
