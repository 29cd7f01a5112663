//! Writes a backup.

use std::fmt::Write as _;
use std::io::Read;

use chrono::{DateTime, Utc};
use grateful_storage::TableColumns;

use super::manifest::{Header, Part, Table, to_text};
use super::output::Output;
use super::{HEADER, MANIFEST, Manifest, PathSet, SNAPSHOT, Target, UPLOADS, UPLOADS_PER_LIST};

/// A backup that is being written: the uploads first, then the tables, then [`ArchiveWriter::finish`].
pub(crate) struct ArchiveWriter {
    output: Output,
    pub(crate) manifest: Manifest,
    included: PathSet,
    /// The lines of the next list of checksums.
    checksums: String,
    listed: usize,
}

impl ArchiveWriter {
    pub(crate) fn create(target: &Target, now: DateTime<Utc>) -> anyhow::Result<Self> {
        let mut output = Output::create(target)?;
        let header = to_text(&Header::current())?;
        output.entry(HEADER, header.len() as u64, &mut header.as_slice())?;
        let snapshot = format!("{SNAPSHOT}{}", now.format("%Y%m%dT%H%M%S%.6fZ"));
        let manifest = Manifest::new(now, snapshot);
        let (included, checksums) = (PathSet::default(), String::new());
        Ok(Self { output, manifest, included, checksums, listed: 0 })
    }

    /// Whether the archive has this upload already.
    pub(crate) fn includes(&self, path: &str) -> bool {
        self.included.contains(path)
    }

    /// Whether an earlier run has copied this upload into the folder.
    pub(crate) fn has_copy(&mut self, path: &str, size: u64) -> bool {
        let name = format!("{UPLOADS}{path}");
        self.output.folder().is_some_and(|folder| folder.has(&name, size))
    }

    /// Includes an upload that an earlier run has copied. Returns whether it is whole.
    pub(crate) fn reuse(&mut self, path: &str, size: u64) -> anyhow::Result<bool> {
        let name = format!("{UPLOADS}{path}");
        let Some(folder) = self.output.folder() else { return Ok(false) };
        let Some(checksum) = folder.reuse(&name, size)? else { return Ok(false) };
        self.include(path, size, &checksum)?;
        Ok(true)
    }

    /// Writes an upload.
    pub(crate) fn upload(
        &mut self,
        path: &str,
        size: u64,
        content: &mut dyn Read,
    ) -> anyhow::Result<()> {
        let checksum = self.output.entry(&format!("{UPLOADS}{path}"), size, content)?;
        self.include(path, size, &checksum)
    }

    fn include(&mut self, path: &str, size: u64, checksum: &str) -> anyhow::Result<()> {
        self.included.insert(path);
        self.manifest.uploads.files += 1;
        self.manifest.uploads.bytes += size;
        _ = writeln!(self.checksums, "{checksum}  {UPLOADS}{path}");
        self.listed += 1;
        if self.listed == UPLOADS_PER_LIST { self.write_checksums() } else { Ok(()) }
    }

    fn write_checksums(&mut self) -> anyhow::Result<()> {
        let text = std::mem::take(&mut self.checksums);
        self.listed = 0;
        let number = self.manifest.uploads.lists.len() + 1;
        let name = format!("{}/checksums/{number:06}.sha256", self.manifest.snapshot);
        let list = self.part(name, text.as_bytes())?;
        self.manifest.uploads.lists.push(list);
        Ok(())
    }

    /// Starts a table, whose rows follow.
    pub(crate) fn table(&mut self, table: &TableColumns) {
        let TableColumns { name, columns } = table.clone();
        self.manifest.tables.push(Table { name, columns, rows: 0, parts: Vec::new() });
    }

    /// Writes compressed rows of the table that was started last.
    pub(crate) fn rows(&mut self, count: u64, compressed: &[u8]) -> anyhow::Result<()> {
        let Some(table) = self.manifest.tables.last() else { return Ok(()) };
        let number = table.parts.len() + 1;
        let folder = format!("{}/tables/{}", self.manifest.snapshot, table.name);
        let part = self.part(format!("{folder}/{number:06}.copy.gz"), compressed)?;
        if let Some(table) = self.manifest.tables.last_mut() {
            table.rows += count;
            table.parts.push(part);
        }
        Ok(())
    }

    fn part(&mut self, name: String, content: &[u8]) -> anyhow::Result<Part> {
        let bytes = content.len() as u64;
        let sha256 = self.output.entry(&name, bytes, &mut &*content)?;
        Ok(Part { name, bytes, sha256 })
    }

    /// Writes what is left of the checksums of uploads. No upload may follow.
    pub(crate) fn finish_uploads(&mut self) -> anyhow::Result<()> {
        if self.listed == 0 { Ok(()) } else { self.write_checksums() }
    }

    /// Writes the manifest, which makes the backup complete.
    pub(crate) fn finish(mut self) -> anyhow::Result<Manifest> {
        let text = to_text(&self.manifest)?;
        self.output.entry(MANIFEST, text.len() as u64, &mut text.as_slice())?;
        if let Some(folder) = self.output.folder() {
            folder.remove_outdated(&self.manifest.snapshot, &self.included)?;
        }
        self.output.finish()?;
        Ok(self.manifest)
    }
}
