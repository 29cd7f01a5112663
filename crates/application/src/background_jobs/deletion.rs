//! Steps that delete posts and comments with everything below them.

use chrono::{DateTime, Utc};
use grateful_domain::{CommentId, PostId};
use grateful_storage::{Connection, EngagementOf, Repositories, Thread};

use super::{BATCH_SIZE, StepResult};
use crate::Result;

/// Deletes a batch of what belongs to a post: its notifications, its comments, its engagement, and then the post itself.
/// Marks the post as deleted first, if that has not been done.
pub(super) async fn delete_post_step(
    tx: &mut Connection,
    post: PostId,
    now: DateTime<Utc>,
) -> Result<StepResult> {
    let Some(post) = tx.posts().lock_for_deletion(post).await? else {
        return Ok(StepResult::DONE);
    };
    if post.draft.visibility.is_public() {
        tx.posts().mark_deleted(&post, now).await?;
        return Ok(StepResult::MORE);
    }
    if tx.notifications().withdraw_post_batch(post.id, BATCH_SIZE, now).await? == BATCH_SIZE {
        return Ok(StepResult::MORE);
    }
    if delete_deepest_comments(tx, post.id, Thread::OnPost(post.id), now).await? == BATCH_SIZE {
        return Ok(StepResult::MORE);
    }
    let engagement = EngagementOf::Post(post.id);
    if tx.posts().delete_engagement_batch(engagement, BATCH_SIZE).await?.is_some() {
        return Ok(StepResult::MORE);
    }
    tx.posts().delete(&post).await?;
    Ok(StepResult { image: post.draft.image_url, ..StepResult::DONE })
}

/// Deletes a batch of the replies to a comment, and then the comment itself.
pub(super) async fn delete_comment_step(
    tx: &mut Connection,
    comment: CommentId,
    now: DateTime<Utc>,
) -> Result<StepResult> {
    let Some(post) = tx.comments().find_post(comment).await? else {
        return Ok(StepResult::DONE);
    };
    if tx.posts().lock(post).await?.is_none() {
        return Ok(StepResult::DONE);
    }
    let deleted = delete_deepest_comments(tx, post, Thread::Below(comment), now).await?;
    Ok(StepResult::of_batch(deleted))
}

/// Deletes a batch of comments, replies before the comments that they reply to, and withdraws the notifications about them.
/// The post is locked. Returns their number.
async fn delete_deepest_comments(
    tx: &mut Connection,
    post: PostId,
    thread: Thread,
    now: DateTime<Utc>,
) -> Result<i64> {
    let comments = tx.comments().list_deepest(thread, BATCH_SIZE).await?;
    if comments.is_empty() {
        return Ok(0);
    }
    tx.notifications().withdraw_for_comments(&comments, now).await?;
    Ok(tx.comments().delete_all(post, &comments).await?)
}
