//! The photos of people, and what stands for those who have none.

use grateful_domain::{Author, PhotoSize, ProfilePhoto, UserId};
use grateful_media::{Focus, ProfileSizes};
use grateful_storage::Repositories;

use crate::idempotency::run_once_after;
use crate::image_processor::Upload;
use crate::{
    App, Error, IdempotentRequest, RecordedResponse, Resource, Result, file_store, new_id,
};

/// Gives somebody the photo that they sent, once for all requests that are the same by `idempotency`; the one that they had goes
/// away. `record` turns the photo into the answer that is kept for them.
///
/// # Errors
/// `UnsupportedMediaType` where it is no picture, `Invalid` where it is one that is not taken, `Unavailable` where too many are being
/// made or it cannot be written: then everything is as it was.
pub async fn upload(
    app: &App,
    user: UserId,
    upload: Upload,
    focus: Option<Focus>,
    idempotency: Option<IdempotentRequest>,
    record: impl Fn(&ProfilePhoto) -> Vec<u8>,
) -> Result<RecordedResponse> {
    let photo = ProfilePhoto::new(new_id(app.clock.now()));
    let prepare = async || {
        let sizes = app.image_processor.process_profile_photo(upload, focus).await?;
        file_store::write(app, files(&photo, sizes)).await
    };
    let (answer, before) = run_once_after(app, user, idempotency, prepare, async |tx| {
        let before =
            tx.users().set_photo(user, Some(&photo)).await?.ok_or_else(Error::account_deleted)?;
        Ok((record(&photo), before.0))
    })
    .await?;
    if let Some(before) = before.flatten() {
        file_store::delete_photo(app, &before).await;
    }
    Ok(answer)
}

/// Takes somebody's photo away.
///
/// # Errors
/// `NotFound` where they have none.
pub async fn delete(app: &App, user: UserId) -> Result<()> {
    let before = app.db.acquire().await?.users().set_photo(user, None).await?;
    let photo = before.ok_or_else(Error::account_deleted)?.0;
    let photo = photo.ok_or(Error::NotFound { resource: Resource::Photo, id: None })?;
    file_store::delete_photo(app, &photo).await;
    Ok(())
}

/// Somebody as everybody sees them, for whatever stands for them where they have no photo.
///
/// # Errors
/// `NotFound` where there is no such person.
pub async fn find_default_avatar_user(app: &App, user: UserId) -> Result<Author> {
    let found = app.db.acquire().await?.users().find_author(user).await?;
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
    sizes.map(|(size, file)| (photo.file(size), file)).into()
}
