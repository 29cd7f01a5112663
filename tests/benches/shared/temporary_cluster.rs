//! A durable PostgreSQL, like a server's private one, in a temporary directory.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;

use grateful_local_postgres::Cluster;
use tempfile::TempDir;

const DATABASE: &str = "bench";

/// A PostgreSQL that writes commits to disk. Dropping it stops PostgreSQL and deletes its files.
pub(crate) struct TemporaryCluster {
    /// `None` only while it is dropped.
    cluster: Option<Cluster>,
    _directory: TempDir,
}

impl TemporaryCluster {
    /// Starts it, with an empty database.
    pub(crate) fn start() -> Self {
        let mut builder = tempfile::Builder::new();
        // When root runs the bench, PostgreSQL runs as another user, which needs access to this directory.
        builder.prefix("grateful-bench-").permissions(Permissions::from_mode(0o755));
        let directory = builder.tempdir().expect("a directory");
        let cluster = Cluster::open(directory.path(), DATABASE).expect("a PostgreSQL");
        Self { cluster: Some(cluster), _directory: directory }
    }

    /// The connection URL of the database.
    pub(crate) fn url(&self) -> String {
        self.cluster.as_ref().expect("a running cluster").url(DATABASE)
    }
}

impl Drop for TemporaryCluster {
    fn drop(&mut self) {
        if let Some(Err(error)) = self.cluster.take().map(Cluster::close) {
            eprintln!("PostgreSQL did not stop: {error}");
        }
    }
}

/// The URL with these settings of PostgreSQL for all of its connections.
pub(crate) fn with_settings(url: &str, settings: &[&str]) -> String {
    let options = settings.iter().map(|setting| format!("-c%20{}", setting.replace('=', "%3D")));
    format!("{url}?options={}", options.collect::<Vec<_>>().join("%20"))
}
