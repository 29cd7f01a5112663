//! The role and the clock of the server.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use crate::Connection;
use crate::error::Result;

/// What a server says about itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, QueryableByName)]
#[non_exhaustive]
pub struct ServerState {
    /// Whether it accepts only reads: it is a standby, or is set so.
    #[diesel(sql_type = diesel::sql_types::Bool)]
    pub is_read_only: bool,
    /// Its clock.
    #[diesel(sql_type = diesel::sql_types::Timestamptz)]
    pub now: DateTime<Utc>,
}

/// Asks the server of a connection for its role and its clock.
///
/// # Errors
/// The database cannot be reached.
pub async fn server_state(conn: &mut Connection) -> Result<ServerState> {
    let state = "SELECT pg_is_in_recovery() OR current_setting('transaction_read_only')::boolean AS is_read_only,
                        clock_timestamp() AS now";
    Ok(diesel::sql_query(state).get_result(conn).await?)
}
