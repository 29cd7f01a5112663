//! A notification as its recipient sees it, with current names.

use super::Notification;
use super::event::insert_actor_username;
use super::text::displayed_kind;
use crate::{Author, Emoji};

/// A notification whose text and data use the current names of the users in it.
#[derive(Debug, Clone, PartialEq)]
pub struct RenderedNotification {
    pub notification: Notification,
    /// The actor, or the newest actor of a batch. `None` if the account is deleted.
    pub actor: Option<Author>,
    /// Some of the distinct actors of a batch, in display order.
    pub actors: Vec<Author>,
}

impl RenderedNotification {
    /// The name shown for an actor whose account is deleted.
    pub const UNKNOWN_USER_NAME: &'static str = "Unknown User";

    /// Renders the text of `notification` with current names. `actors` are some of its distinct actors, each with the
    /// emoji of their reaction in this notification.
    pub fn new(
        mut notification: Notification,
        actor: Option<Author>,
        actors: Vec<(Author, Option<Emoji>)>,
    ) -> Self {
        let newest = actors.iter().find(|(author, _)| Some(author.id) == notification.actor);
        let emoji = newest.and_then(|(_, emoji)| *emoji);
        let name = actor.as_ref().map_or(Self::UNKNOWN_USER_NAME, Author::name);
        notification.text = notification.render_text(name, emoji);
        if let Some(actor) = &actor {
            let kind = displayed_kind(notification.kind, &notification.data);
            insert_actor_username(&mut notification.data, kind, actor.username.as_str());
        }
        let actors = actors.into_iter().map(|(author, _)| author).collect();
        Self { notification, actor, actors }
    }
}
