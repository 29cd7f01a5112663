//! What is in somebody's inbox after all they were told of: decided by the domain, act by act.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use grateful_domain::notification::{
    Beside, Event, HourlyStarts, Outcome, Situation, Standing, Top, record,
};
use grateful_domain::{
    Author, BatchKey, Emoji, Notification, NotificationId, NotificationType, UserId,
};

/// Somebody's notifications, and the numbers kept with them.
#[derive(Debug, Clone, PartialEq)]
pub struct FilledInbox {
    /// Whose.
    pub owner: UserId,
    /// What is in it, with the number of the change of the list that last showed it; 0 where none did.
    pub notifications: Vec<(Notification, i64)>,
    /// The number of the last change of the list.
    pub last_change: i64,
    /// What started, by type.
    pub quotas: Vec<Quota>,
}

/// How many notifications of a type started, and how many did not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quota {
    /// Of which type.
    pub kind: NotificationType,
    /// The last hour in which some did.
    pub starts: HourlyStarts,
    /// How many the hourly limit held back, in all.
    pub held_back: i64,
}

/// An inbox that is being filled.
pub(crate) struct Filling {
    inbox: FilledInbox,
    places: HashMap<NotificationId, usize>,
    open: HashMap<BatchKey, Open>,
}

/// What may still be joined.
struct Open {
    place: usize,
    newest: (DateTime<Utc>, NotificationId),
    /// Who is in it, with an emoji of theirs.
    people: HashMap<UserId, Option<Emoji>>,
}

impl Filling {
    pub(crate) fn of(owner: UserId) -> Self {
        let inbox =
            FilledInbox { owner, notifications: Vec::new(), last_change: 0, quotas: Vec::new() };
        Self { inbox, places: HashMap::new(), open: HashMap::new() }
    }

    /// Tells of something, behind all that happened before it.
    pub(crate) fn tell(&mut self, event: &Event, actor: Author) {
        let key = event.cause.key();
        let open = key.as_ref().and_then(|key| self.open.get(key));
        let situation = Situation {
            standing: Standing::Welcome,
            is_recorded: false,
            withdrawn: None,
            home: None,
            open: open.map(|open| Top {
                notification: self.inbox.notifications[open.place].0.clone(),
                newest: open.newest,
                beside: open.people.get(&actor.id).map(|emoji| Beside { emoji: *emoji }),
            }),
            actor,
        };
        let outcome = record(event, &situation);
        if outcome.starts.is_none_or(|kind| self.may_start(kind, event.at)) {
            self.carry_out(outcome);
            if let Some(key) = key {
                self.remember(key, event);
            }
        }
    }

    /// With everything read that was there at this moment.
    pub(crate) fn read_until(mut self, moment: Option<DateTime<Utc>>) -> FilledInbox {
        for (notification, _) in &mut self.inbox.notifications {
            notification.read_at = moment.filter(|moment| notification.last_updated_at <= *moment);
        }
        self.inbox
    }

    fn may_start(&mut self, kind: NotificationType, at: DateTime<Utc>) -> bool {
        let quota = self.inbox.quotas.iter_mut().find(|quota| quota.kind == kind);
        match (HourlyStarts::start(quota.as_ref().map(|quota| quota.starts), at), quota) {
            (Some(starts), Some(quota)) => quota.starts = starts,
            (Some(starts), None) => {
                self.inbox.quotas.push(Quota { kind, starts, held_back: 0 });
            }
            (None, Some(quota)) => {
                quota.held_back += 1;
                return false;
            }
            (None, None) => return false,
        }
        true
    }

    fn carry_out(&mut self, outcome: Outcome) {
        let mut next = || {
            self.inbox.last_change += 1;
            self.inbox.last_change
        };
        outcome.departed.iter().for_each(|_| _ = next());
        for saved in outcome.saved {
            let change = if outcome.announced.contains(&saved.id) { next() } else { 0 };
            if let Some(place) = self.places.get(&saved.id) {
                let (there, last) = &mut self.inbox.notifications[*place];
                (*there, *last) = (saved, change.max(*last));
            } else {
                self.places.insert(saved.id, self.inbox.notifications.len());
                self.inbox.notifications.push((saved, change));
            }
        }
    }

    /// Where the event went, for those that come after it.
    fn remember(&mut self, key: BatchKey, event: &Event) {
        let entry = &self.inbox.notifications[self.places[&event.id]].0;
        let (top, newest) = (entry.parent.unwrap_or(entry.id), entry.moment());
        let place = self.places[&top];
        let started = || Open { place, newest, people: HashMap::new() };
        let open = self.open.entry(key).or_insert_with(started);
        if entry.is_top_level() {
            *open = started();
        }
        open.place = place;
        open.newest = open.newest.max(newest);
        let emoji = open.people.entry(event.cause.actor).or_default();
        *emoji = event.details.emoji.or(*emoji);
    }
}
