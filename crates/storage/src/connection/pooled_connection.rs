//! A connection of the pool.

use std::fmt;
use std::ops::{Deref, DerefMut};

use deadpool::managed::Object;
use diesel_async::{AsyncConnection, TransactionManager};

use super::manager::Manager;
use crate::Connection;

/// A [`Connection`] that returns to its pool when dropped. A broken connection, or one with an open transaction, is closed.
pub struct PooledConnection(pub(super) Object<Manager>);

impl PooledConnection {
    /// Whether the connection, on which a statement may be running, is not known to be lost or silent.
    pub(super) fn is_usable(&self) -> bool {
        self.0.link.is_usable(false)
    }

    /// Whether a transaction on the connection has lost against another one since the last call.
    pub(super) fn take_conflict(&self) -> bool {
        self.0.link.take_conflict()
    }
}

impl Drop for PooledConnection {
    /// Closes a connection with an open transaction, which is then undone. In the pool it would keep its locks until something
    /// acquires it.
    fn drop(&mut self) {
        type Transactions = <Connection as AsyncConnection>::TransactionManager;

        if Transactions::is_broken_transaction_manager(&mut self.0.conn) {
            self.0.link.sever();
        }
    }
}

impl Deref for PooledConnection {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        &self.0.conn
    }
}

impl DerefMut for PooledConnection {
    fn deref_mut(&mut self) -> &mut Connection {
        &mut self.0.conn
    }
}

impl fmt::Debug for PooledConnection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PooledConnection").finish_non_exhaustive()
    }
}
