//! Reading uploaded files, and deleting files that no row names.

use std::io;
use std::ops::Range;

use futures_util::{Stream, StreamExt, TryStreamExt, stream};
use grateful_media::ImageFormat;
use grateful_storage::Repositories;
use object_store::path::Path;
use object_store::{ObjectMeta, ObjectStore, ObjectStoreExt};

use crate::image_files::{image_of_file, photo_of_file};
use crate::{App, Error, Resource, Result, file_store};

/// A publicly readable file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    path: Path,
    /// Its length in bytes.
    pub size: u64,
    /// Its image format, detected from its first bytes; `None` if it is no supported image.
    pub format: Option<ImageFormat>,
    /// Changes whenever the content does.
    pub version: String,
    /// Whether the content of this path never changes. True for paths that this application generated.
    pub is_immutable: bool,
}

/// Finds a file by its path inside the upload directory.
///
/// # Errors
/// `NotFound` if the file does not exist or is hidden, or if the path leads out of the directory.
pub async fn find(app: &App, path: &str) -> Result<File> {
    let location = public_path(path).ok_or_else(|| not_found(path))?;
    let to_error = |error| read_error(path, error);
    let meta = app.files.head(&location).await.map_err(to_error)?;
    let is_generated = is_generated_path(path);
    let format = match meta.size {
        _ if is_generated => Some(ImageFormat::Jpeg),
        // Stores reject a range request on an empty file.
        0 => None,
        size => {
            let head = app.files.get_range(&location, 0..size.min(FORMAT_BYTES)).await;
            ImageFormat::detect(&head.map_err(to_error)?)
        }
    };
    let version = if is_generated { path.to_owned() } else { version_of(&meta) };
    Ok(File { path: location, size: meta.size, format, version, is_immutable: is_generated })
}

/// Streams a byte range of a file.
///
/// # Errors
/// `NotFound` if the file was deleted in the meantime.
pub async fn read(
    app: &App,
    file: &File,
    range: Range<u64>,
) -> Result<impl Stream<Item = io::Result<bytes::Bytes>> + use<>> {
    if range.is_empty() {
        return Ok(stream::empty().boxed());
    }
    let options = object_store::GetOptions { range: Some(range.into()), ..Default::default() };
    let content = app.files.get_opts(&file.path, options).await;
    let content = content.map_err(|error| read_error(file.path.as_ref(), error))?;
    Ok(content.into_stream().map_err(io::Error::from).boxed())
}

/// Deletes files that no row names and that are older than `App::orphan_age`. Returns how many it deleted. Keeps files
/// whose paths this application did not generate.
pub async fn sweep(app: &App) -> Result<usize> {
    let before = app.clock.now() - app.orphan_age;
    let old_files = app.files.list(None).try_filter(|meta| {
        let is_old = meta.last_modified < before;
        async move { is_old }
    });
    let mut batches =
        old_files.map_ok(|meta| meta.location.to_string()).try_chunks(BATCH_SIZE).boxed();
    let mut deleted = 0;
    while let Some(paths) = batches.next().await {
        let paths = paths.map_err(|error| Error::Unavailable(error.1.into()))?;
        let orphans = find_orphans(app, &paths).await?;
        deleted += orphans.len();
        file_store::delete(app, orphans).await;
    }
    Ok(deleted)
}

/// How many files are looked up at once.
const BATCH_SIZE: usize = 500;

/// Returns those of these files whose paths this application generated, and that no row names.
async fn find_orphans(app: &App, paths: &[String]) -> Result<Vec<String>> {
    let photos = paths.iter().filter_map(|path| photo_of_file(path)).collect();
    let images = paths.iter().filter_map(|path| image_of_file(path)).collect();
    let mut conn = app.db.acquire().await?;
    let (photos, images) =
        (conn.users().photos_in_use(&photos).await?, conn.posts().images_in_use(&images).await?);
    let is_orphan = |path: &&String| {
        let photo = photo_of_file(path).map(|photo| photos.contains(&photo));
        let image = image_of_file(path).map(|image| images.contains(&image));
        photo.or(image) == Some(false)
    };
    Ok(paths.iter().filter(is_orphan).cloned().collect())
}

/// How many bytes at the start of a file determine its format.
const FORMAT_BYTES: u64 = 12;

/// The maximum length of a path in bytes. No file system supports a longer file name.
const MAX_PATH_LEN: usize = 255;

/// Parses a path that stays inside the directory and has no hidden component.
fn public_path(path: &str) -> Option<Path> {
    let is_hidden = path.split('/').any(|part| part.starts_with('.') || part.contains(['#', '\0']));
    if is_hidden || MAX_PATH_LEN < path.len() { None } else { Path::parse(path).ok() }
}

/// Whether this application generated the path, for a profile photo or a post image.
fn is_generated_path(path: &str) -> bool {
    photo_of_file(path).is_some() || image_of_file(path).is_some()
}

fn version_of(meta: &ObjectMeta) -> String {
    format!("{:x}-{:x}", meta.last_modified.timestamp_micros(), meta.size)
}

fn not_found(path: &str) -> Error {
    Resource::File.not_found(path)
}

/// `NotFound` if the file does not exist or no file system could have such a path, else `Unavailable`.
fn read_error(path: &str, error: object_store::Error) -> Error {
    if is_not_found(&error) { not_found(path) } else { Error::Unavailable(error.into()) }
}

fn is_not_found(error: &object_store::Error) -> bool {
    use io::ErrorKind::{InvalidFilename, InvalidInput, IsADirectory, NotADirectory, NotFound};
    let mut source: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(cause) = source {
        let kind = cause.downcast_ref::<io::Error>().map(io::Error::kind);
        if let Some(InvalidFilename | InvalidInput | IsADirectory | NotADirectory | NotFound) = kind
        {
            return true;
        }
        source = cause.source();
    }
    matches!(error, object_store::Error::NotFound { .. } | object_store::Error::InvalidPath { .. })
}
