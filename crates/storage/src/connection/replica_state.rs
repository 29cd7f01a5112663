//! What a process knows about the replicas of its database, and the rules by which they serve reads. No input or output.

mod choice;
mod lsn;
mod observations;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use tokio::time::Instant;

pub(super) use self::choice::{ReplicaView, choose, weight};
pub(crate) use self::lsn::Lsn;
pub(super) use self::observations::Observations;

/// What is known about one replica, for all threads.
pub(crate) struct ReplicaState {
    /// Its host and port.
    pub(super) name: Arc<str>,
    /// The hash of its name.
    pub(super) hash: u64,
    started: Instant,
    is_healthy: AtomicBool,
    /// In bytes.
    replayed: AtomicI64,
    /// In milliseconds since the start.
    fresh_until: AtomicU64,
}

impl ReplicaState {
    pub(super) fn new(name: &str, started: Instant) -> Arc<Self> {
        Arc::new(Self {
            name: name.into(),
            hash: choice::name_hash(name),
            started,
            is_healthy: AtomicBool::new(false),
            replayed: AtomicI64::new(0),
            fresh_until: AtomicU64::new(0),
        })
    }

    /// What is known now. It may be known later than it is true, so it is wrong only on the safe side.
    pub(super) fn view(&self) -> ReplicaView {
        let now = millis(self.started.elapsed());
        ReplicaView {
            is_healthy: self.is_healthy.load(Ordering::Acquire),
            is_fresh: now < self.fresh_until.load(Ordering::Acquire),
            replayed: self.replayed(),
        }
    }

    /// Whether reads may run on it.
    pub(super) fn is_usable(&self) -> bool {
        let view = self.view();
        view.is_healthy && view.is_fresh
    }

    /// How far it has replayed the log, at least.
    pub(super) fn replayed(&self) -> Lsn {
        Lsn::from_bytes(self.replayed.load(Ordering::Acquire))
    }

    /// Publishes what is known about the replica with this index.
    pub(super) fn publish(&self, observations: &Observations, index: usize) {
        let Some(observed) = observations.replicas().get(index) else { return };
        let fresh_until = observations.fresh_until(index).unwrap_or_default();
        if !observed.is_healthy() {
            self.is_healthy.store(false, Ordering::Release);
        }
        self.replayed.store(observed.replayed.bytes(), Ordering::Release);
        self.fresh_until.store(millis(fresh_until), Ordering::Release);
        self.is_healthy.store(observed.is_healthy(), Ordering::Release);
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
