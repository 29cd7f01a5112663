//! Who PostgreSQL runs as: the user, or for root, whom PostgreSQL refuses, an account without rights.

use std::fs;
use std::os::unix::fs::{MetadataExt, chown};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};

use nix::unistd::{User, geteuid};

use crate::Error;

/// The account that runs PostgreSQL and owns its files.
#[derive(Debug, Clone)]
pub(crate) struct Account {
    pub(crate) name: String,
    pub(crate) uid: u32,
    gid: u32,
    /// Whether root stands in for it.
    switched: bool,
}

impl Account {
    pub(crate) fn choose() -> Result<Self, Error> {
        if geteuid().is_root() {
            // initdb looks its own account up, so a bare user id would not do.
            let found =
                ["postgres", "nobody"].into_iter().find_map(|name| User::from_name(name).ok()?);
            let account = found.map(|user| Self::of(user, true)).ok_or(Error::NoAccount)?;
            let works = account.can_enter(Path::new("/"));
            return if works {
                Ok(account)
            } else {
                Err(Error::CannotSwitch { account: account.name })
            };
        }
        let known = User::from_uid(geteuid()).ok().flatten();
        Ok(known.map_or_else(Self::without_entry, |user| Self::of(user, false)))
    }

    fn of(user: User, switched: bool) -> Self {
        Self { name: user.name, uid: user.uid.as_raw(), gid: user.gid.as_raw(), switched }
    }

    fn without_entry() -> Self {
        let uid = geteuid().as_raw();
        Self { name: uid.to_string(), uid, gid: uid, switched: false }
    }

    pub(crate) fn is_switched(&self) -> bool {
        self.switched
    }

    /// A command that runs as this account, in `folder`, and hears nothing from the caller's surroundings.
    pub(crate) fn command(&self, program: impl AsRef<Path>, folder: &Path) -> Command {
        let mut command = Command::new(program.as_ref());
        if self.switched {
            command.uid(self.uid).gid(self.gid);
        }
        let of_postgres = |name: &str| name.starts_with("PG") || name.starts_with("LC_");
        for (name, _) in std::env::vars_os() {
            if name.to_str().is_some_and(of_postgres) {
                command.env_remove(name);
            }
        }
        // Under systemd, PostgreSQL would otherwise report itself ready in our name.
        command.env_remove("NOTIFY_SOCKET");
        command.env("LC_ALL", "C").env("TZ", "UTC").env("HOME", folder).env("USER", &self.name);
        command.current_dir(folder).stdin(Stdio::null());
        command
    }

    /// Hands a file or folder that the caller made to the account.
    pub(crate) fn own(&self, path: &Path) -> Result<(), Error> {
        if !self.switched {
            return Ok(());
        }
        chown(path, Some(self.uid), Some(self.gid)).map_err(Error::io("hand over", path))
    }

    /// Refuses what belongs to neither the caller nor the account.
    pub(crate) fn check_owner(&self, path: &Path) -> Result<(), Error> {
        let owner = fs::symlink_metadata(path).map_err(Error::io("look at", path))?.uid();
        let ours = owner == self.uid || owner == geteuid().as_raw();
        if ours { Ok(()) } else { Err(Error::Foreign { path: path.to_owned(), owner }) }
    }

    /// Whether the account can get into the folder. Asked of the kernel, since access lists and mounts have a say too.
    pub(crate) fn can_enter(&self, folder: &Path) -> bool {
        if !self.switched {
            return true;
        }
        self.command("/bin/sh", folder).args(["-c", ":"]).status().is_ok()
    }
}
