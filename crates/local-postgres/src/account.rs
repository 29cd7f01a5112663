//! The operating-system account that runs PostgreSQL.
//!
//! Usually the current user. PostgreSQL refuses to run as root, so root runs it as an unprivileged account.

use std::fs;
use std::os::unix::fs::{MetadataExt, chown};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};

use nix::unistd::{User, getegid, geteuid};

use crate::Error;

/// The account that runs PostgreSQL and owns its files.
#[derive(Debug, Clone)]
pub(crate) struct Account {
    pub(crate) name: String,
    pub(crate) uid: u32,
    gid: u32,
    /// Whether the password file has an entry for it. `initdb` needs one, and a running server does not.
    is_named: bool,
    /// Whether the current process is root and has to switch to this account.
    needs_switch: bool,
}

impl Account {
    /// The current user, or an unprivileged account when the current user is root.
    pub(crate) fn choose() -> Result<Self, Error> {
        if geteuid().is_root() {
            // initdb looks up its own account, so a user id without a name is not enough.
            let found =
                ["postgres", "nobody"].into_iter().find_map(|name| User::from_name(name).ok()?);
            let account = found.map(|user| Self::from_user(user, true)).ok_or(Error::NoAccount)?;
            let can_switch = account.can_enter(Path::new("/"));
            return if can_switch {
                Ok(account)
            } else {
                Err(Error::CannotSwitchUser { account: account.name })
            };
        }
        let user = User::from_uid(geteuid()).ok().flatten();
        Ok(user.map_or_else(Self::without_passwd_entry, |user| Self::from_user(user, false)))
    }

    fn from_user(user: User, needs_switch: bool) -> Self {
        let (uid, gid) = (user.uid.as_raw(), user.gid.as_raw());
        Self { name: user.name, uid, gid, is_named: true, needs_switch }
    }

    fn without_passwd_entry() -> Self {
        let (uid, gid) = (geteuid().as_raw(), getegid().as_raw());
        Self { name: uid.to_string(), uid, gid, is_named: false, needs_switch: false }
    }

    /// Fails if the account cannot create a cluster.
    pub(crate) fn check_can_create(&self) -> Result<(), Error> {
        let Self { uid, gid, .. } = *self;
        if self.is_named { Ok(()) } else { Err(Error::NoPasswdEntry { uid, gid }) }
    }

    pub(crate) fn needs_switch(&self) -> bool {
        self.needs_switch
    }

    /// A command that runs as this account in `directory`, without the caller's PostgreSQL and locale variables.
    pub(crate) fn command(&self, program: impl AsRef<Path>, directory: &Path) -> Command {
        let mut command = Command::new(program.as_ref());
        if self.needs_switch {
            command.uid(self.uid).gid(self.gid);
        }
        let affects_postgres = |name: &str| name.starts_with("PG") || name.starts_with("LC_");
        for (name, _) in std::env::vars_os() {
            if name.to_str().is_some_and(affects_postgres) {
                command.env_remove(name);
            }
        }
        // Under systemd, PostgreSQL would otherwise report readiness on behalf of this process.
        command.env_remove("NOTIFY_SOCKET");
        command.env("LC_ALL", "C").env("TZ", "UTC").env("HOME", directory).env("USER", &self.name);
        command.current_dir(directory).stdin(Stdio::null());
        command
    }

    /// Gives the account ownership of a file or directory that the caller created.
    pub(crate) fn take_ownership(&self, path: &Path) -> Result<(), Error> {
        if !self.needs_switch {
            return Ok(());
        }
        chown(path, Some(self.uid), Some(self.gid)).map_err(Error::io("change the owner of", path))
    }

    /// Fails unless the path belongs to the current user or the account.
    pub(crate) fn check_owner(&self, path: &Path) -> Result<(), Error> {
        let owner = fs::symlink_metadata(path).map_err(Error::io("read the owner of", path))?.uid();
        let is_ours = owner == self.uid || owner == geteuid().as_raw();
        if is_ours { Ok(()) } else { Err(Error::WrongOwner { path: path.to_owned(), owner }) }
    }

    /// Whether the account can enter the directory. Runs a shell there, since access lists and mount options count too.
    pub(crate) fn can_enter(&self, directory: &Path) -> bool {
        if !self.needs_switch {
            return true;
        }
        self.command("/bin/sh", directory).args(["-c", ":"]).status().is_ok()
    }
}
