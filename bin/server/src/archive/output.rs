//! Where a backup is written to.

use std::io::{self, BufWriter, IsTerminal as _, Read, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail, ensure};
use sha2::Digest as _;
use tar::{Builder, EntryType, Header};

use super::folder::Folder;
use super::hashing::{HashingReader, hex};
use super::partial_file::PartialFile;

/// The argument of `grateful backup`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Target {
    /// `-`: standard output.
    Stdout,
    File(PathBuf),
    /// An existing directory, or a path that ends with a slash.
    Folder(PathBuf),
}

impl Target {
    pub(crate) fn parse(path: &Path) -> Self {
        let text = path.as_os_str().as_encoded_bytes();
        if text == b"-" {
            Self::Stdout
        } else if path.is_dir() || text.ends_with(b"/") {
            Self::Folder(path.to_owned())
        } else {
            Self::File(path.to_owned())
        }
    }

    /// The directory whose file system gets the archive.
    pub(crate) fn directory(&self) -> Option<PathBuf> {
        match self {
            Self::Stdout => None,
            Self::Folder(path) => Some(path.clone()),
            Self::File(path) => {
                let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
                Some(parent.unwrap_or(Path::new(".")).to_owned())
            }
        }
    }
}

/// An archive that is being written.
pub(super) enum Output {
    Stream(Builder<BufWriter<io::Stdout>>),
    File(PartialFile),
    Folder(Folder),
}

impl Output {
    pub(super) fn create(target: &Target) -> anyhow::Result<Self> {
        match target {
            Target::Stdout if io::stdout().is_terminal() => {
                bail!("standard output is a terminal: redirect it to a file or another program")
            }
            Target::Stdout => Ok(Self::Stream(Builder::new(BufWriter::new(io::stdout())))),
            Target::File(path) => PartialFile::create(path).map(Self::File),
            Target::Folder(path) => Folder::open(path).map(Self::Folder),
        }
    }

    /// Writes an entry, and returns its checksum.
    ///
    /// # Errors
    /// The content cannot be read or written, or its length is not `size`.
    pub(super) fn entry(
        &mut self,
        name: &str,
        size: u64,
        content: &mut dyn Read,
    ) -> anyhow::Result<String> {
        let mut content = HashingReader::new(content);
        match self {
            Self::Stream(archive) => append(archive, name, size, &mut content),
            Self::File(file) => append(&mut file.archive, name, size, &mut content),
            Self::Folder(folder) => folder.write(name, &mut content),
        }
        .with_context(|| format!("cannot write {name} to the backup"))?;
        let HashingReader { hash, bytes, .. } = content;
        ensure!(bytes == size, "{name} changed while it was read");
        Ok(hex(&hash.finalize()))
    }

    /// The folder, if the archive is one.
    pub(super) fn folder(&mut self) -> Option<&mut Folder> {
        match self {
            Self::Folder(folder) => Some(folder),
            Self::Stream(_) | Self::File(_) => None,
        }
    }

    /// Ends the archive after its last entry, and gives a file its name.
    pub(super) fn finish(self) -> anyhow::Result<()> {
        match self {
            Self::Stream(archive) => {
                let written = archive.into_inner().and_then(|mut output| output.flush());
                written.context("cannot write the backup to standard output")
            }
            Self::File(file) => file.finish(),
            Self::Folder(_) => Ok(()),
        }
    }
}

fn append(
    archive: &mut Builder<impl Write>,
    name: &str,
    size: u64,
    content: &mut impl Read,
) -> anyhow::Result<()> {
    let mut header = Header::new_gnu();
    header.set_entry_type(EntryType::Regular);
    header.set_mode(0o600);
    header.set_size(size);
    Ok(archive.append_data(&mut header, name, content)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_target_is_a_folder_if_it_is_one_or_ends_with_a_slash() {
        let directory = tempfile::tempdir().unwrap();
        let inside = |name: &str| directory.path().join(name);

        assert_eq!(Target::parse(Path::new("-")), Target::Stdout);
        assert_eq!(Target::parse(directory.path()), Target::Folder(directory.path().to_owned()));
        assert_eq!(Target::parse(&inside("new/")), Target::Folder(inside("new/")));
        assert_eq!(Target::parse(&inside("new.tar")), Target::File(inside("new.tar")));
    }
}
