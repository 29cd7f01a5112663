//! How far a server has come in the log.

use std::sync::Arc;

use tokio_postgres::Client;

use super::{explain, first_row};
use crate::connection::replica_state::{Lsn, ReplicaState};

/// Asks the primary how far it has written its log to disk.
pub(in crate::connection) async fn ask_primary(client: &Client) -> Result<Lsn, String> {
    let position = "SELECT (pg_current_wal_flush_lsn() - '0/0')::bigint";
    ask(client, position).await?.ok_or_else(|| "no position".to_owned())
}

/// Asks a server how far it has replayed the log. `None` if it is no replica.
pub(in crate::connection) async fn ask_replica(client: &Client) -> Result<Option<Lsn>, String> {
    let position =
        "SELECT CASE WHEN pg_is_in_recovery() THEN (pg_last_wal_replay_lsn() - '0/0')::bigint END";
    ask(client, position).await
}

/// Checks that a new connection leads to a replica that has replayed at least as much as is known. A server that has restarted
/// after a crash begins further back, and what is known about it is older than its restart.
pub(super) async fn check_replica(
    client: &Client,
    known: &Arc<ReplicaState>,
) -> Result<(), String> {
    match ask_replica(client).await? {
        None => Err("is not a replica".to_owned()),
        Some(replayed) if replayed < known.replayed() => Err("has gone back".to_owned()),
        Some(_) => Ok(()),
    }
}

/// The position that a statement returns in bytes.
async fn ask(client: &Client, statement: &str) -> Result<Option<Lsn>, String> {
    let row = first_row(client, statement).await.map_err(|error| explain(&error))?;
    let bytes = row.as_ref().and_then(|row| row.get(0)?.parse().ok());
    Ok(bytes.map(Lsn::from_bytes))
}
