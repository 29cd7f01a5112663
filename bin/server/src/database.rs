//! Which PostgreSQL there is: one that was named, or a private one.

use anyhow::Context as _;
use grateful_local_postgres::Cluster;
use grateful_storage::DatabaseConfig;

use crate::config::Settings;

/// The name of the database in a private cluster.
const DATABASE_NAME: &str = "grateful";

/// A PostgreSQL, kept running as long as this is.
pub(crate) struct Postgres {
    pub(crate) config: DatabaseConfig,
    private: Option<Cluster>,
}

impl Postgres {
    /// The one that was named, or the private one in the data folder, made and started where need be.
    ///
    /// # Errors
    /// There are no PostgreSQL programs on this machine, or they do not start.
    pub(crate) fn open(settings: &Settings) -> anyhow::Result<Self> {
        let private = match settings.database_url {
            Some(_) => None,
            None => Some(open_private_cluster(settings)?),
        };
        let named = settings.database_url.clone();
        let url = named.or_else(|| private.as_ref().map(|cluster| cluster.url(DATABASE_NAME)));
        let config = DatabaseConfig::new(url.unwrap_or_default())
            .with_max_connections(settings.connections_per_worker)
            .with_statement_timeout(settings.statement_timeout)
            .with_thresholds(settings.observability.thresholds);
        Ok(Self { config, private })
    }

    /// Stops the private one, where nobody else uses it.
    ///
    /// # Errors
    /// It does not stop.
    pub(crate) fn close(self) -> anyhow::Result<()> {
        let Some(cluster) = self.private else { return Ok(()) };
        cluster.close().context("the private PostgreSQL did not stop")
    }
}

fn open_private_cluster(settings: &Settings) -> anyhow::Result<Cluster> {
    tracing::info!(folder = %settings.data_dir.display(), "Opening the private PostgreSQL");
    Cluster::open(&settings.data_dir, DATABASE_NAME)
        .context("no DATABASE_URL is set, and the private PostgreSQL cannot be opened")
}
