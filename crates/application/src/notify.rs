//! Recording and withdrawing notifications inside the transaction of an act.

use chrono::{DateTime, Utc};
use grateful_domain::notification::{Act, Cause, Event, EventDetails};
use grateful_domain::{Emoji, PostForViewer, UserId};
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
    let event = |cause: &Cause| Event {
        cause: *cause,
        details: details.clone(),
        at,
        id: new_id(at).into(),
        batch_id: new_id(at).into(),
    };
    by_others.map(event).collect()
}

/// The cause that notifies the author of a post.
pub(crate) fn cause_for_author(post: &PostForViewer, actor: UserId, act: Act) -> Cause {
    Cause { recipient: post.post.author, actor, act }
}

/// Shows another emoji in the notification of a reaction that was changed.
pub(crate) async fn update_reaction(
    tx: &mut Connection,
    cause: Cause,
    emoji: Emoji,
    now: DateTime<Utc>,
) -> Result<()> {
    if cause.recipient != cause.actor {
        tx.notifications().update_reaction(cause, emoji, now).await?;
    }
    Ok(())
}

/// Withdraws the notification of an act that was undone.
pub(crate) async fn withdraw(tx: &mut Connection, cause: Cause, now: DateTime<Utc>) -> Result<()> {
    if cause.recipient != cause.actor {
        tx.notifications().withdraw(&[cause], now).await?;
    }
    Ok(())
}
