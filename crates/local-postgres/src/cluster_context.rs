//! The context that creating, starting and supervising a cluster share.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use crate::account::Account;
use crate::cluster_dir::{ClusterDir, Retention};
use crate::{Error, Installation};

/// A cluster's directory, account, installation and socket.
#[derive(Debug)]
pub(crate) struct ClusterContext {
    pub(crate) dir: ClusterDir,
    pub(crate) account: Account,
    pub(crate) installation: Installation,
    pub(crate) socket_dir: PathBuf,
    /// PostgreSQL's `max_connections`, if this process starts it.
    pub(crate) max_connections: u32,
    /// Further settings in the form `name=value`, which override those of all clusters.
    pub(crate) settings: Vec<String>,
}

impl ClusterContext {
    /// A command for one of PostgreSQL's programs, run as the account, in the cluster's directory.
    pub(crate) fn program(&self, name: &str) -> Command {
        self.installation.command(name, &self.account, &self.dir.path)
    }

    pub(crate) fn is_throwaway(&self) -> bool {
        self.dir.retention == Retention::Remove
    }

    /// The error for a server that is not ready, with the last lines of its log.
    pub(crate) fn not_ready(&self, reason: &str) -> Error {
        let log = fs::read(self.dir.log_file()).unwrap_or_default();
        let log = String::from_utf8_lossy(&log);
        let lines: Vec<_> = log.lines().collect();
        let last_lines = lines[lines.len().saturating_sub(15)..].join("\n");
        Error::NotReady { reason: reason.to_owned(), log: last_lines }
    }
}
