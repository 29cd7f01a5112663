//! A notification as its recipient sees it now.

use super::text::displayed_kind;
use super::{Notification, NotificationType, QuotedTexts, Text};
use crate::{Author, Emoji};

/// A notification with its text, rendered with the current names of its actors and the current texts of its post and
/// comment.
#[derive(Debug, Clone, PartialEq)]
pub struct RenderedNotification {
    pub notification: Notification,
    pub text: Text,
    /// The start of the post that it is about, at most [`QuotedTexts::PREVIEW_CHARS`]. `None` if there is no post, or if the
    /// recipient cannot see it.
    pub post_preview: Option<String>,
    /// The start of the comment that it is about, in the same way.
    pub comment_preview: Option<String>,
    /// The actor, or the newest actor of a batch. `None` if the account is deleted.
    pub actor: Option<Author>,
    /// Some of the distinct actors of a batch, in display order.
    pub actors: Vec<Author>,
}

impl RenderedNotification {
    /// The maximum number of actors shown of a batch.
    pub const MAX_ACTORS: usize = 8;
    /// The name shown for an actor whose account is deleted.
    pub const UNKNOWN_USER_NAME: &'static str = "Unknown User";

    /// Renders `notification`. `actors` are some of its distinct actors, each with the emoji of their reaction in this
    /// notification.
    pub fn new(
        notification: Notification,
        actor: Option<Author>,
        actors: Vec<(Author, Option<Emoji>)>,
        quoted: &QuotedTexts,
    ) -> Self {
        let newest = actors.iter().find(|(author, _)| Some(author.id) == notification.actor);
        let emoji = newest.and_then(|(_, emoji)| *emoji);
        let name = actor.as_ref().map_or(Self::UNKNOWN_USER_NAME, Author::name);
        let text = notification.render_text(name, emoji, quoted);
        let post_preview = quoted.post_preview().map(ToOwned::to_owned);
        let comment_preview = quoted.comment_preview().map(ToOwned::to_owned);
        let actors = actors.into_iter().map(|(author, _)| author).collect();
        Self { notification, text, post_preview, comment_preview, actor, actors }
    }

    /// The type of the displayed act: of the newest child if this is a batch of hearts and reactions.
    pub fn displayed_kind(&self) -> NotificationType {
        displayed_kind(self.notification.kind, &self.notification.details)
    }
}
