//! The log of the statements that an operation runs.

use std::mem;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::metrics::STATEMENTS_REPEATED;
use super::thresholds::Thresholds;

tokio::task_local! {
    static SCOPE: Arc<Scope>;
}

/// The log of a running operation, and the scope of the operation that it is part of.
struct Scope {
    log: Mutex<QueryLog>,
    outer: Option<Arc<Scope>>,
}

impl Scope {
    fn log(&self) -> MutexGuard<'_, QueryLog> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether statements run inside a [`QueryLog::record`] call.
pub(super) fn is_recording() -> bool {
    SCOPE.try_with(|_| ()).is_ok()
}

/// Adds a statement to the logs of the current operation and of all operations around it. `text` converts `sql`, if no log
/// has it yet.
pub(super) fn add(sql: &str, text: impl Fn() -> Arc<str>, span: StatementSpan) {
    // Outside any scope, such as in a background job, there is no log.
    _ = SCOPE.try_with(|scope| {
        let mut next = Some(scope);
        while let Some(scope) = next {
            scope.log().add(sql, &text, span);
            next = scope.outer.as_ref();
        }
    });
}

/// When a statement was sent and when its response arrived.
#[derive(Debug, Clone, Copy)]
pub(super) struct StatementSpan {
    pub(super) start: Instant,
    pub(super) end: Instant,
}

impl StatementSpan {
    pub(super) fn elapsed(self) -> Duration {
        self.end.saturating_duration_since(self.start)
    }
}

/// How often a statement ran, and its total time.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct StatementStats {
    /// The number of executions.
    pub count: u32,
    /// The total time of all executions.
    pub time: Duration,
}

/// The statements that an operation ran. The text of a statement has `$1` in place of values, so it identifies the statement
/// and contains no user data.
///
/// ```
/// use grateful_storage::{QueryLog, Thresholds};
///
/// # async fn send_digests() {}
/// # async fn example() {
/// // Reports statements that ran in a loop, on any connection that the operation uses.
/// QueryLog::watch("digests", &Thresholds::default(), send_digests()).await;
///
/// // Or counts them yourself.
/// let ((), log) = QueryLog::record(send_digests()).await;
/// println!("{} statements in {:?}", log.total(), log.time());
/// # }
/// ```
#[derive(Debug, Clone, Default)]
pub struct QueryLog {
    /// An operation has few different statements, which are often the same allocation.
    stats: Vec<(Arc<str>, StatementStats)>,
    /// The end of the first response of each round trip.
    round_trips: Vec<Instant>,
}

impl QueryLog {
    /// Runs `work`, and returns its output and the statements it ran.
    ///
    /// The statements count in the logs of outer calls as well, even if `work` is cancelled. Statements of tasks that `work`
    /// spawns are not logged.
    pub async fn record<T>(work: impl Future<Output = T>) -> (T, Self) {
        let outer = SCOPE.try_with(Arc::clone).ok();
        let scope = Arc::new(Scope { log: Mutex::default(), outer });
        let output = SCOPE.scope(Arc::clone(&scope), work).await;
        let log = mem::take(&mut *scope.log());
        (output, log)
    }

    /// Runs `work`, and [reports](Self::report) the statements it ran too often. `operation` is a label value of a metric.
    pub async fn watch<T>(
        operation: &str,
        thresholds: &Thresholds,
        work: impl Future<Output = T>,
    ) -> T {
        let (output, log) = Self::record(work).await;
        log.report(operation, thresholds);
        output
    }

    /// Logs a warning for each statement that ran so often that a loop is likely (N+1), and counts it in the metrics.
    /// `operation` is a label value, so it must come from a small fixed set such as route patterns and contain no user data.
    pub fn report(&self, operation: &str, thresholds: &Thresholds) {
        for (sql, stats) in self.repeated(thresholds.repeated) {
            metrics::counter!(STATEMENTS_REPEATED, "operation" => operation.to_owned())
                .increment(1);
            tracing::warn!(
                operation,
                db.query.text = sql,
                times = stats.count,
                duration_ms = stats.time.as_millis(),
                "Repeated statement in one operation (N+1)"
            );
        }
    }

    /// Adds these statements to the logs of the current operation and of all operations around it. For statements of another
    /// task, for which the operation has waited.
    pub fn add_to_current(&self) {
        _ = SCOPE.try_with(|scope| {
            let mut next = Some(scope);
            while let Some(scope) = next {
                scope.log().merge(self);
                next = scope.outer.as_ref();
            }
        });
    }

    fn merge(&mut self, other: &Self) {
        for (sql, stats) in &other.stats {
            let sum = self.stats_of(sql, || Arc::clone(sql));
            sum.count += stats.count;
            sum.time += stats.time;
        }
        self.round_trips.extend(&other.round_trips);
    }

    /// The number of executed statements, including `BEGIN` and `COMMIT`.
    pub fn total(&self) -> u32 {
        self.stats.iter().map(|(_, stats)| stats.count).sum()
    }

    /// How often the operation waited for the database: statements that were sent together are one round trip.
    pub fn round_trips(&self) -> usize {
        self.round_trips.len()
    }

    /// The total time of all statements.
    pub fn time(&self) -> Duration {
        self.stats.iter().map(|(_, stats)| stats.time).sum()
    }

    /// The statements that ran at least `times` times: the usual sign of a query in a loop (N+1).
    pub fn repeated(&self, times: u32) -> impl Iterator<Item = (&str, StatementStats)> {
        let is_repeated = move |(_, stats): &(&str, StatementStats)| times <= stats.count;
        self.stats.iter().map(|(sql, stats)| (&**sql, *stats)).filter(is_repeated)
    }

    fn add(&mut self, sql: &str, text: impl Fn() -> Arc<str>, span: StatementSpan) {
        let stats = self.stats_of(sql, text);
        stats.count += 1;
        stats.time += span.elapsed();
        // It waited for all responses that had arrived before it was sent.
        match self.round_trips.iter().position(|end| span.start < *end) {
            None => self.round_trips.push(span.end),
            Some(round) => self.round_trips[round] = self.round_trips[round].min(span.end),
        }
    }

    fn stats_of(&mut self, sql: &str, text: impl FnOnce() -> Arc<str>) -> &mut StatementStats {
        match self.stats.iter().position(|(known, _)| **known == *sql) {
            Some(index) => &mut self.stats[index].1,
            None => &mut self.stats.push_mut((text(), StatementStats::default())).1,
        }
    }
}
