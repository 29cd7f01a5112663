//! The store of image files: a directory, or a bucket if one is configured.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use anyhow::Context as _;
use futures_util::StreamExt as _;
use grateful_application::{App, uploads};
use object_store::ObjectStore;
use object_store::local::LocalFileSystem;

use crate::config::Settings;

/// The store, and its directory if it is one.
#[derive(Clone)]
pub(crate) struct FileStore {
    pub(crate) store: Arc<dyn ObjectStore>,
    directory: Option<PathBuf>,
}

impl FileStore {
    pub(crate) fn open(settings: &Settings) -> anyhow::Result<Self> {
        match &settings.bucket {
            Some(bucket) => Ok(Self::in_bucket(open_bucket(bucket)?)),
            None => Self::in_directory(&settings.uploads_dir),
        }
    }

    pub(crate) fn in_bucket(store: Arc<dyn ObjectStore>) -> Self {
        Self { store, directory: None }
    }

    /// The directory. `None` for a bucket.
    pub(crate) fn directory(&self) -> Option<&Path> {
        self.directory.as_deref()
    }

    pub(crate) fn in_directory(directory: &Path) -> anyhow::Result<Self> {
        let unusable = || format!("the uploads directory {} cannot be used", directory.display());
        std::fs::create_dir_all(directory).with_context(unusable)?;
        // With fsync: a committed row that references a file survives a power failure, and so must the file.
        let store =
            LocalFileSystem::new_with_prefix(directory).with_context(unusable)?.with_fsync(true);
        Ok(Self { store: Arc::new(store), directory: Some(directory.to_owned()) })
    }

    /// Whether the store has no file. Files that are being written do not count.
    pub(crate) async fn is_empty(&self) -> anyhow::Result<bool> {
        let first = self.store.list(None).next().await.transpose();
        Ok(first.context("the uploads cannot be listed")?.is_none())
    }

    /// Removes what interrupted uploads left: staged files, and files that no row references. Returns how many.
    pub(crate) async fn sweep(&self, app: &App) -> anyhow::Result<usize> {
        let staged_count = match self.directory.clone() {
            Some(directory) => {
                let before = SystemTime::from(app.clock.now() - app.orphan_age);
                tokio::task::spawn_blocking(move || remove_staged_files(&directory, before))
                    .await??
            }
            None => 0,
        };
        Ok(staged_count + uploads::sweep(app).await?)
    }
}

/// The free space in bytes of the file system of a directory that exists, or of its nearest parent that does.
pub(crate) fn free_space(directory: &Path) -> anyhow::Result<u64> {
    let existing = directory.ancestors().find(|ancestor| ancestor.exists());
    let existing = existing.unwrap_or(Path::new("."));
    let space = rustix::fs::statvfs(existing)
        .with_context(|| format!("the free space of {} is unknown", existing.display()))?;
    Ok(space.f_bavail.saturating_mul(space.f_frsize))
}

/// Removes old staged files. The local store writes a file as `{name}#{number}` and then renames it, and it never lists
/// such a name, so a file that was not renamed in time is never used.
fn remove_staged_files(directory: &Path, before: SystemTime) -> std::io::Result<usize> {
    let mut removed = 0;
    for entry in std::fs::read_dir(directory)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            removed += remove_staged_files(&entry.path(), before)?;
        } else if is_staged_file(&entry.path()) {
            removed += match remove_before(&entry.path(), before) {
                Ok(removed) => usize::from(removed),
                // It was renamed just now, or another node has removed it.
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => 0,
                Err(error) => return Err(error),
            };
        }
    }
    Ok(removed)
}

/// Removes a file that was last modified before this time. Returns whether it did.
fn remove_before(path: &Path, before: SystemTime) -> std::io::Result<bool> {
    let is_old = std::fs::symlink_metadata(path)?.modified()? < before;
    if is_old {
        std::fs::remove_file(path)?;
    }
    Ok(is_old)
}

fn is_staged_file(path: &Path) -> bool {
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let number = name.rsplit_once(".jpg#").map(|(_, number)| number);
    number.is_some_and(|number| {
        !number.is_empty() && number.bytes().all(|digit| digit.is_ascii_digit())
    })
}

#[cfg(feature = "bucket")]
fn open_bucket(bucket: &url::Url) -> anyhow::Result<Arc<dyn ObjectStore>> {
    build_bucket_store(object_store::aws::AmazonS3Builder::from_env(), bucket)
}

/// The store for the bucket at this URL, configured by the builder.
#[cfg(feature = "bucket")]
fn build_bucket_store(
    builder: object_store::aws::AmazonS3Builder,
    bucket: &url::Url,
) -> anyhow::Result<Arc<dyn ObjectStore>> {
    use object_store::prefix::PrefixStore;

    // The client uses the cryptography provider of the process. If one is installed already, it stays.
    _ = rustls::crypto::ring::default_provider().install_default();
    let store = builder.with_url(bucket.as_str()).build();
    let store = store.with_context(|| format!("the bucket {bucket} cannot be used"))?;
    Ok(Arc::new(PrefixStore::new(store, bucket.path())))
}

#[cfg(not(feature = "bucket"))]
fn open_bucket(bucket: &url::Url) -> anyhow::Result<Arc<dyn ObjectStore>> {
    anyhow::bail!("{bucket} needs a build with bucket support: cargo build --features bucket")
}

#[cfg(all(test, feature = "bucket"))]
pub(crate) mod bucket_tests;

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn only_old_staged_files_are_removed() {
        let directory = tempfile::tempdir().unwrap();
        let posts = directory.path().join("posts");
        std::fs::create_dir(&posts).unwrap();
        for name in ["a.jpg#1", "b.jpg#22", "c.jpg", "d.jpg#", "e#1", "f.jpg#x"] {
            std::fs::write(posts.join(name), "image").unwrap();
        }

        let written = std::fs::metadata(posts.join("a.jpg#1")).unwrap().modified().unwrap();

        assert_eq!(remove_staged_files(directory.path(), written).unwrap(), 0);
        assert_eq!(
            remove_staged_files(directory.path(), written + Duration::from_mins(1)).unwrap(),
            2
        );

        let mut remaining: Vec<_> = std::fs::read_dir(&posts)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        remaining.sort();
        assert_eq!(remaining, ["c.jpg", "d.jpg#", "e#1", "f.jpg#x"]);
    }

    #[cfg(not(feature = "bucket"))]
    #[test]
    fn a_build_without_bucket_support_says_how_to_enable_it() {
        let result = open_bucket(&url::Url::parse("s3://images").unwrap());

        let message = result.err().unwrap().to_string();
        assert_eq!(
            message,
            "s3://images needs a build with bucket support: cargo build --features bucket"
        );
    }
}
