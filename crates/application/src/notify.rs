//! Telling people of an act, inside the transaction of the act.

use chrono::{DateTime, Utc};
use grateful_domain::notification::{Act, Cause, Details, Event};
use grateful_domain::{Emoji, SeenPost, UserId};
use grateful_storage::{Connection, Repositories};

use crate::{Result, new_id};

/// Tells whoever one act concerns. Whatever they read of it is the same for all.
pub(crate) async fn tell(
    tx: &mut Connection,
    causes: &[Cause],
    details: &Details,
    at: DateTime<Utc>,
) -> Result<()> {
    let others = causes.iter().filter(|cause| cause.recipient != cause.actor);
    let events: Vec<Event> = others
        .map(|cause| Event {
            cause: *cause,
            details: details.clone(),
            at,
            id: new_id(at).into(),
            batch_id: new_id(at).into(),
        })
        .collect();
    if !events.is_empty() {
        tx.notifications().record(&events).await?;
    }
    Ok(())
}

/// That something was done to a post, for its author.
pub(crate) fn for_author(seen: &SeenPost, actor: UserId, act: Act) -> Cause {
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
        tx.notifications().change(cause, emoji, now).await?;
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
