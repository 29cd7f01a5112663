//! Opens and checks the connections of a pool.

use std::time::Duration;

use deadpool::managed::{self, Metrics, RecycleError, RecycleResult};

use super::config::DatabaseConfig;
use super::connecting::{Connector, Link, Opened};
use crate::Connection;
use crate::error::{Result, StorageError};
use crate::monitor::QueryMonitor;

/// The manager of a [`Database`](crate::Database)'s pool.
pub(super) struct Manager {
    connector: Connector,
    slow: Duration,
}

/// A connection in a pool.
pub(super) struct ManagedConnection {
    /// Declared before the link: fields drop in order, and a client that is dropped first says that it ends the session.
    pub(super) conn: Connection,
    pub(super) link: Link,
}

impl Manager {
    pub(super) fn new(config: &DatabaseConfig, connector: Connector) -> Self {
        Self { connector, slow: config.thresholds.slow }
    }

    async fn open(&self) -> Result<ManagedConnection> {
        let Opened { client, link } = self.connector.open().await?;
        let mut conn = Connection::try_from(client).await?;
        QueryMonitor::new(self.slow).watch(&mut conn);
        Ok(ManagedConnection { conn, link })
    }
}

impl managed::Manager for Manager {
    type Type = ManagedConnection;
    type Error = StorageError;

    async fn create(&self) -> Result<ManagedConnection> {
        // In a box, so that the future of each checkout has no room for it.
        Box::pin(self.open()).await
    }

    /// Closes a connection that is lost, or whose server has said that it is of no use. Asks the server nothing, since that
    /// would cost a round trip for each request.
    async fn recycle(
        &self,
        used: &mut ManagedConnection,
        _: &Metrics,
    ) -> RecycleResult<StorageError> {
        if !used.link.is_usable(true) {
            return Err(RecycleError::message("the connection is of no use"));
        }
        Ok(())
    }
}
