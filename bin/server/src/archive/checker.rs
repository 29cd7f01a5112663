//! Compares the entries of a backup with its checksums, in the order in which they were written.

use std::fmt::Write as _;
use std::io::{self, Read};

use anyhow::{Context as _, bail, ensure};
use sha2::Digest as _;

use super::consumer::Consumer;
use super::hashing::{HashingReader, hex};
use super::manifest::{Header, Part};
use super::{FORMAT, HEADER, MANIFEST, Manifest, UPLOADS, Uploads};

/// What was read so far.
pub(super) struct Checker<'a> {
    consumer: &'a mut dyn Consumer,
    has_header: bool,
    /// The checksums of uploads since the last list.
    checksums: String,
    uploads: Uploads,
    parts: Vec<Part>,
    pub(super) manifest: Option<Manifest>,
    /// Why the consumer failed, which is no fault of the archive.
    pub(super) failure: Option<anyhow::Error>,
}

/// No entry other than an upload is larger: 16 MiB.
const MAX_PART_BYTES: u64 = 16 << 20;

impl<'a> Checker<'a> {
    pub(super) fn new(consumer: &'a mut dyn Consumer) -> Self {
        Self {
            consumer,
            has_header: false,
            checksums: String::new(),
            uploads: Uploads::default(),
            parts: Vec::new(),
            manifest: None,
            failure: None,
        }
    }

    /// Reads an entry, passes it on, and checks it. The errors continue the name of the archive.
    pub(super) fn entry(
        &mut self,
        name: &str,
        size: u64,
        content: &mut dyn Read,
    ) -> anyhow::Result<()> {
        if !self.has_header {
            return self.header(name, content);
        }
        if let Some(path) = name.strip_prefix(UPLOADS) {
            return self.upload(path, size, content);
        }
        ensure!(size <= MAX_PART_BYTES, "is damaged: {name} is too large");
        let mut hashing = HashingReader::new(content);
        let mut kept = Vec::new();
        let kinds: Vec<&str> = name.split('/').collect();
        match kinds[..] {
            [MANIFEST] => _ = hashing.read_to_end(&mut kept).context("cannot be read")?,
            [_, "checksums", _] => {
                hashing.read_to_end(&mut kept).context("cannot be read")?;
                let is_equal = kept == std::mem::take(&mut self.checksums).into_bytes();
                ensure!(is_equal, "is damaged: an upload differs from its checksum in {name}");
            }
            [_, "tables", table, _] => {
                let consumed = self.consumer.rows(table, &mut hashing);
                self.note_failure(consumed)?;
            }
            _ => bail!("is damaged: it contains an unknown entry"),
        }
        let part = finish(name, size, hashing)?;
        if name == MANIFEST {
            self.check_manifest(&kept)
        } else {
            self.parts.push(part);
            Ok(())
        }
    }

    fn header(&mut self, name: &str, content: &mut dyn Read) -> anyhow::Result<()> {
        let mut text = Vec::new();
        let read = content.take(MAX_PART_BYTES).read_to_end(&mut text);
        let header = serde_json::from_slice::<Header>(&text).ok();
        let Some(header) =
            header.filter(|header| name == HEADER && read.is_ok() && 0 < header.format)
        else {
            bail!("is no backup of Grateful");
        };
        ensure!(
            header.format <= FORMAT,
            "was written by a newer version of Grateful ({}) in format {}; this version reads format {FORMAT}",
            header.program,
            header.format
        );
        self.has_header = true;
        Ok(())
    }

    fn upload(&mut self, path: &str, size: u64, content: &mut dyn Read) -> anyhow::Result<()> {
        let is_safe = path.split('/').all(|part| !part.is_empty() && !part.starts_with('.'));
        ensure!(is_safe, "is damaged: it contains an upload with an invalid name");
        let mut hashing = HashingReader::new(content);
        let consumed = self.consumer.upload(path, size, &mut hashing);
        self.note_failure(consumed)?;
        let name = format!("{UPLOADS}{path}");
        let Part { sha256, bytes, .. } = finish(&name, size, hashing)?;
        _ = writeln!(self.checksums, "{sha256}  {name}");
        self.uploads.files += 1;
        self.uploads.bytes += bytes;
        Ok(())
    }

    fn check_manifest(&mut self, text: &[u8]) -> anyhow::Result<()> {
        let manifest: Manifest =
            serde_json::from_slice(text).ok().context("is damaged: its manifest is invalid")?;
        let tables = manifest.tables.iter().flat_map(|table| &table.parts);
        let parts: Vec<&Part> = manifest.uploads.lists.iter().chain(tables).collect();
        let differing = parts.iter().zip(&self.parts).find(|(listed, read)| **listed != *read);
        if let Some((part, _)) = differing {
            bail!("is damaged: {} differs from its checksum", part.name);
        }
        let Uploads { files, bytes, .. } = self.uploads;
        let is_complete = parts.len() == self.parts.len()
            && self.checksums.is_empty()
            && (files, bytes) == (manifest.uploads.files, manifest.uploads.bytes);
        ensure!(is_complete, "is damaged: its content differs from its manifest");
        self.manifest = Some(manifest);
        Ok(())
    }

    fn note_failure(&mut self, consumed: anyhow::Result<()>) -> anyhow::Result<()> {
        consumed.or_else(|failure| {
            self.failure = Some(failure);
            bail!("cannot be used")
        })
    }

    /// Whether anything of a backup was read.
    pub(super) fn has_header(&self) -> bool {
        self.has_header
    }
}

/// Reads what the consumer has left, and returns the checksum.
fn finish<R: Read>(name: &str, size: u64, mut hashing: HashingReader<R>) -> anyhow::Result<Part> {
    io::copy(&mut hashing, &mut io::sink()).context("cannot be read")?;
    let HashingReader { hash, bytes, .. } = hashing;
    ensure!(bytes == size, INCOMPLETE);
    Ok(Part { name: name.to_owned(), bytes, sha256: hex(&hash.finalize()) })
}

pub(super) const INCOMPLETE: &str =
    "is incomplete: its backup was interrupted, or the end of the file is missing";
