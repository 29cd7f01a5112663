//! Which statements a piece of work runs, how often and for how long.

use std::cell::RefCell;
use std::collections::HashMap;
use std::fmt::Write as _;
use std::time::{Duration, Instant};

use diesel::connection::{Instrumentation, InstrumentationEvent};

tokio::task_local! {
    static LOG: RefCell<QueryLog>;
}

/// Watches one connection: times every statement, reports slow ones, and adds each to the [`QueryLog`] of the work
/// it is done for.
///
/// [`Database`](crate::Database) installs one on every connection it opens; on one of your own, call
/// `set_instrumentation`. It measures one statement at a time, which holds as long as the connection is borrowed
/// mutably. The time ends when the first answer arrives, so reading a large result is not in it.
pub struct QueryMonitor {
    slow: Duration,
    started: Option<Instant>,
}

impl QueryMonitor {
    /// A monitor that reports statements taking `slow` or longer.
    pub fn new(slow: Duration) -> Self {
        Self { slow, started: None }
    }

    fn finish(&mut self, sql: String) {
        let elapsed = self.started.take().map_or(Duration::ZERO, |start| start.elapsed());
        if self.slow <= elapsed {
            tracing::warn!(
                db.query.text = sql,
                duration_ms = elapsed.as_millis(),
                "Slow statement"
            );
        }
        // Outside any scope, such as in a background job, nobody is counting.
        _ = LOG.try_with(|log| log.borrow_mut().add(sql, elapsed));
    }
}

impl Instrumentation for QueryMonitor {
    fn on_connection_event(&mut self, event: InstrumentationEvent<'_>) {
        match event {
            // Its text would include the bound values; the finished query's does not.
            InstrumentationEvent::StartQuery { .. } => self.started = Some(Instant::now()),
            InstrumentationEvent::FinishQuery { query, .. } => {
                // Statements are long: grown from nothing, the text would be copied again and again.
                let mut sql = String::with_capacity(2_048);
                _ = write!(sql, "{query}");
                self.finish(sql);
            }
            _ => (),
        }
    }
}

/// How often one statement ran, and for how long in all.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// How many times.
    pub count: u32,
    /// The sum of all times.
    pub time: Duration,
}

/// The statements that one piece of work ran. The text of a statement has `$1` where values were, so that it is its
/// own fingerprint and holds nothing that belongs to anybody.
#[derive(Debug, Clone, Default)]
pub struct QueryLog {
    tallies: HashMap<String, Tally>,
}

impl QueryLog {
    /// Runs `work`, and returns its output with the statements it ran.
    ///
    /// What `work` spawns as a task of its own is not counted.
    pub async fn record<T>(work: impl Future<Output = T>) -> (T, Self) {
        LOG.scope(RefCell::default(), async {
            let output = work.await;
            (output, LOG.with(RefCell::take))
        })
        .await
    }

    /// How many statements there were, `BEGIN` and `COMMIT` included.
    pub fn total(&self) -> u32 {
        self.tallies.values().map(|tally| tally.count).sum()
    }

    /// How long PostgreSQL took for all of them.
    pub fn time(&self) -> Duration {
        self.tallies.values().map(|tally| tally.time).sum()
    }

    /// Statements that ran at least `times`: the usual sign of a query inside a loop (N+1).
    pub fn repeated(&self, times: u32) -> impl Iterator<Item = (&str, Tally)> {
        let often = move |(_, tally): &(&str, Tally)| times <= tally.count;
        self.tallies.iter().map(|(sql, tally)| (sql.as_str(), *tally)).filter(often)
    }

    fn add(&mut self, sql: String, elapsed: Duration) {
        let tally = self.tallies.entry(sql).or_default();
        tally.count += 1;
        tally.time += elapsed;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn repeated_statements_are_counted_together() {
        let mut monitor = QueryMonitor::new(Duration::from_secs(1));
        let ((), log) = QueryLog::record(async {
            for sql in ["SELECT 1", "SELECT $1", "SELECT $1"] {
                monitor.finish(sql.to_owned());
            }
        })
        .await;

        assert_eq!(log.total(), 3);
        assert_eq!(log.repeated(2).map(|(sql, _)| sql).collect::<Vec<_>>(), ["SELECT $1"]);
    }

    #[test]
    fn outside_any_scope_a_statement_is_merely_timed() {
        QueryMonitor::new(Duration::ZERO).finish("SELECT 1".to_owned());
    }
}
