//! What people say about posts.

use chrono::{DateTime, Utc};
use grateful_domain::notification::{Details, told_of_comment};
use grateful_domain::{
    Comment, CommentId, CommentText, Page, PostId, SeenComment, SeenPost, Slice, UserId, Viewer,
};
use grateful_storage::{Comments, Connection, Repositories, StorageError};

use crate::notify::tell;
use crate::posts::{hold_with, seen};
use crate::repeats::once;
use crate::{Answer, App, Error, Repeat, Result, Thing, new_id};

/// What it takes to say something.
#[derive(Debug, Clone)]
pub struct Say {
    /// About which post.
    pub post: PostId,
    /// In answer to which comment on it.
    pub parent: Option<CommentId>,
    /// In which words.
    pub text: CommentText,
}

/// Says something about a post, once for all requests that are the same by `repeat`. `record` turns the comment into the
/// answer that is kept.
///
/// # Errors
/// `NotFound` where the comment that it answers is not on this post.
pub async fn say(
    app: &App,
    author: UserId,
    say: Say,
    repeat: Option<Repeat>,
    record: impl Fn(&SeenComment) -> Vec<u8>,
) -> Result<Answer> {
    let now = app.clock.now();
    let comment = Comment {
        id: new_id(now).into(),
        post: say.post,
        author,
        parent: say.parent,
        text: say.text,
        created_at: now,
        updated_at: None,
    };
    once(app, author, repeat, async |tx| {
        let (by, seen) = hold_with(tx, author, &[], comment.parent, comment.post).await?;
        let answered = match comment.parent {
            Some(parent) => Some(author_on_post(tx, author, parent, comment.post).await?),
            None => None,
        };
        if !tx.comments().insert(&comment).await.map_err(|error| parent_gone(error, &comment))? {
            return Err(Thing::Post.not_found(comment.post));
        }
        let details = Details::of_post(seen.post.draft.content.as_str());
        let details = details.with_comment(comment.text.as_str());
        let causes = told_of_comment(&seen.post, &comment, answered, &[]);
        tell(tx, &causes, &details, now).await?;
        Ok(record(&SeenComment { comment: comment.clone(), author: by, replies: 0 }))
    })
    .await
}

/// What was said about a post itself, oldest first.
pub async fn list(app: &App, user: UserId, post: PostId, page: Page) -> Result<Slice<SeenComment>> {
    let mut conn = app.db.acquire().await?;
    seen(&mut conn, Viewer::User(user), post).await?;
    Ok(conn.comments().list(user, post, page).await?)
}

/// The answers to a comment, oldest first.
pub async fn replies(
    app: &App,
    user: UserId,
    comment: CommentId,
    page: Page,
) -> Result<Slice<SeenComment>> {
    let mut conn = app.db.acquire().await?;
    find_with_post(&mut conn, user, comment).await?;
    Ok(conn.comments().replies(user, comment, page).await?)
}

/// Puts one's own comment in other words.
///
/// # Errors
/// `Forbidden` where it is somebody else's.
pub async fn reword(
    app: &App,
    author: UserId,
    comment: CommentId,
    text: CommentText,
) -> Result<SeenComment> {
    let now = app.clock.now();
    app.db
        .transaction(async |tx| {
            let (before, _) = find_with_post(tx, author, comment).await?;
            if before.comment.author != author {
                return Err(not_theirs("edit"));
            }
            let after = before.comment.reworded(text.clone(), now);
            if after != before.comment && !tx.comments().update(&after).await? {
                return Err(Thing::Comment.not_found(comment));
            }
            Ok(SeenComment { comment: after, ..before })
        })
        .await
}

/// Takes a comment away with all answers to it: one's own, or any on one's own post.
///
/// # Errors
/// `Forbidden` where it is neither.
pub async fn delete(app: &App, user: UserId, comment: CommentId) -> Result<()> {
    let now = app.clock.now();
    app.db
        .transaction(async |tx| {
            let (found, on) = find_with_post(tx, user, comment).await?;
            if found.comment.author != user && on.post.author != user {
                return Err(not_theirs("delete"));
            }
            let gone = || Thing::Comment.not_found(comment);
            let post = tx.posts().lock(found.comment.post).await?.ok_or_else(gone)?;
            untell_tree(tx, comment, now).await?;
            match tx.comments().delete(post.id, comment).await? {
                0 => Err(gone()),
                _ => Ok(()),
            }
        })
        .await
}

/// Takes back what was told of a comment, and of all answers to it. Their post is locked.
pub(crate) async fn untell_tree(
    tx: &mut Connection,
    comment: CommentId,
    now: DateTime<Utc>,
) -> Result<()> {
    let tree = tx.comments().tree_of(comment).await?;
    Ok(tx.notifications().withdraw_comments(&tree, now).await?)
}

async fn find(conn: &mut Connection, user: UserId, comment: CommentId) -> Result<SeenComment> {
    let found = conn.comments().find(user, comment).await?;
    found.ok_or_else(|| Thing::Comment.not_found(comment))
}

/// A comment, and the post that it is on: who may not see the post does not see what is said about it.
async fn find_with_post(
    conn: &mut Connection,
    user: UserId,
    comment: CommentId,
) -> Result<(SeenComment, SeenPost)> {
    let found = find(conn, user, comment).await?;
    let post = conn.posts().find(Viewer::User(user), found.comment.post).await?;
    Ok((found, post.ok_or_else(|| Thing::Comment.not_found(comment))?))
}

/// Who wrote the comment that is answered, which must be on the same post.
async fn author_on_post(
    tx: &mut Connection,
    user: UserId,
    parent: CommentId,
    post: PostId,
) -> Result<UserId> {
    let found = find(tx, user, parent).await?.comment;
    if found.post == post { Ok(found.author) } else { Err(Thing::Comment.not_found(parent)) }
}

fn parent_gone(error: StorageError, comment: &Comment) -> Error {
    match (&error, comment.parent) {
        (StorageError::Missing { constraint }, Some(parent))
            if constraint == Comments::PARENT_KEY =>
        {
            Thing::Comment.not_found(parent)
        }
        _ => error.into(),
    }
}

fn not_theirs(action: &'static str) -> Error {
    let reason = "Only the author of a comment may do that";
    Error::Forbidden { action, thing: Thing::Comment, reason }
}
