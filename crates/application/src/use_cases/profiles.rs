//! What people say of themselves.

use grateful_domain::{OwnProfile, Profile, ProfileEdit, UserId, Username, Viewer};
use grateful_storage::Repositories;

use crate::accounts::taken;
use crate::{App, Error, Resource, Result, follows};

/// One's own page.
pub async fn get_own(app: &App, user: UserId) -> Result<OwnProfile> {
    let found = app.db.acquire().await?.users().find_own_profile(user).await?;
    found.ok_or_else(Error::account_deleted)
}

/// Somebody's page.
///
/// # Errors
/// `NotFound` where there is no such person, at least not for `viewer`.
pub async fn get(app: &App, viewer: Viewer, user: UserId) -> Result<Profile> {
    let found = app.db.acquire().await?.users().find_profile(viewer, user).await?;
    found.ok_or_else(|| Resource::User.not_found(user))
}

/// The page of whoever has this username, whatever its case; what a sentence puts behind a name is passed over.
///
/// # Errors
/// As [`get`].
pub async fn get_by_username(app: &App, viewer: Viewer, username: &str) -> Result<Profile> {
    let nobody = || Error::NotFound { resource: Resource::User, id: None };
    let meant = Username::parse_mention(username).ok_or_else(nobody)?;
    let mut conn = app.db.acquire().await?;
    let found = conn.users().find_profile_by_username(viewer, meant.as_str()).await?;
    found.ok_or_else(nobody)
}

/// Changes what somebody says of themselves. Whoever stops asking to be asked lets everybody follow who has.
///
/// # Errors
/// `AlreadyExists` where somebody else has the username.
pub async fn update(app: &App, user: UserId, edit: ProfileEdit) -> Result<OwnProfile> {
    let edited = app
        .db
        .transaction(async |tx| {
            let edited = tx.users().update_profile(user, &edit).await.map_err(taken)?;
            edited.ok_or_else(Error::account_deleted)
        })
        .await?;
    let answers_all = edit.preferences.is_some_and(|wanted| !wanted.approve_followers());
    if answers_all && 0 < follows::accept_all_requests(app, user).await? {
        return get_own(app, user).await;
    }
    Ok(edited)
}
