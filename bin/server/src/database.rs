//! The PostgreSQL to use: the configured one, or a private one.

use std::path::Path;

use anyhow::Context as _;
use grateful_local_postgres::Cluster;
use grateful_storage::DatabaseConfig;

use crate::config::Settings;
use crate::connection_budget::ConnectionBudget;

/// The name of the database in a private cluster.
const DATABASE_NAME: &str = "grateful";

/// The oldest major version of PostgreSQL that the server works with.
pub(crate) const MIN_MAJOR_VERSION: i32 = 14;

/// Whether the directory has a private PostgreSQL, or says where it is.
pub(crate) fn has_private_cluster(data_dir: &Path) -> bool {
    ["cluster", "where"].iter().any(|name| data_dir.join(name).exists())
}

/// A PostgreSQL database. A private one runs as long as this value exists.
pub(crate) struct Postgres {
    pub(crate) config: DatabaseConfig,
    /// The sizes of this process's pools.
    pub(crate) connections: ConnectionBudget,
    private: Option<Cluster>,
}

impl Postgres {
    /// The configured database, or the private one in the data directory, which is created and started if necessary.
    ///
    /// # Errors
    /// There is no PostgreSQL installation on this machine, or it does not start.
    pub(crate) fn open(settings: &Settings) -> anyhow::Result<Self> {
        let configured = ConnectionBudget {
            workers: settings.workers,
            per_worker: settings.connections_per_worker,
            readers_per_worker: settings.readers_per_worker,
        };
        let (connections, private) = if settings.database_url.is_some() {
            (configured, None)
        } else {
            let connections = configured.for_private_postgres();
            (connections, Some(open_private_cluster(settings, connections)?))
        };
        let configured = settings.database_url.clone();
        let url = configured.or_else(|| private.as_ref().map(|cluster| cluster.url(DATABASE_NAME)));
        let config = DatabaseConfig::new(url.unwrap_or_default())
            .with_max_connections(connections.per_worker)
            .with_readers(connections.readers_per_worker)
            .with_statement_timeout(settings.statement_timeout)
            .with_thresholds(settings.thresholds());
        Ok(Self { config, connections, private })
    }

    /// Stops the private PostgreSQL if no other process uses it.
    ///
    /// # Errors
    /// The private PostgreSQL does not stop.
    pub(crate) fn close(self) -> anyhow::Result<()> {
        let Some(cluster) = self.private else { return Ok(()) };
        cluster.close().context("the private PostgreSQL did not stop")
    }
}

/// Fails with a message that begins with the alternative, and ends with what is missing here.
fn open_private_cluster(
    settings: &Settings,
    connections: ConnectionBudget,
) -> anyhow::Result<Cluster> {
    tracing::info!(directory = %settings.data_dir.display(), "Opening the private PostgreSQL");
    let connections = connections.server_connections();
    Cluster::open_for_connections(&settings.data_dir, DATABASE_NAME, connections)
        .context("DATABASE_URL is not set, and the private PostgreSQL cannot be opened")
}
