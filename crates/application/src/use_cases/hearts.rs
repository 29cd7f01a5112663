//! Hearts: giving them, taking them back, seeing who gave them.

use grateful_domain::notification::{Act, EventDetails};
use grateful_domain::{Heart, Page, PageRequest, PostId, UserId, Viewer};
use grateful_storage::{Connection, NewHeart, Repositories};

use crate::notify::{for_author, tell, untell};
use crate::post_access::{hold, seen};
use crate::{App, Error, Resource, Result, new_id};

/// How a post stands with its hearts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HeartStatus {
    /// How many there are.
    pub count: i32,
    /// Whether one is the caller's.
    pub is_hearted: bool,
}

/// Gives a post a heart.
///
/// # Errors
/// `AlreadyExists` where it has one from this person already.
pub async fn add(app: &App, user: UserId, post: PostId) -> Result<HeartStatus> {
    let at = app.clock.now();
    let like = NewHeart { id: new_id(at).into(), user, post, at };
    app.db
        .transaction(async |tx| {
            let (_, seen) = hold(tx, user, post).await?;
            let Some(count) = tx.hearts().add(&like).await? else {
                return Err(why_not_given(tx, user, post).await?);
            };
            let details = EventDetails::for_post(seen.post.draft.content.as_str());
            tell(tx, &[for_author(&seen, user, Act::Heart { post })], &details, at).await?;
            Ok(HeartStatus { count, is_hearted: true })
        })
        .await
}

/// Takes one's heart back.
///
/// # Errors
/// `NotFound` where there is none.
pub async fn remove(app: &App, user: UserId, post: PostId) -> Result<HeartStatus> {
    let now = app.clock.now();
    app.db
        .transaction(async |tx| {
            let (_, seen) = hold(tx, user, post).await?;
            let none = || Error::NotFound { resource: Resource::Heart, id: None };
            let count = tx.hearts().remove(user, post).await?.ok_or_else(none)?;
            untell(tx, for_author(&seen, user, Act::Heart { post }), now).await?;
            Ok(HeartStatus { count, is_hearted: false })
        })
        .await
}

/// How a post stands with its hearts.
pub async fn get_status(app: &App, user: UserId, post: PostId) -> Result<HeartStatus> {
    let seen = seen(&mut *app.db.acquire().await?, Viewer::User(user), post).await?;
    Ok(HeartStatus { count: seen.post.engagement.hearts, is_hearted: seen.is_hearted })
}

/// Who gave a post a heart, newest first.
pub async fn list(app: &App, user: UserId, post: PostId, page: PageRequest) -> Result<Page<Heart>> {
    let mut conn = app.db.acquire().await?;
    seen(&mut conn, Viewer::User(user), post).await?;
    Ok(conn.hearts().list(user, post, page).await?)
}

/// Somebody else may have taken the post away meanwhile, or the same person been here a moment ago.
async fn why_not_given(tx: &mut Connection, user: UserId, post: PostId) -> Result<Error> {
    seen(tx, Viewer::User(user), post).await?;
    Ok(Error::AlreadyExists { resource: Resource::Heart, reason: "Post already hearted by user" })
}
