//! Locks between processes: `flock` on files, which the kernel lets go whatever way a process ends.

use std::fs::{self, File, OpenOptions, Permissions, TryLockError};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::PathBuf;

use nix::fcntl::OFlag;

use crate::Error;
use crate::patience::Patience;

/// An open lock file. Dropping it lets go.
#[derive(Debug)]
pub(crate) struct Lock {
    file: File,
    path: PathBuf,
}

impl Lock {
    /// Opens the file, made when it is missing, and takes nothing yet.
    ///
    /// The reaper opens it too, as the account that runs PostgreSQL, hence readable for all.
    pub(crate) fn open(path: PathBuf) -> Result<Self, Error> {
        let fresh = !path.exists();
        let mut how = OpenOptions::new();
        how.read(true).write(true).create(true).mode(0o644).custom_flags(OFlag::O_NOFOLLOW.bits());
        let file = how.open(&path).map_err(Error::io("open", &path))?;
        if fresh {
            file.set_permissions(Permissions::from_mode(0o644))
                .map_err(Error::io("open", &path))?;
        }
        Ok(Self { file, path })
    }

    /// Takes the lock for this process alone, if nobody has it.
    pub(crate) fn try_exclusive(&self) -> Result<bool, Error> {
        self.taken(self.file.try_lock())
    }

    /// Takes the lock beside others who share it.
    pub(crate) fn try_shared(&self) -> Result<bool, Error> {
        self.taken(self.file.try_lock_shared())
    }

    /// Whether nobody holds the lock at this moment.
    pub(crate) fn is_free(&self) -> Result<bool, Error> {
        self.glance(Self::try_exclusive)
    }

    /// Whether nobody holds the lock for itself alone at this moment.
    pub(crate) fn is_shareable(&self) -> Result<bool, Error> {
        self.glance(Self::try_shared)
    }

    /// Waits for the lock for this process alone.
    pub(crate) fn exclusive(&self, patience: &Patience) -> Result<(), Error> {
        self.wait(Self::try_exclusive, patience)
    }

    /// Waits for the lock beside others who share it.
    pub(crate) fn shared(&self, patience: &Patience) -> Result<(), Error> {
        self.wait(Self::try_shared, patience)
    }

    /// Whether the path still names this file: whoever held the lock before may have removed it.
    pub(crate) fn is_current(&self) -> bool {
        let (Ok(here), Ok(there)) = (self.file.metadata(), fs::symlink_metadata(&self.path)) else {
            return false;
        };
        same_file(&here, &there)
    }

    fn taken(&self, outcome: Result<(), TryLockError>) -> Result<bool, Error> {
        match outcome {
            Ok(()) => Ok(true),
            Err(TryLockError::WouldBlock) => Ok(false),
            Err(TryLockError::Error(error)) => Err(Error::io("lock", &self.path)(error)),
        }
    }

    fn glance(&self, take: impl Fn(&Self) -> Result<bool, Error>) -> Result<bool, Error> {
        let taken = take(self)?;
        self.file.unlock().map_err(Error::io("unlock", &self.path))?;
        Ok(taken)
    }

    fn wait(
        &self,
        take: impl Fn(&Self) -> Result<bool, Error>,
        patience: &Patience,
    ) -> Result<(), Error> {
        while !take(self)? {
            if !patience.pause() {
                return Err(Error::Busy { lock: self.path.clone() });
            }
        }
        Ok(())
    }
}

impl Drop for Lock {
    /// Said aloud: closing the file alone would leave the lock to a process that another thread is just forking.
    fn drop(&mut self) {
        let _ = self.file.unlock();
    }
}

/// Whether both are one file, under whatever names.
pub(crate) fn same_file(one: &fs::Metadata, other: &fs::Metadata) -> bool {
    (one.dev(), one.ino()) == (other.dev(), other.ino())
}
