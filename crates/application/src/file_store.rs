//! The files of pictures: written before the row that names them is, and removed after it is gone. What is cut short in
//! between leaves a file that no row names, never a row without its file; the sweep removes it.

use std::collections::HashSet;

use futures_util::future::join_all;
use grateful_domain::{ImageUrl, PhotoSize, ProfilePhoto};
use grateful_storage::Repositories;
use object_store::ObjectStoreExt;
use object_store::path::Path;

use crate::{App, Error, Result};

/// Writes files, all of them or none.
///
/// # Errors
/// `Unavailable` where one cannot be written, such as on a disk that is full.
pub(crate) async fn write(app: &App, files: Vec<(String, Vec<u8>)>) -> Result<()> {
    let paths: Vec<String> = files.iter().map(|(path, _)| path.clone()).collect();
    let put = files
        .into_iter()
        .map(async |(path, bytes)| app.files.put(&Path::from(path), bytes.into()).await);
    let failed = join_all(put).await.into_iter().find_map(Result::err);
    match failed {
        None => Ok(()),
        Some(error) => {
            remove(app, paths).await;
            Err(Error::Unavailable(error.into()))
        }
    }
}

/// Removes files that no row names any more. What cannot be removed now is left to the sweep.
pub(crate) async fn remove(app: &App, paths: Vec<String>) {
    for path in paths {
        match app.files.delete(&Path::from(path.as_str())).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => (),
            Err(error) => tracing::warn!(
                file.path = path,
                error = &error as &dyn std::error::Error,
                "A file that nobody needs could not be removed, and is left to the sweep"
            ),
        }
    }
}

/// Removes the files of a photo that nobody has any more.
pub(crate) async fn remove_photo(app: &App, photo: &ProfilePhoto) {
    remove(app, PhotoSize::ALL.map(|size| photo.file(size)).into()).await;
}

/// Removes the files of those images that no post shows any more. What fails is left to the sweep.
pub(crate) async fn remove_unshown(app: &App, images: impl IntoIterator<Item = ImageUrl>) {
    let images: HashSet<ImageUrl> = images.into_iter().collect();
    if images.is_empty() {
        return;
    }
    let shown =
        async { Ok::<_, Error>(app.db.acquire().await?.posts().images_in_use(&images).await?) };
    match shown.await {
        Ok(shown) => {
            let gone = images.difference(&shown).map(|image| image.file().to_owned());
            remove(app, gone.collect()).await;
        }
        Err(error) => tracing::warn!(
            error = &error as &dyn std::error::Error,
            "Images that nobody may need are left to the sweep"
        ),
    }
}
