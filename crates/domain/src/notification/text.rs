//! The texts of notifications (docs/rules.md#notifications, docs/rules.md#batching).

use serde_json::{Map, Value};

use super::{BatchConfig, BatchCounts, NotificationType};
use crate::Emoji;

/// The title and the message of a notification.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Text {
    pub title: String,
    pub message: String,
}

/// The inputs of a notification text.
#[derive(Debug, Clone, Copy)]
pub struct TextContext<'a> {
    /// The type of the notification.
    pub kind: NotificationType,
    /// The batching rules of its key; `None` if it cannot be batched.
    pub config: Option<&'static BatchConfig>,
    /// The name of the newest actor, see [`Author::name`](crate::Author::name).
    pub name: &'a str,
    /// The data of the newest act.
    pub data: &'a Map<String, Value>,
    pub counts: BatchCounts,
    /// The emoji of the newest actor's reaction, if it is not the newest act itself.
    pub emoji: Option<Emoji>,
}

/// The maximum number of characters that a message quotes from a post or a comment.
const MAX_QUOTE_CHARS: usize = 50;

impl TextContext<'_> {
    /// Renders the text of a single act, of several acts by one actor, or of several actors.
    pub fn render(&self) -> Text {
        let BatchCounts { child_count, actor_count } = self.counts;
        match self.config {
            Some(config) if 1 < actor_count => Text {
                title: config.summary_title.to_owned(),
                message: config
                    .summary_template
                    .replace("{n}", &actor_count.to_string())
                    .replace("{batch_count}", &child_count.to_string()),
            },
            Some(config) if 1 < child_count => Text {
                title: config.summary_title.to_owned(),
                message: self.several_by_one_actor(child_count),
            },
            _ => self.single(),
        }
    }

    fn several_by_one_actor(&self, child_count: i32) -> String {
        let name = self.name;
        match self.emoji.or_else(|| self.own_emoji()) {
            // On one post, a user can have at most one heart and one reaction.
            Some(emoji) if self.kind == NotificationType::PostInteraction => {
                format!("{name} liked your post and reacted with {}", emoji.display())
            }
            _ => format!("{} ({child_count} times)", self.single().message),
        }
    }

    fn single(&self) -> Text {
        let name = self.name;
        let (title, message) = match self.kind {
            NotificationType::Like => ("New Like 💜", format!("{name} liked your post")),
            NotificationType::EmojiReaction => {
                let emoji = self.own_emoji().map_or("an emoji", Emoji::display);
                ("New Reaction", format!("{name} reacted to your post with {emoji}"))
            }
            // A batch with one child has the text of that child.
            NotificationType::PostInteraction => {
                return TextContext { kind: displayed_kind(self.kind, self.data), ..*self }
                    .single();
            }
            NotificationType::PostShared if self.string("share_method") == Some("message") => {
                ("Post Sent", format!("{name} sent you a post"))
            }
            NotificationType::PostShared => ("Post Shared", format!("{name} shared your post")),
            NotificationType::Mention => {
                let quote = self.quote("comment_preview").or_else(|| self.quote("post_preview"));
                let quote = quote.unwrap_or_default();
                ("You were mentioned", format!("{name} mentioned you in a post: {quote}"))
            }
            NotificationType::Comment => {
                let quote = self.quote("comment_preview").unwrap_or_default();
                ("New Comment", format!("{name} commented on your post: {quote}"))
            }
            NotificationType::CommentReply => {
                let quote = self.quote("comment_preview").unwrap_or_default();
                ("New Reply", format!("{name} replied to your comment: {quote}"))
            }
            NotificationType::Follow => ("New Follower", format!("{name} started following you")),
            NotificationType::FollowRequest => {
                ("Follow Request", format!("{name} wants to follow you"))
            }
            NotificationType::FollowAccepted => {
                ("Request Accepted", format!("{name} accepted your follow request"))
            }
        };
        Text { title: title.to_owned(), message }
    }

    fn own_emoji(&self) -> Option<Emoji> {
        emoji_in(self.data)
    }

    fn string(&self, name: &str) -> Option<&str> {
        self.data.get(name).and_then(Value::as_str)
    }

    fn quote(&self, name: &str) -> Option<String> {
        let text = self.string(name)?;
        let quote: String = text.chars().take(MAX_QUOTE_CHARS).collect();
        Some(if quote.len() < text.len() { quote + "…" } else { quote })
    }
}

/// The emoji in the data of a reaction.
pub(super) fn emoji_in(data: &Map<String, Value>) -> Option<Emoji> {
    data.get("emoji_code").and_then(Value::as_str).and_then(|code| Emoji::from_code(code).ok())
}

/// The type of the displayed act. A batch of hearts and reactions displays its newest child, and only the data of a
/// reaction has an emoji.
pub(super) fn displayed_kind(
    kind: NotificationType,
    data: &Map<String, Value>,
) -> NotificationType {
    match (kind, emoji_in(data)) {
        (NotificationType::PostInteraction, Some(_)) => NotificationType::EmojiReaction,
        (NotificationType::PostInteraction, None) => NotificationType::Like,
        (kind, _) => kind,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn quotes_are_cut_after_the_fiftieth_character() {
        // Characters of one, two and four bytes: the limit counts characters.
        for letter in ["a", "ü", "💜"] {
            for (length, quoted) in [(49, 49), (50, 50), (51, 50)] {
                let end = if quoted < length { "…" } else { "" };
                let text = letter.repeat(length);

                let message = message_of(NotificationType::Comment, "comment_preview", &text);

                let quote = letter.repeat(quoted);
                assert_eq!(message, format!("Ben commented on your post: {quote}{end}"));
            }
        }
    }

    #[test]
    fn every_message_with_a_quote_cuts_it() {
        let text = "a".repeat(100);
        for (kind, name) in [
            (NotificationType::Comment, "comment_preview"),
            (NotificationType::CommentReply, "comment_preview"),
            (NotificationType::Mention, "comment_preview"),
            (NotificationType::Mention, "post_preview"),
        ] {
            let message = message_of(kind, name, &text);

            assert!(message.ends_with(&format!(": {}…", "a".repeat(50))), "{message}");
        }
    }

    #[test]
    fn placeholders_in_a_name_are_not_replaced() {
        let data = Map::new();
        let counts = BatchCounts { child_count: 3, actor_count: 2 };
        let config = Some(&BatchConfig::MENTION);
        let kind = NotificationType::Mention;

        let several = TextContext { kind, config, name: "{n}", data: &data, counts, emoji: None };

        assert_eq!(several.render().message, "You were mentioned 3 times");
        let counts = BatchCounts { child_count: 3, actor_count: 1 };
        let by_one_actor = TextContext { counts, ..several };
        assert_eq!(by_one_actor.render().message, "{n} mentioned you in a post:  (3 times)");
    }

    fn message_of(kind: NotificationType, name: &str, text: &str) -> String {
        let data = Map::from_iter([(name.to_owned(), json!(text))]);
        let counts = BatchCounts { child_count: 1, actor_count: 1 };
        let context =
            TextContext { kind, config: None, name: "Ben", data: &data, counts, emoji: None };
        context.render().message
    }
}
