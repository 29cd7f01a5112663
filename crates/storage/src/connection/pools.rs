//! How much of all pools is in use.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use deadpool::Status;

use super::database::{Database, WeakDatabase};
use crate::monitor::metrics::{
    POOL_CONNECTIONS, POOL_CONNECTIONS_MAX, POOL_FAILURES, POOL_WAITING,
};

/// The pools of a process, to be looked at together: a server has one for each of its threads. Clones share it, and it
/// keeps no pool from going.
#[derive(Clone, Default)]
pub struct PoolMetrics {
    by_name: Arc<Mutex<BTreeMap<&'static str, Vec<WeakDatabase>>>>,
}

impl PoolMetrics {
    /// Looks at this pool too, from now on, together with those of the same name.
    pub fn register(&self, db: &Database) {
        let mut by_name = self.by_name.lock().unwrap_or_else(PoisonError::into_inner);
        by_name.entry(db.name()).or_default().push(db.weak());
        // What appears with its first event has no rate before the second.
        metrics::counter!(POOL_FAILURES, "pool" => db.name()).increment(0);
    }

    /// Sets the gauges of the metrics to what is in use now. Call it when somebody asks for them.
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
            metrics::gauge!(POOL_CONNECTIONS, &labels("busy")).set(sum(|it| it.size) - idle);
            metrics::gauge!(POOL_CONNECTIONS_MAX, "pool" => *name).set(sum(|it| it.max_size));
            metrics::gauge!(POOL_WAITING, "pool" => *name).set(sum(|status| status.waiting));
        }
    }
}

fn as_f64(number: usize) -> f64 {
    u32::try_from(number).unwrap_or(u32::MAX).into()
}
