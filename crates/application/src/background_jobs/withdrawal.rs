//! Steps that withdraw the notifications that their recipients may no longer see.

use chrono::{DateTime, Utc};
use grateful_domain::{PostId, UserId};
use grateful_storage::{Barrier, Connection, Participants, Repositories};

use super::{BATCH_SIZE, Progress, StepResult};
use crate::Result;

/// Withdraws a batch of the notifications that two users have about each other. Ends early if there is no block any more.
pub(super) async fn withdraw_between_step(
    tx: &mut Connection,
    barrier: &Barrier,
    (user, other): (UserId, UserId),
    now: DateTime<Utc>,
) -> Result<StepResult> {
    // The rows stay while their notifications are withdrawn.
    let pair = Participants { users: &[user, other], ..Participants::default() };
    tx.users().lock_participants(pair).await?;
    if !tx.follows().find_relationship(user, other).await?.is_blocked() {
        return Ok(StepResult::DONE);
    }
    let is_past = tx.background_jobs().is_past(barrier).await?;
    let withdrawn = tx.notifications().withdraw_batch_between(user, other, BATCH_SIZE, now).await?;
    Ok(match StepResult::of_batch(withdrawn) {
        StepResult { progress: Progress::Done, .. } if !is_past => StepResult::WAITING,
        step => step,
    })
}

/// Withdraws a batch of the notifications about a private post. Ends early if the post is public again.
pub(super) async fn withdraw_hidden_post_step(
    tx: &mut Connection,
    post: PostId,
    now: DateTime<Utc>,
) -> Result<StepResult> {
    let Some(post) = tx.posts().lock(post).await? else { return Ok(StepResult::DONE) };
    if post.draft.visibility.is_public() {
        return Ok(StepResult::DONE);
    }
    let mut notifications = tx.notifications();
    let withdrawn =
        notifications.withdraw_hidden_post_batch(post.id, post.author, BATCH_SIZE, now).await?;
    Ok(StepResult::of_batch(withdrawn))
}
