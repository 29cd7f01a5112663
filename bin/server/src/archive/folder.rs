//! A backup in a folder. A later run writes a new snapshot of the database into it, and copies only uploads that it lacks.

use std::collections::HashMap;
use std::fs::{self, File, TryLockError};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail, ensure};
use sha2::Digest as _;

use super::hashing::{HashingReader, hex};
use super::manifest::parse_checksums;
use super::partial_file::create_private;
use super::path_set::path_hash;
use super::{HEADER, MANIFEST, Manifest, PathSet, SNAPSHOT, UPLOADS};

/// A folder that is locked by this process.
pub(super) struct Folder {
    path: PathBuf,
    /// The checksums of uploads in the last complete backup of this folder, by the hashes of their names.
    previous: HashMap<u128, String>,
    _lock: File,
}

impl Folder {
    /// Opens or creates the folder.
    ///
    /// # Errors
    /// It contains other files, or another backup writes to it.
    pub(super) fn open(path: &Path) -> anyhow::Result<Self> {
        let cannot_use = || format!("cannot use the folder {}", path.display());
        fs::create_dir_all(path).with_context(cannot_use)?;
        let mut names = fs::read_dir(path).with_context(cannot_use)?.flatten();
        let is_foreign = !path.join(HEADER).exists()
            && names.any(|entry| !entry.file_name().as_encoded_bytes().starts_with(b"."));
        ensure!(
            !is_foreign,
            "{} has other files and is no backup: name a new folder",
            path.display()
        );
        let lock = create_private(&path.join(".lock")).with_context(cannot_use)?;
        match lock.try_lock() {
            Ok(()) => (),
            Err(TryLockError::WouldBlock) => {
                bail!("another backup is writing to {}", path.display())
            }
            Err(TryLockError::Error(error)) => return Err(error).with_context(cannot_use),
        }
        let mut folder = Self { path: path.to_owned(), previous: HashMap::new(), _lock: lock };
        folder.read_previous();
        Ok(folder)
    }

    /// Reads the checksums of the last complete backup. Lists that cannot be read are ignored: their uploads are copied again
    /// if they are damaged.
    fn read_previous(&mut self) {
        let manifest = fs::read(self.path.join(MANIFEST)).unwrap_or_default();
        let Ok(manifest) = serde_json::from_slice::<Manifest>(&manifest) else { return };
        for list in manifest.uploads.lists {
            let text = fs::read_to_string(self.path.join(list.name)).unwrap_or_default();
            let checksums = parse_checksums(&text).flatten();
            let checksums = checksums.map(|(sum, name)| (path_hash(name), sum.to_owned()));
            self.previous.extend(checksums);
        }
    }

    /// Whether the folder has a file of this size under the name. Files get their names when they are complete.
    pub(super) fn has(&self, name: &str, size: u64) -> bool {
        fs::metadata(self.path.join(name)).is_ok_and(|file| file.is_file() && file.len() == size)
    }

    /// The checksum of a file that an earlier run has copied. `None` if it is missing, has another size, or differs from its
    /// checksum in the last complete backup.
    pub(super) fn reuse(&self, name: &str, size: u64) -> anyhow::Result<Option<String>> {
        if !self.has(name, size) {
            return Ok(None);
        }
        let path = self.path.join(name);
        let cannot_read = || format!("cannot read {}", path.display());
        let mut content = HashingReader::new(File::open(&path).with_context(cannot_read)?);
        io::copy(&mut content, &mut io::sink()).with_context(cannot_read)?;
        let checksum = hex(&content.hash.finalize());
        let is_whole = self.previous.get(&path_hash(name)).is_none_or(|sum| *sum == checksum);
        Ok(is_whole.then_some(checksum))
    }

    /// Writes a file under a temporary name, and renames it when it is on the disk.
    pub(super) fn write(&self, name: &str, content: &mut impl Read) -> anyhow::Result<()> {
        let path = self.path.join(name);
        let partial = self.path.join(".partial");
        let parent = path.parent().context("a name has a folder")?;
        fs::create_dir_all(parent)?;
        let mut file = create_private(&partial)?;
        file.set_len(0)?;
        io::copy(content, &mut file)?;
        file.sync_all()?;
        fs::rename(&partial, &path)?;
        Ok(File::open(parent)?.sync_all()?)
    }

    /// Removes older snapshots and uploads that the new backup does not contain, after its manifest is written.
    pub(super) fn remove_outdated(&self, snapshot: &str, included: &PathSet) -> anyhow::Result<()> {
        for entry in fs::read_dir(&self.path)? {
            let entry = entry?;
            let name = entry.file_name().to_string_lossy().into_owned();
            if name.starts_with(SNAPSHOT) && name != snapshot {
                fs::remove_dir_all(entry.path())?;
            }
        }
        self.remove_uploads_except(&self.path.join(UPLOADS), included)
    }

    fn remove_uploads_except(&self, directory: &Path, included: &PathSet) -> anyhow::Result<()> {
        let Ok(entries) = fs::read_dir(directory) else { return Ok(()) };
        for entry in entries {
            let path = entry?.path();
            if path.is_dir() {
                self.remove_uploads_except(&path, included)?;
                continue;
            }
            let name = path.strip_prefix(self.path.join(UPLOADS))?.to_string_lossy();
            if !included.contains(&name) {
                fs::remove_file(&path)?;
            }
        }
        Ok(())
    }
}
