//! Sessions: authenticating requests, listing and revoking.

use grateful_domain::{Session, SessionId, UserId};
use grateful_storage::Repositories;

use crate::{AccessToken, App, Error, Resource, Result};

/// Finds the session of an access token. One indexed look-up; records the last use from time to time.
///
/// # Errors
/// `Unauthenticated` if the token is unknown, or if its session has expired or was revoked.
pub async fn authenticate(app: &App, token: &AccessToken) -> Result<Session> {
    let now = app.clock.now();
    let mut conn = app.db.acquire().await?;
    let session = conn.sessions().find_active(token.hash(), now).await?;
    let session =
        session.ok_or(Error::Unauthenticated("The access token is invalid or has expired"))?;
    if session.is_touch_due(now) {
        conn.sessions().touch(session.id, now).await?;
    }
    Ok(session)
}

/// Lists the active sessions of a user, newest first.
pub async fn list(app: &App, user: UserId) -> Result<Vec<Session>> {
    let now = app.clock.now();
    Ok(app.db.acquire().await?.sessions().list_active(user, now).await?)
}

/// Revokes the session of an access token, if there is one.
pub async fn log_out(app: &App, token: &AccessToken) -> Result<()> {
    let mut conn = app.db.acquire().await?;
    if let Some(session) = conn.sessions().find_active(token.hash(), app.clock.now()).await? {
        conn.sessions().delete(session.user, session.id).await?;
    }
    Ok(())
}

/// Revokes a session of a user.
///
/// # Errors
/// `NotFound` if the user has no such session.
pub async fn revoke(app: &App, user: UserId, session: SessionId) -> Result<()> {
    if app.db.acquire().await?.sessions().delete(user, session).await? {
        Ok(())
    } else {
        Err(Resource::Session.not_found(session))
    }
}

/// Revokes all sessions of a user. Returns how many there were.
pub async fn revoke_all(app: &App, user: UserId) -> Result<usize> {
    Ok(app.db.acquire().await?.sessions().delete_all(user).await?)
}
