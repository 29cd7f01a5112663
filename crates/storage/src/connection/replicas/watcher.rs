//! Asks all servers for their positions in the log, again and again.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::future::{join, join_all};
use tokio::time::{Instant, MissedTickBehavior, interval, timeout};
use tokio_postgres::Client;

use super::Replicas;
use crate::connection::config::DatabaseConfig;
use crate::connection::connecting::{Connector, Opened, ask_primary, ask_replica};
use crate::connection::replica_state::{Observations, ReplicaState};
use crate::monitor::metrics::REPLICA_STALENESS;

/// The time between two polls of a server.
const INTERVAL: Duration = Duration::from_millis(100);

/// The polls of a process.
pub(super) struct Watcher {
    primary: Connector,
    replicas: Vec<WatchedReplica>,
    observations: Mutex<Observations>,
    started: Instant,
    /// The time limit for the answer to a poll.
    patience: Duration,
}

struct WatchedReplica {
    connector: Connector,
    state: Arc<ReplicaState>,
}

impl Watcher {
    pub(super) fn new(replicas: &Replicas, primary: &DatabaseConfig) -> Self {
        let patience = replicas.max_staleness.max(INTERVAL);
        let connector = |url: &str| Connector::alone(url, primary.acquire_timeout, Some(patience));
        let watched = replicas.addresses().iter().map(|replica| WatchedReplica {
            connector: connector(&replica.url),
            state: Arc::clone(&replica.state),
        });
        let replicas_watched: Vec<_> = watched.collect();
        let observations = Observations::new(replicas_watched.len(), replicas.max_staleness);
        Self {
            primary: connector(&primary.url),
            replicas: replicas_watched,
            observations: Mutex::new(observations),
            started: replicas.started,
            patience,
        }
    }

    /// Polls all servers, each by itself, so that one that does not answer delays no other.
    pub(super) async fn run(&self) {
        let replicas = self
            .replicas
            .iter()
            .enumerate()
            .map(|(index, replica)| self.watch_replica(index, replica));
        join(self.watch_primary(), join_all(replicas)).await;
    }

    async fn watch_primary(&self) {
        let mut session = WatcherSession::new(&self.primary);
        let mut ticks = ticks();
        loop {
            ticks.tick().await;
            let sent = self.now();
            let Some(lsn) = session.poll(self.patience, ask_primary).await else { continue };
            self.observe(|observations| observations.primary_answered(sent, lsn));
        }
    }

    async fn watch_replica(&self, index: usize, replica: &WatchedReplica) {
        let mut session = WatcherSession::new(&replica.connector);
        let mut ticks = ticks();
        loop {
            ticks.tick().await;
            let replayed = session.poll(self.patience, ask_replica).await;
            let heard = self.now();
            self.observe(|observations| match replayed {
                Some(replayed) => observations.replica_answered(index, heard, replayed),
                None => observations.replica_failed(index),
            });
        }
    }

    /// Changes what is known, and publishes it.
    fn observe(&self, change: impl FnOnce(&mut Observations)) {
        let mut observations = self.observations.lock().unwrap_or_else(PoisonError::into_inner);
        change(&mut observations);
        for (index, WatchedReplica { state, .. }) in self.replicas.iter().enumerate() {
            let was_usable = state.is_usable();
            state.publish(&observations, index);
            if state.is_usable() != was_usable {
                tracing::info!(
                    replica = &*state.name,
                    is_usable = !was_usable,
                    "A replica has changed"
                );
            }
            if let Some(staleness) = observations.staleness(index, self.now()) {
                metrics::gauge!(REPLICA_STALENESS, "replica" => Arc::clone(&state.name))
                    .set(staleness);
            }
        }
    }

    fn now(&self) -> Duration {
        self.started.elapsed()
    }
}

fn ticks() -> tokio::time::Interval {
    let mut ticks = interval(INTERVAL);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks
}

/// The connection to one server.
struct WatcherSession<'c> {
    connector: &'c Connector,
    open: Option<Opened>,
}

impl<'c> WatcherSession<'c> {
    fn new(connector: &'c Connector) -> Self {
        Self { connector, open: None }
    }

    /// The answer of the server, or `None` if it does not answer in time. Then the next poll opens another connection.
    async fn poll<T>(
        &mut self,
        patience: Duration,
        ask: impl AsyncFnOnce(&Client) -> Result<T, String>,
    ) -> Option<T> {
        let opened = match self.open.take() {
            Some(opened) => opened,
            None => self.connector.open().await.ok()?,
        };
        let answer = timeout(patience, ask(&opened.client)).await.ok()?.ok()?;
        self.open = Some(opened);
        Some(answer)
    }
}
