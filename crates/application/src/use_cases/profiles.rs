//! User profiles.

use grateful_domain::{
    OwnProfile, Preferences, PreferencesPatch, Profile, ProfileEdit, UserId, Username,
    ValidationError, Viewer,
};
use grateful_storage::{Connection, Reader, Repositories};

use crate::accounts::uniqueness_error;
use crate::{App, Error, Resource, Result, follows};

/// Returns the profile of a user as they see it themselves.
pub async fn get_own(app: &App, user: UserId) -> Result<OwnProfile> {
    let found =
        app.read_replica(async |mut conn| conn.users().find_own_profile(user).await).await?;
    found.ok_or_else(Error::account_deleted)
}

/// Returns the profile of a user as `viewer` sees it.
///
/// # Errors
/// `NotFound` if the user does not exist, or a block exists between them and `viewer`.
pub async fn get(app: &App, viewer: Viewer, user: UserId) -> Result<Profile> {
    let found =
        app.read_replica(async |mut conn| conn.users().find_profile(viewer, user).await).await?;
    found.ok_or_else(|| Resource::User.not_found(user))
}

/// Returns the profile of the user who has this username, or had it before if it is reserved, ignoring case and trailing
/// `.` and `-`.
///
/// # Errors
/// As [`get`].
pub async fn get_by_username(app: &App, viewer: Viewer, username: &str) -> Result<Profile> {
    let not_found = || Error::NotFound { resource: Resource::User, id: None };
    let username = Username::parse_mention(username).ok_or_else(not_found)?;
    let find = async |mut conn: Reader| {
        conn.users().find_profile_by_username(viewer, username.as_str()).await
    };
    app.read_replica(find).await?.ok_or_else(not_found)
}

/// Edits the profile of a user. `preferences` is merged into the stored preferences, which `edit` would replace. Turning
/// off follow approval accepts all pending requests.
///
/// # Errors
/// `AlreadyExists` if another user has the username or it is reserved for its former owner, `Invalid` if the merged preferences are too large.
pub async fn update(
    app: &App,
    user: UserId,
    edit: ProfileEdit,
    preferences: Option<PreferencesPatch>,
) -> Result<OwnProfile> {
    let now = app.clock.now();
    let edited = app
        .db
        .transaction(async |tx| {
            let mut edit = edit.clone();
            if let Some(patch) = &preferences {
                edit.preferences = Some(merge_preferences(tx, user, patch).await?);
            }
            let edited =
                tx.users().update_profile(user, &edit, now).await.map_err(uniqueness_error)?;
            edited.ok_or_else(Error::account_deleted)
        })
        .await?;
    let sets_approval =
        edit.preferences.is_some() || preferences.is_some_and(|patch| patch.changes_approval());
    let accepts_all = sets_approval && !edited.preferences.approve_followers();
    if accepts_all && 0 < follows::accept_all_requests(app, user).await? {
        return get_own(app, user).await;
    }
    Ok(edited)
}

/// Reads the preferences under the lock of their row, so that of two concurrent patches neither is lost.
async fn merge_preferences(
    tx: &mut Connection,
    user: UserId,
    patch: &PreferencesPatch,
) -> Result<Preferences> {
    let stored = tx.users().lock_preferences(user).await?.ok_or_else(Error::account_deleted)?;
    let merged = stored.merge(patch);
    Ok(merged.map_err(|reason| ValidationError::field("profile_preferences", reason))?)
}
