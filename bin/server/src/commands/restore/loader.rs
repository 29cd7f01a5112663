//! Loads a backup into the database and the uploads. The database gets its rows in one transaction, committed at the end.

use std::collections::HashMap;
use std::io::Read;

use anyhow::{Context as _, ensure};
use flate2::read::MultiGzDecoder;
use futures_util::TryStreamExt as _;
use grateful_storage::{DatabaseRestore, TableCopy};
use object_store::path::Path;
use object_store::{MultipartUpload as _, ObjectStore, ObjectStoreExt as _, PutPayload};
use tokio::task::JoinSet;

use super::RestoreTarget;
use crate::archive::{Archive, Consumer, Manifest, PathSet};
use crate::commands::interrupt::Interrupt;
use crate::commands::progress::ByteProgress;
use crate::file_store::FileStore;

/// How many files are written at once. A bucket takes a while to answer.
const CONCURRENT_WRITES: usize = 8;

/// Files up to this size in bytes are written at once, larger ones in parts of it.
const PART_BYTES: u64 = 8 << 20;

/// How many bytes of rows are sent at once.
const ROWS_BYTES: u64 = 256 << 10;

/// Restores the entries of an archive as they are read.
pub(super) struct Loader<'a> {
    files: FileStore,
    manifest: &'a Manifest,
    interrupt: &'a Interrupt,
    progress: ByteProgress,
    database: DatabaseRestore,
    /// The table that is being filled.
    table: Option<(String, TableCopy)>,
    rows: HashMap<String, u64>,
    writes: JoinSet<anyhow::Result<()>>,
    written: PathSet,
}

impl<'a> Loader<'a> {
    /// Loads everything, or removes what it has written.
    pub(super) fn load(
        target: &RestoreTarget,
        archive: &Archive,
        manifest: &'a Manifest,
        interrupt: &'a Interrupt,
    ) -> anyhow::Result<()> {
        let database = interrupt.wait(begin(&target.url))??;
        let mut loader = Self {
            files: target.files.clone(),
            manifest,
            interrupt,
            progress: ByteProgress::start("restoring", Some(manifest.content_bytes())),
            database,
            table: None,
            rows: HashMap::new(),
            writes: JoinSet::new(),
            written: PathSet::default(),
        };
        let loaded = archive.read(&mut loader).and_then(|_| loader.finish_writes());
        let Self { table, database, rows, written, mut writes, .. } = loader;
        let committed =
            loaded.and_then(|()| interrupt.wait(commit(database, table, rows, manifest))?);
        if committed.is_err() {
            interrupt.handle.block_on(async {
                // Each write ends, so that its file is found below.
                while writes.join_next().await.is_some() {}
                remove_written(&target.files, &written).await;
            });
        }
        committed
    }

    fn finish_writes(&mut self) -> anyhow::Result<()> {
        while let Some(written) = self.interrupt.wait(self.writes.join_next())? {
            written??;
        }
        Ok(())
    }

    /// Ends the previous table if this is another one, and returns the copy into this one. `None` for a table that this
    /// program does not have.
    fn copy_into(&mut self, table: &str) -> anyhow::Result<Option<&mut TableCopy>> {
        if self.table.as_ref().is_none_or(|(current, _)| current != table) {
            if let Some((name, copy)) = self.table.take() {
                let rows = self.interrupt.wait(self.database.finish(copy))?;
                self.rows.insert(name.clone(), rows.with_context(|| rejected(&name))?);
            }
            let listed = self.manifest.tables.iter().find(|listed| listed.name == table);
            let columns = listed.context("the backup names no such table")?.columns();
            if !self.database.has_table(&columns) {
                eprintln!(
                    "warning: Grateful has no table {table} with these columns: it is left out"
                );
                return Ok(None);
            }
            let copy = self.interrupt.wait(self.database.copy(&columns))?;
            self.table = Some((table.to_owned(), copy.with_context(|| rejected(table))?));
        }
        Ok(self.table.as_mut().map(|(_, copy)| copy))
    }
}

impl Consumer for Loader<'_> {
    fn upload(&mut self, path: &str, size: u64, content: &mut dyn Read) -> anyhow::Result<()> {
        let location = Path::parse(path).with_context(|| format!("{path} is no path"))?;
        self.written.insert(location.as_ref());
        if PART_BYTES < size {
            write_in_parts(self.interrupt, &self.files, &location, content)?;
        } else {
            let mut bytes = Vec::new();
            content.read_to_end(&mut bytes)?;
            if CONCURRENT_WRITES <= self.writes.len() {
                self.interrupt.wait(self.writes.join_next())?.transpose()?.transpose()?;
            }
            let files = self.files.clone();
            let write = async move {
                let written = files.store.put(&location, PutPayload::from(bytes)).await;
                written.map(|_| ()).with_context(|| format!("{location} cannot be written"))
            };
            self.writes.spawn_on(write, &self.interrupt.handle);
        }
        self.progress.add(size);
        Ok(())
    }

    fn rows(&mut self, table: &str, compressed: &mut dyn Read) -> anyhow::Result<()> {
        let interrupt = self.interrupt;
        let mut counted = CountingReader { inner: compressed, bytes: 0 };
        if let Some(copy) = self.copy_into(table)? {
            let mut rows = MultiGzDecoder::new(&mut counted);
            loop {
                let mut chunk = Vec::new();
                rows.by_ref().take(ROWS_BYTES).read_to_end(&mut chunk)?;
                if chunk.is_empty() {
                    break;
                }
                interrupt.wait(copy.send(chunk))?.with_context(|| rejected(table))?;
            }
        }
        let bytes = counted.bytes;
        self.progress.add(bytes);
        Ok(())
    }
}

fn write_in_parts(
    interrupt: &Interrupt,
    files: &FileStore,
    location: &Path,
    content: &mut dyn Read,
) -> anyhow::Result<()> {
    let cannot_write = || format!("{location} cannot be written");
    let mut upload =
        interrupt.wait(files.store.put_multipart(location))?.with_context(cannot_write)?;
    loop {
        let mut part = Vec::new();
        (&mut *content).take(PART_BYTES).read_to_end(&mut part)?;
        if part.is_empty() {
            break;
        }
        interrupt.wait(upload.put_part(PutPayload::from(part)))?.with_context(cannot_write)?;
    }
    interrupt.wait(upload.complete())?.map(|_| ()).with_context(cannot_write)
}

/// Begins the transaction, unless the database has rows.
async fn begin(url: &str) -> anyhow::Result<DatabaseRestore> {
    let database = DatabaseRestore::begin(url).await.context("the database cannot be filled")?;
    let filled = database.find_filled_table().await.context("the database cannot be read")?;
    if let Some(table) = filled {
        anyhow::bail!(
            "the database is not empty ({table} has rows): restore into an empty database"
        );
    }
    Ok(database)
}

async fn commit(
    mut database: DatabaseRestore,
    last: Option<(String, TableCopy)>,
    mut rows: HashMap<String, u64>,
    manifest: &Manifest,
) -> anyhow::Result<()> {
    if let Some((name, copy)) = last {
        let finished = database.finish(copy).await.with_context(|| rejected(&name))?;
        rows.insert(name, finished);
    }
    for table in &manifest.tables {
        let restored = rows.get(&table.name);
        let is_equal = restored.is_none_or(|restored| *restored == table.rows);
        ensure!(is_equal, "{} has another number of rows than in the backup", table.name);
    }
    let committed = database.commit(&manifest.sequence_states()).await;
    committed.context("the database rejected the backup")
}

fn rejected(table: &str) -> String {
    format!("the database rejected rows of {table}")
}

/// Removes the files of an unfinished restore. Failures are logged.
async fn remove_written(files: &FileStore, written: &PathSet) {
    let mut listed = files.store.list(None);
    while let Ok(Some(meta)) = listed.try_next().await {
        if !written.contains(meta.location.as_ref()) {
            continue;
        }
        if let Err(error) = files.store.delete(&meta.location).await {
            tracing::warn!(
                file.path = %meta.location,
                error = &error as &dyn std::error::Error,
                "A file of the unfinished restore could not be removed"
            );
        }
    }
}

/// Counts what is read.
struct CountingReader<'a> {
    inner: &'a mut dyn Read,
    bytes: u64,
}

impl Read for CountingReader<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.bytes += read as u64;
        Ok(read)
    }
}
