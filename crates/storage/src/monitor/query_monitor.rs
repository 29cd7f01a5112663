//! Times the statements of a connection.

use std::cell::Cell;
use std::collections::VecDeque;
use std::fmt::{Display, Write as _};
use std::sync::Arc;
use std::time::{Duration, Instant};

use diesel::connection::{Instrumentation, InstrumentationEvent};
use diesel_async::AsyncConnection;

use super::metrics::{STATEMENT_DURATION, STATEMENTS_SLOW};
use super::query_log::{self, StatementSpan};
use crate::Connection;

/// Monitors one connection: times every statement, reports slow ones, and adds each statement to the
/// [`QueryLog`](crate::QueryLog) of the current operation.
///
/// [`Database`](crate::Database) installs a monitor on every connection it opens. On your own connections, install it with
/// [`watch`](QueryMonitor::watch). Statements that are sent together are answered in their order.
/// The time ends with the first response and excludes reading a large result.
pub struct QueryMonitor {
    slow: Duration,
    /// When the statements in flight were sent.
    started: VecDeque<Instant>,
}

thread_local! {
    /// Buffer for the text of a statement. The log already has most texts, so it need not allocate a string for each
    /// statement.
    static TEXT: Cell<String> = const { Cell::new(String::new()) };
}

impl QueryMonitor {
    /// A monitor that reports statements that take `slow` or longer.
    pub fn new(slow: Duration) -> Self {
        Self { slow, started: VecDeque::new() }
    }

    /// Installs this monitor on the connection and replaces any other instrumentation.
    pub fn watch(self, conn: &mut Connection) {
        conn.set_instrumentation(self);
    }

    fn finish(&mut self, statement: &impl Display) {
        let end = Instant::now();
        let span = StatementSpan { start: self.started.pop_front().unwrap_or(end), end };
        metrics::histogram!(STATEMENT_DURATION).record(span.elapsed());
        if span.elapsed() < self.slow && !query_log::is_recording() {
            return;
        }
        let mut sql = TEXT.take();
        sql.clear();
        _ = write!(sql, "{statement}");
        report_if_slow(&sql, span, self.slow);
        query_log::add(&sql, || sql.as_str().into(), span);
        TEXT.set(sql);
    }
}

/// Records a statement whose response has arrived: times it, reports it if it took `slow` or longer, and adds it to the
/// [`QueryLog`](crate::QueryLog) of the current operation. For connections with several statements in flight, which
/// Diesel's instrumentation cannot time.
pub(crate) fn record_statement(sql: &Arc<str>, start: Instant, slow: Duration) {
    let span = StatementSpan { start, end: Instant::now() };
    metrics::histogram!(STATEMENT_DURATION).record(span.elapsed());
    report_if_slow(sql, span, slow);
    query_log::add(sql, || Arc::clone(sql), span);
}

fn report_if_slow(sql: &str, span: StatementSpan, slow: Duration) {
    if slow <= span.elapsed() {
        metrics::counter!(STATEMENTS_SLOW).increment(1);
        tracing::warn!(
            db.query.text = sql,
            duration_ms = span.elapsed().as_millis(),
            "Slow statement"
        );
    }
}

impl Instrumentation for QueryMonitor {
    fn on_connection_event(&mut self, event: InstrumentationEvent<'_>) {
        match event {
            // The text of the started query includes the bound values; that of the finished query does not.
            InstrumentationEvent::StartQuery { .. } => self.started.push_back(Instant::now()),
            InstrumentationEvent::FinishQuery { query, .. } => self.finish(&query),
            // The only statement then is the one that ends the transaction. Statements whose future was dropped never finish.
            InstrumentationEvent::CommitTransaction { .. }
            | InstrumentationEvent::RollbackTransaction { .. } => self.started.clear(),
            _ => (),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::monitor::QueryLog;

    #[tokio::test]
    async fn executions_of_the_same_statement_are_counted_together() {
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
    fn a_statement_outside_a_query_log_is_only_timed() {
        QueryMonitor::new(Duration::ZERO).finish(&"SELECT 1");
    }

    #[tokio::test]
    async fn statements_of_cancelled_work_count_in_the_outer_log() {
        let mut monitor = QueryMonitor::new(Duration::from_secs(1));
        let ((), log) = QueryLog::record(async {
            let endless_work = QueryLog::record(async {
                monitor.finish(&"SELECT 1");
                std::future::pending::<()>().await;
            });
            tokio::select! {
                biased;
                _ = endless_work => (),
                () = std::future::ready(()) => (),
            }
        })
        .await;

        assert_eq!(log.total(), 1);
    }
}
