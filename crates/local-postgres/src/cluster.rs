//! A handle on a running PostgreSQL cluster.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use crate::account::Account;
use crate::cluster_context::ClusterContext;
use crate::cluster_dir::ClusterDir;
use crate::deadline::Deadline;
use crate::file_lock::FileLock;
use crate::installation::InstallationSearch;
use crate::startup_guard::StartupGuard;
use crate::supervisor::{ChildProcesses, Supervisor};
use crate::{Error, Installation, children, reaper, url};

/// PostgreSQL's `max_connections`, unless the caller needs another number.
const MAX_CONNECTIONS: u32 = 200;
const STOP_TIMEOUT: Duration = Duration::from_secs(75);

/// A running PostgreSQL that only this project uses.
///
/// Dropping the handle releases the cluster. PostgreSQL stops when the last process has released it.
#[derive(Debug)]
pub struct Cluster {
    context: Arc<ClusterContext>,
    /// Declared before the lock: fields drop in order, and the supervisor must not restart a cluster that no process uses.
    supervisor: Supervisor,
    users_lock: FileLock,
}

impl Cluster {
    /// Opens the durable cluster kept in `directory` (for example `.data`).
    ///
    /// Creates the cluster with `database` in it if there is none, starts it if it does not run, and joins it otherwise.
    pub fn open(directory: &Path, database: &str) -> Result<Self, Error> {
        Self::open_for_connections(directory, database, MAX_CONNECTIONS)
    }

    /// Like [`open`](Self::open), for this number of connections instead of 200. A server that another process has started
    /// keeps its own number until it restarts.
    pub fn open_for_connections(
        directory: &Path,
        database: &str,
        max_connections: u32,
    ) -> Result<Self, Error> {
        let account = Account::choose()?;
        let dir = ClusterDir::durable(directory, &account)?;
        Self::start_or_join(dir, account, None, Some(database), max_connections)
    }

    /// Like [`open`](Self::open), with the given PostgreSQL installation.
    pub fn open_with(
        installation: Installation,
        directory: &Path,
        database: &str,
    ) -> Result<Self, Error> {
        let account = Account::choose()?;
        let dir = ClusterDir::durable(directory, &account)?;
        Self::start_or_join(dir, account, Some(installation), Some(database), MAX_CONNECTIONS)
    }

    /// Opens the throwaway cluster that all test processes of this user and checkout share.
    ///
    /// It runs without fsync, in memory if there is room, and is removed when the last process that uses it exits,
    /// even by a signal. `name` separates projects and checkouts.
    pub fn throwaway(name: &str) -> Result<Self, Error> {
        let account = Account::choose()?;
        let dir = ClusterDir::throwaway(name, &account);
        Self::start_or_join(dir, account, None, None, MAX_CONNECTIONS)
    }

    /// Opens a throwaway cluster for this process alone, on disk in the temporary directory (`TMPDIR`), under this name and
    /// the id of the process.
    ///
    /// It runs without fsync, and is removed when this process has released it or exits, even by a signal.
    pub fn temporary(name: &str) -> Result<Self, Error> {
        let account = Account::choose()?;
        let dir = ClusterDir::temporary(name, &account);
        Self::start_or_join(dir, account, None, None, MAX_CONNECTIONS)
    }

    /// The connection URL of `database`, in the form that both libpq and tokio-postgres accept.
    ///
    /// A throwaway cluster starts with the database `postgres`.
    pub fn url(&self, database: &str) -> String {
        url::connection_url(&self.context.socket_dir, database)
    }

    /// The installation that runs this cluster, for its `psql` and `pgbench`.
    pub fn installation(&self) -> &Installation {
        &self.context.installation
    }

    /// The cluster's directory, where callers may keep their own lock files. A throwaway cluster removes it at the end.
    pub fn directory(&self) -> &Path {
        &self.context.dir.path
    }

    /// Releases the cluster. If no other process uses it, waits until PostgreSQL has stopped.
    pub fn close(self) -> Result<(), Error> {
        let Self { context, supervisor, users_lock } = self;
        // Opened before the release, while the files certainly exist: a throwaway cluster removes them.
        let reaper_probe = FileLock::open(context.dir.reaper_lock())?;
        let users_probe = FileLock::open(context.dir.users_lock())?;
        drop(supervisor);
        drop(users_lock);
        let deadline = Deadline::after(STOP_TIMEOUT);
        while is_being_reaped(&reaper_probe, &users_probe)? {
            // A server that this process started stays a zombie until it is reaped.
            children::reap();
            if !deadline.wait() {
                return Err(Error::LockTimeout { lock: context.dir.reaper_lock() });
            }
        }
        children::reap();
        Ok(())
    }

    fn start_or_join(
        dir: ClusterDir,
        account: Account,
        installation: Option<Installation>,
        database: Option<&str>,
        max_connections: u32,
    ) -> Result<Self, Error> {
        children::reap();
        let guard = StartupGuard::acquire(&dir, &account)?;
        // The reaper starts first, so that it stops everything started below.
        let mut children =
            ChildProcesses { postgres: None, reaper: reaper::ensure_running(&dir, &account)? };
        let installation = match installation {
            Some(installation) => installation.check_data_version(&dir)?,
            None => InstallationSearch::system().find_for_data(&dir, &account)?,
        };
        let socket_dir = dir.socket_dir(&account);
        let mut context = ClusterContext {
            dir,
            account,
            installation,
            socket_dir,
            max_connections,
            settings: Vec::new(),
        };
        children.postgres = guard.start(&mut context, database)?;

        let context = Arc::new(context);
        let supervisor = Supervisor::start(&context, children)?;
        Ok(Self { context, supervisor, users_lock: guard.users_lock })
    }
}

/// Whether the reaper still has to shut down a cluster that this process has released.
fn is_being_reaped(reaper_lock: &FileLock, users_lock: &FileLock) -> Result<bool, Error> {
    if reaper_lock.is_shareable()? {
        return Ok(false);
    }
    // Unlocked: the reaper is about to take it. Exclusively locked: the reaper has it. Otherwise other processes share it.
    Ok(users_lock.is_unlocked()? || !users_lock.is_shareable()?)
}
