//! Connections for pools of other services, and connections that these opened.

use diesel_async::SimpleAsyncConnection;

use super::config::{CONNECT_TIMEOUT, DatabaseConfig};
use super::connecting::{Connector, Opened};
use crate::Connection;
use crate::error::Result;
use crate::monitor::QueryMonitor;

/// Opens one connection, for a pool of your own: to one of several hosts, with TLS, and with the settings and the monitoring
/// of [`configure`]. Errors on it are recognized in every language of the server.
///
/// Of `config`, only what concerns a single connection matters: the URL, the timeouts and the thresholds.
///
/// # Errors
/// `Unavailable` if no host can be reached within ten seconds.
pub async fn connect(config: &DatabaseConfig) -> Result<Connection> {
    // A silent server is noticed by the operating system, since the pool of this crate does not watch the connection.
    let connector = Connector::alone(&config.url, CONNECT_TIMEOUT, None);
    let Opened { client, .. } = connector.with_settings(config.session_settings()).open().await?;
    let mut conn = Connection::try_from(client).await?;
    QueryMonitor::new(config.thresholds.slow).watch(&mut conn);
    Ok(conn)
}

/// Gives a connection that you opened the settings that the statements of this crate are written for, and monitors it.
///
/// The session plans a statement once for all values, without parallel plans and JIT: planning a page takes longer than
/// reading it. Its transactions are `read committed`, its time zone is UTC, and its statements have the timeout of `config`.
/// The monitor replaces any other instrumentation of the connection.
///
/// The settings belong to the session. Through a transaction pooler they would reach the sessions of other clients too, so open
/// the connection with [`connect`] there.
///
/// Call it once for each connection, before its first statement. A connection of `tokio-postgres` becomes a [`Connection`]
/// with `Connection::try_from(client)`, which takes ownership of the client.
///
/// # Errors
/// The connection is lost.
pub async fn configure(conn: &mut Connection, config: &DatabaseConfig) -> Result<()> {
    conn.batch_execute(&config.session_settings().to_statements()).await?;
    QueryMonitor::new(config.thresholds.slow).watch(conn);
    Ok(())
}
