//! Profile photos, and default avatars for users without one.

use grateful_domain::{Author, ProfilePhoto, UserId};
use grateful_media::{Focus, ProfileSizes};
use grateful_storage::{Connection, Repositories};

use crate::idempotency::run_once_after;
use crate::image_files::{PhotoSize, photo_file, photo_url, profile_photo};
use crate::image_processor::Upload;
use crate::{
    App, Error, IdempotentRequest, RecordedResponse, Resource, Result, file_store, new_id,
};

/// Sets the profile photo of a user, once per idempotent request, and deletes the previous one. `to_response` serializes
/// the photo for replays.
///
/// # Errors
/// `UnsupportedMediaType` if the file is no image in a supported format, `Invalid` if the image is not accepted,
/// `Unavailable` if too many images are being processed or a file cannot be written. After an error, the user still has
/// the previous photo.
pub async fn upload(
    app: &App,
    user: UserId,
    upload: Upload,
    focus: Option<Focus>,
    idempotency: Option<IdempotentRequest>,
    to_response: impl Fn(&ProfilePhoto) -> Vec<u8>,
) -> Result<RecordedResponse> {
    let photo = profile_photo(new_id(app.clock.now()));
    let prepare = async || {
        let sizes = app.image_processor.process_profile_photo(upload, focus).await?;
        file_store::write(app, files(&photo, sizes)).await
    };
    let act = async |tx: &mut Connection, ()| {
        let shown = photo_url(&photo, PhotoSize::Medium);
        let previous = tx.users().set_photo(user, Some((&photo, shown))).await?;
        let previous = previous.ok_or_else(Error::account_deleted)?;
        Ok((to_response(&photo), previous.0))
    };
    let opening = async |_: &Connection| Ok(());
    let (response, previous) =
        run_once_after(app, user, idempotency, prepare, (opening, act)).await?;
    if let Some(previous) = previous.flatten() {
        file_store::delete_photo(app, &previous).await;
    }
    Ok(response)
}

/// Deletes the profile photo of a user.
///
/// # Errors
/// `NotFound` if the user has none.
pub async fn delete(app: &App, user: UserId) -> Result<()> {
    let previous = app.db.acquire().await?.users().set_photo(user, None).await?;
    let photo = previous.ok_or_else(Error::account_deleted)?.0;
    let photo = photo.ok_or(Error::NotFound { resource: Resource::Photo, id: None })?;
    file_store::delete_photo(app, &photo).await;
    Ok(())
}

/// Finds the user whose default avatar is to be rendered.
///
/// # Errors
/// `NotFound` if the user does not exist.
pub async fn find_default_avatar_user(app: &App, user: UserId) -> Result<Author> {
    let found = app.db.read(async |mut conn| conn.users().find_author(user).await).await?;
    found.ok_or_else(|| Resource::User.not_found(user))
}

fn files(photo: &ProfilePhoto, sizes: ProfileSizes) -> Vec<(String, Vec<u8>)> {
    let ProfileSizes { thumbnail, small, medium, large } = sizes;
    let sizes = [
        (PhotoSize::Thumbnail, thumbnail),
        (PhotoSize::Small, small),
        (PhotoSize::Medium, medium),
        (PhotoSize::Large, large),
    ];
    sizes.map(|(size, file)| (photo_file(photo, size), file)).into()
}
