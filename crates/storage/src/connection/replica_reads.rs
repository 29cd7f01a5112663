//! Reads that may run on a replica.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use grateful_domain::UserId;

use super::database::{Database, ReplicaDatabase};
use super::readers::{Reader, unavailable};
use super::reads::ReadFailure;
use super::replica_state::{Lsn, choose, weight};
use crate::Connection;
use crate::error::{Result, StorageError};
use crate::monitor::metrics::{READS, ReadReason};

/// The position in the log up to which a server must have replayed it to show everything that a user has written. It is not
/// known after the table of marks was lost; then only the primary shows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReadMark(Option<Lsn>);

impl ReadMark {
    /// Nothing that the user has written is later than this.
    pub(crate) fn at(lsn: Lsn) -> Self {
        Self(Some(lsn))
    }

    /// What the user has written is not known.
    pub(crate) fn unknown() -> Self {
        Self(None)
    }

    /// Whether the table of marks was lost: [`Marks::begin`](crate::Marks::begin) makes it usable again.
    pub fn is_unknown(self) -> bool {
        self.0.is_none()
    }
}

/// Which replicas may serve the reads of one caller, and how far those that did had replayed the log.
///
/// Reads of one scope may run at once.
#[derive(Debug)]
pub struct ReadScope {
    /// Decides among several replicas.
    reader: u64,
    required: ReadMark,
    /// The least position of a server that has served a read, in bytes.
    least: AtomicI64,
}

impl ReadScope {
    /// For a caller that has written nothing: any replica that is usable.
    pub fn for_guest() -> Self {
        static GUESTS: AtomicU64 = AtomicU64::new(0);
        Self::new(GUESTS.fetch_add(1, Ordering::Relaxed), ReadMark::at(Lsn::ZERO))
    }

    /// For a user with this mark, which must be as new as the request.
    pub fn for_user(user: UserId, mark: ReadMark) -> Self {
        Self::new(i64::from(user).unsigned_abs(), mark)
    }

    /// For a user whose mark is being looked up. [`is_valid_for`](Self::is_valid_for) must accept it before anything that was
    /// read is used.
    pub fn before_look_up(user: UserId) -> Self {
        Self::for_user(user, ReadMark::at(Lsn::ZERO))
    }

    fn new(reader: u64, required: ReadMark) -> Self {
        Self { reader, required, least: AtomicI64::new(i64::MAX) }
    }

    /// Whether all reads so far have seen everything before this mark.
    pub fn is_valid_for(&self, mark: ReadMark) -> bool {
        let least = self.least.load(Ordering::Relaxed);
        least == i64::MAX || mark.0.is_some_and(|mark| mark.bytes() <= least)
    }

    /// Notes that a server has served a read which had replayed at least this much.
    fn note(&self, replayed: Lsn) {
        self.least.fetch_min(replayed.bytes(), Ordering::Relaxed);
    }
}

/// How often a read on a connection of its own checks whether its replica is still usable.
const CHECK_INTERVAL: Duration = Duration::from_millis(10);

impl Database {
    /// As [`read`](Self::read), on a replica if one may serve the `scope`, and otherwise on the primary. If a statement fails
    /// there, for example because it conflicts with what is being replayed, `work` runs once more on the primary.
    ///
    /// All statements of `work` run on the same server.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub async fn read_within<T, E, F>(&self, scope: &ReadScope, work: F) -> Result<T, E>
    where
        E: From<StorageError>,
        F: AsyncFnOnce(Reader) -> Result<T, E> + Clone,
    {
        if self.has_replicas() {
            // In a box, since the future has another read in it.
            if let Some(result) = Box::pin(self.read_on_replica(scope, work.clone())).await {
                return result;
            }
        }
        self.read(work).await
    }

    /// Runs a read on a replica. `None` if it must run on the primary.
    async fn read_on_replica<T, E, F>(&self, scope: &ReadScope, work: F) -> Option<Result<T, E>>
    where
        E: From<StorageError>,
        F: AsyncFnOnce(Reader) -> Result<T, E> + Clone,
    {
        let (replica, replayed) = match self.choose_replica(scope) {
            Ok(chosen) => chosen,
            Err(reason) => {
                count_on_primary(reason);
                return None;
            }
        };
        let result = match replica.db.try_read(work).await {
            Ok(value) => Ok(value),
            Err(ReadFailure::Work(error)) => Err(error),
            Err(ReadFailure::Database(_)) => {
                count_on_primary(ReadReason::Conflict);
                return None;
            }
        };
        replica.served(scope, replayed);
        Some(result)
    }

    /// As [`read_within`](Self::read_within), on a connection for this read alone: for statements whose cost has no small bound.
    ///
    /// # Errors
    /// The error of `work`, and [`StorageError::Unavailable`] if the database cannot be reached.
    pub async fn read_alone_within<T, F>(&self, scope: &ReadScope, work: F) -> Result<T>
    where
        F: AsyncFnOnce(&mut Connection) -> Result<T> + Clone,
    {
        if self.has_replicas() {
            let reason = match self.choose_replica(scope) {
                Ok((replica, replayed)) => match replica.read_alone(work.clone()).await {
                    Ok(value) => {
                        replica.served(scope, replayed);
                        return Ok(value);
                    }
                    Err(error) => {
                        tracing::debug!(%error, "A read runs once more on the primary");
                        ReadReason::Conflict
                    }
                },
                Err(reason) => reason,
            };
            count_on_primary(reason);
        }
        work(&mut *self.acquire().await?).await
    }

    /// The replica for the reads of a caller, and how far it has replayed the log.
    fn choose_replica(&self, scope: &ReadScope) -> Result<(&ReplicaDatabase, Lsn), ReadReason> {
        let required = scope.required.0.ok_or(ReadReason::Mark)?;
        let views: Vec<_> = self.replicas().iter().map(|replica| replica.state.view()).collect();
        let weights =
            self.replicas().iter().map(|replica| weight(scope.reader, replica.state.hash));
        let index = choose(weights.zip(views.iter().copied()), required)?;
        let (replica, view) =
            self.replicas().get(index).zip(views.get(index)).ok_or(ReadReason::Unhealthy)?;
        Ok((replica, view.replayed))
    }
}

impl ReplicaDatabase {
    async fn read_alone<T>(
        &self,
        work: impl AsyncFnOnce(&mut Connection) -> Result<T>,
    ) -> Result<T> {
        let given_up = async {
            while !self.db.is_given_up() {
                tokio::time::sleep(CHECK_INTERVAL).await;
            }
        };
        tokio::select! {
            biased;
            result = async { work(&mut *self.db.acquire().await?).await } => result,
            () = given_up => Err(unavailable("the replica is not usable any more")),
        }
    }

    fn served(&self, scope: &ReadScope, replayed: Lsn) {
        scope.note(replayed);
        let name = Arc::clone(&self.state.name);
        metrics::counter!(READS, "server" => name, "why" => ReadReason::Replayed.code())
            .increment(1);
    }
}

fn count_on_primary(reason: ReadReason) {
    metrics::counter!(READS, "server" => "primary", "why" => reason.code()).increment(1);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mark(bytes: i64) -> ReadMark {
        ReadMark::at(Lsn::from_bytes(bytes))
    }

    #[test]
    fn what_a_replica_showed_is_valid_only_for_marks_that_it_had_replayed() {
        let scope = ReadScope::before_look_up(UserId::from(7));
        assert!(
            scope.is_valid_for(mark(9)) && scope.is_valid_for(ReadMark::unknown()),
            "nothing was read"
        );

        scope.note(Lsn::from_bytes(5));
        scope.note(Lsn::from_bytes(8));

        assert!(scope.is_valid_for(mark(5)));
        assert!(!scope.is_valid_for(mark(6)), "one of two reads may have missed it");
        assert!(!scope.is_valid_for(ReadMark::unknown()));
    }
}
