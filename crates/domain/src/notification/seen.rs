//! A notification as its recipient reads it today.

use super::Notification;
use super::event::name_actor;
use super::text::kind_shown;
use crate::{Author, Emoji};

/// A notification with the people of today: who changed their name since is called by the new one.
#[derive(Debug, Clone, PartialEq)]
pub struct RenderedNotification {
    pub notification: Notification,
    /// Who did it, or the newest of it; nobody where they are gone.
    pub from: Option<Author>,
    /// Some of those whom a batch gathers, in the order in which they are shown.
    pub people: Vec<Author>,
}

impl RenderedNotification {
    /// What whoever is gone is called.
    pub const UNKNOWN_USER_NAME: &'static str = "Unknown User";

    /// Says anew what the notification says. `people` are some of those whom it gathers, each with the emoji that they
    /// left among it.
    pub fn new(
        mut notification: Notification,
        from: Option<Author>,
        people: Vec<(Author, Option<Emoji>)>,
    ) -> Self {
        let own = people.iter().find(|(person, _)| Some(person.id) == notification.actor);
        let emoji = own.and_then(|(_, emoji)| *emoji);
        notification.text =
            notification.told(from.as_ref().map_or(Self::UNKNOWN_USER_NAME, Author::name), emoji);
        if let Some(from) = &from {
            let kind = kind_shown(notification.kind, &notification.data);
            name_actor(&mut notification.data, kind, from.username.as_str());
        }
        Self { notification, from, people: people.into_iter().map(|(person, _)| person).collect() }
    }
}
