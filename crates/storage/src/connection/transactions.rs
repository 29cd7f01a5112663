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
    /// Runs `work` in one transaction, and commits if and only if `work` succeeds.
    ///
    /// After a deadlock or a serialization failure, runs a clone of `work` again from the start, up to three attempts in
    /// total. So `work` must have no effects other than on rows.
    ///
    /// If a statement fails, `work` must fail too, or have rolled back to a savepoint. Otherwise PostgreSQL keeps nothing of
    /// the transaction, and says so only to the next statement.
    ///
    /// # Errors
    /// The error of `work`, and [`StorageError::Unavailable`] if the database cannot be reached.
    pub async fn transaction<T, E, F>(&self, work: F) -> Result<T, E>
    where
        E: From<StorageError> + Transient,
        // Not `AsyncFn`: if it borrows anything, the compiler cannot prove that its futures are `Send`.
        F: AsyncFnOnce(&mut Connection) -> Result<T, E> + Clone,
    {
        let mut conn = self.acquire().await?;
        let conn = &mut *conn;
        let mut attempt = 1;
        loop {
            // The future of a use case is large. Without the box, every layer would copy it onto the stack.
            let attempted = Box::pin(attempt_transaction(conn, work.clone()));
            match record_on_commit(attempted).await {
                Err(error) if error.is_transient() && attempt < ATTEMPTS => {
                    tracing::debug!(attempt, "Transaction conflict, retrying");
                    metrics::counter!(TRANSACTIONS_RETRIED).increment(1);
                    tokio::time::sleep(BACK_OFF * attempt).await;
                    attempt += 1;
                }
                result => return result,
            }
        }
    }
}

/// The maximum number of attempts. Losing three deadlocks in a row is a bug, not bad luck.
const ATTEMPTS: u32 = 3;

/// Long enough for the winning transaction to finish, short enough to go unnoticed.
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
            // If the rollback fails too, the pool closes the connection.
            _ = Transactions::rollback_transaction(conn).await;
            Err(error)
        }
    }
}
