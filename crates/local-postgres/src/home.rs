//! The folder of a cluster: where it lies, and what is in it.

use std::fs::{self, DirBuilder, Permissions};
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};

use nix::sys::statvfs::statvfs;
use nix::unistd::geteuid;

use crate::Error;
use crate::account::Account;
use crate::tag::tag;

/// Where root keeps clusters of folders that PostgreSQL's account cannot enter.
const ELSEWHERE: &str = "/var/lib/grateful-postgres";
/// A memory file system, present on every Linux.
const MEMORY: &str = "/dev/shm";
/// What must be free there: a cluster and some hundred small databases.
const ROOM: u128 = 1 << 30;

/// What becomes of the files when the last user is gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    Keep,
    Remove,
}

/// The folder of a cluster.
#[derive(Debug, Clone)]
pub(crate) struct Home {
    pub(crate) path: PathBuf,
    pub(crate) fate: Fate,
}

impl Home {
    /// The folder itself where PostgreSQL's account can enter it, else one under `/var/lib`.
    pub(crate) fn durable(folder: &Path, account: &Account) -> Result<Self, Error> {
        fs::create_dir_all(folder).map_err(Error::io("create", folder))?;
        let folder = fs::canonicalize(folder).map_err(Error::io("find", folder))?;
        account.check_owner(&folder)?;
        let inside = Self { path: folder, fate: Fate::Keep };
        if !account.is_switched() {
            return Ok(inside);
        }
        let elsewhere =
            Self { path: Path::new(ELSEWHERE).join(tag(&inside.path)), fate: Fate::Keep };
        match (account.can_enter(&inside.path), inside.data().exists()) {
            (true, true) => Ok(inside),
            (true, false) if !elsewhere.data().exists() => Ok(inside),
            (false, true) => {
                Err(Error::Unreachable { path: inside.path, account: account.name.clone() })
            }
            _ => elsewhere.pointed_at_from(&inside.path, account),
        }
    }

    /// In memory when there is room, else in the folder for temporary files; wherever others are already.
    pub(crate) fn throwaway(name: &str, account: &Account) -> Self {
        let name = format!("grateful-test-{}-{}", geteuid(), tag(name));
        let temporary = Some(std::env::temp_dir()).filter(|folder| account.can_enter(folder));
        let in_files = temporary.unwrap_or_else(|| PathBuf::from("/tmp")).join(&name);
        let in_memory = Path::new(MEMORY).join(&name);
        let memory = in_memory.exists() || (!in_files.exists() && has_room(Path::new(MEMORY)));
        Self { path: if memory { in_memory } else { in_files }, fate: Fate::Remove }
    }

    /// Makes the folder where it is missing (again), and refuses one that is not ours.
    pub(crate) fn prepare(&self, account: &Account) -> Result<(), Error> {
        match self.fate {
            // It was made, looked at and left as it is when it was chosen.
            Fate::Keep => Ok(()),
            Fate::Remove => private_folder(&self.path, account),
        }
    }

    /// PostgreSQL's data folder.
    pub(crate) fn data(&self) -> PathBuf {
        self.path.join("cluster")
    }

    pub(crate) fn log(&self) -> PathBuf {
        self.path.join("postgres.log")
    }

    /// Held by whoever creates or starts the cluster.
    pub(crate) fn start_lock(&self) -> PathBuf {
        self.path.join("start.lock")
    }

    /// Shared by all who use the cluster.
    pub(crate) fn users_lock(&self) -> PathBuf {
        self.path.join("users.lock")
    }

    /// Held by the reaper while it lives.
    pub(crate) fn reaper_lock(&self) -> PathBuf {
        self.path.join("reaper.lock")
    }

    /// There while PostgreSQL was begun but has not yet said so in its own pid file.
    pub(crate) fn starting(&self) -> PathBuf {
        self.path.join("starting")
    }

    /// A folder that only the account can enter, short enough for the name of a socket.
    pub(crate) fn socket(&self, account: &Account) -> PathBuf {
        PathBuf::from(format!("/tmp/grateful-{}-{}", account.uid, tag(&self.path)))
    }

    /// The version that made the data, when there are any.
    pub(crate) fn major(&self) -> Option<u32> {
        fs::read_to_string(self.data().join("PG_VERSION")).ok()?.trim().parse().ok()
    }

    fn pointed_at_from(self, folder: &Path, account: &Account) -> Result<Self, Error> {
        let make = |path: &Path| {
            fs::create_dir_all(path)?;
            // Whatever the umask says, the account has to pass here.
            fs::set_permissions(path, Permissions::from_mode(0o755))
        };
        make(Path::new(ELSEWHERE)).map_err(Error::io("create", Path::new(ELSEWHERE)))?;
        make(&self.path).map_err(Error::io("create", &self.path))?;
        let note = format!(
            "PostgreSQL runs as the account `{}`, which cannot enter this folder.\n\
             The database is in {}.\n",
            account.name,
            self.path.display()
        );
        let file = folder.join("where");
        fs::write(&file, note).map_err(Error::io("write", &file))?;
        Ok(self)
    }
}

/// Makes a folder that only the account can enter, or takes the one that is there if it is the account's own.
pub(crate) fn private_folder(path: &Path, account: &Account) -> Result<(), Error> {
    match DirBuilder::new().mode(0o700).create(path) {
        Ok(()) => {}
        Err(_) if path.symlink_metadata().is_ok_and(|found| found.is_dir()) => {
            account.check_owner(path)?;
            let private = Permissions::from_mode(0o700);
            fs::set_permissions(path, private).map_err(Error::io("close to others", path))?;
        }
        Err(error) => return Err(Error::io("create", path)(error)),
    }
    account.own(path)
}

fn has_room(folder: &Path) -> bool {
    statvfs(folder).is_ok_and(|free| {
        u128::from(free.blocks_available()) * u128::from(free.fragment_size()) >= ROOM
    })
}
