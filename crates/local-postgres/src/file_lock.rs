//! Locks between processes: `flock` on files, which the kernel releases however the process ends.

use std::fs::{self, File, OpenOptions, Permissions, TryLockError};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::PathBuf;

use nix::fcntl::OFlag;

use crate::Error;
use crate::deadline::Deadline;

/// An open lock file. Dropping it releases the lock.
#[derive(Debug)]
pub(crate) struct FileLock {
    file: File,
    path: PathBuf,
}

impl FileLock {
    /// Opens or creates the file without locking it.
    ///
    /// The file is readable for all, because the reaper opens it as the account that runs PostgreSQL.
    pub(crate) fn open(path: PathBuf) -> Result<Self, Error> {
        let is_new = !path.exists();
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).mode(0o644);
        options.custom_flags(OFlag::O_NOFOLLOW.bits());
        let file = options.open(&path).map_err(Error::io("open", &path))?;
        if is_new {
            file.set_permissions(Permissions::from_mode(0o644))
                .map_err(Error::io("open", &path))?;
        }
        Ok(Self { file, path })
    }

    /// Locks exclusively if the lock is free. Returns whether it did.
    pub(crate) fn try_lock_exclusive(&self) -> Result<bool, Error> {
        self.acquired(self.file.try_lock())
    }

    /// Locks shared if the lock is free or shared. Returns whether it did.
    pub(crate) fn try_lock_shared(&self) -> Result<bool, Error> {
        self.acquired(self.file.try_lock_shared())
    }

    /// Whether the lock is free at this moment.
    pub(crate) fn is_unlocked(&self) -> Result<bool, Error> {
        self.probe(Self::try_lock_exclusive)
    }

    /// Whether the lock is free or shared at this moment.
    pub(crate) fn is_shareable(&self) -> Result<bool, Error> {
        self.probe(Self::try_lock_shared)
    }

    /// Waits for an exclusive lock.
    pub(crate) fn lock_exclusive(&self, deadline: &Deadline) -> Result<(), Error> {
        self.wait_for(Self::try_lock_exclusive, deadline)
    }

    /// Waits for a shared lock.
    pub(crate) fn lock_shared(&self, deadline: &Deadline) -> Result<(), Error> {
        self.wait_for(Self::try_lock_shared, deadline)
    }

    /// Whether the path still refers to this file. A previous holder of the lock may have removed it.
    pub(crate) fn is_current(&self) -> bool {
        let (Ok(opened), Ok(current)) = (self.file.metadata(), fs::symlink_metadata(&self.path))
        else {
            return false;
        };
        same_file(&opened, &current)
    }

    fn acquired(&self, result: Result<(), TryLockError>) -> Result<bool, Error> {
        match result {
            Ok(()) => Ok(true),
            Err(TryLockError::WouldBlock) => Ok(false),
            Err(TryLockError::Error(error)) => Err(Error::io("lock", &self.path)(error)),
        }
    }

    fn probe(&self, try_lock: impl Fn(&Self) -> Result<bool, Error>) -> Result<bool, Error> {
        let acquired = try_lock(self)?;
        self.file.unlock().map_err(Error::io("unlock", &self.path))?;
        Ok(acquired)
    }

    fn wait_for(
        &self,
        try_lock: impl Fn(&Self) -> Result<bool, Error>,
        deadline: &Deadline,
    ) -> Result<(), Error> {
        while !try_lock(self)? {
            if !deadline.wait() {
                return Err(Error::LockTimeout { lock: self.path.clone() });
            }
        }
        Ok(())
    }
}

impl Drop for FileLock {
    /// Unlocks explicitly: closing the file would not release the lock while a child process that another thread is
    /// forking still has it open.
    fn drop(&mut self) {
        let _ = self.file.unlock();
    }
}

/// Whether both are the same file, even under different paths.
pub(crate) fn same_file(one: &fs::Metadata, other: &fs::Metadata) -> bool {
    (one.dev(), one.ino()) == (other.dev(), other.ino())
}
