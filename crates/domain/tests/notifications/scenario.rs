//! Ana's inbox, a manual clock, and builders for the acts of other users. The inbox of another policy has the same clock.

use chrono::{DateTime, TimeDelta, Utc};
use grateful_domain::batching::{self, BatchDecision, BatchPolicy, Cause, Event};
use grateful_domain::notification::{
    Act, Deliverability, EventDetails, Grateful, QuotedTexts, RenderedNotification,
};
use grateful_domain::{
    Author, CommentId, DisplayName, Emoji, Notification, PostId, ShareId, UserId, Username,
};
use uuid::Uuid;

use crate::policies::Sample;

/// An inbox, Ana's if not said otherwise, and a clock that only the test advances.
#[derive(Debug, Clone)]
pub(crate) struct Scenario<P: BatchPolicy = Grateful> {
    pub(crate) inbox: batching::Inbox<P>,
    pub(crate) now: DateTime<Utc>,
    last_id: u128,
}

/// The recipient of all notifications.
pub(crate) fn ana() -> UserId {
    UserId::from(1)
}

/// The actors with names.
pub(crate) const BEN: i64 = 2;
pub(crate) const CARO: i64 = 3;
pub(crate) const DAN: i64 = 4;

/// The precision of stored times.
pub(crate) const MICROSECOND: TimeDelta = TimeDelta::microseconds(1);

impl<P: Sample> Scenario<P> {
    pub(crate) fn of(policy: P) -> Self {
        let now = DateTime::from_timestamp(1_767_614_400, 0).unwrap();
        Self { inbox: batching::Inbox::with_policy(policy, P::user(1)), now, last_id: 0 }
    }

    pub(crate) fn advance(&mut self, time: TimeDelta) {
        self.now += time;
    }

    pub(crate) fn advance_minutes(&mut self, minutes: i64) {
        self.advance(TimeDelta::minutes(minutes));
    }

    /// Records an act with the owner of the inbox as the recipient.
    pub(crate) fn act(&mut self, actor: i64, act: P::Act) -> BatchDecision {
        self.act_with(actor, act, Deliverability::Allowed)
    }

    pub(crate) fn act_with(
        &mut self,
        actor: i64,
        act: P::Act,
        deliverability: Deliverability,
    ) -> BatchDecision {
        let event = self.event(actor, act);
        self.inbox.record(&event, deliverability)
    }

    /// An event of the act with all details that the act can have.
    pub(crate) fn event(&mut self, actor: i64, act: P::Act) -> Event<P> {
        let (id, batch_id) = (self.next_id(), self.next_id());
        let details = P::details(&act, 0);
        let cause = Cause { recipient: P::user(1), actor: P::user(actor), act };
        Event { cause, details, at: self.now, id, batch_id }
    }

    /// Withdraws the notification of an act.
    pub(crate) fn undo(&mut self, actor: i64, act: &P::Act) {
        self.inbox.withdraw(P::user(actor), act, self.now);
    }

    /// All notifications: each top-level notification followed by its children.
    pub(crate) fn all(&self) -> Vec<batching::Notification<P>> {
        let with_children = |parent: &batching::Notification<P>| {
            let children = self.inbox.children(parent.id).into_iter().cloned();
            [parent.clone()].into_iter().chain(children).collect::<Vec<_>>()
        };
        self.inbox.top_level().into_iter().flat_map(with_children).collect()
    }

    fn next_id(&mut self) -> P::Id {
        self.last_id += 1;
        P::id(self.last_id)
    }
}

impl Scenario {
    pub(crate) fn new() -> Self {
        Self::of(Grateful)
    }

    /// Replaces the emoji of a reaction.
    pub(crate) fn react(&mut self, actor: i64, emoji: Emoji) {
        self.inbox.change_details(actor.into(), &reaction(), EventDetails::of_emoji(emoji));
    }

    /// Marks the top-level notification with this index as read.
    pub(crate) fn mark_read(&mut self, index: usize) {
        let id = self.inbox.top_level()[index].id;
        assert!(self.inbox.mark_read(id, self.now));
    }

    /// The messages of the top-level notifications, newest first. Unread ones start with a star.
    pub(crate) fn messages(&self) -> Vec<String> {
        self.inbox.top_level().into_iter().map(|single| self.message_line(single)).collect()
    }

    /// The messages of the children of the batch with this index, in the same format.
    pub(crate) fn child_messages(&self, index: usize) -> Vec<String> {
        let id = self.inbox.top_level()[index].id;
        self.inbox.children(id).into_iter().map(|child| self.message_line(child)).collect()
    }

    /// A notification as Ana sees it.
    pub(crate) fn render(&self, notification: &Notification) -> RenderedNotification {
        self.inbox.render(notification, &texts_of(notification), |actor| Some(author(actor.into())))
    }

    fn message_line(&self, notification: &Notification) -> String {
        let star = if notification.read_at.is_none() { "* " } else { "" };
        format!("{star}{}", self.render(notification).text.message)
    }

    /// The only top-level notification.
    pub(crate) fn only(&self) -> Notification {
        let [only] = self.inbox.top_level()[..] else { panic!("{:?}", self.messages()) };
        only.clone()
    }
}

/// The texts of the post and the comment of a notification; all posts and all comments have the same.
pub(crate) fn texts_of(notification: &Notification) -> QuotedTexts {
    QuotedTexts {
        post: notification.subject.post.map(|_| "For the bus driver".to_owned()),
        comment: notification.subject.comment.map(|_| "How lovely".to_owned()),
    }
}

/// The user with this id: Ben, Caro, Dan, or `User {id}`.
pub(crate) fn author(id: i64) -> Author {
    let name = match id {
        BEN => "Ben".to_owned(),
        CARO => "Caro".to_owned(),
        DAN => "Dan".to_owned(),
        _ => format!("User {id}"),
    };
    Author {
        id: id.into(),
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

/// A share by message. Each number is a different share.
pub(crate) fn message(number: u128) -> Act {
    Act::MessageShare { post: post(1), share: ShareId::from(Uuid::from_u128(0x5000 + number)) }
}

pub(crate) fn mention(comment: Option<u128>) -> Act {
    Act::Mention { post: post(1), comment: comment.map(comment_id) }
}

pub(crate) fn comment(number: u128) -> Act {
    Act::Comment { post: post(1), comment: comment_id(number) }
}

/// A reply to comment 0.
pub(crate) fn reply(number: u128) -> Act {
    Act::Reply { post: post(1), comment: comment_id(number), parent: comment_id(0) }
}
