//! Reads a backup, and checks it while doing so.

use std::cell::Cell;
use std::fs::{self, File};
use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};
use std::rc::Rc;

use anyhow::{Context as _, anyhow, ensure};

use super::checker::{Checker, INCOMPLETE};
use super::consumer::Consumer;
use super::manifest::parse_checksums;
use super::{HEADER, MANIFEST, Manifest};

/// A backup in a file or folder.
#[derive(Debug, Clone)]
pub(crate) struct Archive {
    path: PathBuf,
}

impl Archive {
    /// # Errors
    /// The file or folder does not exist.
    pub(crate) fn open(path: &Path) -> anyhow::Result<Self> {
        fs::metadata(path).with_context(|| format!("cannot open {}", path.display()))?;
        Ok(Self { path: path.to_owned() })
    }

    /// The size of the file in bytes. `None` for a folder.
    pub(crate) fn file_size(&self) -> Option<u64> {
        fs::metadata(&self.path).ok().filter(fs::Metadata::is_file).map(|file| file.len())
    }

    /// Reads everything, and returns the manifest, with which all of it agrees.
    ///
    /// # Errors
    /// The archive is no backup, is newer than this program, incomplete or damaged, or the consumer failed.
    pub(crate) fn read(&self, consumer: &mut dyn Consumer) -> anyhow::Result<Manifest> {
        let mut checker = Checker::new(consumer);
        let read = if self.path.is_dir() {
            self.read_folder(&mut checker)
        } else {
            self.read_file(&mut checker)
        };
        if let Some(failure) = checker.failure {
            return Err(failure);
        }
        let manifest = read.and_then(|()| checker.manifest.context(INCOMPLETE));
        manifest
            .with_context(|| self.path.display().to_string())
            .map_err(|error| join_context(&error))
    }

    fn read_file(&self, checker: &mut Checker<'_>) -> anyhow::Result<()> {
        let is_at_end = Rc::new(Cell::new(false));
        let file = File::open(&self.path).context("cannot be opened")?;
        let file = EndReader { inner: file, is_at_end: Rc::clone(&is_at_end) };
        let mut archive = tar::Archive::new(BufReader::with_capacity(1 << 20, file));
        let unreadable = |has_header: bool| match (has_header, is_at_end.get()) {
            (false, _) => anyhow!("is no backup of Grateful"),
            (true, true) => anyhow!(INCOMPLETE),
            (true, false) => anyhow!("is damaged: it is no tar archive any more"),
        };
        for entry in archive.entries().context("cannot be read")? {
            let mut entry = entry.map_err(|_| unreadable(checker.has_header()))?;
            let name = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
            let size = entry.size();
            checker.entry(&name, size, &mut entry)?;
            if checker.manifest.is_some() {
                return Ok(());
            }
        }
        Err(unreadable(checker.has_header()))
    }

    fn read_folder(&self, checker: &mut Checker<'_>) -> anyhow::Result<()> {
        let header = self.path.join(HEADER);
        ensure!(header.is_file(), "is no backup of Grateful");
        self.read_entry(HEADER, checker)?;
        ensure!(self.path.join(MANIFEST).is_file(), INCOMPLETE);
        let manifest = fs::read(self.path.join(MANIFEST)).context("cannot be read")?;
        let manifest: Manifest = serde_json::from_slice(&manifest)
            .ok()
            .context("is damaged: its manifest is invalid")?;
        for list in &manifest.uploads.lists {
            let text = fs::read_to_string(self.path.join(&list.name));
            let text = text.with_context(|| format!("is damaged: {} cannot be read", list.name))?;
            for line in parse_checksums(&text) {
                let (_, name) = line.context("is damaged: a list of checksums is invalid")?;
                self.read_entry(name, checker)?;
            }
            self.read_entry(&list.name, checker)?;
        }
        for part in manifest.tables.iter().flat_map(|table| &table.parts) {
            self.read_entry(&part.name, checker)?;
        }
        self.read_entry(MANIFEST, checker)
    }

    fn read_entry(&self, name: &str, checker: &mut Checker<'_>) -> anyhow::Result<()> {
        let is_safe = Path::new(name)
            .components()
            .all(|part| matches!(part, std::path::Component::Normal(_)));
        ensure!(is_safe, "is damaged: it names a file outside of it");
        let cannot_read = || format!("is damaged: {name} cannot be read");
        let mut file = File::open(self.path.join(name)).with_context(cannot_read)?;
        let size = file.metadata().with_context(cannot_read)?.len();
        checker.entry(name, size, &mut file)
    }
}

/// Makes one sentence of the path of the archive and what is wrong with it.
fn join_context(error: &anyhow::Error) -> anyhow::Error {
    let mut causes = error.chain().map(ToString::to_string);
    let path = causes.next().unwrap_or_default();
    anyhow!("{path} {}", causes.collect::<Vec<_>>().join(": "))
}

/// Notes that the end of the file was reached.
struct EndReader {
    inner: File,
    is_at_end: Rc<Cell<bool>>,
}

impl Read for EndReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.is_at_end.set(read == 0 && !buffer.is_empty());
        Ok(read)
    }
}
