//! Somebody's inbox, and what others do meanwhile.

use chrono::{DateTime, TimeDelta, Utc};
use grateful_domain::notification::{Act, Cause, Deliverability, Event, EventDetails, Inbox};
use grateful_domain::{
    Author, CommentId, DisplayName, Emoji, Notification, NotificationId, PostId, ShareId,
    ShareMessage, UserId, Username,
};
use uuid::Uuid;

/// Ana's inbox, and a clock that stands still until it is moved.
#[derive(Debug, Clone)]
pub(crate) struct Story {
    pub(crate) inbox: Inbox,
    pub(crate) now: DateTime<Utc>,
    ids: u128,
}

/// Ana, to whom it all happens.
pub(crate) fn ana() -> UserId {
    UserId::from(1)
}

/// The others.
pub(crate) const BEN: i64 = 2;
pub(crate) const CARO: i64 = 3;
pub(crate) const DAN: i64 = 4;

/// The shortest time that is told apart.
pub(crate) const MOMENT: TimeDelta = TimeDelta::microseconds(1);

impl Story {
    pub(crate) fn begin() -> Self {
        let now = DateTime::from_timestamp(1_767_614_400, 0).unwrap();
        Self { inbox: Inbox::new(ana()), now, ids: 0 }
    }

    /// Lets time pass.
    pub(crate) fn wait(&mut self, time: TimeDelta) {
        self.now += time;
    }

    pub(crate) fn wait_minutes(&mut self, minutes: i64) {
        self.wait(TimeDelta::minutes(minutes));
    }

    /// Somebody does something that concerns Ana.
    pub(crate) fn act(&mut self, who: i64, act: Act) {
        self.act_under(who, act, Deliverability::Allowed);
    }

    pub(crate) fn act_under(&mut self, who: i64, act: Act, standing: Deliverability) {
        let event = self.event(who, act);
        self.inbox.record(&event, &person(who), standing);
    }

    /// What has just been done, with everything that may be said of it.
    pub(crate) fn event(&mut self, who: i64, act: Act) -> Event {
        let (id, batch_id) = (self.next_id(), self.next_id());
        let cause = Cause { recipient: ana(), actor: who.into(), act };
        Event { cause, details: details(act), at: self.now, id, batch_id }
    }

    /// Somebody takes back what they did.
    pub(crate) fn undo(&mut self, who: i64, act: Act) {
        self.inbox.withdraw(who.into(), act, self.now);
    }

    /// Ana reads the notification that stands at this place of her list.
    pub(crate) fn read(&mut self, place: usize) {
        let id = self.inbox.top_level()[place].id;
        assert!(self.inbox.mark_read(id, self.now));
    }

    /// What her list says: newest first, a star before what is unread.
    pub(crate) fn told(&self) -> Vec<String> {
        self.inbox.top_level().into_iter().map(line).collect()
    }

    /// What the notification at this place of the list gathers, in the same form.
    pub(crate) fn entries(&self, place: usize) -> Vec<String> {
        let id = self.inbox.top_level()[place].id;
        self.inbox.children(id).into_iter().map(line).collect()
    }

    /// The only notification of the list.
    pub(crate) fn only(&self) -> Notification {
        let [only] = self.inbox.top_level()[..] else { panic!("{:?}", self.told()) };
        only.clone()
    }

    /// Everything that there is: the list, and below each what it gathers.
    pub(crate) fn everything(&self) -> Vec<Notification> {
        let with_entries = |top: &Notification| {
            let entries = self.inbox.children(top.id).into_iter().cloned();
            [top.clone()].into_iter().chain(entries).collect::<Vec<_>>()
        };
        self.inbox.top_level().into_iter().flat_map(with_entries).collect()
    }

    fn next_id(&mut self) -> NotificationId {
        self.ids += 1;
        Uuid::from_u128(self.ids).into()
    }
}

fn line(it: &Notification) -> String {
    let star = if it.read_at.is_none() { "* " } else { "" };
    format!("{star}{}", it.text.message)
}

/// Everybody is called by the number that they are.
pub(crate) fn person(number: i64) -> Author {
    let name = match number {
        BEN => "Ben".to_owned(),
        CARO => "Caro".to_owned(),
        DAN => "Dan".to_owned(),
        _ => format!("Person {number}"),
    };
    Author {
        id: number.into(),
        username: Username::from_stored(name.to_lowercase().replace(' ', "_")),
        display_name: Some(DisplayName::from_stored(name)),
        profile_image_url: None,
    }
}

pub(crate) fn post(number: u128) -> PostId {
    Uuid::from_u128(0xa000 + number).into()
}

pub(crate) fn comment_id(number: u128) -> CommentId {
    Uuid::from_u128(0xc000 + number).into()
}

pub(crate) fn heart() -> Act {
    Act::Heart { post: post(1) }
}

pub(crate) fn reaction() -> Act {
    Act::Reaction { post: post(1) }
}

pub(crate) fn link() -> Act {
    Act::LinkShare { post: post(1) }
}

/// Each message is another one.
pub(crate) fn message(number: u128) -> Act {
    Act::MessageShare { post: post(1), share: ShareId::from(Uuid::from_u128(0x5000 + number)) }
}

pub(crate) fn mention(comment: Option<u128>) -> Act {
    Act::Mention { post: post(1), comment: comment.map(comment_id) }
}

pub(crate) fn comment(number: u128) -> Act {
    Act::Comment { post: post(1), comment: comment_id(number) }
}

/// Answers to comment 0.
pub(crate) fn reply(number: u128) -> Act {
    Act::Reply { post: post(1), comment: comment_id(number), parent: comment_id(0) }
}

fn details(act: Act) -> EventDetails {
    let details = match act.post() {
        Some(_) => EventDetails::for_post("For the bus driver"),
        None => EventDetails::default(),
    };
    let details = match act.comment() {
        Some(_) => details.with_comment("How lovely"),
        None => details,
    };
    match act {
        Act::Reaction { .. } => details.with_emoji(Emoji::Hug),
        Act::MessageShare { .. } => {
            EventDetails { share_message: ShareMessage::parse("Look at that").unwrap(), ..details }
        }
        _ => details,
    }
}
