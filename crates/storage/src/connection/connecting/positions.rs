//! Connections to a replica.

use std::sync::Arc;

use tokio_postgres::{Client, SimpleQueryMessage};

use super::explain;
use crate::connection::replica_state::{Lsn, ReplicaState};

/// Asks a server how far it has replayed the log. `None` if it is no replica.
pub(in crate::connection) async fn ask_replica(client: &Client) -> Result<Option<Lsn>, String> {
    let position =
        "SELECT CASE WHEN pg_is_in_recovery() THEN (pg_last_wal_replay_lsn() - '0/0')::bigint END";
    let messages = client.simple_query(position).await.map_err(|error| explain(&error))?;
    let bytes = messages.iter().find_map(|message| match message {
        SimpleQueryMessage::Row(row) => row.get(0)?.parse().ok(),
        _ => None,
    });
    Ok(bytes.map(Lsn::from_bytes))
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
