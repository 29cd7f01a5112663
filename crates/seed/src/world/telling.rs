//! Who is told of what, in the domain's own words.

use grateful_domain::Author;
use grateful_domain::notification::{Act, Cause, Details, Event};

use super::{DAY, World, moment};
use crate::dice::{About, Dice};
use crate::inboxes::{FilledInbox, Filling};
use crate::people::{name_of, profile_of};
use crate::told::{Deed, Told};

/// How often in a thousand somebody never reads what they are told, and within what time the others last did.
const NEVER_READ: u64 = 120;
const UNREAD: u64 = 14 * DAY;

impl World {
    /// What everybody who was told of anything has in their inbox. Some have read more of it than others.
    pub fn inboxes(&self) -> impl Iterator<Item = FilledInbox> {
        let mut number = 0;
        self.told.chunk_by(|one, next| one.to == next.to).map(move |of_one| {
            let owner = of_one[0].to;
            let mut inbox = Filling::of(self.ids[owner]);
            for told in of_one {
                inbox.tell(&self.event(number, told), self.actor(told.by));
                number += 1;
            }
            let mut dice = Dice::of(About::Reading, self.seed, owner);
            let ever = !dice.chance(NEVER_READ);
            let read = ever.then(|| self.now.saturating_sub_unsigned(dice.small_part(UNREAD)));
            inbox.read_until(read.map(moment))
        })
    }

    fn event(&self, number: usize, told: &Told) -> Event {
        let (act, details) = self.act(told);
        Event {
            cause: Cause { recipient: self.ids[told.to], actor: self.ids[told.by], act },
            details,
            at: moment(told.at),
            id: Dice::of(About::NotificationId, self.seed, number).id(told.at).into(),
            batch_id: Dice::of(About::BatchId, self.seed, number).id(told.at).into(),
        }
    }

    fn act(&self, told: &Told) -> (Act, Details) {
        let answers = &self.answers;
        let on = |number: usize| {
            let content = self.draft(number, &self.posts[number]).content;
            (self.post_id(number), Details::of_post(content.as_str()))
        };
        match told.deed {
            Deed::Heart(number) => {
                let (post, details) = on(answers.hearts[number].post);
                (Act::Heart { post }, details)
            }
            Deed::Reaction(number) => {
                let reaction = &answers.reactions[number];
                let (post, details) = on(reaction.post);
                (Act::Reaction { post }, details.with_emoji(reaction.what))
            }
            Deed::Link(number) => {
                let (post, details) = on(answers.shares[number].post);
                (Act::Link { post }, details)
            }
            Deed::Message(number) => {
                let (post, details) = on(answers.shares[number].post);
                let share_message = self.message(number);
                (
                    Act::Message { post, share: self.share_id(number) },
                    Details { share_message, ..details },
                )
            }
            Deed::Comment(number) | Deed::Reply(number) => {
                let said = &answers.comments[number];
                let (post, details) = on(said.post);
                let details = details.with_comment(self.comment_text(number).as_str());
                let comment = self.comment_id(number);
                let act = match (told.deed, said.what) {
                    (Deed::Reply(_), Some(parent)) => {
                        Act::Reply { post, comment, parent: self.comment_id(parent) }
                    }
                    _ => Act::Comment { post, comment },
                };
                (act, details)
            }
            Deed::Follow => (Act::Follow, Details::default()),
            Deed::FollowRequest => (Act::FollowRequest, Details::default()),
            Deed::FollowAcceptance => (Act::FollowAcceptance, Details::default()),
        }
    }

    fn actor(&self, number: usize) -> Author {
        Author {
            id: self.ids[number],
            username: name_of(self.seed, number),
            display_name: profile_of(self.seed, number).display_name,
            profile_image_url: None,
        }
    }
}
