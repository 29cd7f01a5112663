//! Files of another system that come into the store: the images of posts through the pipeline, profile photos as they are.

use grateful_domain::{ImageUrl, ProfilePhoto};
use object_store::ObjectStoreExt;
use object_store::path::Path;
use uuid::Uuid;

use crate::image_files::{PhotoSize, image_file, image_url, photo_file};
use crate::image_processor::Upload;
use crate::{App, Error, Result, file_store};

/// Whether files are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Adoption {
    /// They are checked alone.
    Check,
    /// They are written. A file that is there already is left as it is, so that an interrupted import goes on.
    Store,
}

/// Brings the image of a post through the pipeline, and stores it under this id. Returns `None` if the file is no image.
///
/// # Errors
/// `Unavailable` if the file cannot be written, for instance because the disk is full.
pub async fn adopt_image(
    app: &App,
    id: Uuid,
    bytes: Vec<u8>,
    adoption: Adoption,
) -> Result<Option<ImageUrl>> {
    let image = image_url(id);
    let file = image_file(&image).to_owned();
    if adoption == Adoption::Store && exists(app, &file).await? {
        return Ok(Some(image));
    }
    let permit = app.image_processor.admit()?;
    let upload = Upload { bytes, field: "image", permit };
    let jpeg = match app.image_processor.process_post_image(upload).await {
        Ok(processed) => processed.jpeg,
        Err(Error::UnsupportedMediaType { .. } | Error::Invalid(_)) => return Ok(None),
        Err(error) => return Err(error),
    };
    if adoption == Adoption::Store {
        file_store::write(app, vec![(file, jpeg)]).await?;
    }
    Ok(Some(image))
}

/// Stores the files of a profile photo, which are JPEG files of our sizes already.
///
/// # Errors
/// `Unavailable` if a file cannot be written.
pub async fn adopt_photo(
    app: &App,
    photo: &ProfilePhoto,
    files: Vec<(PhotoSize, Vec<u8>)>,
) -> Result<()> {
    let named = files.into_iter().map(|(size, bytes)| (photo_file(photo, size), bytes));
    file_store::write(app, named.collect()).await
}

async fn exists(app: &App, file: &str) -> Result<bool> {
    match app.files.head(&Path::from(file)).await {
        Ok(_) => Ok(true),
        Err(object_store::Error::NotFound { .. }) => Ok(false),
        Err(error) => Err(Error::Unavailable(error.into())),
    }
}
