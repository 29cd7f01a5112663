//! Generates inboxes from the selected events.

use grateful_domain::notification::{
    Act, Cause, Deliverability, Event, EventDetails, Inbox, SuppressedNotification,
    SuppressionReason,
};

use super::{DAY, Dataset, to_datetime};
use crate::events::{GeneratedAct, GeneratedEvent};
use crate::rng::{Rng, Stream};

/// Per mille of recipients who never read their notifications.
const NEVER_READ: u64 = 120;
/// The other recipients last read theirs within this time before `now`, in microseconds.
const READ_SPAN: u64 = 14 * DAY;

impl Dataset {
    /// The inboxes of all users with events, each read up to a random time.
    pub fn inboxes(&self) -> impl ExactSizeIterator<Item = Inbox> {
        let mut index = 0;
        let by_recipient =
            self.events.newest.chunk_by(|event, next| event.recipient == next.recipient);
        let by_recipient: Vec<_> = by_recipient.collect();
        by_recipient.into_iter().map(move |events| {
            let recipient = events[0].recipient;
            let mut inbox = Inbox::new(self.user_ids[recipient]);
            for event in events {
                inbox.record(&self.event(index, event), Deliverability::Allowed);
                index += 1;
            }
            let mut rng = Rng::for_item(Stream::Reading, self.seed, recipient);
            if !rng.chance(NEVER_READ) {
                let read_at = self.now.saturating_sub_unsigned(rng.squared_fraction_of(READ_SPAN));
                inbox.mark_all_read(to_datetime(read_at));
            }
            inbox
        })
    }

    /// The events that are too old to be in an inbox, as acts without a notification.
    pub fn unrecorded(&self) -> impl ExactSizeIterator<Item = SuppressedNotification> {
        self.events.older.iter().map(|event| {
            let (cause, _) = self.cause(event);
            SuppressedNotification::new(cause, SuppressionReason::Unknown, to_datetime(event.at))
        })
    }

    fn cause(&self, event: &GeneratedEvent) -> (Cause, EventDetails) {
        let GeneratedEvent { recipient, actor, .. } = *event;
        let (act, details) = self.act(event);
        let [recipient, actor] = [recipient, actor].map(|user| self.user_ids[user]);
        (Cause { recipient, actor, act }, details)
    }

    fn event(&self, index: usize, event: &GeneratedEvent) -> Event {
        let at = event.at;
        let (cause, details) = self.cause(event);
        Event {
            cause,
            details,
            at: to_datetime(at),
            id: Rng::for_item(Stream::NotificationId, self.seed, index).uuid_v7(at).into(),
            batch_id: Rng::for_item(Stream::BatchId, self.seed, index).uuid_v7(at).into(),
        }
    }

    fn act(&self, event: &GeneratedEvent) -> (Act, EventDetails) {
        let engagements = &self.engagements;
        let none = EventDetails::default();
        match event.act {
            GeneratedAct::Heart(index) => {
                (Act::Heart { post: self.post_id(engagements.hearts[index].post) }, none)
            }
            GeneratedAct::Reaction(index) => {
                let reaction = &engagements.reactions[index];
                let post = self.post_id(reaction.post);
                (Act::Reaction { post }, EventDetails::of_emoji(reaction.detail))
            }
            GeneratedAct::LinkShare(index) => {
                (Act::LinkShare { post: self.post_id(engagements.shares[index].post) }, none)
            }
            GeneratedAct::MessageShare(index) => {
                let post = self.post_id(engagements.shares[index].post);
                let share_message = self.share_message(index);
                (
                    Act::MessageShare { post, share: self.share_id(index) },
                    EventDetails::of_message(share_message),
                )
            }
            GeneratedAct::Comment(index) | GeneratedAct::Reply(index) => {
                let generated = &engagements.comments[index];
                let (post, comment) = (self.post_id(generated.post), self.comment_id(index));
                let act = match (event.act, generated.detail) {
                    (GeneratedAct::Reply(_), Some(parent)) => {
                        Act::Reply { post, comment, parent: self.comment_id(parent) }
                    }
                    _ => Act::Comment { post, comment },
                };
                (act, none)
            }
            GeneratedAct::Follow => (Act::Follow, none),
            GeneratedAct::FollowRequest => (Act::FollowRequest, none),
            GeneratedAct::FollowAcceptance => (Act::FollowAcceptance, none),
        }
    }
}
