//! One shared connection.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use diesel::QueryResult;
use futures_util::TryStreamExt;
use tokio_postgres::Client;

use super::driver_error::into_diesel;
use super::request::Request;
use super::row::ReadRow;
use super::session_queue::SessionQueue;
use super::statement_cache::StatementCache;
use crate::connection::config::DatabaseConfig;
use crate::connection::connecting::{Connector, Link, Opened};
use crate::error::Result;
use crate::monitor::record_statement;

/// How to open a session.
pub(super) struct SessionConfig {
    connector: Connector,
    answer_timeout: Duration,
    slow: Duration,
}

/// How much longer than PostgreSQL, which cancels a statement that takes too long, this side waits for an answer.
const GRACE: Duration = Duration::from_millis(500);

impl SessionConfig {
    pub(super) fn new(config: &DatabaseConfig, connector: Connector) -> Self {
        Self {
            connector,
            answer_timeout: config.statement_timeout.saturating_add(GRACE),
            slow: config.thresholds.slow,
        }
    }
}

/// A connection on which statements of several requests are in flight at once.
pub(in crate::connection) struct Session {
    client: Client,
    link: Link,
    is_retired: AtomicBool,
    pub(super) statements: StatementCache,
    pub(super) queue: SessionQueue,
    /// The time without an answer after which the connection counts as lost.
    pub(super) answer_timeout: Duration,
    slow: Duration,
}

impl Session {
    pub(super) async fn open(config: &SessionConfig) -> Result<Self> {
        let Opened { client, link } = config.connector.open().await?;
        Ok(Self {
            client,
            link,
            is_retired: AtomicBool::new(false),
            statements: StatementCache::default(),
            queue: SessionQueue::new(),
            answer_timeout: config.answer_timeout,
            slow: config.slow,
        })
    }

    pub(super) fn is_lost(&self) -> bool {
        let is_idle = || self.queue.depth() == 0;
        self.is_retired.load(Ordering::Relaxed)
            || self.client.is_closed()
            || !self.link.is_usable(is_idle())
    }

    /// Closes the connection. Its statements in flight fail. Returns whether this is the first call.
    pub(in crate::connection) fn retire(&self) -> bool {
        let is_first = !self.is_retired.swap(true, Ordering::Relaxed);
        let silent_for = self.queue.since_last_answer();
        if is_first && self.answer_timeout <= silent_for {
            self.link.fell_silent(silent_for);
        }
        self.link.sever();
        is_first
    }

    /// Sends a statement, and waits for its rows. `on_send` gets its number in the queue.
    pub(super) async fn fetch(
        &self,
        request: Request,
        on_send: impl Fn(u64),
    ) -> QueryResult<Vec<ReadRow>> {
        let start = Instant::now();
        let statement = &request.statement;
        let prepared = if let Some(prepared) = statement.prepared() {
            prepared
        } else {
            let sent = self.queue.send();
            on_send(sent.number);
            let prepared = statement.prepare(&self.client, &request.types).await;
            sent.finish();
            on_send(0);
            prepared.map_err(|error| into_diesel(&error))?
        };
        let sent = self.queue.send();
        on_send(sent.number);
        let rows = async {
            let rows = self.client.query_raw(&prepared.statement, request.values).await?;
            let rows = rows.map_ok(|row| ReadRow::shared(row, prepared));
            rows.try_collect().await
        };
        let rows: Result<Vec<ReadRow>, _> = rows.await;
        sent.finish();
        record_statement(statement.sql(), start, self.slow);
        rows.map_err(|error| into_diesel(&error))
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        self.link.sever();
    }
}
