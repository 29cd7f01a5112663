//! Taking back what an undone act told, and correcting what a changed one did (rules §4, laws 4 and 5).

use chrono::{DateTime, Utc};

use super::text::emoji_in;
use super::{Batch, Notification, Outcome, Withdrawn};
use crate::{Author, Emoji};

/// What a batch has left.
#[derive(Debug, Clone, PartialEq)]
pub struct Remains {
    pub gathered: Batch,
    /// The newest entry.
    pub newest: Notification,
    /// Who did that, as they are called today.
    pub actor: Author,
    /// An emoji that the same person left, the newest entry or another.
    pub emoji: Option<Emoji>,
}

/// Takes entries away from a notification of the list: from a batch all of `gone`, which are its entries; from the list
/// a single, which is all of `gone` itself. The last entry takes its batch along.
///
/// Nothing becomes unread and nothing moves up.
pub fn withdraw(
    top: &Notification,
    gone: &[Notification],
    remains: Option<&Remains>,
    now: DateTime<Utc>,
) -> Outcome {
    let withdrawn = gone.iter().filter_map(|entry| remembered(entry, now)).collect();
    let deleted = gone.iter().map(|entry| entry.id).collect();
    let outcome = Outcome { deleted, withdrawn, ..Outcome::default() };
    match (top.batch, remains) {
        (Some(_), Some(remains)) => {
            Outcome { announced: vec![top.id], saved: vec![retold(top, remains)], ..outcome }
        }
        (Some(_), None) => {
            let mut outcome = Outcome { departed: vec![top.id], ..outcome };
            outcome.deleted.push(top.id);
            outcome
        }
        (None, _) => Outcome { departed: vec![top.id], ..outcome },
    }
}

/// Shows another emoji in the entry of a reaction, and in its batch, of which `remains` is all there is. It is no event:
/// nothing becomes unread and nothing moves up.
pub fn change(
    entry: &Notification,
    emoji: Emoji,
    actor: &Author,
    batch: Option<(&Notification, &Remains)>,
) -> Outcome {
    let before = entry;
    let mut entry = before.clone();
    entry.data.insert("emoji_code".to_owned(), emoji.code().into());
    entry.text = entry.told(actor.name(), None);
    let Some((batch, remains)) = batch else {
        let announced = if entry == *before { vec![] } else { vec![entry.id] };
        return Outcome { announced, saved: vec![entry], ..Outcome::default() };
    };
    let newest = if remains.newest.id == entry.id { &entry } else { &remains.newest };
    let emoji = if newest.actor == entry.actor { Some(emoji) } else { remains.emoji };
    let after = retold(batch, &Remains { newest: newest.clone(), emoji, ..remains.clone() });
    let announced = if after == *batch { vec![] } else { vec![after.id] };
    Outcome { announced, saved: vec![after, entry], ..Outcome::default() }
}

/// The batch as it reads with these entries.
fn retold(batch: &Notification, remains: &Remains) -> Notification {
    let mut batch = Notification { batch: Some(remains.gathered), ..batch.clone() };
    batch.show(&remains.newest);
    let emoji = remains.emoji.or_else(|| emoji_in(&remains.newest.data));
    Notification { text: batch.told(remains.actor.name(), emoji), ..batch }
}

/// A comment that is gone does not come back, and neither does what was told of it.
fn remembered(entry: &Notification, now: DateTime<Utc>) -> Option<Withdrawn> {
    if entry.comment.is_some() {
        return None;
    }
    Some(Withdrawn {
        recipient: entry.recipient,
        actor: entry.actor?,
        act: entry.act.clone()?,
        id: entry.id,
        created_at: entry.created_at,
        read_at: entry.read_at,
        parent: entry.parent,
        withdrawn_at: now,
    })
}
