//! Comments on posts, and replies to comments.

use chrono::{DateTime, Utc};
use futures_util::future::join;
use grateful_domain::notification::{
    Act, EventDetails, recipients_of_comment, recipients_of_comment_edit,
};
use grateful_domain::{
    Comment, CommentForViewer, CommentId, CommentText, HiddenComments, ListedComment, MentionDiff,
    Page, PageRequest, Post, PostForViewer, PostId, UserId, Viewer, diff_mentions, find_mentions,
};
use grateful_storage::{
    Comments, Connection, Job, LockedParticipants, Participants, RemovedMentions, Repositories,
    StorageError,
};

use crate::background_jobs::{enqueue, run};
use crate::idempotency::run_once;
use crate::notify::{notify, notify_after_edit};
use crate::post_access::{LockedPost, find_post, lock_post_with};
use crate::{App, Error, IdempotentRequest, RecordedResponse, Resource, Result, new_id};

/// A comment to be created.
#[derive(Debug, Clone)]
pub struct CommentDraft {
    /// The commented post.
    pub post: PostId,
    /// The comment on this post that this one replies to.
    pub parent: Option<CommentId>,
    /// The text.
    pub text: CommentText,
}

/// Creates a comment, once per idempotent request. `to_response` serializes the comment for replays.
///
/// # Errors
/// `NotFound` if the parent is no comment on this post.
pub async fn create(
    app: &App,
    author: UserId,
    draft: CommentDraft,
    idempotency: Option<IdempotentRequest>,
    to_response: impl Fn(&CommentForViewer) -> Vec<u8>,
) -> Result<RecordedResponse> {
    let now = app.clock.now();
    let comment = Comment {
        id: new_id(now).into(),
        post: draft.post,
        author,
        parent: draft.parent,
        text: draft.text,
        created_at: now,
        updated_at: None,
    };
    let usernames = find_mentions(comment.text.as_str());
    let opening = async |tx: &Connection| {
        let further = Participants {
            author_of_comment: comment.parent,
            usernames: &usernames,
            ..Participants::default()
        };
        let (locked, parent_author) = join(
            lock_post_with(tx, author, comment.post, further),
            find_parent_author(tx, &comment),
        )
        .await;
        Ok((locked?, parent_author?))
    };
    let act = async |tx: &mut Connection, (locked, parent_author): (LockedPost, _)| {
        let LockedPost { actor, post, participants } = locked;
        if !tx.comments().insert(&comment).await.map_err(|error| insert_error(error, &comment))? {
            return Err(Resource::Post.not_found(comment.post));
        }
        let mentioned = participants.ids_by_username(&usernames);
        let causes = recipients_of_comment(&post.post, &comment, parent_author, &mentioned);
        notify(tx, &causes, &EventDetails::default(), now).await?;
        Ok(to_response(&CommentForViewer { comment: comment.clone(), author: actor, replies: 0 }))
    };
    run_once(app, author, idempotency, opening, act).await
}

/// Lists the top-level comments on a post, oldest first. The author of the post gets placeholders for comments across a
/// block that have visible replies.
pub async fn list(
    app: &App,
    user: UserId,
    post: PostId,
    page: PageRequest,
) -> Result<Page<ListedComment>> {
    app.read_replica(async |mut conn| {
        let found = find_post(&mut conn, Viewer::User(user), post).await?;
        let hidden = HiddenComments::on(&found.post, user);
        Ok(conn.comments().list(user, post, hidden, page).await?)
    })
    .await
}

/// Lists the replies to a comment, oldest first, with placeholders like [`list`]. The author of the post can also list the
/// replies to a placeholder.
pub async fn list_replies(
    app: &App,
    user: UserId,
    comment: CommentId,
    page: PageRequest,
) -> Result<Page<ListedComment>> {
    let not_found = || Resource::Comment.not_found(comment);
    app.read_replica(async |mut conn| {
        let post = conn.comments().find_post_of_listed(user, comment).await?;
        let post = post.ok_or_else(not_found)?;
        let found = conn.posts().find(Viewer::User(user), post).await?.ok_or_else(not_found)?;
        let hidden = HiddenComments::on(&found.post, user);
        Ok(conn.comments().list_replies(user, comment, hidden, page).await?)
    })
    .await
}

/// Edits the text of a comment.
///
/// # Errors
/// `Forbidden` if `author` is not its author.
pub async fn update(
    app: &App,
    author: UserId,
    comment: CommentId,
    text: CommentText,
) -> Result<CommentForViewer> {
    let now = app.clock.now();
    app.db
        .transaction(async |tx| {
            let (before, target) = find_with_post(tx, author, comment).await?;
            if before.comment.author != author {
                return Err(not_author("edit"));
            }
            let after = before.comment.edited(text.clone(), now);
            if after != before.comment {
                save_and_notify(tx, &target.post, &after, now).await?;
            }
            Ok(CommentForViewer { comment: after, ..before })
        })
        .await
}

/// Saves an edited comment, notifies the users it newly mentions, and withdraws the notifications of removed mentions.
async fn save_and_notify(
    tx: &mut Connection,
    post: &Post,
    comment: &Comment,
    now: DateTime<Utc>,
) -> Result<()> {
    let new = find_mentions(comment.text.as_str());
    let mut users = LockedParticipants::default();
    if !new.is_empty() {
        let participants = Participants {
            users: &[comment.author],
            authors_of_posts: &[post.id],
            author_of_comment: None,
            usernames: &new,
        };
        users = tx.users().lock_participants(participants).await?;
    }
    let replaced = tx.comments().update(comment).await?;
    let replaced = replaced.ok_or_else(|| Resource::Comment.not_found(comment.id))?;
    let old = find_mentions(replaced.as_str());
    let MentionDiff { added, removed } = diff_mentions(&old, &new);
    let causes = recipients_of_comment_edit(post, comment, &users.ids_by_username(&added));
    let mention = Act::Mention { post: post.id, comment: Some(comment.id) };
    let removed =
        RemovedMentions { actor: comment.author, mention, usernames: &removed, kept: &new };
    notify_after_edit(tx, &causes, removed, &EventDetails::default(), now).await
}

/// Deletes a comment with all replies below it. Its author may do that even if they can no longer see the post, and the
/// author of the post even across a block.
///
/// The comment is gone when a short transaction is committed; the replies follow in small steps (see
/// [`background_jobs`](crate::background_jobs)).
///
/// # Errors
/// `Forbidden` if `user` is neither the author of the comment nor of the post, `NotFound` if they cannot see it either.
pub async fn delete(app: &App, user: UserId, comment: CommentId) -> Result<()> {
    let now = app.clock.now();
    let job = app
        .db
        .transaction(async |tx| {
            find_to_delete(tx, user, comment).await?;
            // Only one of several requests marks the comment.
            if !tx.comments().mark_deleted(comment, now).await? {
                return Err(Resource::Comment.not_found(comment));
            }
            enqueue(tx, Job::DeleteComment(comment), now).await
        })
        .await?;
    run(app, job).await;
    Ok(())
}

/// Finds the post of a comment that `user` wants to delete.
async fn find_to_delete(tx: &mut Connection, user: UserId, comment: CommentId) -> Result<PostId> {
    let owners = tx.comments().find_owners(comment).await?;
    let owners = owners.ok_or_else(|| Resource::Comment.not_found(comment))?;
    if owners.author != user && owners.post_author != user {
        find_with_post(tx, user, comment).await?;
        return Err(not_author("delete"));
    }
    Ok(owners.post)
}

async fn find(
    conn: &mut impl Repositories,
    user: UserId,
    comment: CommentId,
) -> Result<CommentForViewer> {
    let found = conn.comments().find(user, comment).await?;
    found.ok_or_else(|| Resource::Comment.not_found(comment))
}

/// Finds a comment and its post. A user who cannot see the post cannot see its comments either.
async fn find_with_post(
    conn: &mut Connection,
    user: UserId,
    comment: CommentId,
) -> Result<(CommentForViewer, PostForViewer)> {
    let found = find(conn, user, comment).await?;
    let post = conn.posts().find(Viewer::User(user), found.comment.post).await?;
    Ok((found, post.ok_or_else(|| Resource::Comment.not_found(comment))?))
}

/// The author of the parent of a comment, if it has one, which must be on the same post.
async fn find_parent_author(mut tx: &Connection, comment: &Comment) -> Result<Option<UserId>> {
    let Some(parent) = comment.parent else { return Ok(None) };
    let found = find(&mut tx, comment.author, parent).await?.comment;
    if found.post == comment.post {
        Ok(Some(found.author))
    } else {
        Err(Resource::Comment.not_found(parent))
    }
}

/// Translates the violation of the foreign key to the parent.
fn insert_error(error: StorageError, comment: &Comment) -> Error {
    match (&error, comment.parent) {
        (StorageError::ForeignKeyViolation { constraint }, Some(parent))
            if constraint == Comments::PARENT_KEY =>
        {
            Resource::Comment.not_found(parent)
        }
        _ => error.into(),
    }
}

fn not_author(action: &'static str) -> Error {
    let reason = "Only the author of a comment may do that";
    Error::Forbidden { action, resource: Resource::Comment, reason }
}
