//! Being signed in: on which devices, and no longer.

use grateful_domain::{Session, SessionId, UserId};
use grateful_storage::Repositories;

use crate::{AccessToken, App, Error, Resource, Result};

/// The session that a token opens. One indexed look-up; its use is written down now and then.
///
/// # Errors
/// `Unauthenticated` where the token opens none, be it unknown, expired or ended.
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

/// One's own sessions that have not expired, newest first.
pub async fn list(app: &App, user: UserId) -> Result<Vec<Session>> {
    let now = app.clock.now();
    Ok(app.db.acquire().await?.sessions().list_active(user, now).await?)
}

/// Ends the session that a token opens, if there is one.
pub async fn log_out(app: &App, token: &AccessToken) -> Result<()> {
    let mut conn = app.db.acquire().await?;
    if let Some(session) = conn.sessions().find_active(token.hash(), app.clock.now()).await? {
        conn.sessions().delete(session.user, session.id).await?;
    }
    Ok(())
}

/// Ends one of one's own sessions.
///
/// # Errors
/// `NotFound` where it is somebody else's or over.
pub async fn revoke(app: &App, user: UserId, session: SessionId) -> Result<()> {
    if app.db.acquire().await?.sessions().delete(user, session).await? {
        Ok(())
    } else {
        Err(Resource::Session.not_found(session))
    }
}

/// Ends all of one's own sessions. Tells how many there were.
pub async fn revoke_all(app: &App, user: UserId) -> Result<usize> {
    Ok(app.db.acquire().await?.sessions().delete_all(user).await?)
}
