//! A connection of the pool.

use std::fmt;
use std::ops::{Deref, DerefMut};

use diesel_async::pooled_connection::deadpool::Object;

use crate::Connection;

/// A [`Connection`] that returns to its pool when dropped. A broken connection, or one with an open transaction, is closed.
pub struct PooledConnection(pub(super) Object<Connection>);

impl Deref for PooledConnection {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        &self.0
    }
}

impl DerefMut for PooledConnection {
    fn deref_mut(&mut self) -> &mut Connection {
        &mut self.0
    }
}

impl fmt::Debug for PooledConnection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PooledConnection").finish_non_exhaustive()
    }
}
