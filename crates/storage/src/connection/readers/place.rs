//! The connection on which a read runs.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use super::session::Session;
use crate::connection::pooled_connection::PooledConnection;

/// The connection of an attempt.
pub(super) struct Place {
    pub(super) route: Route,
    /// The number of the statement that the read waits for, or 0.
    waits_for: AtomicU64,
    /// Whether a statement has failed, or its answer has not arrived.
    has_failed: AtomicBool,
}

/// A shared connection, or one of the pool.
pub(super) enum Route {
    Shared(Arc<Session>),
    Pooled(Box<PooledConnection>),
}

impl Place {
    pub(super) fn new(route: Route) -> Self {
        Self { route, waits_for: AtomicU64::new(0), has_failed: AtomicBool::new(false) }
    }

    /// Notes that a statement has failed.
    pub(super) fn note_failure(&self) {
        self.has_failed.store(true, Ordering::Relaxed);
    }

    pub(super) fn has_failed(&self) -> bool {
        self.has_failed.load(Ordering::Relaxed)
    }

    /// The number of the statement that the read waits for.
    pub(super) fn waits_for(&self) -> Option<u64> {
        Some(self.waits_for.load(Ordering::Relaxed)).filter(|number| 0 < *number)
    }

    /// Notes the number of a statement that was sent, unless the read waits for an earlier one. 0 is none.
    pub(super) fn wait_for(&self, number: u64) {
        if number == 0 {
            self.waits_for.store(0, Ordering::Relaxed);
        } else {
            _ = self.waits_for.compare_exchange(0, number, Ordering::Relaxed, Ordering::Relaxed);
        }
    }
}
