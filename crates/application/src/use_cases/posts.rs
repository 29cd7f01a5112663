//! Creating, reading, editing, deleting and listing posts.

use chrono::{DateTime, Utc};
use futures_util::future::try_join;
use grateful_domain::notification::{Act, Cause, EventDetails, recipients_of_post};
use grateful_domain::{
    Content, Draft, ImageUrl, Page, PageRequest, Post, PostEdit, PostForViewer, PostId, Revision,
    UserId, ValidationError, Viewer, Visibility, diff_mentions, find_mentions,
};
use grateful_storage::{
    Connection, Job, LockedParticipants, PostQuery, Reader, RemovedMentions, Repositories,
};

use crate::background_jobs::{enqueue, run};
use crate::idempotency::{run_once, run_once_after};
use crate::image_processor::Upload;
use crate::mentions::lock_mentioned_users;
use crate::notify::{notify, notify_after_edit};
use crate::post_access::find_post;
use crate::{
    App, Error, IdempotentRequest, RecordedResponse, Resource, Result, file_store, image_files,
    new_id,
};

/// Creates a post, once per idempotent request. `to_response` serializes the post for replays.
///
/// # Errors
/// `Invalid` if the image of the draft was not uploaded here, or if the idempotency key was used for another request.
pub async fn create(
    app: &App,
    author: UserId,
    draft: Draft,
    idempotency: Option<IdempotentRequest>,
    to_response: impl Fn(&PostForViewer) -> Vec<u8>,
) -> Result<RecordedResponse> {
    let now = app.clock.now();
    let post = Post::publish(new_id(now).into(), author, draft, now);
    let usernames = post.mentioned_names();
    let opening =
        async |mut tx: &Connection| lock_mentioned_users(&mut tx, author, &usernames).await;
    let act = async |tx: &mut Connection, mentioned: LockedParticipants| {
        let causes = recipients_of_post(&post, &mentioned.ids_by_username(&usernames));
        insert(tx, &post, post.draft.image_url.as_ref(), &causes).await?;
        Ok(to_response(&find_post(tx, Viewer::User(author), post.id).await?))
    };
    run_once(app, author, idempotency, opening, act).await
}

/// As [`create`], with an uploaded image, which replaces the image of the draft.
///
/// # Errors
/// `UnsupportedMediaType` if the file is no image in a supported format, `Invalid` if the image is not accepted,
/// `Unavailable` if too many images are being processed or the file cannot be written.
pub async fn create_with_image(
    app: &App,
    author: UserId,
    draft: Draft,
    upload: Upload,
    idempotency: Option<IdempotentRequest>,
    to_response: impl Fn(&PostForViewer) -> Vec<u8>,
) -> Result<RecordedResponse> {
    let now = app.clock.now();
    let image_url = image_files::image_url(new_id(now));
    let draft = Draft { image_url: Some(image_url.clone()), ..draft };
    let post = Post::publish(new_id(now).into(), author, draft, now);
    let prepare = async || {
        let image = app.image_processor.process_post_image(upload).await?;
        file_store::write(app, vec![(image_files::image_file(&image_url).to_owned(), image.jpeg)])
            .await
    };
    let usernames = post.mentioned_names();
    let opening =
        async |mut tx: &Connection| lock_mentioned_users(&mut tx, author, &usernames).await;
    let act = async |tx: &mut Connection, mentioned: LockedParticipants| {
        let causes = recipients_of_post(&post, &mentioned.ids_by_username(&usernames));
        insert(tx, &post, None, &causes).await?;
        Ok((to_response(&find_post(tx, Viewer::User(author), post.id).await?), ()))
    };
    run_once_after(app, author, idempotency, prepare, (opening, act))
        .await
        .map(|(response, _)| response)
}

/// Inserts a post and notifies the users it mentions, which are locked. `reused_image` must be the image of another post.
async fn insert(
    tx: &mut Connection,
    post: &Post,
    reused_image: Option<&ImageUrl>,
    causes: &[Cause],
) -> Result<()> {
    tx.posts().insert(post).await?;
    // Lock order: users (the insert has updated the author's counts), then posts, then inboxes.
    require_image_in_use(tx, post.id, reused_image).await?;
    notify(tx, causes, &EventDetails::default(), post.created_at).await
}

/// Returns a post as `viewer` sees it.
pub async fn get(app: &App, viewer: Viewer, post: PostId) -> Result<PostForViewer> {
    app.read_replica(async |mut conn| find_post(&mut conn, viewer, post).await).await
}

/// Edits a post if `is_expected` accepts its current revision.
///
/// # Errors
/// `Stale` if `is_expected` rejects the revision, `NotFound` if `editor` may not see the post, `Forbidden` if `editor` is
/// not its author, `Invalid` if the edited post would be invalid.
pub async fn update(
    app: &App,
    editor: UserId,
    post: PostId,
    edit: PostEdit,
    is_expected: impl Fn(Revision) -> bool,
) -> Result<PostForViewer> {
    let now = app.clock.now();
    let (updated, replaced_image, job) = app
        .db
        .transaction(async |tx| {
            let content = content_to_notify(tx, editor, post, &edit).await?;
            let usernames =
                content.as_ref().map_or_else(Vec::new, |content| find_mentions(content.as_str()));
            let users = lock_mentioned_users(tx, editor, &usernames).await?;
            let before = lock_own(tx, editor, post, "edit").await?;
            require_expected(&before, &is_expected)?;
            let after = before.edited(edit.clone(), now);
            let after = after.map_err(|reason| ValidationError::field("content", reason))?;
            if after != before {
                tx.posts().update(&before, &after).await?;
            }
            let (old, new) = (before.draft.image_url.as_ref(), after.draft.image_url.as_ref());
            let replaced_image = old.filter(|_| old != new).cloned();
            require_image_in_use(tx, post, new.filter(|_| old != new)).await?;
            notify_of_edit(tx, &before, &after, (&usernames, users), now).await?;
            let mut job = None;
            if before.draft.visibility.is_public() && !after.draft.visibility.is_public() {
                job = Some(enqueue(tx, Job::WithdrawHiddenPost(after.id), now).await?);
            }
            let updated = find_post(tx, Viewer::User(editor), post).await?;
            Ok::<_, Error>((updated, replaced_image, job))
        })
        .await?;
    run(app, job).await;
    file_store::delete_unused_images(app, replaced_image).await;
    Ok(updated)
}

/// The content of a post after `edit`, if the edit may add recipients of mentions. If the edit only makes a private post
/// public, that is its current content.
async fn content_to_notify(
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
    let private = found.filter(|found| !found.post.draft.visibility.is_public());
    Ok(private.map(|found| found.post.draft.content))
}

/// Notifies the users that an edit newly mentions, and withdraws the notifications of removed mentions. `locked` holds
/// the usernames that were looked up before the post was locked, and their users.
///
/// A private post mentions no one, but its mentions are removed by its content alone: notifications of the time when it was
/// public can still exist, and stay if it becomes public again before the job that withdraws them has run.
async fn notify_of_edit(
    tx: &mut Connection,
    before: &Post,
    after: &Post,
    locked: (&[&str], LockedParticipants),
    now: DateTime<Utc>,
) -> Result<()> {
    let added = diff_mentions(&before.mentioned_names(), &after.mentioned_names()).added;
    let kept = find_mentions(after.draft.content.as_str());
    let removed = diff_mentions(&find_mentions(before.draft.content.as_str()), &kept).removed;
    let (usernames, mut users) = locked;
    if !diff_mentions(usernames, &added).added.is_empty() {
        // The content changed between the look-up and the lock. Locking users now violates the lock order; a deadlock is
        // retried.
        users = lock_mentioned_users(tx, after.author, &added).await?;
    }
    let causes = recipients_of_post(after, &users.ids_by_username(&added));
    let mention = Act::Mention { post: after.id, comment: None };
    let removed =
        RemovedMentions { actor: after.author, mention, usernames: &removed, kept: &kept };
    notify_after_edit(tx, &causes, removed, &EventDetails::default(), now).await
}

/// Deletes a post with its hearts, reactions, shares, comments and notifications, if `is_expected` accepts its current
/// revision. The post is gone when a short transaction is committed; the rest follows in small steps (see
/// [`background_jobs`](crate::background_jobs)).
///
/// # Errors
/// `Stale` if `is_expected` rejects the revision, `NotFound` if `author` may not see the post, `Forbidden` if it is not
/// theirs.
pub async fn delete(
    app: &App,
    author: UserId,
    post: PostId,
    is_expected: impl Fn(Revision) -> bool,
) -> Result<()> {
    let now = app.clock.now();
    let job = app
        .db
        .transaction(async |tx| {
            let post = lock_own(tx, author, post, "delete").await?;
            require_expected(&post, &is_expected)?;
            tx.posts().mark_deleted(&post, now).await?;
            enqueue(tx, Job::DeletePost(post.id), now).await
        })
        .await?;
    run(app, job).await;
    Ok(())
}

/// Lists the posts of a user that `viewer` may see, newest first.
///
/// # Errors
/// `NotFound` if the author does not exist, or a block exists between the author and `viewer`.
pub async fn list_by_author(
    app: &App,
    viewer: Viewer,
    author: UserId,
    page: PageRequest,
) -> Result<Page<PostForViewer>> {
    let query = PostQuery::visible_to(viewer).by_author(author).page(page);
    let read = async |mut conn: Reader| {
        let mut users = conn.clone();
        // Viewers exist, so their own posts need no check.
        let exists =
            async { Ok(viewer.is(author) || users.users().exists_for(viewer, author).await?) };
        try_join(exists, conn.posts().list(query.clone())).await
    };
    match app.read_replica(read).await? {
        (true, posts) => Ok(posts),
        (false, _) => Err(Resource::User.not_found(author)),
    }
}

/// Locks a post for its author. The author's own row is locked first, following the lock order.
async fn lock_own(
    tx: &mut Connection,
    author: UserId,
    post: PostId,
    action: &'static str,
) -> Result<Post> {
    if let Some(locked) = tx.posts().lock_with_author(author, post).await? {
        return Ok(locked);
    }
    // A user who may not see the post must not learn that it exists.
    find_post(tx, Viewer::User(author), post).await?;
    let reason = "Only the author of a post may do that";
    Err(Error::Forbidden { action, resource: Resource::Post, reason })
}

/// Requires that a locked post has a revision that the caller expects.
fn require_expected(post: &Post, is_expected: impl Fn(Revision) -> bool) -> Result<()> {
    let is_stale = !is_expected(post.revision());
    if is_stale { Err(Error::Stale { resource: Resource::Post }) } else { Ok(()) }
}

/// Requires that another post shows this image too, so that its file exists. Locks that post, so that it stays.
async fn require_image_in_use(
    tx: &mut Connection,
    post: PostId,
    image: Option<&ImageUrl>,
) -> Result<()> {
    match image {
        Some(image) if !tx.posts().lock_other_use_of_image(image, post).await? => {
            Err(ValidationError::field("image_url", image_files::ImageUrlError).into())
        }
        _ => Ok(()),
    }
}
