//! The limits of the server on connections.

use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use crate::Connection;
use crate::error::Result;

/// Returns how many connections the server lets this account have to this database, all clients together: the least of
/// `max_connections` without the reserved ones, and the limits of the database and the role. For a superuser only
/// `max_connections` counts.
///
/// # Errors
/// The database cannot be reached.
pub async fn connection_limit(conn: &mut Connection) -> Result<u32> {
    let limit: Limit = diesel::sql_query(LIMIT).get_result(conn).await?;
    Ok(u32::try_from(limit.connections).unwrap_or(0))
}

/// PostgreSQL 16 and newer reserve further connections, for the role `pg_use_reserved_connections`. A limit of -1 is none.
const LIMIT: &str = "
    SELECT CASE WHEN rolsuper THEN current_setting('max_connections')::int ELSE LEAST(
        current_setting('max_connections')::int
            - current_setting('superuser_reserved_connections')::int
            - COALESCE(current_setting('reserved_connections', true), '0')::int,
        NULLIF(datconnlimit, -1),
        NULLIF(rolconnlimit, -1)) END AS connections
    FROM pg_roles, pg_database
    WHERE rolname = current_user AND datname = current_database()";

#[derive(QueryableByName)]
struct Limit {
    #[diesel(sql_type = diesel::sql_types::Integer)]
    connections: i32,
}
