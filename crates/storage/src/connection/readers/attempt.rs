//! One run of a read on one connection.

use std::sync::Arc;

use super::place::{Place, Route};
use super::session::Session;
use super::session_queue::STALL;
use super::shared_connection::{Reader, SharedConnection};
use crate::connection::pooled_connection::PooledConnection;
use crate::monitor::metrics::RepeatReason;

/// One run of a read.
pub(in crate::connection) struct Attempt(Arc<Place>);

impl Attempt {
    pub(in crate::connection) fn shared(session: Arc<Session>) -> Self {
        Self::on(Route::Shared(session))
    }

    pub(in crate::connection) fn pooled(conn: PooledConnection) -> Self {
        Self::on(Route::Pooled(Box::new(conn)))
    }

    fn on(route: Route) -> Self {
        Self(Arc::new(Place::new(route)))
    }

    pub(in crate::connection) fn reader(&self) -> Reader {
        Reader(SharedConnection(Arc::clone(&self.0)))
    }

    pub(in crate::connection) fn session(&self) -> Option<&Arc<Session>> {
        match &self.0.route {
            Route::Shared(session) => Some(session),
            Route::Pooled(_) => None,
        }
    }

    /// Whether a statement has failed. Otherwise an error of the read is one of the work.
    pub(in crate::connection) fn has_failed(&self) -> bool {
        self.0.has_failed()
    }

    pub(in crate::connection) fn is_lost(&self) -> bool {
        match &self.0.route {
            Route::Shared(session) => session.is_lost(),
            Route::Pooled(conn) => !conn.is_usable(),
        }
    }

    /// Waits until a slow statement of another read holds this one up, or its connection counts as lost, as it does if
    /// `is_given_up`.
    pub(in crate::connection) async fn wait_until_held_up(
        &self,
        is_given_up: impl Fn() -> bool,
    ) -> RepeatReason {
        loop {
            tokio::time::sleep(STALL).await;
            if is_given_up() {
                return RepeatReason::Lost;
            }
            let session = match &self.0.route {
                Route::Shared(session) => session,
                // It has no other reads, but may be as silent as another connection.
                Route::Pooled(conn) if conn.is_usable() => continue,
                Route::Pooled(_) => return RepeatReason::Lost,
            };
            let Some(number) = self.0.waits_for() else { continue };
            if session.is_lost() || session.answer_timeout <= session.queue.since_last_answer() {
                return RepeatReason::Lost;
            }
            let waited = session.queue.waiting_for_another(number);
            if waited.is_some_and(|waited| STALL <= waited) {
                return RepeatReason::HeldUp;
            }
        }
    }
}
