//! Tests of clusters with real processes and real signals.

/// Fixtures and helpers.
mod support;

/// Creating, stopping and reopening a cluster.
mod lifecycle;

/// Several processes that use one cluster.
mod sharing;

/// Killed processes, servers and reapers.
mod crash_recovery;

/// A primary with standbys.
mod replication;

/// Root, ordinary accounts, directories of other users.
mod accounts;

/// Finding a PostgreSQL installation, or fetching one.
mod installation;
