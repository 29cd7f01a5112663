//! A notification as its recipient sees it now.

use super::text::displayed_kind;
use super::{BatchKey, Inbox, Notification, NotificationType, QuotedTexts, Text, TextContext};
use crate::{Author, Emoji, UserId};

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

impl Notification {
    /// Renders the text with the current `name` of the actor and the current texts. `emoji` is the emoji of the actor's
    /// reaction in a batch, if the newest act is not the reaction itself.
    fn render_text(&self, name: &str, emoji: Option<Emoji>, quoted: &QuotedTexts) -> Text {
        let context = TextContext {
            kind: self.kind,
            config: self.key.as_ref().and_then(BatchKey::config),
            name,
            details: &self.details,
            subject: &self.subject,
            quoted,
            counts: self.batch_counts(),
            emoji,
        };
        context.render()
    }
}

impl Inbox {
    /// Renders a notification of this inbox with the users that `author_of` finds, and with the current texts that it quotes.
    pub fn render(
        &self,
        notification: &Notification,
        quoted: &QuotedTexts,
        author_of: impl Fn(UserId) -> Option<Author>,
    ) -> RenderedNotification {
        let mut actors: Vec<(Author, Option<Emoji>)> = Vec::new();
        for child in self.children(notification.id) {
            let Some(author) = child.actor.and_then(&author_of) else { continue };
            let emoji = child.details.emoji;
            match actors.iter_mut().find(|(shown, _)| shown.id == author.id) {
                Some((_, shown)) => *shown = shown.or(emoji),
                None => actors.push((author, emoji)),
            }
        }
        actors.truncate(RenderedNotification::MAX_ACTORS);
        let actor = notification.actor.and_then(&author_of);
        RenderedNotification::new(notification.clone(), actor, actors, quoted)
    }
}
