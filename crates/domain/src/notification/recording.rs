//! Carrying out where an event goes.

use chrono::{DateTime, Utc};

use super::text::emoji_in;
use super::{
    Batch, Event, Notification, Outcome, Place, Placement, Situation, Text, Top, Withdrawn, place,
};
use crate::Author;

/// What an event does to its recipient's inbox.
pub fn record(event: &Event, situation: &Situation) -> Outcome {
    let Situation { actor, open, withdrawn, .. } = situation;
    match (place(event, situation), open, withdrawn) {
        (Placement::Join, Some(open), _) => {
            let entry = entry(event, actor);
            into_batch(None, news(gathered(open, &entry, actor), event.at), entry)
        }
        (Placement::Convert, Some(open), _) => {
            let entry = entry(event, actor);
            let batch = gathered(&batch_of(open, event, event.at), &entry, actor);
            into_batch(Some(open), news(batch, event.at), entry)
        }
        (Placement::Start, open, _) => started(open.as_ref(), entry(event, actor)),
        (Placement::ComeBack(place), _, Some(withdrawn)) => {
            returned(event, situation, withdrawn, place)
        }
        _ => Outcome::default(),
    }
}

fn started(open: Option<&Top>, single: Notification) -> Outcome {
    let closed_at = Some(single.created_at);
    let closed = open.map(|open| Notification { closed_at, ..open.notification.clone() });
    Outcome {
        announced: vec![single.id],
        starts: Some(single.kind),
        saved: closed.into_iter().chain([single]).collect(),
        ..Outcome::default()
    }
}

/// No news: nothing becomes unread, nothing moves up, and no limit counts it.
fn returned(event: &Event, situation: &Situation, withdrawn: &Withdrawn, place: Place) -> Outcome {
    let Situation { actor, home, open, .. } = situation;
    let entry = Notification {
        id: withdrawn.id,
        created_at: withdrawn.created_at,
        last_updated_at: withdrawn.created_at,
        read_at: withdrawn.read_at,
        ..entry(event, actor)
    };
    let outcome = match (place, home, open) {
        (Place::Home, Some(top), _) | (Place::Batch, _, Some(top)) => {
            into_batch(None, gathered(top, &entry, actor), entry)
        }
        (Place::Single, _, Some(open)) => {
            let created_at = open.notification.created_at.max(entry.created_at);
            let batch = gathered(&batch_of(open, event, created_at), &entry, actor);
            into_batch(Some(open), batch, entry)
        }
        _ => {
            let closed_at = open.as_ref().map(|_| event.at);
            let single = Notification { closed_at, ..entry };
            Outcome { announced: vec![single.id], saved: vec![single], ..Outcome::default() }
        }
    };
    Outcome { returned: Some(withdrawn.clone()), ..outcome }
}

/// The event by itself.
fn entry(event: &Event, actor: &Author) -> Notification {
    let act = event.cause.act;
    let unsaid = Text { title: String::new(), message: String::new() };
    let entry = Notification {
        id: event.id,
        recipient: event.cause.recipient,
        kind: act.kind(),
        actor: Some(event.cause.actor),
        act: Some(act.name()),
        post: act.post(),
        comment: act.comment(),
        text: unsaid,
        data: event.data(actor.username.as_str()),
        priority: act.kind().priority(),
        read_at: None,
        created_at: event.at,
        last_updated_at: event.at,
        closed_at: None,
        parent: None,
        batch: None,
        key: event.cause.key(),
    };
    Notification { text: entry.told(actor.name(), None), ..entry }
}

/// A batch that so far has nothing but the single in it.
fn batch_of(single: &Top, event: &Event, created_at: DateTime<Utc>) -> Top {
    let act = event.cause.act;
    let batch = Notification {
        id: event.batch_id,
        kind: act.config().map_or(act.kind(), |config| config.notification_type),
        act: None,
        batch: Some(Batch { entries: 1, people: 1 }),
        created_at,
        last_updated_at: single.notification.last_updated_at.max(created_at),
        ..single.notification.clone()
    };
    Top { notification: batch, ..single.clone() }
}

/// The batch with one entry more. It shows the newest, which need not be this one.
fn gathered(top: &Top, entry: &Notification, actor: &Author) -> Notification {
    let before = top.notification.gathered();
    let people = before.people + i32::from(top.beside.is_none());
    let mut batch = Notification {
        batch: Some(Batch { entries: before.entries + 1, people }),
        ..top.notification.clone()
    };
    if top.newest < entry.moment() {
        batch.show(entry);
    }
    let emoji = emoji_in(&entry.data).or_else(|| top.beside?.emoji);
    Notification { text: batch.told(actor.name(), emoji), ..batch }
}

/// Whatever is added to a batch makes it unread, and moves it up.
fn news(batch: Notification, at: DateTime<Utc>) -> Notification {
    let last_updated_at = batch.last_updated_at.max(at);
    Notification { last_updated_at, read_at: None, ..batch }
}

/// The batch, and what is an entry of it from now on. A single leaves the open place of the key before the batch takes it.
fn into_batch(single: Option<&Top>, batch: Notification, entry: Notification) -> Outcome {
    let parent = Some(batch.id);
    // Below a read batch nothing is unread.
    let entry = Notification { parent, read_at: entry.read_at.or(batch.read_at), ..entry };
    let moved = single.map(|single| Notification { parent, ..single.notification.clone() });
    Outcome {
        announced: vec![batch.id],
        departed: moved.iter().map(|moved| moved.id).collect(),
        saved: moved.into_iter().chain([batch, entry]).collect(),
        ..Outcome::default()
    }
}

impl Notification {
    /// Shows the newest of its entries.
    pub(super) fn show(&mut self, newest: &Self) {
        self.actor = newest.actor;
        self.comment = newest.comment;
        self.data.clone_from(&newest.data);
    }
}
