//! Transactions, with a retry after serialization failures and deadlocks.

use std::time::Duration;

use diesel_async::{AsyncConnection, TransactionManager};

use super::database::Database;
use crate::Connection;
use crate::error::{Result, StorageError, Transient};
use crate::monitor::metrics::TRANSACTIONS_RETRIED;
use crate::monitor::record_on_commit;

type Transactions = <Connection as AsyncConnection>::TransactionManager;

impl Database {
    /// Runs `work` in one transaction, which commits if and only if `work` succeeds.
    ///
    /// Where PostgreSQL ends it in favour of another transaction, a clone of `work` runs again from the start, three
    /// times in all, so it must leave nothing behind but rows.
    ///
    /// Work that meets a refused statement must fail, or have taken it back by a savepoint: after one PostgreSQL keeps
    /// nothing of a transaction, and says so only to the next statement.
    ///
    /// # Errors
    /// That of `work`, and [`StorageError::Unavailable`] where the database is away.
    pub async fn transaction<T, E, F>(&self, work: F) -> Result<T, E>
    where
        E: From<StorageError> + Transient,
        // Not `AsyncFn`: where that borrows anything, the compiler does not see that its futures are `Send`.
        F: AsyncFnOnce(&mut Connection) -> Result<T, E> + Clone,
    {
        let mut conn = self.acquire().await?;
        let conn = &mut *conn;
        let mut attempt = 1;
        loop {
            // What a use case keeps over its waits is large, and would be copied onto the stack layer by layer.
            let tried = Box::pin(attempt_transaction(conn, work.clone()));
            match record_on_commit(tried).await {
                Err(error) if error.is_transient() && attempt < ATTEMPTS => {
                    tracing::debug!(attempt, "Another transaction stood in the way");
                    metrics::counter!(TRANSACTIONS_RETRIED).increment(1);
                    tokio::time::sleep(BACK_OFF * attempt).await;
                    attempt += 1;
                }
                outcome => return outcome,
            }
        }
    }
}

/// How often a transaction is tried. Whoever loses three deadlocks in a row meets a bug, not bad luck.
const ATTEMPTS: u32 = 3;

/// Long enough for the transaction that won to finish, short enough for nobody to notice.
const BACK_OFF: Duration = Duration::from_millis(5);

async fn attempt_transaction<T, E, F>(conn: &mut Connection, work: F) -> Result<T, E>
where
    E: From<StorageError>,
    F: AsyncFnOnce(&mut Connection) -> Result<T, E>,
{
    Transactions::begin_transaction(conn).await.map_err(StorageError::from)?;
    match work(conn).await {
        Ok(value) => {
            Transactions::commit_transaction(conn).await.map_err(StorageError::from)?;
            Ok(value)
        }
        Err(error) => {
            // Should this fail too, the pool throws the connection away.
            _ = Transactions::rollback_transaction(conn).await;
            Err(error)
        }
    }
}
