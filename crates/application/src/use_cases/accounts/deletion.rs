//! Deleting an account.

use chrono::{DateTime, Utc};
use grateful_domain::{ImageUrl, UserId};
use grateful_storage::{Connection, Repositories};

use super::confirm;
use crate::notify::withdraw_thread;
use crate::{App, Error, Resource, Result, file_store};

/// Deletes the account of a user who confirms it by password. See [`delete`].
///
/// # Errors
/// `Forbidden` if the password does not match, which counts as a failed login. `RateLimited` after too many failures, as
/// in [`super::log_in`].
pub async fn delete_own(app: &App, user: UserId, password: String) -> Result<()> {
    confirm(app, user, password, "delete").await?;
    match delete(app, user).await {
        // A second request of the same user was faster.
        Err(Error::NotFound { .. }) => Err(Error::account_deleted()),
        result => result,
    }
}

/// Deletes an account with all its data, and updates the counts on posts and profiles of other users.
///
/// Runs in small transactions. After an interruption at any point, every count still equals its rows, and another call
/// continues from there.
///
/// # Errors
/// `NotFound` if the account does not exist.
pub async fn delete(app: &App, user: UserId) -> Result<()> {
    for _ in 1..MAX_ATTEMPTS {
        match try_delete(app, user).await {
            // The last step conflicted with other transactions. The next attempt has less to do in it.
            Err(Error::Contended(_)) => (),
            result => return result,
        }
    }
    try_delete(app, user).await
}

/// How often a deletion is attempted. Its last step can deadlock with transactions that refer to the user from an inbox,
/// and PostgreSQL then aborts one of the two.
const MAX_ATTEMPTS: u32 = 5;

async fn try_delete(app: &App, user: UserId) -> Result<()> {
    let now = app.clock.now();
    for data in OwnedData::ALL {
        loop {
            let step = async |tx: &mut Connection| delete_and_withdraw(tx, user, data, now).await;
            let DeletedBatch { rows, image } = app.db.transaction(step).await?;
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
            let images = delete_remaining(tx, user, now).await?;
            let photo = tx.users().delete(user, now).await?;
            Ok((images, photo))
        })
        .await?;
    file_store::delete_unused_images(app, images).await;
    if let Some(photo) = photo.and_then(|previous| previous.0) {
        file_store::delete_photo(app, &photo).await;
    }
    Ok(())
}

/// What one step deleted.
#[derive(Debug, Default)]
struct DeletedBatch {
    /// The number of rows.
    rows: i64,
    /// The image of a deleted post.
    image: Option<ImageUrl>,
}

impl From<i64> for DeletedBatch {
    fn from(rows: i64) -> Self {
        Self { rows, image: None }
    }
}

/// Data that is deleted in steps, before the account.
#[derive(Debug, Clone, Copy)]
enum OwnedData {
    /// Notifications about the user in other users' inboxes.
    Notifications,
    /// The notifications in the user's own inbox.
    Inbox,
    Hearts,
    Reactions,
    Shares,
    Comments,
    Follows,
    Posts,
}

impl OwnedData {
    /// In the order of deletion. Notifications about the user come first, in small steps, so that few are left to
    /// withdraw together with the acts.
    const ALL: [Self; 8] = [
        Self::Notifications,
        Self::Inbox,
        Self::Follows,
        Self::Hearts,
        Self::Reactions,
        Self::Shares,
        Self::Comments,
        Self::Posts,
    ];
}

/// How many rows one step deletes: few enough that its locks delay no other request.
const BATCH_SIZE: i64 = 200;

/// Deletes a batch of a user's data, and withdraws the notifications about it.
async fn delete_and_withdraw(
    tx: &mut Connection,
    user: UserId,
    data: OwnedData,
    now: DateTime<Utc>,
) -> Result<DeletedBatch> {
    // Lock order: users before posts, as in edits and shares. Follows lock the users at both ends themselves, by id.
    if !matches!(data, OwnedData::Follows) {
        tx.users().lock(user).await?;
    }
    let deleted = delete_batch(tx, user, data, now).await?;
    // After the rows: by now, the notifications of their acts are recorded. All at once, since inboxes are locked by id.
    if deleted.rows != 0 && !matches!(data, OwnedData::Notifications | OwnedData::Inbox) {
        tx.notifications().withdraw_batch_by(user, i64::MAX, now).await?;
    }
    Ok(deleted)
}

/// Deletes the data that the user added during the deletion. From here on the user cannot act any more. Locks everything
/// first, in the order of every act: users, then posts, then inboxes. Returns the images of the deleted posts.
async fn delete_remaining(
    tx: &mut Connection,
    user: UserId,
    now: DateTime<Utc>,
) -> Result<Vec<ImageUrl>> {
    while tx.follows().delete_batch_of(user, BATCH_SIZE).await? != 0 {}
    let posts = tx.posts().lock_involving(user).await?;
    tx.notifications().lock_inboxes_about(user, &posts).await?;
    let mut images = vec![];
    for data in OwnedData::ALL {
        loop {
            let deleted = delete_batch(tx, user, data, now).await?;
            images.extend(deleted.image);
            if deleted.rows == 0 {
                break;
            }
        }
    }
    tx.notifications().withdraw_batch_by(user, i64::MAX, now).await?;
    Ok(images)
}

async fn delete_batch(
    tx: &mut Connection,
    user: UserId,
    data: OwnedData,
    now: DateTime<Utc>,
) -> Result<DeletedBatch> {
    Ok(match data {
        OwnedData::Notifications => {
            tx.notifications().withdraw_batch_by(user, BATCH_SIZE, now).await?.into()
        }
        OwnedData::Inbox => tx.notifications().delete_batch_of(user, BATCH_SIZE).await?.into(),
        OwnedData::Follows => tx.follows().delete_batch_of(user, BATCH_SIZE).await?.into(),
        OwnedData::Hearts => tx.hearts().delete_batch_of(user, BATCH_SIZE).await?.into(),
        OwnedData::Reactions => {
            tx.emoji_reactions().delete_batch_of(user, BATCH_SIZE).await?.into()
        }
        OwnedData::Shares => tx.shares().delete_batch_of(user, BATCH_SIZE).await?.into(),
        OwnedData::Comments => delete_one_comment(tx, user, now).await?.into(),
        OwnedData::Posts => delete_one_post(tx, user, now).await?,
    })
}

/// Deletes a comment with its replies. One at a time, since the replies are counted under the lock of the post.
async fn delete_one_comment(
    tx: &mut Connection,
    author: UserId,
    now: DateTime<Utc>,
) -> Result<i64> {
    let Some((post, comment)) = tx.comments().list_ids_by(author, 1).await?.pop() else {
        return Ok(0);
    };
    tx.posts().lock(post).await?;
    tx.notifications().lock_inboxes_about(author, &[post]).await?;
    withdraw_thread(tx, comment, now).await?;
    tx.comments().delete(post, comment).await?;
    Ok(1)
}

/// Deletes a post. One at a time, since the engagement of other users is deleted with it.
async fn delete_one_post(
    tx: &mut Connection,
    author: UserId,
    now: DateTime<Utc>,
) -> Result<DeletedBatch> {
    let Some(post) = tx.posts().list_ids_by(author, 1).await?.pop() else {
        return Ok(DeletedBatch::default());
    };
    let Some(post) = tx.posts().lock(post).await? else { return Ok(DeletedBatch::from(1)) };
    tx.notifications().lock_inboxes_about(author, &[post.id]).await?;
    tx.notifications().withdraw_for_post(post.id, now).await?;
    tx.posts().delete(&post).await?;
    Ok(DeletedBatch { rows: 1, image: post.draft.image_url })
}
