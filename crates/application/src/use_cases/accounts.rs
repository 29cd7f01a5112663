//! Accounts: signing up, logging in, changing passwords, deletion.

mod deletion;

use chrono::{DateTime, Utc};
use grateful_domain::{Email, Password, PasswordHash, Session, SessionId, User, UserId, Username};
use grateful_passwords::PasswordVerification;
use grateful_storage::{Credentials, NewUser, Repositories, StorageError, Users};

pub use self::deletion::{delete, delete_own};
use crate::auth::new_token;
use crate::sessions::mark_write;
use crate::{AccessToken, App, Error, Resource, Result, new_id};

/// The data of a new account.
#[derive(Debug, Clone)]
pub struct SignUp {
    /// The name other users see.
    pub username: Username,
    /// The address used to log in.
    pub email: Email,
    /// The password, in clear text.
    pub password: Password,
    /// The name that the client gives itself.
    pub user_agent: Option<String>,
}

/// The credentials of a login. They are not validated: malformed ones match no account.
#[derive(Clone)]
pub struct LogIn {
    /// The email address, in any case.
    pub email: String,
    /// The password, in clear text.
    pub password: String,
    /// The name that the client gives itself.
    pub user_agent: Option<String>,
}

/// Creates an account and a session.
///
/// # Errors
/// `AlreadyExists` if another user has the email address or the username, or if the username is reserved for its former
/// owner.
pub async fn sign_up(app: &App, new: SignUp) -> Result<(User, AccessToken)> {
    let password = app.password_hasher.hash(new.password).await?;
    let now = app.clock.now();
    let user = NewUser { username: new.username, email: new.email, password, created_at: now };
    let token = new_token()?;
    let user = app
        .db
        .transaction(async |tx| {
            let user = tx.users().insert(&user).await.map_err(uniqueness_error)?;
            let session = new_session(app, user.id, new.user_agent.as_deref(), now);
            tx.sessions().insert(&session, token.hash()).await?;
            Ok::<_, Error>(user)
        })
        .await?;
    mark_write(app, user.id).await?;
    Ok((user, token))
}

/// Creates a session for an email address and a password.
///
/// # Errors
/// `Unauthenticated` if they do not match, with the same duration and message whether or not the account exists.
/// `RateLimited` after too many failures, with the same duration, even if the password is correct.
pub async fn log_in(app: &App, log_in: LogIn) -> Result<AccessToken> {
    let email = log_in.email.trim();
    let credentials = if email.contains('\0') {
        // No stored address contains NUL, and PostgreSQL rejects it in a parameter.
        None
    } else {
        app.db.acquire().await?.users().find_credentials_by_email(email).await?
    };
    let stored_hash = credentials.as_ref().map(|credentials| credentials.password.clone());
    let verification = verify_password(app, email, log_in.password.clone(), stored_hash).await?;
    let credentials = credentials.filter(|_| verification != PasswordVerification::Failed);
    let credentials = credentials.ok_or(Error::Unauthenticated(MISMATCH))?;
    let stored_hash = match verification {
        PasswordVerification::SuccessRehashNeeded => {
            rehash(app, &credentials, &log_in.password).await?
        }
        PasswordVerification::Success | PasswordVerification::Failed => credentials.password,
    };

    let token = new_token()?;
    let session = new_session(app, credentials.user, log_in.user_agent.as_deref(), app.clock.now());
    app.db
        .transaction(async |tx| {
            // A password change during the verification has revoked all sessions. This one must not survive it either.
            if !tx.users().lock_if_password_matches(session.user, &stored_hash).await? {
                return Err(Error::Unauthenticated(MISMATCH));
            }
            Ok(tx.sessions().insert(&session, token.hash()).await?)
        })
        .await?;
    mark_write(app, session.user).await?;
    Ok(token)
}

/// Returns a user as they see themselves.
pub async fn get(app: &App, user: UserId) -> Result<User> {
    let found = app.read_replica(async |mut conn| conn.users().find(user).await).await?;
    found.ok_or_else(Error::account_deleted)
}

/// Finds a user by username, ignoring case, on behalf of the operator.
///
/// # Errors
/// `NotFound` if no user has the username.
pub async fn find(app: &App, username: &str) -> Result<User> {
    let found = app.db.acquire().await?.users().find_by_username(username).await?;
    found.ok_or_else(|| Resource::User.not_found(username))
}

/// Lists accounts by id, on behalf of the operator: at most `limit`, with greater ids than `after`.
pub async fn list(app: &App, after: Option<UserId>, limit: i64) -> Result<Vec<User>> {
    Ok(app.db.acquire().await?.users().list_accounts(after, limit).await?)
}

/// The data of a password change.
pub struct ChangePassword {
    /// The current password, in clear text.
    pub current: String,
    /// The new password, in clear text.
    pub new: Password,
}

/// Changes the password of a user and revokes all their other sessions.
///
/// # Errors
/// `Forbidden` if the current password does not match, which counts as a failed login. `RateLimited` after too many
/// failures, as in [`log_in`].
pub async fn change_password(app: &App, session: &Session, change: ChangePassword) -> Result<()> {
    let credentials = confirm(app, session.user, change.current, "change_password").await?;
    let new_hash = app.password_hasher.hash(change.new).await?;
    app.db
        .transaction(async |tx| {
            let (user, old_hash) = (credentials.user, &credentials.password);
            if !tx.users().replace_password(user, old_hash, &new_hash).await? {
                return Err(wrong_password("change_password"));
            }
            tx.sessions().delete_others(user, session.id).await?;
            Ok(())
        })
        .await
}

/// Sets a new password for a user, on behalf of the operator, and revokes all their sessions. Returns how many there were.
///
/// # Errors
/// `NotFound` if no user has the username, `Conflict` if the password changes at the same time.
pub async fn reset_password(app: &App, username: &str, new: Password) -> Result<usize> {
    let new_hash = app.password_hasher.hash(new).await?;
    app.db
        .transaction(async |tx| {
            let not_found = || Resource::User.not_found(username);
            let user = tx.users().find_by_username(username).await?.ok_or_else(not_found)?.id;
            let credentials = tx.users().find_credentials(user).await?.ok_or_else(not_found)?;
            if !tx.users().replace_password(user, &credentials.password, &new_hash).await? {
                let reason = "The password was changed in the meantime";
                return Err(Error::Conflict { resource: Resource::User, reason });
            }
            Ok(tx.sessions().delete_all(user).await?)
        })
        .await
}

/// Verifies a password. A wrong one counts as a failed login of the account with this email address, on all nodes.
///
/// # Errors
/// `RateLimited` after too many failures, even if the password matches.
async fn verify_password(
    app: &App,
    email: &str,
    candidate: String,
    stored_hash: Option<PasswordHash>,
) -> Result<PasswordVerification> {
    let now = app.clock.now();
    let attempt = app.login_throttle.begin(email, now);
    let verification = app.password_hasher.verify(candidate, stored_hash).await?;
    // Only checked now, so that a rejected attempt takes as long as a failed one.
    attempt?.finish(&app.db, verification != PasswordVerification::Failed, now).await?;
    Ok(verification)
}

/// Verifies the password by which a signed-in user confirms an action. Guesses with a stolen token are limited as those
/// at the login are.
async fn confirm(
    app: &App,
    user: UserId,
    password: String,
    action: &'static str,
) -> Result<Credentials> {
    let credentials = app.db.acquire().await?.users().find_credentials(user).await?;
    let credentials = credentials.ok_or_else(Error::account_deleted)?;
    let stored_hash = Some(credentials.password.clone());
    let verification =
        verify_password(app, credentials.email.as_str(), password, stored_hash).await?;
    if verification == PasswordVerification::Failed {
        return Err(wrong_password(action));
    }
    Ok(credentials)
}

/// Replaces an outdated hash by one of the current kind. Returns the hash that is stored now.
///
/// # Errors
/// `Unauthenticated` if the password is changed in the meantime.
async fn rehash(app: &App, credentials: &Credentials, typed: &str) -> Result<PasswordHash> {
    // A password that is too short for the current rule keeps its old hash: it still works, but cannot be chosen.
    let Ok(password) = Password::parse(typed) else { return Ok(credentials.password.clone()) };
    let new_hash = app.password_hasher.hash(password).await?;
    let (user, old_hash) = (credentials.user, &credentials.password);
    if app.db.acquire().await?.users().replace_password(user, old_hash, &new_hash).await? {
        return Ok(new_hash);
    }
    // A concurrent login has replaced the hash, or the password was changed.
    let current = app.db.acquire().await?.users().find_credentials(user).await?;
    let current = current.ok_or(Error::Unauthenticated(MISMATCH))?.password;
    let verification = app.password_hasher.verify(typed.to_owned(), Some(current.clone())).await?;
    let matches = verification != PasswordVerification::Failed;
    matches.then_some(current).ok_or(Error::Unauthenticated(MISMATCH))
}

fn new_session(app: &App, user: UserId, user_agent: Option<&str>, now: DateTime<Utc>) -> Session {
    let id = SessionId::from(new_id(now));
    Session::new(id, user, user_agent, now, app.session_lifetime)
}

const MISMATCH: &str = "Incorrect email or password";

/// Translates violations of the unique constraints on email addresses and usernames.
pub(crate) fn uniqueness_error(error: StorageError) -> Error {
    let reason = match &error {
        StorageError::UniqueViolation { constraint } if constraint == Users::EMAIL_KEY => {
            "Email already registered"
        }
        StorageError::UniqueViolation { constraint } if constraint == Users::USERNAME_KEY => {
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
