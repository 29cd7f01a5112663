//! What people say about posts.

use chrono::{DateTime, Utc};
use grateful_domain::notification::{
    Act, EventDetails, recipients_of_comment, recipients_of_comment_edit,
};
use grateful_domain::{
    Comment, CommentForViewer, CommentId, CommentText, MentionDiff, Page, PageRequest, Post,
    PostForViewer, PostId, UserId, Viewer, diff_mentions, find_mentions,
};
use grateful_storage::{
    Comments, Connection, Participants, RemovedMentions, Repositories, StorageError,
};

use crate::idempotency::run_once;
use crate::mentions::called;
use crate::notify::{tell, tell_anew, untell_tree};
use crate::post_access::{Held, hold_with, seen};
use crate::{App, Error, IdempotentRequest, RecordedResponse, Resource, Result, new_id};

/// What it takes to say something.
#[derive(Debug, Clone)]
pub struct CommentDraft {
    /// About which post.
    pub post: PostId,
    /// In answer to which comment on it.
    pub parent: Option<CommentId>,
    /// In which words.
    pub text: CommentText,
}

/// Says something about a post, once for all requests that are the same by `idempotency`. `record` turns the comment into the
/// answer that is kept.
///
/// # Errors
/// `NotFound` where the comment that it answers is not on this post.
pub async fn create(
    app: &App,
    author: UserId,
    say: CommentDraft,
    idempotency: Option<IdempotentRequest>,
    record: impl Fn(&CommentForViewer) -> Vec<u8>,
) -> Result<RecordedResponse> {
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
    run_once(app, author, idempotency, async |tx| {
        let names = find_mentions(comment.text.as_str());
        let others = Participants {
            author_of_comment: comment.parent,
            usernames: &names,
            ..Participants::default()
        };
        let Held { by, seen, people } = hold_with(tx, author, comment.post, others).await?;
        let answered = match comment.parent {
            Some(parent) => Some(author_on_post(tx, author, parent, comment.post).await?),
            None => None,
        };
        if !tx.comments().insert(&comment).await.map_err(|error| parent_gone(error, &comment))? {
            return Err(Resource::Post.not_found(comment.post));
        }
        let causes =
            recipients_of_comment(&seen.post, &comment, answered, &called(&names, &people));
        tell(tx, &causes, &details(&seen.post, &comment), now).await?;
        Ok(record(&CommentForViewer { comment: comment.clone(), author: by, replies: 0 }))
    })
    .await
}

/// What was said about a post itself, oldest first.
pub async fn list(
    app: &App,
    user: UserId,
    post: PostId,
    page: PageRequest,
) -> Result<Page<CommentForViewer>> {
    let mut conn = app.db.acquire().await?;
    seen(&mut conn, Viewer::User(user), post).await?;
    Ok(conn.comments().list(user, post, page).await?)
}

/// The answers to a comment, oldest first.
pub async fn list_replies(
    app: &App,
    user: UserId,
    comment: CommentId,
    page: PageRequest,
) -> Result<Page<CommentForViewer>> {
    let mut conn = app.db.acquire().await?;
    find_with_post(&mut conn, user, comment).await?;
    Ok(conn.comments().list_replies(user, comment, page).await?)
}

/// Puts one's own comment in other words.
///
/// # Errors
/// `Forbidden` where it is somebody else's.
pub async fn update(
    app: &App,
    author: UserId,
    comment: CommentId,
    text: CommentText,
) -> Result<CommentForViewer> {
    let now = app.clock.now();
    app.db
        .transaction(async |tx| {
            let (before, on) = find_with_post(tx, author, comment).await?;
            if before.comment.author != author {
                return Err(not_theirs("edit"));
            }
            let after = before.comment.edited(text.clone(), now);
            if after != before.comment {
                save_and_tell(tx, &on.post, &after, now).await?;
            }
            Ok(CommentForViewer { comment: after, ..before })
        })
        .await
}

/// Saves other words of a comment, tells those whom they name newly, and takes back what those were told whom they name no
/// longer.
async fn save_and_tell(
    tx: &mut Connection,
    post: &Post,
    comment: &Comment,
    now: DateTime<Utc>,
) -> Result<()> {
    let new = find_mentions(comment.text.as_str());
    let mut people = vec![];
    if !new.is_empty() {
        let named = Participants {
            users: &[comment.author],
            author_of_post: Some(post.id),
            author_of_comment: None,
            usernames: &new,
        };
        people = tx.users().lock_participants(named).await?;
    }
    let replaced = tx.comments().update(comment).await?;
    let replaced = replaced.ok_or_else(|| Resource::Comment.not_found(comment.id))?;
    let old = find_mentions(replaced.as_str());
    let MentionDiff { added, removed: gone } = diff_mentions(&old, &new);
    let causes = recipients_of_comment_edit(post, comment, &called(&added, &people));
    let mention = Act::Mention { post: post.id, comment: Some(comment.id) };
    let gone = RemovedMentions { actor: comment.author, mention, names: &gone };
    tell_anew(tx, &causes, gone, &details(post, comment), now).await
}

fn details(post: &Post, comment: &Comment) -> EventDetails {
    EventDetails::for_post(post.draft.content.as_str()).with_comment(comment.text.as_str())
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
            let gone = || Resource::Comment.not_found(comment);
            let post = tx.posts().lock(found.comment.post).await?.ok_or_else(gone)?;
            untell_tree(tx, comment, now).await?;
            match tx.comments().delete(post.id, comment).await? {
                0 => Err(gone()),
                _ => Ok(()),
            }
        })
        .await
}

async fn find(conn: &mut Connection, user: UserId, comment: CommentId) -> Result<CommentForViewer> {
    let found = conn.comments().find(user, comment).await?;
    found.ok_or_else(|| Resource::Comment.not_found(comment))
}

/// A comment, and the post that it is on: who may not see the post does not see what is said about it.
async fn find_with_post(
    conn: &mut Connection,
    user: UserId,
    comment: CommentId,
) -> Result<(CommentForViewer, PostForViewer)> {
    let found = find(conn, user, comment).await?;
    let post = conn.posts().find(Viewer::User(user), found.comment.post).await?;
    Ok((found, post.ok_or_else(|| Resource::Comment.not_found(comment))?))
}

/// Who wrote the comment that is answered, which must be on the same post.
async fn author_on_post(
    tx: &mut Connection,
    user: UserId,
    parent: CommentId,
    post: PostId,
) -> Result<UserId> {
    let found = find(tx, user, parent).await?.comment;
    if found.post == post { Ok(found.author) } else { Err(Resource::Comment.not_found(parent)) }
}

fn parent_gone(error: StorageError, comment: &Comment) -> Error {
    match (&error, comment.parent) {
        (StorageError::Missing { constraint }, Some(parent))
            if constraint == Comments::PARENT_KEY =>
        {
            Resource::Comment.not_found(parent)
        }
        _ => error.into(),
    }
}

fn not_theirs(action: &'static str) -> Error {
    let reason = "Only the author of a comment may do that";
    Error::Forbidden { action, resource: Resource::Comment, reason }
}
