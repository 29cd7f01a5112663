//! A file that is written under another name until it is complete.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, BufWriter, Write as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail, ensure};
use tar::Builder;

/// A file that gets its name when it is complete. Until then it has the extension `partial`, and is removed when this value
/// is dropped.
pub(super) struct PartialFile {
    pub(super) archive: Builder<BufWriter<File>>,
    path: PathBuf,
    partial: PathBuf,
}

impl PartialFile {
    pub(super) fn create(path: &Path) -> anyhow::Result<Self> {
        ensure!(!path.exists(), "{} exists already", path.display());
        let mut partial = path.as_os_str().to_owned();
        partial.push(".partial");
        let partial = PathBuf::from(partial);
        let cannot_write = || format!("cannot write {}", partial.display());
        // Only the operator may read it: it contains password hashes.
        let file = create_private(&partial).with_context(cannot_write)?;
        match file.try_lock() {
            Ok(()) => file.set_len(0).with_context(cannot_write)?,
            Err(TryLockError::WouldBlock) => {
                bail!("another backup is writing {}", partial.display())
            }
            Err(TryLockError::Error(error)) => return Err(error).with_context(cannot_write),
        }
        let archive = Builder::new(BufWriter::with_capacity(1 << 20, file));
        Ok(Self { archive, path: path.to_owned(), partial })
    }

    pub(super) fn finish(mut self) -> anyhow::Result<()> {
        let cannot_write = || format!("cannot write {}", self.partial.display());
        self.archive.finish().with_context(cannot_write)?;
        let output = self.archive.get_mut();
        output.flush().and_then(|()| output.get_ref().sync_all()).with_context(cannot_write)?;
        // Unlike a rename, a link does not replace a file that another process has created meanwhile.
        let linked = fs::hard_link(&self.partial, &self.path);
        let named = match linked {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
                fs::rename(&self.partial, &self.path)
            }
            linked => linked,
        };
        named.with_context(|| format!("cannot create {}", self.path.display()))
    }
}

impl Drop for PartialFile {
    fn drop(&mut self) {
        _ = fs::remove_file(&self.partial);
    }
}

/// Opens a file for writing that only its owner can read. Keeps its content if it exists.
pub(super) fn create_private(path: &Path) -> io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt as _;

    OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unfinished_file_is_removed_and_a_finished_one_replaces_none() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a.tar");
        let names = || std::fs::read_dir(directory.path()).unwrap().count();

        drop(PartialFile::create(&path).unwrap());
        assert_eq!(names(), 0);

        let file = PartialFile::create(&path).unwrap();
        assert!(PartialFile::create(&path).is_err(), "two backups write the same file");
        fs::write(&path, "another file").unwrap();
        assert!(file.finish().is_err());
        assert_eq!((fs::read_to_string(&path).unwrap().as_str(), names()), ("another file", 1));
    }
}
