//! Writing and deleting image files.
//!
//! Files are written before the row that names them and deleted after it. An interruption can leave a file without a
//! row, which the sweep deletes, but never a row without its file.

use std::collections::HashSet;

use futures_util::future::join_all;
use grateful_domain::{ImageUrl, ProfilePhoto};
use grateful_storage::Repositories;
use object_store::ObjectStoreExt;
use object_store::path::Path;

use crate::image_files::{PhotoSize, image_file, photo_file};
use crate::{App, Error, Result};

/// Writes all of these files, or none.
///
/// # Errors
/// `Unavailable` if a file cannot be written, for instance because the disk is full.
pub(crate) async fn write(app: &App, files: Vec<(String, Vec<u8>)>) -> Result<()> {
    let paths: Vec<String> = files.iter().map(|(path, _)| path.clone()).collect();
    let writes = files
        .into_iter()
        .map(async |(path, bytes)| app.files.put(&Path::from(path), bytes.into()).await);
    let failure = join_all(writes).await.into_iter().find_map(Result::err);
    app.upload_probe.note(failure.is_none());
    match failure {
        None => Ok(()),
        Some(error) => {
            delete(app, paths).await;
            Err(Error::Unavailable(error.into()))
        }
    }
}

/// Deletes files that no row names any more. Failures are logged and left to the sweep.
pub(crate) async fn delete(app: &App, paths: Vec<String>) {
    for path in paths {
        match app.files.delete(&Path::from(path.as_str())).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => (),
            Err(error) => tracing::warn!(
                file.path = path,
                error = &error as &dyn std::error::Error,
                "An unused file could not be deleted and is left to the sweep"
            ),
        }
    }
}

/// Deletes the files of a profile photo that no user has any more.
pub(crate) async fn delete_photo(app: &App, photo: &ProfilePhoto) {
    delete(app, PhotoSize::ALL.map(|size| photo_file(photo, size)).into()).await;
}

/// Deletes the files of those images that no post shows any more. Failures are logged and left to the sweep.
pub(crate) async fn delete_unused_images(app: &App, images: impl IntoIterator<Item = ImageUrl>) {
    let images: HashSet<ImageUrl> = images.into_iter().collect();
    if images.is_empty() {
        return;
    }
    let in_use =
        async { Ok::<_, Error>(app.db.acquire().await?.posts().images_in_use(&images).await?) };
    match in_use.await {
        Ok(in_use) => {
            let unused = images.difference(&in_use).map(|image| image_file(image).to_owned());
            delete(app, unused.collect()).await;
        }
        Err(error) => tracing::warn!(
            error = &error as &dyn std::error::Error,
            "Images that may be unused are left to the sweep"
        ),
    }
}
