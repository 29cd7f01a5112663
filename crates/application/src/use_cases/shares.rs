//! Passing posts on: by link, or to people.

use chrono::{DateTime, TimeDelta, Utc};
use grateful_domain::notification::{Act, Cause, EventDetails};
use grateful_domain::{PostForViewer, PostId, Recipients, Share, ShareDetails, ShareQuota, UserId};
use grateful_storage::{Connection, Participants, Repositories};

use crate::idempotency::run_once;
use crate::notify::{for_author, tell, untell};
use crate::post_access::{Held, hold, hold_with};
use crate::{App, Error, IdempotentRequest, RecordedResponse, Resource, Result, new_id};

/// Passes a post on, once for all requests that are the same by `idempotency`. A link that one has already is the same link.
/// `record` turns the share into the answer that is kept.
///
/// # Errors
/// `RuleViolation` where one's own post is private; `NotFound` where a recipient is unknown; `Forbidden` where a block
/// stands between; `RateLimited` where too many messages were sent within the hour.
pub async fn create(
    app: &App,
    user: UserId,
    post: PostId,
    how: ShareDetails,
    idempotency: Option<IdempotentRequest>,
    record: impl Fn(&Share) -> Vec<u8>,
) -> Result<RecordedResponse> {
    let now = app.clock.now();
    let share = Share { id: new_id(now).into(), by: user, post, details: how, created_at: now };
    run_once(app, user, idempotency, async |tx| {
        let others = Participants { users: share.details.recipients(), ..Participants::default() };
        let Held { seen, .. } = hold_with(tx, user, post, others).await?;
        require_public(&seen)?;
        if let ShareDetails::Message { recipients, .. } = &share.details {
            require_reachable(tx, user, recipients).await?;
            require_quota(tx, user, now).await?;
        }
        if tx.shares().create(&share).await? {
            tell(tx, &causes(&share, &seen), &details(&share, &seen), now).await?;
            return Ok(record(&share));
        }
        let link = tx.shares().find_link(user, post).await?;
        Ok(record(&link.ok_or_else(|| Resource::Post.not_found(post))?))
    })
    .await
}

/// Gives one's link to a post back.
///
/// # Errors
/// `NotFound` where there is none.
pub async fn delete(app: &App, user: UserId, post: PostId) -> Result<()> {
    let now = app.clock.now();
    app.db
        .transaction(async |tx| {
            let (_, seen) = hold(tx, user, post).await?;
            if !tx.shares().delete_link(user, post).await? {
                return Err(Error::NotFound { resource: Resource::Share, id: None });
            }
            untell(tx, for_author(&seen, user, Act::LinkShare { post }), now).await
        })
        .await
}

/// A link concerns the author of the post, a message those to whom it goes.
fn causes(share: &Share, seen: &PostForViewer) -> Vec<Cause> {
    let (actor, post) = (share.by, share.post);
    match &share.details {
        ShareDetails::Url => vec![for_author(seen, actor, Act::LinkShare { post })],
        ShareDetails::Message { recipients, .. } => {
            let act = Act::MessageShare { post, share: share.id };
            let cause = |recipient: &UserId| Cause { recipient: *recipient, actor, act };
            recipients.as_slice().iter().map(cause).collect()
        }
    }
}

fn details(share: &Share, seen: &PostForViewer) -> EventDetails {
    let share_message = match &share.details {
        ShareDetails::Url => None,
        ShareDetails::Message { message, .. } => message.clone(),
    };
    EventDetails { share_message, ..EventDetails::for_post(seen.post.draft.content.as_str()) }
}

/// Whoever sees a private post is its author.
fn require_public(seen: &PostForViewer) -> Result<()> {
    if seen.post.draft.visibility.is_public() {
        return Ok(());
    }
    let reason = "This post cannot be shared due to privacy settings.";
    Err(Error::RuleViolation { constraint: "private_post", reason })
}

async fn require_reachable(tx: &mut Connection, user: UserId, named: &Recipients) -> Result<()> {
    let blocks = tx.users().block_status_of(user, named.as_slice()).await?;
    for recipient in named.as_slice() {
        match blocks.get(recipient) {
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

/// Under the lock of the sharer's own row, so that no two messages take the last place.
async fn require_quota(tx: &mut Connection, user: UserId, now: DateTime<Utc>) -> Result<()> {
    tx.users().lock(user).await?;
    let reaches_back_to = tx.shares().quota_exhausted_since(user, now).await?;
    match ShareQuota::wait(reaches_back_to, now) {
        None => Ok(()),
        Some(retry_after) => Err(Error::RateLimited {
            policy: "shares",
            limit: ShareQuota::MAX_PER_HOUR,
            window: TimeDelta::hours(1),
            retry_after,
            reason: "You have shared with people often enough for now",
        }),
    }
}
