//! Telling people of an act, inside the transaction of the act.

use chrono::{DateTime, Utc};
use grateful_domain::notification::{Act, Cause, Event, EventDetails};
use grateful_domain::{CommentId, Emoji, PostForViewer, UserId};
use grateful_storage::{Connection, RemovedMentions, Repositories};

use crate::{Result, new_id};

/// Tells whoever one act concerns. Whatever they read of it is the same for all.
pub(crate) async fn tell(
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

/// Tells whoever an edit names newly, and takes back what those were told whom it names no longer.
pub(crate) async fn tell_anew(
    tx: &mut Connection,
    causes: &[Cause],
    gone: RemovedMentions<'_>,
    details: &EventDetails,
    at: DateTime<Utc>,
) -> Result<()> {
    if gone.names.is_empty() {
        return tell(tx, causes, details, at).await;
    }
    tx.notifications().update_mentions(&events(causes, details, at), gone, at).await?;
    Ok(())
}

/// An event for each, but for whoever acts.
fn events(causes: &[Cause], details: &EventDetails, at: DateTime<Utc>) -> Vec<Event> {
    let others = causes.iter().filter(|cause| cause.recipient != cause.actor);
    let event = |cause: &Cause| Event {
        cause: *cause,
        details: details.clone(),
        at,
        id: new_id(at).into(),
        batch_id: new_id(at).into(),
    };
    others.map(event).collect()
}

/// That something was done to a post, for its author.
pub(crate) fn for_author(seen: &PostForViewer, actor: UserId, act: Act) -> Cause {
    Cause { recipient: seen.post.author, actor, act }
}

/// Shows another emoji where a reaction was changed.
pub(crate) async fn retell(
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

/// Takes back what was told of an act that is undone.
pub(crate) async fn untell(tx: &mut Connection, cause: Cause, now: DateTime<Utc>) -> Result<()> {
    if cause.recipient != cause.actor {
        tx.notifications().withdraw(&[cause], now).await?;
    }
    Ok(())
}

/// Takes back what was told of a comment, and of all answers to it. Their post is locked.
pub(crate) async fn untell_tree(
    tx: &mut Connection,
    comment: CommentId,
    now: DateTime<Utc>,
) -> Result<()> {
    let tree = tx.comments().list_thread_ids(comment).await?;
    Ok(tx.notifications().withdraw_for_comments(&tree, now).await?)
}
