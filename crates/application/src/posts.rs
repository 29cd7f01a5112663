//! Posts: writing, reading, changing and taking them back.

use grateful_domain::{
    Author, CommentId, Draft, ImageUrl, Invalid, Page, Post, PostEdit, PostId, Revision, SeenPost,
    Slice, UserId, Viewer,
};
use grateful_storage::{Connection, PostQuery, Repositories};
use object_store::ObjectStoreExt;
use object_store::path::Path;

use crate::repeats::once;
use crate::{Answer, App, Error, Repeat, Result, Thing, new_id};

/// Publishes a post, once for all requests that are the same by `repeat`. `record` turns the post into the answer that
/// is kept for them.
///
/// # Errors
/// `Invalid` where the image was not uploaded here, or the key belongs to another request.
pub async fn publish(
    app: &App,
    author: UserId,
    draft: Draft,
    repeat: Option<Repeat>,
    record: impl Fn(&SeenPost) -> Vec<u8>,
) -> Result<Answer> {
    require_upload(app, draft.image_url.as_ref()).await?;
    let now = app.clock.now();
    let post = Post::publish(new_id(now).into(), author, draft, now);
    once(app, author, repeat, async |tx| {
        tx.posts().insert(&post).await?;
        Ok(record(&seen(tx, Viewer::User(author), post.id).await?))
    })
    .await
}

/// One post as `viewer` sees it.
pub async fn read(app: &App, viewer: Viewer, post: PostId) -> Result<SeenPost> {
    seen(&mut *app.db.acquire().await?, viewer, post).await
}

/// Changes one's own post. With `expected`, only if it still is in one of those states.
///
/// # Errors
/// `Stale` where it is not, `NotFound` where `editor` may not see it, `Forbidden` where it is not theirs, `Invalid` where
/// it would break a rule.
pub async fn edit(
    app: &App,
    editor: UserId,
    post: PostId,
    edit: PostEdit,
    expected: impl Fn(Revision) -> bool,
) -> Result<SeenPost> {
    require_upload(app, edit.image_url.as_ref().and_then(Option::as_ref)).await?;
    let now = app.clock.now();
    app.db
        .transaction(async |tx| {
            let before = lock_own(tx, editor, post, "edit").await?;
            if !expected(before.revision()) {
                return Err(Error::Stale { thing: Thing::Post });
            }
            let after = before.edited(edit.clone(), now)?;
            if after != before {
                tx.posts().update(&before, &after).await?;
            }
            if before.draft.visibility.is_public() && !after.draft.visibility.is_public() {
                tx.notifications().withdraw_hidden(after.id, after.author, now).await?;
            }
            seen(tx, Viewer::User(editor), post).await
        })
        .await
}

/// Takes one's own post back, with all that hangs on it.
///
/// # Errors
/// `NotFound` where `author` may not see it, `Forbidden` where it is not theirs.
pub async fn delete(app: &App, author: UserId, post: PostId) -> Result<()> {
    let now = app.clock.now();
    app.db
        .transaction(async |tx| {
            let post = lock_own(tx, author, post, "delete").await?;
            tx.notifications().withdraw_post(post.id, now).await?;
            Ok(tx.posts().delete(&post).await?)
        })
        .await
}

/// The posts of one person that `viewer` may see, newest first.
///
/// # Errors
/// `NotFound` where there is no such person, at least not for `viewer`.
pub async fn list_by(
    app: &App,
    viewer: Viewer,
    author: UserId,
    page: Page,
) -> Result<Slice<SeenPost>> {
    let mut conn = app.db.acquire().await?;
    // Nobody need ask whether they exist themselves.
    if !viewer.is(author) && !conn.users().exists_for(viewer, author).await? {
        return Err(Thing::User.not_found(author));
    }
    Ok(conn.posts().list(PostQuery::visible_to(viewer).by(author).page(page)).await?)
}

/// A post that `user` is about to act on: nobody comes between them and its author, nor do they go away, until the
/// transaction ends. Returns who acts, and the post as they see it.
pub(crate) async fn hold(
    tx: &mut Connection,
    user: UserId,
    post: PostId,
) -> Result<(Author, SeenPost)> {
    hold_with(tx, user, &[], None, post).await
}

/// As [`hold`], and of `others` and of whoever wrote the comment that is answered the same is true. All at once, since
/// people are locked in the order of their ids.
pub(crate) async fn hold_with(
    tx: &mut Connection,
    user: UserId,
    others: &[UserId],
    answered: Option<CommentId>,
    post: PostId,
) -> Result<(Author, SeenPost)> {
    let people = [&[user], others].concat();
    let held = tx.users().hold_with_authors_of(&people, post, answered).await?;
    let by = held.into_iter().find(|person| person.id == user).ok_or_else(Error::gone)?;
    Ok((by, seen(tx, Viewer::User(user), post).await?))
}

/// Locks a post for its author, whose own row comes first in the order of locks.
async fn lock_own(
    tx: &mut Connection,
    author: UserId,
    post: PostId,
    action: &'static str,
) -> Result<Post> {
    tx.users().lock(author).await?;
    let unseen = || Thing::Post.not_found(post);
    let found = tx.posts().lock(post).await?.ok_or_else(unseen)?;
    if found.author == author {
        return Ok(found);
    }
    // Whoever may not even see it is not told that it exists.
    tx.posts().find(Viewer::User(author), post).await?.ok_or_else(unseen)?;
    let reason = "Only the author of a post may do that";
    Err(Error::Forbidden { action, thing: Thing::Post, reason })
}

/// A post as `viewer` sees it, for whatever they want with it.
pub(crate) async fn seen(conn: &mut Connection, viewer: Viewer, post: PostId) -> Result<SeenPost> {
    conn.posts().find(viewer, post).await?.ok_or_else(|| Thing::Post.not_found(post))
}

/// That the picture of a post is one of our own files.
async fn require_upload(app: &App, image: Option<&ImageUrl>) -> Result<()> {
    let Some(image) = image else { return Ok(()) };
    match app.files.head(&Path::from(image.file())).await {
        Ok(_) => Ok(()),
        Err(object_store::Error::NotFound { .. }) => {
            Err(Invalid::field("image_url", grateful_domain::ImageUrlError).into())
        }
        Err(error) => Err(Error::Unavailable(error.into())),
    }
}
