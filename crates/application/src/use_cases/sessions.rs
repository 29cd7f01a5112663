//! Sessions: authenticating requests, listing and revoking.

use chrono::{DateTime, Utc};
use futures_util::future::try_join;
use grateful_domain::{Session, SessionId, UserId};
use grateful_storage::{Repositories, StorageError};

use crate::{AccessToken, App, Error, Resource, Result};

/// Finds the session of an access token. One indexed look-up; records the last use from time to time.
///
/// # Errors
/// `Unauthenticated` if the token is unknown, or if its session has expired or was revoked.
pub async fn authenticate(app: &App, token: &AccessToken) -> Result<Session> {
    let (now, hash) = (app.clock.now(), token.hash());
    let found = app.db.read(async |mut conn| conn.sessions().find_active(hash, now).await).await?;
    let Some(session) = found else {
        app.known_tokens.remove(hash);
        return Err(invalid_token());
    };
    app.known_tokens.insert(hash, session.user);
    if session.is_touch_due(now) {
        match touch(app, session.id, now).await {
            // A request that only reads does not fail because of it. The next one tries again.
            Err(StorageError::Unavailable(error)) => {
                tracing::debug!(%error, "The use of a session was not recorded");
            }
            touched => touched?,
        }
    }
    Ok(session)
}

async fn touch(app: &App, session: SessionId, now: DateTime<Utc>) -> Result<(), StorageError> {
    app.db.acquire().await?.sessions().touch(session, now).await
}

/// Whether [`authenticate_and_read`] starts a read with this token at once.
pub fn is_known(app: &App, token: &AccessToken) -> bool {
    app.known_tokens.user_of(token.hash()).is_some()
}

/// Finds the session of an access token, and runs `read` for its user. If the token was used here before, both are sent to
/// the database together; `read` must have no effects, since its result is dropped unless the look-up finds a session of
/// the same user.
///
/// # Errors
/// As [`authenticate`]. The error of `read` is the second value.
pub async fn authenticate_and_read<T>(
    app: &App,
    token: &AccessToken,
    read: impl AsyncFnOnce(UserId) -> Result<T>,
) -> Result<(Session, Result<T>)> {
    let Some(user) = app.known_tokens.user_of(token.hash()) else {
        let session = authenticate(app, token).await?;
        let output = read(session.user).await;
        return Ok((session, output));
    };
    // Ends at once if the look-up fails, and otherwise when both have ended.
    let (session, output) =
        try_join(authenticate(app, token), async { Ok(read(user).await) }).await?;
    if session.user == user {
        return Ok((session, output));
    }
    app.known_tokens.remove(token.hash());
    Err(invalid_token())
}

fn invalid_token() -> Error {
    Error::Unauthenticated("The access token is invalid or has expired")
}

/// Lists the active sessions of a user, newest first.
pub async fn list(app: &App, user: UserId) -> Result<Vec<Session>> {
    let now = app.clock.now();
    Ok(app.db.read(async |mut conn| conn.sessions().list_active(user, now).await).await?)
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
