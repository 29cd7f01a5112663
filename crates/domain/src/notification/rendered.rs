//! A notification as its recipient sees it now.

use serde_json::{Map, Value, json};

use super::text::displayed_kind;
use super::{Notification, NotificationType, QuotedTexts, Text};
use crate::{Author, Emoji};

/// A notification with its text and its data, rendered with the current names of its actors and the current texts of its
/// post and comment.
#[derive(Debug, Clone, PartialEq)]
pub struct RenderedNotification {
    pub notification: Notification,
    pub text: Text,
    /// What clients need to display and link the notification, under the field names of the HTTP API.
    pub data: Map<String, Value>,
    /// The actor, or the newest actor of a batch. `None` if the account is deleted.
    pub actor: Option<Author>,
    /// Some of the distinct actors of a batch, in display order.
    pub actors: Vec<Author>,
}

impl RenderedNotification {
    /// The maximum number of actors shown of a batch (docs/http-api.md#shapes).
    pub const MAX_ACTORS: usize = 8;
    /// The id shown for an actor whose account is deleted.
    pub const UNKNOWN_USER_ID: &'static str = "0";
    /// The name shown for an actor whose account is deleted.
    pub const UNKNOWN_USER_NAME: &'static str = "Unknown User";
    /// The username shown for an actor whose account is deleted.
    pub const UNKNOWN_USERNAME: &'static str = "unknown";

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
        let data = displayed_data(&notification, actor.as_ref(), quoted);
        let actors = actors.into_iter().map(|(author, _)| author).collect();
        Self { notification, text, data, actor, actors }
    }
}

/// The stored data, with what is looked up when the notification is read. That replaces what older versions stored.
fn displayed_data(
    notification: &Notification,
    actor: Option<&Author>,
    quoted: &QuotedTexts,
) -> Map<String, Value> {
    let kind = displayed_kind(notification.kind, &notification.data);
    let id = actor.map(|actor| actor.id);
    let username =
        actor.map_or(RenderedNotification::UNKNOWN_USERNAME, |actor| actor.username.as_str());
    let actor_user_id =
        id.map_or_else(|| RenderedNotification::UNKNOWN_USER_ID.to_owned(), |id| id.to_string());
    let is_follow = matches!(kind, NotificationType::Follow | NotificationType::FollowRequest);
    let follower_id = id.filter(|_| is_follow).map(i64::from);
    let post_id = notification.post.map(|post| post.to_string());
    let comment_id = notification.comment.map(|comment| comment.to_string());
    let mut data = notification.data.clone();
    for (name, value) in [
        ("actor_user_id", Some(json!(actor_user_id))),
        ("actor_username", Some(json!(username))),
        ("post_id", post_id.map(Value::from)),
        ("post_preview", quoted.post_preview().map(Value::from)),
        ("comment_id", comment_id.map(Value::from)),
        ("comment_preview", quoted.comment_preview().map(Value::from)),
        ("follower_id", follower_id.map(Value::from)),
    ] {
        match value {
            Some(value) => data.insert(name.to_owned(), value),
            None => data.remove(name),
        };
    }
    if let Some(alias) = username_alias(kind) {
        data.insert(alias.to_owned(), username.into());
    }
    data
}

/// The older name of `actor_username`, specific to the type, that clients read.
const fn username_alias(kind: NotificationType) -> Option<&'static str> {
    match kind {
        NotificationType::Like => Some("liker_username"),
        NotificationType::EmojiReaction => Some("reactor_username"),
        NotificationType::PostShared => Some("sharer_username"),
        NotificationType::Mention | NotificationType::Comment | NotificationType::CommentReply => {
            Some("author_username")
        }
        NotificationType::Follow | NotificationType::FollowRequest => Some("follower_username"),
        NotificationType::FollowAccepted | NotificationType::PostInteraction => None,
    }
}
