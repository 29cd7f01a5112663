//! The replicas of a database: their addresses, and the task that watches them.

mod watcher;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use self::watcher::Watcher;
use super::config::DatabaseConfig;
use super::connecting::{InvalidUrl, server_name};
use super::replica_state::ReplicaState;

/// The replicas of a database that serve reads, for all pools of a process. Clones share what is known about them.
///
/// A read that may run on a replica does so only while [`watch`](Self::watch) runs and has found the replica usable: it
/// answers, is a replica, and shows a state of the primary that is not older than the staleness bound. Otherwise the read runs
/// on the primary.
///
/// ```no_run
/// use std::time::Duration;
///
/// use grateful_domain::Viewer;
/// use grateful_storage::{Database, DatabaseConfig, ReadScope, Repositories, Replicas};
///
/// # async fn example(user: grateful_domain::UserId, post: grateful_domain::PostId) -> Result<(), Box<dyn std::error::Error>> {
/// let replicas = Replicas::new(["postgresql://replica.example/grateful"], Duration::from_millis(500))?;
/// let config = DatabaseConfig::new("postgresql://primary.example/grateful");
/// let db = Database::connect_with_replicas(&config, &replicas);
/// tokio::spawn(replicas.watch(config));
///
/// // A write is marked before it is acknowledged …
/// db.acquire().await?.marks().put(user).await?;
/// // … so that a later read of the user runs on a replica only if the write is there.
/// let mark = db.read(async |mut conn| conn.marks().find(user).await).await?;
/// let scope = ReadScope::for_user(user, mark);
/// let found = db.read_within(&scope, async |mut conn| conn.posts().find(Viewer::User(user), post).await).await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Replicas {
    addresses: Arc<[ReplicaAddress]>,
    max_staleness: Duration,
    /// The start of the moments in what is known about the replicas.
    started: Instant,
}

/// A replica.
#[derive(Clone)]
pub(super) struct ReplicaAddress {
    pub(super) url: String,
    pub(super) state: Arc<ReplicaState>,
}

impl Replicas {
    /// Replicas at these URLs, each with one host, that serve reads while they show a state of the primary that is at most
    /// `max_staleness` old. They are polled every 100 ms, so a bound of less than 200 ms is of little use.
    ///
    /// Each URL must lead to the same server at all times, not to one of several, as that of a load balancer would.
    ///
    /// # Errors
    /// A URL cannot be parsed, or has several hosts.
    pub fn new<U: Into<String>>(
        urls: impl IntoIterator<Item = U>,
        max_staleness: Duration,
    ) -> Result<Self, InvalidUrl> {
        let started = Instant::now();
        let address = |url: U| {
            let url = url.into();
            let state = ReplicaState::new(&server_name(&url)?, started);
            Ok(ReplicaAddress { url, state })
        };
        let addresses = urls.into_iter().map(address).collect::<Result<_, InvalidUrl>>()?;
        Ok(Self { addresses, max_staleness, started })
    }

    /// No replicas: all reads run on the primary.
    pub fn none() -> Self {
        Self { addresses: Arc::default(), max_staleness: Duration::ZERO, started: Instant::now() }
    }

    /// The host and port of each replica, as the metrics name it.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.addresses.iter().map(|replica| &*replica.state.name)
    }

    pub(super) fn addresses(&self) -> &[ReplicaAddress] {
        &self.addresses
    }

    /// Polls the primary and the replicas until the future is dropped. Needs one connection to each of them, which belongs to
    /// no pool. Run this once in a process. Ends at once if there are no replicas.
    pub async fn watch(self, primary: DatabaseConfig) {
        if !self.addresses.is_empty() {
            Watcher::new(&self, &primary).run().await;
        }
    }
}

/// Without the URLs, which may contain passwords.
impl fmt::Debug for Replicas {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.names()).finish()
    }
}
