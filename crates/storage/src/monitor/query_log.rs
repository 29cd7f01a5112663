//! The statements of one piece of work.

use std::collections::HashMap;
use std::mem;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::metrics::STATEMENTS_REPEATED;
use super::thresholds::Thresholds;

tokio::task_local! {
    static SCOPE: Arc<Scope>;
}

/// Where the statements of a piece of work are kept while it goes on, and those of the work around it.
struct Scope {
    log: Mutex<QueryLog>,
    around: Option<Arc<Scope>>,
}

impl Scope {
    fn log(&self) -> MutexGuard<'_, QueryLog> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether anybody keeps what runs here.
pub(super) fn is_kept() -> bool {
    SCOPE.try_with(|_| ()).is_ok()
}

/// Adds a statement to the work it ran for, and to all work around that.
pub(super) fn add(sql: &str, elapsed: Duration) {
    // Outside any scope, such as in a background job, nobody is counting.
    _ = SCOPE.try_with(|scope| {
        let mut scope = Some(scope);
        while let Some(one) = scope {
            one.log().add(sql, elapsed);
            scope = one.around.as_ref();
        }
    });
}

/// How often one statement ran, and for how long in all.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct StatementStats {
    /// How many times.
    pub count: u32,
    /// The sum of all times.
    pub time: Duration,
}

/// The statements that one piece of work ran. The text of a statement has `$1` where values were, so that it is its
/// own fingerprint and holds nothing that belongs to anybody.
///
/// ```
/// use grateful_storage::{QueryLog, Thresholds};
///
/// # async fn send_digests() {}
/// # async fn example() {
/// // Reports statements that ran in a loop, whatever the work is and whoever opened its connections.
/// QueryLog::watch("digests", &Thresholds::default(), send_digests()).await;
///
/// // Or counts them yourself.
/// let ((), log) = QueryLog::record(send_digests()).await;
/// println!("{} statements in {:?}", log.total(), log.time());
/// # }
/// ```
#[derive(Debug, Clone, Default)]
pub struct QueryLog {
    stats: HashMap<Box<str>, StatementStats>,
}

impl QueryLog {
    /// Runs `work`, and returns its output with the statements it ran.
    ///
    /// They count in the work around it as well, even where `work` is cut short. What `work` spawns as a task of its own is
    /// not counted.
    pub async fn record<T>(work: impl Future<Output = T>) -> (T, Self) {
        let around = SCOPE.try_with(Arc::clone).ok();
        let scope = Arc::new(Scope { log: Mutex::default(), around });
        let output = SCOPE.scope(Arc::clone(&scope), work).await;
        let log = mem::take(&mut *scope.log());
        (output, log)
    }

    /// Runs `work`, and [reports](Self::report) which statements it ran too often.
    pub async fn watch<T>(name: &str, thresholds: &Thresholds, work: impl Future<Output = T>) -> T {
        let (output, log) = Self::record(work).await;
        log.report(name, thresholds);
        output
    }

    /// Warns of each statement that ran so often that a loop is likely (N+1), and counts it in the metrics under `work`: one
    /// of a few names that the program has for what it does, such as the pattern of a route, never anything of anybody.
    pub fn report(&self, work: &str, thresholds: &Thresholds) {
        for (sql, stats) in self.repeated(thresholds.repeated) {
            metrics::counter!(STATEMENTS_REPEATED, "work" => work.to_owned()).increment(1);
            tracing::warn!(
                work,
                db.query.text = sql,
                times = stats.count,
                duration_ms = stats.time.as_millis(),
                "The same statement again and again in one piece of work (N+1)"
            );
        }
    }

    /// How many statements there were, `BEGIN` and `COMMIT` included.
    pub fn total(&self) -> u32 {
        self.stats.values().map(|stats| stats.count).sum()
    }

    /// How long PostgreSQL took for all of them.
    pub fn time(&self) -> Duration {
        self.stats.values().map(|stats| stats.time).sum()
    }

    /// Statements that ran at least `times`: the usual sign of a query inside a loop (N+1).
    pub fn repeated(&self, times: u32) -> impl Iterator<Item = (&str, StatementStats)> {
        let often = move |(_, stats): &(&str, StatementStats)| times <= stats.count;
        self.stats.iter().map(|(sql, stats)| (&**sql, *stats)).filter(often)
    }

    fn add(&mut self, sql: &str, elapsed: Duration) {
        let stats = match self.stats.get_mut(sql) {
            Some(known) => known,
            None => self.stats.entry(sql.into()).or_default(),
        };
        stats.count += 1;
        stats.time += elapsed;
    }
}
