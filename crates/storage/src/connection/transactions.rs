//! Transactions, with a retry after serialization failures and deadlocks.

use std::num::NonZeroU32;
use std::pin::pin;
use std::time::Duration;

use diesel::connection::TransactionDepthChange;
use diesel_async::{AsyncConnection, SimpleAsyncConnection, TransactionManager};
use futures_util::future::join;

use super::compiled_once;
use super::database::Database;
use super::readers::ReadConnection;
use crate::Connection;
use crate::error::{Result, StorageError};
use crate::monitor::metrics::TRANSACTIONS_RETRIED;
use crate::monitor::record_on_commit;

type Transactions = <Connection as AsyncConnection>::TransactionManager;

/// A connection on which repositories lock rows: in a transaction, or in the statements that are sent with its `BEGIN`. This
/// trait is sealed.
pub trait LockConnection: ReadConnection {}

impl LockConnection for Connection {}
impl LockConnection for &Connection {}

impl Database {
    /// Runs `work` in one transaction, and commits if and only if `work` succeeds.
    ///
    /// If it fails after a deadlock or a serialization failure, runs a clone of `work` again from the start, up to three
    /// attempts in total. So `work` must have no effects other than on rows.
    ///
    /// The error can be any type that can be made of a [`StorageError`]: your own one, `Box<dyn Error + Send + Sync>`, or that
    /// of `anyhow`. What failed is known from the connection, so the type of the error does not matter.
    ///
    /// If a statement fails, `work` must fail too, or have rolled back to a savepoint. Otherwise PostgreSQL keeps nothing of
    /// the transaction, and says so only to the next statement.
    ///
    /// # Errors
    /// The error of `work`, and [`StorageError::Unavailable`] if the database cannot be reached.
    pub async fn transaction<T, E, F>(&self, work: F) -> Result<T, E>
    where
        E: From<StorageError>,
        // Not `AsyncFn`: if it borrows anything, the compiler cannot prove that its futures are `Send`.
        F: AsyncFnOnce(&mut Connection) -> Result<T, E> + Clone,
    {
        let opening = async |_: &Connection| Ok::<(), E>(());
        self.transaction_after(opening, async |tx, ()| work.clone()(tx).await).await
    }

    /// As [`Database::transaction`], but sends the statements of `opening` together with `BEGIN`, in one round trip, and
    /// passes the result to `work`.
    ///
    /// `opening` gets a shared reference to the connection, whose repositories can read and lock rows, but not write. Futures
    /// that are polled together, such as those of `join`, are sent together; PostgreSQL executes them in the order in which
    /// they are polled first, each on what was committed until then.
    ///
    /// # Errors
    /// The error of `opening` or `work`, and those of [`Database::transaction`].
    pub async fn transaction_after<O, T, E, P, F>(&self, opening: P, work: F) -> Result<T, E>
    where
        E: From<StorageError>,
        P: AsyncFnOnce(&Connection) -> Result<O, E> + Clone,
        F: AsyncFnOnce(&mut Connection, O) -> Result<T, E> + Clone,
    {
        let mut pooled = self.acquire().await?;
        let mut attempt = 1;
        loop {
            pooled.take_conflict();
            let conn = &mut *pooled;
            // The future of a use case is large. Without the box, every layer would copy it onto the stack.
            let attempted = Box::pin(attempt_transaction(conn, opening.clone(), work.clone()));
            match record_on_commit(attempted).await {
                Err(_) if pooled.take_conflict() && attempt < ATTEMPTS => {
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

/// Runs `work` in one transaction on your own connection, and commits if and only if `work` succeeds. Counts the outcomes of
/// notifications when it has committed, as [`record_on_commit`](crate::record_on_commit) does.
///
/// Does not run `work` again after a conflict: [`StorageError::is_transient`] says whether that may help.
///
/// # Errors
/// The error of `work`, and [`StorageError::Unavailable`] if the connection is lost. [`StorageError::Query`] if it is in a
/// transaction already.
pub async fn transaction_on<T, E>(
    conn: &mut Connection,
    work: impl AsyncFnOnce(&mut Connection) -> Result<T, E>,
) -> Result<T, E>
where
    E: From<StorageError>,
{
    if depth_of(conn)?.is_some() {
        let nested = "the connection is in a transaction already: use a savepoint";
        return Err(StorageError::Query(nested.into()).into());
    }
    let opening = async |_: &Connection| Ok::<(), E>(());
    record_on_commit(attempt_transaction(conn, opening, async |tx, ()| work(tx).await)).await
}

/// How many transactions and savepoints are open on a connection.
pub(super) fn depth_of(conn: &mut Connection) -> Result<Option<NonZeroU32>> {
    Ok(Transactions::transaction_manager_status_mut(conn).transaction_depth()?)
}

/// The maximum number of attempts. Losing three deadlocks in a row is a bug, not bad luck.
const ATTEMPTS: u32 = 3;

/// Long enough for the winning transaction to finish, short enough to go unnoticed.
const BACK_OFF: Duration = Duration::from_millis(5);

async fn attempt_transaction<O, T, E, P, F>(
    conn: &mut Connection,
    opening: P,
    work: F,
) -> Result<T, E>
where
    E: From<StorageError>,
    P: AsyncFnOnce(&Connection) -> Result<O, E>,
    F: AsyncFnOnce(&mut Connection, O) -> Result<T, E>,
{
    let result = match begin_with(conn, opening).await? {
        Ok(opened) => work(conn, opened).await,
        Err(error) => Err(error),
    };
    match result {
        Ok(value) => {
            let committed = compiled_once(pin!(Transactions::commit_transaction(conn))).await;
            committed.map_err(StorageError::from)?;
            Ok(value)
        }
        Err(error) => {
            // If the rollback fails too, the pool closes the connection.
            _ = compiled_once(pin!(Transactions::rollback_transaction(conn))).await;
            Err(error)
        }
    }
}

/// Sends `BEGIN` and the statements of `opening` together. Returns an error if `BEGIN` fails: then PostgreSQL executed these
/// statements outside of a transaction, where their locks ended with them.
async fn begin_with<O, E>(
    conn: &mut Connection,
    opening: impl AsyncFnOnce(&Connection) -> Result<O, E>,
) -> Result<Result<O, E>> {
    // Counts from now on. If this future is dropped or `BEGIN` fails, the pool closes a connection in this state.
    Transactions::transaction_manager_status_mut(conn)
        .transaction_state()?
        .change_transaction_depth(TransactionDepthChange::IncreaseDepth)?;
    let mut begin: &Connection = conn;
    // Polled in this order.
    let (begun, opened) = join(begin.batch_execute("BEGIN"), opening(conn)).await;
    begun?;
    Ok(opened)
}
