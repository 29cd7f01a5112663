//! Where the reads of a request run: on a replica, if that shows the caller everything they have written.

use std::sync::Arc;

use futures_util::future::Either;
use grateful_domain::UserId;
use grateful_storage::{Connection, ReadMark, ReadScope, Reader, StorageError};

use crate::{App, Result};

tokio::task_local! {
    static SCOPE: Arc<ReadScope>;
}

/// Which replicas may serve the reads of a signed-in caller.
#[derive(Debug, Clone, Copy)]
pub struct CallerMark {
    user: UserId,
    mark: ReadMark,
}

impl CallerMark {
    pub(crate) fn new(user: UserId, mark: ReadMark) -> Self {
        Self { user, mark }
    }

    /// Whether reads of this scope have seen everything that the caller has written.
    pub(crate) fn accepts(self, scope: &ReadScope) -> bool {
        scope.is_valid_for(self.mark)
    }
}

/// Runs reads for a signed-in caller, those that allow it on a replica. Without a mark, they run on the primary.
pub fn read_as<T>(
    mark: Option<CallerMark>,
    reads: impl Future<Output = T>,
) -> impl Future<Output = T> {
    match mark {
        Some(CallerMark { user, mark }) => {
            Either::Left(read_in(Arc::new(ReadScope::for_user(user, mark)), reads))
        }
        None => Either::Right(reads),
    }
}

/// Runs reads for a guest, those that allow it on a replica.
pub fn read_as_guest<T>(app: &App, reads: impl Future<Output = T>) -> impl Future<Output = T> {
    if app.db.has_replicas() {
        Either::Left(read_in(Arc::new(ReadScope::for_guest()), reads))
    } else {
        Either::Right(reads)
    }
}

/// Runs reads in this scope.
pub(crate) fn read_in<T>(
    scope: Arc<ReadScope>,
    reads: impl Future<Output = T>,
) -> impl Future<Output = T> {
    // In a box, so that a future without replicas has no room for it.
    SCOPE.scope(scope, Box::pin(reads))
}

fn scope() -> Option<Arc<ReadScope>> {
    SCOPE.try_with(Arc::clone).ok()
}

/// Reads that may miss what other users have written within the staleness bound. All other reads, those of `app.db`, run on
/// the primary, and so do these outside of [`read_as`] and [`read_as_guest`].
impl App {
    /// As `Database::read`, on a replica if the scope allows it.
    pub(crate) async fn read_replica<T, E, F>(&self, work: F) -> Result<T, E>
    where
        E: From<StorageError>,
        F: AsyncFnOnce(Reader) -> Result<T, E> + Clone,
    {
        match scope() {
            Some(scope) => Box::pin(self.db.read_within(&scope, work)).await,
            None => self.db.read(work).await,
        }
    }

    /// As [`read_replica`](Self::read_replica), on a connection for this read alone.
    pub(crate) async fn read_replica_alone<T, F>(&self, work: F) -> Result<T>
    where
        F: AsyncFnOnce(&mut Connection) -> grateful_storage::Result<T> + Clone,
    {
        Ok(match scope() {
            Some(scope) => Box::pin(self.db.read_alone_within(&scope, work)).await?,
            None => work(&mut *self.db.acquire().await?).await?,
        })
    }
}
