//! Recording and withdrawing notifications inside the transaction of an act.

use chrono::{DateTime, Utc};
use grateful_domain::notification::{Act, Cause, Event, EventDetails, InboxUpdate};
use grateful_domain::{PostForViewer, UserId};
use grateful_storage::{Connection, RemovedMentions, Repositories};

use crate::{Result, new_id};

/// Notifies the recipients of one act. All of them get the same details.
pub(crate) async fn notify(
    tx: &mut Connection,
    causes: &[Cause],
    details: &EventDetails,
    at: DateTime<Utc>,
) -> Result<()> {
    let events = events(causes, details, at);
    if !events.is_empty() {
        tx.notifications().record(&events).await?;
    }
    Ok(())
}

/// Notifies the users that an edit newly mentions, and withdraws the notifications of removed mentions.
pub(crate) async fn notify_after_edit(
    tx: &mut Connection,
    causes: &[Cause],
    removed: RemovedMentions<'_>,
    details: &EventDetails,
    at: DateTime<Utc>,
) -> Result<()> {
    if removed.usernames.is_empty() {
        return notify(tx, causes, details, at).await;
    }
    tx.notifications().update_mentions(&events(causes, details, at), removed, at).await?;
    Ok(())
}

/// One event per cause. Skips causes whose recipient is the actor.
fn events(causes: &[Cause], details: &EventDetails, at: DateTime<Utc>) -> Vec<Event> {
    let by_others = causes.iter().filter(|cause| cause.recipient != cause.actor);
    by_others.map(|cause| event(*cause, details.clone(), at)).collect()
}

/// The event of a cause at this time.
pub(crate) fn event(cause: Cause, details: EventDetails, at: DateTime<Utc>) -> Event {
    Event { cause, details, at, id: new_id(at).into(), batch_id: new_id(at).into() }
}

/// Applies the updates of a group of acts to the inboxes of their recipients. Skips those whose recipient is the actor.
pub(crate) async fn update_inboxes(tx: &mut Connection, updates: Vec<InboxUpdate>) -> Result<()> {
    let is_for_other = |update: &InboxUpdate| update.cause().recipient != update.cause().actor;
    let updates: Vec<_> = updates.into_iter().filter(is_for_other).collect();
    tx.notifications().update(&updates).await?;
    Ok(())
}

/// The cause that notifies the author of a post.
pub(crate) fn cause_for_author(post: &PostForViewer, actor: UserId, act: Act) -> Cause {
    Cause { recipient: post.post.author, actor, act }
}

/// Withdraws the notification of an act that was undone.
pub(crate) async fn withdraw(tx: &mut Connection, cause: Cause, now: DateTime<Utc>) -> Result<()> {
    if cause.recipient != cause.actor {
        tx.notifications().withdraw(&[cause], now).await?;
    }
    Ok(())
}
