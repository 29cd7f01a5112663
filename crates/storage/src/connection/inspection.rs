//! Facts about the server, the role and the database, for checks of an installation.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use crate::Connection;
use crate::error::Result;

/// What PostgreSQL says about itself, the role of this connection and the database.
#[derive(Debug, Clone, QueryableByName)]
#[non_exhaustive]
pub struct ServerReport {
    /// The version, such as `17.2 (Debian 17.2-1)`.
    #[diesel(sql_type = diesel::sql_types::Text)]
    pub version: String,
    /// The major version, such as 17.
    #[diesel(sql_type = diesel::sql_types::Integer)]
    pub major_version: i32,
    /// The name of the role.
    #[diesel(sql_type = diesel::sql_types::Text)]
    pub role: String,
    /// Whether the role may create tables, which migrations need.
    #[diesel(sql_type = diesel::sql_types::Bool)]
    pub can_create_tables: bool,
    /// Whether the server is a replica that accepts no writes.
    #[diesel(sql_type = diesel::sql_types::Bool)]
    pub is_replica: bool,
    /// The encoding of the database, which must be `UTF8`.
    #[diesel(sql_type = diesel::sql_types::Text)]
    pub encoding: String,
    /// The time on the server.
    #[diesel(sql_type = diesel::sql_types::Timestamptz)]
    pub now: DateTime<Utc>,
    /// How many connections all clients of the server have at present, this one included.
    #[diesel(sql_type = diesel::sql_types::BigInt)]
    pub connections: i64,
}

/// Asks the server for its version, role, encoding, time and number of connections. Works on a database without tables.
///
/// # Errors
/// The database cannot be reached.
pub async fn inspect_server(conn: &mut Connection) -> Result<ServerReport> {
    Ok(diesel::sql_query(REPORT).get_result(conn).await?)
}

const REPORT: &str = "
    SELECT current_setting('server_version') AS version,
        current_setting('server_version_num')::int / 10000 AS major_version,
        current_user::text AS role,
        COALESCE(has_schema_privilege(current_schema(), 'CREATE'), false) AS can_create_tables,
        pg_is_in_recovery() AS is_replica,
        current_setting('server_encoding') AS encoding,
        clock_timestamp() AS now,
        (SELECT sum(numbackends)::bigint FROM pg_stat_database) AS connections";
