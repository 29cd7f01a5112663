//! What is known about a connection from the bytes on it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use tokio::task::AbortHandle;
use tokio::time::Instant;

use super::messages::error_field;
use crate::error::sql_states::{self, Meaning};
use crate::monitor::metrics::CONNECTIONS_SILENT;

/// What the connections of one [`Database`](crate::Database) have found out about their server.
///
/// When one connection is lost, others are probably lost too: a server that has vanished, and a network that forgets
/// connections, take all of them at once. So from then on only connections that were heard from since are trusted.
pub(crate) struct ServerHealth {
    started: Instant,
    /// When idle connections became suspect, in milliseconds since the start.
    idle_before: AtomicU64,
    /// When connections with statements in flight became suspect too.
    busy_before: AtomicU64,
    pool_name: &'static str,
}

/// How long statements usually take at most: connections with statements in flight that were heard from this long after
/// another one fell silent were not struck by the same fault.
const USUAL_DURATION: Duration = Duration::from_secs(1);

impl ServerHealth {
    pub(in crate::connection) fn new(pool_name: &'static str) -> Arc<Self> {
        let [idle_before, busy_before] = [AtomicU64::new(0), AtomicU64::new(0)];
        Arc::new(Self { started: Instant::now(), idle_before, busy_before, pool_name })
    }

    /// Notes that the server has closed a connection, so that idle ones are replaced.
    fn suspect_idle(&self) {
        self.idle_before.fetch_max(self.millis(Instant::now()), Ordering::Relaxed);
    }

    /// Notes that a connection has fallen silent.
    fn suspect_all(&self, silent_for: Duration) {
        let now = Instant::now();
        let since = (now - silent_for + USUAL_DURATION).min(now);
        self.busy_before.fetch_max(self.millis(since), Ordering::Relaxed);
        self.suspect_idle();
    }

    fn millis(&self, time: Instant) -> u64 {
        let since_start = time.saturating_duration_since(self.started);
        u64::try_from(since_start.as_millis()).unwrap_or(u64::MAX)
    }
}

/// What is known about one connection.
pub(super) struct Wire {
    health: Arc<ServerHealth>,
    /// Whether the session only reads, so that the server refuses writes at any time.
    reads_only: bool,
    last_heard: AtomicU64,
    is_unusable: AtomicBool,
    /// Whether a transaction has lost against another one.
    has_conflict: AtomicBool,
}

impl Wire {
    pub(super) fn new(health: &Arc<ServerHealth>, reads_only: bool) -> Arc<Self> {
        let last_heard = AtomicU64::new(health.millis(Instant::now()));
        let health = Arc::clone(health);
        let [is_unusable, has_conflict] = [AtomicBool::new(false), AtomicBool::new(false)];
        Arc::new(Self { health, reads_only, last_heard, is_unusable, has_conflict })
    }

    /// Notes that bytes have arrived.
    pub(super) fn heard(&self) {
        self.last_heard.store(self.health.millis(Instant::now()), Ordering::Relaxed);
    }

    /// Notes an error of the server.
    pub(super) fn failed(&self, body: &[u8]) {
        let Some(state) = error_field(body, b'C') else { return };
        if self.reads_only && state == "25006" {
            return;
        }
        sql_states::remember(state, error_field(body, b'M').unwrap_or_default());
        if sql_states::meaning_of(state) == Some(Meaning::Conflict) {
            self.has_conflict.store(true, Ordering::Relaxed);
        }
        if sql_states::ends_session(state) {
            self.is_unusable.store(true, Ordering::Relaxed);
        }
        if sql_states::concerns_server(state) {
            self.health.suspect_idle();
        }
    }

    /// Notes that the server has owed an answer for this long.
    pub(super) fn fell_silent(&self, silent_for: Duration) {
        metrics::counter!(CONNECTIONS_SILENT, "pool" => self.health.pool_name).increment(1);
        self.is_unusable.store(true, Ordering::Relaxed);
        self.health.suspect_all(silent_for);
    }

    /// Notes that the connection was closed, or has failed, without a word of the server.
    pub(super) fn was_closed(&self) {
        if !self.is_unusable.swap(true, Ordering::Relaxed) {
            self.health.suspect_idle();
        }
    }

    /// Whether the server ends the session, or has not answered in time.
    pub(super) fn is_unusable(&self) -> bool {
        self.is_unusable.load(Ordering::Relaxed)
    }

    fn is_trusted(&self, is_idle: bool) -> bool {
        let ServerHealth { idle_before, busy_before, .. } = &*self.health;
        let suspect_before = if is_idle { idle_before } else { busy_before };
        suspect_before.load(Ordering::Relaxed) <= self.last_heard.load(Ordering::Relaxed)
    }
}

/// The hold on an open connection, beside its client.
pub(crate) struct Link {
    wire: Arc<Wire>,
    /// The task that reads and writes the socket.
    driver: AbortHandle,
}

impl Link {
    /// Starts the task that drives the connection.
    pub(super) fn new<F>(wire: &Arc<Wire>, drive: impl FnOnce(Arc<Wire>) -> F) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let driver = tokio::spawn(drive(Arc::clone(wire))).abort_handle();
        Self { wire: Arc::clone(wire), driver }
    }

    /// Whether nothing is known that rules out further statements on the connection. `is_idle` is whether it has no
    /// statement in flight.
    pub(in crate::connection) fn is_usable(&self, is_idle: bool) -> bool {
        !self.is_lost() && self.wire.is_trusted(is_idle)
    }

    /// Whether the connection is closed, or of no use.
    pub(in crate::connection) fn is_lost(&self) -> bool {
        self.driver.is_finished() || self.wire.is_unusable()
    }

    /// Whether a transaction on the connection has lost against another one since the last call.
    pub(in crate::connection) fn take_conflict(&self) -> bool {
        self.wire.has_conflict.swap(false, Ordering::Relaxed)
    }

    /// Notes that the server has owed an answer for this long.
    pub(in crate::connection) fn fell_silent(&self, silent_for: Duration) {
        self.wire.fell_silent(silent_for);
    }

    /// Closes the connection at once. Its statements in flight fail.
    pub(in crate::connection) fn sever(&self) {
        self.wire.is_unusable.store(true, Ordering::Relaxed);
        self.driver.abort();
    }
}

impl Drop for Link {
    /// A connection that is usable is closed by its client, which says so to the server.
    fn drop(&mut self) {
        if !self.is_usable(true) {
            self.sever();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wire(reads_only: bool) -> (Arc<ServerHealth>, Arc<Wire>) {
        let health = ServerHealth::new("test");
        let wire = Wire::new(&health, reads_only);
        (health, wire)
    }

    #[tokio::test(start_paused = true)]
    async fn after_a_silence_only_connections_that_were_heard_from_since_are_trusted() {
        let (health, wire) = wire(false);
        let busy = Wire::new(&health, false);
        tokio::time::advance(Duration::from_secs(2)).await;
        busy.heard();
        tokio::time::advance(Duration::from_secs(4)).await;

        // The silent one was asked at the start.
        health.suspect_all(Duration::from_secs(6));

        assert_eq!([true, false].map(|is_idle| wire.is_trusted(is_idle)), [false, false]);
        assert_eq!([true, false].map(|is_idle| busy.is_trusted(is_idle)), [false, true]);
    }

    #[tokio::test(start_paused = true)]
    async fn after_a_connection_was_closed_idle_ones_are_replaced() {
        let (health, wire) = wire(false);
        tokio::time::advance(Duration::from_secs(1)).await;
        health.suspect_idle();

        assert_eq!([true, false].map(|is_idle| wire.is_trusted(is_idle)), [false, true]);

        wire.heard();
        assert!(wire.is_trusted(true));
    }

    #[tokio::test(start_paused = true)]
    async fn a_server_that_accepts_only_reads_makes_its_connections_unusable() {
        let (_, writer) = wire(false);
        let (_, reader) = wire(true);
        for wire in [&writer, &reader] {
            wire.failed(b"SERROR\0C25006\0Mcannot execute INSERT\0\0");
        }

        assert!(writer.is_unusable());
        assert!(!reader.is_unusable(), "the session itself only reads");
    }
}
