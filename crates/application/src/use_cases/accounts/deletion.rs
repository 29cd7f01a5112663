//! Deleting an account.

use chrono::{DateTime, Utc};
use grateful_domain::{ImageUrl, UserId};
use grateful_storage::{Connection, Repositories};

use super::wrong_password;
use crate::auth::password_hasher::Verification;
use crate::notify::untell_tree;
use crate::{App, Error, Resource, Result, file_store};

/// Deletes one's own account, as [`delete`].
///
/// # Errors
/// `Forbidden` where that is not their password.
pub async fn delete_own(app: &App, user: UserId, password: String) -> Result<()> {
    let known = app.db.acquire().await?.users().find_credentials(user).await?;
    let known = known.ok_or_else(Error::account_deleted)?;
    if app.password_hasher.check(password, Some(known.password)).await? == Verification::Mismatch {
        return Err(wrong_password("delete"));
    }
    match delete(app, user).await {
        // They asked twice, and the other request was faster.
        Err(Error::NotFound { .. }) => Err(Error::account_deleted()),
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
        match try_delete(app, user).await {
            // Others were in the way of the last step; by now there is less left for it.
            Err(Error::Contended(_)) => (),
            outcome => return outcome,
        }
    }
    try_delete(app, user).await
}

/// How often a deletion is tried: whoever refers to the person from an inbox may stand in the way of its last step, and
/// then PostgreSQL ends one of the two.
const TRIES: u32 = 5;

async fn try_delete(app: &App, user: UserId) -> Result<()> {
    let now = app.clock.now();
    for trace in TRACES {
        loop {
            let step = async |tx: &mut Connection| withdraw(tx, user, trace, now).await;
            let Taken { rows, image } = app.db.transaction(step).await?;
            file_store::delete_unused_images(app, image).await;
            if rows == 0 {
                break;
            }
        }
    }
    let (images, photo) = app
        .db
        .transaction(async |tx| {
            if !tx.users().lock_for_deletion(user).await? {
                return Err(Resource::User.not_found(user));
            }
            let images = withdraw_rest(tx, user, now).await?;
            let photo = tx.users().delete(user).await?;
            Ok((images, photo))
        })
        .await?;
    file_store::delete_unused_images(app, images).await;
    if let Some(photo) = photo.and_then(|before| before.0) {
        file_store::delete_photo(app, &photo).await;
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
        tx.notifications().withdraw_batch_by(user, i64::MAX, now).await?;
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
    while tx.follows().delete_batch_of(user, STEP).await? != 0 {}
    let posts = tx.posts().lock_involving(user).await?;
    tx.notifications().lock_inboxes_about(user, &posts).await?;
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
    tx.notifications().withdraw_batch_by(user, i64::MAX, now).await?;
    Ok(images)
}

async fn take_some(
    tx: &mut Connection,
    user: UserId,
    trace: Trace,
    now: DateTime<Utc>,
) -> Result<Taken> {
    Ok(match trace {
        Trace::Notifications => tx.notifications().withdraw_batch_by(user, STEP, now).await?.into(),
        Trace::Inbox => tx.notifications().delete_batch_of(user, STEP).await?.into(),
        Trace::Follows => tx.follows().delete_batch_of(user, STEP).await?.into(),
        Trace::Hearts => tx.hearts().delete_batch_of(user, STEP).await?.into(),
        Trace::Reactions => tx.emoji_reactions().delete_batch_of(user, STEP).await?.into(),
        Trace::Shares => tx.shares().delete_batch_of(user, STEP).await?.into(),
        Trace::Comments => delete_a_comment(tx, user, now).await?.into(),
        Trace::Posts => delete_a_post(tx, user, now).await?,
    })
}

/// One at a time: its answers go along, counted under the lock of the post.
async fn delete_a_comment(tx: &mut Connection, author: UserId, now: DateTime<Utc>) -> Result<i64> {
    let Some((post, comment)) = tx.comments().list_ids_by(author, 1).await?.pop() else {
        return Ok(0);
    };
    tx.posts().lock(post).await?;
    tx.notifications().lock_inboxes_about(author, &[post]).await?;
    untell_tree(tx, comment, now).await?;
    tx.comments().delete(post, comment).await?;
    Ok(1)
}

/// One at a time: it takes what others left on it along.
async fn delete_a_post(tx: &mut Connection, author: UserId, now: DateTime<Utc>) -> Result<Taken> {
    let Some(post) = tx.posts().list_ids_by(author, 1).await?.pop() else {
        return Ok(Taken::default());
    };
    let Some(post) = tx.posts().lock(post).await? else { return Ok(Taken::from(1)) };
    tx.notifications().lock_inboxes_about(author, &[post.id]).await?;
    tx.notifications().withdraw_for_post(post.id, now).await?;
    tx.posts().delete(&post).await?;
    Ok(Taken { rows: 1, image: post.draft.image_url })
}
