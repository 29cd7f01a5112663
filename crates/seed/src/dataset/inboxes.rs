//! Generates inboxes from the selected events.

use grateful_domain::Author;
use grateful_domain::notification::{Act, Cause, Event, EventDetails};

use super::{DAY, Dataset, to_datetime};
use crate::events::{GeneratedAct, GeneratedEvent};
use crate::inbox_builder::{GeneratedInbox, InboxBuilder};
use crate::rng::{Rng, Stream};
use crate::users::{profile_of, username_of};

/// Per mille of recipients who never read their notifications.
const NEVER_READ: u64 = 120;
/// The other recipients last read theirs within this time before `now`, in microseconds.
const READ_SPAN: u64 = 14 * DAY;

impl Dataset {
    /// The inboxes of all users with events, each read up to a random time.
    pub fn inboxes(&self) -> impl Iterator<Item = GeneratedInbox> {
        let mut index = 0;
        let by_recipient = self.events.chunk_by(|event, next| event.recipient == next.recipient);
        by_recipient.map(move |events| {
            let recipient = events[0].recipient;
            let mut inbox = InboxBuilder::new(self.user_ids[recipient]);
            for event in events {
                inbox.record(&self.event(index, event), self.actor(event.actor));
                index += 1;
            }
            let mut rng = Rng::for_item(Stream::Reading, self.seed, recipient);
            let has_read = !rng.chance(NEVER_READ);
            let read_at = has_read
                .then(|| self.now.saturating_sub_unsigned(rng.squared_fraction_of(READ_SPAN)));
            inbox.read_until(read_at.map(to_datetime))
        })
    }

    fn event(&self, index: usize, event: &GeneratedEvent) -> Event {
        let GeneratedEvent { recipient, at, actor, .. } = *event;
        let (act, details) = self.act(event);
        Event {
            cause: Cause { recipient: self.user_ids[recipient], actor: self.user_ids[actor], act },
            details,
            at: to_datetime(at),
            id: Rng::for_item(Stream::NotificationId, self.seed, index).uuid_v7(at).into(),
            batch_id: Rng::for_item(Stream::BatchId, self.seed, index).uuid_v7(at).into(),
        }
    }

    fn act(&self, event: &GeneratedEvent) -> (Act, EventDetails) {
        let engagements = &self.engagements;
        let post_details = |index: usize| {
            let content = self.draft(index, &self.posts[index]).content;
            (self.post_id(index), EventDetails::for_post(content.as_str()))
        };
        match event.act {
            GeneratedAct::Heart(index) => {
                let (post, details) = post_details(engagements.hearts[index].post);
                (Act::Heart { post }, details)
            }
            GeneratedAct::Reaction(index) => {
                let reaction = &engagements.reactions[index];
                let (post, details) = post_details(reaction.post);
                (Act::Reaction { post }, details.with_emoji(reaction.detail))
            }
            GeneratedAct::LinkShare(index) => {
                let (post, details) = post_details(engagements.shares[index].post);
                (Act::LinkShare { post }, details)
            }
            GeneratedAct::MessageShare(index) => {
                let (post, details) = post_details(engagements.shares[index].post);
                let share_message = self.share_message(index);
                (
                    Act::MessageShare { post, share: self.share_id(index) },
                    EventDetails { share_message, ..details },
                )
            }
            GeneratedAct::Comment(index) | GeneratedAct::Reply(index) => {
                let generated = &engagements.comments[index];
                let (post, details) = post_details(generated.post);
                let details = details.with_comment(self.comment_text(index).as_str());
                let comment = self.comment_id(index);
                let act = match (event.act, generated.detail) {
                    (GeneratedAct::Reply(_), Some(parent)) => {
                        Act::Reply { post, comment, parent: self.comment_id(parent) }
                    }
                    _ => Act::Comment { post, comment },
                };
                (act, details)
            }
            GeneratedAct::Follow => (Act::Follow, EventDetails::default()),
            GeneratedAct::FollowRequest => (Act::FollowRequest, EventDetails::default()),
            GeneratedAct::FollowAcceptance => (Act::FollowAcceptance, EventDetails::default()),
        }
    }

    fn actor(&self, index: usize) -> Author {
        Author {
            id: self.user_ids[index],
            username: username_of(self.seed, index),
            display_name: profile_of(self.seed, index).display_name,
            profile_image_url: None,
        }
    }
}
