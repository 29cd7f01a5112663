//! The locks that a process holds while it creates, starts or joins a cluster.

use std::fs;
use std::process::Child;
use std::time::Duration;

use crate::account::Account;
use crate::cluster_context::ClusterContext;
use crate::cluster_dir::ClusterDir;
use crate::deadline::Deadline;
use crate::file_lock::FileLock;
use crate::postmaster::Postmaster;
use crate::{Error, create, server, stale_files};

/// Longer than another process may need to create, recover or stop the cluster.
const LOCK_TIMEOUT: Duration = Duration::from_secs(150);
const START_TIMEOUT: Duration = Duration::from_mins(1);

/// A share of the users lock, and the start lock, which is released when the guard is dropped.
#[derive(Debug)]
pub(crate) struct StartupGuard {
    pub(crate) users_lock: FileLock,
    /// Whether no other process used the cluster when the lock was taken.
    was_unused: bool,
    _start_lock: FileLock,
}

impl StartupGuard {
    /// Waits for both locks.
    pub(crate) fn acquire(dir: &ClusterDir, account: &Account) -> Result<Self, Error> {
        let deadline = Deadline::after(LOCK_TIMEOUT);
        loop {
            match Self::try_acquire(dir, account, &deadline) {
                Ok(Some(guard)) => return Ok(guard),
                Ok(None) => {}
                // The reaper removed the directory between two steps.
                Err(error) if error.is_not_found() => {}
                Err(error) => return Err(error),
            }
            if !deadline.wait() {
                return Err(Error::LockTimeout { lock: dir.users_lock() });
            }
        }
    }

    /// `None` if the reaper removed the lock files in the meantime.
    fn try_acquire(
        dir: &ClusterDir,
        account: &Account,
        deadline: &Deadline,
    ) -> Result<Option<Self>, Error> {
        dir.prepare(account)?;
        let start_lock = FileLock::open(dir.start_lock())?;
        start_lock.lock_exclusive(deadline)?;
        let users_lock = FileLock::open(dir.users_lock())?;
        let was_unused = users_lock.try_lock_exclusive()?;
        users_lock.lock_shared(deadline)?;
        let are_current = start_lock.is_current() && users_lock.is_current();
        Ok(are_current.then_some(Self { users_lock, was_unused, _start_lock: start_lock }))
    }

    /// Creates the cluster if it is missing and starts the server if it does not run. Returns the server it started.
    pub(crate) fn start(
        &self,
        context: &mut ClusterContext,
        database: Option<&str>,
    ) -> Result<Option<Child>, Error> {
        let deadline = Deadline::after(START_TIMEOUT);
        let data_dir = context.dir.data_dir();
        let is_stale = context.is_throwaway()
            && self.was_unused
            && data_dir.exists()
            && Postmaster::running_in(&data_dir)?.is_none();
        if is_stale {
            // Possibly left by a machine crash, which a throwaway cluster does not survive.
            stale_files::clean_up(context, &deadline)?;
            fs::remove_dir_all(&data_dir).map_err(Error::io("remove", &data_dir))?;
        }
        if data_dir.exists() {
            context.account.check_owner(&data_dir)?;
        } else {
            create::create(context, database)?;
        }
        let postgres = server::ensure_running(context, &deadline)?;
        // A server that was started before the directory was moved still has its socket in the old place.
        if let Some(socket_dir) =
            Postmaster::running_in(&data_dir)?.and_then(|server| server.socket_dir)
        {
            context.socket_dir = socket_dir;
        }
        Ok(postgres)
    }
}
