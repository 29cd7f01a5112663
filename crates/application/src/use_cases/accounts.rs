//! Having an account: joining, signing in, proving oneself anew.

mod deletion;

use chrono::{DateTime, Utc};
use grateful_domain::{Email, Password, PasswordHash, Session, SessionId, User, UserId, Username};
use grateful_storage::{Credentials, NewUser, Repositories, StorageError, Users};

pub use self::deletion::{delete, delete_own};
use crate::auth::password_hasher::Verification;
use crate::{AccessToken, App, Error, Resource, Result, new_id};

/// What it takes to join.
#[derive(Debug, Clone)]
pub struct SignUp {
    /// How others will know them.
    pub username: Username,
    /// How they sign in.
    pub email: Email,
    /// How they prove themselves.
    pub password: Password,
    /// What their device calls itself.
    pub user_agent: Option<String>,
}

/// What it takes to sign in. Nothing of it is checked by form: what fits no rule matches no account.
#[derive(Clone)]
pub struct LogIn {
    /// Whom they say they are, whatever the case.
    pub email: String,
    /// How they prove it.
    pub password: String,
    /// What their device calls itself.
    pub user_agent: Option<String>,
}

/// Makes an account and signs it in.
///
/// # Errors
/// `AlreadyExists` where somebody has the address or the name.
pub async fn sign_up(app: &App, new: SignUp) -> Result<(User, AccessToken)> {
    let password = app.password_hasher.hash(new.password).await?;
    let now = app.clock.now();
    let user = NewUser { username: new.username, email: new.email, password, created_at: now };
    let token = AccessToken::generate()?;
    let user = app
        .db
        .transaction(async |tx| {
            let user = tx.users().insert(&user).await.map_err(taken)?;
            let session = begin(app, user.id, new.user_agent.as_deref(), now);
            tx.sessions().insert(&session, token.hash()).await?;
            Ok::<_, Error>(user)
        })
        .await?;
    Ok((user, token))
}

/// Begins a session for whoever knows the password.
///
/// # Errors
/// `Unauthenticated`, after the same time and in the same words whether or not there is such an account; `RateLimited`,
/// after that time too and whatever the password, where it was guessed wrong too often.
pub async fn log_in(app: &App, log_in: LogIn) -> Result<AccessToken> {
    let email = log_in.email.trim();
    let guess = app.login_throttle.begin(email, app.clock.now());
    let known = if email.contains('\0') {
        // No address has one, and PostgreSQL takes none.
        None
    } else {
        app.db.acquire().await?.users().find_credentials_by_email(email).await?
    };
    let kept = known.as_ref().map(|known| known.password.clone());
    let outcome = app.password_hasher.check(log_in.password.clone(), kept).await?;
    // Only now, so that it takes as long as being wrong.
    let guess = guess?;
    let Some(known) = known.filter(|_| outcome != Verification::Mismatch) else {
        guess.was_wrong();
        return Err(Error::Unauthenticated(MISMATCH));
    };
    let kept = match outcome {
        Verification::MatchNeedsRehash => renew(app, &known, log_in.password).await?,
        Verification::Match | Verification::Mismatch => known.password,
    };

    let token = AccessToken::generate()?;
    let session = begin(app, known.user, log_in.user_agent.as_deref(), app.clock.now());
    app.db
        .transaction(async |tx| {
            // Whoever changed the password while this one was checked has ended all sessions, this one too.
            if !tx.users().lock_if_password_matches(session.user, &kept).await? {
                return Err(Error::Unauthenticated(MISMATCH));
            }
            Ok(tx.sessions().insert(&session, token.hash()).await?)
        })
        .await?;
    Ok(token)
}

/// The person as they know themselves.
pub async fn get(app: &App, user: UserId) -> Result<User> {
    let found = app.db.acquire().await?.users().find(user).await?;
    found.ok_or_else(Error::account_deleted)
}

/// What it takes to change one's password.
pub struct ChangePassword {
    /// The one until now.
    pub current: String,
    /// The one from now on.
    pub new: Password,
}

/// Changes one's own password and ends all sessions but the one it is done in.
///
/// # Errors
/// `Forbidden` where the current password is another one.
pub async fn change_password(app: &App, session: &Session, change: ChangePassword) -> Result<()> {
    let known = app.db.acquire().await?.users().find_credentials(session.user).await?;
    let known = known.ok_or_else(Error::account_deleted)?;
    let outcome = app.password_hasher.check(change.current, Some(known.password.clone())).await?;
    if outcome == Verification::Mismatch {
        return Err(wrong_password("change_password"));
    }
    let new = app.password_hasher.hash(change.new).await?;
    app.db
        .transaction(async |tx| {
            if !tx.users().replace_password(known.user, &known.password, &new).await? {
                return Err(wrong_password("change_password"));
            }
            tx.sessions().delete_others(known.user, session.id).await?;
            Ok(())
        })
        .await
}

/// Gives somebody a new password, at the word of the operator, and ends all their sessions. Tells how many.
///
/// # Errors
/// `NotFound` where nobody has the name.
pub async fn reset_password(app: &App, username: &str, new: Password) -> Result<usize> {
    let new = app.password_hasher.hash(new).await?;
    app.db
        .transaction(async |tx| {
            let unknown = || Resource::User.not_found(username);
            let user = tx.users().find_by_username(username).await?.ok_or_else(unknown)?.id;
            let known = tx.users().find_credentials(user).await?.ok_or_else(unknown)?;
            if !tx.users().replace_password(user, &known.password, &new).await? {
                let reason = "The password was changed by somebody else just now";
                return Err(Error::Conflict { resource: Resource::User, reason });
            }
            Ok(tx.sessions().delete_all(user).await?)
        })
        .await
}

/// Replaces a hash of an older kind, now that the password is at hand. Returns the one that is kept from now on.
async fn renew(app: &App, known: &Credentials, password: String) -> Result<PasswordHash> {
    // One that is too short for today's rule keeps its old hash: it can be used, not chosen.
    let Ok(password) = Password::parse(password) else { return Ok(known.password.clone()) };
    let new = app.password_hasher.hash(password).await?;
    app.db.acquire().await?.users().replace_password(known.user, &known.password, &new).await?;
    Ok(new)
}

fn begin(app: &App, user: UserId, user_agent: Option<&str>, now: DateTime<Utc>) -> Session {
    let id = SessionId::from(new_id(now));
    Session::new(id, user, user_agent, now, app.session_lifetime)
}

const MISMATCH: &str = "Incorrect email or password";

pub(crate) fn taken(error: StorageError) -> Error {
    let reason = match &error {
        StorageError::Taken { constraint } if constraint == Users::EMAIL_KEY => {
            "Email already registered"
        }
        StorageError::Taken { constraint } if constraint == Users::USERNAME_KEY => {
            "Username already taken"
        }
        _ => return error.into(),
    };
    Error::AlreadyExists { resource: Resource::User, reason }
}

fn wrong_password(action: &'static str) -> Error {
    let reason = "Current password is incorrect";
    Error::Forbidden { action, resource: Resource::User, reason }
}
