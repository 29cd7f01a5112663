//! The PostgreSQL to use: the configured one, or a private one.

use anyhow::Context as _;
use grateful_local_postgres::Cluster;
use grateful_storage::DatabaseConfig;

use crate::config::Settings;

/// The name of the database in a private cluster.
const DATABASE_NAME: &str = "grateful";

/// A PostgreSQL database. A private one runs as long as this value exists.
pub(crate) struct Postgres {
    pub(crate) config: DatabaseConfig,
    private: Option<Cluster>,
}

impl Postgres {
    /// The configured database, or the private one in the data directory, which is created and started if necessary.
    ///
    /// # Errors
    /// There is no PostgreSQL installation on this machine, or it does not start.
    pub(crate) fn open(settings: &Settings) -> anyhow::Result<Self> {
        let private = match settings.database_url {
            Some(_) => None,
            None => Some(open_private_cluster(settings)?),
        };
        let configured = settings.database_url.clone();
        let url = configured.or_else(|| private.as_ref().map(|cluster| cluster.url(DATABASE_NAME)));
        let config = DatabaseConfig::new(url.unwrap_or_default())
            .with_max_connections(settings.connections_per_worker)
            .with_statement_timeout(settings.statement_timeout)
            .with_thresholds(settings.observability.thresholds);
        Ok(Self { config, private })
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

fn open_private_cluster(settings: &Settings) -> anyhow::Result<Cluster> {
    tracing::info!(directory = %settings.data_dir.display(), "Opening the private PostgreSQL");
    Cluster::open(&settings.data_dir, DATABASE_NAME)
        .context("DATABASE_URL is not set, and the private PostgreSQL cannot be opened")
}
