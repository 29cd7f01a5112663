//! Posts: writing, reading, changing and taking them back.

use chrono::{DateTime, Utc};
use grateful_domain::notification::{Act, EventDetails, recipients_of_post};
use grateful_domain::{
    Author, Content, Draft, ImageUrl, MentionDiff, Page, PageRequest, Post, PostEdit,
    PostForViewer, PostId, Revision, UserId, ValidationError, Viewer, Visibility, diff_mentions,
    find_mentions,
};
use grateful_storage::{Connection, PostQuery, RemovedMentions, Repositories};

use crate::idempotency::{run_once, run_once_after};
use crate::image_processor::Upload;
use crate::mentions::{called, hold_named};
use crate::notify::{tell, tell_anew};
use crate::post_access::seen;
use crate::{
    App, Error, IdempotentRequest, RecordedResponse, Resource, Result, file_store, new_id,
};

/// Publishes a post, once for all requests that are the same by `idempotency`. `record` turns the post into the answer that
/// is kept for them.
///
/// # Errors
/// `Invalid` where the image was not uploaded here, or the key belongs to another request.
pub async fn create(
    app: &App,
    author: UserId,
    draft: Draft,
    idempotency: Option<IdempotentRequest>,
    record: impl Fn(&PostForViewer) -> Vec<u8>,
) -> Result<RecordedResponse> {
    let now = app.clock.now();
    let post = Post::publish(new_id(now).into(), author, draft, now);
    run_once(app, author, idempotency, async |tx| {
        insert(tx, &post, post.draft.image_url.as_ref(), now).await?;
        Ok(record(&seen(tx, Viewer::User(author), post.id).await?))
    })
    .await
}

/// As [`create`], with a picture that was sent along; it takes the place of the draft's.
///
/// # Errors
/// `UnsupportedMediaType` where it is no picture, `Invalid` where it is one that is not taken, `Unavailable` where too many are being
/// made or it cannot be written.
pub async fn create_with_image(
    app: &App,
    author: UserId,
    draft: Draft,
    picture: Upload,
    idempotency: Option<IdempotentRequest>,
    record: impl Fn(&PostForViewer) -> Vec<u8>,
) -> Result<RecordedResponse> {
    let now = app.clock.now();
    let image = ImageUrl::new(new_id(now));
    let draft = Draft { image_url: Some(image.clone()), ..draft };
    let post = Post::publish(new_id(now).into(), author, draft, now);
    let prepare = async || {
        let made = app.image_processor.process_post_image(picture).await?;
        file_store::write(app, vec![(image.file().to_owned(), made.jpeg)]).await
    };
    let act = async |tx: &mut Connection| {
        insert(tx, &post, None, now).await?;
        Ok((record(&seen(tx, Viewer::User(author), post.id).await?), ()))
    };
    run_once_after(app, author, idempotency, prepare, act).await.map(|(answer, _)| answer)
}

/// Saves a post, and tells those whom it names. An image that is `borrowed` must be another post's.
async fn insert(
    tx: &mut Connection,
    post: &Post,
    borrowed: Option<&ImageUrl>,
    now: DateTime<Utc>,
) -> Result<()> {
    let names = post.mentioned_names();
    let people = hold_named(tx, post.author, &names).await?;
    tx.posts().insert(post).await?;
    // Behind people, of whom the author is counted anew by now, and ahead of inboxes, as all posts are locked.
    require_upload(tx, post.id, borrowed).await?;
    let causes = recipients_of_post(post, &called(&names, &people));
    tell(tx, &causes, &EventDetails::for_post(post.draft.content.as_str()), now).await
}

/// One post as `viewer` sees it.
pub async fn get(app: &App, viewer: Viewer, post: PostId) -> Result<PostForViewer> {
    seen(&mut *app.db.acquire().await?, viewer, post).await
}

/// Changes one's own post. With `expected`, only if it still is in one of those states.
///
/// # Errors
/// `Stale` where it is not, `NotFound` where `editor` may not see it, `Forbidden` where it is not theirs, `Invalid` where
/// it would break a rule.
pub async fn update(
    app: &App,
    editor: UserId,
    post: PostId,
    edit: PostEdit,
    expected: impl Fn(Revision) -> bool,
) -> Result<PostForViewer> {
    let now = app.clock.now();
    let (seen, gone) = app
        .db
        .transaction(async |tx| {
            let words = words_to_be(tx, editor, post, &edit).await?;
            let names = words.as_ref().map_or_else(Vec::new, |words| find_mentions(words.as_str()));
            let people = hold_named(tx, editor, &names).await?;
            let before = lock_own(tx, editor, post, "edit").await?;
            if !expected(before.revision()) {
                return Err(Error::Stale { resource: Resource::Post });
            }
            let after = before.edited(edit.clone(), now)?;
            if after != before {
                tx.posts().update(&before, &after).await?;
            }
            let (old, new) = (before.draft.image_url.as_ref(), after.draft.image_url.as_ref());
            let gone = old.filter(|_| old != new).cloned();
            require_upload(tx, post, new.filter(|_| old != new)).await?;
            if before.draft.visibility.is_public() && !after.draft.visibility.is_public() {
                tx.notifications().withdraw_for_hidden_post(after.id, after.author, now).await?;
            } else {
                tell_of_edit(tx, &before, &after, (&names, people), now).await?;
            }
            Ok((seen(tx, Viewer::User(editor), post).await?, gone))
        })
        .await?;
    file_store::delete_unused_images(app, gone).await;
    Ok(seen)
}

/// The words of a post after `edit`, where they may name somebody who is not told of it yet. Of a post that is only to be
/// shown to everybody, they are those that it has at this moment.
async fn words_to_be(
    tx: &mut Connection,
    editor: UserId,
    post: PostId,
    edit: &PostEdit,
) -> Result<Option<Content>> {
    if edit.content.is_some() {
        return Ok(edit.new_content());
    }
    if edit.visibility != Some(Visibility::Public) {
        return Ok(None);
    }
    let found = tx.posts().find(Viewer::User(editor), post).await?;
    let hidden = found.filter(|seen| !seen.post.draft.visibility.is_public());
    Ok(hidden.map(|seen| seen.post.draft.content))
}

/// Tells those whom an edit names newly, and takes back what those were told whom it names no longer. `held` are the
/// names that were looked up before the post was locked, and those who have them.
async fn tell_of_edit(
    tx: &mut Connection,
    before: &Post,
    after: &Post,
    held: (&[&str], Vec<Author>),
    now: DateTime<Utc>,
) -> Result<()> {
    let (old, new) = (before.mentioned_names(), after.mentioned_names());
    let MentionDiff { added, removed: gone } = diff_mentions(&old, &new);
    let (names, mut people) = held;
    if !diff_mentions(names, &added).added.is_empty() {
        // Other words came in between. These people are late in the order of locks: a deadlock is tried again.
        people = hold_named(tx, after.author, &added).await?;
    }
    let causes = recipients_of_post(after, &called(&added, &people));
    let mention = Act::Mention { post: after.id, comment: None };
    let gone = RemovedMentions { actor: after.author, mention, names: &gone };
    tell_anew(tx, &causes, gone, &EventDetails::for_post(after.draft.content.as_str()), now).await
}

/// Takes one's own post back, with all that hangs on it.
///
/// # Errors
/// `NotFound` where `author` may not see it, `Forbidden` where it is not theirs.
pub async fn delete(app: &App, author: UserId, post: PostId) -> Result<()> {
    let now = app.clock.now();
    let gone = app
        .db
        .transaction(async |tx| {
            let post = lock_own(tx, author, post, "delete").await?;
            tx.notifications().withdraw_for_post(post.id, now).await?;
            tx.posts().delete(&post).await?;
            Ok::<_, Error>(post.draft.image_url)
        })
        .await?;
    file_store::delete_unused_images(app, gone).await;
    Ok(())
}

/// The posts of one person that `viewer` may see, newest first.
///
/// # Errors
/// `NotFound` where there is no such person, at least not for `viewer`.
pub async fn list_by_author(
    app: &App,
    viewer: Viewer,
    author: UserId,
    page: PageRequest,
) -> Result<Page<PostForViewer>> {
    let mut conn = app.db.acquire().await?;
    // Nobody need ask whether they exist themselves.
    if !viewer.is(author) && !conn.users().exists_for(viewer, author).await? {
        return Err(Resource::User.not_found(author));
    }
    Ok(conn.posts().list(PostQuery::visible_to(viewer).by_author(author).page(page)).await?)
}

/// Locks a post for its author, whose own row comes first in the order of locks.
async fn lock_own(
    tx: &mut Connection,
    author: UserId,
    post: PostId,
    action: &'static str,
) -> Result<Post> {
    if let Some(found) = tx.posts().lock_with_author(author, post).await? {
        return Ok(found);
    }
    // Whoever may not even see it is not told that it exists.
    seen(tx, Viewer::User(author), post).await?;
    let reason = "Only the author of a post may do that";
    Err(Error::Forbidden { action, resource: Resource::Post, reason })
}

/// That the image of this post is one that another post shows too: so its file is there, and stays.
async fn require_upload(tx: &mut Connection, post: PostId, image: Option<&ImageUrl>) -> Result<()> {
    match image {
        Some(image) if !tx.posts().lock_other_use_of_image(image, post).await? => {
            Err(ValidationError::field("image_url", grateful_domain::ImageUrlError).into())
        }
        _ => Ok(()),
    }
}
