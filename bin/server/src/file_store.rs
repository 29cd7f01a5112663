//! Where the files of pictures are kept: a folder, or a bucket where one is named.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use anyhow::Context as _;
use grateful_application::{App, uploads};
use object_store::ObjectStore;
use object_store::local::LocalFileSystem;

use crate::config::Settings;

/// The files, and the folder that they are in, if they are.
#[derive(Clone)]
pub(crate) struct FileStore {
    pub(crate) store: Arc<dyn ObjectStore>,
    folder: Option<PathBuf>,
}

impl FileStore {
    pub(crate) fn open(settings: &Settings) -> anyhow::Result<Self> {
        match &settings.bucket {
            Some(bucket) => Ok(Self { store: open_bucket(bucket)?, folder: None }),
            None => Self::in_directory(&settings.uploads_dir),
        }
    }

    fn in_directory(folder: &Path) -> anyhow::Result<Self> {
        let unusable = || format!("the folder of uploads {} cannot be used", folder.display());
        std::fs::create_dir_all(folder).with_context(unusable)?;
        // A row that names a file is committed, and survives the loss of power: so must the file.
        let store =
            LocalFileSystem::new_with_prefix(folder).with_context(unusable)?.with_fsync(true);
        Ok(Self { store: Arc::new(store), folder: Some(folder.to_owned()) })
    }

    /// Removes what uploads that were cut short left behind. Tells how many files.
    pub(crate) async fn sweep(&self, app: &App) -> anyhow::Result<usize> {
        let staged = match self.folder.clone() {
            Some(folder) => {
                let before = SystemTime::from(app.clock.now() - app.orphan_age);
                tokio::task::spawn_blocking(move || remove_staged_files(&folder, before)).await??
            }
            None => 0,
        };
        Ok(staged + uploads::sweep(app).await?)
    }
}

/// A file is written under another name, `{name}#{number}`, and then moved. The store shows nobody what is under such a name:
/// one that was not moved in time never will be.
fn remove_staged_files(folder: &Path, before: SystemTime) -> std::io::Result<usize> {
    let mut removed = 0;
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            removed += remove_staged_files(&entry.path(), before)?;
        } else if is_staged_file(&entry.path()) {
            removed += match remove_before(&entry.path(), before) {
                Ok(removed) => usize::from(removed),
                // It was moved just now, or another node was faster.
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => 0,
                Err(error) => return Err(error),
            };
        }
    }
    Ok(removed)
}

/// Removes a file that was written last before this moment. Tells whether it was.
fn remove_before(path: &Path, moment: SystemTime) -> std::io::Result<bool> {
    let is_old = std::fs::symlink_metadata(path)?.modified()? < moment;
    if is_old {
        std::fs::remove_file(path)?;
    }
    Ok(is_old)
}

fn is_staged_file(path: &Path) -> bool {
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let number = name.rsplit_once(".jpg#").map(|(_, number)| number);
    number.is_some_and(|it| !it.is_empty() && it.bytes().all(|digit| digit.is_ascii_digit()))
}

#[cfg(feature = "bucket")]
fn open_bucket(bucket: &url::Url) -> anyhow::Result<Arc<dyn ObjectStore>> {
    build_bucket_store(object_store::aws::AmazonS3Builder::from_env(), bucket)
}

/// The bucket at this address, whatever else is known of it.
#[cfg(feature = "bucket")]
fn build_bucket_store(
    known: object_store::aws::AmazonS3Builder,
    bucket: &url::Url,
) -> anyhow::Result<Arc<dyn ObjectStore>> {
    use object_store::prefix::PrefixStore;

    // The client asks for whatever the process has; another part may have been faster.
    _ = rustls::crypto::ring::default_provider().install_default();
    let store = known.with_url(bucket.as_str()).build();
    let store = store.with_context(|| format!("the bucket {bucket} cannot be used"))?;
    Ok(Arc::new(PrefixStore::new(store, bucket.path())))
}

#[cfg(not(feature = "bucket"))]
fn open_bucket(bucket: &url::Url) -> anyhow::Result<Arc<dyn ObjectStore>> {
    anyhow::bail!("{bucket} needs a build that knows buckets: cargo build --features bucket")
}

#[cfg(all(test, feature = "bucket"))]
mod bucket_tests;

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn only_what_was_cut_short_is_swept_and_only_when_it_is_old() {
        let folder = tempfile::tempdir().unwrap();
        let posts = folder.path().join("posts");
        std::fs::create_dir(&posts).unwrap();
        for name in ["a.jpg#1", "b.jpg#22", "c.jpg", "d.jpg#", "e#1", "f.jpg#x"] {
            std::fs::write(posts.join(name), "picture").unwrap();
        }

        let written = std::fs::metadata(posts.join("a.jpg#1")).unwrap().modified().unwrap();

        assert_eq!(remove_staged_files(folder.path(), written).unwrap(), 0);
        assert_eq!(
            remove_staged_files(folder.path(), written + Duration::from_mins(1)).unwrap(),
            2
        );

        let mut left: Vec<_> = std::fs::read_dir(&posts)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        left.sort();
        assert_eq!(left, ["c.jpg", "d.jpg#", "e#1", "f.jpg#x"]);
    }

    #[cfg(not(feature = "bucket"))]
    #[test]
    fn a_build_that_knows_no_buckets_says_how_to_make_one_that_does() {
        let refused = open_bucket(&url::Url::parse("s3://pictures").unwrap());

        let said = refused.err().unwrap().to_string();
        assert_eq!(
            said,
            "s3://pictures needs a build that knows buckets: cargo build --features bucket"
        );
    }
}
