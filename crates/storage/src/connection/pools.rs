//! Metrics of connection pools.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use deadpool::Status;

use super::database::{Database, WeakDatabase};
use super::readers::Readers;
use crate::monitor::metrics::{
    CONNECTIONS_SILENT, POOL_CONNECTIONS, POOL_CONNECTIONS_MAX, POOL_FAILURES, POOL_WAITING,
    READ_CONNECTIONS, READ_CONNECTIONS_DISCARDED, READS_IN_FLIGHT, READS_REFUSED, READS_REPEATED,
    RepeatReason,
};

/// Publishes the state of all pools of a process together, because a server has one pool per thread. Clones share the list
/// of pools, which does not keep a pool alive.
#[derive(Clone, Default)]
pub struct PoolMetrics {
    by_name: Arc<Mutex<BTreeMap<&'static str, Vec<WeakDatabase>>>>,
}

impl PoolMetrics {
    /// Adds a pool, and those of its replicas. Pools with the same name are added up.
    pub fn register(&self, db: &Database) {
        db.replicas().iter().for_each(|replica| self.register(&replica.db));
        let mut by_name = self.by_name.lock().unwrap_or_else(PoisonError::into_inner);
        by_name.entry(db.name()).or_default().push(db.weak());
        // A series that first appears with its first event has no rate until the second.
        for name in [POOL_FAILURES, CONNECTIONS_SILENT, READS_REFUSED, READ_CONNECTIONS_DISCARDED] {
            metrics::counter!(name, "pool" => db.name()).increment(0);
        }
        for reason in RepeatReason::CODES {
            metrics::counter!(READS_REPEATED, "pool" => db.name(), "reason" => reason).increment(0);
        }
    }

    /// Sets the gauges to the current state. Call it before the metrics are read.
    pub fn observe(&self) {
        let mut by_name = self.by_name.lock().unwrap_or_else(PoisonError::into_inner);
        for (name, pools) in by_name.iter_mut() {
            pools.retain(|database| database.pool.upgrade().is_some());
            observe_readers(name, pools);
            let statuses: Vec<Status> = pools
                .iter()
                .filter_map(|database| database.pool.upgrade())
                .map(|pool| pool.status())
                .collect();
            let sum = |of: fn(&Status) -> usize| as_f64(statuses.iter().map(of).sum());
            let idle = sum(|status| status.available);
            let labels = |state| [("pool", *name), ("state", state)];
            metrics::gauge!(POOL_CONNECTIONS, &labels("idle")).set(idle);
            metrics::gauge!(POOL_CONNECTIONS, &labels("busy"))
                .set(sum(|status| status.size) - idle);
            metrics::gauge!(POOL_CONNECTIONS_MAX, "pool" => *name)
                .set(sum(|status| status.max_size));
            metrics::gauge!(POOL_WAITING, "pool" => *name).set(sum(|status| status.waiting));
        }
    }
}

fn observe_readers(name: &'static str, databases: &[WeakDatabase]) {
    let readers: Vec<_> =
        databases.iter().filter_map(|database| database.readers.upgrade()).collect();
    let sum = |of: fn(&Readers) -> usize| as_f64(readers.iter().map(|readers| of(readers)).sum());
    metrics::gauge!(READ_CONNECTIONS, "pool" => name).set(sum(Readers::open_connections));
    metrics::gauge!(READS_IN_FLIGHT, "pool" => name).set(sum(Readers::in_flight));
}

fn as_f64(number: usize) -> f64 {
    u32::try_from(number).unwrap_or(u32::MAX).into()
}
