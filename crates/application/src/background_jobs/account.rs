//! Steps that delete an account with everything that counts elsewhere.

use chrono::{DateTime, Utc};
use grateful_domain::notification::Cause;
use grateful_domain::{JobId, UserId, closed_enum};
use grateful_storage::{Barrier, Connection, EngagementOf, Repositories};

use super::deletion::{delete_comment_step, delete_post_step};
use super::{BATCH_SIZE, Progress, StepResult};
use crate::Result;

closed_enum! {
    /// Data that is deleted in batches, before the account, in the order of deletion. The user's own inbox comes first, so
    /// that no notification in it outlives its act.
    enum OwnedData {
        /// The notifications in the user's own inbox.
        Inbox,
        Follows,
        Engagement,
        Comments,
        Posts,
        /// What is left of notifications about the user in other users' inboxes.
        Notifications,
    }
}

/// On how many posts one step deletes the engagement: each can have many messages, with up to five recipients each.
const ENGAGED_POSTS: i64 = 50;

/// Deletes a batch of a deleted account's data, in the first category that has any, and the account itself when nothing is
/// left. No new data appears after the barrier: every act locks the accounts of its participants first, and finds only those
/// that are not deleted.
pub(super) async fn delete_step(
    tx: &mut Connection,
    (id, barrier): (JobId, &Barrier),
    user: UserId,
    now: DateTime<Utc>,
) -> Result<StepResult> {
    let is_past = tx.background_jobs().is_past(barrier).await?;
    for data in OwnedData::ALL {
        if let Some(step) = delete_batch(tx, user, data, now).await? {
            return Ok(StepResult { progress: Progress::More, ..step });
        }
    }
    if !is_past {
        return Ok(StepResult::WAITING);
    }
    // Lock order: a step of another job locks the job first, and then its users and inboxes.
    tx.background_jobs().delete_others_about(user, id).await?;
    tx.notifications().lock_inboxes(&[user]).await?;
    let photo = tx.users().delete(user, now).await?.and_then(|previous| previous.0);
    Ok(StepResult { photo, ..StepResult::DONE })
}

/// Deletes a batch, with its counts and the notifications about it. Returns `None` if there was nothing to delete.
async fn delete_batch(
    tx: &mut Connection,
    user: UserId,
    data: OwnedData,
    now: DateTime<Utc>,
) -> Result<Option<StepResult>> {
    let more_unless_zero = |rows| (rows != 0).then_some(StepResult::MORE);
    match data {
        OwnedData::Follows => {
            let causes = tx.follows().delete_batch_of(user, BATCH_SIZE).await?;
            withdraw_causes(tx, causes, now).await
        }
        OwnedData::Engagement => {
            let engagement = EngagementOf::User(user);
            let causes = tx.posts().delete_engagement_batch(engagement, ENGAGED_POSTS).await?;
            withdraw_causes(tx, causes, now).await
        }
        OwnedData::Comments => match tx.comments().find_oldest_by(user).await? {
            Some(comment) => delete_comment_step(tx, comment, now).await.map(Some),
            None => Ok(None),
        },
        OwnedData::Posts => match tx.posts().find_any_by(user).await? {
            Some(post) => delete_post_step(tx, post, now).await.map(Some),
            None => Ok(None),
        },
        OwnedData::Notifications => {
            let rows = tx.notifications().withdraw_batch_by(user, BATCH_SIZE, now).await?;
            Ok(more_unless_zero(rows))
        }
        OwnedData::Inbox => {
            let rows = tx.notifications().delete_batch_of(user, BATCH_SIZE).await?;
            Ok(more_unless_zero(rows))
        }
    }
}

/// Withdraws the notifications of a batch of deleted acts, if there was one.
async fn withdraw_causes(
    tx: &mut Connection,
    causes: Option<Vec<Cause>>,
    now: DateTime<Utc>,
) -> Result<Option<StepResult>> {
    let Some(causes) = causes else { return Ok(None) };
    tx.notifications().withdraw(&causes, now).await?;
    Ok(Some(StepResult::MORE))
}
