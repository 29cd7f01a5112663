//! Shared read connections: many requests read on a few connections at once.

mod attempt;
mod driver_error;
mod place;
mod request;
mod row;
mod session;
mod session_queue;
mod shared_connection;
mod statement_cache;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::timeout;

pub use self::shared_connection::{ReadConnection, Reader, SharedConnection};

pub(super) use self::attempt::Attempt;
pub(super) use self::session::Session;
use self::session::SessionConfig;
use super::config::DatabaseConfig;
use super::connecting::Connector;
use crate::error::{Result, StorageError};
use crate::monitor::metrics::READS_REFUSED;

/// The shared read connections of a [`Database`](crate::Database).
pub(super) struct Readers {
    slots: Box<[Slot]>,
    permits: Semaphore,
    max_in_flight: usize,
    config: SessionConfig,
    /// The time to wait for a permit, or for a connection to be opened.
    acquire_timeout: Duration,
    name: &'static str,
}

/// The place of one shared connection, which is opened on first use and again after it was lost.
#[derive(Default)]
struct Slot {
    session: Mutex<Option<Arc<Session>>>,
    /// Held while a session is being opened.
    opening: tokio::sync::Mutex<()>,
    /// How often opening has failed.
    failures: std::sync::atomic::AtomicU64,
}

/// The number of statements in flight up to which a connection is preferred to the next one. Statements that share a
/// connection share its packets, so a few busy connections are faster than many.
const PREFERRED_DEPTH: usize = 16;

impl Readers {
    pub(super) fn new(config: &DatabaseConfig, connector: Connector) -> Self {
        Self {
            slots: (0..config.readers).map(|_| Slot::default()).collect(),
            permits: Semaphore::new(config.max_reads),
            max_in_flight: config.max_reads,
            config: SessionConfig::new(config, connector),
            acquire_timeout: config.acquire_timeout,
            name: config.pool_name,
        }
    }

    /// The number of reads under way.
    pub(super) fn in_flight(&self) -> usize {
        self.max_in_flight - self.permits.available_permits()
    }

    /// The number of open connections.
    pub(super) fn open_connections(&self) -> usize {
        self.slots.iter().filter(|slot| slot.current().is_some()).count()
    }

    /// Waits until fewer reads than the maximum are under way.
    pub(super) async fn admit(&self) -> Result<SemaphorePermit<'_>> {
        if let Ok(permit) = self.permits.try_acquire() {
            return Ok(permit);
        }
        let permit = timeout(self.acquire_timeout, self.permits.acquire()).await;
        permit.ok().and_then(std::result::Result::ok).ok_or_else(|| {
            metrics::counter!(READS_REFUSED, "pool" => self.name).increment(1);
            StorageError::Unavailable("too many reads are under way".into())
        })
    }

    /// The open connection for the next statement: the first with few statements in flight, else the one with the fewest.
    /// Leaves out `avoided`, and connections that are held up by a statement.
    pub(super) fn find_free(&self, avoided: Option<&Arc<Session>>) -> Option<Arc<Session>> {
        let mut best: Option<(usize, Arc<Session>)> = None;
        for session in self.slots.iter().filter_map(Slot::current) {
            if avoided.is_some_and(|avoided| Arc::ptr_eq(avoided, &session)) {
                continue;
            }
            let Some(depth) = session.queue.depth_unless_stalled() else { continue };
            if depth < PREFERRED_DEPTH {
                return Some(session);
            }
            if best.as_ref().is_none_or(|(least, _)| depth < *least) {
                best = Some((depth, session));
            }
        }
        let (_, session) = best?;
        // All are busy, so it is time to open the next one.
        if self.slots.iter().all(|slot| slot.current().is_some()) { Some(session) } else { None }
    }

    /// Opens the next connection. `None` if all are open.
    pub(super) async fn open_next(&self) -> Option<Result<Arc<Session>>> {
        let slot = self.slots.iter().find(|slot| slot.current().is_none())?;
        // Opening has a limit of its own. This one includes waiting for another read that opens it.
        let limit = self.acquire_timeout.saturating_mul(2);
        let opened = timeout(limit, slot.open(&self.config)).await;
        Some(opened.unwrap_or_else(|_| Err(unavailable("the database does not answer"))))
    }

    /// The open connection with the fewest statements in flight.
    pub(super) fn least_busy(&self) -> Option<Arc<Session>> {
        self.slots.iter().filter_map(Slot::current).min_by_key(|session| session.queue.depth())
    }
}

impl Slot {
    /// The session, unless it is lost or not open yet.
    fn current(&self) -> Option<Arc<Session>> {
        let session = self.session.lock().unwrap_or_else(PoisonError::into_inner);
        session.as_ref().filter(|session| !session.is_lost()).map(Arc::clone)
    }

    /// Opens the session. Of several callers one opens it, and if that fails, it fails for all who waited.
    async fn open(&self, config: &SessionConfig) -> Result<Arc<Session>> {
        use std::sync::atomic::Ordering::Relaxed;

        let failures = self.failures.load(Relaxed);
        let _opening = self.opening.lock().await;
        if let Some(session) = self.current() {
            return Ok(session);
        }
        if self.failures.load(Relaxed) != failures {
            return Err(unavailable("the database cannot be reached"));
        }
        match Session::open(config).await {
            Ok(session) => {
                let session = Arc::new(session);
                let current = Some(Arc::clone(&session));
                *self.session.lock().unwrap_or_else(PoisonError::into_inner) = current;
                Ok(session)
            }
            Err(error) => {
                self.failures.fetch_add(1, Relaxed);
                Err(error)
            }
        }
    }
}

pub(super) fn unavailable(reason: &'static str) -> StorageError {
    StorageError::Unavailable(reason.into())
}
