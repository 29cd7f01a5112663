//! A PostgreSQL installation on this machine.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::Error;
use crate::account::Account;
use crate::cluster_dir::ClusterDir;
use crate::command::run;

mod npm;
mod search;

pub use search::InstallationSearch;

/// The oldest supported major version.
const MIN_MAJOR_VERSION: u32 = 14;

/// A directory with the programs of one PostgreSQL version, among them `initdb` and `postgres`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Installation {
    bin_dir: PathBuf,
    major_version: u32,
    /// For `LD_LIBRARY_PATH`, if the programs do not find their shared libraries without it.
    lib_dir: Option<PathBuf>,
}

impl Installation {
    /// The newest installation on this machine, fetched with npm if there is none.
    pub fn find() -> Result<Self, Error> {
        InstallationSearch::system().find_newest()
    }

    /// The directory that holds the programs.
    pub fn bin_dir(&self) -> &Path {
        &self.bin_dir
    }

    /// The major version, such as 17.
    pub fn major_version(&self) -> u32 {
        self.major_version
    }

    /// The path of `psql`, `pgbench` or another program, from this installation or from `PATH`.
    pub fn program(&self, name: &str) -> Option<PathBuf> {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let mut directories = vec![self.bin_dir.clone()];
        directories.extend(std::env::split_paths(&path));
        directories
            .into_iter()
            .map(|directory| directory.join(name))
            .find(|program| program.is_file())
    }

    pub(crate) fn command(&self, name: &str, account: &Account, directory: &Path) -> Command {
        let mut command = account.command(self.bin_dir.join(name), directory);
        if let Some(lib_dir) = &self.lib_dir {
            command.env("LD_LIBRARY_PATH", lib_dir);
        }
        command
    }

    /// Fails if the cluster's data was created by another major version.
    pub(crate) fn check_data_version(self, dir: &ClusterDir) -> Result<Self, Error> {
        match dir.major_version() {
            Some(major_version) if major_version != self.major_version => {
                Err(Error::VersionMismatch { data_dir: dir.data_dir(), major_version })
            }
            _ => Ok(self),
        }
    }

    /// Runs `postgres --version` as the account that will run the server.
    fn probe(bin_dir: &Path, account: &Account) -> Result<Self, Error> {
        // Absolute, since the programs run in another working directory.
        let bin_dir = &bin_dir.canonicalize().unwrap_or_else(|_| bin_dir.to_owned());
        let no_programs = || Error::NoPrograms { bin_dir: bin_dir.to_owned() };
        if !bin_dir.join("initdb").is_file() || !bin_dir.join("postgres").is_file() {
            return Err(no_programs());
        }
        let lib_dir = bin_dir.parent().map(|prefix| prefix.join("lib"));
        [None, lib_dir]
            .into_iter()
            .filter_map(|lib_dir| {
                let candidate = Self { bin_dir: bin_dir.to_owned(), major_version: 0, lib_dir };
                let mut postgres = candidate.command("postgres", account, Path::new("/"));
                let output = run(postgres.arg("--version")).ok()?;
                let major_version = parse_major_version(&String::from_utf8_lossy(&output.stdout))?;
                Some(Self { major_version, ..candidate })
            })
            .find(|candidate| candidate.major_version >= MIN_MAJOR_VERSION)
            .ok_or_else(no_programs)
    }
}

/// Parses a line such as `postgres (PostgreSQL) 17.10 (Debian 17.10-1)`.
fn parse_major_version(version: &str) -> Option<u32> {
    let number = version.split_once("(PostgreSQL)")?.1.trim_start();
    number.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)\n", Some(15))]
    #[case("postgres (PostgreSQL) 18beta1\n", Some(18))]
    #[case("postgres (EnterpriseDB)\n", None)]
    fn the_major_version_is_parsed_from_the_version_line(
        #[case] version_line: &str,
        #[case] major_version: Option<u32>,
    ) {
        assert_eq!(parse_major_version(version_line), major_version);
    }
}
