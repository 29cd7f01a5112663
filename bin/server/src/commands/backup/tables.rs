//! The tables of a backup: rows in PostgreSQL's text format for COPY, compressed.

use std::io::Write as _;
use std::pin::pin;

use anyhow::Context as _;
use flate2::Compression;
use flate2::write::GzEncoder;
use futures_util::StreamExt as _;
use grateful_storage::{DatabaseSnapshot, TableColumns};

use super::Backup;
use crate::archive::ArchiveWriter;
use crate::commands::progress::ByteProgress;

/// A part of a table ends at this size in bytes, compressed. It is in memory until then.
const PART_BYTES: usize = 4 << 20;

/// Compressed rows on their way into a part.
struct Part {
    encoder: GzEncoder<Vec<u8>>,
    rows: u64,
}

impl Part {
    fn new() -> Self {
        Self { encoder: GzEncoder::new(Vec::new(), Compression::fast()), rows: 0 }
    }

    fn is_full(&self) -> bool {
        PART_BYTES <= self.encoder.get_ref().len()
    }

    fn write(self, writer: &mut ArchiveWriter) -> anyhow::Result<()> {
        writer.rows(self.rows, &self.encoder.finish()?)
    }
}

impl Backup {
    /// Copies the tables, and what the manifest says of the database.
    pub(super) fn copy_tables(
        &self,
        snapshot: &DatabaseSnapshot,
        writer: &mut ArchiveWriter,
    ) -> anyhow::Result<()> {
        let cannot_read = "the database cannot be read";
        let mut progress = ByteProgress::start("database", None);
        for table in snapshot.tables() {
            writer.table(table);
            self.copy_table(snapshot, table, writer, &mut progress)?;
        }
        let manifest = &mut writer.manifest;
        let facts = async {
            // Read after the rows: a sequence that is too low would return ids that exist.
            Ok::<_, grateful_storage::StorageError>((
                snapshot.migrations().await?,
                snapshot.size().await?,
                snapshot.sequences().await?,
            ))
        };
        let (migrations, size, sequences) = self.interrupt.wait(facts)?.context(cannot_read)?;
        manifest.migrations = migrations;
        manifest.database_bytes = size;
        manifest.sequences = sequences.into_iter().map(Into::into).collect();
        Ok(())
    }

    fn copy_table(
        &self,
        snapshot: &DatabaseSnapshot,
        table: &TableColumns,
        writer: &mut ArchiveWriter,
        progress: &mut ByteProgress,
    ) -> anyhow::Result<()> {
        let cannot_read = || format!("the table {} cannot be read", table.name);
        let mut chunks =
            pin!(self.interrupt.wait(snapshot.copy(table))?.with_context(cannot_read)?);
        let mut part = Part::new();
        while let Some(chunk) = self.interrupt.wait(chunks.next())? {
            let chunk = chunk.with_context(cannot_read)?;
            let rows = chunk.as_ref();
            part.encoder.write_all(rows)?;
            // A newline inside a value is escaped.
            part.rows += memchr::memchr_iter(b'\n', rows).count() as u64;
            progress.add(rows.len() as u64);
            if part.is_full() {
                std::mem::replace(&mut part, Part::new()).write(writer)?;
            }
        }
        if part.rows == 0 { Ok(()) } else { part.write(writer) }
    }
}
