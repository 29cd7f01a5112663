//! Reading uploaded files, and removing those that no row names.

use std::io;
use std::ops::Range;

use futures_util::{Stream, StreamExt, TryStreamExt, stream};
use grateful_domain::{ImageUrl, ProfilePhoto};
use grateful_media::Format;
use grateful_storage::Repositories;
use object_store::path::Path;
use object_store::{ObjectMeta, ObjectStore, ObjectStoreExt};

use crate::{App, Error, Resource, Result, file_store};

/// A file that anybody may see.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    path: Path,
    /// Its length in bytes.
    pub size: u64,
    /// What is in it, by its beginning; nothing where it is no picture.
    pub format: Option<Format>,
    /// Changes whenever what is in it does.
    pub version: String,
    /// Whether what is under its name never changes: so it is with those that are named here.
    pub is_final: bool,
}

/// The file at this path inside the folder of uploads.
///
/// # Errors
/// `NotFound` where there is none, or it is hidden, or the path leads out of the folder.
pub async fn find(app: &App, path: &str) -> Result<File> {
    let location = public_path(path).ok_or_else(|| absent(path))?;
    let found = |error| missing(path, error);
    let meta = app.files.head(&location).await.map_err(found)?;
    let is_ours = is_ours(path);
    let format = match meta.size {
        _ if is_ours => Some(Format::Jpeg),
        // Of nothing, no part can be asked for.
        0 => None,
        size => {
            let beginning = app.files.get_range(&location, 0..size.min(BEGINNING)).await;
            Format::of(&beginning.map_err(found)?)
        }
    };
    let version = if is_ours { path.to_owned() } else { version_of(&meta) };
    Ok(File { path: location, size: meta.size, format, version, is_final: is_ours })
}

/// These bytes of a file, as they are read.
///
/// # Errors
/// `NotFound` where it went away meanwhile.
pub async fn read(
    app: &App,
    file: &File,
    range: Range<u64>,
) -> Result<impl Stream<Item = io::Result<bytes::Bytes>> + use<>> {
    if range.is_empty() {
        return Ok(stream::empty().boxed());
    }
    let options = object_store::GetOptions { range: Some(range.into()), ..Default::default() };
    let opened = app.files.get_opts(&file.path, options).await;
    let opened = opened.map_err(|error| missing(file.path.as_ref(), error))?;
    Ok(opened.into_stream().map_err(io::Error::from).boxed())
}

/// Removes files that no row names and that are older than what any upload takes. Tells how many. Files whose names were not
/// given here are left alone.
pub async fn sweep(app: &App) -> Result<usize> {
    let before = app.clock.now() - app.orphan_age;
    let files = app.files.list(None).try_filter(|meta| {
        let is_old = meta.last_modified < before;
        async move { is_old }
    });
    let mut some = files.map_ok(|meta| meta.location.to_string()).try_chunks(STEP).boxed();
    let mut removed = 0;
    while let Some(paths) = some.next().await {
        let paths = paths.map_err(|error| Error::Unavailable(error.1.into()))?;
        let orphans = unnamed(app, &paths).await?;
        removed += orphans.len();
        file_store::remove(app, orphans).await;
    }
    Ok(removed)
}

/// How many files are asked for at once.
const STEP: usize = 500;

/// Those of these files that were named here, and that no row names.
async fn unnamed(app: &App, paths: &[String]) -> Result<Vec<String>> {
    let photos = paths.iter().filter_map(|path| ProfilePhoto::from_file(path)).collect();
    let images = paths.iter().filter_map(|path| ImageUrl::from_file(path)).collect();
    let mut conn = app.db.acquire().await?;
    let (photos, images) =
        (conn.users().photos_in_use(&photos).await?, conn.posts().images_in_use(&images).await?);
    let is_unnamed = |path: &&String| {
        let photo = ProfilePhoto::from_file(path).map(|photo| photos.contains(&photo));
        let image = ImageUrl::from_file(path).map(|image| images.contains(&image));
        photo.or(image) == Some(false)
    };
    Ok(paths.iter().filter(is_unnamed).cloned().collect())
}

/// How much of a file says what it is.
const BEGINNING: u64 = 12;

/// The most characters of a path: more than any file system takes in a name.
const MOST_CHARS: usize = 255;

/// A path that stays inside the folder, and leads to nothing hidden.
fn public_path(path: &str) -> Option<Path> {
    let is_hidden = path.split('/').any(|part| part.starts_with('.') || part.contains(['#', '\0']));
    if is_hidden || MOST_CHARS < path.len() { None } else { Path::parse(path).ok() }
}

fn is_ours(path: &str) -> bool {
    ProfilePhoto::from_file(path).is_some() || ImageUrl::from_file(path).is_some()
}

fn version_of(meta: &ObjectMeta) -> String {
    format!("{:x}-{:x}", meta.last_modified.timestamp_micros(), meta.size)
}

fn absent(path: &str) -> Error {
    Resource::File.not_found(path)
}

/// Why a file cannot be read. A path that no file system could have is absent, as one that nothing is at.
fn missing(path: &str, error: object_store::Error) -> Error {
    if is_absent(&error) { absent(path) } else { Error::Unavailable(error.into()) }
}

fn is_absent(error: &object_store::Error) -> bool {
    use io::ErrorKind::{InvalidFilename, InvalidInput, IsADirectory, NotADirectory, NotFound};
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(it) = cause {
        let kind = it.downcast_ref::<io::Error>().map(io::Error::kind);
        if let Some(InvalidFilename | InvalidInput | IsADirectory | NotADirectory | NotFound) = kind
        {
            return true;
        }
        cause = it.source();
    }
    matches!(error, object_store::Error::NotFound { .. } | object_store::Error::InvalidPath { .. })
}
