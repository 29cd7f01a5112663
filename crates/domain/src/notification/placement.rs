//! Where something that happened goes in its recipient's inbox (rules §4, life of a key).

use chrono::{DateTime, Utc};

use super::{BatchConfig, Event, Notification, Withdrawn};
use crate::{Author, Emoji, NotificationId};

/// What of an inbox, and of the two people, matters for one event.
#[derive(Debug, Clone, PartialEq)]
pub struct Situation {
    /// Who did it, as they are called today.
    pub actor: Author,
    pub standing: Standing,
    /// Whether there is a notification of this very act already.
    pub is_recorded: bool,
    /// What was withdrawn when the same act was undone.
    pub withdrawn: Option<Withdrawn>,
    /// The batch that the withdrawn one was an entry of, where it still is there.
    pub home: Option<Top>,
    /// What is open under the key of the event.
    pub open: Option<Top>,
}

/// Whether the recipient wants to hear of the actor, and of such acts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Standing {
    /// Nothing stands against it.
    Welcome,
    /// One of the two has blocked the other.
    Blocked,
    /// The recipient has switched such notifications off.
    Muted,
}

/// A notification of the list, and what an event has to know of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Top {
    pub notification: Notification,
    /// [`Notification::moment`] of its newest entry; of a single, its own.
    pub newest: (DateTime<Utc>, NotificationId),
    /// What the actor of the event has in it already.
    pub beside: Option<Beside>,
}

/// What somebody has in a notification already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Beside {
    /// The emoji among it.
    pub emoji: Option<Emoji>,
}

/// What becomes of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Placement {
    /// Nobody is told.
    Skip(Skip),
    /// It becomes an entry of the open batch, which is news.
    Join,
    /// It and the open single become the entries of a new batch.
    Convert,
    /// It stands by itself, and closes whatever is open. This counts in the hourly limit.
    Start,
    /// It is no news: what was withdrawn comes back.
    ComeBack(Place),
}

/// Why nobody is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Skip {
    /// It is the recipient's own act.
    Own,
    /// One of the two has blocked the other.
    Blocked,
    /// The recipient has switched such notifications off.
    Muted,
    /// It is there already.
    Recorded,
}

/// Where something comes back to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Place {
    /// The batch that it was an entry of.
    Home,
    /// The batch that is open by now.
    Batch,
    /// A batch with the single that is open by now.
    Single,
    /// A place of its own, open or, where something else is open, closed.
    Alone,
}

/// Decides what becomes of an event.
pub fn place(event: &Event, situation: &Situation) -> Placement {
    if let Some(skip) = skip(event, situation) {
        return Placement::Skip(skip);
    }
    let config = event.cause.act.config();
    let open = config.zip(situation.open.as_ref());
    let admission = open.and_then(|(config, open)| admission(config, &open.notification, event.at));
    let remembered = situation.withdrawn.as_ref().is_some_and(|it| it.is_remembered(event.at));
    if remembered {
        let home = config.zip(situation.home.as_ref());
        let home_has_room = home.is_some_and(|(config, home)| has_room(config, &home.notification));
        return Placement::ComeBack(match admission {
            _ if home_has_room => Place::Home,
            Some(Placement::Join) => Place::Batch,
            Some(Placement::Convert) => Place::Single,
            _ => Place::Alone,
        });
    }
    admission.unwrap_or(Placement::Start)
}

fn skip(event: &Event, situation: &Situation) -> Option<Skip> {
    match situation.standing {
        _ if event.cause.actor == event.cause.recipient => Some(Skip::Own),
        Standing::Blocked => Some(Skip::Blocked),
        Standing::Muted => Some(Skip::Muted),
        Standing::Welcome => situation.is_recorded.then_some(Skip::Recorded),
    }
}

/// How something that happens at `now` may be added to what is open, if at all.
fn admission(config: &BatchConfig, open: &Notification, now: DateTime<Utc>) -> Option<Placement> {
    let age = now - open.created_at;
    match open.batch {
        Some(_) if age <= config.max_age && has_room(config, open) => Some(Placement::Join),
        None if age <= config.conversion_window => Some(Placement::Convert),
        _ => None,
    }
}

fn has_room(config: &BatchConfig, batch: &Notification) -> bool {
    config.max_size.is_none_or(|most| batch.gathered().entries < most)
}
