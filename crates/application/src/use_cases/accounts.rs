//! Having an account: joining, signing in, proving oneself anew.

use chrono::{DateTime, Utc};
use grateful_domain::{
    Email, ImageUrl, Password, PasswordHash, Session, SessionId, User, UserId, Username,
};
use grateful_storage::{Connection, Credentials, NewUser, Repositories, StorageError, Users};

use crate::auth::passwords::Check;
use crate::comments::untell_tree;
use crate::{AccessToken, App, Error, Result, Thing, new_id, uploads};

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
/// `Taken` where somebody has the address or the name.
pub async fn sign_up(app: &App, new: SignUp) -> Result<(User, AccessToken)> {
    let password = app.passwords.hash(new.password).await?;
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
/// `Unauthenticated`, after the same time and in the same words whether or not there is such an account; `TooMany`,
/// after that time too and whatever the password, where it was guessed wrong too often.
pub async fn log_in(app: &App, log_in: LogIn) -> Result<AccessToken> {
    let email = log_in.email.trim();
    let guess = app.guesses.begin(email, app.clock.now());
    let known = if email.contains('\0') {
        // No address has one, and PostgreSQL takes none.
        None
    } else {
        app.db.acquire().await?.users().find_credentials(email).await?
    };
    let kept = known.as_ref().map(|known| known.password.clone());
    let outcome = app.passwords.check(log_in.password.clone(), kept).await?;
    // Only now, so that it takes as long as being wrong.
    let guess = guess?;
    let Some(known) = known.filter(|_| outcome != Check::Wrong) else {
        guess.was_wrong();
        return Err(Error::Unauthenticated(MISMATCH));
    };
    let kept = match outcome {
        Check::RightButOutdated => renew(app, &known, log_in.password).await?,
        Check::Right | Check::Wrong => known.password,
    };

    let token = AccessToken::generate()?;
    let session = begin(app, known.user, log_in.user_agent.as_deref(), app.clock.now());
    app.db
        .transaction(async |tx| {
            // Whoever changed the password while this one was checked has ended all sessions, this one too.
            if !tx.users().confirm_password(session.user, &kept).await? {
                return Err(Error::Unauthenticated(MISMATCH));
            }
            Ok(tx.sessions().insert(&session, token.hash()).await?)
        })
        .await?;
    Ok(token)
}

/// The person as they know themselves.
pub async fn me(app: &App, user: UserId) -> Result<User> {
    let found = app.db.acquire().await?.users().find(user).await?;
    found.ok_or_else(Error::gone)
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
    let known = app.db.acquire().await?.users().find_credentials_of(session.user).await?;
    let known = known.ok_or_else(Error::gone)?;
    let outcome = app.passwords.check(change.current, Some(known.password.clone())).await?;
    if outcome == Check::Wrong {
        return Err(wrong_password("change_password"));
    }
    let new = app.passwords.hash(change.new).await?;
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
    let new = app.passwords.hash(new).await?;
    app.db
        .transaction(async |tx| {
            let unknown = || Thing::User.not_found(username);
            let user = tx.users().find_by_username(username).await?.ok_or_else(unknown)?.id;
            let known = tx.users().find_credentials_of(user).await?.ok_or_else(unknown)?;
            if !tx.users().replace_password(user, &known.password, &new).await? {
                let reason = "The password was changed by somebody else just now";
                return Err(Error::Conflict { thing: Thing::User, reason });
            }
            Ok(tx.sessions().delete_all(user).await?)
        })
        .await
}

/// Deletes one's own account, as [`delete`].
///
/// # Errors
/// `Forbidden` where that is not their password.
pub async fn leave(app: &App, user: UserId, password: String) -> Result<()> {
    let known = app.db.acquire().await?.users().find_credentials_of(user).await?;
    let known = known.ok_or_else(Error::gone)?;
    if app.passwords.check(password, Some(known.password)).await? == Check::Wrong {
        return Err(wrong_password("delete"));
    }
    match delete(app, user).await {
        // They asked twice, and the other request was faster.
        Err(Error::NotFound { .. }) => Err(Error::gone()),
        outcome => outcome,
    }
}

/// Deletes an account with all that is its own, and first takes back what it counts for on other people's posts and
/// profiles. In small steps, each of them whole: cut short anywhere, every number still equals its rows, and doing it again
/// goes on from there.
///
/// # Errors
/// `NotFound` where there is no such account.
pub async fn delete(app: &App, user: UserId) -> Result<()> {
    for _ in 1..TRIES {
        match take_leave(app, user).await {
            // Others were in the way of the last step; by now there is less left for it.
            Err(Error::Contended(_)) => (),
            outcome => return outcome,
        }
    }
    take_leave(app, user).await
}

/// How often a deletion is tried: whoever refers to the person from an inbox may stand in the way of its last step, and
/// then PostgreSQL ends one of the two.
const TRIES: u32 = 5;

async fn take_leave(app: &App, user: UserId) -> Result<()> {
    let now = app.clock.now();
    for trace in TRACES {
        loop {
            let step = async |tx: &mut Connection| withdraw(tx, user, trace, now).await;
            let Taken { rows, image } = app.db.transaction(step).await?;
            uploads::remove_unshown(app, image).await;
            if rows == 0 {
                break;
            }
        }
    }
    let (images, photo) = app
        .db
        .transaction(async |tx| {
            if !tx.users().lock_for_removal(user).await? {
                return Err(Thing::User.not_found(user));
            }
            let images = withdraw_rest(tx, user, now).await?;
            let photo = tx.users().delete(user).await?;
            Ok((images, photo))
        })
        .await?;
    uploads::remove_unshown(app, images).await;
    if let Some(photo) = photo.and_then(|before| before.0) {
        uploads::remove_photo(app, &photo).await;
    }
    Ok(())
}

/// What one step took away.
#[derive(Debug, Default)]
struct Taken {
    /// How many rows.
    rows: i64,
    /// What one of them showed.
    image: Option<ImageUrl>,
}

impl From<i64> for Taken {
    fn from(rows: i64) -> Self {
        Self { rows, image: None }
    }
}

/// What somebody leaves with others.
#[derive(Debug, Clone, Copy)]
enum Trace {
    Notifications,
    Inbox,
    Hearts,
    Reactions,
    Shares,
    Comments,
    Follows,
    Posts,
}

/// What was told of them comes first, in small steps, so that little of it is left to take back with its acts.
const TRACES: [Trace; 8] = [
    Trace::Notifications,
    Trace::Inbox,
    Trace::Follows,
    Trace::Hearts,
    Trace::Reactions,
    Trace::Shares,
    Trace::Comments,
    Trace::Posts,
];

/// How many rows of a kind one step takes away: few enough that nobody waits for its locks.
const STEP: i64 = 200;

/// Takes back a little of what a person did, and all that was told of it.
async fn withdraw(
    tx: &mut Connection,
    user: UserId,
    trace: Trace,
    now: DateTime<Utc>,
) -> Result<Taken> {
    // Ahead of any post, as whoever edits or sends one does. Follows lock the people at both ends themselves, by id.
    if !matches!(trace, Trace::Follows) {
        tx.users().lock(user).await?;
    }
    let taken = take_some(tx, user, trace, now).await?;
    // Behind the rows: whatever was done there has been told by now. All at once, since inboxes are locked by id.
    if taken.rows != 0 && !matches!(trace, Trace::Notifications | Trace::Inbox) {
        tx.notifications().withdraw_some_by(user, i64::MAX, now).await?;
    }
    Ok(taken)
}

/// Takes back what a person did while the rest was taken back; from here on they can do nothing more. Whatever is touched
/// is locked first: people, then posts, then inboxes, as every act does. Returns what their posts showed.
async fn withdraw_rest(
    tx: &mut Connection,
    user: UserId,
    now: DateTime<Utc>,
) -> Result<Vec<ImageUrl>> {
    while tx.follows().delete_some_of(user, STEP).await? != 0 {}
    let posts = tx.posts().lock_touched_by(user).await?;
    tx.notifications().lock_about(user, &posts).await?;
    let mut images = vec![];
    for trace in TRACES {
        loop {
            let taken = take_some(tx, user, trace, now).await?;
            images.extend(taken.image);
            if taken.rows == 0 {
                break;
            }
        }
    }
    tx.notifications().withdraw_some_by(user, i64::MAX, now).await?;
    Ok(images)
}

async fn take_some(
    tx: &mut Connection,
    user: UserId,
    trace: Trace,
    now: DateTime<Utc>,
) -> Result<Taken> {
    Ok(match trace {
        Trace::Notifications => tx.notifications().withdraw_some_by(user, STEP, now).await?.into(),
        Trace::Inbox => tx.notifications().delete_some_of(user, STEP).await?.into(),
        Trace::Follows => tx.follows().delete_some_of(user, STEP).await?.into(),
        Trace::Hearts => tx.likes().delete_some_of(user, STEP).await?.into(),
        Trace::Reactions => tx.emoji_reactions().delete_some_of(user, STEP).await?.into(),
        Trace::Shares => tx.shares().delete_some_of(user, STEP).await?.into(),
        Trace::Comments => delete_a_comment(tx, user, now).await?.into(),
        Trace::Posts => delete_a_post(tx, user, now).await?,
    })
}

/// One at a time: its answers go along, counted under the lock of the post.
async fn delete_a_comment(tx: &mut Connection, author: UserId, now: DateTime<Utc>) -> Result<i64> {
    let Some((post, comment)) = tx.comments().some_of(author, 1).await?.pop() else {
        return Ok(0);
    };
    tx.posts().lock(post).await?;
    tx.notifications().lock_about(author, &[post]).await?;
    untell_tree(tx, comment, now).await?;
    tx.comments().delete(post, comment).await?;
    Ok(1)
}

/// One at a time: it takes what others left on it along.
async fn delete_a_post(tx: &mut Connection, author: UserId, now: DateTime<Utc>) -> Result<Taken> {
    let Some(post) = tx.posts().some_of(author, 1).await?.pop() else {
        return Ok(Taken::default());
    };
    let Some(post) = tx.posts().lock(post).await? else { return Ok(Taken::from(1)) };
    tx.notifications().lock_about(author, &[post.id]).await?;
    tx.notifications().withdraw_post(post.id, now).await?;
    tx.posts().delete(&post).await?;
    Ok(Taken { rows: 1, image: post.draft.image_url })
}

/// Replaces a hash of an older kind, now that the password is at hand. Returns the one that is kept from now on.
async fn renew(app: &App, known: &Credentials, password: String) -> Result<PasswordHash> {
    // One that is too short for today's rule keeps its old hash: it can be used, not chosen.
    let Ok(password) = Password::parse(password) else { return Ok(known.password.clone()) };
    let new = app.passwords.hash(password).await?;
    app.db.acquire().await?.users().replace_password(known.user, &known.password, &new).await?;
    Ok(new)
}

fn begin(app: &App, user: UserId, user_agent: Option<&str>, now: DateTime<Utc>) -> Session {
    let id = SessionId::from(new_id(now));
    Session::begin(id, user, user_agent, now, app.session_lifetime)
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
    Error::Taken { thing: Thing::User, reason }
}

fn wrong_password(action: &'static str) -> Error {
    let reason = "Current password is incorrect";
    Error::Forbidden { action, thing: Thing::User, reason }
}
