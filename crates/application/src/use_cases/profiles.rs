//! User profiles.

use grateful_domain::{OwnProfile, Profile, ProfileEdit, UserId, Username, Viewer};
use grateful_storage::Repositories;

use crate::accounts::uniqueness_error;
use crate::{App, Error, Resource, Result, follows};

/// Returns the profile of a user as they see it themselves.
pub async fn get_own(app: &App, user: UserId) -> Result<OwnProfile> {
    let found = app.db.acquire().await?.users().find_own_profile(user).await?;
    found.ok_or_else(Error::account_deleted)
}

/// Returns the profile of a user as `viewer` sees it.
///
/// # Errors
/// `NotFound` if the user does not exist, or a block exists between them and `viewer`.
pub async fn get(app: &App, viewer: Viewer, user: UserId) -> Result<Profile> {
    let found = app.db.acquire().await?.users().find_profile(viewer, user).await?;
    found.ok_or_else(|| Resource::User.not_found(user))
}

/// Returns the profile of the user with this username, ignoring case and trailing `.` and `-`.
///
/// # Errors
/// As [`get`].
pub async fn get_by_username(app: &App, viewer: Viewer, username: &str) -> Result<Profile> {
    let not_found = || Error::NotFound { resource: Resource::User, id: None };
    let username = Username::parse_mention(username).ok_or_else(not_found)?;
    let mut conn = app.db.acquire().await?;
    let found = conn.users().find_profile_by_username(viewer, username.as_str()).await?;
    found.ok_or_else(not_found)
}

/// Edits the profile of a user. Turning off follow approval accepts all pending requests.
///
/// # Errors
/// `AlreadyExists` if another user has the username.
pub async fn update(app: &App, user: UserId, edit: ProfileEdit) -> Result<OwnProfile> {
    let edited = app
        .db
        .transaction(async |tx| {
            let edited = tx.users().update_profile(user, &edit).await.map_err(uniqueness_error)?;
            edited.ok_or_else(Error::account_deleted)
        })
        .await?;
    let accepts_all = edit.preferences.is_some_and(|preferences| !preferences.approve_followers());
    if accepts_all && 0 < follows::accept_all_requests(app, user).await? {
        return get_own(app, user).await;
    }
    Ok(edited)
}
