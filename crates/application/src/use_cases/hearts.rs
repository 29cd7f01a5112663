//! Hearts on posts.

use grateful_domain::notification::{Act, EventDetails};
use grateful_domain::{Heart, Page, PageRequest, PostId, UserId, Viewer};
use grateful_storage::{Connection, NewHeart, Reader, Repositories};

use crate::notify::{cause_for_author, notify, withdraw};
use crate::post_access::{find_post, lock_post, lock_to_undo, read_with_post};
use crate::{App, Error, Resource, Result, new_id, posts};

/// The hearts of a post as a user sees them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HeartStatus {
    /// The number of hearts.
    pub count: i32,
    /// Whether the user has hearted the post.
    pub is_hearted: bool,
}

/// Adds the heart of a user to a post.
///
/// # Errors
/// `AlreadyExists` if the user has hearted the post already.
pub async fn add(app: &App, user: UserId, post: PostId) -> Result<HeartStatus> {
    let at = app.clock.now();
    let heart = NewHeart { id: new_id(at).into(), user, post, at };
    app.db
        .transaction(async |tx| {
            let (_, target) = lock_post(tx, user, post).await?;
            let Some(count) = tx.hearts().add(&[heart]).await?.remove(&heart.id) else {
                return Err(add_error(tx, user, post).await?);
            };
            let cause = cause_for_author(&target, user, Act::Heart { post });
            notify(tx, &[cause], &EventDetails::default(), at).await?;
            Ok(HeartStatus { count, is_hearted: true })
        })
        .await
}

/// Removes the heart of a user from a post, even if the user can no longer see the post. Then the returned number of
/// hearts is 0, so that it says nothing about the post.
///
/// # Errors
/// `NotFound` if the user has not hearted the post.
pub async fn remove(app: &App, user: UserId, post: PostId) -> Result<HeartStatus> {
    let now = app.clock.now();
    app.db
        .transaction(async |tx| {
            let target = lock_to_undo(tx, user, post).await?;
            let removed = tx.hearts().remove(&[(user, post)]).await?.pop();
            let removed = removed.ok_or_else(|| target.nothing_to_undo(Resource::Heart))?;
            withdraw(tx, removed.cause, now).await?;
            let count = if target.is_visible { removed.count } else { 0 };
            Ok(HeartStatus { count, is_hearted: false })
        })
        .await
}

/// Returns the number of hearts of a post, and whether the user has hearted it.
pub async fn get_status(app: &App, user: UserId, post: PostId) -> Result<HeartStatus> {
    let found = posts::get(app, Viewer::User(user), post).await?;
    Ok(HeartStatus { count: found.post.engagement.hearts, is_hearted: found.is_hearted })
}

/// Lists the hearts of a post with their users, newest first.
pub async fn list(app: &App, user: UserId, post: PostId, page: PageRequest) -> Result<Page<Heart>> {
    let list = async |mut conn: Reader| conn.hearts().list(user, post, page).await;
    Ok(read_with_post(app, user, post, list).await?.1)
}

/// Why a heart could not be added: the post was deleted in the meantime, or the heart exists already.
async fn add_error(tx: &mut Connection, user: UserId, post: PostId) -> Result<Error> {
    find_post(tx, Viewer::User(user), post).await?;
    Ok(Error::AlreadyExists { resource: Resource::Heart, reason: "Post already hearted by user" })
}
