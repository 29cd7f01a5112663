//! Watching statements: which a piece of work runs, how often and for how long.

use std::cell::Cell;
use std::fmt::{Display, Write as _};
use std::time::{Duration, Instant};

use diesel::connection::{Instrumentation, InstrumentationEvent};
use diesel_async::AsyncConnection;

use super::metrics::{STATEMENT_DURATION, STATEMENTS_SLOW};
use super::query_log;
use crate::Connection;

/// Watches one connection: times every statement, reports slow ones, and adds each to the [`QueryLog`] of the work
/// it is done for.
///
/// [`Database`](crate::Database) installs one on every connection it opens; on one of your own,
/// [`watch`](QueryMonitor::watch) does. It measures one statement at a time, which holds as long as the connection is borrowed
/// mutably. The time ends when the first answer arrives, so reading a large result is not in it.
pub struct QueryMonitor {
    slow: Duration,
    started: Option<Instant>,
}

thread_local! {
    /// Where the text of a statement is written, most of which are known already: each would be an allocation otherwise.
    static TEXT: Cell<String> = const { Cell::new(String::new()) };
}

impl QueryMonitor {
    /// A monitor that reports statements taking `slow` or longer.
    pub fn new(slow: Duration) -> Self {
        Self { slow, started: None }
    }

    /// Watches this connection from now on, in place of whatever did before.
    pub fn watch(self, conn: &mut Connection) {
        conn.set_instrumentation(self);
    }

    fn finish(&mut self, statement: &impl Display) {
        let elapsed = self.started.take().map_or(Duration::ZERO, |start| start.elapsed());
        metrics::histogram!(STATEMENT_DURATION).record(elapsed);
        let is_slow = self.slow <= elapsed;
        if !is_slow && !query_log::is_kept() {
            return;
        }
        let mut sql = TEXT.take();
        sql.clear();
        _ = write!(sql, "{statement}");
        if is_slow {
            metrics::counter!(STATEMENTS_SLOW).increment(1);
            tracing::warn!(
                db.query.text = sql,
                duration_ms = elapsed.as_millis(),
                "Slow statement"
            );
        }
        query_log::add(&sql, elapsed);
        TEXT.set(sql);
    }
}

impl Instrumentation for QueryMonitor {
    fn on_connection_event(&mut self, event: InstrumentationEvent<'_>) {
        match event {
            // Its text would include the bound values; the finished query's does not.
            InstrumentationEvent::StartQuery { .. } => self.started = Some(Instant::now()),
            InstrumentationEvent::FinishQuery { query, .. } => self.finish(&query),
            _ => (),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::QueryLog;

    #[tokio::test]
    async fn repeated_statements_are_counted_together() {
        let mut monitor = QueryMonitor::new(Duration::from_secs(1));
        let ((), log) = QueryLog::record(async {
            for sql in ["SELECT 1", "SELECT $1", "SELECT $1"] {
                monitor.finish(&sql);
            }
        })
        .await;

        assert_eq!(log.total(), 3);
        assert_eq!(log.repeated(2).map(|(sql, _)| sql).collect::<Vec<_>>(), ["SELECT $1"]);
    }

    #[test]
    fn outside_any_scope_a_statement_is_merely_timed() {
        QueryMonitor::new(Duration::ZERO).finish(&"SELECT 1");
    }

    #[tokio::test]
    async fn what_is_cut_short_has_counted_in_the_work_around_it() {
        let mut monitor = QueryMonitor::new(Duration::from_secs(1));
        let ((), log) = QueryLog::record(async {
            let endless = QueryLog::record(async {
                monitor.finish(&"SELECT 1");
                std::future::pending::<()>().await;
            });
            tokio::select! {
                biased;
                _ = endless => (),
                () = std::future::ready(()) => (),
            }
        })
        .await;

        assert_eq!(log.total(), 1);
    }
}
