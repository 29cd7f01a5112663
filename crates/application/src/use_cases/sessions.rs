//! Sessions: authenticating requests, listing and revoking.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use futures_util::future::try_join;
use grateful_domain::{Session, SessionId, UserId};
use grateful_storage::{ReadMark, ReadScope, Reader, Repositories, StorageError, TokenHash};

use crate::caller_reads::{CallerMark, read_as, read_in};
use crate::{AccessToken, App, Error, Resource, Result};

/// Finds the session of an access token. One indexed look-up; records the last use from time to time.
///
/// # Errors
/// `Unauthenticated` if the token is unknown, or if its session has expired or was revoked.
pub async fn authenticate(app: &App, token: &AccessToken) -> Result<Session> {
    Ok(authenticate_caller(app, token).await?.0)
}

/// As [`authenticate`], with which replicas may serve the caller's reads. `None` if there are no replicas.
///
/// # Errors
/// As [`authenticate`].
pub async fn authenticate_caller(
    app: &App,
    token: &AccessToken,
) -> Result<(Session, Option<CallerMark>)> {
    let (now, hash) = (app.clock.now(), token.hash());
    let Some((session, mark)) = find_active(app, hash, now).await? else {
        app.known_tokens.remove(hash);
        return Err(invalid_token());
    };
    app.known_tokens.insert(hash, session.user);
    if mark.is_some_and(ReadMark::is_unknown) {
        // Until this has succeeded, all reads run on the primary.
        ignore_unavailable(begin_marks(app).await, "Marks of writes could not be begun")?;
    }
    if session.is_touch_due(now) {
        // A request that only reads does not fail because of it. The next one tries again.
        ignore_unavailable(
            touch(app, session.id, now).await,
            "The use of a session was not recorded",
        )?;
    }
    let mark = mark.map(|mark| CallerMark::new(session.user, mark));
    Ok((session, mark))
}

/// Looks a session up on the primary, with its user's mark if there are replicas.
async fn find_active(
    app: &App,
    hash: TokenHash,
    now: DateTime<Utc>,
) -> Result<Option<(Session, Option<ReadMark>)>> {
    if app.db.has_replicas() {
        let find = async |mut conn: Reader| conn.sessions().find_active_with_mark(hash, now).await;
        let found = app.db.read(find).await?;
        return Ok(found.map(|(session, mark)| (session, Some(mark))));
    }
    let found = app.db.read(async |mut conn| conn.sessions().find_active(hash, now).await).await?;
    Ok(found.map(|session| (session, None)))
}

async fn begin_marks(app: &App) -> Result<(), StorageError> {
    app.db.acquire().await?.marks().begin().await
}

/// Marks that everything that a user has committed until now must be visible to their later reads on all nodes. Every write
/// of a user is followed by this before it is acknowledged. Does nothing if there are no replicas.
///
/// # Errors
/// `Unavailable` if the mark cannot be stored. The write must not be acknowledged then, and its outcome is unknown to the client.
pub async fn mark_write(app: &App, user: UserId) -> Result<()> {
    if !app.db.has_replicas() {
        return Ok(());
    }
    let put = async || app.db.acquire().await?.marks().put(user).await;
    let result = match put().await {
        // Its connection may have been lost.
        Err(StorageError::Unavailable(_)) => put().await,
        result => result,
    };
    match result {
        // The write was the deletion of the account.
        Err(StorageError::ForeignKeyViolation { .. }) => Ok(()),
        result => Ok(result?),
    }
}

fn ignore_unavailable(result: Result<(), StorageError>, message: &str) -> Result<()> {
    match result {
        Err(StorageError::Unavailable(error)) => {
            tracing::debug!(%error, "{message}");
            Ok(())
        }
        result => Ok(result?),
    }
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
/// With replicas, the look-up runs on the primary, and `read` on a replica. If the user has written what the replica had not
/// replayed, `read` runs once more, where it is visible.
///
/// # Errors
/// As [`authenticate`]. The error of `read` is the second value.
pub async fn authenticate_and_read<T>(
    app: &App,
    token: &AccessToken,
    read: impl AsyncFnOnce(UserId) -> Result<T> + Clone,
) -> Result<(Session, Result<T>)> {
    if app.db.has_replicas() {
        return Box::pin(authenticate_and_read_replica(app, token, read)).await;
    }
    let Some(user) = app.known_tokens.user_of(token.hash()) else {
        let session = authenticate(app, token).await?;
        let output = read(session.user).await;
        return Ok((session, output));
    };
    // Ends at once if the look-up fails, and otherwise when both have ended.
    let (session, output) =
        try_join(authenticate(app, token), async { Ok(read(user).await) }).await?;
    require_user(app, token, &session, user)?;
    Ok((session, output))
}

async fn authenticate_and_read_replica<T>(
    app: &App,
    token: &AccessToken,
    read: impl AsyncFnOnce(UserId) -> Result<T> + Clone,
) -> Result<(Session, Result<T>)> {
    let Some(user) = app.known_tokens.user_of(token.hash()) else {
        let (session, mark) = authenticate_caller(app, token).await?;
        let output = read_as(mark, read(session.user)).await;
        return Ok((session, output));
    };
    let scope = Arc::new(ReadScope::before_look_up(user));
    let early = async { Ok(read_in(Arc::clone(&scope), read.clone()(user)).await) };
    let ((session, mark), output) = try_join(authenticate_caller(app, token), early).await?;
    require_user(app, token, &session, user)?;
    if mark.is_none_or(|mark| mark.accepts(&scope)) {
        return Ok((session, output));
    }
    let output = read_as(mark, read(user)).await;
    Ok((session, output))
}

/// Requires that a token still belongs to the user for which a read was started.
fn require_user(app: &App, token: &AccessToken, session: &Session, user: UserId) -> Result<()> {
    if session.user == user {
        return Ok(());
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
