//! An inbox in memory: for services that keep theirs elsewhere, and to hold PostgreSQL against.

use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, Utc};

use super::text::emoji_in;
use super::{
    Act, Batch, Beside, Cause, Event, HourlyStarts, Notification, NotificationType, Outcome,
    Remains, Situation, Standing, Top, Withdrawn, change, record, withdraw,
};
use crate::{Author, BatchKey, Emoji, NotificationId, UserId};

/// The notifications of one person.
///
/// ```
/// use chrono::{DateTime, TimeDelta};
/// use grateful_domain::notification::{Act, Cause, Details, Event, Inbox, Standing};
/// use grateful_domain::{Author, UserId, Username};
/// use uuid::Uuid;
///
/// let ana = UserId::from(1);
/// let mut inbox = Inbox::new(ana);
/// for (number, name) in (2..).zip(["ben", "caro", "dan"]) {
///     let actor = Author {
///         id: UserId::from(number),
///         username: Username::from_stored(name.to_owned()),
///         display_name: None,
///         profile_image_url: None,
///     };
///     let event = Event {
///         cause: Cause { recipient: ana, actor: actor.id, act: Act::Follow },
///         details: Details::default(),
///         at: DateTime::UNIX_EPOCH + TimeDelta::minutes(number),
///         id: Uuid::from_u128(number as u128).into(),
///         batch_id: Uuid::from_u128(100 + number as u128).into(),
///     };
///     inbox.record(&event, &actor, Standing::Welcome);
/// }
/// let told: Vec<_> = inbox.top_level().iter().map(|it| it.text.message.clone()).collect();
/// assert_eq!(told, ["3 people started following you"]);
/// ```
#[derive(Debug, Clone)]
pub struct Inbox {
    owner: UserId,
    notifications: BTreeMap<NotificationId, Notification>,
    withdrawn: HashMap<(UserId, String), Withdrawn>,
    starts: HashMap<NotificationType, HourlyStarts>,
    held_back: u64,
    people: HashMap<UserId, Author>,
}

impl Inbox {
    /// An empty one.
    pub fn new(owner: UserId) -> Self {
        Self {
            owner,
            notifications: BTreeMap::new(),
            withdrawn: HashMap::new(),
            starts: HashMap::new(),
            held_back: 0,
            people: HashMap::new(),
        }
    }

    /// Tells of something that happened.
    pub fn record(&mut self, event: &Event, actor: &Author, standing: Standing) {
        self.people.insert(actor.id, actor.clone());
        let outcome = record(event, &self.situation(event, actor, standing));
        if let Some(kind) = outcome.starts {
            let Some(starts) = HourlyStarts::start(self.starts.get(&kind).copied(), event.at)
            else {
                self.held_back += 1;
                return;
            };
            self.starts.insert(kind, starts);
        }
        self.carry_out(outcome);
    }

    /// Takes back what was told of an act that is undone.
    pub fn withdraw(&mut self, actor: UserId, act: Act, now: DateTime<Utc>) {
        let Some(entry) = self.find(actor, &act.name()).cloned() else { return };
        let top = entry.parent.unwrap_or(entry.id);
        let Some(top) = self.notifications.get(&top).cloned() else { return };
        let remains = self.remains(top.id, Some(entry.id));
        self.carry_out(withdraw(&top, &[entry], remains.as_ref(), now));
    }

    /// Shows another emoji where a reaction was changed.
    pub fn change(&mut self, actor: &Author, act: Act, emoji: Emoji) {
        let Some(entry) = self.find(actor.id, &act.name()).cloned() else { return };
        let batch = entry.parent.and_then(|parent| self.notifications.get(&parent)).cloned();
        let remains = batch.as_ref().and_then(|batch| self.remains(batch.id, None));
        self.carry_out(change(&entry, emoji, actor, batch.as_ref().zip(remains.as_ref())));
    }

    /// Marks a notification read, a batch with all its entries. Tells whether there is one.
    pub fn read(&mut self, id: NotificationId, now: DateTime<Utc>) -> bool {
        for it in self.notifications.values_mut() {
            if it.id == id || it.parent == Some(id) {
                it.read_at = it.read_at.or(Some(now));
            }
        }
        self.notifications.contains_key(&id)
    }

    /// Marks everything read. Tells how many of the list were not.
    pub fn read_all(&mut self, now: DateTime<Utc>) -> usize {
        let unread = self.unread_count();
        for it in self.notifications.values_mut() {
            it.read_at = it.read_at.or(Some(now));
        }
        unread
    }

    /// The list: newest activity first.
    pub fn top_level(&self) -> Vec<&Notification> {
        let mut list: Vec<_> = self.notifications.values().filter(|it| it.is_top_level()).collect();
        list.sort_by_key(|it| std::cmp::Reverse((it.last_updated_at, it.id)));
        list
    }

    /// The entries of a batch: newest first.
    pub fn entries(&self, batch: NotificationId) -> Vec<&Notification> {
        let mut entries: Vec<_> =
            self.notifications.values().filter(|it| it.parent == Some(batch)).collect();
        entries.sort_by_key(|it| std::cmp::Reverse(it.moment()));
        entries
    }

    /// How many of the list are unread.
    pub fn unread_count(&self) -> usize {
        self.notifications.values().filter(|it| it.is_top_level() && it.read_at.is_none()).count()
    }

    /// How many events the hourly limit has held back.
    pub fn held_back(&self) -> u64 {
        self.held_back
    }

    fn situation(&self, event: &Event, actor: &Author, standing: Standing) -> Situation {
        let Cause { actor: by, act, .. } = event.cause;
        debug_assert_eq!(event.cause.recipient, self.owner, "an event goes to its recipient");
        let withdrawn = self.withdrawn.get(&(by, act.name())).cloned();
        let home = withdrawn.as_ref().and_then(|it| self.notifications.get(&it.parent?));
        let key = event.cause.key();
        Situation {
            actor: actor.clone(),
            standing,
            is_recorded: self.find(by, &act.name()).is_some(),
            home: home.filter(|it| it.batch.is_some()).map(|home| self.top(home, by)),
            open: key.and_then(|key| self.open(&key)).map(|open| self.top(open, by)),
            withdrawn,
        }
    }

    fn find(&self, actor: UserId, act: &str) -> Option<&Notification> {
        let is_it = |it: &&Notification| it.actor == Some(actor) && it.act.as_deref() == Some(act);
        self.notifications.values().find(is_it)
    }

    fn open(&self, key: &BatchKey) -> Option<&Notification> {
        self.notifications.values().find(|it| it.is_open() && it.key.as_ref() == Some(key))
    }

    fn top(&self, notification: &Notification, actor: UserId) -> Top {
        let entries = match notification.batch {
            Some(_) => self.entries(notification.id),
            None => vec![notification],
        };
        let own = || entries.iter().filter(|it| it.actor == Some(actor));
        Top {
            notification: notification.clone(),
            newest: entries.first().map_or(notification.moment(), |newest| newest.moment()),
            beside: own().next().map(|_| Beside { emoji: own().find_map(|it| emoji_in(&it.data)) }),
        }
    }

    fn remains(&self, batch: NotificationId, without: Option<NotificationId>) -> Option<Remains> {
        let entries = self.entries(batch);
        let left: Vec<_> = entries.into_iter().filter(|it| Some(it.id) != without).collect();
        let newest = *left.first()?;
        let mut people: Vec<_> = left.iter().map(|it| it.actor).collect();
        people.sort_unstable();
        people.dedup();
        let of_newest = || left.iter().filter(|it| it.actor == newest.actor);
        Some(Remains {
            gathered: Batch { entries: count(left.len()), people: count(people.len()) },
            newest: newest.clone(),
            actor: newest.actor.and_then(|actor| self.people.get(&actor)).cloned()?,
            emoji: of_newest().find_map(|it| emoji_in(&it.data)),
        })
    }

    fn carry_out(&mut self, outcome: Outcome) {
        for gone in outcome.deleted {
            self.notifications.remove(&gone);
        }
        for saved in outcome.saved {
            self.notifications.insert(saved.id, saved);
        }
        if let Some(it) = outcome.returned {
            self.withdrawn.remove(&(it.actor, it.act));
        }
        for it in outcome.withdrawn {
            self.withdrawn.insert((it.actor, it.act.clone()), it);
        }
    }
}

fn count(entries: usize) -> i32 {
    i32::try_from(entries).unwrap_or(i32::MAX)
}
