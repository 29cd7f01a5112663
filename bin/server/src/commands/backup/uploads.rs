//! The uploads of a backup.
//!
//! A file exists from before the row that names it until after that row is gone. All files are copied first, then those that
//! the snapshot of the database names and that are missing from the archive. One of these may be deleted before it is copied:
//! then a later snapshot, which does not name it any more, is taken. So the archive has every file that its rows name,
//! although files are deleted while it is written, and no deletion waits for it.

use std::collections::BTreeSet;
use std::io::{Cursor, Read};
use std::pin::pin;

use anyhow::Context as _;
use futures_util::{StreamExt as _, TryStreamExt as _};
use grateful_application::image_files::{PhotoSize, image_file, parse_image_url, photo_file};
use grateful_application::{Clock as _, SystemClock};
use grateful_storage::{DatabaseSnapshot, FileReference};
use object_store::path::Path;
use object_store::{ObjectMeta, ObjectStore, ObjectStoreExt as _};

use super::Backup;
use crate::archive::ArchiveWriter;
use crate::commands::progress::ByteProgress;
use crate::file_store::FileStore;
use crate::stream_reader::StreamReader;

/// How many files are read from the store at once. A bucket takes a while to answer.
const CONCURRENT_READS: usize = 8;

/// Files up to this size in bytes are read into memory, larger ones a chunk at a time.
const MAX_WHOLE_BYTES: u64 = 4 << 20;

/// What the store has of a file.
enum Fetched {
    /// The folder has it from an earlier run.
    Copied {
        path: String,
        size: u64,
    },
    File {
        path: String,
        size: u64,
        content: Box<dyn Read + Send>,
    },
    /// It was deleted in the meantime.
    Gone(String),
}

/// The total size in bytes of the files that have to be copied.
pub(super) async fn measure(files: &FileStore, writer: &mut ArchiveWriter) -> anyhow::Result<u64> {
    let mut listed = files.store.list(None);
    let mut bytes = 0;
    while let Some(meta) = listed.try_next().await.context("the uploads cannot be listed")? {
        let path = meta.location.as_ref();
        if is_public(path) && !writer.has_copy(path, meta.size) {
            bytes += meta.size;
        }
    }
    Ok(bytes)
}

impl Backup {
    /// Copies all files of the store.
    pub(super) fn copy_uploads(&self, writer: &mut ArchiveWriter, size: u64) -> anyhow::Result<()> {
        let mut progress = ByteProgress::start("uploads", Some(size));
        // The list of a bucket must not be read beyond its end.
        let mut listed = self.files.store.list(None).fuse();
        loop {
            let batch = listed.by_ref().try_filter(|meta| {
                let is_public = is_public(meta.location.as_ref());
                async move { is_public }
            });
            let batch: Vec<ObjectMeta> = self
                .interrupt
                .wait(batch.take(CONCURRENT_READS).try_collect())?
                .context("the uploads cannot be listed")?;
            if batch.is_empty() {
                return Ok(());
            }
            self.interrupt.check()?;
            for fetched in self.fetch_batch(writer, batch)? {
                self.copy(writer, fetched, &mut progress)?;
            }
        }
    }

    fn fetch_batch(
        &self,
        writer: &mut ArchiveWriter,
        batch: Vec<ObjectMeta>,
    ) -> anyhow::Result<Vec<Fetched>> {
        let mut reads = Vec::with_capacity(batch.len());
        for ObjectMeta { location, size, .. } in batch {
            let path = location.to_string();
            let is_copied = writer.has_copy(&path, size);
            reads.push(async move {
                if is_copied { Ok(Fetched::Copied { path, size }) } else { self.fetch(path).await }
            });
        }
        self.interrupt.wait(futures_util::future::try_join_all(reads))?
    }

    async fn fetch(&self, path: String) -> anyhow::Result<Fetched> {
        let cannot_read = || format!("the upload {path} cannot be read");
        let found = match self.files.store.get(&Path::from(path.as_str())).await {
            Err(object_store::Error::NotFound { .. }) => return Ok(Fetched::Gone(path)),
            found => found.with_context(cannot_read)?,
        };
        let size = found.meta.size;
        let content: Box<dyn Read + Send> = if size <= MAX_WHOLE_BYTES {
            Box::new(Cursor::new(found.bytes().await.with_context(cannot_read)?))
        } else {
            Box::new(StreamReader::new(found.into_stream(), self.interrupt.handle.clone()))
        };
        Ok(Fetched::File { path, size, content })
    }

    /// Writes a file to the archive. Returns its path if it does not exist any more.
    fn copy(
        &self,
        writer: &mut ArchiveWriter,
        fetched: Fetched,
        progress: &mut ByteProgress,
    ) -> anyhow::Result<Option<String>> {
        match fetched {
            Fetched::Copied { path, size } => {
                if writer.reuse(&path, size)? {
                    return Ok(None);
                }
                // The copy is damaged.
                let again = self.interrupt.wait(self.fetch(path))??;
                self.copy(writer, again, progress)
            }
            Fetched::File { path, size, mut content } => {
                writer.upload(&path, size, &mut content)?;
                progress.add(size);
                Ok(None)
            }
            Fetched::Gone(path) => Ok(Some(path)),
        }
    }

    /// Takes a snapshot of the database, and copies the files that it names and the archive lacks. Repeats both if one of these
    /// files is deleted in the meantime.
    pub(super) fn copy_missing_uploads(
        &self,
        writer: &mut ArchiveWriter,
    ) -> anyhow::Result<DatabaseSnapshot> {
        let mut progress = ByteProgress::start("new uploads", None);
        let mut gone_before = BTreeSet::new();
        loop {
            let taken_at = SystemClock.now();
            let snapshot = self.open_snapshot()?;
            let missing = self.interrupt.wait(list_missing(&snapshot, writer))??;
            let mut gone = BTreeSet::new();
            for path in missing {
                let fetched = self.interrupt.wait(self.fetch(path))??;
                gone.extend(self.copy(writer, fetched, &mut progress)?);
            }
            // A file that did not exist before this snapshot, which still names it, was not deleted by the application.
            if gone.is_subset(&gone_before) {
                writer.manifest.uploads.missing = gone.into_iter().collect();
                writer.manifest.created_at = taken_at.to_rfc3339();
                return Ok(snapshot);
            }
            gone_before = gone;
        }
    }
}

/// The files that the snapshot names and the archive lacks.
async fn list_missing(
    snapshot: &DatabaseSnapshot,
    writer: &ArchiveWriter,
) -> anyhow::Result<BTreeSet<String>> {
    let mut missing = BTreeSet::new();
    let mut references = pin!(snapshot.files().await.context("the database cannot be read")?);
    while let Some(reference) = references.next().await {
        let paths = paths_of(&reference.context("the database cannot be read")?);
        missing.extend(paths.into_iter().filter(|path| !writer.includes(path)));
    }
    Ok(missing)
}

/// The paths of the files that a row names. None for an image of another server.
pub(in crate::commands) fn paths_of(reference: &FileReference) -> Vec<String> {
    match reference {
        FileReference::Image(image) => match parse_image_url(image.as_str()) {
            Ok(Some(image)) => vec![image_file(&image).to_owned()],
            Ok(None) | Err(_) => Vec::new(),
        },
        FileReference::Photo(photo) => PhotoSize::ALL.map(|size| photo_file(photo, size)).into(),
    }
}

/// Whether clients can read the file. Others are files of this program, such as one that it writes as a check.
fn is_public(path: &str) -> bool {
    !path.split('/').any(|part| part.starts_with('.'))
}

#[cfg(all(test, feature = "bucket"))]
mod tests {
    use grateful_storage::DatabaseConfig;

    use super::*;
    use crate::archive::Target;
    use crate::commands::interrupt::run_interruptible;
    use crate::file_store::bucket_tests::Bucket;

    #[actix_web::test]
    async fn all_files_of_a_bucket_are_copied() {
        let bucket = Bucket::start();
        let files = FileStore::in_bucket(bucket.open("s3://images/uploads"));
        for number in 0..=CONCURRENT_READS {
            let path = Path::from(format!("posts/{number}.jpg"));
            files.store.put(&path, "image".into()).await.unwrap();
        }
        let directory = tempfile::tempdir().unwrap();
        let target = Target::parse(&directory.path().join("backup.tar"));

        let copied = run_interruptible(move |interrupt| {
            let mut writer = ArchiveWriter::create(&target, SystemClock.now())?;
            let database = DatabaseConfig::new(String::new());
            Backup { database, files, target, interrupt }.copy_uploads(&mut writer, 0)?;
            Ok(writer.manifest.uploads.files)
        });

        assert_eq!(copied.await.unwrap(), CONCURRENT_READS as u64 + 1);
        bucket.stop().await;
    }
}
