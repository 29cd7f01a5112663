//! The directory of a cluster: where it is, and which files are in it.

use std::fs::{self, DirBuilder, Permissions};
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};

use nix::sys::statvfs::statvfs;
use nix::unistd::geteuid;

use crate::Error;
use crate::account::Account;
use crate::short_hash::short_hash;

/// Where root keeps clusters whose directory PostgreSQL's account cannot enter.
const FALLBACK_PARENT: &str = "/var/lib/grateful-postgres";
/// An in-memory file system, present on every Linux.
const MEMORY_FILE_SYSTEM: &str = "/dev/shm";
/// Free space required there: enough for a cluster and about a hundred small databases.
const MIN_FREE_BYTES: u128 = 1 << 30;

/// What happens to the files when the last process has released the cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Retention {
    Keep,
    Remove,
}

/// The directory of a cluster.
#[derive(Debug, Clone)]
pub(crate) struct ClusterDir {
    pub(crate) path: PathBuf,
    pub(crate) retention: Retention,
}

impl ClusterDir {
    /// The given directory if PostgreSQL's account can enter it, otherwise one under `/var/lib`.
    pub(crate) fn durable(directory: &Path, account: &Account) -> Result<Self, Error> {
        fs::create_dir_all(directory).map_err(Error::io("create", directory))?;
        let directory = fs::canonicalize(directory).map_err(Error::io("find", directory))?;
        account.check_owner(&directory)?;
        let requested = Self { path: directory, retention: Retention::Keep };
        if !account.needs_switch() {
            return Ok(requested);
        }
        let fallback_path = Path::new(FALLBACK_PARENT).join(short_hash(&requested.path));
        let fallback = Self { path: fallback_path, retention: Retention::Keep };
        match (account.can_enter(&requested.path), requested.data_dir().exists()) {
            (true, true) => Ok(requested),
            (true, false) if !fallback.data_dir().exists() => Ok(requested),
            (false, true) => {
                Err(Error::Inaccessible { path: requested.path, account: account.name.clone() })
            }
            _ => fallback.create_with_note_in(&requested.path, account),
        }
    }

    /// In memory if there is room, otherwise in the temporary directory. An existing cluster stays where it is.
    pub(crate) fn throwaway(name: &str, account: &Account) -> Self {
        let name = format!("grateful-test-{}-{}", geteuid(), short_hash(name));
        let temporary = Some(std::env::temp_dir()).filter(|directory| account.can_enter(directory));
        let on_disk = temporary.unwrap_or_else(|| PathBuf::from("/tmp")).join(&name);
        let in_memory = Path::new(MEMORY_FILE_SYSTEM).join(&name);
        let use_memory =
            in_memory.exists() || (!on_disk.exists() && has_room(Path::new(MEMORY_FILE_SYSTEM)));
        Self { path: if use_memory { in_memory } else { on_disk }, retention: Retention::Remove }
    }

    /// A throwaway directory of this process alone, in the temporary directory.
    pub(crate) fn temporary(name: &str, account: &Account) -> Self {
        let temporary = Some(std::env::temp_dir()).filter(|directory| account.can_enter(directory));
        let name = format!("{name}-{}", std::process::id());
        let path = temporary.unwrap_or_else(|| PathBuf::from("/tmp")).join(name);
        Self { path, retention: Retention::Remove }
    }

    /// Creates the directory of a throwaway cluster if it is missing, and fails if another user owns it.
    pub(crate) fn prepare(&self, account: &Account) -> Result<(), Error> {
        match self.retention {
            // `durable` has created and checked it.
            Retention::Keep => Ok(()),
            Retention::Remove => private_dir(&self.path, account),
        }
    }

    /// PostgreSQL's data directory.
    pub(crate) fn data_dir(&self) -> PathBuf {
        self.path.join("cluster")
    }

    pub(crate) fn log_file(&self) -> PathBuf {
        self.path.join("postgres.log")
    }

    /// The lock held by the process that creates or starts the cluster.
    pub(crate) fn start_lock(&self) -> PathBuf {
        self.path.join("start.lock")
    }

    /// The lock shared by all processes that use the cluster.
    pub(crate) fn users_lock(&self) -> PathBuf {
        self.path.join("users.lock")
    }

    /// The lock held by the reaper while it runs.
    pub(crate) fn reaper_lock(&self) -> PathBuf {
        self.path.join("reaper.lock")
    }

    /// Exists from just before PostgreSQL is started until its pid file reports that it is ready.
    pub(crate) fn starting_marker(&self) -> PathBuf {
        self.path.join("starting")
    }

    /// A directory that only the account can enter, with a path short enough for a socket address.
    pub(crate) fn socket_dir(&self, account: &Account) -> PathBuf {
        PathBuf::from(format!("/tmp/grateful-{}-{}", account.uid, short_hash(&self.path)))
    }

    /// The major version of PostgreSQL that created the data, if there are any.
    pub(crate) fn major_version(&self) -> Option<u32> {
        fs::read_to_string(self.data_dir().join("PG_VERSION")).ok()?.trim().parse().ok()
    }

    /// Creates this directory and writes its path to a file `where` in the requested one.
    fn create_with_note_in(self, requested: &Path, account: &Account) -> Result<Self, Error> {
        let create = |path: &Path| {
            fs::create_dir_all(path)?;
            // Regardless of the umask: the account has to enter.
            fs::set_permissions(path, Permissions::from_mode(0o755))
        };
        let parent = Path::new(FALLBACK_PARENT);
        create(parent).map_err(Error::io("create", parent))?;
        create(&self.path).map_err(Error::io("create", &self.path))?;
        let note = format!(
            "PostgreSQL runs as the account `{}`, which cannot enter this directory.\n\
             The database is in {}.\n",
            account.name,
            self.path.display()
        );
        let file = requested.join("where");
        fs::write(&file, note).map_err(Error::io("write", &file))?;
        Ok(self)
    }
}

/// Creates a directory that only the account can enter. An existing directory is restricted to the account, if it belongs
/// to the account or the current user.
pub(crate) fn private_dir(path: &Path, account: &Account) -> Result<(), Error> {
    match DirBuilder::new().mode(0o700).create(path) {
        Ok(()) => {}
        Err(_) if path.symlink_metadata().is_ok_and(|metadata| metadata.is_dir()) => {
            account.check_owner(path)?;
            let private = Permissions::from_mode(0o700);
            fs::set_permissions(path, private).map_err(Error::io("restrict access to", path))?;
        }
        Err(error) => return Err(Error::io("create", path)(error)),
    }
    account.take_ownership(path)
}

fn has_room(directory: &Path) -> bool {
    statvfs(directory).is_ok_and(|free| {
        u128::from(free.blocks_available()) * u128::from(free.fragment_size()) >= MIN_FREE_BYTES
    })
}
