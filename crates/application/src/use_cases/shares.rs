//! Sharing posts, by link or by message to other users.

use chrono::{DateTime, TimeDelta, Utc};
use futures_util::future::join;
use grateful_domain::notification::{Act, Cause, EventDetails};
use grateful_domain::{PostForViewer, PostId, Recipients, Share, ShareDetails, ShareQuota, UserId};
use grateful_storage::{Connection, Participants, Repositories};

use crate::idempotency::run_once;
use crate::notify::{cause_for_author, notify, withdraw};
use crate::post_access::{lock_post_with, lock_to_undo};
use crate::{App, Error, IdempotentRequest, RecordedResponse, Resource, Result, new_id};

/// Shares a post, once per idempotent request. `to_response` serializes the share for replays. A second link share of a
/// post by the same user returns the first one.
///
/// # Errors
/// `RuleViolation` if the post is private, `NotFound` if a recipient does not exist, `Forbidden` if a block exists between
/// a recipient and the user or the author of the post, `RateLimited` if the user has sent too many message shares within the hour.
pub async fn create(
    app: &App,
    user: UserId,
    post: PostId,
    details: ShareDetails,
    idempotency: Option<IdempotentRequest>,
    to_response: impl Fn(&Share) -> Vec<u8>,
) -> Result<RecordedResponse> {
    let now = app.clock.now();
    let share = Share { id: new_id(now).into(), user, post, details, created_at: now };
    let opening = async |tx: &Connection| {
        let recipients =
            Participants { users: share.details.recipients(), ..Participants::default() };
        Ok(lock_post_with(tx, user, post, recipients).await?.post)
    };
    let act = async |tx: &mut Connection, target: PostForViewer| {
        require_public(&target)?;
        if let ShareDetails::Message { recipients, .. } = &share.details {
            // Sent together.
            let (reachable, quota) = join(
                require_reachable(tx, [user, target.post.author], recipients),
                require_quota(tx, user, now),
            )
            .await;
            reachable?;
            quota?;
        }
        if tx.shares().create(&share).await? {
            notify(tx, &causes(&share, &target), &event_details(&share), now).await?;
            return Ok(to_response(&share));
        }
        let link = tx.shares().find_link(user, post).await?;
        Ok(to_response(&link.ok_or_else(|| Resource::Post.not_found(post))?))
    };
    run_once(app, user, idempotency, opening, act).await
}

/// Deletes the link share of a user, even if the user can no longer see the post.
///
/// # Errors
/// `NotFound` if the user has not shared the post by link.
pub async fn delete(app: &App, user: UserId, post: PostId) -> Result<()> {
    let now = app.clock.now();
    app.db
        .transaction_after(
            async |tx| lock_to_undo(tx, user, post).await,
            async |tx, target| {
                let cause = tx.shares().delete_link(user, post).await?;
                let cause = cause.ok_or_else(|| target.nothing_to_undo(Resource::Share))?;
                withdraw(tx, cause, now).await
            },
        )
        .await
}

/// A link share notifies the author of the post, a message share its recipients.
fn causes(share: &Share, target: &PostForViewer) -> Vec<Cause> {
    let (actor, post) = (share.user, share.post);
    match &share.details {
        ShareDetails::Url => vec![cause_for_author(target, actor, Act::LinkShare { post })],
        ShareDetails::Message { recipients, .. } => {
            let act = Act::MessageShare { post, share: share.id };
            let cause = |recipient: &UserId| Cause { recipient: *recipient, actor, act };
            recipients.as_slice().iter().map(cause).collect()
        }
    }
}

fn event_details(share: &Share) -> EventDetails {
    EventDetails::of_message(match &share.details {
        ShareDetails::Url => None,
        ShareDetails::Message { message, .. } => message.clone(),
    })
}

/// Only its author can see a private post, so the error reveals nothing.
fn require_public(target: &PostForViewer) -> Result<()> {
    if target.post.draft.visibility.is_public() {
        return Ok(());
    }
    let reason = "This post cannot be shared due to privacy settings.";
    Err(Error::RuleViolation { constraint: "private_post", reason })
}

/// No recipient may have a block to or from the sender or the author, whose words the message shows. `parties` are these
/// two.
async fn require_reachable(
    mut tx: &Connection,
    parties: [UserId; 2],
    recipients: &Recipients,
) -> Result<()> {
    let is_blocked = tx.users().find_block_status(parties, recipients.as_slice()).await?;
    for recipient in recipients.as_slice() {
        match is_blocked.get(recipient) {
            None => return Err(Resource::User.not_found(recipient)),
            Some(true) => {
                let reason = "Cannot share with this user";
                return Err(Error::Forbidden { action: "share", resource: Resource::User, reason });
            }
            Some(false) => (),
        }
    }
    Ok(())
}

/// Locks the row of the sharing user, so that two messages cannot both use the last slot of the quota.
async fn require_quota(tx: &Connection, user: UserId, now: DateTime<Utc>) -> Result<()> {
    let (mut locking, mut reading) = (tx, tx);
    let (locked, exhausted_since) =
        join(locking.users().lock(user), reading.shares().quota_exhausted_since(user, now)).await;
    locked?;
    let exhausted_since = exhausted_since?;
    match ShareQuota::wait(exhausted_since, now) {
        None => Ok(()),
        Some(retry_after) => Err(Error::RateLimited {
            policy: "shares",
            limit: ShareQuota::MAX_PER_HOUR,
            window: TimeDelta::hours(1),
            retry_after,
            reason: "You have sent posts too often within the last hour, please try again later",
        }),
    }
}
