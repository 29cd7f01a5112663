//! Metrics of connection pools.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use deadpool::Status;

use super::database::{Database, WeakDatabase};
use crate::monitor::metrics::{
    POOL_CONNECTIONS, POOL_CONNECTIONS_MAX, POOL_FAILURES, POOL_WAITING,
};

/// Publishes the state of all pools of a process together, because a server has one pool per thread. Clones share the list
/// of pools, which does not keep a pool alive.
#[derive(Clone, Default)]
pub struct PoolMetrics {
    by_name: Arc<Mutex<BTreeMap<&'static str, Vec<WeakDatabase>>>>,
}

impl PoolMetrics {
    /// Adds a pool. Pools with the same name are added up.
    pub fn register(&self, db: &Database) {
        let mut by_name = self.by_name.lock().unwrap_or_else(PoisonError::into_inner);
        by_name.entry(db.name()).or_default().push(db.weak());
        // A series that first appears with its first event has no rate until the second.
        metrics::counter!(POOL_FAILURES, "pool" => db.name()).increment(0);
    }

    /// Sets the gauges to the current state. Call it before the metrics are read.
    pub fn observe(&self) {
        let mut by_name = self.by_name.lock().unwrap_or_else(PoisonError::into_inner);
        for (name, pools) in by_name.iter_mut() {
            let statuses: Vec<Status> =
                pools.iter().filter_map(WeakDatabase::upgrade).map(|pool| pool.status()).collect();
            pools.retain(|pool| pool.upgrade().is_some());
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

fn as_f64(number: usize) -> f64 {
    u32::try_from(number).unwrap_or(u32::MAX).into()
}
