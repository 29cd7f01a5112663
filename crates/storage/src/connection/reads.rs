//! Running a read: choosing its connection, and moving it to another one.

use std::pin::pin;
use std::sync::Arc;

use super::compiled_once;
use super::database::Database;
use super::readers::{Attempt, Reader, Session, unavailable};
use crate::error::{Result, StorageError};
use crate::monitor::metrics::{READ_CONNECTIONS_DISCARDED, READS_REPEATED, RepeatReason};

/// Why a read failed.
pub(super) enum ReadFailure<E> {
    /// The work has refused, by what it has read.
    Work(E),
    /// The database could not be reached, or a statement failed.
    Database(E),
}

/// Why a read runs once more.
enum Interruption {
    /// A slow statement of another read holds it up, and it can run here instead.
    HeldUp(Attempt),
    /// Its connection was lost.
    Lost,
}

impl Database {
    /// Runs `work`, which only reads, on a connection that it shares with other reads. Their statements are sent without
    /// waiting for each other's results, which costs a fraction of the work of a connection for each of them.
    ///
    /// Suits statements that are known to be cheap, since PostgreSQL executes the statements of a connection one after the
    /// other. A read that waits for a slow statement of another one moves to another connection, in the end to one of the
    /// pool. A read whose connection was lost runs once more. So `work` may run several times, and must have no effects.
    ///
    /// The statements of `work` are no transaction: each sees what was committed before it. Statements that do not depend on
    /// each other can be sent together, on clones of the [`Reader`].
    ///
    /// # Errors
    /// The error of `work`, and [`StorageError::Unavailable`] if the database cannot be reached, or if
    /// [`max_reads`](crate::DatabaseConfig::max_reads) are under way and none of them ends in time.
    pub async fn read<T, E, F>(&self, work: F) -> Result<T, E>
    where
        E: From<StorageError>,
        F: AsyncFnOnce(Reader) -> Result<T, E> + Clone,
    {
        let result = self.try_read(work).await;
        result.map_err(|(ReadFailure::Work(error) | ReadFailure::Database(error))| error)
    }

    /// As [`read`](Self::read), but does not run once more on a replica that has lost a connection.
    pub(super) async fn try_read<T, E, F>(&self, work: F) -> Result<T, ReadFailure<E>>
    where
        E: From<StorageError>,
        F: AsyncFnOnce(Reader) -> Result<T, E> + Clone,
    {
        let failed = |error: StorageError| ReadFailure::Database(error.into());
        let _permit = compiled_once(pin!(self.readers().admit())).await.map_err(failed)?;
        let mut attempt = compiled_once(pin!(self.attempt(None))).await.map_err(failed)?;
        let (mut has_moved, mut has_lost) = (false, self.is_replica());
        loop {
            let interruption = {
                let interruption = pin!(self.interruption(&attempt, has_moved));
                tokio::select! {
                    biased;
                    result = work.clone()(attempt.reader()) => match result {
                        Err(_) if attempt.is_lost() && !has_lost => Interruption::Lost,
                        Err(error) if attempt.has_failed() => return Err(ReadFailure::Database(error)),
                        result => return result.map_err(ReadFailure::Work),
                    },
                    interruption = compiled_once(interruption) => interruption,
                }
            };
            let (reason, next) = match interruption {
                Interruption::HeldUp(better) => {
                    has_moved = true;
                    (RepeatReason::HeldUp, better)
                }
                Interruption::Lost => {
                    self.discard(&attempt);
                    if has_lost {
                        return Err(failed(unavailable("a statement was not answered in time")));
                    }
                    has_lost = true;
                    let next = compiled_once(pin!(self.attempt(attempt.session()))).await;
                    let next = next.map_err(failed)?;
                    (RepeatReason::Lost, next)
                }
            };
            metrics::counter!(READS_REPEATED, "pool" => self.name(), "reason" => reason.code())
                .increment(1);
            attempt = next;
        }
    }

    /// Chooses the connection for a read.
    async fn attempt(&self, avoided: Option<&Arc<Session>>) -> Result<Attempt> {
        let readers = self.readers();
        if let Some(session) = readers.find_free(avoided) {
            return Ok(Attempt::shared(session));
        }
        let opened = readers.open_next().await;
        if opened.is_none()
            && let Some(conn) = self.try_acquire().await
        {
            return Ok(Attempt::pooled(conn));
        }
        // If one cannot be opened, those that are open still serve.
        match (opened, readers.least_busy()) {
            (Some(Ok(session)), _) | (_, Some(session)) => Ok(Attempt::shared(session)),
            (Some(Err(error)), None) => Err(error),
            (None, None) => self.acquire().await.map(Attempt::pooled),
        }
    }

    /// Waits until a read should run once more.
    async fn interruption(&self, attempt: &Attempt, has_moved: bool) -> Interruption {
        loop {
            if attempt.wait_until_held_up(|| self.is_given_up()).await == RepeatReason::Lost {
                return Interruption::Lost;
            }
            if let Some(better) = self.better_place(attempt, has_moved).await {
                return Interruption::HeldUp(better);
            }
        }
    }

    /// Where a read that waits for another one would be sooner done. If it has moved before, a connection of its own, where
    /// nothing holds it up once more.
    async fn better_place(&self, attempt: &Attempt, has_moved: bool) -> Option<Attempt> {
        let readers = self.readers();
        if !has_moved {
            if let Some(session) = readers.find_free(attempt.session()) {
                return Some(Attempt::shared(session));
            }
            if let Some(Ok(session)) = readers.open_next().await {
                return Some(Attempt::shared(session));
            }
        }
        self.try_acquire().await.map(Attempt::pooled)
    }

    /// Closes the connection of an attempt that was lost, so that nothing else uses it.
    fn discard(&self, attempt: &Attempt) {
        if attempt.session().is_some_and(|session| session.retire()) {
            metrics::counter!(READ_CONNECTIONS_DISCARDED, "pool" => self.name()).increment(1);
        }
    }
}
